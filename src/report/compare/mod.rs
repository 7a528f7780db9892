//! Comparison: two periods side by side, and what changed from one to the other. What is beyond chance
//! comes first, by how much it surely is.

mod change;
mod json;
mod markdown;
mod side;
mod text;

pub use json::json;
pub use markdown::markdown;
pub use side::Side;
pub use text::text;

use super::story::words;
use super::{Narrowed, Period};
use crate::event::Text;
use crate::story::{Half, Lifetimes, RoleName};
use change::{Change, Counts};
use side::{COMPARED, Key};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a table that people read.
const ROWS_MOST: usize = 50;
/// Clients, or addresses, that people read.
const NAMES_MOST: usize = 20;

/// What a comparison is made of.
#[derive(Debug)]
pub struct Comparison {
    /// The earlier period, and the one that was asked about.
    pub sides: [Side; 2],
    /// Who there was in them, from where, and for how long leases were out.
    pub halves: [Half; 2],
    /// What part of it is told, where that is not all.
    pub narrowed: Option<Narrowed>,
    /// Lines before the earlier period.
    pub lines_before: u64,
}

/// One number, then and now.
struct Row<'c> {
    key: &'c Key,
    before: Counts,
    now: Counts,
    change: Change,
}

/// Leases that were out at most, then and now.
struct Peak<'c> {
    place: Vec<&'c str>,
    before: f64,
    now: f64,
}

/// For how long leases were out, then and now; the median in seconds, and how many.
struct Lasted<'c> {
    role: &'c RoleName,
    before: Option<(f64, u64)>,
    now: Option<(f64, u64)>,
}

/// A name that was there in one of the periods alone, with its requests.
struct Name {
    name: String,
    requests: u64,
}

impl Comparison {
    /// Every number that is not nothing in both, what is clear first.
    fn rows(&self) -> Vec<Row<'_>> {
        let [before, now] = &self.sides;
        let keys: BTreeSet<_> = before.keys().chain(now.keys()).collect();
        let among = keys.len();
        let mut rows: Vec<_> = keys
            .into_iter()
            .map(|key| {
                let (before, now) = (before.counts(key), now.counts(key));
                let change = Change::new(&before, &now, among);
                Row { key, before, now, change }
            })
            .collect();
        let size = |row: &Row<'_>| row.before.total() + row.now.total();
        rows.sort_by(|a, b| {
            let by_change = b.change.least().total_cmp(&a.change.least());
            by_change.then_with(|| size(b).cmp(&size(a))).then_with(|| a.key.cmp(b.key))
        });
        rows
    }

    /// Every role that had leases out in either.
    fn peaks(&self) -> Vec<Peak<'_>> {
        let [before, now] = &self.sides;
        let places: BTreeSet<_> = before.peaks.keys().chain(now.peaks.keys()).collect();
        let of = |side: &Side, place| side.peaks.get(place).copied().unwrap_or(0.0);
        let mut peaks: Vec<_> = places
            .into_iter()
            .map(|place| Peak {
                place: place.iter().map(|(_, value)| &**value).collect(),
                before: of(before, place),
                now: of(now, place),
            })
            .filter(|peak| peak.before > 0.0 || peak.now > 0.0)
            .collect();
        peaks.sort_by(|a, b| (b.now - b.before).abs().total_cmp(&(a.now - a.before).abs()));
        peaks
    }

    /// Every role of which a lease ended in either.
    fn lasted(&self) -> Vec<Lasted<'_>> {
        let [before, now] = &self.halves;
        let roles: BTreeSet<_> = before.lifetimes.keys().chain(now.lifetimes.keys()).collect();
        let of = |half: &Half, role| {
            half.lifetimes.get(role).and_then(|lasted: &Lifetimes| Some((lasted.median()?, lasted.count)))
        };
        roles
            .into_iter()
            .filter(|(namespace, mount, _)| self.is_of_part(namespace, mount))
            .map(|role| Lasted { role, before: of(before, role), now: of(now, role) })
            .collect()
    }

    fn is_of_part(&self, namespace: &str, mount: &str) -> bool {
        let root = if namespace.is_empty() { "root" } else { namespace };
        // A comparison is of no role alone.
        self.narrowed.as_ref().is_none_or(|narrowed| narrowed.to.holds(root, mount, ""))
    }

    /// Who is new and who is gone: clients, then addresses. The most active first.
    fn names(&self) -> [(&'static str, Vec<Name>); 4] {
        let [before, now] = &self.halves;
        let client = |(requester, role): &(crate::event::Requester, Text)| {
            words::client(&crate::event::Who { requester: requester.clone(), role: role.clone() })
        };
        [
            ("New clients", only(&now.clients, &before.clients, client)),
            ("Clients gone", only(&before.clients, &now.clients, client)),
            ("New addresses", only(&now.sources, &before.sources, ToString::to_string)),
            ("Addresses gone", only(&before.sources, &now.sources, ToString::to_string)),
        ]
    }

    /// What is to be known about it, in sentences.
    fn notes(&self) -> Vec<String> {
        let [before, now] = &self.sides;
        let mut notes: Vec<_> = self.narrowed.iter().flat_map(Narrowed::sentences).collect();
        if self.narrowed.is_some() {
            notes.push("clients and addresses are those of all".to_owned());
        }
        notes.push(format!(
            "a change is told as one where chance would bring about any such change in one report of a hundred; \
             numbers of {} and {} are compared by the hour, and bursts count as what they are",
            length(before.seconds()),
            length(now.seconds())
        ));
        if self.halves.iter().any(|half| half.is_crowded) {
            notes.push("there were more than 20,000 clients or addresses: some that are said to be new or gone may not be".to_owned());
        }
        notes
    }

    /// The periods, in words.
    fn periods(&self) -> [String; 2] {
        [("before", &self.sides[0]), ("now", &self.sides[1])].map(|(name, side)| {
            format!("{name}: {} until {} ({})", side.since, side.until, length(side.seconds()))
        })
    }

    /// The period that was asked about, as other reports say it.
    fn period(&self, place: usize) -> Period {
        let side = &self.sides[place];
        Period { since: Some(side.since), until: side.until, lines_before: self.lines_before }
    }
}

