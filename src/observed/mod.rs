//! Observations: one line of the exporter's own file to one event. Pure; the
//! file itself is written by `spool`.

use crate::event::{Event, EventKind, Observation};

/// Decodes one line. `None` where it is no observation, such as one of a newer version.
pub fn decode(line: &str) -> Option<Event> {
    let observation: Observation = serde_json::from_str(line).ok()?;
    Some(Event { at: observation.at, kind: EventKind::Observed(observation) })
}

/// Writes one line, without its end.
pub fn encode(observation: &Observation) -> String {
    // Plain maps and strings: there is nothing in it that JSON could refuse.
    serde_json::to_string(observation).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Fact, Timestamp};

    #[test]
    fn what_is_written_is_read() {
        let fact = Fact::OwnRequest { request_id: "7".to_owned() };
        let observation = Observation { at: Timestamp::from_nanos(1), node: None, fact };
        let event = decode(&encode(&observation)).unwrap();
        assert_eq!(event.kind, EventKind::Observed(observation));
        assert_eq!(decode(r#"{"at":1,"fact":"of_the_future"}"#), None);
    }
}
