//! Episodes of anomalies as the pages show them: `GET /api/episodes`, and the section of the page at `/`.
//! Whoever may not see names is shown where and how much, not who.

use crate::anomaly::{Episode, Severity, Which};
use crate::event::Timestamp;
use crate::harmless;
use crate::html::{Ago, Text};
use axum::http::Uri;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::{self, Write};

/// Rows on the page.
const MOST: usize = 20;
/// Episodes that are over stay on the page for so many seconds.
const RECENT_SECS: i64 = 86_400;

/// What the page at `/` says of anomalies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpisodesView {
    /// Whether anything is scored.
    pub scored: bool,
    /// Those that are open or were not long ago, from a notice on.
    pub episodes: Vec<Episode>,
}

impl EpisodesView {
    /// Which ones the page shows, of a moment.
    pub fn wanted(as_of: Timestamp) -> Which {
        Which { since: Some(as_of.plus_secs(-RECENT_SECS)), ..Which::default() }
    }
}

/// Which episodes a request asks for; what is wrong with it otherwise.
pub(super) fn query(uri: &Uri) -> Result<Which, String> {
    let mut which = Which::default();
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        // Of what may be asked for, only the colons and plus signs of a time are ever written otherwise.
        let text = text.replace("%3A", ":").replace("%3a", ":").replace("%2B", "+").replace("%2b", "+");
        if !which.set(name, &text) {
            return Err(format!(
                "{pair} is not understood: min_score=0 to 100, since=RFC 3339, open=true, with & between them"
            ));
        }
    }
    Ok(which)
}

/// The document of `/api/episodes`.
pub(super) fn document(as_of: Timestamp, episodes: &[Episode]) -> String {
    let as_of = (as_of > Timestamp::MIN).then(|| as_of.to_string());
    let document = json!({ "as_of": as_of, "episodes": episodes });
    harmless::json(format!("{document:#}\n"))
}

/// The section of the page.
pub(super) fn section(out: &mut String, view: &EpisodesView, now: Timestamp, names: bool) -> fmt::Result {
    if !view.scored {
        return Ok(());
    }
    out.write_str("<h2>Anomalies</h2>")?;
    if view.episodes.is_empty() {
        return out.write_str("<p class=\"note\">Nothing unusual in the last 24 hours.</p>");
    }
    let mut sorted: Vec<_> = view.episodes.iter().collect();
    sorted.sort_by(|a, b| {
        let by_open = a.closed_at.is_some().cmp(&b.closed_at.is_some());
        by_open.then(b.severity.cmp(&a.severity)).then(b.score.total_cmp(&a.score)).then(a.id.cmp(&b.id))
    });
    out.write_str(
        "<div class=\"scroll\"><table><thead><tr><th>Severity<th class=\"num\">Score<th>Began<th>What<th>State</tr></thead>",
    )?;
    for episode in sorted.iter().take(MOST) {
        let class = match episode.severity {
            _ if episode.acknowledged.is_some() => "dim",
            Severity::Page => "bad",
            Severity::Notice => "wait",
            Severity::Info => "dim",
        };
        write!(out, "<tr><td><span class=\"{class}\">{}</span>", episode.severity.name())?;
        write!(out, "<td class=\"num\">{:.0}<td>{}<td>", episode.score, Ago(Some(episode.opened_at), now))?;
        if names {
            write!(out, "{}", Text(&episode.summary))?;
        }
        write!(out, "<div class=\"dim\">{}", Text(&plainly(episode)))?;
        write!(out, " · <code>{}</code></div>", episode.id)?;
        let state = match (&episode.acknowledged, episode.closed_at) {
            (Some(_), _) => "acknowledged",
            (None, Some(_)) => "over",
            (None, None) => "open",
        };
        write!(out, "<td>{state}</tr>")?;
    }
    out.write_str("</table></div>")?;
    let more = sorted.len().saturating_sub(MOST);
    if more > 0 {
        write!(out, "<p class=\"dim\">And {more} more: <code>leasewatch episodes</code> lists them.</p>")?;
    }
    if !names {
        out.write_str(
            "<p class=\"dim\">Who it is about is kept off this page by <code>web.identities</code>: run \
             <code>leasewatch episodes</code>.</p>",
        )?;
    }
    Ok(())
}

/// Where, and by which models, without a name of anybody.
fn plainly(episode: &Episode) -> String {
    let models: Vec<_> = episode.components.iter().map(|component| component.name.as_str()).collect();
    let mounts: BTreeSet<String> = episode
        .touched
        .iter()
        .map(|touched| {
            if touched.namespace == "root" {
                touched.mount.clone()
            } else {
                format!("{}/{}", touched.namespace, touched.mount)
            }
        })
        .collect();
    let places: Vec<_> = mounts.into_iter().collect();
    let places = if places.is_empty() { String::new() } else { format!(" at {}", places.join(", ")) };
    format!("{}{places}", models.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_which() {
        let ask = |text: &str| query(&text.parse::<Uri>().unwrap());
        assert_eq!(ask("/api/episodes"), Ok(Which::default()));
        let which = ask("/api/episodes?min_score=0&since=2026-01-02T03%3A04:05%2B01:00&open=true").unwrap();
        let since = Timestamp::parse_rfc3339("2026-01-02T02:04:05Z");
        assert_eq!(which, Which { min_score: Some(0.0), since, open: true });
        for wrong in
            ["min_score=101", "min_score=-1", "min_score=NaN", "min_score", "open=yes", "since=noon", "who=x"]
        {
            assert!(ask(&format!("/api/episodes?{wrong}")).is_err(), "{wrong}");
        }
    }
}
