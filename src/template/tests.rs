use proptest::prelude::*;

use super::{Miner, masked};

fn check_mask(message: &str, expected: &str) {
    assert_eq!(masked(message), expected, "{message}");
}

#[test]
fn values_are_masked_by_their_form() {
    check_mask("took 12ms for 3 rows", "took <*> for <*> rows");
    check_mask("user 6f1ed002-ab5f-4c1d-9f3a-1a2b3c4d5e6f left", "user <*> left");
    check_mask("block blk_-1608999687919862906 on 10.0.0.1:50010", "block <*> on <*>");
    check_mask("client 2001:db8::1 at 14:03:22.123", "client <*> at <*>");
    check_mask("open /var/log/syslog failed", "open <*> failed");
    check_mask("C:\\Windows\\x.dll loaded", "<*> loaded");
    check_mask("GET http://example.org:80/a?b=c done", "GET <*> done");
    check_mask("mail to ana@example.edu.", "mail to <*>.");
    check_mask("using the \"epoll\" method", "using the <*> method");
    check_mask("can't open 'a b' it's", "can't open <*> it's"); // apostrophes are no quotes
    check_mask("uid=0 ruser= user=root", "uid=<*> ruser=<*> user=<*>");
    check_mask("sedes=[A, B] x={a:1}", "sedes=<*> x=<*>");
    check_mask("Nov 18 2026 Wed", "<*>");
    check_mask("at 0x7f3a deadbeef", "at <*>");
    check_mask("\x1b[31mred\x1b[0m alert", "red alert");
    check_mask("📝 Reporte enviado por alumno 4", "📝 Reporte enviado por alumno <*>");
    check_mask("ids 1, 2, 3", "ids <*>"); // lists of any length
    check_mask("ids 1", "ids <*>");
    check_mask("10: 20", "<*>: <*>"); // a name and its value
    check_mask("first line\nsecond 2", "first line");
    check_mask("sent 512 bytes (0.5 KB) to ca:fe:ba:be:00:01", "sent <*> bytes to <*>");
    check_mask("free 3 MB on db.example.org:80 and localhost:80", "free <*> on <*> and <*>");
    check_mask("size:12 left:4f0 name:all", "size:<*> left:<*> name:all");
    check_mask("run chrome.exe 64 of java.io.IOException 3", "run <*> of java.io.IOException <*>");
    check_mask("request: \"GET /x HTTP/1.1\" ok", "request: \"GET <*>\" ok");
}

#[test]
fn words_stay() {
    check_mask("GET HTTP read/write n/a", "GET HTTP read/write n/a");
    check_mask("eth0 is IPv4, sha256", "eth0 is IPv4, sha256"); // may vary, see the tree
    check_mask("a == b => c", "a == b => c");
    check_mask("matemáticas: ñandú", "matemáticas: ñandú");
    check_mask("", "");
    check_mask("   ", "");
    check_mask("...", "...");
    check_mask("an open \" quote", "an open \" quote");
}

fn check(messages: &[&str], expected: &[&str]) {
    let mut miner = Miner::new();
    let ids: Vec<_> = messages.iter().map(|message| miner.learn(message)).collect();
    let mut texts: Vec<&str> = ids.iter().map(|id| miner.template(*id)).collect();
    texts.dedup();
    assert_eq!(texts, expected);
}

#[test]
fn names_vary_at_once_and_words_when_enough_are_seen() {
    check(&["link eth0 is up", "link eth1 is up"], &["link <*> is up"]);
    check(&["load a.b.C failed", "load a.b.D failed"], &["load <*> failed"]);
    check(&["user ana logged in", "user luis logged in"], &["user <*> logged in"]);
    check(
        &["connection opened now", "connection closed now"],
        &["connection opened now", "connection closed now"],
    ); // two words are two messages
    let colours = ["red", "green", "blue", "black", "white", "grey"];
    let messages = colours.map(|colour| format!("the colour is {colour}"));
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    check(&messages, &["the colour is <*>"]); // at the bound
    check(&messages[..5], &messages[..5]); // just below
    check(&["state is LOOKING now", "state is LEADING now"], &["state is <*> now"]);
    check(
        &["verb GET is fine now", "verb PUT is fine now"],
        &["verb GET is fine now", "verb PUT is fine now"],
    );
    check(&["timeout is set to 30", "timeout is set to never"], &["timeout is set to <*>"]);
    check(
        &["open web-db:80 for reading now", "open 10.0.0.1:80 for reading now"],
        &["open <*> for reading now"],
    );
    check(&["opened", "closed"], &["opened", "closed"]); // nothing else to hold on to
    check(&["a.b", "c.d"], &["a.b", "c.d"]);
}

#[test]
fn merged_ids_stay_valid() {
    let mut miner = Miner::new();
    let first = miner.learn("state is red now");
    let other = miner.learn("state is green now");
    assert_ne!(first, other);
    for colour in ["blue", "white", "grey"] {
        miner.learn(&format!("state is {colour} now"));
    }
    let last = miner.learn("state is black now");
    assert_eq!(miner.current(first), last);
    assert_eq!(miner.current(other), last);
    assert_eq!(miner.template(other), "state is <*> now");
    assert_eq!(miner.learn("state is red now"), last, "forms seen before are found");
    assert_eq!(miner.template_count(), 1);
    assert!(!miner.is_full());
}

proptest! {
    #[test]
    fn order_of_the_same_messages_gives_the_same_answer(
        words in prop::collection::vec("[a-c]{1,3} (x|y1|z.z|7) (on|off)( \"q\")?", 1..30)
    ) {
        let learn = || {
            let mut miner = Miner::new();
            let ids: Vec<_> = words.iter().map(|word| miner.learn(word)).collect();
            ids.iter().map(|id| miner.template(*id).to_owned()).collect::<Vec<_>>()
        };
        prop_assert_eq!(learn(), learn());
    }

    #[test]
    fn masking_keeps_every_word_it_does_not_mask(message in "[a-z ]{0,40}") {
        let words: Vec<_> = message.split_whitespace().collect();
        let kept = masked(&message);
        let kept: Vec<_> = kept.split_whitespace().collect();
        // Only words that are long and all hexadecimal letters may go.
        if words.iter().all(|word| word.len() < 8 || word.bytes().any(|b| b > b'f')) {
            prop_assert_eq!(words, kept);
        }
    }

    #[test]
    fn no_text_makes_it_panic(messages in prop::collection::vec("\\PC{0,80}", 0..8)) {
        let mut miner = Miner::new();
        for message in &messages {
            let id = miner.learn(message);
            prop_assert!(miner.template(id).is_empty() == masked(message).is_empty());
        }
    }
}
