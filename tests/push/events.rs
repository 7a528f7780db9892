//! Security events: every episode and privileged operation at least once, by an ID that stays, without names.

use super::receiver::{Mood, Receiver};
use super::stage::{PATIENCE, Stage};
use super::support::eventually;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What names the one who acted, as the log has it.
const NAMES: [&str; 5] =
    ["mallory", "203.0.113.77", "7d1e0b5c-1111", "aaaa-bbbb-cccc-121212121212", "25fd8f6873d3e450"];

/// Waits until so many different events are there; by their IDs.
fn events(receiver: &Receiver, least: usize) -> BTreeMap<String, Value> {
    eventually("the events are there", PATIENCE, || {
        let world = receiver.world();
        let uid = |event: &Value| event["metadata"]["uid"].as_str().unwrap().to_owned();
        let found: BTreeMap<_, _> = world.events.iter().map(|event| (uid(event), event.clone())).collect();
        if found.len() >= least { Ok(found) } else { Err(format!("{} of {least}: {found:#?}", found.len())) }
    })
}

fn of<'a>(events: &'a BTreeMap<String, Value>, operation: &str) -> Vec<&'a Value> {
    events.values().filter(|event| event["api"]["operation"] == operation).collect()
}

#[test]
fn privileged_operations_come_through_outages_and_kills_and_name_nobody() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let mut serving = stage.serve_to(&receiver, &[], &[]);
    stage.act("update", "sys/policies/acl/payments", &["admin"]);
    let first = events(&receiver, 1);
    let event = of(&first, "policy_write")[0];
    assert_eq!((event["class_uid"].as_u64(), event["severity_id"].as_u64()), (Some(6003), Some(3)));
    assert_eq!((event["type_uid"].as_u64(), event["category_uid"].as_u64()), (Some(600_399), Some(6)));
    assert_eq!(event["message"], "A policy was written on payments");
    assert_eq!((&event["resources"][0]["name"], &event["status"]), (&"payments".into(), &"Success".into()));
    let user = event["actor"]["user"]["name"].as_str().unwrap().to_owned();
    assert!(user.starts_with("user-"), "{user}");
    assert!(event["src_endpoint"]["hostname"].as_str().unwrap().starts_with("address-"));

    // The receiver is away, the next ones wait, and leasewatch is killed with them.
    receiver.world().away = Some(502);
    stage.act("update", "sys/audit/file2", &["admin"]);
    stage.act("update", "auth/userpass/users/victim", &["admin"]);
    stage.act("read", "sys/raw/core/keyring", &["root"]);
    eventually("they wait", PATIENCE, || {
        let waiting = std::fs::read_to_string(stage.dir.path().join("state/push-events")).unwrap();
        if waiting.matches("\"event\"").count() >= 5 { Ok(()) } else { Err(waiting) }
    });
    std::thread::sleep(Duration::from_millis(1_500));
    serving.kill9();
    serving.restart();
    receiver.world().away = None;
    // An answer that is lost brings the same again, by the same ID.
    receiver.mood("/security-events", &[Mood::Swallow]);
    let all = events(&receiver, 5);
    eventually("it comes again", PATIENCE, || {
        let came = receiver.world().events.len();
        if came > all.len() { Ok(()) } else { Err(format!("{came} events")) }
    });
    let all = events(&receiver, 5);
    for (operation, class, severity) in
        [("audit_change", 6003, 4), ("auth_write", 3001, 3), ("raw_access", 6003, 4), ("root_token", 6003, 4)]
    {
        let [event] = of(&all, operation)[..] else { panic!("{operation}: {all:#?}") };
        assert_eq!(
            (event["class_uid"].as_u64(), event["severity_id"].as_u64()),
            (Some(class), Some(severity))
        );
        assert_eq!(event["actor"]["user"]["name"], *user, "one name for one client, after a restart too");
    }
    // An episode follows from the root token.
    let ids: BTreeSet<_> =
        receiver.world().events.iter().map(|event| event["metadata"]["uid"].to_string()).collect();
    assert_eq!(ids.len(), events(&receiver, ids.len()).len());
    let everything = format!(
        "{:?}",
        receiver
            .world()
            .requests
            .iter()
            .map(|seen| { String::from_utf8_lossy(&seen.body).into_owned() })
            .collect::<Vec<_>>()
    );
    let waiting = std::fs::read_to_string(stage.dir.path().join("state/push-events")).unwrap();
    for name in NAMES.into_iter().chain(["victim"]) {
        assert!(!everything.contains(name), "{name} leaves");
        assert!(!waiting.contains(name), "{name} is kept for the receiver");
    }
    receiver.was_treated_well();
}

