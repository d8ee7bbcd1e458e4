//! How busy the platform is at a minute: school hours, homework evenings, quiet nights, and the
//! days that are different.

use super::plan::Day;

/// Minutes of a day.
pub(crate) const DAY_MINUTES: u32 = 1440;

/// What kind of day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DayKind {
    /// Lessons are held.
    School,
    /// Lessons are held and examined; somewhat busier.
    Exam,
    /// A weekday without lessons; as quiet as a weekend.
    Holiday,
    /// Saturday or Sunday.
    Weekend,
}

impl DayKind {
    /// True if people are at school.
    pub(crate) fn is_school(self) -> bool {
        matches!(self, Self::School | Self::Exam)
    }
}

/// Relative traffic by hour of a school day: lessons from half past seven, homework until ten.
const SCHOOL_HOURS: [f64; 24] = [
    0.5, 0.3, 0.2, 0.2, 0.2, 0.5, 2.0, 6.0, 9.0, 10.0, 10.0, 9.5, 8.0, 8.5, 9.0, 8.5, 7.0, 5.0,
    4.5, 5.0, 5.5, 4.5, 2.5, 1.0,
];

/// Relative traffic by hour of a day without lessons.
const FREE_HOURS: [f64; 24] = [
    0.5, 0.3, 0.2, 0.2, 0.2, 0.2, 0.3, 0.5, 0.8, 1.2, 1.5, 1.6, 1.5, 1.4, 1.5, 1.6, 1.8, 2.0, 2.2,
    2.4, 2.4, 2.0, 1.3, 0.8,
];

/// Relative traffic by weekday, Monday first.
const WEEKDAYS: [f64; 7] = [1.08, 1.02, 1.0, 0.97, 0.88, 0.8, 1.2];

/// Factors of the special times; all but the reminder's are in the calendar.
const EXAM_FACTOR: f64 = 1.15;
const HOLIDAY_FACTOR: f64 = 0.9;
const MAINTENANCE_FACTOR: f64 = 0.2;
const REMINDER_FACTOR: f64 = 1.25;

/// Relative traffic at the middle of an hour of a day.
fn hour_weight(day: Day, hour: usize) -> f64 {
    let (profile, factor) = match day.kind {
        DayKind::School => (&SCHOOL_HOURS, 1.0),
        DayKind::Exam => (&SCHOOL_HOURS, EXAM_FACTOR),
        DayKind::Holiday => (&FREE_HOURS, HOLIDAY_FACTOR),
        DayKind::Weekend => (&FREE_HOURS, 1.0),
    };
    let weekday = WEEKDAYS.get(day.weekday).copied().unwrap_or(1.0);
    profile.get(hour).copied().unwrap_or(0.0) * factor * weekday
}

/// Relative traffic at a minute of the data, between the hours' middles in a straight line.
pub(crate) fn minute_weight(days: &[Day], minute: u32) -> f64 {
    let at = |half_hour_index: u32| {
        let hour = half_hour_index / 2;
        let day = days.get((hour / 24) as usize).or(days.last());
        day.map_or(0.0, |day| hour_weight(*day, (hour % 24) as usize))
    };
    let half_hour = minute / 30;
    let (before, after) = if half_hour.is_multiple_of(2) {
        (half_hour.saturating_sub(1), half_hour)
    } else {
        (half_hour, half_hour + 1)
    };
    let ratio = f64::from((minute + 30) % 60) / 60.0;
    let weight = at(before) * (1.0 - ratio) + at(after) * ratio;
    weight * special_factor(days, minute)
}

fn special_factor(days: &[Day], minute: u32) -> f64 {
    let Some(day) = days.get((minute / DAY_MINUTES) as usize) else { return 1.0 };
    let of_day = minute % DAY_MINUTES;
    if day.is_maintained && MAINTENANCE_MINUTES.contains(&of_day) {
        MAINTENANCE_FACTOR
    } else if day.weekday == 0 && day.kind.is_school() && of_day / 60 == 9 {
        REMINDER_FACTOR
    } else {
        1.0
    }
}

/// When maintenance is done on a day that has any: three to four at night.
pub(crate) const MAINTENANCE_MINUTES: std::ops::Range<u32> = 180..240;

/// Sum of [`minute_weight`] over the hours of an ordinary week, per day.
pub(crate) fn ordinary_day_weight() -> f64 {
    let of_week = (0..7).map(|weekday| {
        let kind = if weekday < 5 { DayKind::School } else { DayKind::Weekend };
        let day = Day { kind, weekday, is_maintained: false };
        (0..24).map(|hour| hour_weight(day, hour)).sum::<f64>()
    });
    of_week.sum::<f64>() / 7.0
}

/// The highest [`minute_weight`] of an ordinary week.
pub(crate) const PEAK_WEIGHT: f64 = 10.8;

#[cfg(test)]
mod tests {
    use super::*;

    fn week() -> Vec<Day> {
        (0..7)
            .map(|weekday| Day {
                kind: if weekday < 5 { DayKind::School } else { DayKind::Weekend },
                weekday,
                is_maintained: weekday == 5,
            })
            .collect()
    }

    #[test]
    fn weight_follows_school_hours_and_the_calendar() {
        let mut days = week();
        let at =
            |days: &[Day], day: u32, minute: u32| minute_weight(days, day * DAY_MINUTES + minute);
        assert!((at(&days, 2, 9 * 60 + 30) - 10.0).abs() < 1e-9); // the middle of an hour is exact
        assert!(at(&days, 2, 10 * 60) > 20.0 * at(&days, 2, 3 * 60)); // quiet nights
        assert!(at(&days, 2, 10 * 60) > 5.0 * at(&days, 5, 10 * 60)); // quiet weekends
        assert!(at(&days, 5, 179) > 3.0 * at(&days, 5, 180)); // maintenance begins at three
        assert!(at(&days, 0, 9 * 60 + 30) > 1.2 * at(&days, 0, 10 * 60 + 30)); // the reminder
        days[2].kind = DayKind::Holiday;
        assert!(at(&days, 2, 10 * 60) < 2.0); // a holiday is as quiet as a weekend
        days[2].kind = DayKind::Exam;
        assert!(at(&days, 2, 9 * 60 + 30) > 11.0);
        assert!(minute_weight(&[], 0).abs() < f64::EPSILON); // no days, no traffic
    }

    #[test]
    fn minutes_add_up_to_the_hours() {
        let days = week();
        let total: f64 = (0..7 * DAY_MINUTES).map(|m| minute_weight(&days, m)).sum();
        let expected = ordinary_day_weight() * 7.0 * 60.0;
        assert!((total / expected - 1.0).abs() < 0.01, "{total} {expected}");
    }
}
