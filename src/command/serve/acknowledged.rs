//! Acknowledged episodes: taken from the configuration and from the local socket, written down once, and
//! believed when they are read from there, like all that cannot be read again.

use super::notebook::Notebook;
use super::shared::Shared;
use crate::anomaly::{Acknowledgement, EpisodeId};
use crate::clock::wall;
use crate::command::local::episodes::Vouch;
use crate::config::Acknowledged;
use crate::event::{Fact, Observation, Timestamp};

/// Why somebody's word is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    /// It is over before it begins.
    #[error("it would have expired at {0}, which is past: name a later moment")]
    Expired(Timestamp),
    /// There is no such episode.
    #[error("there is no episode {0} here: `leasewatch episodes --min-score 0` lists them")]
    Unknown(EpisodeId),
    /// It could not be written down.
    #[error("it could not be kept ({0}): make room in the state folder")]
    NotKept(#[from] std::io::Error),
}

/// Writes down what the configuration says and no checkpoint knows yet.
pub(super) fn tell(configured: &[Acknowledged], shared: &Shared, notebook: &Notebook) {
    for entry in configured {
        let Ok(episode) = entry.episode.parse::<EpisodeId>() else { continue };
        let at = wall();
        let said = Acknowledgement {
            at,
            author: entry.author.clone(),
            reason: entry.reason.clone(),
            expires: entry.expires,
        };
        if shared.pipeline().state().anomalies().episodes().is_acknowledged(episode, &said) {
            continue;
        }
        if entry.expires <= at {
            tracing::warn!(
                %episode,
                "An acknowledgement in the configuration has expired; take it out of [[anomaly.acknowledged]]"
            );
            continue;
        }
        if let Err(error) = notebook.write(&observation(episode, said)) {
            tracing::error!(%error, "An acknowledgement could not be kept: make room in the state folder");
        }
    }
}

/// Takes somebody's word.
///
/// # Errors
/// Why not.
pub(super) fn take(vouch: Vouch, shared: &Shared, notebook: &Notebook) -> Result<(), NotTaken> {
    let Vouch { episode, author, reason, expires } = vouch;
    let at = wall();
    if expires <= at {
        return Err(NotTaken::Expired(expires));
    }
    if shared.pipeline().state().anomalies().episodes().find(episode).is_none() {
        return Err(NotTaken::Unknown(episode));
    }
    notebook.write(&observation(episode, Acknowledgement { at, author, reason, expires }))?;
    tracing::info!(%episode, until = %expires, "An episode was acknowledged through the local socket");
    Ok(())
}

fn observation(episode: EpisodeId, said: Acknowledgement) -> Observation {
    let Acknowledgement { at, author, reason, expires } = said;
    Observation {
        at,
        node: None,
        fact: Fact::Acknowledged { episode: episode.to_string(), author, reason, expires },
    }
}
