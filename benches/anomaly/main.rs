//! The evaluation of the anomaly scores: simulated clusters with known attacks go through the same
//! decoding and the same state as a log that `analyze` reads, and what comes out is held against
//! the truth, beside baselines that see the same. What is measured, and how: docs/evaluation.md.
//!
//! ```text
//!  simulator ─► feed (audit::decode ─► State) ─► alarms ─► measure ─► report
//!                    └► baselines ─────────────────┘
//! ```

#![allow(clippy::unwrap_used, reason = "a benchmark may panic as a test may")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and ranks are far from the limits of their types"
)]

mod baseline;
mod context;
mod crew;
mod feed;
mod measure;
mod options;
mod part;
mod report;

use clap::Parser;
use context::Context;
use options::{Options, Part};
use report::Report;
use serde_json::json;
use std::time::Instant;

fn main() {
    let options = Options::parse();
    if let Some(job) = &options.child {
        part::flood::child(job);
        return;
    }
    if !options.is_wanted() {
        if !options.list {
            println!("An evaluation, not a test: cargo bench --bench anomaly (see docs/evaluation.md)");
        }
        return;
    }
    let began = Instant::now();
    let context = Context::new(&options);
    let mut report = Report::default();
    println!(
        "leasewatch {}, anomaly scores; seeds {:?}; trained on 4 weeks, scored on 8",
        leasewatch::REVISION,
        context.seeds
    );
    for part in options.parts() {
        let part_began = Instant::now();
        match part {
            Part::Recall => part::recall::run(&context, &mut report),
            Part::Quiet => part::quiet::run(&context, &mut report),
            Part::Poison => part::poison::run(&context, &mut report),
            Part::Flood => part::flood::run(&context, &mut report),
            Part::Learn => part::learn::run(&context, &mut report),
            Part::Cost => part::cost::run(&context, &mut report),
        }
        println!("  ({:.0} s)", part_began.elapsed().as_secs_f64());
    }
    report.print_goals();
    let took = began.elapsed().as_secs_f64();
    println!("\nTook {took:.0} s, {} worlds at a time.", context.threads);
    if let Some(file) = &options.json {
        let run = json!({"revision": leasewatch::REVISION, "seeds": context.seeds, "seconds": took});
        let text = serde_json::to_string_pretty(&report.json(&run)).unwrap();
        if let Err(error) = std::fs::write(file, text + "\n") {
            eprintln!("{}: {error}: choose another file for --json", file.display());
            std::process::exit(1);
        }
    }
}
