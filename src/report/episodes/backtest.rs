//! A backtest: what the first part of some logs teaches, and how often the rest would have paged.

use crate::anomaly::episodes::Episodes;
use crate::anomaly::{Episode, Severity, Which};
use crate::event::Timestamp;
use serde::Serialize;

/// The longest that is learnt from, in seconds: after that, nothing is new about the past.
const LEARN_SECS: i64 = 28 * 86_400;
const WEEK_SECS: f64 = 7.0 * 86_400.0;

/// How often one would have been paged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backtest {
    /// The first moment.
    #[serde(serialize_with = "moment")]
    pub learnt_from: Timestamp,
    /// From here on it counts.
    #[serde(serialize_with = "moment")]
    pub scored_from: Timestamp,
    /// The last moment.
    #[serde(serialize_with = "moment")]
    pub scored_to: Timestamp,
    /// Pages a week that were asked for.
    pub alarm_budget: f64,
    /// Episodes that paged in that time, whatever made them.
    pub pages: usize,
    /// Of these, those that a rule made.
    pub pages_by_rule: usize,
    /// Episodes that were a notice.
    pub notices: usize,
    /// Weeks that were scored.
    pub weeks: f64,
    /// The pages.
    #[serde(skip)]
    pub list: Vec<Episode>,
}

impl Backtest {
    /// Of what was found up to `as_of`; `None` where there was nothing to learn from.
    pub fn of(episodes: &Episodes, as_of: Timestamp, alarm_budget: f64) -> Option<Self> {
        let learnt_from = episodes.began()?;
        let half = as_of.nanos_since(learnt_from).max(0) / 2 / 1_000_000_000;
        let scored_from = learnt_from.plus_secs(half.min(LEARN_SECS));
        let all = episodes.list(Which { min_score: Some(0.0), ..Which::default() });
        let scored = || all.iter().filter(|episode| episode.opened_at >= scored_from);
        let of = |severity| scored().filter(move |episode| episode.severity == severity);
        Some(Self {
            learnt_from,
            scored_from,
            scored_to: as_of,
            alarm_budget,
            pages: of(Severity::Page).count(),
            pages_by_rule: of(Severity::Page).filter(|episode| episode.by_rule).count(),
            notices: of(Severity::Notice).count(),
            weeks: as_of.nanos_since(scored_from).max(0) as f64 / 1e9 / WEEK_SECS,
            list: of(Severity::Page).cloned().collect(),
        })
    }

    /// What it comes to, in words.
    pub fn sentence(&self) -> String {
        let times = |count: usize| if count == 1 { "once".to_owned() } else { format!("{count} times") };
        let rules = match self.pages_by_rule {
            0 => String::new(),
            count => format!(", {count} of them by a rule and not by chance"),
        };
        format!(
            "Learnt from {} to {}. On the {:.1} weeks after that, at a budget of {} a week, I would have paged {} \
             ({:.1} a week){rules}, and given {} notices.",
            self.learnt_from.day(),
            self.scored_from.day(),
            self.weeks,
            self.alarm_budget,
            times(self.pages),
            self.pages as f64 / self.weeks.max(1.0 / 7.0),
            self.notices
        )
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn moment<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}
