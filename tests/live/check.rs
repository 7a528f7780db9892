//! What must be true of a page at the end, and of all pages on the way.

use crate::support::Metrics;
use crate::truth::{EXPIRED, Lease, Record, Truth, belongs};
use crate::watch::Page;
use crate::world::{BATCH, MOUNTS, Place, STEADY, STEADY_2, World};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// How late, in seconds, a page may be: lines settle for two, and it was fetched a moment before.
const LATE: f64 = 6.0;
/// How many differences are told of.
const MOST: usize = 24;
/// How long after its end a lease is overdue, less a second for the clocks of clients.
const OVERDUE: f64 = 14.0;

/// Differences in words; none of them is good.
#[derive(Debug, Default)]
pub(crate) struct Differences(String, usize);

impl Differences {
    /// Notes a number that is not what it must be, between `least` and `most`.
    fn within(&mut self, what: impl std::fmt::Display, shown: f64, least: f64, most: f64) {
        if shown < least - 0.5 || shown > most + 0.5 {
            self.1 += 1;
        } else {
            return;
        }
        // Half a minute of pages would say the same.
        if self.1 <= MOST {
            writeln!(self.0, "{what}: {shown} shown, {least} to {most} expected").unwrap();
        }
    }

    fn equal(&mut self, what: impl std::fmt::Display, shown: f64, expected: f64) {
        self.within(what, shown, expected, expected);
    }

    /// Good, or the differences.
    pub(crate) fn result(self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("{}({} differences)", self.0, self.1)) }
    }
}

/// What the ledger must come to, on one page or in the sum over several: every role's issues,
/// ends by cause, and what is out.
pub(crate) fn settled(page: &Metrics, world: &World, truth: &Truth, lost_too: bool) -> Result<(), String> {
    let mut differences = Differences::default();
    let (before, listed) = (Record::of(world), listing(world));
    let record = Record::of(world);
    if before.ended.len() != record.ended.len() {
        return Err("leases end while they are listed".into());
    }
    for place in Place::all() {
        let labels = place.labels();
        let outstanding = listed[&place].len() as f64;
        let (seen, at_most) = truth.issued_of(&place);
        let at_most = if lost_too { at_most } else { seen };
        let doubt = at_most as f64 - seen as f64;
        // Of a node that died, the last issues and the last ends were not written down.
        let unheard = if lost_too { unheard(truth, &record, &place, &listed[&place]) } else { 0.0 };
        let out = page.sum("leasewatch_leases", &labels);
        differences.within(format_args!("leases{labels:?}"), out, outstanding - doubt, outstanding + unheard);
        let issued = page.sum("leasewatch_credentials_issued_total", &labels);
        differences.within(format_args!("issued{labels:?}"), issued, seen as f64, at_most as f64);
        let ended = page.sum("leasewatch_revocations_total", &labels);
        let what = format_args!("ended{labels:?}, of {issued} issued");
        let least = issued - outstanding - unheard;
        differences.within(what, ended, least, issued - outstanding + doubt);
    }
    differences.result()
}

/// Leases of a role that are gone although no log says so.
fn unheard(truth: &Truth, record: &Record, place: &Place, listed: &[String]) -> f64 {
    let leases = truth.leases();
    let named = leases.iter().filter(|lease| lease.place == *place && !lease.id.is_empty());
    named.filter(|lease| !record.ended.contains_key(&lease.id) && !listed.contains(&lease.id)).count() as f64
}

/// What is out, and nothing else, as the server lists it.
pub(crate) fn outstanding(page: &Metrics, world: &World) -> Result<(), String> {
    let mut differences = Differences::default();
    for (place, listed) in listing(world) {
        let labels = place.labels();
        let shown = page.sum("leasewatch_leases", &labels);
        differences.equal(format_args!("leases{labels:?}"), shown, listed.len() as f64);
    }
    differences.result()
}

