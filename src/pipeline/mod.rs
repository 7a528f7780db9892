//! The pipeline: all sources merged in time, each line decoded and applied to
//! the state. `serve` and `analyze` run the same one. It reads no clock; the
//! caller says what time it is.
//!
//! An event is applied once every other source has shown a later one, has
//! ended, or was at its end and has had the settling time since. Memory is
//! one line a source.

mod ahead;
mod decode;
mod doubt;
mod input;
mod saved;
mod stats;

pub use ahead::Ahead;
pub use decode::Lines;
pub use input::Input;
pub use saved::{Saved, SavedSource, Saving, VERSION};
pub use stats::REASONS;
pub use stats::Stats;

use crate::anomaly::Anomalies;
use crate::config::LogKind;
use crate::event::{Event, EventKind, Fact, PrivilegedUse, ServerEvent, Timestamp};
use crate::snapshot::Family;
use crate::source::Notice;
use crate::state::{Limits, Origin, OriginLog, SourceId, State};
use input::{Head, Item, Rest};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a source at its end is given to come up with something earlier.
const SETTLE: Duration = Duration::from_secs(2);

/// What comes later than that, in nanoseconds, is counted and not scored: its time is lost.
const LATE: i64 = 60_000_000_000;

/// Everything read so far, and what it came to.
pub struct Pipeline {
    inputs: Vec<Input>,
    state: State,
    /// Nothing that is applied from here on counts as earlier than this.
    front: Timestamp,
    /// Steps applied since the beginning: the same number means the same numbers.
    applied: u64,
    /// Sources of an earlier run that are not there now, but may come back.
    absent: BTreeMap<String, SavedSource>,
}

/// How a run of the pipeline ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do now.
    Busy,
    /// A line waits for the settling time to pass.
    Settling,
    /// Every source is at its end, and all is applied.
    Idle,
    /// Every source is read out for ever.
    Done,
}

impl Pipeline {
    /// A pipeline that has counted nothing yet.
    pub fn new(limits: Limits, inputs: Vec<Input>) -> Self {
        Self { inputs, state: State::new(limits), front: Timestamp::MIN, applied: 0, absent: BTreeMap::new() }
    }

    /// A pipeline that goes on from what was saved; `inputs` begin where it says.
    pub fn resume(
        applied: u64,
        front: Timestamp,
        mut state: State,
        limits: Limits,
        inputs: Vec<Input>,
    ) -> Self {
        state.restore(limits);
        Self { inputs, state, front, applied, absent: BTreeMap::new() }
    }

    /// One more source, from here on.
    pub fn add(&mut self, input: Input) {
        self.inputs.push(input);
    }

    /// Keeps in every checkpoint what is known of sources that are not there now.
    pub fn keep_absent(&mut self, absent: BTreeMap<String, SavedSource>) {
        self.absent = absent;
    }

    /// What is known of a source that is back.
    pub fn take_absent(&mut self, name: &str) -> Option<SavedSource> {
        self.absent.remove(name)
    }

    /// Applies what can be applied, at most `steps`, up to the event time `until`.
    /// `wall` is the time of day, which only matters where sources go on.
    pub fn run(&mut self, now: Instant, wall: Timestamp, until: Timestamp, steps: usize) -> Progress {
        self.run_telling(now, wall, until, steps, &mut |_, _| ())
    }

    /// The same, and `tell` hears of every event just before it is applied, with the place of its source.
    pub fn run_telling(
        &mut self,
        now: Instant,
        wall: Timestamp,
        until: Timestamp,
        steps: usize,
        tell: &mut dyn FnMut(usize, &Event),
    ) -> Progress {
        for input in &mut self.inputs {
            input.look_again(now);
        }
        for _ in 0..steps {
            for input in &mut self.inputs {
                input.fill(now, wall);
            }
            let Some(next) = self.earliest() else { return self.rest(wall) };
            let Some(head) = &self.inputs[next].head else { return self.rest(wall) };
            if head.at > until {
                return Progress::Done;
            }
            let ahead = self.inputs[next].ahead();
            let waits = |input: &Input| input.head.is_none() && input.may_precede(head, ahead, now, SETTLE);
            if self.inputs.iter().any(waits) {
                return Progress::Settling;
            }
            self.apply(next, tell);
        }
        Progress::Busy
    }

    /// The input with the earliest head; among equals the first one.
    fn earliest(&self) -> Option<usize> {
        let heads = self.inputs.iter().enumerate();
        heads.filter_map(|(at, input)| input.head.as_ref().map(|head| (head.at, at))).min().map(|(_, at)| at)
    }

