//! Output: the program's own log, on standard error.

use super::value::Wrong;
use std::sync::OnceLock;
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

    /// Starts logging to standard error, once for the process. A second call changes the level alone.
    pub fn start(&self) {
        // Resolution has parsed the level already; the fallback is for values made in code.
        let filter = level(&self.level).unwrap_or_else(|_| EnvFilter::new("info"));
        if let Some(change) = LEVEL.get() {
            change(filter);
            return;
        }
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        let builder = builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
        // The two forms have handles of two types.
        let (started, change): (_, Change) = match self.format {
            LogFormat::Text => {
                let builder = builder.with_filter_reloading();
                let handle = builder.reload_handle();
                (builder.try_init(), Box::new(move |filter| drop(handle.reload(filter))))
            }
            LogFormat::Json => {
                let builder = builder.json().flatten_event(true).with_filter_reloading();
                let handle = builder.reload_handle();
                (builder.try_init(), Box::new(move |filter| drop(handle.reload(filter))))
            }
        };
        if started.is_ok() {
            let _ = LEVEL.set(change);
        }
    }
}

/// Puts another level in place.
type Change = Box<dyn Fn(EnvFilter) + Send + Sync>;

/// How the level of the log that was started is changed.
static LEVEL: OnceLock<Change> = OnceLock::new();

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
