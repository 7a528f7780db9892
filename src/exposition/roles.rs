//! The leases by role, as the page at `/` shows them: those in trouble first, then the
//! largest. Made from the families that `/metrics` shows, so that both say the same; it names
//! roles and mounts, and nobody who uses them.

use crate::contract::{credentials, leases};
use crate::html::{Grouped, Text};
use crate::snapshot::Family;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

/// Rows on the page; `/metrics` has all.
const MOST: usize = 20;
/// The metric with the score of a role.
const SCORE: &str = "leasewatch_anomaly_score";

/// Why attempts to revoke fail, by the label `reason`, with what it means.
const REASONS: &[(&str, &str)] = &[
    (
        "object_dependency",
        "the database user owns objects or has grants elsewhere, so that it cannot be dropped",
    ),
    ("missing_role", "the database user is gone already"),
    ("permission", "Vault's own database user may not do it"),
    ("connection", "the database cannot be reached"),
    ("timeout", "the database did not answer in time"),
    ("unsupported", "the plugin or its statements cannot do it"),
    ("other", "for a reason that is not one of the known ones"),
];

/// What the page says of roles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roles {
    /// The first rows.
    rows: Vec<Row>,
    /// Roles that have a lease, were issued one, or are in trouble.
    known: usize,
    /// Outstanding leases of all of them.
    outstanding: u64,
    /// Leases that wait for another attempt, by mount and reason.
    failing: Vec<(String, &'static str, u64)>,
}

/// One role.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    namespace: Arc<str>,
    mount: Arc<str>,
    role: Arc<str>,
    /// Outstanding; `None` where it is not known.
    leases: Option<u64>,
    /// Every end is seen; else they are estimated.
    is_observed: bool,
    /// End within five minutes.
    ending: u64,
    /// Issued a second, over the last five minutes and the last hour.
    rate: [f64; 2],
    overdue: u64,
    retrying: u64,
    /// Most failed attempts of one of the leases.
    attempts: u64,
    stuck: u64,
    /// Highest score of an episode that touches it.
    score: f64,
}

impl Roles {
    /// From the families of a moment.
    pub fn of(families: &[Family]) -> Self {
        let mut rows: BTreeMap<[Arc<str>; 4], Row> = BTreeMap::new();
        let mut failing = Vec::new();
        for family in families {
            for series in &family.series {
                let Some(number) = series.value.number() else { continue };
                if family.metric == &leases::RETRYING_BY_CAUSE {
                    if let [namespace, mount, _, reason] = &series.labels[..]
                        && number > 0.0
                        && let Some((_, means)) = REASONS.iter().find(|(name, _)| **name == **reason)
                    {
                        failing.push((place(namespace, mount), *means, whole(number)));
                    }
                    continue;
                }
                let [namespace, mount, engine, role, rest @ ..] = &series.labels[..] else { continue };
                let rest = rest.first().map_or("", |label| &**label);
                let Some(change) = change(family, rest) else { continue };
                let key = [namespace, mount, engine, role].map(Arc::clone);
                let row = rows.entry(key).or_insert_with_key(|[namespace, mount, _, role]| Row {
                    namespace: Arc::clone(namespace),
                    mount: Arc::clone(mount),
                    role: Arc::clone(role),
                    ..Row::default()
                });
                change(row, number);
            }
        }
        let mut rows: Vec<_> = rows.into_values().filter(Row::is_worth_showing).collect();
        rows.sort_by_key(Row::rank);
        let outstanding = rows.iter().filter_map(|row| row.leases).sum();
        let known = rows.len();
        rows.truncate(MOST);
        Self { rows, known, outstanding, failing }
    }
}

/// What a series of that family, with that fifth label, changes in its row.
fn change(family: &Family, fifth: &str) -> Option<fn(&mut Row, f64)> {
    let metric = family.metric;
    Some(match fifth {
        "" if metric == &leases::LEASES => |row, number| row.leases = Some(whole(number)),
        "" if metric == &leases::OBSERVED => |row, number| row.is_observed = number > 0.0,
        "" if metric == &leases::OVERDUE => |row, number| row.overdue = whole(number),
        "" if metric == &leases::STUCK => |row, number| row.stuck = whole(number),
        "" if metric.name == SCORE => |row, number| row.score = number,
        "5m" if metric == &leases::EXPIRING => |row, number| row.ending = whole(number),
        "5m" if metric == &credentials::ISSUE_RATE => |row, number| row.rate[0] = number,
        "1h" if metric == &credentials::ISSUE_RATE => |row, number| row.rate[1] = number,
        attempts if metric == &leases::RETRYING => match attempts {
            "1" => |row, number| row.retrying(1, number),
            "2" => |row, number| row.retrying(2, number),
            "3" => |row, number| row.retrying(3, number),
            "4" => |row, number| row.retrying(4, number),
            _ => |row, number| row.retrying(5, number),
        },
        _ => return None,
    })
}

