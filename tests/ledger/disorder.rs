//! Both logs whole, but late, doubled, by clocks a second apart, or with the
//! program stopped in between: in the end the ledger is the same.

use crate::causes::ROUNDING;
use crate::corpus::{corpus, listed, nanos};
use crate::lives::lives;
use crate::play::{Log, Numbers, Piece, Play, SECOND, View};
use crate::watch::{LEASES, REVOCATIONS, ROLE, Watch, some, span};
use crate::withheld::{misjudged, undisturbed};
use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress};
use leasewatch::source::{LineSource, Position, Status, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Steps of a generator of random numbers, from 0 to below `most`.
fn random(state: &mut u64, most: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % most
}

/// The leases that are left are those that the server listed, and every end is counted, once;
/// at most so many with another cause than the true one.
fn holds(last: &View, end: &View, most_misjudged: f64) {
    let mut watch = Watch::new();
    watch.equal(0, "listed", &last.some(LEASES, &ROLE), &some(listed()));
    let stuck = watch.stuck((span().end() - 20) * SECOND);
    let shown = last.some("leasewatch_leases_stuck", &ROLE);
    watch.expect(stuck.iter().all(|(role, least)| shown.get(role) >= Some(least)), || {
        format!("stuck {shown:?}")
    });
    let ended = some(watch.lives.ended(i64::MAX));
    watch.equal(0, "ends", &end.some(REVOCATIONS, &ROLE), &ended);
    let wrong = misjudged(&watch, end);
    watch.expect(wrong <= most_misjudged, || format!("{wrong} ends with a wrong cause"));
    watch.verdict();
}

/// The server log with its times moved by so many nanoseconds.
fn shifted(by: i64) -> Log {
    const MARK: &str = "\"@timestamp\":\"";
    let shift = |line: &Arc<str>| {
        let Some((before, rest)) = line.split_once(MARK) else { return Arc::clone(line) };
        let (time, after) = rest.split_once('"').unwrap();
        let time = Timestamp::from_nanos(nanos(time) + by);
        format!("{before}{MARK}{time}\"{after}").into()
    };
    Log::server(&corpus().server.iter().map(shift).collect::<Vec<_>>())
}

fn with_a_clock_apart(by: i64, most_misjudged: f64) {
    let mut play = Play::new(&[Log::audit(&corpus().audit), shifted(by)]);
    let mut watch = Watch::new();
    for second in span().step_by(20) {
        let (view, at) = (play.to(second * SECOND), second * SECOND);
        // Nothing is late that is only late by a clock, and an end before its issue is no debt.
        for (role, shown) in view.some("leasewatch_leases_overdue", &ROLE) {
            let most = watch.should_be_gone(&role, at, 14 * SECOND - ROUNDING);
            let most = most.max(watch.should_be_gone(&role, at - by.max(0), 13 * SECOND - ROUNDING));
            watch.expect(shown <= most, || format!("{second}: {role:?} {shown} overdue of {most}"));
        }
    }
    let last = play.to((lives().sealed + by.min(0)) / SECOND * SECOND);
    holds(&last, &play.finish(), most_misjudged);
    watch.verdict();
}

#[test]
fn with_the_server_log_a_second_ahead_the_same_leases_are_left() {
    with_a_clock_apart(SECOND, 100.0);
}

#[test]
fn with_the_server_log_a_second_behind_the_same_leases_are_left() {
    with_a_clock_apart(-SECOND, 100.0);
}

#[test]
fn lines_that_come_twice_count_once() {
    let mut state = 7;
    let mut doubled = |lines: &[Arc<str>], mark: &str, kind| {
        let mut pieces: Vec<Piece> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            pieces.push(Piece::Line(Arc::clone(line)));
            // Again, at once or after some others; later than that it is another device's.
            if at > 0 && line.contains(mark) && random(&mut state, 3) == 0 {
                let back = usize::try_from(random(&mut state, 6)).unwrap().min(at);
                pieces.push(Piece::Line(Arc::clone(&lines[at - back])));
            }
        }
        assert!(pieces.len() > lines.len() + lines.len() / 5);
        Log::new(kind, pieces)
    };
    let audit = doubled(&corpus().audit, "\"time\":", LogKind::Audit);
    let server = doubled(&corpus().server, "\"@timestamp\":", LogKind::Server);
    let mut play = Play::new(&[audit, server]);
    let last = play.to(span().end() * SECOND);
    let end = play.finish();
    holds(&last, &end, 1.0);
    let plain = undisturbed();
    for metric in [
        "leasewatch_leases_retrying",
        "leasewatch_leases_retrying_by_cause",
        "leasewatch_leases_overdue",
        "leasewatch_lease_oldest_issue_timestamp_seconds",
        "leasewatch_role_default_ttl_seconds",
    ] {
        let of = |view: &View| -> Numbers { view.by(metric, &["mount"]) };
        assert_eq!(of(&last), of(&plain.0), "{metric}");
    }
    let of = |view: &View| view.by(REVOCATIONS, &["mount", "role", "cause"]);
    assert_eq!(of(&end), of(&plain.1));
}