#[test]
fn an_episode_is_told_when_it_opens_and_when_somebody_vouches_for_it() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let key = stage.dir.path().join("key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    let mut serving = stage.serve_to(&receiver, &["--push.key-file", key.to_str().unwrap()], &[]);
    stage.act("read", "secret/data/x", &["root"]);
    let finding = |events: &BTreeMap<String, Value>, end: &str| {
        let mut found = events.iter().filter(|(uid, event)| event["class_uid"] == 2004 && uid.ends_with(end));
        found.next().map(|(_, event)| event.clone())
    };
    let opened = eventually("the episode is told", PATIENCE, || {
        finding(&events(&receiver, 1), "notice-open").ok_or_else(|| "not yet".to_owned())
    });
    assert_eq!(
        (opened["type_uid"].as_u64(), opened["activity_name"].as_str()),
        (Some(200_401), Some("Create"))
    );
    assert!(opened["message"].as_str().unwrap().starts_with("Anomaly (notice, score "), "{opened}");
    assert_eq!(opened["unmapped"]["components"][0], "privileged");
    let id = opened["unmapped"]["episode"].as_str().unwrap().to_owned();
    assert_eq!(opened["finding_info"]["uid"], format!("leasewatch-{id}"));
    // HMAC-SHA-256 of the name by that key: the same on every node that has it.
    assert_eq!(opened["actor"]["user"]["name"], "user-fbdd948cb87ee37f2973");

    // Told once, over a restart too; what was taken and not noted as taken would be told again.
    eventually("all that came is noted as taken", PATIENCE, || {
        let target = ("target", "oneuptime_security_events");
        let page = serving.try_metrics()?;
        let taken = page.sum("leasewatch_push_batches_total", &[target, ("outcome", "delivered")]);
        let world = receiver.world();
        let came = world.requests.iter().filter(|seen| seen.path.contains("security-events")).count();
        if taken == came as f64 { Ok(()) } else { Err(format!("{taken} of {came} batches")) }
    });
    serving.kill9();
    serving.restart();
    std::thread::sleep(Duration::from_secs(7));
    let told = |end: &str| {
        let world = receiver.world();
        let is_it = |event: &&Value| event["metadata"]["uid"].as_str().unwrap().ends_with(end);
        world.events.iter().filter(|event| event["class_uid"] == 2004).filter(is_it).count()
    };
    assert_eq!(told("notice-open"), 1);
    stage.vouch(&id);
    let vouched = eventually("it is told", PATIENCE, || {
        finding(&events(&receiver, 1), "notice-open-acknowledged").ok_or_else(|| "not yet".to_owned())
    });
    assert_eq!((&vouched["status"], &vouched["activity_name"]), (&"Suppressed".into(), &"Update".into()));
    assert_eq!(vouched["finding_info"]["uid"], opened["finding_info"]["uid"]);
    receiver.was_treated_well();
}

#[test]
fn in_full_it_names_whom_vault_names() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let _serving = stage.serve_to(&receiver, &["--push.privacy", "full"], &[]);
    stage.act("update", "sys/policies/acl/payments", &["root"]);
    let all = events(&receiver, 3);
    let event = of(&all, "policy_write")[0];
    assert_eq!(event["actor"]["user"]["name"], "userpass-mallory");
    assert_eq!(event["actor"]["user"]["uid"], "7d1e0b5c-1111-2222-3333-444455556666");
    assert_eq!(event["src_endpoint"]["ip"], "203.0.113.77");
    assert!(event["api"]["request"]["uid"].as_str().unwrap().ends_with("aaaa-bbbb-cccc-121212121212"));
    let episode = all.values().find(|event| event["class_uid"] == 2004).unwrap();
    assert!(episode["message"].as_str().unwrap().contains("mallory"), "{episode}");
    // Never: what is secret.
    let text = format!("{all:?}");
    assert!(!text.contains("25fd8f6873d3e450") && !text.contains("hmac-sha256"), "{text}");
}

#[test]
fn what_is_too_large_is_cut_and_what_is_never_taken_holds_nothing_up() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let serving = stage.serve_to(&receiver, &[], &[("LEASEWATCH_ONEUPTIME_METRICS", "off")]);
    {
        let mut world = receiver.world();
        world.most = Some(6_000);
        world.away = Some(503);
    }
    for number in 0..40 {
        stage.act("update", &format!("sys/policies/acl/policy-{number:03}"), &["admin"]);
    }
    eventually("they wait", PATIENCE, || {
        let waiting = std::fs::read_to_string(stage.dir.path().join("state/push-events")).unwrap();
        if waiting.matches("\"event\"").count() >= 40 { Ok(()) } else { Err("not yet".into()) }
    });
    receiver.world().away = None;
    let all = events(&receiver, 40);
    assert_eq!(of(&all, "policy_write").len(), 40);
    assert!(receiver.world().requests.iter().any(|seen| seen.status == 413));
    // One event that the receiver will never take is given up, and counted; those after it come.
    receiver.mood("/security-events", &[Mood::Status(400, None)]);
    stage.act("update", "sys/policies/acl/poison", &["admin"]);
    super::stage::when(&serving, "it is given up", |page| {
        let target = ("target", "oneuptime_security_events");
        page.sum("leasewatch_push_batches_total", &[target, ("outcome", "dropped")]) == 1.0
    });
    stage.act("update", "sys/policies/acl/after", &["admin"]);
    let all = eventually("the next one comes", PATIENCE, || {
        let all = events(&receiver, 40);
        let is_after = |event: &&Value| event["resources"][0]["name"] == "after";
        if all.values().any(|event| is_after(&event)) { Ok(all) } else { Err("not yet".to_owned()) }
    });
    assert!(all.values().all(|event| event["resources"][0]["name"] != "poison"));
    receiver.was_treated_well();
}
