use std::borrow::Cow;

use super::{phrases, read_message};
use crate::model::Severity;

fn render(message: &str) -> String {
    let facts = read_message(message);
    let mut parts = Vec::new();
    parts.extend(facts.event.map(Cow::into_owned));
    if facts.level != Severity::UNKNOWN {
        parts.push(format!("level {}", facts.level.number()));
    }
    parts.extend(facts.method.map(str::to_owned));
    parts.extend(facts.path.map(str::to_owned));
    parts.extend(facts.status.map(|status| status.to_string()));
    parts.extend(facts.duration_ms.map(|ms| format!("{ms} ms")));
    parts.extend(facts.user_email.map(|email| format!("by {email}")));
    parts.extend(facts.request_id.map(|id| format!("id {id}")));
    parts.extend(facts.max_memory_mb.map(|mb| format!("{mb} MB")));
    parts.join(" | ")
}

fn check(message: &str, expected: &str) {
    assert_eq!(render(message), expected, "{message}");
}

#[test]
fn request_lines() {
    check("GET /api/x 200 in 24ms", "http.request | GET | /api/x | 200 | 24 ms");
    check(" GET /api/x?a=b 504 in 1.5s", "http.request | GET | /api/x?a=b | 504 | 1500 ms");
    check(
        "GET /x 200 in 126ms (next.js: 94ms, application-code: 32ms)",
        "http.request | GET | /x | 200 | 126 ms",
    );
    check("\x1b[32m✓\x1b[0m GET /x 200 in 2ms", "http.request | level 9 | GET | /x | 200 | 2 ms");
    check("GET /x 200 24.123 ms - 12", "http.request | GET | /x | 200 | 24.123 ms"); // morgan
    check("GET /x 200 - ms - -", "http.request | GET | /x | 200"); // morgan, cut off
    check("Completed 200 OK in 24ms", "http.request | 200 | 24 ms"); // Rails
    check(
        "[6ef446d0-a3b3-4fb1-b598-b6b4b0ac0903] Completed 200 GET /x in 2.9ms",
        "http.request | GET | /x | 200 | 2.9 ms | id 6ef446d0-a3b3-4fb1-b598-b6b4b0ac0903",
    );
    check("GET me 200 apples", ""); // prose
    check("GET /x failed", "");
    check("GET /x 999 in 2ms", ""); // no such status
    check("Completed all jobs", "");
}

#[test]
fn functions_and_databases() {
    check("START RequestId: 8f5-1 Version: $LATEST", "function.start | id 8f5-1");
    check("END RequestId: 8f5-1", "function.end | id 8f5-1");
    check(
        "REPORT RequestId: 8f5-1\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 88 MB\tInit Duration: 200.1 ms",
        "function.report | 12.34 ms | id 8f5-1 | 88 MB",
    );
    check(
        "REPORT RequestId: 8f5-1 Duration: 12 ms Billed Duration: 13 ms Max Memory Used: 88 MB",
        "function.report | 12 ms | id 8f5-1 | 88 MB",
    );
    check(
        "START RequestId: a\nhola\nEND RequestId: a\nREPORT RequestId: a\tDuration: 5 ms\tBilled Duration: 6 ms",
        "function.report | 5 ms | id a", // Vercel joins them
    );
    check(
        "2026-11-18T14:03:22.123Z 8f5-1 Task timed out after 10.01 seconds",
        "function.timeout | level 17 | 10010 ms",
    );
    check("REPORT is ready", "");
    check("duration: 12.345 ms  statement: SELECT 1", "db.query | 12.345 ms");
    check("duration: long", "");
    check("duration: inf ms", "");
}

#[test]
fn sign_in_and_security() {
    check("[auth][error] CredentialsSignin: Read more at …", "auth.failure | level 13");
    check("\x1b[31m[auth][error]\x1b[0m CredentialsSignin: x", "auth.failure | level 13");
    check("[auth][error] JWTSessionError: x", "auth.error | level 17");
    check("[auth][warn][debug-enabled] x", "level 13");
    check("[next-auth][error][SIGNIN_OAUTH_ERROR] \nhttps://x", "auth.error | level 17");
    check("[next-auth][error][CREDENTIALS_SIGNIN_ERROR] x", "auth.failure | level 13");
    check(
        "✅ [SECURITY] LOGIN_SUCCESS [ana@example.edu] (student): inicio",
        "auth.success | level 9 | by ana@example.edu",
    );
    check(
        "❌ [SECURITY] LOGIN_FAILED [ana@example.edu] (unknown): clave",
        "auth.failure | level 13 | by ana@example.edu",
    );
    check("❌ [SECURITY] LOGIN (student): clave", "auth.failure | level 13"); // the mark decides
    check("✅ [SECURITY] EXPORT_DATA [x] (admin): csv", "export | level 9"); // x is no address
    check("❌ [SECURITY] CSRF_MISMATCH (x): y", "security.csrf_mismatch | level 17");
    check("[SECURITY] <script>", "");
    check(&format!("[SECURITY] {}", "A".repeat(49)), ""); // beyond the bound
}

#[test]
fn phrases_in_two_languages() {
    check("📝 Reporte enviado por alumno 4", "report.submitted | level 9");
    check("✅ [REPORT] guardado (alumno 4)", "report.submitted | level 9");
    check("Nuevo usuario registrado: u_12", "user.registered | level 9");
    check("INICIO DE SESIÓN FALLIDO", "auth.failure | level 13");
    check("❌ Inicio de sesion fallido", "auth.failure | level 17"); // accents are optional
    check("⚠️ Límite de solicitudes excedido", "rate_limit.exceeded | level 13");
    check("La sesión expiró", "session.expired | level 9");
    check("🚀 Despliegue completado", "deployment.succeeded | level 9");
    check("📧 Recordatorios semanales enviados", "cron.weekly_reminder | level 9");
    check("contraseña incorrecta", "auth.failure | level 13");
    check("❌ turso: Error: connect ECONNREFUSED", "level 17"); // only the mark tells
    check("hola", "");
    check("", "");
}

#[test]
fn the_phrases_compile_and_each_finds_its_own_event() {
    assert!(phrases::compile().is_ok());
    // Overlapping phrases must agree: `reporte semanal enviado` holds none of another event.
    check("recordatorio semanal: reporte enviado", "cron.weekly_reminder | level 9");
}

#[test]
fn long_messages_are_read_only_in_front() {
    let far = format!("{}reporte enviado", "x".repeat(2048));
    check(&far, "");
    let cut = format!("{}ñ", "x".repeat(2047)); // the cut falls inside a character
    check(&cut, "");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\[SECURITY\\] |\\[auth\\]\\[|REPORT RequestId: |GET /|✅|\x1b\\[)?[ -~ñ✅\n\x1b]{0,40}") {
        let _ = read_message(&text);
    }
}
