//! The platform's phrases and what they mean: data, with one search over all of them.
//!
//! Phrases are written in small letters without accents; a text matches in any case and with or
//! without accents, anywhere (`📝 Reporte enviado por …`). Where two fit, the first in the text
//! counts. A phrase in a sentence that denies it would match too; that is the price of reading
//! free text, and why fields of a record win over its message.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::model::Severity;

/// Event, level, and the phrases that tell it.
type Row = (&'static str, Severity, &'static [&'static str]);

const PHRASES: &[Row] = &[
    (
        "report.submitted",
        Severity::INFO,
        &[
            "reporte enviado",
            "reporte guardado",
            "reporte semanal enviado",
            "reporte semanal guardado",
            "informe enviado",
            "[report] guardado",
            "report submitted",
        ],
    ),
    (
        "user.registered",
        Severity::INFO,
        &["usuario registrado", "registro exitoso", "user registered"],
    ),
    (
        "auth.success",
        Severity::INFO,
        &[
            "inicio de sesion exitoso",
            "sesion iniciada",
            "login exitoso",
            "login successful",
            "successful login",
        ],
    ),
    (
        "auth.failure",
        Severity::WARN,
        &[
            "inicio de sesion fallido",
            "login fallido",
            "credenciales invalidas",
            "credenciales incorrectas",
            "contrasena incorrecta",
            "login failed",
            "failed login",
            "invalid credentials",
        ],
    ),
    (
        "session.expired",
        Severity::INFO,
        &["sesion expirada", "sesion expiro", "sesion vencida", "session expired"],
    ),
    (
        "rate_limit.exceeded",
        Severity::WARN,
        &[
            "limite de solicitudes",
            "limite de intentos",
            "demasiadas solicitudes",
            "demasiados intentos",
            "rate limit exceeded",
            "too many requests",
        ],
    ),
    (
        "export",
        Severity::INFO,
        &["exportacion completada", "datos exportados", "reportes exportados", "export completed"],
    ),
    ("deployment.started", Severity::INFO, &["despliegue iniciado", "deployment started"]),
    (
        "deployment.succeeded",
        Severity::INFO,
        &[
            "despliegue completado",
            "despliegue exitoso",
            "deployment completed",
            "deployment succeeded",
        ],
    ),
    ("deployment.failed", Severity::ERROR, &["despliegue fallido", "deployment failed"]),
    (
        "cron.weekly_reminder",
        Severity::INFO,
        &["recordatorio semanal", "recordatorios semanales", "weekly reminder"],
    ),
    (
        "cron.automatic_feedback",
        Severity::INFO,
        &["retroalimentacion automatica", "feedback automatico", "automatic feedback"],
    ),
    ("cron.run", Severity::INFO, &["tarea programada", "cron job"]),
];

/// Words of `[SECURITY]` event names; the first row of which all words occur counts.
const SECURITY_EVENTS: &[(&str, &[&str])] = &[
    ("rate_limit.exceeded", &["RATE_LIMIT"]),
    ("session.expired", &["SESSION", "EXPIRED"]),
    ("user.registered", &["REGISTER"]),
    ("user.registered", &["USER_CREATED"]),
    ("user.registered", &["REGISTRATION"]),
    ("report.submitted", &["REPORT", "SUBMITTED"]),
    ("export", &["EXPORT"]),
    ("auth.failure", &["LOGIN", "FAIL"]),
    ("auth.failure", &["AUTH", "FAIL"]),
    ("auth.failure", &["SIGNIN", "FAIL"]),
    ("auth.failure", &["INVALID_CREDENTIALS"]),
];

/// Names that say neither success nor failure by themselves; the mark before them does.
const SIGN_IN_WORDS: [&str; 5] = ["LOGIN", "SIGNIN", "SIGN_IN", "AUTH_SUCCESS", "AUTHENTICATION"];

/// The event and level of the first phrase in `text`.
pub(super) fn find(text: &str) -> Option<(&'static str, Severity)> {
    static SEARCH: LazyLock<Option<Regex>> = LazyLock::new(|| compile().ok());
    let found = SEARCH.as_ref()?.find(text.as_bytes())?;
    let found = folded(str::from_utf8(found.as_bytes()).ok()?);
    let row = PHRASES.iter().find(|(_, _, phrases)| phrases.contains(&found.as_str()))?;
    Some((row.0, row.1))
}

/// The event of a `[SECURITY]` name; `failed` is what the mark before it says.
pub(super) fn security_event(name: &str, failed: bool) -> Option<&'static str> {
    let row = SECURITY_EVENTS.iter().find(|(_, words)| words.iter().all(|w| name.contains(w)));
    match row {
        Some((event, _)) => Some(event),
        None if SIGN_IN_WORDS.iter().any(|word| name.contains(word)) => {
            Some(if failed { "auth.failure" } else { "auth.success" })
        }
        None => None,
    }
}

pub(super) fn compile() -> Result<Regex, regex::Error> {
    let phrases = PHRASES.iter().flat_map(|(_, _, phrases)| phrases.iter());
    let alternatives: Vec<String> = phrases.map(|phrase| with_accents(phrase)).collect();
    RegexBuilder::new(&alternatives.join("|")).case_insensitive(true).build()
}

/// A pattern that also matches the phrase with its accents.
fn with_accents(phrase: &str) -> String {
    let mut pattern = String::new();
    for character in phrase.chars() {
        match ACCENTS.iter().find(|(plain, _)| *plain == character) {
            Some((plain, accented)) => pattern.extend(['[', *plain, *accented, ']']),
            None => pattern.push_str(&regex::escape(character.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern
}

const ACCENTS: [(char, char); 6] =
    [('a', 'á'), ('e', 'é'), ('i', 'í'), ('o', 'ó'), ('u', 'ú'), ('n', 'ñ')];

fn folded(text: &str) -> String {
    let plain =
        |c: char| ACCENTS.iter().find(|(_, accented)| *accented == c).map_or(c, |(p, _)| *p);
    text.chars().flat_map(char::to_lowercase).map(plain).collect()
}
