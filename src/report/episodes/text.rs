//! Text: episodes in sentences.

use crate::anomaly::Episode;
use crate::event::Timestamp;
use crate::report::printable;
use std::fmt::Write;

/// Columns of a line of text.
const WIDTH: usize = 100;

/// The highest first.
pub fn ranked<'e>(episodes: impl IntoIterator<Item = &'e Episode>) -> Vec<&'e Episode> {
    let mut ranked: Vec<_> = episodes.into_iter().collect();
    ranked.sort_by(|a, b| {
        let by_score = b.severity.cmp(&a.severity).then(b.score.total_cmp(&a.score));
        by_score.then(a.opened_at.cmp(&b.opened_at)).then(a.id.cmp(&b.id))
    });
    ranked
}

/// A few lines for each, the highest first.
pub fn list(episodes: &[Episode]) -> String {
    list_in(episodes, WIDTH)
}

/// The same in lines of no more than so many columns.
pub fn list_in(episodes: &[Episode], columns: usize) -> String {
    let mut out = String::new();
    for episode in ranked(episodes) {
        head(episode, &mut out);
        wrapped_in(&episode.summary, "      ", columns.min(WIDTH), &mut out);
    }
    out
}

/// All that is known of one.
pub fn one(episode: &Episode) -> String {
    let mut out = String::new();
    head(episode, &mut out);
    wrapped(&episode.summary, "  ", &mut out);
    out.push('\n');
    let subject = &episode.subject;
    let names = [
        ("entity", &subject.entity_id),
        ("display name", &subject.display_name),
        ("role or user", &subject.role),
        ("namespace", &subject.namespace),
        ("mount", &subject.mount),
    ];
    for (title, name) in names {
        if !name.is_empty() {
            let _ = writeln!(out, "  {title:<14}{}", printable(name));
        }
    }
    let until = episode.closed_at.map_or("open".to_owned(), |at| format!("over since {}", second(at)));
    let _ = writeln!(
        out,
        "  {:<14}{} to {}, {until}",
        "time",
        second(episode.opened_at),
        second(episode.updated_at)
    );
    if let Some(said) = &episode.acknowledged {
        let text = format!("by {} until {}: {}", said.author, second(said.expires), said.reason);
        let _ = writeln!(out, "  {:<14}{}", "acknowledged", printable(&text));
    }
    out.push_str("\n  What speaks for it, with the score that each would have alone\n");
    for component in &episode.components {
        let _ = writeln!(out, "    {:>3.0}  {} ({})", component.score, component.name, component.word);
        wrapped(&component.text, "         ", &mut out);
    }
    for (model, why) in &subject.switched_off {
        wrapped(&format!("Not scored for this client: {model}, as {why}"), "    ", &mut out);
    }
    if !episode.touched.is_empty() {
        out.push_str("\n  Mounts and roles\n");
        for touched in &episode.touched {
            let place = format!("{} {}{}", touched.namespace, touched.mount, touched.role);
            let _ = writeln!(out, "    {}", printable(&place));
        }
    }
    if !episode.samples.is_empty() {
        out.push_str("\n  Requests, as request.id in the audit log\n");
        for sample in &episode.samples {
            let _ = writeln!(out, "    {}", printable(sample));
        }
    }
    out
}

fn head(episode: &Episode, out: &mut String) {
    let mut marks = Vec::new();
    if episode.closed_at.is_none() {
        marks.push("open");
    }
    if episode.acknowledged.is_some() {
        marks.push("acknowledged");
    }
    let marks = if marks.is_empty() { String::new() } else { format!("  ({})", marks.join(", ")) };
    let _ = writeln!(
        out,
        "  {:<6} {:>3.0}  {}  {}{marks}",
        episode.severity.name(),
        episode.score,
        second(episode.opened_at),
        episode.id
    );
}

/// A moment to the second.
fn second(at: Timestamp) -> String {
    let whole = at.as_nanos().div_euclid(1_000_000_000);
    Timestamp::from_secs(whole).to_string()
}

/// Text in lines of so many columns at most.
fn wrapped(text: &str, indent: &str, out: &mut String) {
    wrapped_in(text, indent, WIDTH, out);
}

fn wrapped_in(text: &str, indent: &str, columns: usize, out: &mut String) {
    let mut line = String::new();
    for word in printable(text).split_whitespace() {
        if !line.is_empty() && indent.len() + line.chars().count() + 1 + word.chars().count() > columns {
            let _ = writeln!(out, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    if !line.is_empty() {
        let _ = writeln!(out, "{indent}{line}");
    }
}
