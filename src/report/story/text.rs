//! Text: a story for a person at a terminal.

use super::{Told, words};
use crate::event::RequestId;
use crate::report::episodes;
use crate::report::printable;
use crate::report::table::Table;
use crate::story::{End, Life, Moment, Story, Topic};
use std::fmt::Write;

/// Clients and leases that are listed; JSON has all of them.
const LISTED: usize = 100;

/// The story as text.
pub fn text(told: &Told) -> String {
    let story = &told.story;
    let mut out = String::new();
    let _ = writeln!(out, "Story of the {} {}", story.topic.kind(), printable(&story.topic.name()));
    if let Some(lease) = &story.resolved {
        let _ = writeln!(out, "that is {}", printable(lease));
    }
    let _ = writeln!(out, "as of {}", told.as_of);
    if let Some(period) = told.period {
        let _ = writeln!(out, "told {}", period.sentence());
    }
    if let Some(part) = &story.part {
        let _ = writeln!(out, "only {}", printable(part));
    }
    clients(story, &mut out);
    moments(story, &mut out);
    leases(story, &mut out);
    if !told.episodes.is_empty() {
        let _ = write!(out, "\nAnomalies that name it\n{}", episodes::list(&told.episodes));
    }
    out.push_str("\nWhat the logs do not tell\n");
    for untold in told.untold() {
        let _ = writeln!(out, "  - {untold}");
    }
    out
}

fn clients(story: &Story, out: &mut String) {
    if story.clients.is_empty() || matches!(story.topic, Topic::Role { .. }) {
        return;
    }
    let _ = writeln!(out, "\nClient{}", if story.clients.len() > 1 { "s of that name" } else { "" });
    for client in story.clients.iter().take(LISTED) {
        let _ = writeln!(out, "  {}", printable(&words::client(client)));
    }
    rest(story.clients.len(), "clients", out);
}

fn moments(story: &Story, out: &mut String) {
    out.push_str("\nWhat happened\n");
    if story.moments.is_empty() {
        out.push_str("  Nothing: no line names it. Is it spelt as the logs spell it, and do they go back far enough?\n");
    }
    let one_lease = !matches!(story.topic, Topic::Entity(_) | Topic::Role { .. });
    let one_client = story.clients.len() == 1;
    let mut told = false;
    for moment in &story.moments {
        if let Some((from, until)) = story.left_out.between.filter(|(_, until)| !told && moment.at >= *until)
        {
            let _ = writeln!(
                out,
                "  … {} moments from {from} until {until} are left out: narrow it with --since and --until, or \
                 raise --moments",
                story.left_out.moments
            );
            told = true;
        }
        let _ = writeln!(out, "  {:<30}  {}", moment.at.to_string(), printable(&words::headline(moment)));
        let details = details(moment, one_lease, one_client);
        if !details.is_empty() {
            let _ = writeln!(out, "  {:<30}    {}", "", printable(&details.join(", ")));
        }
    }
    if story.others > 0 {
        let _ = writeln!(out, "  and {} other requests, such as reading keys", story.others);
    }
}

fn details(moment: &Moment, one_lease: bool, one_client: bool) -> Vec<String> {
    let mut details = Vec::new();
    if let Some(lease) = moment.lease.as_ref().filter(|_| !one_lease) {
        details.push(format!("lease {lease}"));
    }
    if let Some(who) = moment.who.as_deref() {
        // The name of an account's own client need not be told each time.
        if !one_client || moment.root {
            details.push(format!("by {}", words::client(who)));
        }
    }
    if moment.root {
        details.push("with a root token".to_owned());
    }
    if let Some(source) = moment.source {
        details.push(format!("from {source}"));
    }
    details.extend(words::terms(moment));
    if let Some(request) = moment.request {
        details.push(format!("request {request}"));
    }
    if let Some(accessor) = moment.accessor {
        details.push(format!("token accessor {}", words::hash(accessor)));
    }
    details
}

fn leases(story: &Story, out: &mut String) {
    if let ([life], Topic::Lease(_) | Topic::HashedLease(_)) = (&story.lives[..], &story.topic) {
        one(life, out);
        return;
    }
    if story.lives.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nLeases");
    let headings = ["lease", "issued", "renewed", "failed attempts", "used", "role's TTL", "end"];
    let mut table = Table::new(2, &headings).with_notes();
    for life in story.lives.iter().take(LISTED) {
        table.row(&[
            life.lease.to_string(),
            life.issued.map_or("before the logs".to_owned(), |at| at.to_string()),
            life.renewals.to_string(),
            life.failed_attempts.to_string(),
            life.used().map_or("–".to_owned(), words::seconds),
            life.granted.as_ref().map_or("–".to_owned(), |granted| words::seconds(granted.secs)),
            words::end(life),
        ]);
    }
    table.draw(out);
    rest(story.lives.len(), "leases", out);
    if story.lives_left_out > 0 {
        let _ = writeln!(out, "  There was no room for {} events of further leases", story.lives_left_out);
    }
}

fn one(life: &Life, out: &mut String) {
    out.push_str("\nIts life\n");
    let mut line = |title: &str, text: String| {
        let _ = writeln!(out, "  {title:<10}{}", printable(&text));
    };
    match life.issued {
        None => line("issued", "before the first line, or wrapped and never unwrapped".to_owned()),
        Some(at) => line("issued", format!("{at}{}", request(life.request))),
    }
    if let Some(who) = life.who.as_deref() {
        let from = life.source.map_or(String::new(), |source| format!(", from {source}"));
        line("to", format!("{}{from}", words::client(who)));
    }
    if let Some(granted) = &life.granted {
        line("TTL", format!("{} of its role (source: {})", words::seconds(granted.secs), granted.source));
    }
    if let Some(at) = life.renewed {
        line("renewed", format!("{} times, last at {at}", life.renewals));
    }
    if life.failed_attempts > 0 {
        line("failed", format!("{} attempts to revoke it", life.failed_attempts));
    }
    if let Some(secs) = life.used() {
        line("used", words::seconds(secs));
    }
    let at = life.ended.map_or(String::new(), |at| format!("{at}, "));
    let by = life.end.and_then(End::request);
    line("ended", format!("{at}{}{}", words::end(life), request(by)));
}

fn request(id: Option<RequestId>) -> String {
    id.map_or(String::new(), |id| format!(", request {id}"))
}

fn rest(of: usize, what: &str, out: &mut String) {
    if of > LISTED {
        let _ = writeln!(out, "  … and {} more {what}; --format json has all of them", of - LISTED);
    }
}
