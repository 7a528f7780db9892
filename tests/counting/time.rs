//! Times that cannot be: they cost the line its time, and no other line anything.

use super::support::*;
use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress, Saved};
use leasewatch::source::{LineSource, Position, Status, Step};
use std::time::Instant;

/// Exchanges of one role; those of `odd` bear another time.
fn log(exchanges: usize, odd: &[usize], time: &str) -> Vec<String> {
    let mut log = Log::default();
    for number in 0..exchanges {
        let before = log.lines.len();
        log.exchange(read("database/", "database", "database/creds/app"), leased);
        if odd.contains(&number) {
            for line in &mut log.lines[before..] {
                let mut entry: serde_json::Value = serde_json::from_str(line).unwrap();
                entry["time"] = time.into();
                *line = entry.to_string();
            }
        }
    }
    log.lines
}

fn run(lines: &[String]) -> Pipeline {
    let mut pipeline = audit(&[lines]);
    finish(&mut pipeline);
    pipeline
}

const APP: &str = "root,database/,database,app";

#[test]
fn a_line_of_the_next_century_carries_no_other_there() {
    for odd in [0, 5, 19] {
        let lines = log(20, &[odd], "2199-01-02T03:04:05Z");
        let pipeline = run(&lines);
        let families = pipeline.families(pipeline.front());
        assert_eq!(counts(&families, ISSUED), [format!("{APP} = 20")], "{odd}");
        assert_eq!(counts(&families, REQUESTS), ["root,database/,database,ok = 20"]);
        let end = Timestamp::parse_rfc3339("2026-01-02T04:00:00Z").unwrap();
        assert!(pipeline.front() < end, "{odd}: {}", pipeline.front());
        let stats = pipeline.inputs()[0].stats();
        assert_eq!(stats.unreadable.get("wrong_time"), Some(&2), "{odd}: {stats:?}");
    }
}

#[test]
fn a_line_of_the_past_counts_where_it_stands() {
    let pipeline = run(&log(20, &[5], "1999-01-02T03:04:05Z"));
    assert_eq!(counts(&pipeline.families(pipeline.front()), ISSUED), [format!("{APP} = 20")]);
    assert!(pipeline.inputs()[0].stats().unreadable.is_empty());
}

#[test]
fn a_time_beyond_all_times_is_none() {
    let stats = stats(&log(3, &[1], "9999-12-31T23:59:59Z"));
    assert_eq!(stats.unreadable.get("no_time"), Some(&2));
}

#[test]
fn a_quiet_month_is_believed() {
    let mut lines = log(3, &[], "");
    let later = log(3, &[0, 1, 2], "2026-01-20T03:04:05Z");
    lines.extend(later.iter().map(|line| line.replace("-8000-", "-8001-")));
    let pipeline = run(&lines);
    assert_eq!(counts(&pipeline.families(pipeline.front()), ISSUED), [format!("{APP} = 6")]);
    assert_eq!(pipeline.front(), Timestamp::parse_rfc3339("2026-01-20T03:04:05Z").unwrap());
    assert!(pipeline.inputs()[0].stats().unreadable.is_empty());
}

#[test]
fn a_restart_in_the_middle_of_a_doubt_changes_nothing() {
    let lines = log(20, &[5, 6], "2199-01-02T03:04:05Z");
    let undisturbed = run(&lines);
    for steps in 1..20 {
        let mut before = audit(&[&lines]);
        before.run(Instant::now(), Timestamp::MIN, Timestamp::from_nanos(i64::MAX), steps);
        let saved: Saved = Saved::read(&before.save().unwrap().bytes()).unwrap();
        let source = &saved.sources["audit-0"];
        let read = usize::try_from(source.stats.lines).unwrap();
        let input = Input::new("audit-0", Lines::Log(LogKind::Audit), Box::new(Memory::from(&lines, read)))
            .resumed(source.stats.clone(), source.floor);
        let mut after = Pipeline::resume(saved.applied, saved.front, saved.state, LIMITS, vec![input]);
        finish(&mut after);
        assert_eq!(after.save().unwrap().bytes(), undisturbed.save().unwrap().bytes(), "{steps}");
    }
}

#[test]
fn a_checkpoint_from_before_there_were_scores_is_read() {
    let counted = run(&log(20, &[], ""));
    let now = counted.save().unwrap().bytes();
    let text = now.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let scores = now[text..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let head = String::from_utf8(now[..text].to_vec()).unwrap();
    let head = head.replacen(r#""version":3"#, r#""version":2"#, 1);
    let before = [head.as_bytes(), &now[text + scores..]].concat();
    assert_ne!(now[..text], before[..head.len()]);

    let saved = Saved::read(&before).unwrap();
    let again = Pipeline::resume(saved.applied, saved.front, saved.state, LIMITS, Vec::new());
    let (then, counted) = (again.families(again.front()), counted.families(counted.front()));
    assert_eq!(counts(&then, ISSUED), counts(&counted, ISSUED));
    assert!(Saved::read(&now[..now.len() - 1]).is_err() && Saved::read(&before[..text]).is_err());
}

/// A log that grows, and tells how many of its lines were applied.
struct Live {
    lines: Vec<String>,
    next: usize,
}

impl LineSource for Live {
    fn next(&mut self, _: Instant, line: &mut Vec<u8>) -> Step {
        let Some(text) = self.lines.get(self.next) else { return Step::Idle };
        self.next += 1;
        line.clear();
        line.extend_from_slice(text.as_bytes());
        Step::Line
    }
    fn position(&self) -> Position {
        Position { offset: self.next as u64 - 1, ..Position::default() }
    }
    fn next_position(&self) -> Position {
        Position { offset: self.next as u64, ..Position::default() }
    }
    fn status(&self) -> Status {
        Status::default()
    }
}

#[test]
fn the_last_line_of_a_live_log_waits_only_if_it_is_ahead_of_the_clock() {
    let wall = Timestamp::parse_rfc3339("2026-01-20T03:04:06Z").unwrap();
    for (time, issued, offset) in [("2026-01-20T03:04:05Z", 4, 8), ("2199-01-02T03:04:05Z", 3, 6)] {
        let live = Live { lines: log(4, &[3], time), next: 0 };
        let input = Input::new("live", Lines::Log(LogKind::Audit), Box::new(live));
        let mut pipeline = Pipeline::new(LIMITS, vec![input]);
        let progress = pipeline.run(Instant::now(), wall, Timestamp::from_nanos(i64::MAX), 100);
        assert_eq!(progress, Progress::Idle);
        assert_eq!(counts(&pipeline.families(pipeline.front()), ISSUED), [format!("{APP} = {issued}")]);
        let saved: Saved = Saved::read(&pipeline.save().unwrap().bytes()).unwrap();
        assert_eq!(saved.sources["live"].position.offset, offset, "{time}");
    }
}
