//! The Sigma rules, in the subset that `OneUptime` takes: each matches the events it should, and no others,
//! whether they are Vault's audit entries or what `serve` pushes.

use super::receiver::Receiver;
use super::stage::{PATIENCE, Stage};
use super::support::eventually;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Every rule by the name of its file.
fn rules() -> BTreeMap<String, Value> {
    let files = std::fs::read_dir("oneuptime/sigma").unwrap().map(|entry| entry.unwrap().path());
    let rule = |text: String| serde_saphyr::from_str(&text).unwrap();
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, rule(std::fs::read_to_string(path).unwrap()))
        })
        .collect()
}

/// An event as `OneUptime` keeps it: a map of dotted keys, lists of plain values joined by commas.
fn flat(event: &Value) -> Map<String, Value> {
    fn visit(value: &Value, key: String, all: &mut Map<String, Value>) {
        match value {
            Value::Null => {}
            Value::Object(fields) => {
                for (name, value) in fields {
                    visit(value, if key.is_empty() { name.clone() } else { format!("{key}.{name}") }, all);
                }
            }
            Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
                if !items.is_empty() {
                    let texts: Vec<_> = items.iter().map(text).collect();
                    all.insert(key, Value::String(texts.join(",")));
                }
            }
            Value::Array(items) => {
                for (nth, item) in items.iter().enumerate() {
                    visit(item, format!("{key}.{nth}"), all);
                }
            }
            plain => _ = all.insert(key, Value::String(text(plain))),
        }
    }
    let mut all = Map::new();
    visit(event, String::new(), &mut all);
    // Columns of their own.
    for (column, field) in [("classUid", "class_uid"), ("severityId", "severity_id")] {
        let value = all.get(field).cloned().unwrap_or_else(|| "0".into());
        all.insert(column.to_owned(), value);
    }
    all
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `*` and `?` stand for others; letters are alike whatever their case.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len())
            .filter(|at| text.is_char_boundary(*at))
            .any(|at| is_like(&text[at..], rest.as_str())),
        Some(letter) => {
            let mut letters = text.chars();
            letters.next().is_some_and(|own| letter == '?' || own == letter)
                && is_like(letters.as_str(), rest.as_str())
        }
    }
}

fn meets(event: &Map<String, Value>, field: &str, wanted: &Value) -> bool {
    let (name, modifiers) = field.split_once('|').unwrap_or((field, ""));
    let own = event.get(name);
    let wanted = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
    assert!(!wanted.is_empty(), "{field} is empty");
    let one = |wanted: &Value| {
        if modifiers == "exists" {
            return own.is_some() == wanted.as_bool().unwrap();
        }
        let Some(own) = own.map(text) else { return false };
        let (lower, pattern) = (own.to_lowercase(), text(wanted).to_lowercase());
        match modifiers {
            "" => is_like(&lower, &pattern),
            "startswith" => is_like(&lower, &format!("{pattern}*")),
            "contains" => is_like(&lower, &format!("*{pattern}*")),
            "gte" => own.parse::<f64>().unwrap() >= wanted.as_f64().unwrap(),
            // The one expression that the rules use, without an engine for all of them.
            "re" => {
                let word = text(wanted);
                let word = word
                    .strip_prefix("(^|,)")
                    .and_then(|rest| rest.strip_suffix("(,|$)"))
                    .expect("a word in a list");
                own.split(',').any(|part| part == word)
            }
            other => panic!("{other} is not among the modifiers that are known here"),
        }
    };
    wanted.iter().any(one)
}

fn selects(event: &Map<String, Value>, selection: &Value) -> bool {
    let fields = selection.as_object().expect("a map of fields");
    assert!(!fields.is_empty());
    fields.iter().all(|(field, wanted)| meets(event, field, wanted))
}

