//! News of episodes, told in the program's own log: one line when one opens at a notice or a page, when
//! it rises to one, and when it is over. They name nobody; `leasewatch episodes show ID` does.

use crate::anomaly::episodes::Change;
use crate::anomaly::{News, Severity};
use crate::event::Timestamp;

/// What is older than this by the clock is history: the first start reads weeks of logs.
const HISTORY_SECS: i64 = 86_400;

/// It is older than that.
pub(super) fn is_history(at: Timestamp, now: Timestamp) -> bool {
    now.nanos_since(at) > HISTORY_SECS * 1_000_000_000
}

/// Tells it. True if any of it was new to whoever reads the log.
pub(super) fn tell(news: Vec<News>, now: Timestamp) -> bool {
    let mut told = false;
    for item in news {
        if is_history(item.at, now) {
            continue;
        }
        told = true;
        line(&item);
    }
    told
}

fn line(item: &News) {
    let [namespace, mount, role] = item.about.clone().unwrap_or_default();
    let namespace = if namespace.is_empty() && !mount.is_empty() { "root".to_owned() } else { namespace };
    let (episode, severity, components) = (item.episode, item.severity.name(), item.components.join(","));
    let score = format!("{:.0}", item.score);
    // One line of the same fields for each, so that what reads it needs one rule.
    macro_rules! say {
        ($level:ident, $text:literal) => {
            tracing::$level!(
                %episode, severity, score, components, vault_namespace = namespace, mount, role, at = %item.at, $text
            )
        };
    }
    match (item.what, item.severity) {
        (Change::Closed, _) => say!(info, "An anomaly is over"),
        (Change::Opened, Severity::Page) => {
            say!(
                warn,
                "An anomaly that is rarer than the alarm budget: look at it by `leasewatch episodes show`"
            );
        }
        (Change::Rose, Severity::Page) => {
            say!(
                warn,
                "An anomaly has become rarer than the alarm budget: look at it by `leasewatch episodes show`"
            );
        }
        (Change::Opened, _) => say!(info, "An anomaly: `leasewatch episodes show` says more"),
        (Change::Rose, _) => say!(info, "An anomaly has become rarer: `leasewatch episodes show` says more"),
    }
}
