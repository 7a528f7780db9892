//! What the reading thread and the pages share: the pipeline under one lock,
//! and how far it has got.

use super::inputs::{Globs, Named};
use super::own;
use super::reloads::Reloads;
use super::visitors::Visitors;
use crate::clock::wall;
use crate::config::{Config, Identities};
use crate::contract::leases::ACTIVE;
use crate::event::Timestamp;
use crate::exposition::Unavailable;
use crate::pipeline::{Pipeline, Progress, Stats};
use crate::push;
use crate::receive;
use crate::snapshot::{Family, Snapshot};
use crate::store::{Mark, Served, Store};
use crate::vault::Board;
use anyhow::Context;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A front that far behind the clock, in seconds, with more to read, is a backlog.
const BACKLOG_SECS: i64 = 10;

/// The pipeline, and what is known about its progress.
pub(super) struct Shared {
    /// A plain mutex: it is never held while waiting for anything.
    pipeline: Mutex<Pipeline>,
    /// Pages that wait for the lock; the reading thread lets them go first.
    waiting: AtomicUsize,
    served: Mutex<Served>,
    /// Where the process before this one had got with its last page.
    replay_to: Mark,
    /// When this process began.
    began: Timestamp,
    /// Every log was read to its end once.
    caught_up: AtomicBool,
    progress: Mutex<Option<Progress>>,
    /// Every log, by its place in the pipeline.
    pub(super) names: Mutex<Vec<Named>>,
    pub(super) board: Board,
    /// What came of what is pushed.
    pub(super) pushed: push::Board,
    /// What came of reading the configuration.
    pub(super) reloads: Arc<Reloads>,
    /// What came of what is received.
    pub(super) received: Option<receive::Board>,
    /// Who was turned away.
    visitors: Option<Arc<Visitors>>,
    /// Who may see names of clients.
    pub(super) identities: Identities,
    pub(super) saved: Mutex<Option<Timestamp>>,
    /// Rotations and gaps of every source, by its place, as the checkpoint has them.
    noticed: Mutex<Vec<Notices>>,
}

/// Rotations by kind, and gaps, of one source.
#[derive(Clone, Debug)]
pub(super) struct Notices {
    pub(super) rotations: BTreeMap<String, u64>,
    pub(super) gaps: u64,
}

impl Notices {
    fn of(stats: &Stats) -> Self {
        Self { rotations: stats.rotations.clone(), gaps: stats.gaps }
    }
}

/// What is counted of every source, by its place.
pub(super) fn notices(pipeline: &Pipeline) -> Vec<Notices> {
    pipeline.inputs().iter().map(|input| Notices::of(input.stats())).collect()
}

impl Shared {
    pub(super) fn new(
        config: &Config,
        store: &Store,
        names: &[Named],
        pipeline: Pipeline,
        board: Board,
        pushed: push::Board,
        reloads: Arc<Reloads>,
    ) -> anyhow::Result<Self> {
        let served = Served::open(store)
            .with_context(|| format!("cannot write to the state folder {}", config.state_dir.display()))?;
        Ok(Self {
            noticed: Mutex::new(notices(&pipeline)),
            pipeline: Mutex::new(pipeline),
            waiting: AtomicUsize::new(0),
            replay_to: served.last(),
            served: Mutex::new(served),
            began: wall(),
            caught_up: AtomicBool::new(false),
            progress: Mutex::new(None),
            names: Mutex::new(names.to_vec()),
            board,
            pushed,
            reloads,
            received: None,
            visitors: None,
            identities: config.identities,
            saved: Mutex::new(None),
        })
    }

    /// What comes of what is received stands there.
    #[must_use]
    pub(super) fn receiving(self, board: receive::Board) -> Self {
        Self { received: Some(board), ..self }
    }

    /// Who is turned away stands there.
    #[must_use]
    pub(super) fn visited(self, visitors: Arc<Visitors>) -> Self {
        Self { visitors: Some(visitors), ..self }
    }

    /// Why something that was read of the configuration is not in force.
    pub(super) fn config_trouble(&self) -> Option<String> {
        let received = || Some(format!("receive.config.file: {}", self.received.as_ref()?.trouble()?));
        self.reloads.trouble().or_else(received)
    }

