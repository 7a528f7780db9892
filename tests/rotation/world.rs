//! A world of one log: its folder, its writer and a tail of it. Files bear the times of a clock
//! of their own, so that tests neither wait nor depend on how fine the file system's clock is.

use leasewatch::source::{LineSource, LogPath, Notice, Position, Step, Tail, TailOptions, expand};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// What a sibling is compressed to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Gzip,
    Zstd,
}

/// Which position a restart uses.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    /// Of the last step: its line comes again.
    Last,
    /// Of the step after it.
    Next,
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) options: TailOptions,
    pub(crate) log: LogPath,
    pub(crate) tail: Tail,
    pub(crate) now: Instant,
    pub(crate) lines: Vec<String>,
    pub(crate) notices: Vec<Notice>,
    writer: Option<File>,
    last: Option<Step>,
    clock: u64,
}

impl World {
    /// A tail of the path `audit.log`, which does not exist yet.
    pub(crate) fn new() -> Self {
        Self::with(TailOptions::default(), false)
    }

    pub(crate) fn with(options: TailOptions, glob: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let name = if glob { "audit.log*" } else { "audit.log" };
        let pattern = dir.path().join(name);
        let log = expand(pattern.to_str().unwrap()).unwrap().remove(0);
        Self {
            tail: Tail::new(log.clone(), options.clone(), None),
            dir,
            options,
            log,
            now: Instant::now(),
            lines: Vec::new(),
            notices: Vec::new(),
            writer: None,
            last: None,
            clock: 1_700_000_000,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn live(&self) -> PathBuf {
        self.path("audit.log")
    }

    fn stamp(&mut self, file: &File) {
        self.clock += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.clock);
        file.set_modified(time).unwrap();
    }

    // The writer

    /// Vault's reopening: the path, whatever it names now.
    pub(crate) fn reopen(&mut self) {
        let open = OpenOptions::new().append(true).create(true).open(self.live());
        let file = open.unwrap();
        if file.metadata().unwrap().len() == 0 {
            self.stamp(&file);
        }
        self.writer = Some(file);
    }

    pub(crate) fn append(&mut self, text: impl AsRef<[u8]>) {
        if self.writer.is_none() {
            self.reopen();
        }
        let mut writer = self.writer.take().unwrap();
        writer.write_all(text.as_ref()).unwrap();
        self.stamp(&writer);
        self.writer = Some(writer);
    }

    pub(crate) fn writes_to(&self, path: &Path) -> bool {
        match (&self.writer, fs::metadata(path)) {
            (Some(writer), Ok(file)) => writer.metadata().unwrap().ino() == file.ino(),
            _ => false,
        }
    }

    /// Gives it the time of the clock.
    pub(crate) fn touch(&mut self, path: &Path) {
        self.stamp(&OpenOptions::new().write(true).open(path).unwrap());
    }

    // What logrotate does

    fn siblings(&self, number: u32) -> Vec<PathBuf> {
        ["", ".gz", ".zst"]
            .map(|end| self.path(&format!("audit.log.{number}{end}")))
            .into_iter()
            .filter(|path| path.exists())
            .collect()
    }

    fn shift(&mut self) {
        for number in (1..100).rev() {
            for path in self.siblings(number) {
                let name = path.file_name().unwrap().to_str().unwrap();
                let end = name.strip_prefix(&format!("audit.log.{number}")).unwrap();
                let to = self.path(&format!("audit.log.{}{end}", number + 1));
                fs::rename(path, to).unwrap();
            }
        }
    }

    pub(crate) fn rename(&mut self) {
        if self.live().exists() {
            self.shift();
            fs::rename(self.live(), self.path("audit.log.1")).unwrap();
        }
    }

    pub(crate) fn create(&mut self) {
        if !self.live().exists() {
            let file = File::create(self.live()).unwrap();
            self.stamp(&file);
        }
    }

    pub(crate) fn copy(&mut self) {
        self.shift();
        fs::copy(self.live(), self.path("audit.log.1")).unwrap();
        let copy = OpenOptions::new().write(true).open(self.path("audit.log.1"));
        self.stamp(&copy.unwrap());
    }

    pub(crate) fn truncate(&mut self) {
        let file = OpenOptions::new().write(true).open(self.live()).unwrap();
        file.set_len(0).unwrap();
        self.stamp(&file);
    }

    pub(crate) fn copy_truncate(&mut self) {
        if self.live().exists() {
            self.copy();
            self.truncate();
        }
    }

    /// Compresses a sibling as `gzip` and `zstd --rm` do.
    #[allow(clippy::unused_self)] // reads like the other things that are done to a world
    pub(crate) fn compress(&self, path: &Path, format: Format) -> PathBuf {
        let bytes = fs::read(path).unwrap();
        let modified = fs::metadata(path).unwrap().modified().unwrap();
        let (end, bytes) = match format {
            Format::Gzip => (".gz", gzip(&bytes)),
            Format::Zstd => (".zst", zstd::encode_all(&bytes[..], 1).unwrap()),
        };
        let name = path.file_name().unwrap().to_str().unwrap();
        let to = path.with_file_name(format!("{name}{end}"));
        let mut file = File::create(&to).unwrap();
        file.write_all(&bytes).unwrap();
        file.set_modified(modified).unwrap();
        fs::remove_file(path).unwrap();
        to
    }

    // The reader

    /// Takes up to `lines` lines; fewer if there are no more. Says whether there were.
    pub(crate) fn poll(&mut self, lines: usize) -> bool {
        let mut line = Vec::new();
        let mut taken = 0;
        while taken < lines {
            let before = self.tail.next_position();
            let step = self.tail.next(self.now, &mut line);
            match step {
                Step::Line => {
                    self.lines.push(String::from_utf8(line.clone()).unwrap());
                    taken += 1;
                }
                Step::Notice(notice) => self.notices.push(notice),
                Step::Idle => {}
                Step::End => panic!("a live log has no end"),
            }
            if step != Step::Idle && self.tail.position().offset != 0 {
                assert_eq!(self.tail.position().offset, before.offset, "{step:?}");
            }
            let idle = step == Step::Idle;
            self.last = Some(step);
            if idle {
                return false;
            }
        }
        true
    }

    pub(crate) fn drain(&mut self) {
        assert!(!self.poll(1_000_000), "it never comes to an end");
    }

    /// Reads all there is; those are the lines expected.
    #[track_caller]
    pub(crate) fn expect(&mut self, lines: &[&str]) {
        self.drain();
        assert_eq!(self.lines, lines, "status {:?}", self.tail.status());
        self.lines.clear();
    }

    /// The notices since last asked.
    pub(crate) fn told(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Ends the tail and begins it anew, as a new process would.
    pub(crate) fn restart(&mut self, from: From) {
        let position = match from {
            From::Next => self.tail.next_position(),
            From::Last => {
                if self.last == Some(Step::Line) {
                    self.lines.pop();
                }
                self.tail.position()
            }
        };
        let json = serde_json::to_string(&position).unwrap();
        let position: Position = serde_json::from_str(&json).unwrap();
        self.tail = Tail::new(self.log.clone(), self.options.clone(), Some(position));
        self.last = None;
    }

    /// Begins anew without a position.
    pub(crate) fn restart_first(&mut self) {
        self.tail = Tail::new(self.log.clone(), self.options.clone(), None);
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
