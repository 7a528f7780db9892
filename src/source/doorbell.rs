//! The doorbell: says when it may be worth looking at the logs again. The one place that knows
//! linemux, of which only the events are used; what they say does not matter.
//!
//! Not every file system rings (NFS and overlays do not), the kernel may refuse to watch, and a
//! bell whose files and folder are gone is dead. So there is a tick as well, which suffices alone.

use linemux::MuxedEvents;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How often to look where the bell works.
const TICK: Duration = Duration::from_secs(1);
/// How often to look where it does not.
const DEAD_TICK: Duration = Duration::from_millis(250);
/// How often to try to revive it.
const REVIVE: Duration = Duration::from_secs(10);
/// Many rings at once are one: a busy writer rings a thousand times a second.
const PAUSE: Duration = Duration::from_millis(20);

/// Says when it may be worth looking again.
#[derive(Debug)]
pub struct Doorbell {
    paths: Vec<PathBuf>,
    tick: Duration,
    bell: Option<MuxedEvents>,
    revive_at: Instant,
    /// Whether it was told that the kernel refuses.
    told: bool,
}

impl Doorbell {
    /// Watches these files, which need not exist.
    pub async fn new(paths: Vec<PathBuf>) -> Self {
        Self::with_tick(paths, TICK).await
    }

    /// The same with another tick.
    pub async fn with_tick(paths: Vec<PathBuf>, tick: Duration) -> Self {
        let mut doorbell = Self { paths, tick, bell: None, revive_at: Instant::now(), told: false };
        doorbell.revive().await;
        doorbell
    }

    /// Watches other files from now on.
    pub async fn watch(&mut self, paths: Vec<PathBuf>) {
        if self.paths != paths {
            self.paths = paths;
            self.revive().await;
        }
    }

    /// Comes back when a file may have changed, and after a tick at the latest. May be dropped
    /// before it does.
    pub async fn ring(&mut self) {
        let Some(bell) = &mut self.bell else {
            sleep(DEAD_TICK.min(self.tick)).await;
            if Instant::now() >= self.revive_at {
                self.revive().await;
            }
            return;
        };
        let tick = Instant::now() + self.tick;
        tokio::select! {
            event = bell.next_event() => {
                if let Ok(Some(_)) = event {
                    sleep_until((Instant::now() + PAUSE).min(tick)).await;
                    self.hush();
                } else {
                    // It watches nothing any more and would say so for ever.
                    self.bell = None;
                    sleep(DEAD_TICK.min(self.tick)).await;
                }
            }
            // Files that were renamed or created may have escaped it.
            () = sleep_until(tick) => self.add().await,
        }
    }

    /// Takes the rings that piled up, without waiting. For a reader that is long at work: the
    /// queue has no bound, and half a million writes are 50 MB.
    pub fn hush(&mut self) {
        let mut waiting = Context::from_waker(Waker::noop());
        while let Some(bell) = &mut self.bell {
            // Unconstrained, because tokio would pretend an empty queue after 128 rings.
            let polled = {
                let event = pin!(tokio::task::unconstrained(bell.next_event()));
                event.poll(&mut waiting)
            };
            match polled {
                Poll::Ready(Ok(Some(_))) => {}
                Poll::Ready(_) => self.bell = None,
                Poll::Pending => return,
            }
        }
    }

    async fn revive(&mut self) {
        self.revive_at = Instant::now() + REVIVE;
        match MuxedEvents::new() {
            Ok(bell) => {
                self.told = false;
                self.bell = Some(bell);
                self.add().await;
            }
            Err(error) if !self.told => {
                self.told = true;
                tracing::warn!(
                    %error,
                    "The kernel refuses to watch files; they are looked at every 250 ms instead, and nothing is \
                     lost. To have them watched, raise fs.inotify.max_user_instances, or the limit of open files"
                );
            }
            Err(_) => {}
        }
    }

    async fn add(&mut self) {
        let mut watched = 0;
        if let Some(bell) = &mut self.bell {
            for path in &self.paths {
                // Fails while the folder is missing; one that is watched already is left alone.
                watched += usize::from(bell.add_file(path).await.is_ok());
            }
        }
        if watched == 0 {
            self.bell = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{OpenOptions, create_dir, rename, write};
    use std::io::Write;
    use tokio::time::timeout;

    const NEVER: Duration = Duration::from_secs(3600);
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn it_rings_when_a_line_comes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        write(&path, "one\n").unwrap();
        let mut bell = Doorbell::with_tick(vec![path.clone()], NEVER).await;
        for _ in 0..3 {
            let mut file = OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(b"more\n").unwrap();
            timeout(LONG, bell.ring()).await.expect("no ring");
            bell.hush();
        }
    }

    #[tokio::test]
    async fn it_rings_when_a_file_comes_into_being_or_arrives() {
        let dir = tempfile::tempdir().unwrap();
        let created = dir.path().join("audit.log");
        let mut bell = Doorbell::with_tick(vec![created.clone()], NEVER).await;
        write(&created, "one\n").unwrap();
        timeout(LONG, bell.ring()).await.expect("no ring for a new file");
        let moved = dir.path().join("moved.log");
        let mut bell = Doorbell::with_tick(vec![moved.clone()], NEVER).await;
        rename(&created, &moved).unwrap();
        timeout(LONG, bell.ring()).await.expect("no ring for a moved file");
    }

    // Time stands still in the next two but for the sleeps: they need no patience.

    #[tokio::test(start_paused = true)]
    async fn a_quiet_log_costs_one_look_a_tick() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        write(&path, "one\n").unwrap();
        let mut bell = Doorbell::new(vec![path]).await;
        let begun = Instant::now();
        for _ in 0..10 {
            bell.ring().await;
        }
        assert!(begun.elapsed() >= 10 * TICK, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_bell_does_not_spin_and_comes_to_life_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("vault");
        let mut bell = Doorbell::new(vec![folder.join("audit.log")]).await;
        assert!(bell.bell.is_none());
        let begun = Instant::now();
        for _ in 0..4 {
            bell.ring().await;
        }
        assert!(begun.elapsed() >= 4 * DEAD_TICK, "{:?}", begun.elapsed());
        create_dir(&folder).unwrap();
        while bell.bell.is_none() {
            bell.ring().await;
            assert!(begun.elapsed() < 3 * REVIVE, "it stayed dead");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_folder_that_vanishes_kills_it_quietly() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("vault");
        create_dir(&folder).unwrap();
        write(folder.join("audit.log"), "one\n").unwrap();
        let mut bell = Doorbell::new(vec![folder.join("audit.log")]).await;
        std::fs::remove_dir_all(&folder).unwrap();
        let begun = Instant::now();
        for _ in 0..20 {
            bell.ring().await;
        }
        // Some rings tell of the end itself.
        assert!(begun.elapsed() >= 10 * PAUSE, "{:?}", begun.elapsed());
    }
}
