//! The configuration file: TOML to texts with their origins. Unknown keys are refused.
//!
//! It reads by the table of settings, so it knows what a key is but not what its value means.

use super::layers::{Given, GivenTable};
use super::problem::{ConfigError, Origin, Problem};
use super::setting::{self, Kind};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct FileLayer {
    pub(super) values: BTreeMap<&'static str, Given>,
    pub(super) nodes: Vec<GivenTable>,
    pub(super) acknowledged: Vec<GivenTable>,
}

/// Keys of a table that may stand several times.
type Keys = &'static [(&'static str, Kind, &'static str)];

/// Tables that may stand several times, by their keys.
const LISTS: &[(&str, Keys)] =
    &[("node", setting::NODE_KEYS), ("anomaly.acknowledged", setting::ACKNOWLEDGED_KEYS)];

/// Secrets that people may want to write here, with what to write in their place.
const SECRETS: &[(&str, &str)] = &[
    ("vault.token", "give VAULT_TOKEN, or the path of a file as vault.token_file"),
    (
        "vault.approle.secret_id",
        "give LEASEWATCH_VAULT_APPROLE_SECRET_ID, or the path of a file as vault.approle.secret_id_file",
    ),
    ("push.otlp.headers", "give OTEL_EXPORTER_OTLP_HEADERS, or the path of a file as push.otlp.headers_file"),
    (
        "push.oneuptime.token",
        "give LEASEWATCH_ONEUPTIME_TOKEN, or the path of a file as push.oneuptime.token_file",
    ),
    (
        "push.oneuptime.heartbeat_key",
        "give LEASEWATCH_ONEUPTIME_HEARTBEAT_KEY, or the path of a file as push.oneuptime.heartbeat_key_file",
    ),
    (
        "push.oneuptime.api_key",
        "give LEASEWATCH_ONEUPTIME_API_KEY, or the path of a file as push.oneuptime.api_key_file",
    ),
];

