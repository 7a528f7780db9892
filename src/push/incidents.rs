//! The task that keeps incidents: one for each episode, opened, changed and resolved once, over restarts
//! and lost answers. Its title is its ID: before one is opened, it is looked for.

use super::courier::{Courier, Sent};
use super::ocsf;
use super::privacy::Pseudonyms;
use super::rest::Rest;
use super::{Site, ask, rest};
use crate::anomaly::{Episode, EpisodeId, Severity};
use crate::config::{IncidentsConfig, IncidentsFrom};
use crate::harmless;
use crate::store::{Journal, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked what has become of episodes.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The file is written anew when it has come to this many bytes.
const FILE_MOST: u64 = 256 << 10;

/// Keeps incidents.
pub(super) struct Incidents {
    api: Rest,
    names: Arc<Pseudonyms>,
    from: IncidentsFrom,
    journal: Journal,
    kept: BTreeMap<EpisodeId, Kept>,
}

/// What is known of an episode's incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Its ID; `None` from before it is asked for until the answer has come.
    incident: Option<String>,
    /// The stage that it was last told.
    stage: String,
    /// It was resolved, or given up.
    is_over: bool,
}

/// A line of its file; without anything kept, it is forgotten.
#[derive(Serialize, Deserialize)]
struct Line {
    episode: EpisodeId,
    kept: Option<Kept>,
}

