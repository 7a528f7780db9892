//! What leasewatch tells of a story: episodes and metrics, as users get them.

use crate::story::{BEGIN, Client, Story};
use crate::support::leasewatch::run;
use crate::support::{Metrics, analyze};
use serde_json::Value as Json;
use std::ffi::OsString;
use std::path::Path;

/// The answer of `analyze` to one story.
pub(crate) struct Told {
    pub(crate) episodes: Vec<Episode>,
    /// The whole document.
    pub(crate) document: Json,
}

/// One episode of its answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Episode(pub(crate) Json);

impl Told {
    /// Runs `leasewatch analyze` on the story, with further arguments.
    pub(crate) fn of(story: &Story, more: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
        let log = dir.path().join("audit.log");
        story.write(&log);
        Self::of_file(&log, more)
    }

    /// Runs `leasewatch analyze` on a log, with further arguments.
    pub(crate) fn of_file(log: &Path, more: &[&str]) -> Self {
        let mut arguments: Vec<OsString> =
            ["analyze", "--format", "json", "--min-score", "0"].map(Into::into).to_vec();
        arguments.extend(more.iter().map(Into::into));
        arguments.push(log.into());
        let output = run(arguments);
        assert!(output.status.success(), "analyze: {}", String::from_utf8_lossy(&output.stderr));
        let document: Json = serde_json::from_slice(&output.stdout).expect("analyze writes JSON");
        let episodes = document["episodes"].as_array().expect("an array `episodes`");
        Self { episodes: episodes.iter().cloned().map(Episode).collect(), document }
    }

    /// The page of metrics at the end of the story, with further arguments.
    pub(crate) fn metrics_of(story: &Story, more: &[&str]) -> Metrics {
        let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
        let log = dir.path().join("audit.log");
        story.write(&log);
        let arguments = more.iter().map(OsString::from).chain([log.into_os_string()]);
        analyze(arguments)
    }

    /// Episodes about a client.
    pub(crate) fn about(&self, client: &Client) -> Vec<&Episode> {
        self.episodes.iter().filter(|episode| episode.is_about(client)).collect()
    }

    /// Episodes about a client that were live at or after that second of the story.
    pub(crate) fn about_since(&self, client: &Client, at: i64) -> Vec<&Episode> {
        self.about(client).into_iter().filter(|episode| episode.updated() >= at).collect()
    }

    /// Episodes that page.
    pub(crate) fn pages(&self) -> Vec<&Episode> {
        self.episodes.iter().filter(|episode| episode.severity() == "page").collect()
    }

    /// Episodes that a person may see without asking: notices and pages.
    pub(crate) fn notices(&self) -> Vec<&Episode> {
        self.episodes.iter().filter(|episode| episode.severity() != "info").collect()
    }
}

impl Episode {
    pub(crate) fn score(&self) -> f64 {
        self.0["score"].as_f64().expect("a score")
    }

    pub(crate) fn severity(&self) -> &str {
        self.0["severity"].as_str().expect("a severity")
    }

    pub(crate) fn class(&self) -> &str {
        self.0["class"].as_str().expect("a class")
    }

    /// Names of its components, strongest first.
    pub(crate) fn components(&self) -> Vec<&str> {
        let components = self.0["components"].as_array().expect("components");
        components.iter().map(|component| component["name"].as_str().expect("a name")).collect()
    }

    pub(crate) fn component(&self, name: &str) -> Option<&Json> {
        self.0["components"].as_array()?.iter().find(|component| component["name"] == name)
    }

    pub(crate) fn is_about(&self, client: &Client) -> bool {
        let subject = &self.0["subject"];
        if client.entity.is_empty() {
            subject["entity_id"].as_str().unwrap_or_default().is_empty()
                && subject["display_name"] == client.display_name.as_str()
        } else {
            subject["entity_id"] == client.entity.as_str()
        }
    }

    /// Second of the story at which it was opened.
    pub(crate) fn opened(&self) -> i64 {
        second(&self.0["opened_at"])
    }

    /// Second of the story at which it was last raised.
    pub(crate) fn updated(&self) -> i64 {
        second(&self.0["updated_at"])
    }
}

fn second(time: &Json) -> i64 {
    let time: jiff::Timestamp = time.as_str().expect("a time").parse().expect("RFC 3339");
    time.as_second() - BEGIN
}

/// The highest of their scores; 0 for none.
pub(crate) fn highest(episodes: &[&Episode]) -> f64 {
    episodes.iter().map(|episode| episode.score()).fold(0.0, f64::max)
}

/// Fails unless one of the episodes pages; says what there was instead.
pub(crate) fn must_page(what: &str, episodes: &[&Episode]) {
    assert!(
        episodes.iter().any(|episode| episode.severity() == "page"),
        "{what}: no page among {}",
        list(episodes)
    );
}

/// Fails if any of the episodes pages.
pub(crate) fn must_not_page(what: &str, episodes: &[&Episode]) {
    let pages: Vec<_> = episodes.iter().filter(|episode| episode.severity() == "page").copied().collect();
    assert!(pages.is_empty(), "{what}: {}", list(&pages));
}

/// Episodes as text, for a failed test.
pub(crate) fn list(episodes: &[&Episode]) -> String {
    let told = episodes.iter().take(12).map(|episode| {
        format!(
            "\n  {} {:.1} {} {} {} {} {:?}: {}",
            episode.0["opened_at"],
            episode.score(),
            episode.severity(),
            episode.class(),
            episode.0["subject"]["kind"],
            episode.0["subject"]["display_name"],
            episode.components(),
            episode.0["summary"]
        )
    });
    format!("{} episodes{}", episodes.len(), told.collect::<String>())
}
