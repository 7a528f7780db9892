//! `analyze --lease`, `--entity`, `--role`: one story out of finished logs. They are gone through
//! for its threads, and then once more, as for a report, to tell it. `--db-user` goes through them once.

use super::analyze::{finished, warn_unreadable};
use super::finished::{Finished, Wanted};
use super::folder::Logs;
use super::period::{Period, wrong};
use crate::anomaly::Which;
use crate::cli::{AnalyzeArgs, Format};
use crate::contract::leases::ROLE_DEFAULT_TTL;
use crate::event::Event;
use crate::report::Narrow;
use crate::report::story::{Told, db_user_json, db_user_markdown, db_user_text, json, markdown, text};
use crate::snapshot::{Family, Value};
use crate::state::Limits;
use crate::story::{self, Candidates, Filter, Granted, Network, Part, Teller, Threads, Topic, Username};

/// Leases of a story that are kept.
const LIVES_MOST: usize = 100_000;
/// Times that the logs are gone through for threads: each may find a name that the one before could not use.
const LOOKS_MOST: usize = 4;

/// What is told in the place of a report, where a story or candidates are asked for.
///
/// # Errors
/// What cannot be asked, or in that form; logs that cannot be opened, or not often enough.
pub(super) fn answer(args: &AnalyzeArgs, logs: &Logs) -> anyhow::Result<Option<String>> {
    if let Some(name) = db_user(args)? {
        return candidates(args, logs, name).map(Some);
    }
    topic(args)?.map(|topic| told(args, logs, topic)).transpose()
}

/// What a story is asked of, if one is.
///
/// # Errors
/// A topic that cannot be, or a form that has no place for a story.
fn topic(args: &AnalyzeArgs) -> anyhow::Result<Option<Topic>> {
    let topic = match (&args.lease, &args.entity, &args.role) {
        (Some(lease), ..) => {
            Topic::lease(lease).map_err(|why| wrong("--lease", "this is no lease ID", &why))?
        }
        (_, Some(entity), _) => Topic::Entity(entity.as_str().into()),
        (.., Some(text)) => role(text)?,
        _ => return Ok(None),
    };
    told_in_words(args)?;
    Ok(Some(topic))
}

/// The user of a database that is asked about, if one is.
///
/// # Errors
/// A name that no template makes, or a form that has no place for candidates.
fn db_user(args: &AnalyzeArgs) -> anyhow::Result<Option<Username>> {
    let Some(name) = &args.db_user else { return Ok(None) };
    let name = Username::parse(name)
        .map_err(|why| wrong("--db-user", "nothing can be read out of this name", &why))?;
    told_in_words(args)?;
    Ok(Some(name))
}

fn told_in_words(args: &AnalyzeArgs) -> anyhow::Result<()> {
    if !matches!(args.format, Format::Text | Format::Json | Format::Markdown) {
        return Err(wrong(
            "--format",
            "a story is told as text, JSON or Markdown",
            "Leave it out, or write json or markdown",
        ));
    }
    if args.learn.is_some() || args.backtest {
        return Err(wrong("a story", "it neither learns nor tests", "Leave out --learn and --backtest"));
    }
    Ok(())
}

/// The part that is wanted.
fn filter(args: &AnalyzeArgs) -> anyhow::Result<Filter> {
    let Narrow { namespace, mount, .. } = Narrow::new(args.namespace.as_deref(), args.mount.as_deref(), None);
    let source = args.source.as_deref().map(Network::parse).transpose();
    let mut filter = Filter {
        namespace: namespace.map(|name| if name == "root" { "".into() } else { name.into() }),
        mount: mount.map(Into::into),
        role: None,
        source: source.map_err(|why| wrong("--source", "this is no network", &why))?,
    };
    // Without a client, the role is what the story is about.
    if let (Some(_), Some(text)) = (&args.entity, &args.role)
        && let Topic::Role { mount, role } = role(text)?
    {
        if filter.mount.as_ref().is_some_and(|wanted| *wanted != mount) {
            return Err(wrong("--mount", "it is another mount than that of --role", "Leave it out"));
        }
        (filter.mount, filter.role) = (Some(mount), Some(role));
    }
    Ok(filter)
}

