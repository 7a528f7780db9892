//! Failed attempts whose line is not finished: in the text format an error of several lines
//! stands on lines of its own, and the number of attempts behind it.

use super::SourceId;
use crate::event::{RevocationTrouble, ServerEvent, Text};
use serde::{Deserialize, Serialize};

/// By source, of which there are few: what its last line began.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Unfinished(Vec<(SourceId, Begun)>);

#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    lease: Text,
    /// The first cause that one of the lines names.
    trouble: Option<RevocationTrouble>,
}

impl Begun {
    fn ended(self, attempts: u32, next_attempt: Option<i64>) -> ServerEvent {
        let trouble = self.trouble.unwrap_or(RevocationTrouble::Other);
        ServerEvent::RevocationFailed { lease: self.lease, attempts, next_attempt, trouble }
    }
}

impl Unfinished {
    /// What a source says with its next line, all told: what it began before and never
    /// finished, and what it says now.
    pub fn take(&mut self, source: SourceId, line: ServerEvent) -> impl Iterator<Item = ServerEvent> + use<> {
        let place = self.0.iter().position(|(other, _)| *other == source);
        let begun = place.map(|place| self.0.swap_remove(place).1);
        let said = match (line, begun) {
            (ServerEvent::Continued { attempts: 0, trouble, .. }, Some(mut begun)) => {
                begun.trouble = begun.trouble.or(trouble);
                self.0.push((source, begun));
                [None, None]
            }
            (ServerEvent::Continued { attempts, next_attempt, .. }, Some(begun)) => {
                [Some(begun.ended(attempts, next_attempt)), None]
            }
            // The rest of something that says nothing to us.
            (ServerEvent::Continued { .. }, None) => [None, None],
            // A whole line may lack the number, too, but it has its cause.
            (
                ServerEvent::RevocationFailed {
                    lease,
                    attempts: 0,
                    next_attempt: None,
                    trouble: RevocationTrouble::Other,
                },
                begun,
            ) => {
                self.0.push((source, Begun { lease, trouble: None }));
                [begun.map(|begun| begun.ended(0, None)), None]
            }
            (line, begun) => [begun.map(|begun| begun.ended(0, None)), Some(line)],
        };
        said.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RevocationTrouble::{Connection, Other, Timeout};

    fn head(lease: &str) -> ServerEvent {
        failed(lease, 0, None, Other)
    }

    fn failed(
        lease: &str,
        attempts: u32,
        next_attempt: Option<i64>,
        trouble: RevocationTrouble,
    ) -> ServerEvent {
        ServerEvent::RevocationFailed { lease: lease.into(), attempts, next_attempt, trouble }
    }

    fn more(trouble: Option<RevocationTrouble>, attempts: u32, next_attempt: Option<i64>) -> ServerEvent {
        ServerEvent::Continued { trouble, attempts, next_attempt }
    }

    #[test]
    fn what_stands_on_several_lines_is_one_event() {
        let mut unfinished = Unfinished::default();
        let mut take = |source, line| unfinished.take(SourceId(source), line).collect::<Vec<_>>();
        assert!(take(1, head("a")).is_empty());
        assert!(take(2, head("b")).is_empty());
        assert!(take(1, more(Some(Connection), 0, None)).is_empty());
        assert!(take(1, more(Some(Timeout), 0, None)).is_empty());
        assert_eq!(take(1, more(None, 3, Some(7))), [failed("a", 3, Some(7), Connection)]);
        assert!(take(1, more(None, 3, Some(7))).is_empty());
        // The rest of the other was lost: what is known of it counts before what comes next.
        let next = ServerEvent::LeasesRestored;
        assert_eq!(take(2, next.clone()), [failed("b", 0, None, Other), next]);
    }

    #[test]
    fn a_whole_line_waits_for_nothing() {
        let mut unfinished = Unfinished::default();
        let numberless = failed("a", 0, None, Connection);
        assert_eq!(unfinished.take(SourceId(1), numberless.clone()).collect::<Vec<_>>(), [numberless]);
        let whole = failed("a", 1, Some(7), Timeout);
        assert_eq!(unfinished.take(SourceId(1), whole.clone()).collect::<Vec<_>>(), [whole]);
    }
}
