//! `leases`: a person's view of the outstanding leases, of a running `serve` or by finished logs.

use super::finished::Finished;
use super::local::leases::{self as local, Query};
use super::period::Period;
use crate::anomaly::Settings;
use crate::cli::{LeaseCondition, LeaseGroups, LeasesArgs, LeasesFormat};
use crate::config::Config;
use crate::report::leases::{By, Filter, Is, Leases, View, ids, json, notes, text};
use crate::state::Limits;
use anyhow::Context;
use std::io::Write;

/// Finds them, and shows what was asked for.
///
/// # Errors
/// Why they could not be found, or that they could not be written.
pub fn run(args: &LeasesArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let query = Query { filter: filter(args), ids: args.for_revocation };
    let mut leases = if args.audit_log.is_empty() { ask(args, &query)? } else { read(args)? };
    leases.select(&query.filter);
    if args.for_revocation {
        for note in &leases.notes {
            tracing::warn!("{note}");
        }
        let ids = ids(&leases);
        out.write_all(ids.lines.as_bytes())?;
        if ids.unknown > 0 {
            tracing::warn!(
                leases = ids.unknown,
                "The IDs of some leases are not known, since their answers were wrapped: revoke them by their role's prefix"
            );
        }
        if ids.unsafe_words > 0 {
            tracing::warn!(
                leases = ids.unsafe_words,
                "The IDs of some leases would not reach a command as one word: revoke them by their role's prefix"
            );
        }
    } else {
        let shown = match args.format {
            LeasesFormat::Text => text(&leases, view(args)),
            LeasesFormat::Json => json(&leases, view(args))?,
        };
        out.write_all(shown.as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

fn ask(args: &LeasesArgs, query: &Query) -> anyhow::Result<Leases> {
    let state_dir = Config::state_dir(args.flags(), Config::environment())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    Ok(runtime.block_on(local::get(&state_dir, query))?)
}

fn read(args: &LeasesArgs) -> anyhow::Result<Leases> {
    let pipeline = Finished {
        audit: &args.audit_log,
        server: &args.server_log,
        at: args.at,
        period: Period::ALL,
        threads: 0,
        max_line_bytes: args.max_line_bytes,
        limits: Limits { label_sets: args.label_sets, leases: args.ledger_capacity, anomaly: Settings::OFF },
        baseline: None,
    }
    .read()?;
    for input in pipeline.inputs() {
        for (reason, count) in &input.stats().unreadable {
            tracing::warn!(source = %input.name, %reason, count, "Lines could not be read");
        }
    }
    let as_of = args.at.unwrap_or(pipeline.front());
    let leases = pipeline.state().leases(as_of);
    Ok(Leases { as_of, notes: notes(&pipeline.families(as_of)), leases })
}

fn filter(args: &LeasesArgs) -> Filter {
    let conditions = args.condition.iter().map(|condition| match condition {
        LeaseCondition::Overdue => Is::Overdue,
        LeaseCondition::Retrying => Is::Retrying,
        LeaseCondition::Stuck => Is::Stuck,
        LeaseCondition::Live => Is::Live,
    });
    Filter {
        namespace: args.namespace.clone(),
        mount: args.mount.clone(),
        role: args.role.clone(),
        requester: args.requester.clone(),
        conditions: conditions.collect(),
    }
}

/// Single leases where a role is named: of one role there is nothing to add up.
fn view(args: &LeasesArgs) -> View {
    match args.by {
        Some(LeaseGroups::Requester) => View::Summary(By::Requester),
        None if args.list || args.role.is_some() => View::List,
        Some(LeaseGroups::Role) | None => View::Summary(By::Role),
    }
}
