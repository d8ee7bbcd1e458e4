//! One JSON document per weekly report, in the two shapes that the platform has used.

use serde_json::{Value, json};

use super::person::{self, Word};
use super::request::Request;
use super::text::{self, DAY_MS};
use super::traffic::{monday_ms, week_of};

/// Path of the document below the data set's directory.
pub(crate) fn path(request: &Request) -> String {
    let (subject, student) = (subject(request), request.person);
    let (given, family) = student.name();
    format!(
        "data/student-reports/{}/{}/{}/{}/{}_{}-{}/{}_{}_reporte.json",
        student.campus().slug,
        student.year(),
        student.division(),
        subject.slug,
        student.id(),
        given.slug,
        family.slug,
        date(monday_ms(week_of(request.start_ms))),
        subject.slug,
    )
}

/// The document; the first campus still writes the older shape.
pub(crate) fn json(request: &Request) -> Vec<u8> {
    let student = request.person;
    let (given, family) = student.name();
    let mut email = Vec::new();
    student.push_email(&mut email);
    let email = String::from_utf8_lossy(&email).into_owned();
    let name = format!("{} {}", given.shown, family.shown);
    let monday = monday_ms(week_of(request.start_ms));
    let (week_start, week_end) = (date(monday), date(monday + 6 * DAY_MS));
    let (year, division) = (student.year(), student.division());
    let (sede, subject) = (student.campus().shown, subject(request).shown);
    let submitted_at = iso(request.said_ms());
    let answers = answers(request);

    let document = if student.campus().slug == "sede-centro" {
        json!({
            "student": { "id": student.id(), "name": name, "email": email },
            "academic": { "sede": sede, "year": year, "division": division, "subject": subject },
            "week": { "start": week_start, "end": week_end },
            "submittedAt": submitted_at,
            "answers": answers,
        })
    } else {
        let mut id = Vec::new();
        text::push_uuid(&mut id, request.id);
        json!({
            "metadata": {
                "id": String::from_utf8_lossy(&id),
                "studentId": student.id(),
                "studentName": name,
                "email": email,
                "sede": sede,
                "academicYear": year,
                "division": division,
                "subject": subject,
                "syncedAt": iso(request.said_ms() + 40_000),
                "version": "2.0",
            },
            "academicPeriod": {
                "weekStart": week_start,
                "weekEnd": week_end,
                "submittedAt": submitted_at,
            },
            "integrity": { "recordCount": 5, "checksum": checksum(&answers) },
            "responses": answers,
        })
    };
    document.to_string().into_bytes()
}

fn subject(request: &Request) -> Word {
    person::enrolment(request.nth, week_of(request.start_ms)).1
}

fn answers(request: &Request) -> Value {
    let [topic, feeling, doubt] = [8, 16, 24].map(|shift| (request.bits >> shift) as usize);
    let chosen = |texts: &[&'static str], n: usize| texts.get(n % texts.len()).copied();
    json!({
        "q1": chosen(&TOPICS, topic),
        "q2": chosen(&FEELINGS, feeling),
        "q3": chosen(&DOUBTS, doubt),
        "q4": request.bits % 5 + 1,
        "q5": if request.bits.is_multiple_of(3) { "" } else { "Quiero practicar más 💪" },
    })
}

const TOPICS: [&str; 4] = [
    "Vimos las leyes de Newton y resolvimos problemas.",
    "Leímos el capítulo 4 y armamos un resumen.",
    "Hicimos el práctico de laboratorio en grupo 🔬",
    "Repasamos para la evaluación trimestral.",
];
const FEELINGS: [&str; 3] = ["Me sentí bien 🙂", "Me costó concentrarme", "Pude ayudar a otros"];
const DOUBTS: [&str; 3] =
    ["Ninguna", "No entendí el último ejercicio", "¿Cómo se elige la escala?"];

/// FNV-1a of the answers' JSON text, as sixteen hexadecimal digits.
fn checksum(answers: &Value) -> String {
    let hash = answers.to_string().bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    format!("{hash:016x}")
}

fn date(ms: i64) -> String {
    let mut out = Vec::new();
    text::push_date(&mut out, ms);
    String::from_utf8_lossy(&out).into_owned()
}

fn iso(ms: i64) -> String {
    let mut out = Vec::new();
    text::push_iso(&mut out, ms);
    String::from_utf8_lossy(&out).into_owned()
}
