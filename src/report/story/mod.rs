//! A story to people and programs: one format a file.

mod db_user;
mod json;
mod markdown;
mod text;
pub(super) mod words;

use super::Period;
use crate::anomaly::Episode;
use crate::event::Timestamp;
use crate::story;
use std::collections::HashSet;

pub use db_user::{json as db_user_json, text as db_user_text};
pub use json::json;
pub use markdown::{db_user_markdown, markdown};
pub use text::text;

/// What is told.
#[derive(Debug)]
pub struct Told {
    /// The story.
    pub story: story::Story,
    /// The moment up to which it is told.
    pub as_of: Timestamp,
    /// The part of the logs that it is about, where that is not all of them.
    pub period: Option<Period>,
    /// Episodes that name its clients, its role or one of its requests.
    pub episodes: Vec<Episode>,
}

impl Told {
    /// With those of the episodes that belong to it.
    pub fn new(
        story: story::Story,
        as_of: Timestamp,
        period: Option<Period>,
        episodes: Vec<Episode>,
    ) -> Self {
        let requests: HashSet<_> =
            story.moments.iter().filter_map(|moment| Some(moment.request?.to_string())).collect();
        let mut told = Self { story, as_of, period, episodes: Vec::new() };
        told.episodes = episodes.into_iter().filter(|episode| told.names(episode, &requests)).collect();
        told
    }

    fn names(&self, episode: &Episode, requests: &HashSet<String>) -> bool {
        if episode.samples.iter().any(|sample| requests.contains(sample)) {
            return true;
        }
        match &self.story.topic {
            story::Topic::Role { mount, role } => {
                episode.touched.iter().any(|place| place.mount == *mount && place.role == *role)
            }
            story::Topic::Entity(_) => self.story.clients.iter().any(|client| {
                let entity = &client.requester.entity;
                if entity.is_empty() {
                    episode.subject.entity_id.is_empty()
                        && episode.subject.display_name == client.requester.display_name
                        && episode.subject.role == client.role
                } else {
                    episode.subject.entity_id == *entity
                }
            }),
            story::Topic::Lease(_) | story::Topic::HashedLease(_) => false,
        }
    }

    /// What no log tells, and what would.
    fn untold(&self) -> Vec<String> {
        let story = &self.story;
        let mut untold = Vec::new();
        if !story.has_ends {
            untold.push(
                "When leases ended by themselves: audit logs do not tell. Give --server-log (at level info)."
                    .to_owned(),
            );
        }
        untold.push(
            "For how long a lease was granted: audit logs leave that out. What is shown is the TTL of its \
             role as known at the end of the logs, or what a warning or a renewal says."
                .to_owned(),
        );
        if story.lives.iter().any(|life| life.issued.is_none()) {
            untold.push(
                "Who got some of the leases: they were issued before the first line, or wrapped and never \
                 unwrapped."
                    .to_owned(),
            );
        }
        if story.lives.iter().any(|life| life.end == Some(story::End::Unasked)) {
            untold.push(
                "Why some of the leases ended: nobody was seen to ask, and their TTL was not over or is not \
                 known. Leases end with the token that got them, of which audit logs do not tell."
                    .to_owned(),
            );
        }
        if story.untied > 0 {
            untold.push(format!(
                "Which lease {} requests to revoke were about: they name it by a hash, no renewal ties that \
                 to a lease, and no end fits in time. Some may be of this story.",
                story.untied
            ));
        }
        if matches!(story.topic, story::Topic::Entity(_)) && story.failed_logins > 0 {
            untold.push(format!(
                "Whether any of {} failed logins was an attempt of this client: they name nobody.",
                story.failed_logins
            ));
        }
        untold.push("What was done with a credential: that stands in the log of the database.".to_owned());
        untold
    }
}
