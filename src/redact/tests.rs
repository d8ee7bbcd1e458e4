use proptest::prelude::*;

use super::pseudonym::hmac_sha256;
use super::{PLACES, Redactor, address_pseudonym, is_secret_name, pseudonym, value_pseudonym};

const KEY: &[u8] = b"a key of the tests";

fn with(secret_names: &[&str], personal_fields: &[&str]) -> Redactor {
    let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    Redactor::new(KEY, &owned(secret_names), &owned(personal_fields)).unwrap()
}

fn redacted_by(redactor: &Redactor, text: &str) -> String {
    String::from_utf8(redactor.redact(text.as_bytes()).into_owned()).unwrap()
}

fn redacted(text: &str) -> String {
    redacted_by(&with(&[], &[]), text)
}

fn check(text: &str, expected: &str) {
    assert_eq!(redacted(text), expected);
    assert_eq!(redacted(expected), expected, "twice");
}

fn check_kept(text: &str) {
    check(text, text);
}

#[test]
fn the_expression_compiles() {
    assert!(PLACES.is_some());
}

#[test]
fn values_in_lists_of_headers() {
    check(
        r#"[{"name":"authorization","value":"abc"},{"name":"host","value":"x"}]"#,
        r#"[{"name":"authorization","value":"[redacted]"},{"name":"host","value":"x"}]"#,
    );
    check(
        r#"{ "name": "x-token" , "value" : "abc" }"#,
        r#"{ "name": "x-token" , "value" : "[redacted]" }"#,
    );
    check(r#"["Authorization","abc","Host","x"]"#, r#"["Authorization","[redacted]","Host","x"]"#);
    check(r#"[["X-Api-Key", "abc"]]"#, r#"[["X-Api-Key", "[redacted]"]]"#);
    check(
        r#"{"h":"[\"Cookie\",\"a=b\"]"}"#, // JSON in a string
        r#"{"h":"[\"Cookie\",\"[redacted]\"]"}"#,
    );
    check_kept(r#"{"kind":"cookie","user":"x"}"#); // the next string is a key
    check_kept(r#"{"msg":"no cookie","user":["x"]}"#); // the name is part of a text
    check_kept(r#"{"missing":["password","name"]}"#); // names of fields
    check_kept(r#"{"a":"cookie","#); // cut off
    check_kept(r#"["cookie","#);
}

#[test]
fn credentials_without_their_password_are_left_alone() {
    check("://password://&@", "://password:[redacted]&@");
    check("https://u:p@h", "https://[redacted]@h");
}

#[test]
fn values_of_secret_keys() {
    check("user=1 password=hunter2 x=1", "user=1 password=[redacted] x=1");
    check("{\"password\":\"a\\\"b\",\"x\":1}", "{\"password\":\"[redacted]\",\"x\":1}");
    check("{\"passcode\": 1234}", "{\"passcode\": \"[redacted]\"}"); // JSON stays JSON
    check("{\"token\":{\"a\":\"}\"},\"x\":1}", "{\"token\":\"[redacted]\",\"x\":1}");
    check("{\"tokens\":[\"a\",\"b\"]}", "{\"tokens\":\"[redacted]\"}");
    check("{\\\"apiKey\\\":\\\"abc\\\",1}", "{\\\"apiKey\\\":\\\"[redacted]\\\",1}"); // in a string
    check("accessToken: 'abc' x", "accessToken: '[redacted]' x");
    check("DB_PASSWORD=x;Y=1", "DB_PASSWORD=[redacted];Y=1");
    check("Authorization: Bearer abc def", "Authorization: [redacted] def");
    check("Cookie: a=1; b=2\nnext", "Cookie: [redacted]\nnext");
    check("{\"set-cookie\":\"a=1; Path=/\"}", "{\"set-cookie\":\"[redacted]\"}");
    check("/login?token=abc&x=1", "/login?token=[redacted]&x=1");
    check(":client_secret => \"abc\"", ":client_secret => \"[redacted]\"");
    check("pass=x", "pass=[redacted]");
    check("password=", "password="); // nothing there
    check("{\"secret\":\"open", "{\"secret\":\"[redacted]\""); // cut record
}

#[test]
fn a_secret_of_any_length_goes_as_a_whole() {
    let long = "x".repeat(200_000);
    check(&format!("password=\"{long}\" y"), "password=\"[redacted]\" y");
    check(&format!("{{\"secret\":\"{long}"), "{\"secret\":\"[redacted]\"");
}

#[test]
fn what_only_sounds_like_a_secret_stays() {
    check_kept("{\"passed\":12,\"failed\":0}"); // test results
    check_kept("tokens: 1500");
    check_kept("{\"token\":null,\"secret\":false}");
    check_kept("Unexpected token } in JSON");
    check_kept("passenger=7");
    check_kept("basic authentication is off");
    check_kept("1795010602123456 1795010602123456789"); // epoch us and ns
    check_kept("4111111111111112"); // wrong check digit
    check_kept("\"duration\": 0.4111111111111111"); // a fraction
    check_kept("\"query_id\":411111111111111111"); // longer than a card
    check_kept("id 54111111-1111-4111-9111-111111111111"); // groups of a UUID
    check_kept("task-eyJ basic_auth ghp_short sk_test_short");
    check_kept("2026-11-18T14:03:22Z 200 12.5ms");
    check_kept("GET http://example.org:8080/a");
    check_kept("@scope/pkg a@b"); // no domain
}

#[test]
fn names_that_are_escaped() {
    check(r#"{"pass\u0077ord":"hunter2"}"#, r#"{"password":"[redacted]"}"#);
    check(r#"{"\u0074oken":"abc","x":"\u0041\n"}"#, r#"{"token":"[redacted]","x":"A\n"}"#);
    check_kept(r#"{"x":"\u0041"}"#); // exactly as written where nothing is taken out
}

#[test]
fn configured_names_of_secrets() {
    let redactor = with(&["pin", "clave", "be", "pass"], &[]);
    let check = |text: &str, expected: &str| {
        assert_eq!(redacted_by(&redactor, text), expected);
        assert_eq!(redacted_by(&redactor, expected), expected, "twice");
    };
    check("user_PIN=1234 x=1", "user_PIN=[redacted] x=1");
    check(r#"{"a":{"pinCode":1234},"x":1}"#, r#"{"a":{"pinCode":"[redacted]"},"x":1}"#);
    check(r#"{"p\u0069n":"1234"}"#, r#"{"pin":"[redacted]"}"#);
    check(r#"{"log":"{\"clave\":\"x y\"}"}"#, r#"{"log":"{\"clave\":\"[redacted]\"}"}"#);
    check(r#"clave="x y" b"#, r#"clave="[redacted]" b"#);
    check("sent Bearer abcdef123456", "sent Bearer [redacted]"); // a part of a usual form
    check("passed=7", "passed=[redacted]"); // the usual exceptions are of the usual names
    check("the pin is secret", "the pin is secret"); // no value
    let redactor = with(&["pin_code", "securityAnswer"], &[]);
    for name in
        ["pin_code", "pinCode", "PIN-CODE", "x_pincode", "security_answer", "SecurityAnswers"]
    {
        let [text, expected] = ["1234", "[redacted]"].map(|value| format!("{name}={value} x=1"));
        assert_eq!(redacted_by(&redactor, &text), expected);
    }
    let kept = "spin=1 code=2 pin.code=3 security=4";
    assert_eq!(redacted_by(&redactor, kept), kept);
    check(r#"{"pin":null,"pin_password":"x"}"#, r#"{"pin":null,"pin_password":"[redacted]"}"#);
}

#[test]
fn personal_fields_become_pseudonyms() {
    let redactor = with(&["pin"], &["student.name", "dni", "contacts"]);
    let (ana, dni) = (value_pseudonym(KEY, "Ana Pérez"), value_pseudonym(KEY, "30111222"));
    let mail = pseudonym(KEY, "ana@example.edu");
    let fill = |text: &str| text.replace("ANA", &ana).replace("DNI", &dni).replace("MAIL", &mail);
    let check = |text: &str, expected: &str| {
        let expected = fill(expected);
        assert_eq!(redacted_by(&redactor, text), expected, "{text}");
        assert_eq!(redacted_by(&redactor, &expected), expected, "twice");
    };
    check(r#"{"student":{"name":"Ana Pérez","x":1}}"#, r#"{"student":{"name":"ANA","x":1}}"#);
    check(r#"{"student.name": "ana pérez "}"#, r#"{"student.name": "ANA"}"#); // as people type it
    check(r#"{"student":{"n\u0061me":"Ana P\u00e9rez"}}"#, r#"{"student":{"name":"ANA"}}"#);
    check(r#"{"dni":30111222,"n":[1]}"#, r#"{"dni":"DNI","n":[1]}"#);
    check(r#"{"dni":null,"name":"x"}"#, r#"{"dni":null,"name":"x"}"#);
    // By the end of a path, in any spelling.
    check(r#"{"a":{"d_n-I":30111222},"dnis":1}"#, r#"{"a":{"d_n-I":"DNI"},"dnis":1}"#);
    check(
        r#"{"ctx":[{"Student":{"Name":"Ana Pérez"}}],"name":"x"}"#,
        r#"{"ctx":[{"Student":{"Name":"ANA"}}],"name":"x"}"#,
    );
    check("ctx.Student.name='Ana Pérez' xdni=1", "ctx.Student.name='ANA' xdni=1");
    // Through lists, and from their elements on.
    check(r#"[{"student":{"name":"Ana Pérez"}}]"#, r#"[{"student":{"name":"ANA"}}]"#);
    check(
        r#"{"r":[{"dni":"30111222"},{"b":[]}],"dni":1}"#,
        &fill(r#"{"r":[{"dni":"DNI"},{"b":[]}],"dni":"ONE"}"#)
            .replace("ONE", &value_pseudonym(KEY, "1")),
    );
    check(
        r#"{"contacts":{"a":["30111222",{"b":"Ana Pérez"}]},"x":"y"}"#,
        r#"{"contacts":{"a":["DNI",{"b":"ANA"}]},"x":"y"}"#,
    );
    check(r#"{"dni":"ana@example.edu"}"#, r#"{"dni":"MAIL"}"#); // the same name wherever it stands
    // Text, and JSON in text in JSON.
    check("dni=30111222 student.name=\"Ana Pérez\" id=1", "dni=DNI student.name=\"ANA\" id=1");
    check("GET /x?dni=30111222&y=1", "GET /x?dni=DNI&y=1");
    check("my-dni=1 dni: 1 dni=", "my-dni=1 dni: 1 dni=");
    check(
        r#"INFO {"dni":30111222} and {"dni":"30111222"}"#,
        r#"INFO {"dni":"DNI"} and {"dni":"DNI"}"#,
    );
    check(r#"{"log":"{\"dni\":30111222}\n"}"#, r#"{"log":"{\"dni\":\"DNI\"}\n"}"#);
    check(r#"{"msg":"dni=30111222 ok"}"#, r#"{"msg":"dni=DNI ok"}"#);
    // Cut, or no JSON after all.
    assert_eq!(
        redacted_by(&redactor, r#"{"student":{"name":"Ana Pé"#),
        format!("{{\"student\":{{\"name\":\"{}\"", value_pseudonym(KEY, "Ana Pé"))
    );
    check(r#"} ] {"dni" : 30111222"#, r#"} ] {"dni" : "DNI""#);
    check(r#"{"dni":"pin=1234"}"#, &redacted_by(&redactor, r#"{"dni":"pin=1234"}"#));
}

#[test]
fn deep_json_is_no_harm() {
    let text = "{\"a\":".repeat(100_000) + "1";
    assert_eq!(redacted_by(&with(&[], &["dni"]), &text), text);
    let text = "{\"a\":[".repeat(100_000);
    assert_eq!(redacted_by(&with(&[], &["dni"]), &text), text);
    let text = "[".repeat(200_000);
    assert_eq!(redacted_by(&with(&[], &["dni"]), &text), text);
}

#[test]
fn forms_that_need_no_name() {
    check("x eyJhbGciOiJI.eyJzdWIiOiIx.c2ln y", "x [redacted] y");
    check("AKIAIOSFODNN7EXAMPLE", "[redacted]");
    check(&format!("ghp_{}", "a1".repeat(18)), "[redacted]");
    check("sent Bearer abcdef123456", "sent Bearer [redacted]");
    check("Basic dXNlcjpwYXNz", "Basic [redacted]");
    check("libsql://ana:clave@db.example.org/x", "libsql://[redacted]@db.example.org/x");
    check("card 4111 1111 1111 1111.", "card [redacted].");
    check("card 378282246310005", "card [redacted]");
    check(
        "a -----BEGIN RSA PRIVATE KEY-----\\nMII\\n-----END RSA PRIVATE KEY----- b",
        "a [redacted] b",
    );
    check("-----BEGIN PRIVATE KEY-----\nMII", "[redacted]"); // cut record
}

#[test]
fn people_become_pseudonyms() {
    let ana = pseudonym(KEY, "ana@example.edu");
    check("por ana@example.edu!", &format!("por {ana}!"));
    check("[Ana@Example.EDU]", &format!("[{ana}]"));
    check("/u/ana%40example.edu", &format!("/u/{ana}"));
    let accented = pseudonym(KEY, "ana.pérez@example.edu");
    check("ana.pérez@example.edu", &accented);
    check("📧ana@example.edu", &format!("📧{ana}")); // an emoji is not part of a name
    assert_eq!(pseudonym(KEY, " ANA@example.edu "), ana);
    assert_ne!(pseudonym(b"another key", "ana@example.edu"), ana);
    assert_ne!(address_pseudonym(KEY, "ana@example.edu")[2..], ana[2..]);
    assert_eq!((ana.len(), &ana[..2]), (14, "u_"));
}

#[test]
fn an_identity_is_that_of_all_its_values() {
    let id = |values: &[&str]| {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        super::identity(KEY, &values)
    };
    assert_eq!((id(&["7", "2026-11-16"]).len(), &id(&["7"])[..2]), (26, "d_"));
    assert_eq!(id(&["7", "x"]), id(&["7", "x"]));
    for (one, other) in [
        (&["7", "x"][..], &["7x"][..]), // not their text one after the other
        (&["7", ""], &["7"]),
        (&["7", "x"], &["x", "7"]),
        (&["Ana"], &["ana"]), // names of files differ by case
    ] {
        assert_ne!(id(one), id(other), "{one:?}");
    }
}

#[test]
fn hmac_follows_rfc_4231() {
    let hex = |digest: [u8; 32]| digest.map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(
        hex(hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"])), // case 2
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(
        hex(hmac_sha256(
            &[0xaa; 131],
            &[b"Test Using Larger Than Block-Size Key - Hash Key First"]
        )),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" // case 6
    );
}

#[test]
fn names_of_secrets() {
    for name in ["password", "DB_PASS", "x-api-key", "Set-Cookie", "refreshToken", "clientSecret"] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in ["passed", "compassion", "user", "", "passive"] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn bytes_that_are_no_text_pass_through() {
    let out = with(&[], &[]).redact(b"\xff password=\xfe\xfd x").into_owned();
    assert_eq!(out, b"\xff password=[redacted] x");
}

proptest! {
    #[test]
    fn a_named_secret_never_survives(
        key in "(password|api_key|clientSecret|token|Cookie|authorization)",
        value in "[a-zA-Z0-9/+_.]{6,20}x",
        quoted in any::<bool>(),
    ) {
        let text = if quoted {
            format!("{{\"a\":1,\"{key}\":\"{value}\",\"b\":2}}")
        } else {
            format!("a=1 {key}={value} b=2")
        };
        prop_assert!(!redacted(&text).contains(&value), "{}", redacted(&text));
    }

    #[test]
    fn redacted_text_settles(text in "[ -~]{0,60}(password|token|Bearer|@|://|:|=|\"|ana@b.co| ){0,6}[ -~]{0,30}") {
        // A pseudonym after `Bearer` looks like a token, so that one more round can take more.
        let twice = redacted(&redacted(&text));
        prop_assert_eq!(redacted(&twice), twice.clone());
    }

    #[test]
    fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..80)) {
        with(&["pin"], &["a", "b.c"]).redact(&text);
    }

    #[test]
    fn what_is_not_meant_stays_as_it_was(
        text in "[ -~]{0,20}([{}\\[\\],:]|\"[ab.c\\\\]{0,3}\"|\\\\\"|12|null| ){0,30}[ -~]{0,9}",
    ) {
        let redactor = with(&["zzz"], &["zzz", "y.zzz"]);
        prop_assert_eq!(redacted_by(&redactor, &text), redacted(&text));
    }
}
