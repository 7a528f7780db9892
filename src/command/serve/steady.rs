//! A steady clock: the wall clock as far as it is believed. Event time goes on by it where no log has a line, and never
//! goes back: were a clock that is set an hour ahead by mistake followed at once, all that comes in that hour would
//! count as late. So a leap waits until a log's line bears it out, or until it has lasted.

use crate::event::Timestamp;
use std::time::{Duration, Instant};

/// A step of more, in nanoseconds, is a leap; a leap second, or what a time server sets right, is none.
const LEAP: i64 = 60_000_000_000;
/// A leap that has lasted for so long is believed.
const LASTING: Duration = Duration::from_secs(600);

/// The wall clock, by the one that nobody sets.
#[derive(Debug)]
pub(super) struct Steady {
    /// When it was last believed, and what it said.
    believed: (Instant, Timestamp),
    /// Since when it has said something else.
    leapt: Option<Instant>,
}

impl Steady {
    /// Believes what the clock says at the start.
    pub(super) fn new(now: Instant, wall: Timestamp) -> Self {
        Self { believed: (now, wall), leapt: None }
    }

    /// The time, where the clock says `wall`, and lines of logs have come up to `told`.
    pub(super) fn read(&mut self, now: Instant, wall: Timestamp, told: Timestamp) -> Timestamp {
        let (then, said) = self.believed;
        let passed = now.saturating_duration_since(then);
        let expected = said.plus_nanos(i64::try_from(passed.as_nanos()).unwrap_or(i64::MAX));
        let step = wall.nanos_since(expected);
        let has_lasted = |since: Instant| now.saturating_duration_since(since) >= LASTING;
        // This clock alone takes no log's time further than it is believed: a line has.
        let is_borne_out = step > 0 && wall.nanos_since(told) <= LEAP;
        if step.abs() <= LEAP || is_borne_out || self.leapt.is_some_and(has_lasted) {
            if self.leapt.take().is_some() {
                tracing::info!(%wall, "The clock of this machine is followed again");
            }
            self.believed = (now, wall);
            return wall;
        }
        if self.leapt.is_none() {
            self.leapt = Some(now);
            tracing::warn!(
                %wall, %expected,
                "The clock of this machine was set, or the machine stood still. Until a line of a log bears it out, or \
                 for ten minutes, time goes on as before; look at its time service"
            );
        }
        expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds that have passed, what the clock says, what lines have told; and what comes of it, each in seconds.
    fn course(looks: &[(u64, i64, i64, i64)]) {
        let (began, start) = (Instant::now(), Timestamp::from_secs(1_000_000));
        let mut steady = Steady::new(began, start);
        for (passed, wall, told, expected) in looks {
            let at = steady.read(
                began + Duration::from_secs(*passed),
                start.plus_secs(*wall),
                start.plus_secs(*told),
            );
            assert_eq!(at, start.plus_secs(*expected), "after {passed} s");
        }
    }

    #[test]
    fn small_steps_are_followed() {
        course(&[(1, 1, 0, 1), (2, 1, 0, 1), (3, 50, 0, 50), (4, 51, 0, 51), (5, 0, 0, 0)]);
    }

    #[test]
    fn a_leap_that_goes_back_is_as_if_it_had_not_been() {
        course(&[(10, 10, 9, 10), (11, 3_611, 9, 11), (20, 3_620, 19, 20), (21, 21, 20, 21)]);
        course(&[(10, 10, 9, 10), (11, -3_589, 9, 11), (20, -3_580, 19, 20), (21, 21, 20, 21)]);
    }

    #[test]
    fn a_line_bears_a_leap_out() {
        // The machine slept for an hour.
        course(&[(10, 10, 9, 10), (11, 3_611, 9, 11), (12, 3_612, 3_611, 3_612), (13, 3_613, 3_611, 3_613)]);
    }

    #[test]
    fn a_leap_that_lasts_is_followed() {
        course(&[(10, 3_610, 9, 10), (609, 4_209, 9, 609), (610, 4_210, 9, 4_210), (611, 4_211, 9, 4_211)]);
        // Backwards no line can bear it out, for lines never go back.
        course(&[(10, -3_590, 9, 10), (609, -2_991, 9, 609), (610, -2_990, 9, -2_990)]);
    }
}
