//! Incidents: opened, changed and resolved once, over kills, outages and lost answers.

use super::receiver::{API_KEY, Mood, PROJECT, RESOLVED, Receiver, SEVERITY};
use super::stage::{PATIENCE, Stage};
use super::support::{Leasewatch, eventually};
use serde_json::Value;
use std::time::Duration;

fn serve(stage: &Stage, receiver: &Receiver) -> Leasewatch {
    stage.serve_to(
        receiver,
        &[
            "--push.oneuptime.incidents",
            "notice",
            "--push.oneuptime.project-id",
            PROJECT,
            "--push.oneuptime.incident-severity-id",
            SEVERITY,
        ],
        &[("LEASEWATCH_ONEUPTIME_API_KEY", API_KEY), ("LEASEWATCH_ONEUPTIME_METRICS", "off")],
    )
}

fn incident(receiver: &Receiver, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(what, PATIENCE, || {
        let world = receiver.world();
        match &world.incidents[..] {
            [incident] if is_so(incident) => Ok(incident.clone()),
            incidents => Err(format!("{incidents:#?}")),
        }
    })
}

#[test]
fn an_episode_opens_one_incident_however_often_answers_are_lost_and_resolves_it() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let mut serving = serve(&stage, &receiver);
    receiver.mood("/api/incident/get-list", &[Mood::Status(503, None)]);
    stage.act("read", "secret/data/x", &["root"]);
    let opened =
        incident(&receiver, "it is opened", |incident| incident["currentIncidentStateId"] == "state-created");
    let title = opened["title"].as_str().unwrap().to_owned();
    let id = title.rsplit(' ').next().unwrap().to_owned();
    let description = opened["description"].as_str().unwrap();
    assert!(description.contains(&format!("leasewatch episodes show {id}")), "{description}");
    assert!(!description.contains("mallory"), "{description}");
    serving.kill9();
    // All that was kept is lost: it is found by its title.
    std::fs::remove_file(stage.dir.path().join("state/push-incidents")).unwrap();
    let asked = |path: &str| {
        let world = receiver.world();
        world.requests.iter().filter(|seen| seen.path.starts_with(path)).count()
    };
    let before = asked("/api/incident/get-list");
    serving.restart();
    eventually("it is looked up", PATIENCE, || {
        if asked("/api/incident/get-list") > before { Ok(()) } else { Err("not yet".to_owned()) }
    });
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(receiver.world().incidents.len(), 1);
    // Resolved once, although the first answer is lost too.
    receiver.mood("/api/incident-state", &[Mood::Status(500, None)]);
    receiver.mood("/api/incident/incident-0", &[Mood::Swallow]);
    stage.vouch(&id);
    incident(&receiver, "it is resolved", |incident| incident["currentIncidentStateId"] == RESOLVED);
    eventually("it is over", PATIENCE, || {
        let kept = std::fs::read_to_string(stage.dir.path().join("state/push-incidents")).unwrap();
        if kept.contains("\"is_over\":true") { Ok(()) } else { Err(kept) }
    });
    let changes = asked("/api/incident/incident-0");
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(asked("/api/incident/incident-0"), changes, "what is over is left alone");
    receiver.was_treated_well();
}

#[test]
fn a_create_whose_answer_is_lost_is_looked_up_before_it_is_tried_again() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let mut serving = serve(&stage, &receiver);
    receiver.world().swallow_creates = 1;
    stage.act("read", "secret/data/x", &["root"]);
    incident(&receiver, "it is created", |_| true);
    serving.kill9();
    serving.restart();
    eventually("it is known", PATIENCE, || {
        let kept = std::fs::read_to_string(stage.dir.path().join("state/push-incidents")).unwrap();
        if kept.contains("incident-0") { Ok(()) } else { Err(kept) }
    });
    assert_eq!(receiver.world().incidents.len(), 1);
    let creates = receiver.world().requests.iter().filter(|seen| seen.path == "/api/incident").count();
    assert_eq!(creates, 1);
    receiver.was_treated_well();
}
