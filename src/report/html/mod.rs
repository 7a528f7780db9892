//! HTML: one page with everything, for a browser. Charts, episodes, tables; no script, nothing from
//! the network, light and dark. Names come from a log: all of them are escaped.

mod chart;
mod episode;

use super::Report;
use super::course::{Course, Line};
use super::episodes::ranked;
use super::figures::{self, Figures};
use crate::anomaly::Severity;
use crate::contract::{credentials, leases};
use crate::html::{Bytes, Grouped, Text};
use crate::snapshot::{Metric, Value};
use chart::{COLOURS, Chart, Shape, length};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

/// The report as one page.
pub fn html(report: &Report) -> String {
    let mut out = String::new();
    let as_of = report.snapshot.as_of;
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>leasewatch report, {as_of}</title><style>{STYLE}</style></head><body>\
         <h1>leasewatch report</h1><div class=\"dim\">"
    );
    if let Some(course) = &report.course {
        let span = as_of.nanos_since(course.from).max(0) / 1_000_000_000;
        let _ = write!(out, "{} to {as_of}, {}. ", course.from, length(span));
    }
    for note in report.notes() {
        let _ = write!(out, "This report is {}. ", Text(&note));
    }
    out.push_str("Times are UTC. The page names clients and where they came from.</div>\n");
    tiles(report, &mut out);
    if let Some(course) = &report.course {
        charts(course, &mut out);
    }
    episodes(report, &mut out);
    for figures in figures::all(report) {
        table(&figures, &mut out);
    }
    sources(report, &mut out);
    out.push_str("</body></html>\n");
    out
}

fn tiles(report: &Report, out: &mut String) {
    let of = |severity| report.episodes.iter().filter(|episode| episode.severity == severity).count();
    let peak = report.course.as_ref().map(|course| {
        let levels = course.levels(&leases::LEASES, usize::MAX);
        let at = |step: usize| levels.iter().map(|line| line.values[step]).sum::<f64>();
        (0..course.steps).map(at).fold(0.0, f64::max)
    });
    out.push_str("<div class=\"tiles\">");
    let mut tile = |name: &str, number: u64, note: String| {
        let _ = write!(
            out,
            "<div class=\"tile\"><b>{}</b>{name}<div class=\"dim\">{}</div></div>",
            Grouped(number),
            Text(&note)
        );
    };
    let issued = sum(report, &credentials::ISSUED);
    let failed = sum(report, &credentials::FAILURES);
    tile("credentials issued", issued, format!("of {} roles", roles(report)));
    tile("requests for them failed", failed, share(failed, issued + failed));
    let peak = peak.map_or(String::new(), |peak| format!("at most {peak:.0}"));
    tile("leases out at the end", sum(report, &leases::LEASES), peak);
    tile("leases ended", sum(report, &leases::REVOCATIONS), String::new());
    let attempts = sum(report, &credentials::REVOCATION_FAILURES);
    tile("attempts to revoke failed", attempts, format!("{} leases stuck", sum(report, &leases::STUCK)));
    tile("anomalies that page", of(Severity::Page) as u64, format!("{} notices", of(Severity::Notice)));
    tile("privileged operations", sum(report, &credentials::PRIVILEGED), String::new());
    out.push_str("</div>\n");
}

fn charts(course: &Course, out: &mut String) {
    out.push_str("<div class=\"charts\">");
    let all: [(&str, &str, Shape, &Metric); 6] = [
        ("Credentials issued, by role", "credentials", Shape::Stacked, &credentials::ISSUED),
        ("Leases out, by role", "leases", Shape::Lines, &leases::LEASES),
        (
            "Requests for credentials that failed, by reason",
            "requests",
            Shape::Stacked,
            &credentials::FAILURES,
        ),
        ("Leases ended, by cause", "leases", Shape::Stacked, &leases::REVOCATIONS),
        (
            "Failed attempts to revoke, by reason",
            "attempts",
            Shape::Stacked,
            &credentials::REVOCATION_FAILURES,
        ),
        ("Requests denied, by mount", "requests", Shape::Stacked, &credentials::DENIED),
    ];
    for (title, unit, shape, metric) in all {
        let lines: Vec<Line> = match shape {
            Shape::Stacked => course.rises(metric, COLOURS),
            Shape::Lines => course.levels(metric, COLOURS),
        };
        Chart { title, unit, shape, lines }.draw(course, out);
    }
    out.push_str("</div>\n");
}

