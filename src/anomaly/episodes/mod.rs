//! Episodes: what the models find about one subject, as one story with a beginning and an end. Pure.
//!
//! | file | its noun |
//! |---|---|
//! | `mod.rs` | the store: which episode a finding belongs to, when one is over, which are kept |
//! | `record.rs`, `id.rs` | one episode as it is kept; its ID |
//! | `acknowledgement.rs` | that somebody vouches for one, and what that covers |
//! | `news.rs` | what has just happened, for the program's own log |
//! | `view.rs`, `rfc3339.rs` | an episode as people and programs read it |
//! | `words/` | its sentences |
//! | `families.rs` | its metrics |

mod acknowledgement;
mod families;
mod id;
mod news;
mod record;
mod rfc3339;
mod view;
mod words;

pub use acknowledgement::Acknowledgement;
pub use families::Level;
pub use id::{EpisodeId, NoEpisodeId};
pub use news::{Change, News};
pub use view::{ComponentView, Episode, OwnMax, Rise, SubjectOf, TouchedView, Which};

use super::{Class, Component, Finding, Mode, Settings, Severity, score};
use crate::event::Timestamp;
use acknowledgement::{Cause, Vouch};
use record::{Record, Worth};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An episode is over after so many seconds without a higher score.
const OVER_SECS: i64 = 6 * 3_600;
/// For so many seconds after its highest score the same cause does not open another one: counts of a
/// day stay high for a day. A level that has changed does not until it has fallen back for so long.
const SAME_SECS: i64 = 20 * 3_600;
/// An episode that has not risen for so many seconds is left for another one ...
const LEFT_SECS: i64 = 3_600;
/// ... by what is rarer by a decade.
const DECADE: f64 = 21.0;
/// Nothing pages before so much was seen: what is usual is not known yet.
const LEARNING_SECS: i64 = 48 * 3_600;
/// What is only a notice stays so far below the score of a page.
const BELOW_PAGE: f64 = 0.1;
/// Acknowledgements that are kept, newest first.
const VOUCHES: usize = 1_024;

/// All that are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Episodes {
    /// The first moment that was seen.
    began: Option<Timestamp>,
    now: Timestamp,
    records: BTreeMap<EpisodeId, Arc<Record>>,
    /// By the key of their subject.
    open: BTreeMap<u64, EpisodeId>,
    /// Those that are over but can still explain what comes, by the key of their subject.
    recent: BTreeMap<u64, EpisodeId>,
    /// Nothing is over before then.
    next: Option<Timestamp>,
    /// How many came to each severity, by component.
    totals: BTreeMap<String, [u64; 3]>,
    evicted: u64,
    vouched: Vec<Arc<Vouch>>,
    #[serde(skip)]
    settings: Settings,
    /// Those that are over: the lowest first, and of equals the oldest.
    #[serde(skip)]
    closed: BTreeSet<(u64, Timestamp, EpisodeId)>,
    #[serde(skip)]
    news: Vec<News>,
}

impl Episodes {
    /// None yet.
    pub fn new(settings: &Settings) -> Self {
        Self { settings: *settings, now: Timestamp::MIN, ..Self::default() }
    }

    /// To be called after loading.
    pub fn restore(&mut self, settings: &Settings) {
        self.settings = *settings;
        let closed = self.records.iter().filter(|(_, record)| record.closed.is_some());
        self.closed = closed.map(|(id, record)| rank(*id, record)).collect();
        self.make_room();
    }

    /// What is learnt goes back to then; for the words about what was never seen.
    pub fn learnt_since(&mut self, began: Timestamp) {
        self.began = Some(self.began.map_or(began, |known| known.min(began)));
    }

    /// Since when what is learnt reaches back; nothing before the first moment.
    pub fn began(&self) -> Option<Timestamp> {
        self.began
    }

    /// Opens an episode, or goes on with one.
    pub fn take(&mut self, mut finding: Finding) {
        finding.at = finding.at.max(self.now);
        self.advance(finding.at);
        let (at, subject) = (finding.at, finding.subject.key);
        let worth = self.worth(&finding);
        if worth.score <= 0.0 && worth.severity == Severity::Info {
            return;
        }
        let began = self.began.unwrap_or(at);
        if let Some(&id) = self.open.get(&subject)
            && let Some(record) = self.records.get_mut(&id)
        {
            if !is_another(record, &finding, worth) {
                let record = Arc::make_mut(record);
                let rose = record.grow(&finding, worth, began);
                let until = record.raised.plus_secs(OVER_SECS);
                self.next = Some(self.next.map_or(until, |next| next.min(until)));
                if rose {
                    self.count_and_tell(Change::Rose, at, id);
                }
                return;
            }
            self.close(id, at);
        } else if self.is_told(&finding, worth) {
            return;
        }
        self.open(&finding, worth, began);
    }

