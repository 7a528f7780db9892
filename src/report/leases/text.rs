//! Leases as text, for a person at a terminal.

use super::group::{Group, Key, groups};
use super::words::{age, distance, moment, requester};
use super::{By, Is, Leases, View};
use crate::event::{RevocationTrouble, Timestamp};
use crate::report::table::Table;
use crate::state::{Condition, LeaseView};
use std::fmt::Write;

/// The leases as text.
pub fn text(leases: &Leases, view: View) -> String {
    let mut out = String::new();
    for note in &leases.notes {
        let _ = writeln!(out, "note: {note}");
    }
    let count = leases.leases.len();
    let of = |is| leases.leases.iter().filter(|lease| Is::of(&lease.condition) == is).count();
    let _ = write!(out, "{count} {} as of {}", if count == 1 { "lease" } else { "leases" }, leases.as_of);
    for is in [Is::Stuck, Is::Retrying, Is::Overdue] {
        if of(is) > 0 {
            let _ = write!(out, ", {} {}", of(is), is.name());
        }
    }
    out.push('\n');
    if count > 0 {
        out.push('\n');
        match view {
            View::Summary(by) => summary(leases, by, &mut out),
            View::List => list(leases, &mut out),
        }
    }
    out
}

fn summary(leases: &Leases, by: By, out: &mut String) {
    let names: &[&str] = match by {
        By::Role => &["namespace", "mount", "role"],
        By::Requester => &["requester", "entity"],
    };
    let numbers = ["leases", "oldest", "next end", "overdue", "retrying", "stuck", "top cause"];
    let headings: Vec<_> = names.iter().copied().chain(numbers).collect();
    let mut table = Table::new(names.len(), &headings).with_notes();
    for (key, group) in groups(&leases.leases, by) {
        let mut row = match key {
            Key::Role(namespace, mount, role) => {
                vec![namespace.to_string(), mount.to_string(), role.to_string()]
            }
            Key::Requester(None) => vec![requester(None), String::new()],
            Key::Requester(Some((name, entity))) => vec![name.to_string(), entity.to_string()],
        };
        row.extend(counts(&group, leases.as_of));
        table.row(&row);
    }
    table.draw(out);
}

fn counts(group: &Group, as_of: Timestamp) -> [String; 7] {
    [
        group.leases.to_string(),
        age(group.oldest, as_of),
        distance(group.next_end, as_of),
        group.overdue.to_string(),
        group.retrying.to_string(),
        group.stuck.to_string(),
        group.top_cause().map(RevocationTrouble::name).unwrap_or_default().to_owned(),
    ]
}

fn list(leases: &Leases, out: &mut String) {
    let headings = ["namespace", "mount", "role", "condition", "age", "end", "at", "cause", "requester"];
    let mut table = Table::new(4, &headings).with_notes();
    for lease in &leases.leases {
        table.row(&[
            lease.vault_namespace.to_string(),
            lease.mount.to_string(),
            lease.role.to_string(),
            Is::of(&lease.condition).name().to_owned(),
            age(lease.issued, leases.as_of),
            distance(lease.ends, leases.as_of),
            moment(lease.ends),
            cause(lease, leases.as_of),
            requester(lease.requester.as_ref()),
        ]);
    }
    table.draw(out);
}

fn cause(lease: &LeaseView, as_of: Timestamp) -> String {
    match lease.condition {
        Condition::Live | Condition::Overdue => String::new(),
        Condition::Stuck { cause } => cause.name().to_owned(),
        Condition::Retrying { attempts, next_attempt, cause } => {
            let next = next_attempt.map(|at| format!(", next {}", distance(Some(at), as_of)));
            format!("{} ({attempts} failed{})", cause.name(), next.unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, examples};
    use super::*;

    fn shown(view: View) -> String {
        let mut leases = examples::leases();
        leases.select(&Filter::default());
        text(&leases, view)
    }

    #[test]
    fn a_summary_has_a_row_for_each_role() {
        let wanted = "\
note: Ends are estimated
7 leases as of 2026-01-02T03:00:00Z, 1 stuck, 1 retrying, 1 overdue

  namespace  mount      role    leases  oldest  next end  overdue  retrying  stuck  top cause
  root       database/  app          5    1d1h    in 30s        0         1      1  object_dependency
  root       database/  report       1  11m40s         –        1         0      0
  team-a     database/  team         1      2h     in 1d        0         0      0
";
        assert_eq!(shown(View::Summary(By::Role)), wanted);
    }

    #[test]
    fn a_summary_by_requester_names_whoever_asked() {
        let text = shown(View::Summary(By::Requester));
        let rows: Vec<_> = text.lines().skip(4).collect();
        assert!(rows[0].starts_with("  (not seen)              "), "{text}");
        assert!(rows[1].starts_with("  approle         ent-1   "), "{text}");
        assert!(rows[2].starts_with("  kubernetes-web          "), "{text}");
    }

    #[test]
    fn a_list_has_a_row_for_each_lease_and_no_lease_id() {
        let text = shown(View::List);
        let wanted = "\
  namespace  mount      role    condition     age         end                    at                               cause  requester
  root       database/  app     stuck        1d1h      1d ago  2026-01-01T03:00:00Z                   object_dependency  approle ent-1
  root       database/  app     retrying     1h1m  1m40s ago  2026-01-02T02:58:20Z  connection (3 failed, next in 40s)  approle ent-1
";
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for line in wanted.lines() {
            assert!(text.lines().any(|shown| squeeze(shown) == squeeze(line)), "{line}\n{text}");
        }
        assert_eq!(text.lines().count(), 3 + 1 + 7);
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn nothing_is_said_plainly() {
        let leases = Leases { as_of: examples::at(0), notes: Vec::new(), leases: Vec::new() };
        assert_eq!(text(&leases, View::List), "0 leases as of 2026-01-02T03:00:00Z\n");
    }

    #[test]
    fn a_hostile_name_cannot_act_on_the_terminal() {
        let mut leases = examples::leases();
        leases.leases[0].requester.as_mut().unwrap().display_name = "\u{1b}[2Jx\n".into();
        let text = text(&leases, View::List);
        assert!(!text.contains('\u{1b}') && text.contains("\\u{1b}[2Jx\\n"), "{text}");
    }
}
