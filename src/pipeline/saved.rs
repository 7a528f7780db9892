//! What is saved of a pipeline, so that reading can go on where it stopped:
//! a line of JSON with positions and counters, one with what the scores have
//! learnt, and behind them the ledger's leases as bytes.

use super::{Input, Pipeline};
use crate::anomaly::Anomalies;
use crate::event::Timestamp;
use crate::source::Position;
use crate::state::{LedgerImage, State};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::Xxh3;

use super::Stats;

/// What has to be kept so that reading can go on where it stopped.
#[derive(Debug, Serialize, Deserialize)]
pub struct Saved {
    /// Steps applied since the beginning.
    pub applied: u64,
    /// Event time of the last of them.
    pub front: Timestamp,
    /// By name.
    pub sources: BTreeMap<String, SavedSource>,
    /// All that is counted.
    pub state: State,
}

/// What has to be kept of one source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedSource {
    /// The first line not yet applied.
    pub position: Position,
    /// Time of the line before it.
    pub floor: Timestamp,
    /// What was counted.
    pub stats: Stats,
}

/// What `Pipeline::save` gives: small, or shared with the pipeline, until it is written.
#[derive(Debug)]
pub struct Saving {
    json: Vec<u8>,
    anomalies: Anomalies,
    ledger: LedgerImage,
}

impl Saving {
    /// The bytes to write, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        // Numbers and texts under keys of text: there is nothing that JSON cannot say.
        let anomalies = serde_json::to_vec(&self.anomalies).unwrap_or_default();
        let mut first = checked_front(&self.json, &anomalies).into_bytes();
        first.extend(self.json.strip_prefix(UNCHECKED.as_bytes()).unwrap_or(&self.json));
        let lines = [first, anomalies].map(|mut line| {
            line.push(b'\n');
            line
        });
        lines.into_iter().chain(self.ledger.blocks())
    }

    /// All of them.
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces().flatten().collect()
    }
}

impl Saved {
    /// Reads what was written, also by version 2, which had no scores.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(content: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let (json, mut rest) = line_of(content);
        let damaged = |error| format!("it is damaged: {error}");
        let Version { version } = serde_json::from_slice(json).map_err(damaged)?;
        if version != VERSION && version != WITHOUT_SCORES {
            return Err(format!("it has version {version}, and this leasewatch knows version {VERSION}"));
        }
        if version == VERSION && !is_whole(json, line_of(rest).0) {
            return Err("it is damaged: its checksum differs".to_owned());
        }
        let mut saved: Self = serde_json::from_slice(json).map_err(damaged)?;
        if version != WITHOUT_SCORES {
            let (anomalies, leases) = line_of(rest);
            saved.state.load_anomalies(serde_json::from_slice(anomalies).map_err(damaged)?);
            rest = leases;
        }
        saved.state.load_ledger(rest)?;
        Ok(saved)
    }
}

/// How the first line begins as it is made, and as the first release wrote it.
const UNCHECKED: &str = "{\"version\":3,";

/// How it begins in the file: with a checksum of both lines of JSON, that of the first without it. The
/// ledger's bytes have their own.
fn checked_front(json: &[u8], anomalies: &[u8]) -> String {
    let mut hash = Xxh3::new();
    hash.update(json);
    hash.update(b"\n");
    hash.update(anomalies);
    format!("{UNCHECKED}\"check\":\"{:016x}\",", hash.digest())
}

/// Whether both lines are as they were written. Nothing less is taken up: numbers that contradict each other would
/// end every process that starts from them.
fn is_whole(json: &[u8], anomalies: &[u8]) -> bool {
    let length = checked_front(b"", b"").len();
    match (json.get(..length), json.get(length..)) {
        (Some(front), Some(rest)) if front[UNCHECKED.len()..].starts_with(b"\"check\":") => {
            front == checked_front(&[UNCHECKED.as_bytes(), rest].concat(), anomalies).as_bytes()
        }
        // As the first release wrote it.
        _ => json.starts_with(UNCHECKED.as_bytes()) && json[UNCHECKED.len()..].starts_with(b"\"applied\":"),
    }
}

/// The first line, and what comes after its end.
fn line_of(content: &[u8]) -> (&[u8], &[u8]) {
    let end = content.iter().position(|byte| *byte == b'\n').unwrap_or(content.len());
    (&content[..end], content.get(end + 1..).unwrap_or(&[]))
}

impl Pipeline {
    /// What has to be kept: in the form that `Saved::read` takes.
    ///
    /// # Errors
    /// Never for what a state holds; a serializer's error all the same.
    pub fn save(&self) -> serde_json::Result<Saving> {
        #[derive(Serialize)]
        struct Borrowed<'a> {
            version: u32,
            applied: u64,
            front: Timestamp,
            sources: BTreeMap<&'a str, Cow<'a, SavedSource>>,
            state: &'a State,
        }
        let source = |input: &Input| SavedSource {
            position: input.position(),
            floor: input.applied_to(),
            stats: input.stats.clone(),
        };
        let present = self.inputs.iter().map(|input| (input.name.as_str(), Cow::Owned(source(input))));
        let absent = self.absent.iter().map(|(name, source)| (name.as_str(), Cow::Borrowed(source)));
        let json = serde_json::to_vec(&Borrowed {
            version: VERSION,
            applied: self.applied,
            front: self.front,
            sources: absent.chain(present).collect(),
            state: &self.state,
        })?;
        Ok(Saving { json, anomalies: self.state.anomalies_image(), ledger: self.state.ledger_image() })
    }
}

/// Version of what `Pipeline::save` writes.
pub const VERSION: u32 = 3;
/// The version before there were scores.
const WITHOUT_SCORES: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Limits;

    /// A flipped bit in a number makes good JSON, and places in lists that are not there.
    #[test]
    fn what_was_changed_anywhere_is_not_taken_up() {
        let bytes = Pipeline::new(Limits::NONE, Vec::new()).save().unwrap().bytes();
        Saved::read(&bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with(UNCHECKED), "{text}");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Saved::read(&changed).is_err(), "byte {at} of {}", text.len());
        }
    }
}
