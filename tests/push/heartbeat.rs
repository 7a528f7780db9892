//! The heartbeat: there while leasewatch is well, and only then.

use super::receiver::{HEARTBEAT, Receiver, Seen};
use super::stage::{PATIENCE, Stage, when};
use super::support::eventually;
use serde_json::Value;
use std::time::Duration;

fn beats(receiver: &Receiver) -> Vec<Seen> {
    let world = receiver.world();
    world.requests.iter().filter(|seen| seen.path.starts_with("/heartbeat/")).cloned().collect()
}

fn more_beats(receiver: &Receiver) {
    let before = beats(receiver).len();
    eventually("it beats", PATIENCE, || {
        if beats(receiver).len() > before + 1 { Ok(()) } else { Err("no".into()) }
    });
}

#[test]
fn it_stops_when_a_log_cannot_be_read_and_when_leasewatch_does() {
    let (stage, receiver) = (Stage::new(), Receiver::start());
    let mut serving = stage.serve_to(&receiver, &[], &[]);
    more_beats(&receiver);
    let last = beats(&receiver).pop().unwrap();
    assert_eq!(last.method, "POST");
    let body: Value = serde_json::from_slice(&last.body).unwrap();
    assert_eq!((body["status"].as_str(), body["sources"].as_u64()), (Some("well"), Some(2)));
    // The default criteria of such a monitor look for this word.
    assert!(!String::from_utf8(last.body).unwrap().contains("error"));
    assert!(last.headers.values().all(|value| !value.contains(HEARTBEAT)));

    let aside = stage.dir.path().join("aside.gone");
    std::fs::rename(&stage.log, &aside).unwrap();
    std::fs::create_dir(&stage.log).unwrap();
    when(&serving, "the log is gone", |page| {
        page.sum("leasewatch_log_source_readable", &[("source", "audit")]) == 0.0
    });
    std::thread::sleep(Duration::from_millis(1_500));
    let count = beats(&receiver).len();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(beats(&receiver).len(), count, "it beats although a log cannot be read");
    let page = serving.get("/").unwrap().text();
    assert!(page.contains("no heartbeat is sent: the log audit is in trouble"), "{page}");
    assert!(!page.contains(HEARTBEAT) && !serving.output().contains(HEARTBEAT));

    std::fs::remove_dir(&stage.log).unwrap();
    std::fs::rename(&aside, &stage.log).unwrap();
    more_beats(&receiver);
    serving.kill9();
    let count = beats(&receiver).len();
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(beats(&receiver).len() <= count + 1);
    receiver.was_treated_well();
}
