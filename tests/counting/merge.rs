//! Several sources, restarts, duplicates: the same numbers in any case.

use super::support::*;
use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress, Saved};
use proptest::prelude::*;
use serde_json::json;
use std::time::Instant;

/// A log with a bit of everything.
fn traffic(exchanges: usize) -> Vec<String> {
    let mut log = Log::default();
    for number in 0..exchanges {
        let creds = read("database/", "database", &format!("database/creds/role{}", number % 3));
        match number % 5 {
            0 => log.exchange(creds, failed("permission denied")),
            1 => log.exchange(creds, refused),
            2 => {
                let id = log.new_id();
                log.request(&id, creds);
            }
            _ => log.exchange(creds, leased),
        }
    }
    log.lines
}

#[test]
fn an_exchange_logged_by_two_devices_counts_once() {
    let lines = traffic(40);
    let mut twice = audit(&[&lines, &lines]);
    finish(&mut twice);
    let families = twice.families(twice.front());
    assert_eq!(all(&families), all(&super::support::families(&lines)));
    assert_eq!(
        counts(&families, "leasewatch_credential_issue_duration_seconds"),
        ["root,database/,database = 16"]
    );
}

#[test]
fn a_request_without_a_response_is_seen() {
    let mut log = Log::default();
    let id = log.new_id();
    log.request(&id, read("database/", "database", "database/creds/app"));
    let mut pipeline = audit(&[&log.lines]);
    finish(&mut pipeline);
    assert!(counts(&pipeline.families(pipeline.front()), REQUESTS).is_empty());
    pipeline.advance(pipeline.front().plus_secs(400));
    let families = pipeline.families(pipeline.front());
    assert_eq!(counts(&families, REQUESTS), ["root,database/,database,unanswered = 1"]);
}

#[test]
fn what_a_rate_limit_refuses_is_counted_at_once() {
    let mut log = Log::default();
    log.exchange(read("database/", "database", "database/creds/app"), leased);
    let id = log.new_id();
    let time = log.time();
    let request = json!({
        "time": time, "type": "request", "error": "request path \"x\": rate limit quota exceeded",
        "request": {"id": id, "operation": "read", "mount_point": "database/", "mount_type": "database",
            "path": "database/creds/app"},
    });
    log.lines.push(request.to_string());
    assert_eq!(counts(&families(&log.lines), FAILURES), ["root,database/,database,app,quota = 1"]);
}

#[test]
fn an_own_request_is_left_out_and_proves_the_log_alive() {
    let marker = "leasewatch-00112233445566778899aabbccddeeff";
    let mut log = Log::default();
    let mut own = read("sys/", "system", "sys/metrics");
    own["data"] = json!({marker: "hmac-sha256:00"});
    log.exchange(own.clone(), ok);
    // Nobody else can hide behind the marker.
    log.exchange(own, ok);
    let at = Timestamp::parse_rfc3339("2026-01-02T02:59:59Z").unwrap().as_nanos();
    let told = vec![json!({"at": at, "fact": "own_marker", "marker": marker}).to_string()];
    let inputs = vec![
        Input::new("observations", Lines::Observations, Box::new(Memory::from(&told, 0))),
        Input::new("audit", Lines::Log(LogKind::Audit), Box::new(Memory::from(&log.lines, 0))),
    ];
    let mut pipeline = Pipeline::new(LIMITS, inputs);
    finish(&mut pipeline);
    assert_eq!(counts(&pipeline.families(pipeline.front()), REQUESTS), ["root,sys/,system,ok = 1"]);
    assert_eq!(pipeline.state().canary(), Timestamp::parse_rfc3339("2026-01-02T03:00:01.5Z"));
}

