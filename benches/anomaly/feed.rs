//! Feeding: a simulated world's lines through decoding and state, as `analyze` does it with a log,
//! and what the detectors said of it.

use crate::baseline::{self, Asked, Baseline};
use crate::context::{ATTACKS, BEGIN, LEARNING, SCORED, week};
use crate::measure::{Alarm, DAY, Raise, Truth};
use leasewatch::anomaly::episodes::{Episode, Which};
use leasewatch::anomaly::{Class, Component, Settings, Severity};
use leasewatch::engine::{self, Meaning};
use leasewatch::event::{Entry, Event, EventKind, Outcome, Stage, Timestamp};
use leasewatch::simulator::{AttackKind, Attacks, Log, Scenario, World};
use leasewatch::state::{Limits, NodeId, Origin, OriginLog, SourceId, State};
use leasewatch::{audit, serverlog};
use std::fmt::Write as _;
use std::time::Instant;

/// More episodes than a run of ours has: the store is not to forget any.
const EPISODES: usize = 1 << 20;

/// A run over one world.
pub(crate) struct Watch {
    scenario: Scenario,
    /// Lines before this moment are not shown to anybody.
    shown_from: Timestamp,
    settings: Settings,
    baselines: bool,
    notes: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) seed: u64,
    pub(crate) attacks: Vec<Truth>,
    /// Alarms of the detector that may page, in the order of their opening.
    pub(crate) alarms: Vec<Alarm>,
    /// What each alarm is made of, for people, where that was asked for.
    pub(crate) notes: Vec<String>,
    /// When episodes opened that never page: operational ones, and silence.
    pub(crate) unpaged: Vec<Timestamp>,
    /// When episodes opened that page by a rule and not by their score.
    pub(crate) ruled: Vec<Timestamp>,
    /// The alarms of each baseline.
    pub(crate) baselines: Vec<(&'static str, Vec<Alarm>)>,
    pub(crate) audit_lines: u64,
    /// Subjects known at the end.
    pub(crate) subjects: usize,
    /// Seconds that it took.
    pub(crate) seconds: f64,
}

impl Watch {
    /// The main scenario: four weeks without an attack, then eight with 32.
    pub(crate) fn attacked(seed: u64) -> Self {
        Self::of(main_scenario(seed))
    }

    /// A world without attacks, so many weeks long.
    pub(crate) fn quiet(seed: u64, weeks: i64) -> Self {
        Self::of(scenario(seed, weeks))
    }

    /// Any other world.
    pub(crate) fn of(scenario: Scenario) -> Self {
        let settings = Settings { episodes: EPISODES, ..Settings::default() };
        Self { scenario, shown_from: BEGIN, settings, baselines: false, notes: false }
    }

    /// Shows it to the baselines too.
    pub(crate) fn with_baselines(mut self) -> Self {
        self.baselines = true;
        self
    }

    /// Keeps what alarms are made of.
    pub(crate) fn noting(mut self, notes: bool) -> Self {
        self.notes = notes;
        self
    }

    /// Begins to show it at a moment of its course, and ends at another.
    pub(crate) fn between(mut self, from: Timestamp, to: Timestamp) -> Self {
        (self.shown_from, self.scenario.to) = (from, to);
        self
    }

    /// Scores with these settings, its bound on episodes included.
    pub(crate) fn scoring(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Runs it.
    pub(crate) fn run(self) -> Seen {
        self.measuring(|| ())
    }

    /// Runs it; `measure` is called at the end of the log, while everything is still there.
    pub(crate) fn measuring(self, measure: impl FnOnce()) -> Seen {
        let began = Instant::now();
        let seed = self.scenario.seed;
        let mut world = World::new(&self.scenario);
        let mut feed = Feed::new(self.settings);
        let mut baselines = if self.baselines { baseline::all() } else { Vec::new() };
        let mut line = String::new();
        let mut front = BEGIN;
        loop {
            line.clear();
            let Some((at, log)) = world.next_line(&mut line) else { break };
            if at >= self.shown_from {
                feed.line(log, &line, &mut baselines);
                front = at;
            }
        }
        feed.state.advance(front);
        measure();
        let attacks = world.attacks().iter().map(truth).collect();
        let mut seen = Seen { seed, attacks, audit_lines: feed.audit_lines, ..Seen::default() };
        feed.harvest(self.notes, &mut seen);
        seen.baselines = baselines.into_iter().map(|baseline| (baseline.name(), baseline.finish())).collect();
        seen.seconds = began.elapsed().as_secs_f64();
        seen
    }
}

/// Four weeks without an attack, then eight with as many of each kind.
pub(crate) fn main_scenario(seed: u64) -> Scenario {
    let attacks = Attacks::Placed { from: week(LEARNING), to: week(LEARNING + SCORED), count: ATTACKS };
    scenario(seed, LEARNING + SCORED).attacks(attacks)
}

/// So many weeks of a world of the usual size, without attacks.
pub(crate) fn scenario(seed: u64, weeks: i64) -> Scenario {
    Scenario { seed, from: BEGIN, to: week(weeks), ..Scenario::default() }
}

/// For how long after its last event an alarm counts as of an attack, in seconds.
fn after(kind: AttackKind) -> i64 {
    if kind == AttackKind::SlowDoubling { 7 * DAY } else { DAY }
}

fn truth(attack: &leasewatch::simulator::Attack) -> Truth {
    Truth {
        kind: attack.kind.name(),
        subject: attack.entity.clone(),
        first: attack.first,
        last: attack.last,
        after: after(attack.kind),
    }
}

/// The two logs of one node, on their way into the state.
pub(crate) struct Feed {
    pub(crate) state: State,
    node: NodeId,
    pub(crate) audit_lines: u64,
}

impl Feed {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut state = State::new(Limits { anomaly: settings, ..Limits::default() });
        let node = state.node("");
        Self { state, node, audit_lines: 0 }
    }

