//! What is shown when a source, or a part of one, is missing: right as far as
//! it can be known, and silent about the rest.

use crate::corpus::{calls, corpus, listed, nanos};
use crate::hclog;
use crate::lives::{Role, count, lives, role_of};
use crate::play::{Log, Numbers, Piece, Play, SECOND, View};
use crate::watch::{LEASES, OBSERVED, OVERDUE, REVOCATIONS, ROLE, Watch, by_mount, some, span};
use leasewatch::config::LogKind;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// Seconds between two looks.
const STEP: usize = 5;
const COMPLETE: &str = "leasewatch_ledger_complete";
const RETRYING: [&str; 3] = ["mount", "role", "failed_attempts"];
const BY_CAUSE: [&str; 3] = ["mount", "role", "cause"];

/// What a run came to.
struct Run {
    watch: Watch,
    /// Just before Vault goes down.
    last: View,
    /// After all.
    end: View,
}

fn run(logs: &[Log], mut look: impl FnMut(&mut Watch, i64, &View)) -> Run {
    let (mut watch, mut play) = (Watch::new(), Play::new(logs));
    for second in span().rev().step_by(STEP).collect::<Vec<_>>().into_iter().rev() {
        let view = play.to(second * SECOND);
        watch.sane(second, &view);
        look(&mut watch, second, &view);
    }
    Run { watch, last: play.view(), end: play.finish() }
}

fn audit() -> Log {
    Log::audit(&corpus().audit)
}

fn server() -> Log {
    Log::server(&corpus().server)
}

/// The server log without the lines of a level.
fn server_without(level: &str) -> Log {
    let mark = format!("\"@level\":\"{level}\"");
    let lines: Vec<_> = corpus().server.iter().filter(|line| !line.contains(&mark)).cloned().collect();
    assert!(lines.len() < corpus().server.len());
    Log::server(&lines)
}

/// How many ends by cause are not as they should be.
pub fn misjudged(watch: &Watch, view: &View) -> f64 {
    let shown = view.some(REVOCATIONS, &BY_CAUSE);
    let keys: BTreeSet<_> = shown.keys().chain(watch.causes.totals.keys()).collect();
    let of = |numbers: &Numbers, key| numbers.get(key).copied().unwrap_or(0.0);
    // Each stands in two wrong places.
    keys.into_iter().map(|key| (of(&shown, key) - of(&watch.causes.totals, key)).abs()).sum::<f64>() / 2.0
}

/// Nothing is said to be seen, nothing to be late, and what is shown of a role
/// rests on a TTL that is known.
fn only_estimates(watch: &mut Watch, second: i64, view: &View) {
    let observed = view.some(OBSERVED, &ROLE);
    watch.expect(observed.is_empty(), || format!("{second}: observed {observed:?}"));
    watch.expect(view.total(OVERDUE) == 0.0, || format!("{second}: overdue"));
    let known = view.by("leasewatch_role_default_ttl_seconds", &ROLE);
    for (role, shown) in view.by(LEASES, &ROLE) {
        let (least, most) = watch.estimate(&role, second * SECOND);
        let is_right = known.contains_key(&role) && (least..=most).contains(&shown);
        watch.expect(is_right, || {
            format!("{second}: {role:?} {shown} leases, not {least} to {most}, {known:?}")
        });
    }
    // Nobody saw one expire.
    let ends = view.some(REVOCATIONS, &["cause"]);
    for cause in ["expired", "early", "unknown"] {
        let shown = ends.get(&vec![cause.to_owned()]);
        watch.expect(shown.is_none(), || format!("{second}: {shown:?} ends {cause}"));
    }
}

#[test]
fn without_the_server_log_ends_are_estimated_and_nothing_is_late() {
    let mut run = run(&[audit()], |watch, second, view| {
        only_estimates(watch, second, view);
        let silent =
            ["leasewatch_leases_retrying", "leasewatch_leases_stuck", "leasewatch_revocation_failures_total"];
        for metric in silent {
            watch.expect(view.total(metric) == 0.0, || format!("{second}: {metric}"));
        }
    });
    let observed = run.last.by(OBSERVED, &ROLE);
    let all = run.watch.lives.roles().all(|role| observed.get(role) == Some(&0.0));
    run.watch.expect(all, || format!("not said to be unobserved: {observed:?}"));
    run.watch.expect(run.end.total(REVOCATIONS) > 0.0, || "no requested end".to_owned());
    // At most as many were requested as have been named in requests that Vault has done.
    let done = calls().iter().filter(|call| call.op.starts_with("revoke") && call.status == 204);
    let named: BTreeSet<&str> =
        done.map(|call| call.target.as_str()).filter(|lease| !lease.is_empty()).collect();
    let most = count(named.into_iter().map(role_of));
    let shown = run.end.some(REVOCATIONS, &BY_CAUSE);
    for (key, shown) in shown.iter().filter(|(key, _)| key[2] == "requested") {
        let most = most.get(&key[..2]).copied().unwrap_or(0.0);
        run.watch.expect(*shown <= most, || format!("{key:?} {shown} of {most}"));
    }
    run.watch.verdict();
}