    /// Event time passes: what nothing more came of is over.
    pub fn advance(&mut self, to: Timestamp) {
        if to > self.now {
            self.now = to;
        }
        if self.next.is_none_or(|next| next > to) {
            return;
        }
        let over = |id: &EpisodeId| self.records.get(id).map(|record| record.raised.plus_secs(OVER_SECS));
        let mut due: Vec<_> =
            self.open.values().filter_map(|id| Some((over(id)?, *id))).filter(|(at, _)| *at <= to).collect();
        due.sort_unstable();
        for (at, id) in due {
            self.close(id, at);
        }
        let records = &self.records;
        let recent_until =
            |record: &Record| record.lasted.unwrap_or(record.raised).max(record.raised).plus_secs(SAME_SECS);
        let of = |id: &EpisodeId| records.get(id).map(|record| recent_until(record));
        self.recent.retain(|_, id| of(id).is_some_and(|until| until > to));
        let over = |id: &EpisodeId| records.get(id).map(|record| record.raised.plus_secs(OVER_SECS));
        self.next = self.open.values().filter_map(over).chain(self.recent.values().filter_map(of)).min();
    }

    /// Somebody vouches for an episode: it is no alarm any more, and until then the same cause is none.
    /// The key of its subject, for those that learn; `None` where the episode is not known (yet).
    pub fn acknowledge(&mut self, id: EpisodeId, said: Acknowledgement) -> Option<u64> {
        let cause = self.records.get(&id).map(|record| Cause::of(record));
        if let Some(record) = self.records.get_mut(&id) {
            Arc::make_mut(record).acknowledged = Some(said.clone());
        }
        self.vouched.retain(|vouch| vouch.episode != id.0);
        if self.vouched.len() == VOUCHES {
            self.vouched.remove(0);
        }
        let subject = cause.as_ref().map(|cause| cause.subject);
        self.vouched.push(Arc::new(Vouch { episode: id.0, said, cause }));
        subject
    }

    /// Somebody said exactly that of the episode already; `at` does not matter.
    pub fn is_acknowledged(&self, id: EpisodeId, said: &Acknowledgement) -> bool {
        let same = |known: &Acknowledgement| Acknowledgement { at: known.at, ..said.clone() } == *known;
        self.vouched.iter().any(|vouch| vouch.episode == id.0 && same(&vouch.said))
    }

    /// What has happened since this was last asked.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// There is something that nobody has asked for yet.
    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// An episode that is over has said it already, as loudly. What was shown to nobody excuses nothing that
    /// somebody would be shown: else a weak act would hide the strong one that follows.
    fn is_told(&mut self, finding: &Finding, worth: Worth) -> bool {
        let Some(&id) = self.recent.get(&finding.subject.key) else { return false };
        let Some(record) = self.records.get_mut(&id) else { return false };
        let cause = Cause::of(record);
        let is_soon = record.raised.plus_secs(SAME_SECS) > finding.at && cause.explains_soon(finding);
        let lasts = cause.lasting().explains(finding);
        if !is_soon && !lasts {
            return false;
        }
        let before = rank(id, record);
        let record = Arc::make_mut(record);
        if lasts {
            record.lasted = Some(finding.at);
        }
        // How far a level has changed is said once; all else is news again when it is ten times as rare.
        let is_louder = worth.severity > record.severity || (!lasts && worth.score >= record.told() + DECADE);
        if !is_louder && worth.score > record.score {
            self.closed.remove(&before);
            record.grow(finding, worth, self.began.unwrap_or(finding.at));
            self.closed.insert(rank(id, record));
        }
        !is_louder
    }