    /// One line; those who watch beside the state see the entry first.
    pub(crate) fn line(&mut self, log: Log, line: &str, baselines: &mut [Box<dyn Baseline>]) {
        let line = line.trim_end_matches('\n');
        let Some(event) = decode(log, line) else { return };
        self.audit_lines += u64::from(log == Log::Audit);
        if !baselines.is_empty()
            && let EventKind::Audit(entry) = &event.kind
        {
            show(event.at, entry, baselines);
        }
        self.apply(log, event);
    }

    /// What a line said.
    pub(crate) fn apply(&mut self, log: Log, event: Event) {
        let (source, log) = match log {
            Log::Audit => (0, OriginLog::Audit),
            Log::Server => (1, OriginLog::Server),
        };
        self.state.apply(Origin { source: SourceId(source), node: self.node, log, is_late: false }, event);
    }

    /// The episodes as alarms.
    fn harvest(&self, notes: bool, seen: &mut Seen) {
        seen.subjects = self.state.anomalies().models().subjects();
        let all = Which { min_score: Some(0.0), ..Which::default() };
        for episode in self.state.anomalies().episodes().list(all) {
            let strongest = episode.components.first();
            let is_silence = strongest.is_some_and(|first| first.name == Component::Silence.name());
            if episode.class == Class::Operational || is_silence {
                seen.unpaged.push(episode.opened_at);
                continue;
            }
            if episode.by_rule && episode.severity == Severity::Page {
                seen.ruled.push(episode.opened_at);
            }
            let mut raises: Vec<Raise> =
                episode.raised.iter().map(|rise| Raise { at: rise.at, score: rise.score }).collect();
            // The course is kept in steps; the maximum may lie above the last of them.
            if raises.last().is_none_or(|last| last.score < episode.score) {
                raises.push(Raise { at: episode.updated_at, score: episode.score });
            }
            seen.alarms.push(Alarm { subject: episode.subject.entity_id.clone(), raises });
            if notes {
                seen.notes.push(note(&episode));
            }
        }
    }
}

/// What an episode is made of, for people who tune.
fn note(episode: &Episode) -> String {
    let subject = &episode.subject;
    let mut note = format!("{} {} {}", subject.display_name, subject.mount, subject.entity_id);
    for part in &episode.components {
        let (score, observed, expected) = (part.score, part.observed, part.expected);
        let _ = write!(note, "; {} {score:.0} ({observed:.1} for {expected:.1}) {}", part.name, part.detail);
    }
    note
}

/// Decodes a line of either log. Every audit line of the simulator must be readable.
pub(crate) fn decode(log: Log, line: &str) -> Option<Event> {
    match log {
        Log::Audit => match audit::decode(line) {
            Ok(event) => Some(event),
            Err(why) => panic!("the simulator wrote an audit line that is {why}: {line}"),
        },
        Log::Server => serverlog::decode(line),
    }
}

/// Shows the baselines a request for a credential, whatever came of it.
fn show(at: Timestamp, entry: &Entry, baselines: &mut [Box<dyn Baseline>]) {
    let (Some(who), Some(mount)) = (&entry.who, &entry.mount) else { return };
    if entry.stage != Stage::Response
        || who.requester.entity.is_empty()
        || entry.outcome == Outcome::Forwarded
    {
        return;
    }
    let Some(below) = entry.path.strip_prefix(mount.point.as_str()) else { return };
    let meaning = engine::meaning(&mount.engine, below, entry.operation);
    if !matches!(meaning, Meaning::Issue(_) | Meaning::ReadStatic(_)) {
        return;
    }
    let asked = Asked { at, subject: &who.requester.entity, role: &entry.path, source: entry.source };
    for baseline in baselines {
        baseline.see(&asked);
    }
}
