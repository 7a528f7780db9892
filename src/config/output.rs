//! Output: the program's own log, on standard error.

use super::value::Wrong;
use tracing_subscriber::EnvFilter;

/// How leasewatch writes its own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputConfig {
    /// A level, or a filter such as `info,leasewatch::vault=debug`.
    pub level: String,
    /// Form of a line.
    pub format: LogFormat,
}

/// Form of a line of the program's own log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people and journald.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl OutputConfig {
    /// The level, if it is one.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse_level(text: &str) -> Result<String, String> {
        level(text).map(|_| text.to_owned()).map_err(|(_, remedy)| remedy)
    }

    /// Starts logging to standard error, once for the process. A second call changes nothing.
    pub fn start(&self) {
        // Resolution has parsed the level already; the fallback is for values made in code.
        let filter = level(&self.level).unwrap_or_else(|_| EnvFilter::new("info"));
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let started = match self.format {
            LogFormat::Text => builder.with_ansi(ansi).try_init(),
            LogFormat::Json => builder.json().flatten_event(true).try_init(),
        };
        drop(started);
    }
}

/// Reads a level or filter.
pub(super) fn level(text: &str) -> Result<EnvFilter, Wrong> {
    // A bare word that is no level would be taken for the name of a module, and silence everything.
    let word_is_level =
        text.contains(['=', ',']) || text.parse::<tracing::level_filters::LevelFilter>().is_ok();
    match EnvFilter::builder().parse(text) {
        Ok(filter) if word_is_level => Ok(filter),
        _ => Err((
            format!("{text:?} is no level"),
            "Write error, warn, info, debug or trace, or a filter such as info,leasewatch::vault=debug"
                .to_owned(),
        )),
    }
}
