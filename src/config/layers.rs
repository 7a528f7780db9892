//! Layers: the settings as given by flags, environment and file, still as text, each with its origin.

use super::file;
use super::problem::{ConfigError, Origin, Problem};
use super::setting::{self, Kind, Setting};
use std::collections::BTreeMap;

/// What was typed: flag names without dashes to their values, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub BTreeMap<&'static str, Vec<String>>);

/// A value as given, one or several texts, with where it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) texts: Vec<String>,
    pub(super) origin: Origin,
}

impl Given {
    /// The last text: a flag given twice counts as given last.
    pub(super) fn text(&self) -> &str {
        self.texts.last().map_or("", String::as_str)
    }
}

/// A table of those that may stand several times, such as `[[node]]`, as given.
#[derive(Clone, Debug)]
pub(super) struct GivenTable {
    /// Line of its head.
    pub(super) origin: Origin,
    pub(super) values: BTreeMap<&'static str, Given>,
}

/// All layers, the strongest first to be asked.
#[derive(Debug, Default)]
pub(super) struct Layers {
    flags: Flags,
    variables: BTreeMap<String, String>,
    pub(super) file: file::FileLayer,
}

impl Layers {
    /// Reads the file that flags or environment name, if any.
    pub(super) fn load(flags: Flags, variables: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut layers = Self { flags, variables, file: file::FileLayer::default() };
        if let Some(given) = layers.get(&setting::CONFIG_FILE) {
            let text = std::fs::read_to_string(given.text()).map_err(|error| {
                let problem = format!("{} cannot be read: {error}", given.text());
                ConfigError(vec![given.origin.problem(problem, "Name a TOML file that this user may read")])
            })?;
            layers.file = file::parse(given.text(), &text)?;
        }
        Ok(layers)
    }

    /// The value that counts: of the flag, else of the first variable, else of the file.
    pub(super) fn get(&self, setting: &'static Setting) -> Option<Given> {
        if let Some(flag) = setting.flag
            && let Some(texts) = self.flags.0.get(flag)
        {
            return Some(Given { texts: texts.clone(), origin: Origin::Flag(flag) });
        }
        for variable in setting.variables {
            if let Some(text) = self.variable(variable) {
                let texts = match setting.kind {
                    Kind::List(_) => text.split(',').map(|part| part.trim().to_owned()).collect(),
                    _ => vec![text.to_owned()],
                };
                return Some(Given { texts, origin: Origin::Variable(variable) });
            }
        }
        setting.key.and_then(|key| self.file.values.get(key)).cloned()
    }

    /// A variable that is set and not empty; an empty one counts as not set, as with Vault's clients.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// Collects problems while going on with defaults, so that all are told at once.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Takes the value out of a result, or notes its problem.
    pub(super) fn take<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }
}