/// Whether a rule matches: `and` of terms, each with or without `not`, each a name or `1 of` a pattern.
fn matches(rule: &Value, event: &Value) -> bool {
    let (detection, event) = (rule["detection"].as_object().unwrap(), flat(event));
    let condition = detection["condition"].as_str().unwrap();
    assert!(!condition.contains('|'), "{condition} counts, which is not taken");
    let named =
        |name: &str| selects(&event, detection.get(name).unwrap_or_else(|| panic!("no selection {name}")));
    condition.split(" and ").all(|term| {
        let (is_wanted, term) = term.strip_prefix("not ").map_or((true, term), |term| (false, term));
        let is_met = match term.strip_prefix("1 of ") {
            None => named(term),
            Some(pattern) => {
                let prefix = pattern.strip_suffix('*').unwrap();
                let names: Vec<_> = detection.keys().filter(|name| name.starts_with(prefix)).collect();
                assert!(!names.is_empty(), "{pattern} names nothing");
                names.iter().any(|name| named(name))
            }
        };
        is_met == is_wanted
    })
}

#[test]
fn every_rule_matches_its_events_and_no_others() {
    let (rules, mut ids) = (rules(), BTreeSet::new());
    let samples: BTreeMap<String, Value> = rules
        .keys()
        .map(|name| {
            let file = format!("tests/push/sigma/{name}.json");
            let text = std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{file}: {why}"));
            (name.clone(), serde_json::from_str(&text).unwrap())
        })
        .collect();
    assert!(rules.len() >= 9);
    for (name, rule) in &rules {
        for field in ["title", "id", "description", "level", "status"] {
            assert!(rule[field].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {field}");
        }
        assert!(ids.insert(rule["id"].as_str().unwrap()), "{name} has the ID of another rule");
        assert_eq!(rule["logsource"]["product"], "vault");
        let list = |what: &str| samples[name][what].as_array().unwrap().clone();
        let (should, should_not) = (list("match"), list("miss"));
        assert!(!should.is_empty() && !should_not.is_empty(), "{name}");
        for event in &should {
            assert!(matches(rule, event), "{name} misses {event}");
        }
        for event in &should_not {
            assert!(!matches(rule, event), "{name} takes {event}");
        }
        // Every part of it is needed by one of its events, and every value finds one.
        let detection = rule["detection"].as_object().unwrap();
        for (part, selection) in detection.iter().filter(|(part, _)| *part != "condition") {
            let all: Vec<_> = should.iter().chain(&should_not).map(flat).collect();
            assert!(all.iter().any(|event| selects(event, selection)), "{part} of {name} selects nothing");
            for field in
                selection.as_object().unwrap().keys().filter(|_| selection.as_object().unwrap().len() > 1)
            {
                let mut less = rule.clone();
                less["detection"][part].as_object_mut().unwrap().remove(field);
                assert!(
                    should.iter().any(|event| !matches(&less, event))
                        || should_not.iter().any(|event| matches(&less, event)),
                    "{field} of {part} in {name} makes no difference"
                );
            }
        }
    }
    // What one rule is for does not set off another, but for the root token's rule, which sees all of it.
    for (name, rule) in &rules {
        for (other, samples) in samples.iter().filter(|(other, _)| *other != name) {
            let taken =
                samples["match"].as_array().unwrap().iter().filter(|event| matches(rule, event)).count();
            let is_finding = name == "denial-probing" || other == "denial-probing";
            assert!(taken == 0 || is_finding, "{name} takes what {other} is for");
        }
    }
}

#[test]
fn the_rules_match_what_serve_pushes() {
    let (mut stage, receiver, rules) = (Stage::new(), Receiver::start(), rules());
    let _serving = stage.serve_to(&receiver, &[], &[("LEASEWATCH_ONEUPTIME_METRICS", "off")]);
    let acts = [
        ("update", "sys/policies/acl/app", "policy-written"),
        ("update", "sys/auth/ldap", "auth-method-enabled"),
        ("update", "database/config/orders", "database-configuration-changed"),
        ("delete", "sys/audit/file", "audit-device-changed"),
        ("update", "sys/generate-root/attempt", "generate-root-token"),
        ("read", "sys/raw/core/keyring", "raw-storage-accessed"),
        ("read", "sys/storage/raft/snapshot", "storage-snapshot-taken"),
        ("update", "sys/leases/revoke-force/database/creds/app", "leases-given-up"),
    ];
    // What is no rule's: daily work.
    stage.act("read", "secret/data/x", &["admin"]);
    stage.act("update", "database/roles/app", &["admin"]);
    for (operation, path, _) in acts {
        stage.act(operation, path, &["admin"]);
    }
    stage.act("read", "secret/data/x", &["root"]);
    let wanted: BTreeSet<_> =
        acts.iter().map(|(_, _, rule)| *rule).chain(["root-token-used", "anomaly-high"]).collect();
    let found = eventually("every rule finds its event", PATIENCE, || {
        let world = receiver.world();
        let found: BTreeMap<_, usize> = rules
            .iter()
            .map(|(name, rule)| {
                (name.as_str(), world.events.iter().filter(|event| matches(rule, event)).count())
            })
            .filter(|(_, times)| *times > 0)
            .collect();
        let names: BTreeSet<_> = found.keys().copied().collect();
        if names.is_superset(&wanted) { Ok(found) } else { Err(format!("{found:?} of {:#?}", world.events)) }
    });
    assert_eq!(found.keys().copied().collect::<BTreeSet<_>>(), wanted);
    for (_, _, rule) in acts {
        assert_eq!(found[rule], 1, "{rule}");
    }
    receiver.was_treated_well();
    // Every field that leaves stands in the table of those that do.
    let page = std::fs::read_to_string("docs/oneuptime.md").unwrap();
    let world = receiver.world();
    for key in world.events.iter().flat_map(flat).map(|(key, _)| key) {
        let field: Vec<_> = key.split('.').filter(|part| part.parse::<u32>().is_err()).collect();
        let field = field.join(".").replace("resources.", "resources[].");
        let is_column = ["classUid", "severityId"].contains(&field.as_str());
        assert!(
            is_column || page.contains(&format!("`{field}`")),
            "{field} leaves, and docs/oneuptime.md does not say so"
        );
    }
    let beat = world.requests.iter().rev().find(|seen| seen.path.starts_with("/heartbeat/")).unwrap();
    let beat: Value = serde_json::from_slice(&beat.body).unwrap();
    for field in beat.as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{field}`")), "{field}");
    }
    for name in rules.keys() {
        assert!(page.contains(&format!("| `{name}` |")), "{name} is not in docs/oneuptime.md");
    }
}

#[test]
fn the_rules_find_in_a_real_audit_log_what_leasewatch_counts_there() {
    let log = "tests/corpus/openbao-2.7.2/audit.log.zst";
    let page = super::support::analyze([log]);
    let text = zstd::decode_all(std::fs::File::open(log).unwrap()).unwrap();
    let entries =
        text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let entries: Vec<_> = entries.collect();
    let rules = rules();
    let found = |name: &str| entries.iter().filter(|entry| matches(&rules[name], entry)).count() as f64;
    // A rule of databases does not count other engines.
    let counted = |operation: &str| {
        let labels = [("operation", operation), ("outcome", "ok")];
        let all = page.sum("leasewatch_privileged_operations_total", &labels);
        let of_pki = [("operation", operation), ("outcome", "ok"), ("mount", "pki/")];
        let others = page.sum("leasewatch_privileged_operations_total", &of_pki);
        if operation == "config_write" { all - others } else { all }
    };
    for (rule, operation) in [
        ("policy-written", "policy_write"),
        ("database-configuration-changed", "config_write"),
        ("root-token-used", "root_token"),
    ] {
        assert!(counted(operation) > 0.0, "there is no {operation} in the log");
        assert_eq!(found(rule), counted(operation), "{rule}");
    }
}
