//! The pages for people: HTML from plain data. Pure; every text from outside is escaped.

use super::access::Refused;
use super::episodes;
use super::overview::{NodeView, Overview, PushView, ReceivedView, SourceView};
use super::roles;
use super::site::Waiting;
use crate::event::Timestamp;
use crate::html::{Ago, Bytes, Grouped, State, Text};
use crate::snapshot::Kind;
use crate::{RELEASE, REVISION, contract};
use std::fmt::{self, Write};

const STYLE: &str = include_str!("page.css");

/// The page at `/`, with or without the names of clients.
pub(super) fn index(overview: &Overview, names: bool) -> String {
    // It looks again by itself: one leaves it open while something is mended.
    frame("leasewatch", "<meta http-equiv=\"refresh\" content=\"15\">", |out| {
        tiles(out, overview)?;
        configuration(out, overview.configuration.as_deref())?;
        waiting(out, &overview.waiting)?;
        episodes::section(out, &overview.anomalies, overview.now, names)?;
        roles::section(out, &overview.roles)?;
        sources(out, overview)?;
        nodes(out, overview)?;
        pushed(out, overview)
    })
}

/// The page at `/docs`: what each metric means.
pub(super) fn docs() -> String {
    frame("leasewatch metrics", "", |out| {
        out.write_str("<h2>Metrics</h2><div class=\"scroll\"><table><thead><tr><th>Name<th>Type<th>Labels<th>Meaning</tr></thead>")?;
        for metric in contract::all() {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let labels = metric.labels.join(", ");
            write!(
                out,
                "<tr><td><code>{}</code><td>{kind}<td><code>{}</code>",
                Text(metric.name),
                Text(&labels)
            )?;
            write!(out, "<td>{}</tr>", Text(metric.help))?;
        }
        out.write_str("</table></div>")
    })
}

/// The answer to a path that there is not.
pub(super) fn not_found(path: &str) -> String {
    frame("Not found", "", |out| {
        write!(out, "<p class=\"note\">There is nothing at <code>{}</code>. ", Text(path))?;
        out.write_str(
            "Prometheus scrapes <a href=\"/metrics\">/metrics</a>; the links above lead to the rest.</p>",
        )
    })
}

/// The answer to who may not see a page.
pub(super) fn refused(why: Refused) -> String {
    frame("Not shown here", "", |out| {
        write!(out, "<p class=\"note\">{}.</p><p>{}.</p>", Text(&why.to_string()), Text(Refused::REMEDY))
    })
}

/// A page around `body`.
fn frame(title: &str, head: &str, body: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut out = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{head}\
         <title>{}</title><style>{STYLE}</style></head><body>\
         <header><h1>leasewatch</h1><span class=\"dim\">{} · revision {}</span></header>\
         <nav><a href=\"/\">Overview</a><a href=\"/metrics\">/metrics</a><a href=\"/ready\">/ready</a>\
         <a href=\"/live\">/live</a><a href=\"/docs\">What the metrics mean</a></nav><main>",
        Text(title),
        Text(RELEASE),
        Text(REVISION)
    );
    // Writing to a String cannot fail.
    let _ = body(&mut out);
    out.push_str("</main></body></html>\n");
    out
}