impl Row<'_> {
    /// What was counted, in words.
    fn what(&self) -> String {
        let (of, labels) = self.key;
        let more = labels.iter().filter(|(name, _)| !PLACE.contains(name));
        let more: Vec<_> = more.map(|(_, value)| &**value).collect();
        let what = COMPARED[*of].what;
        if more.is_empty() { what.to_owned() } else { format!("{what}, {}", more.join(" ")) }
    }

    /// Namespace, mount and role, as far as it has them.
    fn place(&self) -> [&str; 3] {
        let labels = &self.key.1;
        PLACE.map(|wanted| labels.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value))
    }

    /// How it changed, in words.
    fn change(&self) -> String {
        let Change { ratio, bounds: (low, high) } = self.change;
        let factor = |ratio: f64| {
            if ratio >= 1.0 { format!("×{}", rounded(ratio)) } else { format!("÷{}", rounded(1.0 / ratio)) }
        };
        match ratio {
            _ if !self.change.is_clear() => "within chance".to_owned(),
            None => "new".to_owned(),
            Some(_) if self.now.total() == 0 => "gone".to_owned(),
            Some(ratio) => {
                format!("{}, surely {}", factor(ratio), factor(if low > 1.0 { low } else { high }))
            }
        }
    }
}

/// Labels that say where, in the order of columns.
const PLACE: [&str; 3] = ["vault_namespace", "mount", "role"];

fn only<K: Ord>(of: &BTreeMap<K, u64>, without: &BTreeMap<K, u64>, name: impl Fn(&K) -> String) -> Vec<Name> {
    let only = of.iter().filter(|(key, _)| !without.contains_key(key));
    let mut names: Vec<_> =
        only.map(|(key, requests)| Name { name: name(key), requests: *requests }).collect();
    names.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| a.name.cmp(&b.name)));
    names
}

/// A number as people read it: three digits that matter.
fn rounded(number: f64) -> String {
    match number {
        number if number >= 100.0 => format!("{number:.0}"),
        number if number >= 10.0 => format!("{number:.1}"),
        number => format!("{number:.2}"),
    }
}

fn length(seconds: f64) -> String {
    words::seconds(seconds)
}

/// A median, and of how many.
fn lasted(of: Option<(f64, u64)>) -> String {
    of.map_or_else(|| "–".to_owned(), |(median, count)| format!("{} of {count}", length(median)))
}
