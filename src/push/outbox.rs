//! The outbox: security events that wait for their receiver, in a file of bounded size. An event is in it
//! before a checkpoint passes what it is about, so that a kill loses none; what was taken is crossed out.

use super::board::Board;
use super::ocsf;
use super::privacy::Pseudonyms;
use super::target::{Outcome, Target};
use crate::anomaly::{Episode, EpisodeId};
use crate::event::PrivilegedUse;
use crate::store::{Journal, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;

/// Events that may wait; of more, the oldest are given up.
const EVENTS_MOST: usize = 20_000;
/// Bytes of them.
const BYTES_MOST: usize = 16 << 20;
/// What is crossed out is removed from the file when it has come to this many bytes.
const FILE_MOST: u64 = 1 << 20;

/// Events that wait.
#[derive(Debug)]
pub struct Outbox {
    journal: Journal,
    names: Arc<Pseudonyms>,
    board: Board,
    waiting: VecDeque<String>,
    bytes: usize,
    /// The last stage of every episode that may still change.
    told: BTreeMap<EpisodeId, String>,
}

/// A line of its file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// One more.
    Event(Value),
    /// So many of the oldest are gone.
    Gone(usize),
    /// An episode's last stage, or that it will not change any more.
    Told(EpisodeId, Option<String>),
}

impl Outbox {
    pub(super) fn open(store: &Store, names: Arc<Pseudonyms>, board: Board) -> Result<Self, StoreError> {
        let (journal, lines) = Journal::open(store, "push-events")?;
        let mut outbox =
            Self { journal, names, board, waiting: VecDeque::new(), bytes: 0, told: BTreeMap::new() };
        for line in lines.iter().filter_map(|line| serde_json::from_str(line).ok()) {
            match line {
                Line::Event(event) => outbox.wait(event.to_string()),
                Line::Gone(times) => outbox.forget(times),
                Line::Told(id, Some(stage)) => _ = outbox.told.insert(id, stage),
                Line::Told(id, None) => _ = outbox.told.remove(&id),
            }
        }
        Ok(outbox)
    }

    /// Privileged operations, and how many more were lost. On the disk when this returns.
    ///
    /// # Errors
    /// That they are only in memory.
    pub fn take(&mut self, uses: &[PrivilegedUse], lost: u64) -> io::Result<()> {
        if lost > 0 {
            self.board.count(Target::OneUptimeSecurityEvents, Outcome::Dropped, lost);
        }
        let events: Vec<_> = uses.iter().map(|used| ocsf::privileged(used, &self.names)).collect();
        let mut written = Ok(());
        for event in events {
            written = written.and(self.add(&event));
        }
        written.and_then(|()| self.journal.sync())
    }

    /// Episodes as they are now: those that stand elsewhere than they did are events.
    pub(super) fn take_episodes(&mut self, episodes: &[Episode]) -> io::Result<()> {
        for episode in episodes {
            let stage = ocsf::stage(episode);
            if self.told.get(&episode.id) == Some(&stage) {
                continue;
            }
            let event = ocsf::episode(episode, &self.names);
            self.add(&event)?;
            self.write(&Line::Told(episode.id, Some(stage.clone())))?;
            self.told.insert(episode.id, stage);
        }
        Ok(())
    }

    /// Episodes that may have changed although they are not new.
    pub(super) fn open_episodes(&self) -> Vec<EpisodeId> {
        self.told.iter().filter(|(_, stage)| !stage.contains("closed")).map(|(id, _)| *id).collect()
    }

    /// Forgets episodes that are over, but for these.
    pub(super) fn keep_episodes(&mut self, recent: &[EpisodeId]) -> io::Result<()> {
        let is_past = |(id, stage): (&EpisodeId, &String)| {
            (stage.contains("closed") && !recent.contains(id)).then_some(*id)
        };
        let past: Vec<_> = self.told.iter().filter_map(is_past).collect();
        for id in past {
            self.forget_episode(id)?;
        }
        Ok(())
    }

    /// Forgets an episode that is not there any more.
    pub(super) fn forget_episode(&mut self, id: EpisodeId) -> io::Result<()> {
        self.told.remove(&id);
        self.write(&Line::Told(id, None))
    }

