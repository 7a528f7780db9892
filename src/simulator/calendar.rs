//! The calendar: days, hours and weekdays in the time zones that people and
//! teams live in, holidays, and the two forms in which logs write a moment.

use crate::event::Timestamp;

/// Nanoseconds of a second.
pub(super) const SECOND: i64 = 1_000_000_000;
/// Nanoseconds of a minute.
pub(super) const MINUTE: i64 = 60 * SECOND;
/// Nanoseconds of an hour.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// Nanoseconds of a day.
pub(super) const DAY: i64 = 24 * HOUR;
/// Nanoseconds of a week.
pub(super) const WEEK: i64 = 7 * DAY;

/// Where somebody lives, as far as clocks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Berlin: UTC+1, in summer UTC+2.
    Europe,
    /// New York: UTC-5, in summer UTC-4.
    America,
    /// Bengaluru: UTC+5:30.
    India,
}

/// Year, month (1 to 12), day (1 to 31) of a day since 1970-01-01.
pub(super) fn date(day: i64) -> (i64, i64, i64) {
    // From http://howardhinnant.github.io/date_algorithms.html (public domain).
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The day since 1970-01-01 of a date.
pub(super) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Days since Monday.
pub(super) const fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// The day of the `nth` Sunday of a month, 0 for the last.
fn sunday(year: i64, month: i64, nth: i64) -> i64 {
    if nth == 0 {
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let last = day_of(next_year, next_month, 1) - 1;
        return last - (weekday(last) + 1) % 7;
    }
    let first = day_of(year, month, 1);
    first + (6 - weekday(first)) % 7 + 7 * (nth - 1)
}

impl Zone {
    /// Nanoseconds that its clocks are ahead of UTC at this moment.
    pub(super) fn offset(self, at: i64) -> i64 {
        let day = at.div_euclid(DAY);
        match self {
            Self::India => 11 * HOUR / 2,
            Self::Europe => {
                let (year, ..) = date(day);
                let (begins, ends) = (sunday(year, 3, 0), sunday(year, 10, 0));
                let is_summer = at >= begins * DAY + HOUR && at < ends * DAY + HOUR;
                if is_summer { 2 * HOUR } else { HOUR }
            }
            Self::America => {
                let (year, ..) = date(day);
                let (begins, ends) = (sunday(year, 3, 2), sunday(year, 11, 1));
                let is_summer = at >= begins * DAY + 7 * HOUR && at < ends * DAY + 6 * HOUR;
                if is_summer { -4 * HOUR } else { -5 * HOUR }
            }
        }
    }

    /// The local day since 1970-01-01, and nanoseconds since its midnight.
    pub(super) fn local(self, at: i64) -> (i64, i64) {
        let local = at + self.offset(at);
        (local.div_euclid(DAY), local.rem_euclid(DAY))
    }

    /// The moment of a local time of a local day.
    pub(super) fn moment(self, day: i64, of_day: i64) -> i64 {
        let local = day * DAY + of_day;
        // The offset of the same clock time in UTC is right but for the hours of a change.
        local - self.offset(local - self.offset(local))
    }

    /// The next moment after this one at which its clocks show this time.
    pub(super) fn next(self, at: i64, of_day: i64) -> i64 {
        let (day, _) = self.local(at);
        (day - 1..).map(|day| self.moment(day, of_day)).find(|moment| *moment > at).unwrap_or(i64::MAX)
    }

    /// Whether nobody works on this local day: weekends and the public holidays of the place.
    pub(super) fn is_free(self, day: i64) -> bool {
        if weekday(day) > 4 {
            return true;
        }
        let (_, month, of_month) = date(day);
        let holidays: &[(i64, i64)] = match self {
            Self::Europe => &[(1, 1), (1, 6), (4, 3), (4, 6), (5, 1), (5, 14), (10, 3), (12, 25), (12, 26)],
            Self::America => &[(1, 1), (1, 19), (2, 16), (5, 25), (7, 3), (9, 7), (11, 26), (12, 25)],
            Self::India => &[(1, 1), (1, 26), (3, 4), (8, 15), (10, 2), (11, 9), (12, 25)],
        };
        holidays.contains(&(month, of_month))
    }
}

/// How busy an online service is, by the hour of its customers' day, on average 1.
const LOAD: [f64; 24] = [
    0.35, 0.28, 0.24, 0.22, 0.24, 0.32, 0.5, 0.8, 1.15, 1.4, 1.5, 1.5, 1.42, 1.45, 1.5, 1.5, 1.45, 1.4, 1.4,
    1.35, 1.25, 1.05, 0.75, 0.53,
];

/// How busy a service of this swing (0 none, 1 all of it) is at this moment, on average about 1.
pub(super) fn load(zone: Zone, at: i64, swing: f64) -> f64 {
    let (day, of_day) = zone.local(at);
    let (hour, into) = ((of_day / HOUR) as usize, (of_day % HOUR) as f64 / HOUR as f64);
    let level = LOAD[hour] + (LOAD[(hour + 1) % 24] - LOAD[hour]) * into;
    let week = if weekday(day) > 4 { 0.7 } else { 1.12 };
    1.0 + swing * (level * week - 1.0)
}

/// Writes moments in the forms of the logs; keeps the text of the current day.
#[derive(Debug)]
pub(super) struct Clock {
    day: i64,
    text: String,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { day: i64::MIN, text: String::new() }
    }

    /// Up to the seconds, without a zone.
    fn seconds(&mut self, out: &mut String, at: i64) {
        let (day, of_day) = (at.div_euclid(DAY), at.rem_euclid(DAY) / SECOND);
        if day != self.day {
            let (year, month, of_month) = date(day);
            self.day = day;
            self.text = format!("{year:04}-{month:02}-{of_month:02}T");
        }
        out.push_str(&self.text);
        let two = |number: i64| [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        let (hour, minute, second) = (two(of_day / 3_600), two(of_day / 60 % 60), two(of_day % 60));
        let text = [hour[0], hour[1], b':', minute[0], minute[1], b':', second[0], second[1]];
        out.extend(text.iter().map(|byte| char::from(*byte)));
    }

    /// As the audit log has it: nanoseconds, without the zeros at their end.
    pub(super) fn nanos(&mut self, out: &mut String, at: i64) {
        self.seconds(out, at);
        self.fraction(out, at.rem_euclid(SECOND), 9, true);
    }

    /// As the server log has it: microseconds, with all their digits.
    pub(super) fn micros(&mut self, out: &mut String, at: i64) {
        self.seconds(out, at);
        self.fraction(out, at.rem_euclid(SECOND) / 1_000, 6, false);
    }

    /// Whole seconds.
    pub(super) fn whole(&mut self, out: &mut String, at: i64) {
        self.seconds(out, at);
        out.push('Z');
    }

    #[allow(clippy::unused_self, reason = "one of the clock's ways to write")]
    fn fraction(&self, out: &mut String, number: i64, digits: usize, trimmed: bool) {
        let mut text = [b'0'; 9];
        let mut left = number;
        for byte in text[..digits].iter_mut().rev() {
            *byte = b'0' + (left % 10) as u8;
            left /= 10;
        }
        let mut length = digits;
        while trimmed && length > 0 && text[length - 1] == b'0' {
            length -= 1;
        }
        if length > 0 {
            out.push('.');
            out.extend(text[..length].iter().map(|byte| char::from(*byte)));
        }
        out.push('Z');
    }
}

/// The moment as the program's other parts have it.
pub(super) const fn stamp(at: i64) -> Timestamp {
    Timestamp::from_nanos(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways_and_zones_change_their_clocks() {
        for day in (-100_000..100_000).step_by(37) {
            let (year, month, of_month) = date(day);
            assert_eq!(day_of(year, month, of_month), day);
        }
        assert_eq!(weekday(day_of(2026, 1, 5)), 0);
        let noon = |month, day| day_of(2026, month, day) * DAY + 12 * HOUR;
        assert_eq!(Zone::Europe.offset(noon(3, 28)), HOUR);
        assert_eq!(Zone::Europe.offset(noon(3, 29)), 2 * HOUR);
        assert_eq!(Zone::America.offset(noon(3, 7)), -5 * HOUR);
        assert_eq!(Zone::America.offset(noon(3, 8)), -4 * HOUR);
        assert_eq!(Zone::America.offset(noon(11, 1)), -5 * HOUR);
        let at = Zone::Europe.next(noon(7, 1), 9 * HOUR);
        assert_eq!(Zone::Europe.local(at), (day_of(2026, 7, 2), 9 * HOUR));
    }

    #[test]
    fn moments_are_written_as_the_logs_do() {
        let mut clock = Clock::new();
        for nanos in [1_767_571_200_000_000_000, 1_767_571_200_123_456_700, 1_767_571_199_999_999_999] {
            let mut text = String::new();
            clock.nanos(&mut text, nanos);
            assert_eq!(Timestamp::parse_rfc3339(&text), Some(stamp(nanos)), "{text}");
        }
        let mut text = String::new();
        clock.micros(&mut text, 1_767_571_200_120_000_000);
        assert_eq!(text, "2026-01-05T00:00:00.120000Z");
    }
}
