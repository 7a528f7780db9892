//! Markdown: a story for a ticket.

use super::{Told, words};
use crate::report::markdown::{code, episodes, table, text};
use crate::story::{Found, Life, Moment};
use std::fmt::Write;

/// The story as Markdown.
pub fn markdown(told: &Told) -> String {
    let story = &told.story;
    let mut out = format!("# Story of the {} {}\n\n", story.topic.kind(), code(&story.topic.name()));
    let _ = writeln!(out, "As of {}. Times are UTC.", told.as_of);
    if let Some(lease) = &story.resolved {
        let _ = writeln!(out, "- that is {}", code(lease));
    }
    if let Some(period) = told.period {
        let _ = writeln!(out, "- told {}", text(&period.sentence()));
    }
    if let Some(part) = &story.part {
        let _ = writeln!(out, "- only {}", code(part));
    }
    out.push_str("\n## What happened\n\n");
    let headings =
        ["time", "what", "who", "from", "lease", "request", "token accessor", "more"].map(str::to_owned);
    table(&headings, |_| true, story.moments.iter().map(moment), &mut out);
    if let Some((from, until)) = story.left_out.between {
        let _ = writeln!(out, "\n{} moments from {from} until {until} are left out.", story.left_out.moments);
    }
    if story.others > 0 {
        let _ = writeln!(out, "\nAnd {} other requests, such as reading keys.", story.others);
    }
    if !story.lives.is_empty() {
        out.push_str("\n## Leases\n\n");
        let headings =
            ["lease", "issued", "to", "renewed", "failed attempts", "used", "role's TTL", "ended", "how"];
        let is_text = |column: usize| !(3..7).contains(&column);
        table(&headings.map(str::to_owned), is_text, story.lives.iter().map(life), &mut out);
    }
    episodes("Anomalies that name it", &told.episodes, &mut out);
    out.push_str("\n## What the logs do not tell\n\n");
    for untold in told.untold() {
        let _ = writeln!(out, "- {}", text(&untold));
    }
    out
}

fn moment(moment: &Moment) -> Vec<String> {
    let mut more = Vec::new();
    if moment.root {
        more.push("with a root token".to_owned());
    }
    more.extend(words::terms(moment));
    vec![
        moment.at.to_string(),
        code(&words::headline(moment)),
        moment.who.as_deref().map_or(String::new(), |who| code(&words::client(who))),
        moment.source.map_or(String::new(), |source| source.to_string()),
        moment.lease.as_deref().map_or(String::new(), code),
        moment.request.map_or(String::new(), |id| code(&id.to_string())),
        moment.accessor.map_or(String::new(), |hash| code(&words::hash(hash))),
        text(&more.join(", ")),
    ]
}

fn life(life: &Life) -> Vec<String> {
    let by = life.end.and_then(crate::story::End::request);
    vec![
        code(&life.lease),
        life.issued.map_or("before the logs".to_owned(), |at| at.to_string()),
        life.who.as_deref().map_or(String::new(), |who| code(&words::client(who))),
        life.renewals.to_string(),
        life.failed_attempts.to_string(),
        life.used().map_or(String::new(), words::seconds),
        life.granted.as_ref().map_or(String::new(), |granted| words::seconds(granted.secs)),
        life.ended.map_or(String::new(), |at| at.to_string()),
        by.map_or_else(
            || words::end(life),
            |id| format!("{}, request {}", words::end(life), code(&id.to_string())),
        ),
    ]
}

/// Candidates as Markdown.
pub fn db_user_markdown(found: &Found) -> String {
    let mut out = format!("# Database user {}\n\n", code(&found.name.name));
    match found.name.made {
        Some(made) => {
            let _ = writeln!(out, "Made at {made}, by its name; clocks may differ.");
        }
        None => out.push_str("Its name is cut before the second of issue: names alone decide.\n"),
    }
    if found.candidates.is_empty() {
        let _ = writeln!(out, "\nNobody: {}", text(super::db_user::nobody(found)));
        return out;
    }
    out.push('\n');
    let headings =
        ["who", "from", "outcome", "mount and role", "at", "off", "lease", "request"].map(str::to_owned);
    let rows = found.candidates.iter().map(|candidate| {
        let moment = &candidate.moment;
        vec![
            moment.who.as_deref().map_or(String::new(), |who| code(&words::client(who))),
            moment.source.map_or(String::new(), |source| source.to_string()),
            moment.outcome.to_owned(),
            code(&format!("{}{}", moment.mount, moment.role)),
            moment.at.to_string(),
            candidate.off.map_or(String::new(), |off| words::seconds(off as f64 / 1e9)),
            moment.lease.as_deref().map_or(String::new(), code),
            moment.request.map_or(String::new(), |id| code(&id.to_string())),
        ]
    });
    table(&headings, |_| true, rows, &mut out);
    if found.left_out > 0 {
        let _ = writeln!(out, "\nAnd {} more requests that fit.", found.left_out);
    }
    out
}