#[test]
fn without_the_audit_log_ends_and_failures_are_exact_and_nobody_knows_why() {
    // No audit entry names a mount, so none is known: all stands together.
    let together = |numbers: Numbers, keep: usize| {
        let mut sums = Numbers::new();
        for (key, number) in numbers {
            *sums.entry(key[keep..].to_vec()).or_default() += number;
        }
        sums
    };
    let mut run = run(&[server()], |watch, second, view| {
        let at = second * SECOND;
        watch.expect(view.only(COMPLETE) == Some(0.0), || {
            format!("{second}: {:?} complete", view.only(COMPLETE))
        });
        watch.expect(view.total(OVERDUE) == 0.0, || format!("{second}: overdue"));
        // Those of which attempts failed are known to be there, and no more than there are.
        let (least, most) = (watch.lives.failing(at).len() as f64, watch.lives.outstanding(at));
        let (unknown, most) = (view.total("leasewatch_leases_unknown"), most.values().sum());
        let is_right = (least..=most).contains(&unknown);
        watch.expect(is_right, || format!("{second}: {unknown} unknown, not {least} to {most}"));
        let leases = view.total(LEASES);
        watch.expect(leases <= most, || format!("{second}: {leases} leases of {most}"));
        let (stuck, retrying): (Vec<_>, Vec<_>) =
            watch.lives.failing(at).into_iter().partition(|failure| failure.is_stuck(at));
        let expected = count(retrying.iter().map(|failure| vec![failure.attempts.to_string()]));
        let shown = together(view.some("leasewatch_leases_retrying", &RETRYING), 2);
        watch.equal(second, "retrying", &shown, &expected);
        let shown = view.total("leasewatch_leases_stuck");
        watch.expect(shown == stuck.len() as f64, || format!("{second}: {shown} stuck, not {}", stuck.len()));
    });
    let ended: f64 = run.watch.lives.ended(i64::MAX).values().sum();
    let ended = Numbers::from([(vec!["unknown".to_owned()], ended)]);
    run.watch.equal(0, "ends", &run.end.some(REVOCATIONS, &["cause"]), &ended);
    let failed = count(run.watch.lives.failures.iter().map(|failed| vec![failed.reason.to_owned()]));
    let shown = run.end.some("leasewatch_revocation_failures_total", &["reason"]);
    run.watch.equal(0, "failed attempts", &shown, &failed);
    run.watch.verdict();
}

#[test]
fn without_its_errors_ends_are_exact_and_no_attempt_is_known() {
    let mut run = run(&[audit(), server_without("error")], |watch, second, view| {
        watch.outstanding(second, view);
        let proven = watch.causes.first_unasked + 5 * SECOND;
        let observed = view.by(OBSERVED, &ROLE);
        let is_right =
            second * SECOND < proven || !observed.is_empty() && observed.values().all(|o| *o == 1.0);
        watch.expect(is_right, || format!("{second}: observed {observed:?}"));
        for metric in
            ["leasewatch_leases_retrying", "leasewatch_leases_stuck", "leasewatch_revocation_failures_total"]
        {
            watch.expect(view.total(metric) == 0.0, || format!("{second}: {metric}"));
        }
    });
    let ended = some(run.watch.lives.ended(i64::MAX));
    run.watch.equal(0, "ends", &run.end.some(REVOCATIONS, &ROLE), &ended);
    // One as with all lines (tests/ledger/seconds.rs).
    let wrong = misjudged(&run.watch, &run.end);
    run.watch.expect(wrong <= 1.0, || format!("{wrong} ends with a wrong cause"));
    run.watch.verdict();
}

