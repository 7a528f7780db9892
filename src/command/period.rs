//! A period: the part of finished logs that is asked about. Its bounds may be given as so long
//! before the end of the logs, which then have to be looked at first.

use super::folder::Logs;
use super::pieces::last_time;
use crate::cli::Bound;
use crate::config::{ConfigError, LogKind, Problem};
use crate::event::Timestamp;
use crate::pipeline::Pipeline;
use crate::report::{self, Opening};

/// From when to when; without a bound, as far as the logs go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Period {
    /// Its first moment.
    pub(super) since: Option<Timestamp>,
    /// Its last one.
    pub(super) until: Option<Timestamp>,
}

impl Period {
    /// As far as the logs go.
    pub(super) const ALL: Self = Self { since: None, until: None };

    /// The period that was asked for.
    ///
    /// # Errors
    /// Bounds that no log can be held to; a file that cannot be opened.
    pub(super) fn of(
        since: Option<Bound>,
        until: Option<Bound>,
        logs: &Logs,
        max_line_bytes: usize,
    ) -> anyhow::Result<Self> {
        let mut end = None;
        let mut moment = |flag: &'static str, bound: Option<Bound>| -> anyhow::Result<Option<Timestamp>> {
            let back = match bound {
                None => return Ok(None),
                Some(Bound::At(moment)) => return Ok(Some(moment)),
                Some(Bound::Back(back)) => back,
            };
            if logs.has_stdin() {
                return Err(wrong(
                    flag,
                    "the end of standard input is not known before it is read",
                    "Write a moment such as 2026-01-02T03:04:05Z, or name files",
                ));
            }
            let end = match end {
                Some(end) => end,
                None => *end.insert(end_of(logs, max_line_bytes)?),
            };
            Ok(Some(end.plus_nanos(-i64::try_from(back.as_nanos()).unwrap_or(i64::MAX))))
        };
        let period = Self { since: moment("--since", since)?, until: moment("--until", until)? };
        if let (Some(since), Some(until)) = (period.since, period.until)
            && since > until
        {
            return Err(wrong(
                "--since",
                &format!("the period would begin at {since} and end before, at {until}"),
                "Exchange the two",
            ));
        }
        Ok(period)
    }

    /// As a report says it, of logs that were read up to then; nothing where it is all of them.
    pub(super) fn told(self, as_of: Timestamp, opening: Option<&Opening>) -> Option<report::Period> {
        (self != Self::ALL).then(|| report::Period {
            since: self.since,
            until: as_of,
            lines_before: opening.map_or(0, Opening::lines),
        })
    }

    /// When the first step of its course begins: with it, or with the logs.
    pub(super) fn begins(self, pipeline: &Pipeline, next: Timestamp) -> Timestamp {
        self.since.filter(|_| pipeline.front() > Timestamp::MIN).unwrap_or(next)
    }
}

/// The time of the last line.
pub(super) fn end_of(logs: &Logs, max_line_bytes: usize) -> anyhow::Result<Timestamp> {
    let audit = last_time(LogKind::Audit, &logs.audit, max_line_bytes)?;
    let server = last_time(LogKind::Server, &logs.server, max_line_bytes)?;
    audit.max(server).ok_or_else(|| anyhow::anyhow!("no line of these logs has a time"))
}

/// Usage that can only be told to be wrong when the logs are at hand.
pub(super) fn wrong(place: &str, problem: &str, remedy: &str) -> anyhow::Error {
    let problem = Problem { place: place.to_owned(), problem: problem.to_owned(), remedy: remedy.to_owned() };
    ConfigError(vec![problem]).into()
}
