//! What an alert needs beside its expression: tests, a runbook, a severity, metrics that exist.

use super::pack::{Alert, alerts, files, folder, units};
use super::promtool::promtool;
use leasewatch::contract;
use leasewatch::snapshot::Kind;
use std::collections::BTreeSet;
use std::process::Command;

fn runbooks() -> std::path::PathBuf {
    folder().parent().unwrap().join("docs/runbooks")
}

#[test]
fn every_alert_is_shown_to_fire_and_to_be_silent() {
    let units = units();
    for Alert { name, .. } in alerts() {
        let says = |word: &str| {
            units
                .iter()
                .any(|unit| unit.name.contains(word) && unit.name.split([' ', ',']).any(|said| said == name))
        };
        assert!(says("fires"), "{name} has no test that says it fires");
        assert!(says("silent"), "{name} has no test that says where it is silent");
        let expected = format!("alertname=\"{name}\"");
        assert!(units.iter().any(|unit| unit.text.contains(&expected)), "no test expects {name}");
    }
}

#[test]
fn every_alert_has_a_severity_words_and_a_runbook() {
    let mut names = BTreeSet::new();
    for alert in alerts() {
        let name = &alert.name;
        assert!(names.insert(name.clone()), "two alerts {name}");
        let severity =
            alert.field("labels: { severity: ").unwrap_or_else(|| panic!("{name} has no severity"));
        assert!(["page }", "ticket }", "info }"].contains(&severity), "{name}: {severity}");
        for key in ["summary: ", "description: "] {
            assert!(alert.field(key).is_some_and(|text| text.len() > 10), "{name} has no {key}");
        }
        assert_eq!(alert.field("runbook_url: "), Some(format!("docs/runbooks/{name}.md").as_str()));
        let runbook = std::fs::read_to_string(runbooks().join(format!("{name}.md")))
            .unwrap_or_else(|why| panic!("{name} has no runbook: {why}"));
        let headings: Vec<_> =
            runbook.lines().filter(|line| line.starts_with('#') && !line.starts_with("###")).collect();
        let expected = [
            &format!("# {name}"),
            "## Meaning",
            "## Impact",
            "## Look",
            "## Causes",
            "## Do",
            "## Do not",
            "## Over when",
        ];
        let headings: Vec<_> = headings.into_iter().filter(|heading| expected.contains(heading)).collect();
        assert_eq!(headings, expected, "{name}");
        let index = std::fs::read_to_string(runbooks().join("README.md")).unwrap();
        let severity = severity.trim_end_matches(" }");
        assert!(
            index.lines().any(|line| line.contains(&format!("[{name}]({name}.md) | {severity} |"))),
            "docs/runbooks/README.md does not have {name} as {severity}"
        );
    }
    for entry in std::fs::read_dir(runbooks()).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(name == "README" || names.contains(&name), "the runbook {name} is of no alert");
    }
}

/// Every word of a text that can be the name of a metric of ours.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c| !is_of_name(c));
    words
        .filter(|word| word.starts_with("leasewatch_") || word.starts_with("leasewatch:"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn rules_use_what_is_exported_or_recorded() {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for metric in contract::all() {
        known.insert(metric.name.to_owned());
        if metric.kind == Kind::Histogram {
            known.extend(["bucket", "sum", "count"].map(|part| format!("{}_{part}", metric.name)));
        }
    }
    let rules = files("rules");
    for (_, text) in &rules {
        let recorded = text.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
        known.extend(recorded.map(str::to_owned));
    }
    for (file, text) in &rules {
        // Comments may speak of what they like.
        let code: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let unknown: Vec<_> = metrics(&code.join("\n")).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?} is neither exported nor recorded");
    }
    for (file, text) in files("tests") {
        let unknown: Vec<_> = metrics(&text).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "the tests of {file} use {unknown:?}");
    }
}

#[test]
fn the_object_for_the_operator_is_the_same_rules() {
    let root = folder().parent().unwrap().to_owned();
    let script = |args: &[&str]| {
        let output = Command::new(root.join("scripts/prometheus-rule")).args(args).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let kept = std::fs::read_to_string(folder().join("prometheusrule.yml")).unwrap();
    assert_eq!(kept, script(&[]), "run scripts/prometheus-rule > alerts/prometheusrule.yml");
    // What is below `spec` is a file of rules.
    let spec = kept.split("\nspec:\n").nth(1).unwrap();
    let rules: String =
        spec.lines().flat_map(|line| [line.strip_prefix("  ").unwrap_or(line), "\n"]).collect();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rules.yml"), rules).unwrap();
    let (is_sound, said) = promtool(&["check", "rules", "rules.yml"], dir.path());
    assert!(is_sound, "{said}");
    let count = |text: &str| text.matches("- alert: ").count();
    assert_eq!(count(&kept), alerts().len());
    let moved = script(&["https://runbooks.example/"]);
    assert_eq!(moved.matches("runbook_url: https://runbooks.example/Leasewatch").count(), alerts().len());
}
