//! Mutants: each alert with one thing changed - a threshold, a comparison, a range, a label, how
//! long it has to last, a condition left out. Its tests have to notice each.

use super::pack::{Alert, Unit, alerts, files, units};
use super::promtool::{copy, promtool};
use std::sync::Mutex;

/// A file of rules with one change.
struct Mutant {
    /// What was changed, for people.
    what: String,
    file: String,
    text: String,
    /// Whose tests should notice.
    alerts: Vec<String>,
}

/// The texts in which one occurrence of `from` became `to`.
fn each(text: &str, from: &str, to: &str) -> Vec<String> {
    text.match_indices(from)
        .map(|(at, _)| format!("{}{to}{}", &text[..at], &text[at + from.len()..]))
        .collect()
}

/// A length of time, twice as long.
fn doubled(length: &str) -> String {
    let digits = length.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    format!("{}{}", 2 * digits.parse::<u32>().unwrap(), &length[digits.len()..])
}

/// Every change of an alert's rule.
fn changes(alert: &Alert) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |what: String, changed: String| all.push((what, changed));
    let expression = &alert.expression;
    for (from, to) in [(" > ", " < "), (" >= ", " < "), (" < ", " > "), (" == ", " != ")] {
        for changed in each(expression, from, to) {
            add(format!("{from}became{to}"), changed);
        }
    }
    // Ranges.
    for (at, _) in expression.match_indices('[') {
        let end = at + expression[at..].find(']').unwrap();
        let range = &expression[at + 1..end];
        let changed = format!("{}[{}{}", &expression[..at], doubled(range), &expression[end..]);
        add(format!("the range [{range}] was doubled"), changed);
    }
    // Labels.
    for (at, _) in expression.match_indices('{') {
        let end = at + expression[at..].find('}').unwrap();
        for (quote, _) in
            expression[at..end].match_indices("=\"").chain(expression[at..end].match_indices("~\""))
        {
            let from = at + quote + 2;
            let value = &expression[from..from + expression[from..].find('"').unwrap()];
            let changed = format!("{}mutant{}", &expression[..from], &expression[from + value.len()..]);
            add(format!("the label value {value} was another"), changed);
            // One word of several.
            for word in value.split('|').filter(|word| *word != value) {
                let rest: Vec<_> = value.split('|').filter(|other| other != &word).collect();
                let changed =
                    format!("{}{}{}", &expression[..from], rest.join("|"), &expression[from + value.len()..]);
                add(format!("the label value {word} was left out"), changed);
            }
        }
    }
    // Conditions that stand on lines of their own.
    let lines: Vec<_> = expression.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let line = line.trim();
        if line.starts_with("and ") || line.starts_with("unless ") || line.starts_with("or ") {
            let indent = |line: &str| line.len() - line.trim_start().len();
            let deeper =
                lines[number + 1..].iter().take_while(|next| indent(next) > indent(lines[number])).count();
            let rest: Vec<_> = lines[..number].iter().chain(&lines[number + 1 + deeper..]).copied().collect();
            add(format!("without «{line}»"), rest.join("\n"));
        }
    }
    let mut all: Vec<_> = all
        .into_iter()
        .map(|(what, changed)| (what, alert.text.replace(expression.as_str(), &changed)))
        .collect();
    if let Some(length) = alert.field("for: ") {
        let of = |new: &str| alert.text.replace(&format!("for: {length}"), new);
        all.push((format!("for {length} was doubled"), of(&format!("for: {}", doubled(length)))));
        all.push((
            format!("for {length} was left out"),
            of("keep_firing: x").replace("        keep_firing: x\n", ""),
        ));
    }
    all
}

/// Every mutant of the pack.
fn mutants() -> Vec<Mutant> {
    let rules = files("rules");
    let all = alerts();
    let mut mutants = Vec::new();
    for alert in &all {
        let text = &rules.iter().find(|(name, _)| *name == alert.file).unwrap().1;
        for (what, changed) in changes(alert) {
            mutants.push(Mutant {
                what: format!("{}: {what}", alert.name),
                file: alert.file.clone(),
                text: text.replace(alert.text.as_str(), &changed),
                alerts: vec![alert.name.clone()],
            });
        }
    }
    let (name, thresholds) = rules.iter().find(|(name, _)| name == "thresholds").unwrap();
    for (at, _) in thresholds.match_indices("- record: ") {
        let rule = &thresholds[at..];
        let record = rule["- record: ".len()..].lines().next().unwrap();
        let from = rule.find("vector(").unwrap() + "vector(".len();
        let number = &rule[from..from + rule[from..].find(')').unwrap()];
        // Those that use it, themselves or by a recording rule of theirs.
        let recorded = rules.iter().any(|(name, text)| name == "recording" && text.contains(record));
        let uses = |alert: &&Alert| {
            alert.expression.contains(record) || recorded && alert.expression.contains(":bad")
        };
        let users: Vec<_> = all.iter().filter(uses).map(|alert| alert.name.clone()).collect();
        assert!(!users.is_empty(), "no alert uses {record}");
        for factor in [2.0, 0.5] {
            let changed = factor * number.parse::<f64>().unwrap();
            let at = at + from;
            mutants.push(Mutant {
                what: format!("{record} was {changed}"),
                file: name.clone(),
                text: format!("{}{changed}{}", &thresholds[..at], &thresholds[at + number.len()..]),
                alerts: users.clone(),
            });
        }
    }
    mutants
}

/// Whether the tests of its alerts notice a mutant; nothing if it is no rule at all.
fn is_noticed(mutant: &Mutant, rules: &[(String, String)], units: &[Unit]) -> Option<bool> {
    let changed: Vec<_> = rules
        .iter()
        .map(|(name, text)| {
            (name.clone(), if *name == mutant.file { mutant.text.clone() } else { text.clone() })
        })
        .collect();
    let dir = copy(&changed);
    if !promtool(&["check", "rules", &format!("rules/{}.yml", mutant.file)], dir.path()).0 {
        return None;
    }
    let wanted = |unit: &&Unit| {
        mutant.alerts.iter().any(|alert| unit.name.split([' ', ',']).any(|word| word == alert))
    };
    for (number, unit) in units.iter().filter(wanted).enumerate() {
        let file = format!("tests/{number}.yml");
        std::fs::write(dir.path().join(&file), format!("{}{}", unit.head, unit.text)).unwrap();
        if !promtool(&["test", "rules", &file], dir.path()).0 {
            return Some(true);
        }
    }
    Some(false)
}

#[test]
fn the_tests_notice_every_change_of_an_alert() {
    let (rules, units) = (files("rules"), units());
    let queue = Mutex::new(mutants());
    let (unnoticed, tried) = (Mutex::new(Vec::new()), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, Into::into) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().pop();
                    let Some(mutant) = next else { break };
                    match is_noticed(&mutant, &rules, &units) {
                        Some(true) => *tried.lock().unwrap() += 1,
                        Some(false) => unnoticed.lock().unwrap().push(mutant.what),
                        None => {}
                    }
                }
            });
        }
    });
    let mut unnoticed = unnoticed.into_inner().unwrap();
    unnoticed.sort();
    assert!(unnoticed.is_empty(), "no test fails though\n  {}", unnoticed.join("\n  "));
    let tried = tried.into_inner().unwrap();
    assert!(tried > 250, "only {tried} mutants");
}