impl Incidents {
    pub(super) fn open(
        courier: Courier,
        base: &str,
        config: &IncidentsConfig,
        names: Arc<Pseudonyms>,
        store: &Store,
    ) -> Result<Self, StoreError> {
        let (journal, lines) = Journal::open(store, "push-incidents")?;
        let mut kept = BTreeMap::new();
        for line in lines.iter().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            match line.kept {
                Some(known) => _ = kept.insert(line.episode, known),
                None => _ = kept.remove(&line.episode),
            }
        }
        Ok(Self { api: Rest::new(courier, base, config), names, from: config.from, journal, kept })
    }

    pub(super) async fn run(mut self, site: Arc<dyn Site>, stop: CancellationToken) {
        loop {
            let wait = tokio::select! {
                wait = self.turn(&site) => wait,
                // An answer that is lost by this is looked up.
                () = stop.cancelled() => return,
            };
            if rest(wait, &stop).await {
                return;
            }
        }
    }

    /// Looks at every episode that has an incident or should have one. How long to wait then.
    async fn turn(&mut self, site: &Arc<dyn Site>) -> Duration {
        let open = self.kept.iter().filter(|(_, kept)| !kept.is_over).map(|(id, _)| *id);
        let open: Vec<_> = open.collect();
        let Some((recent, older)) = ask(site, move |site| {
            let recent = site.episodes();
            let is_recent = |id: &EpisodeId| recent.iter().any(|episode| episode.id == *id);
            let older = open.into_iter().filter(|id| !is_recent(id)).map(|id| (id, site.episode(id)));
            let older: Vec<_> = older.collect();
            (recent, older)
        })
        .await
        else {
            return LOOK_EVERY;
        };
        for (id, episode) in &older {
            let turned = match episode {
                Some(episode) => self.follow(episode).await,
                // It had to make room: nobody will say that it is over.
                None => self.end(*id).await,
            };
            if let Err(wait) = turned {
                return wait;
            }
        }
        for episode in &recent {
            if let Err(wait) = self.follow(episode).await {
                return wait;
            }
        }
        let past = self
            .kept
            .iter()
            .filter(|(id, kept)| kept.is_over && recent.iter().all(|episode| episode.id != **id));
        for id in past.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.keep(id, None);
        }
        LOOK_EVERY
    }

    /// Brings an episode's incident to where the episode is.
    async fn follow(&mut self, episode: &Episode) -> Result<(), Duration> {
        let (id, stage) = (episode.id, ocsf::stage(episode));
        let is_over = episode.closed_at.is_some() || episode.acknowledged.is_some();
        match self.kept.get(&id).cloned() {
            None if is_over || !self.is_wanted(episode) => Ok(()),
            None => {
                // Written down before it is asked for: however that ends, it will be looked for.
                self.keep(id, Some(Kept::default()));
                self.begin(episode, stage).await
            }
            Some(kept) if kept.is_over => Ok(()),
            Some(_) if is_over => self.end(id).await,
            Some(Kept { incident: None, .. }) => self.begin(episode, stage).await,
            Some(kept) if kept.stage == stage => Ok(()),
            Some(kept) => {
                let incident = kept.incident.clone().unwrap_or_default();
                let description = self.description(episode);
                let described = self.api.describe(&incident, &description).await;
                self.settle(id, &described, Kept { stage, ..kept })
            }
        }
    }

    fn is_wanted(&self, episode: &Episode) -> bool {
        match self.from {
            IncidentsFrom::Off => false,
            IncidentsFrom::Page => episode.severity == Severity::Page,
            IncidentsFrom::Notice => episode.severity >= Severity::Notice,
        }
    }

    /// Finds the incident, or opens it.
    async fn begin(&mut self, episode: &Episode, stage: String) -> Result<(), Duration> {
        let (id, title) = (episode.id, title(episode.id));
        let found = match self.api.find(&title).await {
            Ok(Some(incident)) => Ok(incident),
            Ok(None) => {
                let description = self.description(episode);
                self.api.create(&title, &description).await
            }
            Err(sent) => Err(sent),
        };
        match found {
            Ok(incident) => {
                self.keep(id, Some(Kept { incident: Some(incident), stage, is_over: false }));
                Ok(())
            }
            Err(sent) => self.settle(id, &Err(sent), Kept::default()),
        }
    }

    /// Resolves the incident, if there is one.
    async fn end(&mut self, id: EpisodeId) -> Result<(), Duration> {
        let Some(kept) = self.kept.get(&id).cloned() else { return Ok(()) };
        let over = Kept { is_over: true, ..kept.clone() };
        let incident = match kept.incident {
            Some(incident) => Some(incident),
            None => match self.api.find(&title(id)).await {
                Ok(found) => found,
                Err(sent) => return self.settle(id, &Err(sent), over),
            },
        };
        let resolved = match incident {
            Some(incident) => self.api.resolve(&incident).await,
            None => Ok(()),
        };
        self.settle(id, &resolved, over)
    }

    /// Keeps what a request has come to. What can never be done is given up, and nothing else is held up by it.
    fn settle(&mut self, id: EpisodeId, done: &Result<(), Sent>, kept: Kept) -> Result<(), Duration> {
        match done {
            Ok(()) | Err(Sent::Taken(_)) => self.keep(id, Some(kept)),
            Err(Sent::Wait(wait)) => return Err(*wait),
            Err(Sent::TooLarge | Sent::Unusable) => {
                self.api.courier.dropped(1);
                self.keep(id, Some(Kept { is_over: true, ..kept }));
            }
        }
        Ok(())
    }

    fn keep(&mut self, episode: EpisodeId, kept: Option<Kept>) {
        match &kept {
            Some(kept) => _ = self.kept.insert(episode, kept.clone()),
            None => _ = self.kept.remove(&episode),
        }
        let text = |line: &Line| serde_json::to_string(line).unwrap_or_default();
        let mut written = self.journal.append(&text(&Line { episode, kept }));
        if written.is_ok() && self.journal.size() > FILE_MOST {
            let lines =
                self.kept.iter().map(|(id, kept)| text(&Line { episode: *id, kept: Some(kept.clone()) }));
            written = self.journal.rewrite(lines.collect::<Vec<_>>().into_iter());
        }
        if let Err(error) = written {
            tracing::error!(%error, "What became of an incident could not be written down: make room in the state folder");
        }
    }

    fn description(&self, episode: &Episode) -> String {
        let about = if self.names.are_names() { episode.summary.clone() } else { ocsf::headline(episode) };
        format!(
            "{}\n\nSince {}. {} `leasewatch episodes show {}` says more.",
            code(&about),
            episode.opened_at,
            episode.recurrence,
            episode.id
        )
    }
}

/// A text as a code span of Markdown, as which OneUptime draws a description: names in it are somebody's choice, and become
/// no link, heading or tag.
fn code(text: &str) -> String {
    let text = harmless::line(text);
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space at either end is taken off again.
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// By this an incident is found again, so it never changes.
fn title(id: EpisodeId) -> String {
    format!("Vault access anomaly {id}")
}