    /// The oldest events that together have no more bytes and are no more than that; at least one, if any waits.
    pub(super) fn oldest(&self, most: usize, bytes_most: usize) -> Vec<String> {
        let mut bytes = 0;
        let fits = |event: &&String| {
            bytes += event.len() + 1;
            bytes == event.len() + 1 || bytes <= bytes_most
        };
        self.waiting.iter().take(most).take_while(fits).cloned().collect()
    }

    /// So many of the oldest need not wait any more.
    pub(super) fn done(&mut self, times: usize) -> io::Result<()> {
        self.forget(times);
        if self.journal.size() > FILE_MOST
            || (self.waiting.is_empty() && self.journal.size() > FILE_MOST / 16)
        {
            let events = self.waiting.iter().map(|event| format!("{{\"event\":{event}}}"));
            let told = self.told.iter().map(|(id, stage)| {
                serde_json::to_string(&Line::Told(*id, Some(stage.clone()))).unwrap_or_default()
            });
            return self.journal.rewrite(told.chain(events));
        }
        self.write(&Line::Gone(times))
    }

    fn add(&mut self, event: &Value) -> io::Result<()> {
        let before = self.waiting.len();
        let text = event.to_string();
        let written = self.journal.append(&format!("{{\"event\":{text}}}"));
        self.wait(text);
        let given_up = before + 1 - self.waiting.len();
        if given_up > 0 {
            let times = given_up as u64;
            self.board.count(Target::OneUptimeSecurityEvents, Outcome::Dropped, times);
        }
        written
    }

    /// At the end; the oldest make room. Reading the file again comes to the same.
    fn wait(&mut self, event: String) {
        self.bytes += event.len();
        self.waiting.push_back(event);
        while self.waiting.len() > EVENTS_MOST || self.bytes > BYTES_MOST {
            self.forget(1);
        }
    }

    fn forget(&mut self, times: usize) {
        for event in self.waiting.drain(..times.min(self.waiting.len())) {
            self.bytes -= event.len();
        }
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        self.journal.append(&serde_json::to_string(line)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Privacy;
    use crate::event::{Privileged, RequestId, Timestamp};

    fn used(number: u128) -> PrivilegedUse {
        PrivilegedUse {
            at: Timestamp::from_secs(7),
            operation: Privileged::PolicyWrite,
            outcome: "ok",
            namespace: "".into(),
            mount: "sys/".into(),
            object: "app".into(),
            who: None,
            source: Some("192.0.2.7".parse().unwrap()),
            request: Some(RequestId(number)),
        }
    }

    #[test]
    fn what_waits_outlives_a_kill_and_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let names = Arc::new(Pseudonyms::open(Privacy::Pseudonymous, None, &store).unwrap());
        let board = Board::open(&store).unwrap();
        board.add(Target::OneUptimeSecurityEvents, "http://x");
        let open = || Outbox::open(&store, Arc::clone(&names), board.clone()).unwrap();
        let mut outbox = open();
        outbox.take(&[used(1), used(2), used(3)], 0).unwrap();
        let first = outbox.oldest(1, 1);
        assert_eq!(first.len(), 1, "one goes however large it is");
        assert!(first[0].contains("policy_write") && !first[0].contains("192.0.2.7"), "{}", first[0]);
        outbox.done(1).unwrap();
        let mut outbox = open();
        let waiting = outbox.oldest(10, 1 << 20);
        assert_eq!(waiting.len(), 2);
        assert_ne!(waiting[0], waiting[1]);
        let many: Vec<_> = (10..10 + EVENTS_MOST as u128).map(used).collect();
        outbox.take(&many, 5).unwrap();
        assert_eq!(outbox.waiting.len(), EVENTS_MOST.min(outbox.waiting.len()));
        assert!(outbox.bytes <= BYTES_MOST);
        let given_up = 2 + EVENTS_MOST - outbox.waiting.len() + 5;
        assert_eq!(board.report()[0].undelivered, given_up as u64);
        let again = open();
        assert_eq!(again.waiting, outbox.waiting);
        while !outbox.waiting.is_empty() {
            let times = outbox.oldest(500, 900_000).len();
            outbox.done(times).unwrap();
        }
        assert!(outbox.journal.size() < FILE_MOST);
        assert!(open().waiting.is_empty());
    }
}