/// The same, though what was said between these moments may have been lost: leases that live long
/// may be taken for outstanding until their time is up, those that live shortly no more; and of
/// what should have ended, and only failed to in these moments, nobody knows before its next attempt.
pub(crate) fn outstanding_but_for(page: &Metrics, world: &World, gaps: &[(f64, f64)]) -> Result<(), String> {
    let mut differences = Differences::default();
    let record = Record::of(world);
    let in_gap = |at: f64| gaps.iter().any(|(from, to)| *from <= at && at <= *to);
    for (place, listed) in listing(world) {
        let lost = record.ended_of(&place).filter(|(_, at)| in_gap(*at)).count() as f64;
        let lives_long = [STEADY, STEADY_2, BATCH].contains(&place.role);
        let is_hidden = |id: &&String| {
            let attempts = record.failed.get(*id);
            attempts.is_some_and(|attempts| attempts.iter().all(|attempt| in_gap(attempt.at)))
        };
        let hidden = listed.iter().filter(is_hidden).count() as f64;
        let out = listed.len() as f64;
        let labels = place.labels();
        let shown = page.sum("leasewatch_leases", &labels);
        let (least, most) = (out - hidden, out + if lives_long { lost } else { 0.0 });
        differences.within(format_args!("leases{labels:?}"), shown, least, most);
    }
    differences.result()
}

/// Tokens that are out, by the method that made them, are those that the server lists.
pub(crate) fn tokens(page: &Metrics, world: &World) -> Result<(), String> {
    let mut differences = Differences::default();
    for (namespace, name) in [("", "root"), ("team-a", "team-a")] {
        for (method, prefix) in [("approle", "auth/approle/login/"), ("token", "auth/token/create/")] {
            let listed = world.listed_below(namespace, prefix).len() as f64;
            let labels = [("vault_namespace", name), ("auth_method", method)];
            differences.equal(
                format_args!("token leases{labels:?}"),
                page.sum("leasewatch_token_leases", &labels),
                listed,
            );
        }
    }
    differences.result()
}

/// What several exporters show adds up: each issue and each end is counted by one of them.
pub(crate) fn together(pages: &[Metrics], world: &World, truth: &Truth) -> Result<(), String> {
    let mut differences = Differences::default();
    let record = Record::of(world);
    let sum = |metric: &str, labels: &[(&str, &str)]| {
        pages.iter().map(|page| page.sum(metric, labels)).sum::<f64>()
    };
    for place in Place::all() {
        let labels = place.labels();
        let (least, most) = truth.issued_of(&place);
        let issued = sum("leasewatch_credentials_issued_total", &labels);
        differences.within(format_args!("issued{labels:?} over all"), issued, least as f64, most as f64);
        let ended = record.ended_of(&place).count() as f64;
        let shown = sum("leasewatch_revocations_total", &labels);
        differences.equal(format_args!("ended{labels:?} over all"), shown, ended);
    }
    differences.result()
}

/// Ends by cause are those that clients asked for and servers wrote down.
pub(crate) fn causes(page: &Metrics, world: &World, truth: &Truth) -> Result<(), String> {
    let mut differences = Differences::default();
    let record = Record::of(world);
    let mut leases = truth.leases().clone();
    record.name(&mut leases);
    for place in Place::all() {
        let mut bounds: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        let ended =
            leases.iter().filter(|lease| lease.place == place && record.ended.contains_key(&lease.id));
        for lease in ended {
            for cause in lease.causes {
                let (least, most) = bounds.entry(cause).or_default();
                *least += if lease.causes.len() == 1 { 1.0 } else { 0.0 };
                *most += 1.0;
            }
        }
        for cause in ["expired", "requested", "prefix", "forced", "token", "early", "unknown"] {
            let (least, most) = bounds.get(cause).copied().unwrap_or_default();
            let labels: Vec<_> = place.labels().into_iter().chain([("cause", cause)]).collect();
            let shown = page.sum("leasewatch_revocations_total", &labels);
            differences.within(format_args!("ended{labels:?}"), shown, least, most);
        }
    }
    differences.result()
}

/// Attempts that failed are as the servers wrote, by role and reason.
pub(crate) fn attempts_that_failed(page: &Metrics, world: &World) -> Result<(), String> {
    let mut differences = Differences::default();
    let record = Record::of(world);
    for place in Place::all() {
        let of_role = record.failed.iter().filter(|(id, _)| belongs(id, &place));
        let failed: Vec<_> = of_role.flat_map(|(_, attempts)| attempts).collect();
        for reason in ["object_dependency", "missing_role", "permission", "connection", "timeout", "other"] {
            let labels: Vec<_> = place.labels().into_iter().chain([("reason", reason)]).collect();
            let expected = failed.iter().filter(|attempt| attempt.reason == reason).count() as f64;
            let shown = page.sum("leasewatch_revocation_failures_total", &labels);
            differences.equal(format_args!("failed attempts{labels:?}"), shown, expected);
        }
    }
    differences.result()
}