impl Row {
    fn retrying(&mut self, attempts: u64, leases: f64) {
        self.retrying += whole(leases);
        if leases > 0.0 {
            self.attempts = self.attempts.max(attempts);
        }
    }

    fn is_worth_showing(&self) -> bool {
        self.leases.unwrap_or(0) + self.overdue + self.retrying + self.stuck > 0
            || self.rate[1] > 0.0
            || self.score > 0.0
    }

    /// The first on the page is the lowest.
    fn rank(&self) -> impl Ord + use<> {
        let rate = whole(self.rate[1] * 1e6);
        (
            Reverse((self.stuck, self.retrying, self.overdue)),
            Reverse((self.leases, rate)),
            Arc::clone(&self.namespace),
            Arc::clone(&self.mount),
            Arc::clone(&self.role),
        )
    }
}

/// The section.
pub(super) fn section(out: &mut String, roles: &Roles) -> fmt::Result {
    out.write_str("<h2>Leases by role</h2>")?;
    if roles.rows.is_empty() {
        return out.write_str(
            "<p class=\"note\">No lease is outstanding, and none was issued in the last hour.</p>",
        );
    }
    write!(
        out,
        "<p class=\"dim\">{} outstanding, of {} roles; those in trouble come first.</p>",
        Grouped(roles.outstanding),
        Grouped(roles.known as u64)
    )?;
    for (place, means, leases) in &roles.failing {
        let (plural, verb) = if *leases == 1 { ("", "waits") } else { ("s", "wait") };
        write!(
            out,
            "<p class=\"note\"><b class=\"wait\">{} lease{plural}</b> of <code>{}</code> {verb} for another attempt \
             to be revoked: {means}. Vault tries six times, then gives up, and the credentials may live on.</p>",
            Grouped(*leases),
            Text(place)
        )?;
    }
    out.write_str(
        "<div class=\"scroll\"><table><thead><tr><th>Role<th class=\"num\">Outstanding<th class=\"num\">End in 5 min\
         <th class=\"num\">Issued a minute<br>last 5 min / hour<th class=\"num\">Overdue<th class=\"num\">Retrying\
         <th class=\"num\">Stuck<th class=\"num\">Score</tr></thead>",
    )?;
    for row in &roles.rows {
        self::row(out, row)?;
    }
    out.write_str("</table></div>")?;
    if roles.known > roles.rows.len() {
        write!(out, "<p class=\"dim\">{} more: see ", Grouped((roles.known - roles.rows.len()) as u64))?;
        out.write_str("<a href=\"/metrics\">/metrics</a>, or <code>leasewatch leases</code>.</p>")?;
    }
    Ok(())
}

fn row(out: &mut String, row: &Row) -> fmt::Result {
    write!(
        out,
        "<tr><td><code>{}</code><div class=\"dim\">{}</div><td class=\"num\">",
        Text(&row.role),
        Text(&place(&row.namespace, &row.mount))
    )?;
    match row.leases {
        Some(leases) if row.is_observed => write!(out, "{}", Grouped(leases))?,
        Some(leases) => {
            write!(out, "<span title=\"by their TTLs: not every end is seen\">≈{}</span>", Grouped(leases))?;
        }
        None => out.write_str("<span class=\"dim\">not known</span>")?,
    }
    let [lately, usually] = row.rate.map(|rate| PerMinute(rate * 60.0));
    write!(out, "<td class=\"num\">{}<td class=\"num\">{lately} / {usually}", Count(row.ending, "num"))?;
    write!(
        out,
        "<td class=\"num\">{}<td class=\"num\">{}",
        Count(row.overdue, "wait"),
        Count(row.retrying, "wait")
    )?;
    if row.retrying > 0 {
        write!(out, "<div class=\"dim\">{} of 6 failed</div>", row.attempts)?;
    }
    write!(out, "<td class=\"num\">{}<td class=\"num\">", Count(row.stuck, "bad"))?;
    if row.score >= 0.5 {
        write!(out, "<span class=\"wait\">{:.0}</span></tr>", row.score)
    } else {
        out.write_str("</tr>")
    }
}

