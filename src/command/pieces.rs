//! The pieces of finished logs: which files are one log, and in which order. Names do not tell
//! that, but the times of their lines do.

use crate::config::LogKind;
use crate::event::Timestamp;
use crate::pipeline::{Ahead, Input, Lines, Pipeline, Progress};
use crate::source::{self, Archive, Container};
use crate::state::Limits;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

/// Lines that are read between two looks at what came of them.
const BATCH: usize = 10_000;
/// Where no line tells a time.
const NEVER: Timestamp = Timestamp::from_nanos(i64::MAX);

/// One input for each log, read ahead: its rotated files in the order of their time. `read` hears
/// how many bytes of the files are read.
///
/// # Errors
/// A file that cannot be opened.
pub(super) fn open(
    kind: LogKind,
    files: &[String],
    max_line_bytes: usize,
    ahead: &Arc<Ahead>,
    read: &Arc<AtomicU64>,
) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    let mut add = |name: String, pieces: Vec<source::Input>| -> anyhow::Result<()> {
        let files = pieces.iter().map(source::Input::name).collect();
        let archive = Archive::new(pieces, max_line_bytes)?.telling(read);
        let lines = Container::new(archive, None, max_line_bytes);
        inputs.push(Input::finished(name, Lines::Log(kind), Box::new(lines), files, ahead));
        Ok(())
    };
    for (log, paths) in logs(kind, files) {
        add(log.display().to_string(), paths.into_iter().map(source::Input::File).collect())?;
    }
    if files.iter().any(|file| file == "-") {
        add(
            "-".to_owned(),
            vec![source::Input::Stream("standard input".to_owned(), Box::new(std::io::stdin()))],
        )?;
    }
    Ok(inputs)
}

/// The time of the last line of these logs; nothing where none tells one. Of a rotated log only the
/// last piece is read.
///
/// # Errors
/// A file that cannot be opened.
pub(super) fn last_time(
    kind: LogKind,
    files: &[String],
    max_line_bytes: usize,
) -> anyhow::Result<Option<Timestamp>> {
    let mut last = None;
    for (_, paths) in logs(kind, files) {
        for path in paths.iter().rev() {
            let mut pipeline = alone(kind, path, max_line_bytes)?;
            while pipeline.run(Instant::now(), Timestamp::MIN, NEVER, BATCH) != Progress::Done {}
            if pipeline.front() > Timestamp::MIN {
                last = last.max(Some(pipeline.front()));
                break;
            }
        }
    }
    Ok(last)
}

/// The files of each log in the order of their time.
fn logs(kind: LogKind, files: &[String]) -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let mut logs: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for path in files.iter().filter(|file| *file != "-").map(PathBuf::from) {
        logs.entry(source::log_of(&path)).or_default().push(path);
    }
    for paths in logs.values_mut().filter(|paths| paths.len() > 1) {
        paths.sort_by_cached_key(|path| first_time(kind, path));
    }
    logs
}

/// The time of the first line of a file that has one; files without any come last.
fn first_time(kind: LogKind, path: &Path) -> Timestamp {
    const LOOK_AT: usize = 1_000;
    let Ok(mut pipeline) = alone(kind, path, 32 << 20) else { return NEVER };
    for _ in 0..LOOK_AT {
        let progress = pipeline.run(Instant::now(), Timestamp::MIN, NEVER, 1);
        if pipeline.front() > Timestamp::MIN {
            return pipeline.front();
        }
        if progress == Progress::Done {
            break;
        }
    }
    NEVER
}

/// A pipeline that counts nothing, over one file.
fn alone(kind: LogKind, path: &Path, max_line_bytes: usize) -> anyhow::Result<Pipeline> {
    let archive = Archive::new(vec![source::Input::File(path.to_owned())], max_line_bytes)?;
    let lines = Container::new(archive, None, max_line_bytes);
    let input = Input::new("", Lines::Log(kind), Box::new(lines));
    Ok(Pipeline::new(Limits::NONE, vec![input]))
}