    /// The time of the next event that is read and not applied, after a run that is done.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.inputs.iter().filter_map(|input| Some(input.head.as_ref()?.at)).min()
    }

    fn rest(&mut self, wall: Timestamp) -> Progress {
        if self.inputs.iter().all(|input| input.rest == Rest::Ended) {
            return Progress::Done;
        }
        // Nobody has anything: time passes by the clock.
        let settled = wall.plus_nanos(-i64::try_from(SETTLE.as_nanos()).unwrap_or(0));
        if settled > self.front {
            self.front = settled;
            self.state.advance(settled);
        }
        Progress::Idle
    }

    fn apply(&mut self, next: usize, tell: &mut dyn FnMut(usize, &Event)) {
        let mut origin = self.origin(next);
        let input = &mut self.inputs[next];
        let Some(Head { at, item, .. }) = input.take() else { return };
        self.applied += 1;
        match item {
            Item::Notice(notice) => {
                input.stats.notice(notice);
                if notice == Notice::Gap {
                    self.state.gap(origin, at.max(self.front));
                }
            }
            Item::Line { bytes, event, unreadable } => {
                input.stats.lines += 1;
                input.stats.bytes += bytes;
                if let Some(reason) = unreadable {
                    input.stats.unreadable(reason);
                }
                let Some(mut event) = event else { return };
                input.stats.last_entry = Some(at);
                event.at = at.max(self.front);
                // A note on an own request is dated back on purpose.
                let dated_back = matches!(&event.kind, EventKind::Observed(o) if matches!(o.fact, Fact::OwnRequest { .. } | Fact::OwnMarker { .. }));
                if event.at > at && !dated_back {
                    input.stats.late += 1;
                }
                origin.is_late = event.at.nanos_since(at) > LATE;
                self.front = event.at;
                if self.is_anyones(origin, &event.kind) {
                    event.kind = EventKind::Nothing;
                }
                tell(next, &event);
                self.state.apply(origin, event);
            }
        }
    }

    /// Where the lines of an input come from, as the state knows it.
    fn origin(&mut self, place: usize) -> Origin {
        let input = &self.inputs[place];
        Origin {
            source: SourceId(u16::try_from(place).unwrap_or(u16::MAX)),
            node: self.state.node(&input.node),
            is_late: false,
            log: match input.lines {
                Lines::Log(LogKind::Audit) => OriginLog::Audit,
                Lines::Log(LogKind::Server) => OriginLog::Server,
                Lines::Observations => OriginLog::Observations,
            },
        }
    }

    /// The line says which node is active, but of several server logs without a node's name it
    /// cannot be told whose it is.
    fn is_anyones(&self, origin: Origin, kind: &EventKind) -> bool {
        let is_about_node =
            matches!(kind, EventKind::Server(ServerEvent::BecameActive { .. } | ServerEvent::BecameInactive));
        let is_unnamed = |input: &&Input| input.lines == Lines::Log(LogKind::Server) && input.node.is_empty();
        is_about_node
            && self.inputs[usize::from(origin.source.0)].node.is_empty()
            && self.inputs.iter().filter(is_unnamed).count() > 1
    }

    /// Every source has ended for ever: what waits for no more than another line is decided.
    pub fn close(&mut self) {
        self.state.close();
    }

    /// Moves event time on to `to`, for a read at that moment.
    pub fn advance(&mut self, to: Timestamp) {
        self.front = self.front.max(to);
        self.state.advance(to);
    }

    /// Event time up to which everything is applied.
    pub fn front(&self) -> Timestamp {
        self.front
    }

    /// Rotations and gaps of all sources, to see whether there was one.
    pub fn notices(&self) -> u64 {
        let of = |stats: &Stats| stats.gaps + stats.rotations.values().sum::<u64>();
        self.inputs.iter().map(|input| of(input.stats())).sum()
    }

    /// Steps applied since the beginning.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// All series of the state at `as_of`.
    pub fn families(&self, as_of: Timestamp) -> Vec<Family> {
        self.state.families(as_of)
    }

    /// All counts of the state, to be taken off from later ones: those too that are not shown yet.
    pub fn opening(&self, as_of: Timestamp) -> Vec<Family> {
        self.state.opening(as_of)
    }

    /// From now on no role gives its place back, so that counts can be compared with later ones.
    pub fn keep_roles(&mut self) {
        self.state.keep_roles();
    }

    /// The state, to read.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The scores, to tell them what was learnt elsewhere, or to take what is new.
    pub fn anomalies_mut(&mut self) -> &mut Anomalies {
        self.state.anomalies_mut()
    }

    /// From now on, uses of rights are news.
    pub fn tell_privileged(&mut self) {
        self.state.tell_privileged();
    }

    /// Uses of rights since this was last asked, and how many more there was no room for.
    pub fn take_privileged(&mut self) -> (Vec<PrivilegedUse>, u64) {
        self.state.take_privileged()
    }

    /// The inputs, to read.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }
}