#[test]
fn counters_of_vault_survive_its_forgetting_them() {
    let told = |at: i64, raw: serde_json::Value| {
        json!({"at": at, "node": "a", "fact": "vault_counters", "raw": raw}).to_string()
    };
    let lines = [
        told(1, json!({"lease_creations": 5.0})),
        told(2, json!({"lease_creations": 7.0})),
        told(3, json!({})),
        told(4, json!({"lease_creations": 2.0})),
        told(5, json!({"lease_creations": 1.0})),
    ];
    let inputs = vec![Input::new("observations", Lines::Observations, Box::new(Memory::from(&lines, 0)))];
    let mut pipeline = Pipeline::new(LIMITS, inputs);
    finish(&mut pipeline);
    let families = pipeline.families(pipeline.front());
    assert_eq!(counts(&families, "leasewatch_vault_lease_creations_total"), ["a = 10"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Two logs, read with restarts from what was saved, at any moments: the
    /// same as read in one go.
    #[test]
    fn restarts_change_nothing(cuts in proptest::collection::vec(1usize..20, 1..8), devices in 1usize..3) {
        let logs: Vec<_> = (0..devices).map(|device| traffic(15 + 7 * device)).collect();
        let whole: Vec<&[String]> = logs.iter().map(Vec::as_slice).collect();
        let mut undisturbed = audit(&whole);
        finish(&mut undisturbed);

        let mut interrupted = audit(&whole);
        for steps in cuts {
            let end = Timestamp::from_nanos(i64::MAX);
            interrupted.run(Instant::now(), Timestamp::MIN, end, steps);
            let saved: Saved = Saved::read(&interrupted.save().unwrap().bytes()).unwrap();
            let inputs = logs.iter().enumerate().map(|(number, lines)| {
                let name = format!("audit-{number}");
                let source = &saved.sources[&name];
                // The position of a line in memory is the number of lines before it.
                let read = usize::try_from(source.stats.lines).unwrap();
                Input::new(name, Lines::Log(LogKind::Audit), Box::new(Memory::from(lines, read)))
                    .resumed(source.stats.clone(), source.floor)
            }).collect();
            interrupted = Pipeline::resume(saved.applied, saved.front, saved.state, LIMITS, inputs);
        }
        finish(&mut interrupted);
        prop_assert_eq!(interrupted.applied(), undisturbed.applied());
        let at = undisturbed.front();
        prop_assert_eq!(all(&interrupted.families(at)), all(&undisturbed.families(at)));
        prop_assert_eq!(interrupted.save().unwrap().bytes(), undisturbed.save().unwrap().bytes());
    }
}

#[test]
fn lines_wait_for_a_source_that_may_still_have_earlier_ones() {
    struct Slow(bool);
    impl leasewatch::source::LineSource for Slow {
        fn next(&mut self, _: Instant, _: &mut Vec<u8>) -> leasewatch::source::Step {
            if self.0 { leasewatch::source::Step::End } else { leasewatch::source::Step::Idle }
        }
        fn position(&self) -> leasewatch::source::Position {
            leasewatch::source::Position::default()
        }
        fn next_position(&self) -> leasewatch::source::Position {
            leasewatch::source::Position::default()
        }
        fn status(&self) -> leasewatch::source::Status {
            leasewatch::source::Status::default()
        }
    }
    let lines = traffic(3);
    let run = |wall: &str, waited: u64| {
        let inputs = vec![
            Input::new("slow", Lines::Log(LogKind::Server), Box::new(Slow(false))),
            Input::new("audit", Lines::Log(LogKind::Audit), Box::new(Memory::from(&lines, 0))),
        ];
        let mut pipeline = Pipeline::new(LIMITS, inputs);
        let (now, wall) = (Instant::now(), Timestamp::parse_rfc3339(wall).unwrap());
        let end = Timestamp::from_nanos(i64::MAX);
        pipeline.run(now, wall, end, 1);
        pipeline.run(
            now + std::time::Duration::from_secs(waited),
            wall.plus_secs(waited.try_into().unwrap()),
            end,
            1,
        )
    };
    // The first line is just written: two seconds must pass.
    assert_eq!(run("2026-01-02T03:00:00.5Z", 1), Progress::Settling);
    assert_eq!(run("2026-01-02T03:00:00.5Z", 3), Progress::Busy);
    // A backlog of long ago need not wait.
    assert_eq!(run("2026-01-03T00:00:00Z", 0), Progress::Busy);
    // Nor does a clock that is an hour ahead of ours make every line wait for itself.
    assert_eq!(run("2026-01-02T02:00:00.5Z", 3), Progress::Busy);
}