/// Reads the text of `file`.
pub(super) fn parse(file: &str, text: &str) -> Result<FileLayer, ConfigError> {
    let mut reader = Reader { file, text, layer: FileLayer::default(), problems: Vec::new() };
    match DeTable::parse(text) {
        Ok(root) => reader.table("", root.get_ref()),
        Err(error) => {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            // Only the first line: the second may quote the file, and with it a secret.
            let message = error.message().lines().next().unwrap_or("syntax error").to_owned();
            reader.problems.push((
                line,
                Problem {
                    place: format!("{file}:{line}"),
                    problem: format!("this is not TOML: {message}"),
                    remedy: "Texts stand in quotes, tables in [brackets]; see https://toml.io".to_owned(),
                },
            ));
        }
    }
    if reader.problems.is_empty() {
        return Ok(reader.layer);
    }
    reader.problems.sort_by_key(|(line, _)| *line);
    Err(ConfigError(reader.problems.into_iter().map(|(_, problem)| problem).collect()))
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    layer: FileLayer,
    /// With their lines, as TOML tables do not keep their order.
    problems: Vec<(usize, Problem)>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            let at = name.span().start;
            if let Some((list, keys)) = LISTS.iter().find(|(list, _)| *list == key) {
                let tables = self.tables(list, keys, value);
                match *list {
                    "node" => self.layer.nodes.extend(tables),
                    _ => self.layer.acknowledged.extend(tables),
                }
            } else if let Some(setting) = setting::ALL.iter().find(|setting| setting.key == Some(&key)) {
                if let Some(given) = self.value(&key, setting.kind, at, value)
                    && let Some(key) = setting.key
                {
                    self.layer.values.insert(key, given);
                }
            } else if !known_below(&key).is_empty() {
                match value.get_ref() {
                    DeValue::Table(inner) => self.table(&key, inner),
                    other => {
                        let problem = format!("this is {}, not a table", article(other.type_str()));
                        self.problem(at, &key, problem, format!("Write [{key}] and its keys below it"));
                    }
                }
            } else if let Some((_, instead)) = SECRETS.iter().find(|(secret, _)| *secret == key) {
                let remedy = format!("Take it out, and {instead}");
                self.problem(at, &key, "a secret must not stand in the file".to_owned(), remedy);
            } else {
                let remedy = format!("Known here: {}", known_below(prefix).join(", "));
                self.problem(at, &key, "there is no such setting".to_owned(), remedy);
            }
        }
    }

    /// The tables of `[[list]]`.
    fn tables(&mut self, list: &str, keys: Keys, value: &Spanned<DeValue<'_>>) -> Vec<GivenTable> {
        let at = value.span().start;
        let mut read = Vec::new();
        let Some(tables) = value.get_ref().as_array() else {
            let remedy = format!("Write [[{list}]], with two brackets, once for each {}", last(list));
            self.problem(at, list, "this is not a list of tables".to_owned(), remedy);
            return read;
        };
        for entry in tables {
            let origin = self.origin(entry.span().start, list);
            let Some(table) = entry.get_ref().as_table() else {
                let remedy = format!("Write [[{list}]] and its keys below it");
                self.problem(entry.span().start, list, "this is not a table".to_owned(), remedy);
                continue;
            };
            let mut values = BTreeMap::new();
            for (name, value) in table {
                let key = format!("{list}.{}", name.get_ref());
                let at = name.span().start;
                if let Some((known, kind, _)) = keys.iter().find(|(known, ..)| *known == name.get_ref()) {
                    if let Some(given) = self.value(&key, *kind, at, value) {
                        values.insert(*known, given);
                    }
                } else {
                    let known: Vec<_> = keys.iter().map(|(known, ..)| *known).collect();
                    let remedy = format!("Known here: {}", known.join(", "));
                    self.problem(at, &key, "there is no such setting".to_owned(), remedy);
                }
            }
            read.push(GivenTable { origin, values });
        }
        read
    }

    /// The value as text, if it has the form that `kind` asks for.
    fn value(&mut self, key: &str, kind: Kind, at: usize, value: &Spanned<DeValue<'_>>) -> Option<Given> {
        let texts = match (kind, value.get_ref()) {
            (Kind::Text(_) | Kind::Duration | Kind::Choice(_), DeValue::String(text)) => {
                Some(vec![text.to_string()])
            }
            (Kind::Integer | Kind::Number, DeValue::Integer(number)) if number.radix() == 10 => {
                Some(vec![number.as_str().to_owned()])
            }
            (Kind::Number, DeValue::Float(number)) => Some(vec![number.as_str().to_owned()]),
            (Kind::Switch, DeValue::Boolean(on)) => Some(vec![on.to_string()]),
            (Kind::List(_), DeValue::Array(items)) => {
                items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        if texts.is_none() {
            let wanted = match kind {
                Kind::Text(_) | Kind::Choice(_) => "a text: \"…\"",
                Kind::Duration => "a number and a unit in quotes: \"30s\"",
                Kind::Integer => "a whole number, without quotes",
                Kind::Number => "a number, without quotes",
                Kind::Switch => "true or false, without quotes",
                Kind::List(_) => "a list of texts: [\"…\", \"…\"]",
            };
            let problem =
                format!("this is {}, not what the setting takes", article(value.get_ref().type_str()));
            self.problem(at, key, problem, format!("Write {wanted}"));
        }
        texts.map(|texts| Given { texts, origin: self.origin(at, key) })
    }

    fn origin(&self, at: usize, key: &str) -> Origin {
        Origin::File { file: self.file.to_owned(), line: line_of(self.text, at), key: key.to_owned() }
    }

    fn problem(&mut self, at: usize, key: &str, problem: String, remedy: String) {
        let line = line_of(self.text, at);
        self.problems.push((line, self.origin(at, key).problem(problem, remedy)));
    }
}

/// Names of the keys and tables directly below a table; of the whole file for `""`.
fn known_below(prefix: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = setting::ALL
        .iter()
        .filter_map(|setting| match prefix {
            "" => setting.key,
            _ => setting.key?.strip_prefix(prefix)?.strip_prefix('.'),
        })
        .chain(LISTS.iter().filter_map(|(list, _)| match prefix {
            "" => Some(*list),
            _ => list.strip_prefix(prefix)?.strip_prefix('.'),
        }))
        .filter_map(|below| below.split('.').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The last word of a dotted key.
fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// Line of a byte, counted from 1.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}
