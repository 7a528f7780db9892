//! What Grafana puts in the place of variables before it asks Prometheus.

use crate::model::Variable;
use std::collections::BTreeMap;

/// What is chosen for each variable: no values mean "All".
#[derive(Default)]
pub(crate) struct Choice(pub(crate) BTreeMap<String, Vec<String>>);

/// Windows of the global variables, as they are for six hours on a screen with a scrape every
/// five minutes, which is the step of a demo's past.
const GLOBAL: &[(&str, &str)] = &[("__rate_interval", "20m"), ("__interval", "15m"), ("__range", "21600s")];

impl Choice {
    /// An expression with everything in its place.
    pub(crate) fn fill(&self, expression: &str, variables: &[Variable]) -> String {
        let mut text = expression.to_owned();
        for (name, value) in GLOBAL {
            text = replace(&text, name, value);
        }
        for variable in variables {
            text = replace(&text, &variable.name, &self.value(variable));
        }
        assert!(!text.contains('$'), "what is left of {expression}: {text}");
        text
    }

    fn value(&self, variable: &Variable) -> String {
        match self.0.get(&variable.name).map(Vec::as_slice) {
            // Put in as it stands, never escaped; without one, "All" is every value.
            None | Some([]) => variable.all_value.clone().unwrap_or_else(|| ".+".to_owned()),
            Some([one]) => escaped(one),
            Some(several) => {
                assert!(variable.multi, "{} takes one value", variable.name);
                format!("({})", several.iter().map(|value| escaped(value)).collect::<Vec<_>>().join("|"))
            }
        }
    }
}

/// As the data source for Prometheus does it for variables with several values or "All":
/// escaped for the regular expression, and that for the string in which it stands.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for character in value.chars() {
        match character {
            '\\' => text.push_str(r"\\\\"),
            '$' | '^' | '*' | '{' | '}' | '[' | ']' | '\'' | '+' | '?' | '.' | '(' | ')' | '|' => {
                text.push_str(r"\\");
                text.push(character);
            }
            _ => text.push(character),
        }
    }
    text
}

/// Replaces `$name` and `${name}`, and not `$name_and_more`.
fn replace(text: &str, name: &str, value: &str) -> String {
    let text = text.replace(&format!("${{{name}}}"), value);
    let plain = format!("${name}");
    let mut parts = text.split(&plain);
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let longer = part.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        made.push_str(if longer { "$" } else { value });
        made.push_str(if longer { name } else { "" });
        made.push_str(part);
    }
    made
}

/// The names of the variables that a text uses, ours and Grafana's.
pub(crate) fn used(text: &str) -> Vec<String> {
    let mut used = Vec::new();
    // The value that stands for "All" is no variable.
    for part in text.replace("\"$__all\"", "").split('$').skip(1) {
        let part = part.strip_prefix('{').unwrap_or(part);
        let end = part.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(part.len());
        used.push(part[..end].to_owned());
    }
    used
}

#[test]
fn a_value_stands_for_itself_alone() {
    assert_eq!(escaped("(unknown)"), r"\\(unknown\\)");
    assert_eq!(escaped("orders-db/"), "orders-db/");
    assert_eq!(replace("$role $role_info ${role}", "role", "x"), "x $role_info x");
    assert_eq!(used("a{b=\"$role\"}[$__range] ${runbooks}/x"), ["role", "__range", "runbooks"]);
}
