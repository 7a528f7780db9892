//! An episode on the page: its sentences, and behind them all that speaks for it.

use crate::anomaly::{Episode, Severity};
use crate::html::Text;
use std::fmt::Write;

/// Draws one.
pub(super) fn draw(episode: &Episode, out: &mut String) {
    let class = match episode.severity {
        Severity::Page => "page",
        Severity::Notice => "notice",
        Severity::Info => "info",
    };
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<details class=\"{class}\"><summary><span class=\"score\">{:.0}</span> \
         <span class=\"dim\">{} {}</span> {}</summary>",
        episode.score,
        episode.severity.name(),
        second(&episode.opened_at.to_string()),
        Text(&episode.summary)
    );
    out.push_str(
        "<div class=\"scroll\"><table><thead><tr><th class=\"num\">Alone</th><th>What</th><th></th>\
         <th class=\"num\">Seen</th><th class=\"num\">Usual</th><th class=\"num\">Rarely above</th></tr></thead><tbody>",
    );
    for component in &episode.components {
        let _ = write!(
            out,
            "<tr><td class=\"num\">{:.0}</td><td>{}<div class=\"dim\">{}</div></td><td>{}</td>\
             <td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
            component.score,
            Text(&component.name),
            Text(&component.word),
            Text(&component.text),
            number(component.observed),
            number(component.expected),
            number(component.upper)
        );
    }
    out.push_str("</tbody></table></div><p>");
    let subject = &episode.subject;
    let names = [
        ("entity", &subject.entity_id),
        ("name", &subject.display_name),
        ("role or user", &subject.role),
        ("namespace", &subject.namespace),
        ("mount", &subject.mount),
    ];
    for (title, name) in names.into_iter().filter(|(_, name)| !name.is_empty()) {
        let _ = write!(out, "<span class=\"dim\">{title}</span> <code>{}</code> ", Text(name));
    }
    let touched: Vec<_> =
        episode.touched.iter().map(|to| format!("{} {}{}", to.namespace, to.mount, to.role)).collect();
    if !touched.is_empty() {
        let _ = write!(out, "<br><span class=\"dim\">touched</span> {}", Text(&touched.join(", ")));
    }
    if !episode.samples.is_empty() {
        let _ = write!(
            out,
            "<br><span class=\"dim\">request.id</span> <code>{}</code>",
            Text(&episode.samples.join(" "))
        );
    }
    let until =
        episode.closed_at.map_or("not over".to_owned(), |at| format!("over {}", second(&at.to_string())));
    let _ = writeln!(out, "<br><span class=\"dim\">episode {}, {until}</span></p></details>", episode.id);
}

/// A moment to the second.
fn second(at: &str) -> &str {
    at.get(..19).unwrap_or(at)
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 || value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}
