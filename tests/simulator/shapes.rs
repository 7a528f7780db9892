//! Every line that the simulator writes has the form of a line that a real
//! server wrote: the same keys in the same order, the same kinds of values.

use super::shape::{Form, of};
use leasewatch::simulator::{Attacks, Log, Scenario, Size, World};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/");

/// Combinations that no recorded log happens to hold: what the simulator writes there, and the
/// line that a real log does have. Each pair differs in nothing but what is said of it.
const SAME: [(&str, &str); 4] = [
    // A policy refuses before the mount is asked, so that the operation changes nothing.
    ("operation:list", "operation:read"),
    // Nor does the mount that it was for.
    ("mount_type:approle", "mount_type:kv"),
    ("mount_type:system,mount_running", "mount_type:kv,mount_running"),
    // A second version of a setting updates what the first one created.
    ("operation:update", "operation:create"),
];

/// Whether a real log has this form, or the one that it stands for.
fn is_known(lines: &BTreeSet<String>, form: &str) -> bool {
    if lines.contains(form) {
        return true;
    }
    if form.contains("permission denied") {
        let alike = SAME[..3].iter().fold(form.to_owned(), |form, (ours, real)| form.replace(ours, real));
        return lines.contains(&alike.replace("mount_class:auth", "mount_class:secret"));
    }
    if form.contains("mount_type:kv") {
        return lines.contains(&form.replace(SAME[3].0, SAME[3].1));
    }
    // Whoever names no increment asks for the role's TTL, which can be too long as well.
    form.contains("warnings:[text]")
        && lines.contains(&form.replace("data:{lease_id:hmac}", "data:{increment:0,lease_id:hmac}"))
}

/// Whether a real log has this part of a form, or what it is put together from.
fn is_known_part(parts: &BTreeSet<String>, part: &str) -> bool {
    // Which claims of a signed token become metadata is the operator's setting.
    let with_run = part.replace("metadata {project_path", "metadata {pipeline:text,project_path");
    // A batch token that is refused: batch tokens, and refusals of other tokens, are there.
    let allowed = part.replace("{allowed:false}", "{allowed:true,granting_policies:[<policy>]}");
    let service = part
        .replace("client_token:hmac,", "client_token:hmac,accessor:hmac,")
        .replace("token_type:batch", "token_type:service");
    parts.contains(part)
        || parts.contains(&with_run)
        || (part.contains("token_type:batch") && parts.contains(&allowed) && parts.contains(&service))
}

/// What a real server wrote.
fn real() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut lines, mut parts) = (BTreeSet::new(), BTreeSet::new());
    for folder in ["openbao-2.7.2", "openbao-2.7.2-clients"] {
        for log in ["audit", "server"] {
            let file = File::open(format!("{CORPUS}{folder}/{log}.log.zst")).unwrap();
            for line in BufReader::new(zstd::Decoder::new(file).unwrap()).lines() {
                let line = line.unwrap();
                if line.starts_with('{') {
                    let form = of(&line);
                    lines.insert(form.line);
                    parts.extend(form.parts);
                }
            }
        }
    }
    (lines, parts)
}

/// Worlds with everything in them.
fn worlds() -> Vec<Scenario> {
    let plain =
        Scenario::weeks(5, 2).size(Size { haste: 3, people: 12, days_per_new_service: 3, ..Size::small() });
    let from = plain.from;
    let attacked =
        Attacks::Placed { from: from.plus_secs(7 * 86_400), to: from.plus_secs(14 * 86_400), count: 16 };
    let mut stuck = plain.clone().attacks(attacked);
    stuck.revocations_fail_from = Some(from.plus_secs(86_400));
    stuck.lively_from = Some(from.plus_secs(13 * 86_400 + 82_000));
    // The root token is used every few weeks only.
    let long = Scenario::weeks(6, 10).size(Size {
        services: 1,
        crons: 0,
        people: 1,
        pipelines: 0,
        served: 0,
        days_per_new_service: 0,
        haste: 1,
    });
    vec![stuck, long]
}

#[test]
fn every_line_has_the_form_of_a_real_one() {
    let (lines, parts) = real();
    let mut strange: BTreeMap<String, String> = BTreeMap::new();
    let (mut forms, mut line) = (BTreeSet::new(), String::new());
    for scenario in worlds() {
        let mut world = World::new(&scenario);
        while world.next_line(&mut line).is_some() {
            let Form { line: form, parts: of_line } = of(&line);
            if !is_known(&lines, &form) {
                strange.entry(form.clone()).or_insert_with(|| line.clone());
            }
            for part in of_line {
                if !is_known_part(&parts, &part) {
                    strange.entry(part).or_insert_with(|| line.clone());
                }
            }
            forms.insert(form);
        }
    }
    for (form, line) in &strange {
        println!("{form}\n    {line}\n");
    }
    assert!(strange.is_empty(), "{} forms that no real server was seen to write", strange.len());
    assert!(forms.len() > 40, "{}", forms.len());
}

#[test]
fn times_of_a_log_never_go_back() {
    let mut world = World::new(&Scenario::weeks(5, 1).size(Size::small()));
    let (mut line, mut last) = (String::new(), [leasewatch::event::Timestamp::MIN; 2]);
    while let Some((at, log)) = world.next_line(&mut line) {
        let last = &mut last[usize::from(log == Log::Server)];
        assert!(at >= *last);
        *last = at;
        let key = if log == Log::Audit { "{\"time\":\"" } else { "\"@timestamp\":\"" };
        let (_, time) = line.split_once(key).unwrap();
        let time = leasewatch::event::Timestamp::parse_rfc3339(time.split('"').next().unwrap()).unwrap();
        let cut = if log == Log::Audit { 1 } else { 1_000 };
        assert_eq!(time.as_nanos(), at.as_nanos() / cut * cut, "{line}");
    }
}