    fn worth(&self, finding: &Finding) -> Worth {
        let budget = self.settings.alarm_budget;
        let is_silence = finding.evidence.first().is_some_and(|first| first.component == Component::Silence);
        let never_pages = finding.class == Class::Operational || is_silence;
        let mut score = if finding.score.is_finite() { finding.score.clamp(0.0, 100.0) } else { 0.0 };
        if never_pages {
            score = score.min((score::threshold(Severity::Page, budget) - BELOW_PAGE).max(0.0));
        }
        let mut by_score = score::severity(score, budget);
        let began = self.began.unwrap_or(finding.at);
        if finding.at < began.plus_secs(LEARNING_SECS) {
            by_score = by_score.min(Severity::Notice);
        }
        let floor = finding.floor.unwrap_or(Severity::Info);
        let mut severity = by_score.max(floor);
        if never_pages || self.settings.mode == Mode::Shadow {
            severity = severity.min(Severity::Notice);
        }
        Worth { score, severity, by_rule: floor > by_score }
    }

    fn open(&mut self, finding: &Finding, worth: Worth, began: Timestamp) {
        let (at, subject) = (finding.at, finding.subject.key);
        let id = EpisodeId::of(subject, at);
        let mut record = Record::new(finding, worth, began);
        let covers = |vouch: &&Arc<Vouch>| {
            let explains = vouch.cause.as_ref().is_some_and(|cause| cause.explains(finding));
            vouch.said.expires > at && (vouch.episode == id.0 || explains)
        };
        record.acknowledged = self.vouched.iter().rev().find(covers).map(|vouch| vouch.said.clone());
        let until = at.plus_secs(OVER_SECS);
        self.next = Some(self.next.map_or(until, |next| next.min(until)));
        if let Some(before) = self.records.insert(id, Arc::new(record)) {
            // One of the same subject that opened and ended at this very moment.
            self.closed.remove(&rank(id, &before));
        }
        self.open.insert(subject, id);
        self.recent.remove(&subject);
        self.count_and_tell(Change::Opened, at, id);
        self.make_room();
    }

    fn close(&mut self, id: EpisodeId, at: Timestamp) {
        let Some(record) = self.records.get_mut(&id) else { return };
        Arc::make_mut(record).close(at);
        let record = Arc::clone(record);
        self.open.remove(&record.subject.key);
        self.recent.insert(record.subject.key, id);
        self.closed.insert(rank(id, &record));
        self.tell(Change::Closed, at, id);
    }

    fn count_and_tell(&mut self, what: Change, at: Timestamp, id: EpisodeId) {
        if let Some(record) = self.records.get(&id) {
            let counts = self.totals.entry(record.component().to_owned()).or_default();
            counts[record.severity_at(at) as usize] += 1;
        }
        self.tell(what, at, id);
    }

    fn tell(&mut self, what: Change, at: Timestamp, id: EpisodeId) {
        let Some(record) = self.records.get(&id) else { return };
        if record.severity_at(at) == Severity::Info {
            return;
        }
        if self.news.len() == news::MOST {
            self.news.remove(0);
        }
        self.news.push(News::of(what, at, id, record));
    }

    /// The lowest of those that are over go first, then the lowest.
    fn make_room(&mut self) {
        while self.records.len() > self.settings.episodes.max(1) {
            let of_open = || {
                let open = self.open.values().filter_map(|id| Some(rank(*id, self.records.get(id)?)));
                open.min()
            };
            let Some((_, _, id)) = self.closed.pop_first().or_else(of_open) else { return };
            self.evicted += 1;
            if let Some(record) = self.records.remove(&id) {
                let key = record.subject.key;
                for of_subject in [&mut self.open, &mut self.recent] {
                    if of_subject.get(&key) == Some(&id) {
                        of_subject.remove(&key);
                    }
                }
            }
        }
    }
}

/// Where an episode stands among those that may have to go.
fn rank(id: EpisodeId, record: &Record) -> (u64, Timestamp, EpisodeId) {
    // What a rule or somebody made important outlives what chance did.
    let bonus = f64::from(record.severity as u8) * 100.0;
    // Positive numbers are ordered as their bits are.
    ((record.score + bonus).to_bits(), record.opened, id)
}

/// What is found is not the story that the episode tells.
fn is_another(record: &Record, finding: &Finding, worth: Worth) -> bool {
    let at = finding.at;
    let left = at.nanos_since(record.raised) >= LEFT_SECS * 1_000_000_000;
    (left && worth.score >= record.score + DECADE && !Cause::of(record).explains_soon(finding))
        || (record.is_vouched(at) && !Cause::of(record).explains(finding))
}
