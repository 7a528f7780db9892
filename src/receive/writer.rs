//! The writer: takes lines from the queue to the spool. It alone waits for the disk: while that
//! takes nothing, lines wait in the queue, and are dropped where it is full.

use super::queue::Queue;
use super::tally::{Dropped, Tally};
use crate::source::LOST;
use crate::store::Spool;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Most bytes of one write, but for one longer line.
const PIECE: usize = 1 << 20;

/// How much is written between two looks at how much there is.
const LOOK_EVERY: u64 = 4 << 20;

/// How long to wait before the disk is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// One receiver's way to the disk.
pub(super) struct Writer {
    pub(super) name: String,
    pub(super) spool: Spool,
    /// Most bytes in the spool.
    pub(super) most: u64,
    pub(super) queue: Arc<Queue>,
    pub(super) tally: Arc<Tally>,
    /// Tells whoever reads the spool.
    pub(super) ring: Arc<dyn Fn() + Send + Sync>,
    /// Bytes that may be written before the spool is looked at again.
    pub(super) unseen: u64,
}

impl Writer {
    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        // What was sent while nobody received is lost, if anybody ever did.
        if self.spool.bytes().is_ok_and(|bytes| bytes > 0) {
            self.tally.lost();
            if self.append(&[]).is_ok() {
                (self.ring)();
            }
        }
        let mut batch = Vec::new();
        while let Some(number) = self.queue.take(&mut batch) {
            match self.keep(&batch) {
                Ok(()) => self.queue.done(number),
                Err((why, lost)) => {
                    self.tally.dropped(why, lost);
                    while self.queue.take(&mut batch).is_some() {
                        self.tally.dropped(why, count(&batch));
                    }
                }
            }
        }
    }

    /// Writes all of it, however long that takes. Gives up only at the end of the program, and says
    /// why, and how many lines are lost.
    fn keep(&mut self, mut rest: &[u8]) -> Result<(), (Dropped, u64)> {
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(piece(rest));
            match self.append(piece) {
                Ok(()) => {
                    self.recovered();
                    (self.ring)();
                    rest = behind;
                }
                Err(stall) => {
                    self.stalls(&stall);
                    if self.queue.closes_within(TRY_AGAIN) {
                        // Once more, and no more than that: the program is asked to end.
                        return self.append(rest).map_err(|stall| (stall.why(), count(rest)));
                    }
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), Stall> {
        if self.unseen < lines.len() as u64 {
            self.unseen = 0;
            let bytes = self.spool.bytes().map_err(Stall::Unwritable)?;
            if bytes + lines.len() as u64 > self.most {
                return Err(Stall::SpoolFull);
            }
            self.unseen = LOOK_EVERY.min(self.most - bytes);
        }
        if self.tally.take_lost()
            && let Err(error) = self.spool.append(LOST)
        {
            self.tally.lost();
            return Err(Stall::Unwritable(error));
        }
        self.spool.append_lines(lines).map_err(Stall::Unwritable)?;
        self.unseen = self.unseen.saturating_sub(lines.len() as u64);
        Ok(())
    }

    fn stalls(&self, stall: &Stall) {
        self.queue.stall(Some(stall.why()));
        if self.tally.trouble().is_none() {
            let text = stall.text();
            tracing::error!(source = %self.name, "{text}");
            self.tally.set_trouble(Some(text));
        }
    }

    fn recovered(&self) {
        if self.tally.trouble().is_some() {
            self.queue.stall(None);
            self.tally.set_trouble(None);
            tracing::info!(source = %self.name, "Lines that are received can be kept again");
        }
    }
}

/// Why nothing can be written now.
enum Stall {
    SpoolFull,
    Unwritable(io::Error),
}

impl Stall {
    fn why(&self) -> Dropped {
        match self {
            Self::SpoolFull => Dropped::SpoolFull,
            Self::Unwritable(_) => Dropped::Unwritable,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::SpoolFull => {
                "As much as receive.spool_limit allows waits to be counted: lines that come are dropped \
                                once the buffer is full. See leasewatch_catching_up, or raise the limit"
                    .to_owned()
            }
            Self::Unwritable(error) => format!(
                "Lines that are received cannot be kept ({error}), and are dropped once the buffer is full: make \
                 room in the state folder"
            ),
        }
    }
}

fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

/// Length of the first whole lines that are written at once.
fn piece(lines: &[u8]) -> usize {
    let first = &lines[..lines.len().min(PIECE)];
    let end = memchr::memrchr(b'\n', first).or_else(|| memchr::memchr(b'\n', lines));
    end.map_or(lines.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_piece_is_whole_lines() {
        assert_eq!(piece(b"a\nb\n"), 4);
        let long = [vec![b'x'; PIECE + 5], b"\ny\n".to_vec()].concat();
        assert_eq!(piece(&long), PIECE + 6);
    }

    #[test]
    fn a_full_spool_is_a_reason_and_nothing_is_lost_of_what_has_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let spool = Spool::open(&store, "received-x").unwrap();
        let path = spool.path().to_owned();
        let (queue, tally) = (Arc::new(Queue::new(100)), Arc::<Tally>::default());
        let writer = Writer {
            name: "x".into(),
            spool,
            most: 12,
            queue: Arc::clone(&queue),
            tally: Arc::clone(&tally),
            ring: Arc::new(|| {}),
            unseen: 0,
        };
        queue.push(b"one").unwrap();
        queue.push(b"two").unwrap();
        let thread = std::thread::spawn(move || writer.run());
        while std::fs::read(&path).unwrap() != b"one\ntwo\n" {
            std::thread::yield_now();
        }
        queue.push(b"three and more").unwrap();
        while tally.trouble().is_none() {
            std::thread::yield_now();
        }
        assert!(tally.trouble().unwrap().contains("receive.spool_limit"));
        while queue.push(&[b'x'; 50]).is_ok() {}
        assert_eq!(queue.push(&[b'x'; 99]), Err(Dropped::SpoolFull));
        queue.close();
        thread.join().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        assert_eq!(tally.all_dropped()[Dropped::SpoolFull as usize], 2);
    }
}
