//! Options of the command: what to measure, on which seeds.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Seeds that nobody tuned on: the figures that are reported are of these.
const HELD_OUT: std::ops::RangeInclusive<u64> = 4000..=4015;
/// Seeds to tune on.
const TUNING: std::ops::RangeInclusive<u64> = 1..=8;

/// Evaluates the anomaly scores on simulated clusters whose attacks are known.
#[derive(Debug, Parser)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(bin_name = "cargo bench --bench anomaly --")]
pub(crate) struct Options {
    /// Seeds, both ends included: `1..4`, or one seed. Those held out are 4000..4015, the default
    #[arg(long, value_name = "A..B", value_parser = range)]
    seeds: Option<(u64, u64)>,
    /// Takes the seeds meant for tuning, 1..8
    #[arg(long, conflicts_with = "seeds")]
    tuning: bool,
    /// Two seeds (of those for tuning unless others are given), and no quiet year
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measures these parts alone
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Worlds at a time; as many as there are cores by default
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Writes the figures to a file too, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Lists attacks that were missed and false alarms, with their seeds and components
    #[arg(long)]
    pub(crate) details: bool,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
    /// What test runners add, to learn the names of tests: there are none
    #[arg(long, hide = true)]
    pub(crate) list: bool,
    /// Measures memory in a process of its own
    #[arg(long, hide = true, value_name = "JOB")]
    pub(crate) child: Option<String>,
}

/// A part of the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Recall at several rates of false alarms, by kind, with delays; the baselines
    Recall,
    /// Alarms in quiet years, against the budget
    Quiet,
    /// What an attacker can teach
    Poison,
    /// A million identities
    Flood,
    /// What two and seven days of learning are worth
    Learn,
    /// Time a line
    Cost,
}

impl Options {
    /// Whether somebody asked for an evaluation, and not a test runner for tests.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.list
            && (self.bench || self.seeds.is_some() || self.tuning || self.quick || !self.only.is_empty())
    }

    /// The seeds of the worlds.
    pub(crate) fn seeds(&self) -> Vec<u64> {
        let range = match self.seeds {
            Some((first, last)) => first..=last,
            None if self.tuning || self.quick => TUNING,
            None => HELD_OUT,
        };
        range.take(if self.quick { 2 } else { usize::MAX }).collect()
    }

    /// The parts to measure.
    pub(crate) fn parts(&self) -> Vec<Part> {
        if !self.only.is_empty() {
            return self.only.clone();
        }
        let all = Part::value_variants().iter().copied();
        all.filter(|part| !(self.quick && *part == Part::Quiet)).collect()
    }

    /// Worlds at a time.
    pub(crate) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores).max(1)
    }
}

/// Reads `A..B`.
fn range(text: &str) -> Result<(u64, u64), String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| {
        let text = text.trim_start_matches('=');
        text.parse::<u64>().map_err(|_| format!("{text:?} is not a seed: write 4000..4015"))
    };
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(format!("there is no seed from {first} to {last}"));
    }
    Ok((first, last))
}
