//! Changes: the values of many series over many moments, of which only those are kept that are not
//! what they were a moment before. Beyond some megabytes they are in a temporary file without a name.

use std::collections::HashMap;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use tempfile::SpooledTempFile;

/// Bytes that stay in memory.
const IN_MEMORY: usize = 32 << 20;
/// Bytes of one change: series, moment, value.
const BYTES: usize = 16;
/// In the place of a value: from this moment on there is none. No value is this one, of all that are not a number.
const GONE: u64 = 0x7ff0_0000_0000_0002;

/// A series, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SeriesId(u32);

/// All of them, in the order of time.
pub(super) struct Changes {
    file: BufWriter<SpooledTempFile>,
    /// Of each series, by its number.
    last: Vec<Last>,
    /// Moments so far.
    moments: u32,
}

/// What a series was last.
#[derive(Clone, Copy)]
struct Last {
    bits: u64,
    /// The moment at which it was there last.
    seen: u32,
    changes: usize,
}

/// The values of a series: each from a moment on, until the next one.
#[derive(Debug, Default)]
pub(super) struct Runs(Vec<(u32, u64)>);

impl Changes {
    pub(super) fn new() -> Self {
        let file = BufWriter::with_capacity(1 << 16, SpooledTempFile::new(IN_MEMORY));
        Self { file, last: Vec::new(), moments: 0 }
    }

    /// Begins a moment.
    pub(super) fn moment(&mut self) {
        self.moments += 1;
    }

    /// One more series.
    pub(super) fn series(&mut self) -> SeriesId {
        let id = SeriesId(u32::try_from(self.last.len()).unwrap_or(u32::MAX));
        self.last.push(Last { bits: GONE, seen: 0, changes: 0 });
        id
    }

    /// What a series is at this moment.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn add(&mut self, id: SeriesId, value: f64) -> io::Result<()> {
        let now = self.moments;
        let last = &mut self.last[id.0 as usize];
        last.seen = now;
        if last.bits == value.to_bits() {
            return Ok(());
        }
        last.bits = value.to_bits();
        last.changes += 1;
        record(&mut self.file, id.0, now, value.to_bits())
    }

    /// Nothing more comes of this moment: what has not come is gone.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn end_of_moment(&mut self) -> io::Result<()> {
        for (id, last) in (0u32..).zip(&mut self.last) {
            if last.seen < self.moments && last.bits != GONE {
                last.bits = GONE;
                last.changes += 1;
                record(&mut self.file, id, self.moments, GONE)?;
            }
        }
        Ok(())
    }

    /// How many changes there are of a series.
    pub(super) fn count(&self, id: SeriesId) -> usize {
        self.last.get(id.0 as usize).map_or(0, |last| last.changes)
    }

    /// A series never was anything but zero, and never was gone.
    pub(super) fn is_always_zero(&self, id: SeriesId) -> bool {
        self.last.get(id.0 as usize).is_some_and(|last| last.changes == 1 && last.bits == 0.0_f64.to_bits())
    }

    /// The values of these series. Goes through all changes once.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub(super) fn of(&mut self, ids: &[SeriesId]) -> io::Result<HashMap<SeriesId, Runs>> {
        let mut runs: HashMap<_, _> = ids.iter().map(|id| (*id, Runs::default())).collect();
        self.file.flush()?;
        let file = self.file.get_mut();
        file.rewind()?;
        let total: usize = self.last.iter().map(|last| last.changes).sum();
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut bytes = [0; BYTES];
        for _ in 0..total {
            reader.read_exact(&mut bytes)?;
            let (series, moment, bits) = parts(u128::from_le_bytes(bytes));
            if let Some(runs) = runs.get_mut(&SeriesId(series)) {
                runs.0.push((moment, bits));
            }
        }
        Ok(runs)
    }
}

impl Runs {
    /// The same over these moments: those that one value was there, and the value.
    pub(super) fn over(self, moments: &[i64]) -> impl Iterator<Item = (&[i64], f64)> {
        let ends: Vec<_> = self.0.iter().skip(1).map(|(from, _)| *from as usize - 1).collect();
        let ends = ends.into_iter().chain([moments.len()]);
        let runs = self.0.into_iter().zip(ends).filter(|((_, bits), _)| *bits != GONE);
        runs.map(|((from, bits), end)| (&moments[from as usize - 1..end], f64::from_bits(bits)))
    }
}

fn record(file: &mut impl Write, series: u32, moment: u32, bits: u64) -> io::Result<()> {
    let all = u128::from(bits) << 64 | u128::from(moment) << 32 | u128::from(series);
    file.write_all(&all.to_le_bytes())
}

#[allow(clippy::cast_possible_truncation, reason = "that is how they are taken apart")]
const fn parts(all: u128) -> (u32, u32, u64) {
    (all as u32, (all >> 32) as u32, (all >> 64) as u64)
}