fn role(text: &str) -> anyhow::Result<Topic> {
    Topic::role(text).map_err(|why| wrong("--role", "this names no mount", &why))
}

/// Who may have got a user of a database.
///
/// # Errors
/// A file that cannot be opened.
fn candidates(args: &AnalyzeArgs, logs: &Logs, name: Username) -> anyhow::Result<String> {
    let period = Period::of(args.since, args.until, logs, args.max_line_bytes)?;
    let mut candidates = Candidates::new(name, filter(args)?);
    go_through(args, logs, period, &mut |_, event| {
        if period.since.is_none_or(|since| event.at >= since) {
            candidates.see(event);
        }
    })?;
    let found = candidates.end();
    Ok(match args.format {
        Format::Json => db_user_json(&found),
        Format::Markdown => db_user_markdown(&found),
        _ => db_user_text(&found),
    })
}

/// The story, as it was asked for.
///
/// # Errors
/// A file that cannot be opened; standard input, which can be read only once.
fn told(args: &AnalyzeArgs, logs: &Logs, topic: Topic) -> anyhow::Result<String> {
    if logs.has_stdin() {
        return Err(wrong(
            "-",
            "a story takes reading the logs several times",
            "Write them to a file and name it",
        ));
    }
    let period = Period::of(args.since, args.until, logs, args.max_line_bytes)?;
    let mut threads = Threads::new(topic);
    for _ in 0..LOOKS_MOST {
        go_through(args, logs, period, &mut |_, event| threads.see(event))?;
        if !threads.wants_again() {
            break;
        }
    }
    let limits_of = story::Limits { moments: args.moments, lives: LIVES_MOST };
    let mut teller = Teller::new(threads, Part { since: period.since, filter: filter(args)? }, limits_of);
    let read = finished(args, logs, period)?.read_with(Wanted {
        course: false,
        only: &|families| families,
        enough: &|| false,
        tell: &mut |source, event| teller.hear(source, event),
    })?;
    let pipeline = read.pipeline;
    let as_of = args.at.unwrap_or(pipeline.front());
    let families = pipeline.families(as_of);
    let story = teller.end(|namespace, mount, role| granted(&families, namespace, mount, role));
    let which = Which { min_score: args.min_score, since: period.since, ..Which::default() };
    let told = Told::new(
        story,
        as_of,
        period.told(as_of, read.opening.as_ref()),
        pipeline.state().anomalies().episodes().list(which),
    );
    Ok(match args.format {
        Format::Json => json(&told),
        Format::Markdown => markdown(&told),
        _ => text(&told),
    })
}

/// Goes through the logs; counts nothing.
fn go_through(
    args: &AnalyzeArgs,
    logs: &Logs,
    period: Period,
    tell: &mut dyn FnMut(usize, &Event),
) -> anyhow::Result<()> {
    let finished = Finished {
        audit: &logs.audit,
        server: &logs.server,
        at: args.at,
        period: Period { since: None, ..period },
        threads: args.threads,
        max_line_bytes: args.max_line_bytes,
        limits: Limits::NONE,
        baseline: None,
    };
    let read =
        finished.read_with(Wanted { course: false, only: &|families| families, tell, enough: &|| false })?;
    let inputs = read.pipeline.inputs().iter();
    warn_unreadable(inputs.map(|input| (input.name.as_str(), input.stats())));
    Ok(())
}

/// What a role grants, as the ledger knows it.
fn granted(families: &[Family], namespace: &str, mount: &str, role: &str) -> Option<Granted> {
    let namespace = if namespace.is_empty() { "root" } else { namespace };
    let family = families.iter().find(|family| *family.metric == ROLE_DEFAULT_TTL)?;
    let labels = ROLE_DEFAULT_TTL.labels;
    let place = |label: &str| labels.iter().position(|name| *name == label);
    let (of, at, named, source) =
        (place("vault_namespace")?, place("mount")?, place("role")?, place("source")?);
    let series = family.series.iter().find(|series| {
        let is = |place: usize, name: &str| series.labels.get(place).is_some_and(|label| **label == *name);
        is(of, namespace) && is(at, mount) && is(named, role)
    })?;
    let Value::Number(secs) = series.value else { return None };
    Some(Granted { secs, source: series.labels.get(source)?.to_string() })
}