/// A rate; the small ones of quiet roles too.
struct PerMinute(f64);

impl fmt::Display for PerMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            rate if rate <= 0.0 => f.write_str("0"),
            rate if rate < 1.0 => write!(f, "{rate:.2}"),
            rate => write!(f, "{rate:.1}"),
        }
    }
}

/// A number that only shows where there is something.
struct Count(u64, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(0, _) => f.write_str("<span class=\"dim\">0</span>"),
            Self(count, class) => write!(f, "<span class=\"{class}\">{}</span>", Grouped(*count)),
        }
    }
}

/// A mount with its namespace, if that is not root.
fn place(namespace: &str, mount: &str) -> String {
    if namespace == "root" { mount.to_owned() } else { format!("{namespace}/{mount}") }
}

/// Counts come as numbers; none is negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> [&str; 4] {
        ["root", "database/", "database", name]
    }

    fn with<'a>(name: &'a str, fifth: &'a str) -> [&'a str; 5] {
        ["root", "database/", "database", name, fifth]
    }

    #[test]
    fn trouble_comes_first_then_the_largest_and_no_more_than_there_is_room_for() {
        let (mut out, mut stuck, mut retrying) =
            (Family::new(&leases::LEASES), Family::new(&leases::STUCK), Family::new(&leases::RETRYING));
        for number in 0..40 {
            out.number(role(&format!("role-{number:02}")), f64::from(number));
        }
        stuck.number(role("role-03"), 1.0);
        retrying.number(with("role-05", "2"), 3.0);
        retrying.number(with("role-05", "4"), 1.0);
        let roles = Roles::of(&[out, stuck, retrying]);
        // The first of them has no lease.
        assert_eq!((roles.known, roles.outstanding, roles.rows.len()), (39, 780, MOST));
        let names: Vec<_> = roles.rows.iter().map(|row| &*row.role).take(4).collect();
        assert_eq!(names, ["role-03", "role-05", "role-39", "role-38"]);
        assert_eq!((roles.rows[1].retrying, roles.rows[1].attempts), (4, 4));
        let mut page = String::new();
        section(&mut page, &roles).expect("a String takes it");
        assert!(page.contains("780 outstanding, of 39 roles") && page.contains("4 of 6 failed"), "{page}");
        assert!(page.contains("19 more"), "{page}");
    }

    #[test]
    fn what_is_estimated_or_not_known_says_so() {
        let (mut out, mut observed) = (Family::new(&leases::LEASES), Family::new(&leases::OBSERVED));
        let mut rate = Family::new(&credentials::ISSUE_RATE);
        out.number(role("estimated"), 7.0);
        observed.number(role("estimated"), 0.0);
        rate.number(with("unknown", "1h"), 0.5);
        rate.number(with("unknown", "5m"), 0.25);
        let mut page = String::new();
        section(&mut page, &Roles::of(&[out, observed, rate])).expect("a String takes it");
        assert!(page.contains("≈7") && page.contains("not known") && page.contains("15.0 / 30.0"), "{page}");
    }

    #[test]
    fn causes_are_told_in_words_and_names_are_escaped() {
        let mut causes = Family::new(&leases::RETRYING_BY_CAUSE);
        causes.number(["team-a", "database/", "database", "object_dependency"], 2.0);
        causes.number(["team-a", "database/", "database", "timeout"], 0.0);
        let mut out = Family::new(&leases::LEASES);
        out.number(role("<b>"), 1.0);
        let mut page = String::new();
        section(&mut page, &Roles::of(&[causes, out])).expect("a String takes it");
        assert!(page.contains("2 leases</b> of <code>team-a/database/</code> wait"), "{page}");
        assert!(!page.contains("in time") && page.contains("owns objects"), "{page}");
        assert!(!page.contains("<b>") && page.contains("&lt;b&gt;"), "{page}");
    }

    #[test]
    fn every_reason_has_its_words() {
        for reason in crate::event::RevocationTrouble::ALL {
            assert!(REASONS.iter().any(|(name, _)| *name == reason.name()), "{}", reason.name());
        }
    }
}