fn tiles(out: &mut String, overview: &Overview) -> fmt::Result {
    let trouble = overview.sources.iter().filter(|source| source.trouble.is_some()).count()
        + overview.nodes.iter().filter(|node| in_trouble(node)).count();
    out.write_str("<div class=\"tiles\">")?;
    let (class, word) = if overview.waiting.is_empty() { ("ok", "ready") } else { ("wait", "not ready yet") };
    write!(out, "<div class=\"tile\">Service <b class=\"{class}\">{word}</b></div>")?;
    let (class, word) = if overview.catching_up { ("wait", "catching up") } else { ("ok", "up to date") };
    write!(out, "<div class=\"tile\">Numbers <b class=\"{class}\">{word}</b>")?;
    write!(out, "<span class=\"dim\">as of {}</span></div>", Ago(overview.as_of, overview.now))?;
    let class = if trouble == 0 { "ok" } else { "bad" };
    let word = if trouble == 0 { "no trouble".to_owned() } else { format!("{trouble} in trouble") };
    write!(out, "<div class=\"tile\">Logs and nodes <b class=\"{class}\">{word}</b>")?;
    write!(
        out,
        "<span class=\"dim\">logs: {}, nodes: {}</span></div>",
        overview.sources.len(),
        overview.nodes.len()
    )?;
    write!(
        out,
        "<div class=\"tile\">State saved <b>{}</b></div></div>",
        Ago(overview.checkpoint, overview.now)
    )
}

fn configuration(out: &mut String, trouble: Option<&str>) -> fmt::Result {
    let Some(why) = trouble else { return Ok(()) };
    write!(
        out,
        "<p class=\"note bad\">The configuration was not reloaded; the one before it is in force: {}</p>",
        Text(why)
    )
}

fn waiting(out: &mut String, waiting: &[Waiting]) -> fmt::Result {
    if waiting.is_empty() {
        return Ok(());
    }
    out.write_str("<div class=\"note\">Not ready; waiting for:<ul>")?;
    for Waiting(text) in waiting {
        write!(out, "<li>{}</li>", Text(text))?;
    }
    out.write_str("</ul></div>")
}

fn sources(out: &mut String, overview: &Overview) -> fmt::Result {
    out.write_str("<h2>Logs</h2>")?;
    if overview.sources.is_empty() {
        return out.write_str("<p class=\"note\">No log is read: give --audit-log and --server-log.</p>");
    }
    out.write_str(
        "<div class=\"scroll\"><table><thead><tr><th>Source<th>File<th class=\"num\">Lines<th class=\"num\">Unreadable\
         <th class=\"num\">Unread<th>Last entry<th>State</tr></thead>",
    )?;
    for source in &overview.sources {
        let SourceView { name, kind, path, lines, unreadable, .. } = source;
        let of = source.node.as_ref().map(|node| format!(" of {node}")).unwrap_or_default();
        write!(out, "<tr><td>{}<div class=\"dim\">{}{}</div>", Text(name), Text(kind), Text(&of))?;
        write!(out, "<td><code>{}</code>", Text(path))?;
        if let Some(received) = &source.received {
            write!(out, "<div class=\"dim\">{}</div>", Received(received, overview.now))?;
        }
        write!(out, "<td class=\"num\">{}", Grouped(*lines))?;
        let class = if *unreadable == 0 { "num" } else { "num wait" };
        write!(
            out,
            "<td class=\"{class}\">{}<td class=\"num\">{}",
            Grouped(*unreadable),
            Bytes(source.lag_bytes)
        )?;
        write!(
            out,
            "<td>{}<td>{}</tr>",
            Ago(source.last_entry, overview.now),
            State(source.trouble.is_none(), "reading")
        )?;
        trouble(out, 7, 0, source.trouble.as_deref())?;
    }
    out.write_str("</table></div>")
}

/// How a receiver is, in a few words; with the moment from which ages count.
struct Received<'a>(&'a ReceivedView, Timestamp);

impl fmt::Display for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(ReceivedView { connections, last_line, dropped }, now) = self;
        write!(f, "connections: {connections}; last line: {}; dropped: ", Ago(*last_line, *now))?;
        if dropped.is_empty() {
            return f.write_str("none");
        }
        for (index, (reason, times)) in dropped.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} {reason}", Grouped(*times))?;
        }
        Ok(())
    }
}