#[test]
fn at_warn_failures_are_exact_and_ends_are_estimated() {
    let mut run = run(&[audit(), server_without("info")], |watch, second, view| {
        only_estimates(watch, second, view);
        // That the next attempt has worked leaves no line: after its time nothing is known.
        let at = second * SECOND;
        let mut may_wait = Numbers::new();
        for failure in watch.lives.last_failures(at) {
            if at <= failure.next + 90 * SECOND {
                let key = [failure.role.clone(), vec![failure.attempts.to_string()]].concat();
                *may_wait.entry(key).or_default() += 1.0;
            }
        }
        for (key, shown) in view.some("leasewatch_leases_retrying", &RETRYING) {
            let most = may_wait.get(&key).copied().unwrap_or(0.0);
            watch.expect(shown <= most, || format!("{second}: {key:?} {shown} retrying of {most}"));
        }
        let failed = watch.lives.failures.iter().take_while(|failure| failure.at <= at);
        let key = |role: &Role, reason: &str| [role.clone(), vec![reason.to_owned()]].concat();
        let failed = count(failed.map(|failure| key(&failure.role, failure.reason)));
        let shown = view.some("leasewatch_revocation_failures_total", &["mount", "role", "reason"]);
        watch.equal(second, "failed attempts", &shown, &failed);
    });
    // All that was ever tried five times is still there: the operator's force came before.
    let stuck = run.last.some("leasewatch_leases_stuck", &ROLE);
    run.watch.equal(0, "stuck", &stuck, &run.watch.stuck(span().end() * SECOND));
    run.watch.verdict();
}

/// What both logs as they are come to.
pub fn undisturbed() -> &'static (View, View) {
    static PLAIN: OnceLock<(View, View)> = OnceLock::new();
    PLAIN.get_or_init(|| {
        let mut play = Play::new(&[audit(), server()]);
        (play.to(span().end() * SECOND), play.finish())
    })
}

#[test]
fn the_text_format_says_the_same() {
    let text = Log::server(&hclog::text(&corpus().server));
    let mut run = run(&[audit(), text], |_, _, _| {});
    run.watch.equal(0, "listed", &run.last.some(LEASES, &ROLE), &some(listed()));
    let plain = &undisturbed().1;
    for (metric, keys) in [
        ("leasewatch_leases_stuck", &ROLE[..]),
        ("leasewatch_leases_retrying", &RETRYING),
        ("leasewatch_role_default_ttl_seconds", &ROLE),
        (REVOCATIONS, &ROLE),
        ("leasewatch_revocation_failures_total", &["mount", "role", "reason"]),
        ("leasewatch_renewal_failures_total", &ROLE),
    ] {
        run.watch.equal(0, metric, &run.end.by(metric, keys), &plain.by(metric, keys));
    }
    // Cut to milliseconds, an end can come before the request that it answers; still nearly
    // all find it.
    let wrong = misjudged(&run.watch, &run.end);
    run.watch.expect(wrong <= 4.0, || format!("{wrong} ends with a wrong cause"));
    run.watch.verdict();
}

#[test]
fn one_stream_with_both_logs_says_the_same() {
    let merged = merged();
    let run = run(&[Log::server(&merged)], Watch::exact);
    run.watch.verdict();
    assert_eq!(run.end.all(), undisturbed().1.all());
}

/// Both logs in the order of their times, as a container's output.
fn merged() -> Vec<Arc<str>> {
    let mut lines = Vec::new();
    for (log, mark) in [(&corpus().audit, "\"time\":\""), (&corpus().server, "\"@timestamp\":\"")] {
        let mut floor = i64::MIN;
        for line in log {
            // What has no time, such as the banner, stays where it is.
            if let Some((_, rest)) = line.split_once(mark) {
                floor = floor.max(nanos(rest.split('"').next().unwrap()));
            }
            lines.push((floor, line));
        }
    }
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| Arc::clone(line)).collect()
}

/// A log whose middle third was rotated away unread, and when that third begins and ends.
fn with_gap(lines: &[Arc<str>], mark: &str, kind: LogKind) -> (Log, i64, i64) {
    let (from, to) = third();
    let mut pieces = Vec::new();
    let (mut at, mut is_lost) = (i64::MIN, false);
    for line in lines {
        if let Some((_, rest)) = line.split_once(mark) {
            at = nanos(rest.split('"').next().unwrap());
        }
        if (from..to).contains(&at) {
            if !is_lost {
                pieces.push(Piece::Gap);
            }
            is_lost = true;
        } else {
            pieces.push(Piece::Line(Arc::clone(line)));
        }
    }
    (Log::new(kind, pieces), from, to)
}

/// The middle third of the time that there was traffic.
fn third() -> (i64, i64) {
    let (first, last) = (lives().named[0].issued, lives().named.last().unwrap().issued);
    let third = (last - first) / 3;
    (first + third, first + 2 * third)
}

#[test]
fn a_third_of_the_server_log_lost_is_not_papered_over() {
    let (log, from, to) = with_gap(&corpus().server, "\"@timestamp\":\"", LogKind::Server);
    let mut run = run(&[audit(), log], |watch, second, view| {
        let at = second * SECOND;
        if at < from {
            watch.exact(second, view);
        } else if at < to {
            // The next line after the lost ones tells that they are lost, at the time of the one before.
            only_estimates_within(watch, second, view);
        } else {
            never_more_than_there_are(watch, second, view);
        }
    });
    let observed = run.last.by(OBSERVED, &ROLE);
    // Where a first attempt may have failed in the gap, the next can be ten minutes off, and the
    // log ends before; where all that is left has been spoken of since, everything is seen again.
    let any = run.watch.lives.roles().any(|role| observed.get(role) == Some(&1.0));
    run.watch.expect(any, || format!("never observed again: {observed:?}"));
    run.watch.equal(0, "listed", &run.last.some(LEASES, &ROLE), &some(listed()));
    run.watch.verdict();
}

