//! What the application says about a request: Spanish text with emoji, as `console.log` prints it.
//!
//! The texts are invented in the manner of the platform's own: a mark, sometimes a tag, the event,
//! the person as `[e-mail] (position)`, and the time at the end.

use super::Detail;
use super::person;
use super::plan::Plan;
use super::request::{Outcome, Request};
use super::route::Role;
use super::text::{self, push_number};
use super::traffic::{monday_ms, week_of};

/// Where a text is printed, which decides its level and type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// `console.log`
    Info,
    /// `console.warn`
    Warning,
    /// `console.error`
    Error,
    /// The runtime itself.
    Fatal,
}

/// Most texts one request may print.
pub(crate) const MAX_TEXTS: u32 = 2;

/// Writes text number `nth` of a request into `out`; `None` if there is no such text.
pub(crate) fn write(
    out: &mut Vec<u8>,
    request: &Request,
    plan: &Plan,
    detail: Detail,
    nth: u32,
) -> Option<Channel> {
    out.clear();
    let is_slowed = plan.is_slowed(request.route, request.deploy)
        && request.outcome == Outcome::Served
        && request.bits % 10 < 4;
    match (nth, request.outcome) {
        (0, Outcome::WrongPassword) => {
            out.extend_from_slice(
                "\u{1b}[31m[auth][error]\u{1b}[0m CredentialsSignin: Read more at \
                 https://errors.authjs.dev#credentialssignin"
                    .as_bytes(),
            );
            Some(Channel::Error)
        }
        (1, Outcome::WrongPassword) => {
            security(out, request, "❌ [SECURITY] LOGIN_FAILED", "contraseña incorrecta");
            Some(Channel::Warning)
        }
        (0, Outcome::Served) if is_slowed => {
            push(out, "⏳ Esperando conexión a Turso: ");
            push_number(out, u64::from(request.duration) * 2 / 500);
            push(out, " ms en cola (pool 5/5)");
            Some(Channel::Warning)
        }
        (0, Outcome::Served) => served(out, request, detail),
        (0, outcome) => failed(out, request, outcome, detail),
        _ => None,
    }
}

/// What is said when all went well.
fn served(out: &mut Vec<u8>, request: &Request, detail: Detail) -> Option<Channel> {
    match request.route().role {
        Role::SignIn => {
            security(out, request, "✅ [SECURITY] LOGIN_SUCCESS", "inicio de sesión");
        }
        Role::Register => {
            let event = "✅ [SECURITY] USER_REGISTERED";
            security(out, request, event, "cuenta creada, user.registered");
        }
        Role::Submit => {
            let week = week_of(request.start_ms);
            let (_, subject) = person::enrolment(request.nth, week);
            push(out, "✅ [REPORTES] Reporte semanal enviado [");
            request.person.push_email(out);
            push(out, "] (student): report.submitted ");
            push(out, subject.shown);
            push(out, ", semana del ");
            text::push_date(out, monday_ms(week));
            push(out, " - ");
            text::push_iso(out, request.said_ms());
        }
        Role::Export => {
            security(out, request, "📦 [EXPORT] Planilla exportada", "reportes en xlsx");
        }
        Role::RemindCron => {
            counted(out, "📧 Recordatorio semanal enviado a ", 140 + request.bits % 11, " alumnos");
        }
        Role::FeedbackCron => {
            let count = 20 + request.bits % 40;
            counted(out, "🤖 Devoluciones automáticas generadas: ", count, " reportes");
        }
        _ if detail == Detail::Brief || request.bits % 100 < 55 => return None,
        role => return chatter(out, request, role),
    }
    Some(Channel::Info)
}

/// Text that matters to nobody but fills real logs.
fn chatter(out: &mut Vec<u8>, request: &Request, role: Role) -> Option<Channel> {
    let (a, b) = (request.bits >> 32 & 31, request.bits >> 40 & 127);
    match role {
        Role::Draft => {
            push(out, "📝 Borrador guardado: ");
            push(out, person::subject(a).shown);
            counted(out, " (", 1 + b % 5, " de 5 preguntas)");
        }
        Role::Search => {
            push(out, "🔎 Búsqueda \"");
            push(out, request.search_word().shown);
            counted(out, "\": ", b, " resultados");
        }
        Role::Teach => {
            counted(out, "📊 Tablero docente armado: ", 20 + a % 12, " alumnos, ");
            counted(out, "", b, " reportes");
        }
        Role::Read => counted(out, "📚 Reportes leídos: ", a, " filas desde Turso"),
        _ => return None,
    }
    Some(Channel::Info)
}

/// What is said when something went wrong.
fn failed(
    out: &mut Vec<u8>,
    request: &Request,
    outcome: Outcome,
    detail: Detail,
) -> Option<Channel> {
    match outcome {
        Outcome::Crashed => {
            text::push_iso(out, request.ended_ms());
            push(out, " ");
            text::push_uuid(out, request.id);
            push(out, " Task timed out after 10.00 seconds");
            Some(Channel::Fatal)
        }
        Outcome::NewServerError => {
            push(out, "❌ TypeError: Cannot read properties of undefined (reading 'division')");
            stack(out, request, detail);
            Some(Channel::Error)
        }
        Outcome::ServerError => {
            push(
                out,
                match request.bits % 4 {
                    0 => "❌ Error de base: LibsqlError: SERVER_ERROR: HTTP status 502",
                    1 => "❌ Error de base: LibsqlError: SQLITE_BUSY: database is locked",
                    2 => "❌ Error inesperado: fetch failed, ECONNRESET",
                    _ => "❌ No se pudo leer la sesión: JWTSessionError",
                },
            );
            stack(out, request, detail);
            Some(Channel::Error)
        }
        Outcome::SessionExpired => {
            security(out, request, "🔒 [SECURITY] SESSION_EXPIRED", "sesión vencida");
            Some(Channel::Warning)
        }
        Outcome::RateLimited => {
            security(out, request, "🚦 [SECURITY] RATE_LIMIT_EXCEEDED", "demasiados pedidos");
            Some(Channel::Warning)
        }
        Outcome::NotFound if detail == Detail::Full => {
            counted(out, "⚠️ No encontrado: alumno ", request.student_id(), " sin datos");
            Some(Channel::Warning)
        }
        Outcome::Invalid if detail == Detail::Full => {
            counted(
                out,
                "⚠️ Formulario incompleto: falta la respuesta q",
                1 + request.bits % 5,
                "",
            );
            Some(Channel::Warning)
        }
        _ => None,
    }
}

/// A line of the security log: event, person, what was done, when.
fn security(out: &mut Vec<u8>, request: &Request, event: &str, action: &str) {
    push(out, event);
    push(out, " [");
    request.person.push_email(out);
    push(out, "] (");
    push(out, request.person.position().word());
    push(out, "): ");
    push(out, action);
    push(out, " - ");
    text::push_iso(out, request.said_ms());
}

fn stack(out: &mut Vec<u8>, request: &Request, detail: Detail) {
    if detail == Detail::Full {
        let line = 20 + request.bits % 7;
        counted(out, "\n    at async handler (.next/server/app/route.js:", line, ":17)");
        counted(out, "\n    at async run (node_modules/next/dist/server.js:1:", 4000 + line, ")");
    }
}

fn counted(out: &mut Vec<u8>, before: &str, count: u64, after: &str) {
    push(out, before);
    push_number(out, count);
    push(out, after);
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