fn nodes(out: &mut String, overview: &Overview) -> fmt::Result {
    out.write_str("<h2>Vault</h2>")?;
    if overview.nodes.is_empty() {
        return out.write_str(
            "<p class=\"note\">No API is asked: give VAULT_ADDR, or [[node]] tables with addresses.</p>",
        );
    }
    out.write_str("<div class=\"scroll\"><table><thead><tr><th>Node<th>Address or API<th>Last answer<th>State</tr></thead>")?;
    for node in &overview.nodes {
        write!(out, "<tr><td>{}<td><code>{}</code><td>", Text(&node.name), Text(&node.address))?;
        write!(out, "<td>{}</tr>", State(node.trouble.is_none(), &node.state))?;
        trouble(out, 4, 0, node.trouble.as_deref())?;
        for api in &node.apis {
            write!(
                out,
                "<tr><td><td><code>{}</code><td>{}",
                Text(&api.name),
                Ago(api.last_success, overview.now)
            )?;
            match &api.rest {
                Some(why) => write!(out, "<td class=\"dim\">not asked: {}</tr>", Text(why))?,
                None => write!(out, "<td>{}</tr>", State(api.trouble.is_none(), "answers"))?,
            }
            trouble(out, 4, 1, api.trouble.as_deref())?;
        }
    }
    out.write_str("</table></div>")
}

fn pushed(out: &mut String, overview: &Overview) -> fmt::Result {
    if overview.pushed.is_empty() {
        return Ok(());
    }
    out.write_str(
        "<h2>Pushing</h2><div class=\"scroll\"><table><thead><tr><th>Target<th>Address<th class=\"num\">Delivered\
         <th class=\"num\">Not delivered<th>Last success<th>State</tr></thead>",
    )?;
    for PushView { target, address, delivered, undelivered, last_success, trouble: why } in &overview.pushed {
        write!(out, "<tr><td>{}<td><code>{}</code>", Text(target), Text(address))?;
        write!(out, "<td class=\"num\">{}<td class=\"num\">{}", Grouped(*delivered), Grouped(*undelivered))?;
        write!(out, "<td>{}<td>{}</tr>", Ago(*last_success, overview.now), State(why.is_none(), "answers"))?;
        trouble(out, 6, 0, why.as_deref())?;
    }
    out.write_str("</table></div>")
}

/// A row below another one, beginning in that column (from 0).
fn trouble(out: &mut String, columns: usize, from: usize, trouble: Option<&str>) -> fmt::Result {
    let Some(text) = trouble else { return Ok(()) };
    let (before, span) = ("<td class=\"trouble\">".repeat(from), columns - from);
    write!(out, "<tr>{before}<td class=\"trouble bad\" colspan=\"{span}\">{}</tr>", Text(text))
}

fn in_trouble(node: &NodeView) -> bool {
    node.trouble.is_some() || node.apis.iter().any(|api| api.trouble.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let hostile = "<script>\"'&\u{1b}[31m".to_owned();
        let overview = Overview {
            waiting: vec![Waiting(hostile.clone())],
            configuration: Some(hostile.clone()),
            sources: vec![SourceView {
                name: hostile.clone(),
                kind: hostile.clone(),
                node: Some(hostile.clone()),
                path: hostile.clone(),
                trouble: Some(hostile.clone()),
                ..SourceView::default()
            }],
            nodes: vec![NodeView {
                name: hostile.clone(),
                address: hostile.clone(),
                state: hostile.clone(),
                trouble: Some(hostile.clone()),
                ..NodeView::default()
            }],
            pushed: vec![PushView {
                target: hostile.clone(),
                address: hostile.clone(),
                trouble: Some(hostile.clone()),
                ..PushView::default()
            }],
            ..Overview::default()
        };
        let page = index(&overview, true);
        assert!(!page.contains("<script>") && !page.contains('\u{1b}'), "{page}");
        assert_eq!(page.matches("&lt;script&gt;&quot;&#39;&amp;").count(), 14, "{page}");
        assert!(!not_found("/<b>").contains("<b>"));
    }
}