/// Leases that wait for another attempt are as the servers wrote, by role and by cause.
pub(crate) fn retrying(page: &Metrics, world: &World) -> Result<(), String> {
    let mut differences = Differences::default();
    let record = Record::of(world);
    let mut by_mount: BTreeMap<(&str, &str, &str), f64> = BTreeMap::new();
    for place in Place::all() {
        let mut waiting: BTreeMap<u64, f64> = BTreeMap::new();
        for (id, attempts) in record.failed.iter().filter(|(id, _)| belongs(id, &place)) {
            let Some(last) = attempts.last().filter(|_| !record.ended.contains_key(id)) else { continue };
            *waiting.entry(last.number).or_default() += 1.0;
            *by_mount.entry((place.namespace, place.mount, last.reason)).or_default() += 1.0;
        }
        let labels = place.labels();
        // Whoever failed five times waits for the sixth attempt, and is stuck some time after that.
        for number in 1..=4 {
            let text = number.to_string();
            let labels: Vec<_> = labels.into_iter().chain([("failed_attempts", text.as_str())]).collect();
            let expected = waiting.get(&number).copied().unwrap_or(0.0);
            differences.equal(
                format_args!("retrying{labels:?}"),
                page.sum("leasewatch_leases_retrying", &labels),
                expected,
            );
        }
        let given_up = waiting.get(&5).copied().unwrap_or(0.0);
        let last = [labels.as_slice(), &[("failed_attempts", "5")]].concat();
        let shown =
            page.sum("leasewatch_leases_retrying", &last) + page.sum("leasewatch_leases_stuck", &labels);
        differences.equal(format_args!("retrying a sixth time or stuck{labels:?}"), shown, given_up);
    }
    for (namespace, mount) in MOUNTS {
        let stuck = {
            let name = if namespace.is_empty() { "root" } else { *namespace };
            page.sum("leasewatch_leases_stuck", &[("vault_namespace", name), ("mount", *mount)])
        };
        for reason in ["object_dependency", "missing_role", "connection"] {
            let name = if namespace.is_empty() { "root" } else { *namespace };
            let labels = [("vault_namespace", name), ("mount", *mount), ("reason", reason)];
            let expected = by_mount.get(&(*namespace, *mount, reason)).copied().unwrap_or(0.0);
            let shown = page.sum("leasewatch_leases_retrying_by_cause", &labels);
            differences.within(
                format_args!("retrying by cause{labels:?}"),
                shown,
                expected - stuck,
                expected,
            );
        }
    }
    differences.result()
}

/// No page ever called more leases of a role overdue than were.
pub(crate) fn never_falsely_overdue(pages: &[Page], world: &World, truth: &Truth) -> Result<(), String> {
    let mut differences = Differences::default();
    let record = Record::of(world);
    let mut leases = truth.leases().clone();
    record.name(&mut leases);
    // While it catches up, a page speaks of a moment that is past.
    for page in pages.iter().filter(|page| page.metrics.sum("leasewatch_catching_up", &[]) < 0.5) {
        for place in Place::all() {
            let labels = place.labels();
            let shown = page.metrics.sum("leasewatch_leases_overdue", &labels);
            if shown > 0.5 {
                let most = overdue(&leases, &record, &place, page.at);
                differences.within(format_args!("overdue{labels:?} at {:.1}", page.at), shown, 0.0, most);
            }
        }
    }
    differences.result()
}

/// The same, and none says that more leases were out or had ended than were issued.
pub(crate) fn on_the_way(pages: &[Page], world: &World, truth: &Truth) -> Result<(), String> {
    never_falsely_overdue(pages, world, truth)?;
    let mut differences = Differences::default();
    for page in pages {
        for place in Place::all() {
            let labels = place.labels();
            let issued = page.metrics.sum("leasewatch_credentials_issued_total", &labels);
            let out = page.metrics.sum("leasewatch_leases", &labels);
            let ended = page.metrics.sum("leasewatch_revocations_total", &labels);
            // Issued by a node that died before it wrote so.
            let (seen, at_most) = truth.issued_of(&place);
            let what = format_args!("out and ended{labels:?} at {:.1}", page.at);
            differences.within(what, out + ended, 0.0, issued + (at_most - seen) as f64);
        }
    }
    differences.result()
}

