//! `episodes`: anomalies of a running `serve`, for a person; and the word that one is known.

use super::local::episodes::{self as local, Document, Query, Vouch};
use crate::anomaly::{EpisodeId, Which};
use crate::cli::{AckArgs, EpisodesArgs, EpisodesCommand, EpisodesFormat, Expiry};
use crate::config::Config;
use crate::event::Timestamp;
use crate::report::episodes::{list, one};
use anyhow::Context;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Asks, and shows what was asked for; or hands the word over.
///
/// # Errors
/// Why nobody answers, that there is no such episode, or that output cannot be written.
pub fn run(args: &EpisodesArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let state_dir = Config::state_dir(args.flags(), Config::environment())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let shown = runtime.block_on(async {
        match &args.command {
            None => all(args, &state_dir).await,
            Some(EpisodesCommand::Show(show)) => single(show.id, args.format, &state_dir).await,
            Some(EpisodesCommand::Ack(ack)) => acknowledge(ack, &state_dir).await,
        }
    })?;
    out.write_all(shown.as_bytes())?;
    out.flush()?;
    Ok(())
}

async fn all(args: &EpisodesArgs, state_dir: &Path) -> anyhow::Result<String> {
    let which = Which { min_score: args.min_score, since: args.since, open: args.open };
    let document = local::get(state_dir, &Query { which, id: None }).await?;
    if args.format == EpisodesFormat::Json {
        return json(&document);
    }
    let count = document.episodes.len();
    let word = if count == 1 { "episode" } else { "episodes" };
    let as_of = as_of(&document).map_or("before the first line".to_owned(), |at| format!("as of {at}"));
    Ok(format!("{count} {word} {as_of}\n\n{}", list(&document.episodes)))
}

async fn single(id: EpisodeId, format: EpisodesFormat, state_dir: &Path) -> anyhow::Result<String> {
    let document = local::get(state_dir, &Query { id: Some(id), ..Query::default() }).await?;
    if format == EpisodesFormat::Json {
        return json(&document);
    }
    let episode = document.episodes.first();
    Ok(one(episode.with_context(|| format!("there is no episode {id}: `leasewatch episodes` lists them"))?))
}

async fn acknowledge(args: &AckArgs, state_dir: &Path) -> anyhow::Result<String> {
    let expires = match args.expires {
        Expiry::At(moment) => moment,
        Expiry::In(time) => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + time;
            Timestamp::from_secs(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
        }
    };
    let vouch = Vouch { episode: args.id, author: args.author.clone(), reason: args.reason.clone(), expires };
    Ok(local::acknowledge(state_dir, &vouch).await?)
}

/// The moment, once there was one.
fn as_of(document: &Document) -> Option<String> {
    (document.as_of > Timestamp::MIN).then(|| document.as_of.to_string())
}

/// The document that programs read: `as_of` and `episodes`.
fn json(document: &Document) -> anyhow::Result<String> {
    let document = serde_json::json!({
        "as_of": as_of(document),
        "episodes": document.episodes,
    });
    Ok(crate::harmless::json(serde_json::to_string_pretty(&document)?) + "\n")
}
