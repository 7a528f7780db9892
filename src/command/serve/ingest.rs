//! Ingesting: the one thread that reads, counts and saves.

use super::bell::Bell;
use super::inputs::Globs;
use super::shared::{Shared, notices};
use super::steady::Steady;
use crate::clock::wall;
use crate::config::Config;
use crate::event::{PrivilegedUse, Timestamp};
use crate::pipeline::{Input, Lines, Pipeline, Progress};
use crate::push::{self, Outbox};
use crate::source::{FileId, Position};
use crate::store::{Checkpoint, Older, Store};
use crate::vault::Lookups;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Lines counted before others may have a look.
const BATCH: usize = 1_000;
/// How long to wait while lines have to settle; they come in the meantime too.
const SETTLING: Duration = Duration::from_millis(200);
/// How long to wait at most at the end of every log.
const IDLE: Duration = Duration::from_secs(1);

/// How many times as long as a checkpoint took is waited before the next, at least.
const REST_OF_SAVING: u32 = 50;

/// How often it is looked whether a lease should be looked up: that is a look at all of them.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// How often the globs are looked at for new logs.
const FIND_EVERY: Duration = Duration::from_secs(5);

/// The reading thread.
pub(super) struct Ingest {
    shared: Arc<Shared>,
    checkpoint: Checkpoint,
    bell: Arc<Bell>,
    /// The live file of every spool, by the name of its source.
    spools: Vec<(String, PathBuf)>,
    every: Duration,
    /// Steps applied at the last checkpoint, and the moment up to which all was counted.
    saved: Option<(u64, Timestamp)>,
    /// Rotations and gaps at the last checkpoint. How a rotation looked cannot
    /// be read again, so each is saved at once, and shown once it is saved.
    notices: u64,
    /// Mounts known at the last look.
    mounts: usize,
    /// Writes of roles seen at the last look.
    role_writes: u64,
    globs: Globs,
    lookups: Lookups,
    /// Where uses of rights go, if anybody wants them.
    outbox: Option<Arc<Mutex<Outbox>>>,
}

