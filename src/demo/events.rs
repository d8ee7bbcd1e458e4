//! The two files that say what people did to the platform: deployments and the school calendar.

use jiff::ToSpan;
use jiff::civil::Date;

use super::plan::{Day, MINUTE_MS, Plan};
use super::rhythm::{DayKind, MAINTENANCE_MINUTES};
use super::text::{self, DAY_MS};

/// One JSON object per deployment, in order of time.
pub(crate) fn deploys_jsonl(plan: &Plan) -> Vec<u8> {
    let mut out = Vec::new();
    for deploy in &plan.deploys {
        out.extend_from_slice(b"{\"ts\":\"");
        text::push_iso(&mut out, deploy.at_ms);
        for (key, value) in [
            ("kind", "deploy"),
            ("name", &deploy.name),
            ("deployment", &deploy.id),
            ("commit", &deploy.commit),
        ] {
            out.extend_from_slice(format!("\",\"{key}\":\"{value}").as_bytes());
        }
        out.extend_from_slice(b"\"}\n");
    }
    out
}

/// The calendar as iCalendar (RFC 5545): days without lessons, exams, and maintenance.
pub(crate) fn calendar_ics(plan: &Plan) -> Vec<u8> {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//plimsoll//demo//ES".to_owned(),
        "X-WR-CALNAME:Calendario escolar".to_owned(),
        "X-WR-TIMEZONE:America/Argentina/Buenos_Aires".to_owned(),
    ];
    for (n, day) in plan.days.iter().enumerate() {
        let date = plan.first_day.saturating_add((n as i64).days());
        lines.extend(day_event(*day, date));
        if day.is_maintained {
            lines.extend(maintenance_event(plan, n));
        }
    }
    lines.push("END:VCALENDAR\r\n".to_owned());
    lines.join("\r\n").into_bytes()
}

fn day_event(day: Day, date: Date) -> Vec<String> {
    let (category, summary) = match day.kind {
        DayKind::Holiday => ("HOLIDAY", "Jornada institucional docente (sin clases)"),
        DayKind::Exam => ("EXAM", "Evaluaciones trimestrales"),
        DayKind::School | DayKind::Weekend => return Vec::new(),
    };
    let basic = |date: Date| date.strftime("%Y%m%d").to_string();
    let start = format!("DTSTART;VALUE=DATE:{}", basic(date));
    let end = format!("DTEND;VALUE=DATE:{}", basic(date.saturating_add(1.day())));
    event(category, summary, &basic(date), [start, end])
}

fn maintenance_event(plan: &Plan, day: usize) -> Vec<String> {
    let midnight = plan.start_ms + day as i64 * DAY_MS;
    let time = |minute: u32| {
        let mut iso = Vec::new();
        text::push_iso(&mut iso, midnight + i64::from(minute) * MINUTE_MS);
        let (seconds, _) = iso.split_at(19); // without the milliseconds
        let digits = seconds.iter().filter(|b| !matches!(b, b'-' | b':'));
        format!("{}Z", digits.map(|&b| char::from(b)).collect::<String>())
    };
    let (start, end) = (time(MAINTENANCE_MINUTES.start), time(MAINTENANCE_MINUTES.end));
    let bounds = [format!("DTSTART:{start}"), format!("DTEND:{end}")];
    event("MAINTENANCE", "Mantenimiento de la base de datos", &start, bounds)
}

fn event(category: &str, summary: &str, at: &str, [start, end]: [String; 2]) -> Vec<String> {
    let uid = format!("UID:{}-{at}@plataforma.example.test", category.to_ascii_lowercase());
    vec![
        "BEGIN:VEVENT".to_owned(),
        uid,
        "DTSTAMP:20260101T000000Z".to_owned(),
        start,
        end,
        format!("SUMMARY:{summary}"),
        format!("CATEGORIES:{category}"),
        "END:VEVENT".to_owned(),
    ]
}
