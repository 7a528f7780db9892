//! `GET /episodes`: episodes of the anomaly scores, as one JSON document. `POST /episodes/acknowledge`:
//! somebody vouches for one. Only this socket takes that: whoever reaches a port could teach that a theft
//! is normal.

use super::ask::{self, AskError};
use crate::anomaly::{Episode, EpisodeId, Which};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Where episodes are asked for.
pub(in crate::command) const PATH: &str = "/episodes";
/// Where one is acknowledged.
pub(in crate::command) const ACKNOWLEDGE: &str = "/episodes/acknowledge";

/// Of the document; to be raised when a reader of the one before would misread it.
const VERSION: u32 = 1;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::command) struct Query {
    /// Which ones.
    pub(in crate::command) which: Which,
    /// This one, whatever else.
    pub(in crate::command) id: Option<EpisodeId>,
}

/// Episodes of a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::command) struct Document {
    version: u32,
    /// The front, in nanoseconds.
    pub(in crate::command) as_of: Timestamp,
    /// In the order in which they opened.
    pub(in crate::command) episodes: Vec<Episode>,
}

/// Somebody vouches for an episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::command) struct Vouch {
    /// For which.
    pub(in crate::command) episode: EpisodeId,
    /// Who.
    pub(in crate::command) author: String,
    /// Why.
    pub(in crate::command) reason: String,
    /// Until when.
    pub(in crate::command) expires: Timestamp,
}

impl Query {
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let Which { min_score, since, open } = self.which;
        [
            ("min_score", min_score.map(|score| score.to_string())),
            ("since", since.map(|at| at.to_string())),
            ("open", open.then(|| "true".to_owned())),
            ("id", self.id.map(|id| id.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .collect()
    }

    /// From parameters of the URL; the name of one that means nothing.
    pub(in crate::command) fn parse<N: AsRef<str>>(
        parameters: impl Iterator<Item = (N, String)>,
    ) -> Result<Self, String> {
        let mut query = Self::default();
        for (name, text) in parameters {
            let unknown = || format!("this version does not know {}={text}", name.as_ref());
            if name.as_ref() == "id" {
                query.id = Some(text.parse().map_err(|_| unknown())?);
            } else if !query.which.set(name.as_ref(), &text) {
                return Err(unknown());
            }
        }
        Ok(query)
    }
}

impl Document {
    /// Of these.
    pub(in crate::command) fn new(as_of: Timestamp, episodes: Vec<Episode>) -> Self {
        Self { version: VERSION, as_of, episodes }
    }
}

/// Asks the instance with this state folder.
///
/// # Errors
/// Why there is no answer.
pub(in crate::command) async fn get(state_dir: &Path, query: &Query) -> Result<Document, AskError> {
    let bytes = ask::get(state_dir, PATH, &query.parameters()).await?.bytes().await?;
    let document: Option<Document> = serde_json::from_slice(&bytes).ok();
    document.filter(|document| document.version == VERSION).ok_or(AskError::Unclear("cannot be read"))
}

/// Vouches for an episode; what the instance says to that.
///
/// # Errors
/// Why it does not take it.
pub(in crate::command) async fn acknowledge(state_dir: &Path, vouch: &Vouch) -> Result<String, AskError> {
    Ok(ask::post(state_dir, ACKNOWLEDGE, vouch).await?.text().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_comes_through_as_it_was_asked() {
        let which = Which {
            min_score: Some(42.5),
            since: Some(Timestamp::from_nanos(1_750_000_000_123_456_789)),
            open: true,
        };
        for query in [Query { which, id: Some(EpisodeId(7)) }, Query::default()] {
            assert_eq!(Query::parse(query.parameters().into_iter()), Ok(query));
        }
        for wrong in
            [("min_score", "high"), ("open", "perhaps"), ("since", "noon"), ("id", "7"), ("colour", "red")]
        {
            assert!(Query::parse([(wrong.0, wrong.1.to_owned())].into_iter()).is_err(), "{wrong:?}");
        }
    }
}