    /// The pipeline, for a page.
    pub(super) fn pipeline(&self) -> MutexGuard<'_, Pipeline> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let pipeline = self.pipeline.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        pipeline
    }

    /// The pipeline, for the reading thread: after the pages that wait. A mutex
    /// alone would mostly give it back to the thread that has just let it go.
    pub(super) fn pipeline_for_writing(&self) -> MutexGuard<'_, Pipeline> {
        let patience = Instant::now() + Duration::from_millis(50);
        while self.waiting.load(Ordering::SeqCst) > 0 && Instant::now() < patience {
            std::thread::sleep(Duration::from_micros(100));
        }
        self.pipeline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reading thread has got that far.
    pub(super) fn progressed(&self, progress: Progress, front: Timestamp) {
        // Settling is not enough: what was read may not be counted yet. A log that is never
        // quiet has caught up once it is past the moment at which this process began.
        if matches!(progress, Progress::Idle | Progress::Done) || front >= self.began {
            self.caught_up.store(true, Ordering::SeqCst);
        }
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
    }

    /// A checkpoint stands.
    pub(super) fn saved(&self, at: Timestamp) {
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// These rotations and gaps are in a checkpoint now, and may be shown.
    pub(super) fn noticed(&self, notices: Vec<Notices>) {
        *self.noticed.lock().unwrap_or_else(PoisonError::into_inner) = notices;
    }

    /// The rotations and gaps that may be shown.
    pub(super) fn notices(&self) -> Vec<Notices> {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes up the logs that a glob has come to match; says whether there were any.
    pub(super) fn find_logs(&self, globs: &Globs) -> bool {
        let matches = globs.matches();
        let mut pipeline = self.pipeline.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = false;
        for (named, input) in globs.unread(matches, &mut pipeline) {
            found = true;
            self.names.lock().unwrap_or_else(PoisonError::into_inner).push(named);
            self.noticed.lock().unwrap_or_else(PoisonError::into_inner).push(Notices::of(input.stats()));
            pipeline.add(input);
        }
        found
    }

    /// Every log was read to its end at least once.
    pub(super) fn has_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::SeqCst)
    }

    /// A backlog is being read.
    pub(super) fn is_catching_up(&self, front: Timestamp) -> bool {
        let progress = *self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(progress, None | Some(Progress::Busy))
            && wall().nanos_since(front) > BACKLOG_SECS * 1_000_000_000
    }

    /// What is still missing before a page may be served: a moment that it could be of, and the numbers of the
    /// last page of the process before, so that no counter is seen to fall.
    /// Where every log is read to its end and they are still missing, they are
    /// gone (a log was deleted while nobody read), and waiting would not help.
    pub(super) fn replays(&self, pipeline: &Pipeline) -> Option<String> {
        if pipeline.front() == Timestamp::MIN {
            return Some("reading the logs for the first time".to_owned());
        }
        let missing = self.replay_to.applied.saturating_sub(pipeline.applied());
        let earlier = pipeline.front() < self.replay_to.front;
        ((missing > 0 || earlier) && !self.has_caught_up())
            .then(|| format!("replaying what was already served before the restart: {missing} lines to go"))
    }

    /// The state's series, as far as they are this node's to show.
    pub(super) fn families(&self, pipeline: &Pipeline) -> Vec<Family> {
        let mut families = pipeline.families(pipeline.front());
        // The state knows from the logs when a node is not active; the API may know it before.
        if self.board.is_beside_inactive(Instant::now()) {
            families.retain(|family| !ACTIVE.contains(&family.metric));
        }
        families
    }

    /// Every series, now.
    pub(super) fn snapshot(&self) -> Result<Snapshot, Unavailable> {
        let (mark, snapshot) = {
            let pipeline = self.pipeline();
            if let Some(why) = self.replays(&pipeline) {
                return Err(Unavailable::NotYet(why));
            }
            let as_of = pipeline.front();
            let mut families = self.families(&pipeline);
            families.extend(own::families(&pipeline, self));
            (Mark { applied: pipeline.applied(), front: as_of }, Snapshot { as_of, families })
        };
        // The page may only leave once its mark stands.
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = mark.or_later(served.last());
        served.set(mark).map_err(|error| {
            Unavailable::NotYet(format!("the state folder cannot be written ({error}); make room in it"))
        })?;
        drop(served);
        let mut snapshot = snapshot;
        snapshot.families.extend(self.board.families(Instant::now()));
        snapshot.families.extend(self.pushed.families());
        snapshot.families.extend(self.received.iter().flat_map(receive::Board::families));
        snapshot.families.extend(self.visitors.iter().flat_map(|visitors| visitors.families()));
        snapshot.families.sort_by_key(|family| family.metric.name);
        Ok(snapshot)
    }
}
