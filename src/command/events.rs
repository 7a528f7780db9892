//! A recording: the events of finished logs in a Parquet file, as the logs are read for a report. The file
//! has its name once it is whole, and is its owner's alone: it names clients.

use super::period::Period;
use crate::event::Event;
use crate::report::Narrow;
use crate::report::events::Events;
use crate::story::{Register, Registered};
use anyhow::Context;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;

/// A file of events that is being made.
pub(super) struct Recording<'a> {
    path: PathBuf,
    narrow: &'a Narrow,
    period: Period,
    register: Register,
    events: Events<BufWriter<NamedTempFile>>,
    /// What came of the first write that failed.
    failed: Option<anyhow::Error>,
}

impl<'a> Recording<'a> {
    /// Begins one beside the path that it will have.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub(super) fn new(path: &Path, narrow: &'a Narrow, period: Period) -> anyhow::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(".leasewatch-").tempfile_in(folder);
        let file = file.with_context(|| cannot(path))?;
        let events = Events::new(BufWriter::with_capacity(BUFFER, file)).with_context(|| cannot(path))?;
        let register = Register::default();
        Ok(Self { path: path.to_owned(), narrow, period, register, events, failed: None })
    }

    /// Hears of the next event, out of the source at that place.
    pub(super) fn hear(&mut self, source: usize, event: &Event) {
        for registered in self.register.hear(source, event) {
            self.put(&registered);
        }
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// A file that could not be written, then or before.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        for registered in self.register.end() {
            self.put(&registered);
        }
        if let Some(error) = self.failed {
            return Err(error);
        }
        let whole = || -> anyhow::Result<u64> {
            let (rows, file) = self.events.finish()?;
            file.into_inner().map_err(std::io::IntoInnerError::into_error)?.persist(&self.path)?;
            Ok(rows)
        };
        let rows = whole().with_context(|| cannot(&self.path))?;
        tracing::info!(file = %self.path.display(), rows, "Wrote the events. The file names clients: keep it as you keep the logs");
        Ok(())
    }

    fn put(&mut self, event: &Registered) {
        let moment = &event.moment;
        let is_of_period = self.period.since.is_none_or(|since| moment.at >= since);
        let namespace = if moment.namespace.is_empty() { "root" } else { &moment.namespace };
        let is_of_part = self.narrow.holds(namespace, &moment.mount, &moment.role)
            && (event.namespace_is_known || self.narrow.namespace.is_none());
        if !is_of_period || !is_of_part || self.failed.is_some() {
            return;
        }
        if let Err(error) = self.events.put(event) {
            self.failed = Some(anyhow::Error::new(error).context(cannot(&self.path)));
        }
    }
}

fn cannot(path: &Path) -> String {
    format!(
        "--events: cannot write {}: name a file in a folder with room, that you may write to",
        path.display()
    )
}
