//! A flood of a million identities that nobody has seen before: what it costs of recall, and how
//! much memory the models take. Memory is measured in processes of their own.

use crate::context::{BEGIN, Context, LEARNING, SCORED, pool, week};
use crate::crew;
use crate::feed::{Seen, Watch, main_scenario, scenario};
use crate::measure::Alarm;
use crate::report::{Report, Table, share, value};
use leasewatch::anomaly::Settings;
use leasewatch::simulator::Flood;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::process::Command;

const PART: &str = "flood";
const IDENTITIES: u32 = 1_000_000;
/// How many worlds are flooded.
const WORLDS: usize = 4;
/// So many times the usual size, to see what a regular subject takes; for so many weeks.
const TIMES: u32 = 25;
const WEEKS: i64 = 2;

/// What a process of its own tells.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    /// Resident memory at most, in bytes.
    peak: f64,
    /// Subjects known at the end.
    subjects: usize,
    /// Subject and course of each alarm, in nanoseconds since the beginning.
    alarms: Vec<(String, Vec<(i64, f64)>)>,
}

pub(crate) fn run(context: &Context, report: &mut Report) {
    let seeds = context.first(WORLDS);
    let plain = context.worlds(seeds);
    // The same lines unscored as well, to know what the rest of the process takes.
    let mut jobs: Vec<String> = seeds.iter().map(|seed| format!("flooded:on:{seed}")).collect();
    let others = ["flooded:off", "many:on", "many:off"];
    jobs.extend(others.iter().map(|job| format!("{job}:{}", seeds[0])));
    let told = crew::each(context.threads, "floods", &jobs, |job| ask(job));
    let (on, [off, many_on, many_off]) = (&told[0], [0, 1, 2].map(|at| &told[seeds.len() + at]));

    let flooded: Vec<Seen> = plain.iter().zip(&told).map(|(seen, told)| seen_of(seen, told)).collect();
    let (from, to) = (week(LEARNING), week(LEARNING + SCORED));
    let before = pool(plain.iter().map(|seen| -> &Seen { seen }), from, to);
    let after = pool(&flooded, from, to);
    let mut table = Table::new(["recall at alarms a week:", "1", "7"]);
    for (name, pool) in [("untouched", &before), ("flooded", &after)] {
        let recalls = [1.0, 7.0].map(|rate| pool.recall(rate, None));
        table.row([name.to_string(), share(recalls[0]), share(recalls[1])]);
        report.figure(PART, name, json!({"recall_1": value(recalls[0]), "recall_7": value(recalls[1])}));
    }
    table.print(&format!("{IDENTITIES} identities within the scored weeks, {} worlds", seeds.len()));
    let lost = 100.0 * (before.recall(1.0, None).value - after.recall(1.0, None).value);
    report.figure(PART, "points_lost", json!(lost));
    report.at_most("points of recall lost to the flood", lost, 5.0, "", format!("{lost:.1}"));

    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    let models = mib(on.peak - off.peak);
    let a_subject = (many_on.peak - many_off.peak) / many_on.subjects.max(1) as f64;
    let full = mib(a_subject * Settings::DEFAULT.subjects as f64);
    let mut table = Table::new(["memory, MiB at most", "scored", "not scored", "models", "subjects"]);
    for (name, on, off) in [("flooded", on, off), ("25 times the clients, 2 weeks", many_on, many_off)] {
        let cells = [on.peak, off.peak, on.peak - off.peak].map(|bytes| format!("{:.0}", mib(bytes)));
        table.row(std::iter::once(name.to_string()).chain(cells).chain([on.subjects.to_string()]));
    }
    table.print("Memory of a process that does nothing else");
    println!(
        "  A regular subject takes {:.2} kB; as many as are followed in full, {full:.0} MiB",
        a_subject / 1e3
    );
    report.figure(PART, "models_mib", json!(models));
    report.figure(PART, "subjects", json!(on.subjects));
    report.figure(PART, "bytes_a_subject", json!(a_subject));
    report.figure(PART, "mib_of_all_subjects", json!(full));
    report.at_most("memory of the models in a flood", models, 64.0, " MiB", format!("{models:.0} MiB"));
    report.at_most("as many subjects as are followed", full, 64.0, " MiB", format!("{full:.0} MiB"));
    report.at_most("memory a subject", a_subject, 3_000.0, " B", format!("{a_subject:.0} B"));
}

/// The world of a job, in a process of its own.
fn ask(job: &str) -> Told {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args(["--child", job]).output().unwrap();
    assert!(output.status.success(), "{job}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What such a process does: a world, whether it is scored, and its seed.
pub(crate) fn child(job: &str) {
    let [world, scored, seed] = job.split(':').collect::<Vec<_>>().try_into().unwrap();
    let seed = seed.parse().unwrap();
    let settings = if scored == "on" { Settings::DEFAULT } else { Settings::OFF };
    let mut scenario = if world == "many" { scenario(seed, WEEKS) } else { main_scenario(seed) };
    if world == "many" {
        let usual = scenario.size;
        scenario.size.services = TIMES * usual.services;
        scenario.size.crons = TIMES * usual.crons;
        scenario.size.people = TIMES * usual.people;
        scenario.size.pipelines = TIMES * usual.pipelines;
    } else {
        let (from, to) = (week(LEARNING), week(LEARNING + SCORED));
        scenario.flood = Some(Flood { from, to, identities: IDENTITIES });
    }
    let mut told = Told { peak: 0.0, subjects: 0, alarms: Vec::new() };
    let seen = Watch::of(scenario).scoring(settings).measuring(|| told.peak = status("VmHWM:"));
    told.subjects = seen.subjects;
    let secs =
        |alarm: &Alarm| alarm.raises.iter().map(|raise| (raise.at.nanos_since(BEGIN), raise.score)).collect();
    told.alarms = seen.alarms.iter().map(|alarm| (alarm.subject.clone(), secs(alarm))).collect();
    println!("{}", serde_json::to_string(&told).unwrap());
}

/// The alarms of a flooded world beside the attacks of the same world, which are the same.
fn seen_of(plain: &Seen, told: &Told) -> Seen {
    let alarm = |(subject, raises): &(String, Vec<(i64, f64)>)| Alarm {
        subject: subject.clone(),
        raises: raises
            .iter()
            .map(|(nanos, score)| crate::measure::Raise { at: BEGIN.plus_nanos(*nanos), score: *score })
            .collect(),
    };
    Seen {
        seed: plain.seed,
        attacks: plain.attacks.clone(),
        alarms: told.alarms.iter().map(alarm).collect(),
        ..Seen::default()
    }
}

/// A number of bytes in this process's status.
fn status(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0
}
