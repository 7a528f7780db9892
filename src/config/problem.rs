//! A problem with the configuration: where it stands, what is wrong, what to do.

use std::fmt;

/// Everything that is wrong with a configuration, so that it is mended in one go.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<Problem>);

/// One thing that is wrong. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// File with line and key, flag or variable.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}.", self.place, self.problem, self.remedy)
    }
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On the command line, with this flag.
    Flag(&'static str),
    /// In this environment variable.
    Variable(&'static str),
    /// In the file, at this line (from 1), under this key.
    File {
        /// Path of the file as it was given.
        file: String,
        /// Line, counted from 1.
        line: usize,
        /// Dotted key.
        key: String,
    },
}

impl Origin {
    /// How strong it is: flag over environment over file.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Flag(_) => 2,
            Self::Variable(_) => 1,
            Self::File { .. } => 0,
        }
    }

    /// The problem with the value given here.
    pub(super) fn problem(&self, problem: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem { place: self.to_string(), problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "--{flag}"),
            Self::Variable(variable) => f.write_str(variable),
            Self::File { file, line, key } => write!(f, "{file}:{line}: {key}"),
        }
    }
}