/// How many of a role's leases were, at most, overdue when a page of that time was made.
fn overdue(leases: &[Lease], record: &Record, place: &Place, at: f64) -> f64 {
    let was = |lease: &&Lease| {
        let ended = record.ended.get(&lease.id).copied().unwrap_or(f64::INFINITY);
        lease.place == *place && lease.expires + OVERDUE <= at && ended > at - LATE
    };
    leases.iter().filter(was).count() as f64
}

/// The first lease of a role that did not end when it should have was called overdue within 30 seconds.
pub(crate) fn overdue_in_time(pages: &[Page], truth: &Truth, place: &Place) -> Result<(), String> {
    let leases = truth.leases();
    let due = leases.iter().filter(|lease| lease.place == *place).map(|lease| lease.expires);
    let first = due.fold(f64::INFINITY, f64::min);
    let labels = place.labels();
    let seen = pages
        .iter()
        .find(|page| page.metrics.sum("leasewatch_leases_overdue", &labels) > 0.5)
        .map(|page| page.at);
    match seen {
        Some(at) if at <= first + 30.0 => Ok(()),
        Some(at) => Err(format!("{labels:?}: overdue only {:.1} s after the first missed end", at - first)),
        None => Err(format!("{labels:?}: never overdue")),
    }
}

/// The run was not so lucky that some trap was never set.
pub(crate) fn everything_happened(world: &World, truth: &Truth) -> Result<(), String> {
    let mut missing = String::new();
    let record = Record::of(world);
    let mut leases = truth.leases().clone();
    record.name(&mut leases);
    for reason in ["object_dependency", "missing_role", "connection"] {
        if !record.failed.values().flatten().any(|attempt| attempt.reason == reason) {
            writeln!(missing, "no attempt failed for {reason}").unwrap();
        }
    }
    for cause in ["expired", "requested", "prefix", "forced", "token"] {
        let ended = |lease: &&Lease| record.ended.contains_key(&lease.id) && lease.causes == [cause];
        if leases.iter().find(ended).is_none() {
            writeln!(missing, "no lease ended {cause}").unwrap();
        }
    }
    for (namespace, mount) in MOUNTS {
        let spared = Place { namespace, mount, role: STEADY_2 };
        if world.listed(&spared).is_empty() {
            writeln!(missing, "no lease of {spared:?} is out").unwrap();
        }
    }
    let recovered = |id: &String| record.failed.contains_key(id);
    if !record.ended.keys().any(recovered) {
        writeln!(missing, "no lease ended after a failed attempt").unwrap();
    }
    if missing.is_empty() { Ok(()) } else { Err(missing) }
}

/// The truth does not contradict itself: what nobody asked for ended at its time or later.
pub(crate) fn truth_is_one(world: &World, truth: &Truth) -> Result<(), String> {
    let record = Record::of(world);
    let mut leases = truth.leases().clone();
    record.name(&mut leases);
    let mut wrong = String::new();
    for lease in leases.iter().filter(|lease| lease.causes == EXPIRED) {
        if let Some(end) = record.ended.get(&lease.id).filter(|end| **end < lease.expires - 1.5) {
            writeln!(wrong, "{lease:?} ended at {end:.1}, before its time").unwrap();
        }
    }
    let known: BTreeSet<_> = leases.iter().map(|lease| &lease.id).collect();
    for id in record.ended.keys().filter(|id| !known.contains(id)) {
        writeln!(wrong, "nobody knows {id}, which ended").unwrap();
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Looks once a second until all is well; what was not after that time. Each look makes entries in
/// the very logs that are looked at, so it is not done more often.
pub(crate) fn in_time(
    who: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<(), String>,
) -> Result<(), String> {
    let end = Instant::now() + limit;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        match look() {
            Err(why) if Instant::now() > end => return Err(format!("{who}, not in {limit:?}:\n{why}")),
            Err(_) => {}
            Ok(()) => return Ok(()),
        }
    }
}

/// Fails the test with all that is wrong, not with the first of it.
pub(crate) fn all_well(found: impl IntoIterator<Item = Result<(), String>>) {
    let wrong: Vec<_> = found.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All roles' leases as the API lists them.
pub(crate) fn listing(world: &World) -> BTreeMap<Place, Vec<String>> {
    Place::all().map(|place| (place, world.listed(&place))).collect()
}