#[test]
fn a_restart_at_any_point_changes_nothing() {
    let logs = [Log::audit(&corpus().audit), Log::server(&corpus().server)];
    let mut play = Play::new(&logs);
    let mut state = 11;
    for _ in 0..12 {
        let steps = usize::try_from(random(&mut state, 6000)).unwrap();
        play.steps(steps);
        play = play.restart();
    }
    assert_eq!(play.finish().all(), undisturbed().1.all());
}

/// A log that is written as time goes by.
struct Written {
    lines: &'static [Arc<str>],
    there: Arc<AtomicUsize>,
    next: usize,
}

impl LineSource for Written {
    fn next(&mut self, _: Instant, line: &mut Vec<u8>) -> Step {
        if self.next == self.lines.len() {
            return Step::End;
        }
        if self.next >= self.there.load(Ordering::Relaxed) {
            return Step::Idle;
        }
        line.clear();
        line.extend_from_slice(self.lines[self.next].as_bytes());
        self.next += 1;
        Step::Line
    }
    fn position(&self) -> Position {
        Position::default()
    }
    fn next_position(&self) -> Position {
        Position::default()
    }
    fn status(&self) -> Status {
        Status::default()
    }
}

/// For every whole second of `seconds`, how many of the lines have a time before it.
fn written(lines: &[Arc<str>], mark: &str, seconds: std::ops::RangeInclusive<i64>) -> Vec<usize> {
    let (mut at, mut there, mut counts) = (i64::MIN, 0, Vec::new());
    for second in seconds {
        while there < lines.len() {
            if let Some((_, rest)) = lines[there].split_once(mark) {
                at = at.max(nanos(rest.split('"').next().unwrap()));
            }
            if at >= second * SECOND {
                break;
            }
            there += 1;
        }
        counts.push(there);
    }
    counts
}

#[test]
fn a_server_log_that_comes_in_bursts_settles_to_the_same_leases() {
    let seconds = *span().start() - 2..=*span().end() + 10;
    let audit = written(&corpus().audit, "\"time\":\"", seconds.clone());
    let server = written(&corpus().server, "\"@timestamp\":\"", seconds.clone());
    let there = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let log = |kind, lines, there: &Arc<AtomicUsize>| {
        let source = Written { lines, there: Arc::clone(there), next: 0 };
        Input::new(format!("{kind:?}"), Lines::Log(kind), Box::new(source))
    };
    let inputs = vec![
        log(LogKind::Audit, &corpus().audit, &there[0]),
        log(LogKind::Server, &corpus().server, &there[1]),
    ];
    let mut pipeline = Pipeline::new(crate::play::LIMITS, inputs);
    let (start, mut last) = (Instant::now(), None);
    for (passed, second) in seconds.enumerate() {
        there[0].store(audit[passed], Ordering::Relaxed);
        // Every twelve seconds, all that there is; but all before Vault goes down.
        if passed % 12 == 0 || second >= span().end() - 1 {
            there[1].store(server[passed], Ordering::Relaxed);
        }
        let (now, wall) = (start + Duration::from_secs(passed as u64), Timestamp::from_secs(second));
        let until = Timestamp::from_nanos(i64::MAX);
        while pipeline.run(now, wall, until, 10_000) == Progress::Busy {}
        if second == *span().end() {
            let later = now + Duration::from_secs(3);
            while pipeline.run(later, wall, Timestamp::from_secs(second), 10_000) == Progress::Busy {}
            last = Some(View(pipeline.families(pipeline.front())));
        }
    }
    there[0].store(usize::MAX, Ordering::Relaxed);
    there[1].store(usize::MAX, Ordering::Relaxed);
    let wall = Timestamp::from_secs(span().end() + 100);
    while pipeline.run(start + Duration::from_secs(2000), wall, wall, 10_000) == Progress::Busy {}
    pipeline.advance(wall);
    // What comes late counts as of when it comes: requests and their ends do not meet any more.
    holds(&last.unwrap(), &View(pipeline.families(pipeline.front())), 500.0);
}