fn episodes(report: &Report, out: &mut String) {
    if let Some(backtest) = &report.backtest {
        let _ = write!(out, "<h2>Backtest</h2><p>{}</p>", Text(&backtest.sentence()));
    }
    let of_backtest = report.backtest.iter().flat_map(|backtest| &backtest.list);
    let mut all = ranked(report.episodes.iter().chain(of_backtest));
    // What stands in both lists is side by side then.
    all.dedup_by_key(|episode| episode.id);
    if all.is_empty() {
        return;
    }
    out.push_str("<h2>Anomalies, the rarest first</h2>\n");
    for one in all {
        episode::draw(one, out);
    }
}

fn table(figures: &Figures, out: &mut String) {
    let _ = write!(out, "<h2>{}</h2><div class=\"scroll\"><table><thead><tr>", Text(figures.title));
    let columns = figures.headings.len();
    let class = |column: usize| {
        let is_text = column < figures.text || figures.notes && column + 1 == columns;
        let is_moment =
            ["at", "from", "since", "first", "until"].contains(&figures.headings[column].as_str());
        match (is_text, is_moment) {
            (_, true) => " class=\"at\"",
            (true, _) => "",
            _ => " class=\"num\"",
        }
    };
    for (column, heading) in figures.headings.iter().enumerate() {
        let _ = write!(out, "<th{}>{}</th>", class(column), Text(heading));
    }
    out.push_str("</tr></thead><tbody>");
    for row in &figures.rows {
        out.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(out, "<td{}>{}</td>", class(column), Text(cell));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>\n");
    if let Some(more) = &figures.more {
        let _ = writeln!(out, "<div class=\"dim\">{}</div>", Text(more));
    }
}

fn sources(report: &Report, out: &mut String) {
    out.push_str(
        "<h2>Logs</h2><div class=\"scroll\"><table><thead><tr><th>Log</th><th class=\"num\">Lines</th>\
         <th class=\"num\">Size</th><th class=\"num\">Late</th><th>Last entry</th><th>Not read</th></tr></thead><tbody>",
    );
    for (name, stats) in &report.sources {
        let unreadable: Vec<_> = stats.unreadable.iter().map(|(why, n)| format!("{why} {n}")).collect();
        let last = stats.last_entry.map_or("none".to_owned(), |at| at.to_string());
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td class=\"num\">{}</td><td class=\"num\">{}</td>\
             <td class=\"num\">{}</td><td>{last}</td><td class=\"bad\">{}</td></tr>",
            Text(name),
            Grouped(stats.lines),
            Bytes(stats.bytes),
            Grouped(stats.late),
            Text(&unreadable.join(", "))
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn series<'r>(
    report: &'r Report,
    metric: &'static Metric,
) -> impl Iterator<Item = &'r crate::snapshot::Series> {
    let family = report.snapshot.families.iter().find(move |family| family.metric == metric);
    family.into_iter().flat_map(|family| &family.series)
}

#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "gauges that count things")]
fn sum(report: &Report, metric: &'static Metric) -> u64 {
    let number = |value: &Value| match value {
        Value::Count(count) => *count,
        Value::Number(number) => number.max(0.0) as u64,
        Value::Histogram(_) => 0,
    };
    series(report, metric).map(|series| number(&series.value)).sum()
}

fn roles(report: &Report) -> usize {
    series(report, &credentials::ISSUED).filter(|series| series.value != Value::Count(0)).count()
}

fn share(part: u64, of: u64) -> String {
    if of == 0 {
        return String::new();
    }
    format!("{:.1} % of all", part as f64 * 100.0 / of as f64)
}