impl Ingest {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: &Store,
        bell: Arc<Bell>,
        spools: Vec<(String, PathBuf)>,
        globs: Globs,
        lookups: Lookups,
        config: &Config,
    ) -> Self {
        Self {
            shared,
            checkpoint: Checkpoint::new(store),
            bell,
            spools,
            every: config.checkpoint_interval,
            saved: None,
            notices: 0,
            mounts: 0,
            role_writes: 0,
            globs,
            lookups,
            outbox: None,
        }
    }

    /// Uses of rights go there too.
    pub(super) fn posting(self, outbox: Option<Arc<Mutex<Outbox>>>) -> Self {
        if outbox.is_some() {
            self.shared.pipeline().tell_privileged();
        }
        Self { outbox, ..self }
    }

    /// Reads until stopped, then saves.
    pub(super) fn run(mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        // The first checkpoint at once: a process that dies early has to know the files that
        // it was reading, however often they are rotated until it is back.
        let mut due = Instant::now();
        let mut next_ask = Instant::now();
        let mut next_find = Instant::now() + FIND_EVERY;
        let mut clock = Steady::new(Instant::now(), wall());
        while !stop.is_cancelled() {
            if Instant::now() >= next_find {
                if self.shared.find_logs(&self.globs) {
                    // As with the first checkpoint: nobody else would know which of its files were read.
                    (due, self.saved) = (Instant::now(), None);
                }
                next_find = Instant::now() + FIND_EVERY;
            }
            let (progress, front, notices, (mounts, role_writes), wanted, news, privileged) = {
                let mut pipeline = self.shared.pipeline_for_writing();
                let end = Timestamp::from_nanos(i64::MAX);
                let now = Instant::now();
                let at = clock.read(now, wall(), told(&pipeline));
                let progress = pipeline.run(now, at, end, BATCH);
                // Of a backlog, most leases have ended since.
                let ask = progress != Progress::Busy && Instant::now() >= next_ask && self.lookups.has_room();
                let wanted = if ask { pipeline.state().lookup_wanted() } else { None };
                let known = (pipeline.state().mounts(), pipeline.state().role_writes());
                let news = pipeline.anomalies_mut().take_news();
                let privileged = pipeline.take_privileged();
                (progress, pipeline.front(), pipeline.notices(), known, wanted, news, privileged)
            };
            // Before any checkpoint passes them.
            self.post(privileged);
            // Saved at once, so that a crash does not make it news again.
            let told = !news.is_empty() && super::news::tell(news, wall());
            if Instant::now() >= next_ask {
                next_ask = Instant::now() + ASK_EVERY;
            }
            if let Some((lease, namespace)) = wanted {
                self.lookups.want(lease, namespace);
            }
            self.shared.progressed(progress, front);
            if mounts != self.mounts {
                // A mount that the API was not asked about yet, unless the API just told it.
                self.shared.board.want_inventory();
                self.mounts = mounts;
            }
            if role_writes != self.role_writes {
                self.shared.board.want_roles_told();
                self.role_writes = role_writes;
            }
            if Instant::now() >= due || notices != self.notices || told {
                // A full disk now is no reason to stop counting.
                let began = Instant::now();
                let _ = self.save(false);
                // However much there is to write, it takes no more than a small part of the time.
                due = Instant::now() + self.every.max(began.elapsed() * REST_OF_SAVING);
                self.notices = notices;
            }
            match progress {
                Progress::Busy => {}
                // The bell rings with every line then; it is not waited for.
                Progress::Settling => std::thread::sleep(SETTLING),
                Progress::Idle | Progress::Done => self.bell.wait(IDLE),
            }
        }
        self.save(true)
    }

    /// Puts uses of rights where they wait for whoever collects them.
    fn post(&self, (mut uses, lost): (Vec<PrivilegedUse>, u64)) {
        let Some(outbox) = &self.outbox else { return };
        let now = wall();
        uses.retain(|used| !super::news::is_history(used.at, now));
        if !uses.is_empty() || lost > 0 {
            push::post(outbox, &uses, lost);
        }
    }

    /// Writes a checkpoint if there is something new in it: of a quiet log only time has passed, which is new at the
    /// end alone, so that the next process begins with what this one has shown.
    fn save(&mut self, at_the_end: bool) -> anyhow::Result<()> {
        // Looked at before the positions are taken: what is older then, those in the live file are past.
        let older: Vec<_> = self.spools.iter().map(|(_, live)| Older::of(live)).collect();
        let (reached, saving, read, notices) = {
            let pipeline = self.shared.pipeline();
            // A checkpoint of some seconds after a rotation may still look back at the file before:
            // what is left to delete is a reason for another one.
            let all_deleted = older.iter().all(|older| older.as_ref().is_ok_and(Older::is_empty));
            let reached = (pipeline.applied(), pipeline.front());
            let is_new = |saved: (u64, Timestamp)| saved.0 != reached.0 || at_the_end && saved.1 != reached.1;
            if !self.saved.is_none_or(is_new) && all_deleted {
                self.shared.saved(wall());
                return Ok(());
            }
            let position = |name: &String| {
                pipeline.inputs().iter().find(|input| input.name == *name).map(Input::position)
            };
            let read: Vec<_> = self.spools.iter().map(|(name, _)| position(name)).collect();
            (reached, pipeline.save()?, read, notices(&pipeline))
        };
        if let Err(error) = self.checkpoint.save(saving.pieces()) {
            tracing::error!(%error, "The checkpoint was not saved; the one before it stands, and more is read again after a restart");
            return Err(error.into());
        }
        self.saved = Some(reached);
        self.shared.noticed(notices);
        self.shared.saved(wall());
        for (older, read) in older.into_iter().zip(read) {
            let is_live = |older: &Older| read.as_ref().is_some_and(|read| is_in(read, older.live()));
            let deleted = older.and_then(|older| if is_live(&older) { older.delete() } else { Ok(()) });
            if let Err(error) = deleted {
                tracing::warn!(%error, "What is counted could not be deleted; look at the rights of the state folder");
            }
        }
        Ok(())
    }
}

/// The time of the last line that one of Vault's logs has told.
fn told(pipeline: &Pipeline) -> Timestamp {
    let logs = pipeline.inputs().iter().filter(|input| input.lines != Lines::Observations);
    logs.filter_map(|input| input.stats().last_entry).max().unwrap_or(Timestamp::MIN)
}

/// Reading has come to the file with this device and inode, and is done with those before it.
fn is_in(position: &Position, (dev, ino): (u64, u64)) -> bool {
    let id = FileId { dev, ino };
    position.late.is_none() && position.file.as_ref().is_some_and(|file| file.id == id)
}
