//! Fuzzing: every target reads mutated good input. In CI the same few thousand cases every time; by `HOSTILE_SECONDS`
//! for as long as told, from a seed of the day.
//!
//! A case that fails is written to a file, and the command that replays it is named.

use super::mutate::{Chance, mutate};
use super::targets::{TARGETS, Target};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Cases of a target of cost 1 where nobody says for how long.
const CASES: u32 = 4_000;

/// Bytes of one case, told by its number alone.
fn case(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut chance = Chance::new(number);
    let mut bytes = chance.of(seeds).clone();
    mutate(&mut bytes, seeds, &mut chance);
    bytes
}

fn read(target: &Target, bytes: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (target.read)(bytes))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

fn kept(name: &str, number: u64, bytes: &[u8]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}-{number}"));
    fs::write(&path, bytes).unwrap();
    path
}

fn fuzz(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    if let Some(path) = std::env::var_os("HOSTILE_REPLAY") {
        let path = PathBuf::from(path);
        if path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{name}-")) {
            (target.read)(&fs::read(path).unwrap());
        }
        return;
    }
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty());
    for seed in &seeds {
        (target.read)(seed);
    }
    let told =
        |variable: &str| std::env::var(variable).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seconds = told("HOSTILE_SECONDS").map(Duration::from_secs);
    let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() << 24;
    let first = seconds.map_or(0, |_| told("HOSTILE_SEED").unwrap_or(today));
    let began = Instant::now();
    for number in first.. {
        let done = match seconds {
            Some(seconds) => began.elapsed() >= seconds,
            None => number >= u64::from(CASES / target.cost),
        };
        if done {
            return;
        }
        let bytes = case(&seeds, number);
        if let Err(why) = read(target, &bytes) {
            let path = kept(name, number, &bytes);
            panic!(
                "case {number} of {name}: {why}\nReplay: HOSTILE_REPLAY={} cargo test --test hostile {name}_",
                path.display()
            );
        }
    }
}

macro_rules! fuzzed {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            fuzz($name);
        })*

        #[test]
        fn every_target_has_its_test() {
            let tested = [$($name),*];
            assert_eq!(TARGETS.map(|target| target.name), tested);
        }
    };
}

fuzzed! {
    audit_lines: "audit",
    server_lines: "server",
    observed_lines: "observed",
    container_frames: "container",
    archive_streams: "archive",
    tail_of_files: "tail",
    merge_of_logs: "merge",
    checkpoint_files: "checkpoint",
    baseline_files: "baseline",
    config_files: "config",
    username_words: "username",
    telemetry_pages: "telemetry",
}

/// A harness that sees nothing is worth nothing: one reader with a fault that only a mutation brings out.
#[test]
fn the_harness_finds_a_planted_fault() {
    let target = Target {
        name: "planted",
        read: |bytes| assert!(!bytes.contains(&0), "a zero byte"),
        seeds: || vec![b"all is well".to_vec()],
        cost: 1,
    };
    let seeds = (target.seeds)();
    let found = (0..u64::from(CASES)).find_map(|number| {
        let bytes = case(&seeds, number);
        assert_eq!(bytes, case(&seeds, number), "a case is its number's alone");
        read(&target, &bytes).err()
    });
    assert!(found.unwrap().contains("a zero byte"));
}
