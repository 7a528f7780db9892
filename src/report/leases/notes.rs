//! Notes: what a person should know before relying on a list of leases, from the ledger's own metrics.

use crate::snapshot::{Family, Series, Value};

/// What the families say about what the ledger knows.
pub fn notes(families: &[Family]) -> Vec<String> {
    let mut notes = Vec::new();
    let series = |name: &str| -> &[Series] {
        families.iter().find(|family| family.metric.name == name).map_or(&[], |family| &family.series)
    };
    let sum = |name| series(name).iter().map(|series| number(&series.value)).sum::<f64>();
    if series("leasewatch_ledger_complete").iter().any(|series| number(&series.value) < 1.0) {
        notes.push(
            "The ledger is not complete: leases issued before the first line that was read may be missing"
                .to_owned(),
        );
    }
    let unknown = sum("leasewatch_leases_unknown");
    if unknown > 0.0 {
        notes.push(format!("Of {unknown} the issue was not seen"));
    }
    let estimated =
        series("leasewatch_ledger_observed").iter().filter(|series| number(&series.value) < 1.0).count();
    if estimated > 0 {
        notes.push(format!(
            "Of {estimated} {} ends are estimated from TTLs, and nothing is called overdue: no server log \
             has shown that it tells of every end",
            if estimated == 1 { "role" } else { "roles" }
        ));
    }
    let evicted = sum("leasewatch_ledger_evictions_total");
    if evicted > 0.0 {
        notes.push(format!("{evicted} were forgotten because there were too many"));
    }
    notes
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Count(count) => *count as f64,
        Value::Number(number) => *number,
        Value::Histogram(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Kind, Metric};

    static COMPLETE: Metric =
        Metric { name: "leasewatch_ledger_complete", help: "", kind: Kind::Gauge, labels: &[] };
    static OBSERVED: Metric =
        Metric { name: "leasewatch_ledger_observed", help: "", kind: Kind::Gauge, labels: &["role"] };
    static UNKNOWN: Metric =
        Metric { name: "leasewatch_leases_unknown", help: "", kind: Kind::Gauge, labels: &["mount"] };
    static EVICTED: Metric =
        Metric { name: "leasewatch_ledger_evictions_total", help: "", kind: Kind::Counter, labels: &[] };

    #[test]
    fn what_is_not_known_is_said_and_nothing_else() {
        let told = |complete, observed: &[f64], unknown, evicted| {
            let mut families: Vec<_> =
                [&COMPLETE, &OBSERVED, &UNKNOWN, &EVICTED].into_iter().map(Family::new).collect();
            families[0].number::<&str>([], complete);
            for (role, value) in observed.iter().enumerate() {
                families[1].number([role.to_string()], *value);
            }
            families[2].number(["database/"], unknown);
            families[3].count::<&str>([], evicted);
            notes(&families)
        };
        assert_eq!(told(1.0, &[1.0], 0.0, 0), [""; 0]);
        assert_eq!(notes(&[]), [""; 0]);
        let all = told(0.0, &[1.0, 0.0, 0.0], 3.0, 2);
        assert_eq!(all.len(), 4, "{all:?}");
        assert!(all[1].starts_with("Of 3 the issue") && all[2].starts_with("Of 2 roles"), "{all:?}");
        assert!(all[3].starts_with("2 were forgotten"), "{all:?}");
    }
}