/// In a gap nothing is seen and nothing late; what TTLs say is shown.
fn only_estimates_within(watch: &mut Watch, second: i64, view: &View) {
    let observed = view.some(OBSERVED, &ROLE);
    watch.expect(observed.is_empty(), || format!("{second}: observed {observed:?}"));
    watch.expect(view.total(OVERDUE) == 0.0, || format!("{second}: overdue"));
    for (role, shown) in view.by(LEASES, &ROLE) {
        let (least, most) = watch.estimate(&role, second * SECOND);
        let is_right = (least..=most).contains(&shown);
        watch.expect(is_right, || format!("{second}: {role:?} {shown} leases, not {least} to {most}"));
    }
}

/// After a gap: exact where the ledger is said to be complete, and estimates where not.
fn never_more_than_there_are(watch: &mut Watch, second: i64, view: &View) {
    let observed = view.by(OBSERVED, &ROLE);
    let is_complete = view.only(COMPLETE) == Some(1.0);
    let outstanding = watch.lives.outstanding(second * SECOND);
    for (role, shown) in view.by(LEASES, &ROLE) {
        if is_complete && observed.get(&role) == Some(&1.0) {
            let expected = outstanding.get(&role).copied().unwrap_or(0.0);
            watch.expect(shown == expected, || format!("{second}: {role:?} {shown} leases of {expected}"));
        }
    }
}

#[test]
fn a_third_of_the_audit_log_lost_leaves_ends_exact_and_claims_nothing_too_much() {
    let (log, from, _) = with_gap(&corpus().audit, "\"time\":\"", LogKind::Audit);
    let mut run = run(&[log, server()], |watch, second, view| {
        if second * SECOND < from {
            watch.exact(second, view);
            return;
        }
        watch.attempts_by_mount(second, view);
        watch.expect(view.only(COMPLETE) != Some(1.0), || format!("{second}: complete, yet a third is lost"));
        let outstanding = watch.lives.outstanding(second * SECOND);
        for (role, shown) in view.by(LEASES, &ROLE) {
            let most = outstanding.get(&role).copied().unwrap_or(0.0);
            watch.expect(shown <= most, || format!("{second}: {role:?} {shown} leases of {most}"));
        }
    });
    let ended = by_mount(&run.watch.lives.ended(i64::MAX));
    run.watch.equal(0, "ends", &run.end.some(REVOCATIONS, &["mount"]), &ended);
    let stuck = run.watch.stuck(span().end() * SECOND);
    run.watch.equal(0, "stuck", &run.last.some("leasewatch_leases_stuck", &ROLE), &stuck);
    run.watch.verdict();
}

#[test]
fn logs_that_begin_in_the_middle_are_not_taken_for_all() {
    let (from, _) = third();
    let cut = |lines: &[Arc<str>], mark: &str| -> Vec<Arc<str>> {
        let is_before = |line: &&Arc<str>| {
            line.split_once(mark).is_none_or(|(_, rest)| nanos(rest.split('"').next().unwrap()) < from)
        };
        let skip = lines.iter().take_while(is_before).count();
        lines[skip..].to_vec()
    };
    let audit = Log::audit(&cut(&corpus().audit, "\"time\":\""));
    let server = Log::server(&cut(&corpus().server, "\"@timestamp\":\""));
    let mut run = run(&[audit, server], |watch, second, view| {
        if second * SECOND < from + SECOND {
            return;
        }
        watch.expect(view.only(COMPLETE) == Some(0.0), || {
            format!("{second}: {:?} complete", view.only(COMPLETE))
        });
        let outstanding = watch.lives.outstanding(second * SECOND);
        for (role, shown) in view.by(LEASES, &ROLE) {
            let most = outstanding.get(&role).copied().unwrap_or(0.0);
            watch.expect(shown <= most, || format!("{second}: {role:?} {shown} leases of {most}"));
        }
    });
    let before = by_mount(&run.watch.lives.ended(from));
    let mut ended = by_mount(&run.watch.lives.ended(i64::MAX));
    for (mount, ends) in &mut ended {
        *ends -= before[mount];
    }
    run.watch.equal(0, "ends", &run.end.some(REVOCATIONS, &["mount"]), &ended);
    run.watch.verdict();
}
