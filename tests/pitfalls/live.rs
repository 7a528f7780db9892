//! The running program: the same episodes after it was killed, one line in its own log, nobody else may ask for
//! names, and what a person vouches for.

use crate::story::{Client, DATABASE, DAY, HOUR, MINUTE, Story};
use crate::support::leasewatch::run;
use crate::support::{Leasewatch, eventually};
use crate::told::{Episode, Told, list, must_not_page, must_page};
use crate::town::{Town, service_role};
use leasewatch::anomaly::Which;
use leasewatch::config::LogKind;
use leasewatch::event::{Fact, Observation, Timestamp};
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress};
use leasewatch::source::{LineSource, Position, Status, Step};
use leasewatch::state::Limits;
use serde_json::Value as Json;
use std::io::{BufRead as _, Cursor, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// A story with something of everything, and its last second.
fn eventful(mut story: Story) -> (Story, Town) {
    let town = Town::lives(&mut story, 16);
    let noon = 15 * DAY + 12 * HOUR;
    for n in 0..60 {
        story.issue(noon + n * 4, &town.services[2], &service_role(&town.services[2]));
        story.denied(noon + HOUR + n * 9, &town.services[1], DATABASE, &format!("creds/hidden-{n}"));
    }
    for n in 0..8 {
        story.issue(noon + 2 * HOUR + n * 50, &town.people[3].at("203.0.113.77"), &format!("role-{n}"));
    }
    (story, town)
}

fn serve(dir: &Path, more: &[&str]) -> Leasewatch {
    let (log, state) = (dir.join("audit.log"), dir.join("state"));
    let arguments = ["--audit-log", log.to_str().unwrap(), "--state-dir", state.to_str().unwrap()];
    Leasewatch::start(arguments.iter().chain(more).copied(), &[])
}

/// The episodes that it shows once it has read that many lines.
fn episodes(leasewatch: &Leasewatch, lines: usize) -> Vec<Episode> {
    leasewatch.metrics_when("the log is read", |page| {
        let read = page.sum("leasewatch_log_lines_total", &[]);
        let waits = page.sum("leasewatch_catching_up", &[]);
        // Beside the logs it may read notes of its own.
        if read >= lines as f64 && waits < 0.5 { Ok(()) } else { Err(format!("{read} of {lines} lines")) }
    });
    eventually("/api/episodes answers", Duration::from_secs(300), || {
        let reply = leasewatch.get("/api/episodes?min_score=0").map_err(|why| why.to_string())?;
        let told: Json = reply.json();
        let told =
            told["episodes"].as_array().ok_or_else(|| format!("HTTP {}: {}", reply.status, reply.text()))?;
        Ok(told.iter().cloned().map(Episode).collect())
    })
}

/// An episode without what goes on as the clock does.
fn settled(episode: &Episode) -> Json {
    let mut told = episode.0.clone();
    told.as_object_mut().unwrap().remove("closed_at");
    told
}

#[test]
fn killed_and_replayed_it_finds_the_same() {
    let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
    let (story, _) = eventful(Story::new(71));
    story.write(&dir.path().join("audit.log"));
    let mut leasewatch = serve(dir.path(), &["--checkpoint.interval", "1s"]);
    for pause in [400, 1_300, 100, 1_100, 700] {
        std::thread::sleep(Duration::from_millis(pause));
        leasewatch.kill9();
        leasewatch.restart();
    }
    let live = episodes(&leasewatch, story.len());
    drop(leasewatch);
    let now = jiff::Timestamp::now().to_string();
    let offline = Told::of_file(&dir.path().join("audit.log"), &["--at", &now]);
    let pages = offline.pages();
    assert!(pages.len() >= 3, "{}", list(&pages));
    let mut both =
        [offline.episodes.iter().map(settled).collect::<Vec<_>>(), live.iter().map(settled).collect()];
    for told in &mut both {
        told.sort_by_key(|episode| episode["id"].to_string());
    }
    let [offline, live] = both;
    let ids = |told: &[Json]| told.iter().map(|e| e["id"].to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&offline), ids(&live));
    for (offline, live) in offline.iter().zip(&live) {
        assert_eq!(offline, live);
    }
}

#[test]
fn its_own_log_has_a_line_for_each_page_and_names_nobody() {
    let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
    // Of today: what is older is history, and the log of a first start is not filled with it.
    let begin = (jiff::Timestamp::now().as_second() / HOUR - 16 * 24 - 1) * HOUR;
    let (story, town) = eventful(Story::beginning(72, begin));
    story.write(&dir.path().join("audit.log"));
    let leasewatch = serve(dir.path(), &["--log.format", "json"]);
    let told = episodes(&leasewatch, story.len());
    let pages: Vec<_> = told.iter().filter(|e| e.severity() == "page").collect();
    must_page("the story", &pages);
    let output = leasewatch.output();
    for page in &pages {
        let id = page.0["id"].as_str().unwrap();
        let lines: Vec<_> = output.lines().filter(|line| line.contains(id)).collect();
        assert!(!lines.is_empty(), "nothing about {}:\n{output}", list(&[page]));
        assert!(
            lines.iter().filter(|line| line.contains("\"WARN\"")).count() == 1,
            "once a severity: {lines:#?}"
        );
        for line in &lines {
            assert!(serde_json::from_str::<Json>(line).is_ok(), "{line}");
        }
    }
    for client in town.people.iter().chain(&town.services) {
        for word in [&client.entity, &client.display_name, &client.address] {
            assert!(!output.contains(word.as_str()), "{word} is in its log:\n{output}");
        }
    }
    for word in ["203.0.113", "hidden-", "-0000-4000-8000-"] {
        assert!(!output.contains(word), "{word} is in its log:\n{output}");
    }
}

/// The status of a request for the episodes by that name of the server.
fn status_by(leasewatch: &Leasewatch, host: &str) -> u16 {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", leasewatch.port())).unwrap();
    write!(stream, "GET /api/episodes HTTP/1.0\r\nhost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn only_this_machine_may_ask_for_names() {
    let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
    let mut story = Story::new(73);
    Town::of(&mut story, 2, 0, 1);
    story.write(&dir.path().join("audit.log"));
    let leasewatch = serve(dir.path(), &[]);
    episodes(&leasewatch, story.len());
    assert_eq!(status_by(&leasewatch, &format!("127.0.0.1:{}", leasewatch.port())), 200);
    assert_eq!(status_by(&leasewatch, &format!("localhost:{}", leasewatch.port())), 200);
    // A page of a stranger's that a browser on this machine opened, by a name that leads here.
    for host in ["evil.example", "leasewatch.corp.example:9748", "127.0.0.1.evil.example", ""] {
        let status = status_by(&leasewatch, host);
        assert!((400..500).contains(&status), "HTTP {status} to {host:?}");
    }
    let scraped = leasewatch.get("/metrics").unwrap();
    assert_eq!(scraped.status, 200, "metrics name nobody and stay open");
}

/// The same unusual work every Wednesday evening.
fn every_wednesday(story: &mut Story, client: &Client, weeks: std::ops::Range<i64>) {
    for week in weeks {
        for n in 0..30 {
            story.issue((week * 7 + 2) * DAY + 20 * HOUR + n * 15, client, &service_role(client));
        }
    }
}

/// What the logs say, with a note among the observations, applied in the order of time.
fn with_note(story: &Story, note: &Observation) -> Vec<leasewatch::anomaly::Episode> {
    let lines = |text: String| Box::new(Text(Cursor::new(text.into_bytes())));
    let note = format!("{}\n", leasewatch::observed::encode(note).trim_end());
    let inputs = vec![
        Input::new("audit", Lines::Log(LogKind::Audit), lines(story.text())),
        Input::new("observations", Lines::Observations, lines(note)),
    ];
    let mut pipeline = Pipeline::new(Limits::default(), inputs);
    let end = Timestamp::from_nanos(i64::MAX);
    while pipeline.run(Instant::now(), Timestamp::MIN, end, 10_000) != Progress::Done {}
    pipeline.state().anomalies().episodes().list(Which { min_score: Some(0.0), ..Which::default() })
}

struct Text(Cursor<Vec<u8>>);

impl LineSource for Text {
    fn next(&mut self, _: Instant, line: &mut Vec<u8>) -> Step {
        line.clear();
        if self.0.read_until(b'\n', line).unwrap() == 0 {
            return Step::End;
        }
        line.pop();
        Step::Line
    }
    fn position(&self) -> Position {
        Position::default()
    }
    fn next_position(&self) -> Position {
        Position::default()
    }
    fn status(&self) -> Status {
        Status::default()
    }
}

#[test]
fn what_a_person_vouches_for_is_learnt() {
    let mut story = Story::new(74);
    let town = Town::lives(&mut story, 32);
    let client = &town.services[2];
    every_wednesday(&mut story, client, 3..5);
    let first = (3 * 7 + 2) * DAY + 20 * HOUR;
    let second = first + 7 * DAY;
    let unaware = Told::of(&story, &[]);
    let of = |since, until| {
        let about = unaware.about_since(client, since).into_iter();
        about.filter(|e| e.updated() < until).max_by(|a, b| a.score().total_cmp(&b.score()))
    };
    let page = of(first, second).filter(|e| e.severity() == "page");
    let page = page.unwrap_or_else(|| panic!("{}", list(&unaware.about(client))));
    let before = of(second, i64::MAX).unwrap_or_else(|| panic!("{}", list(&unaware.about(client))));

    let said = Fact::Acknowledged {
        episode: page.0["id"].as_str().unwrap().to_owned(),
        author: "mira".to_owned(),
        reason: "the weekly export".to_owned(),
        expires: Timestamp::parse_rfc3339("2099-01-01T00:00:00Z").unwrap(),
    };
    let at = Timestamp::parse_rfc3339(&crate::story::time(first + DAY)).unwrap();
    let aware = with_note(&story, &Observation { at, node: None, fact: said });
    let vouched = aware.iter().find(|e| Some(e.id.to_string().as_str()) == page.0["id"].as_str());
    assert!(vouched.expect("the same episode").acknowledged.is_some());
    let later = |e: &&leasewatch::anomaly::Episode| {
        // That the rate has risen for good is another story than the export itself.
        let is_export = e.components.first().is_some_and(|first| first.name.starts_with("burst"));
        is_export && e.subject.entity_id == client.entity && e.opened_at > at && e.acknowledged.is_none()
    };
    let again: Vec<_> = aware.iter().filter(later).map(|e| (e.score, &e.summary)).collect();
    assert!(again.iter().all(|(score, _)| *score < 42.0), "{again:#?}; without it {}", before.score());
}

#[test]
fn a_backlog_that_comes_late_is_no_burst() {
    let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
    // Two nodes with a log each, up to an hour ago. The shipper of the second one stood still for six hours.
    let hours = 15 * 24 + 18;
    let begin = (jiff::Timestamp::now().as_second() / HOUR - hours) * HOUR;
    let mut first = Story::beginning(75, begin);
    let mut second = Story::beginning(76, begin);
    let client = |n: i64| Client::new("approle", &format!("node-{n}"), &format!("10.90.{n}.2"));
    for hour in 0..hours - 1 {
        for n in 0..6 {
            let story = if n < 3 { &mut first } else { &mut second };
            for part in 0..3 {
                story.issue(hour * HOUR + part * 20 * MINUTE + 50, &client(n), &service_role(&client(n)));
            }
        }
    }
    let stands = (hours - 7) * HOUR;
    first.write(&dir.path().join("audit.log"));
    let late = dir.path().join("second.log");
    let in_time = second.text_of(0..stands);
    std::fs::write(&late, &in_time).unwrap();
    let leasewatch = serve(dir.path(), &["--audit-log", &format!("second={}", late.display())]);
    let before = episodes(&leasewatch, first.len() + in_time.lines().count());
    let mut file = std::fs::File::options().append(true).open(&late).unwrap();
    file.write_all(second.text_of(stands..i64::MAX).as_bytes()).unwrap();
    let after = episodes(&leasewatch, first.len() + second.len());
    let is_new = |e: &&Episode| e.severity() != "info" && !before.iter().any(|old| old.0["id"] == e.0["id"]);
    let new: Vec<_> = after.iter().filter(is_new).collect();
    assert!(new.is_empty(), "{}", list(&new));
}

#[test]
fn shadow_never_pages() {
    let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
    let (story, town) = eventful(Story::new(78));
    story.write(&dir.path().join("audit.log"));
    must_page("by default", &Told::of(&story, &[]).pages());
    let leasewatch = serve(dir.path(), &["--anomaly.mode", "shadow"]);
    let told = episodes(&leasewatch, story.len());
    must_not_page("in the shadow", &told.iter().collect::<Vec<_>>());
    let found: Vec<_> =
        told.iter().filter(|e| e.is_about(&town.services[2]) && e.severity() == "notice").collect();
    assert!(!found.is_empty(), "{}", list(&told.iter().collect::<Vec<_>>()));
}

#[test]
fn what_was_learnt_from_old_logs_serves_a_new_start() {
    let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
    let mut story = Story::new(77);
    let town = Town::lives(&mut story, 16);
    let at = 15 * DAY + 12 * HOUR;
    for n in 0..60 {
        story.issue(at + n * 4, &town.services[2], &service_role(&town.services[2]));
    }
    let (old, baseline) = (dir.path().join("old.log"), dir.path().join("baseline"));
    std::fs::write(&old, story.text_of(0..15 * DAY)).unwrap();
    let learnt = run(["analyze", "--learn", baseline.to_str().unwrap(), old.to_str().unwrap()]);
    assert!(learnt.status.success(), "{}", String::from_utf8_lossy(&learnt.stderr));
    let recent = story.text_of(15 * DAY..i64::MAX);
    std::fs::write(dir.path().join("audit.log"), &recent).unwrap();
    let page = |leasewatch: &Leasewatch| {
        let told = episodes(leasewatch, recent.lines().count());
        let found: Vec<_> =
            told.iter().filter(|e| e.is_about(&town.services[2]) && e.updated() >= at).collect();
        (found.iter().any(|e| e.severity() == "page"), list(&found))
    };
    let (pages, found) = page(&serve(dir.path(), &["--anomaly.baseline", baseline.to_str().unwrap()]));
    assert!(pages, "{found}");
    std::fs::remove_dir_all(dir.path().join("state")).unwrap();
    let (pages, found) = page(&serve(dir.path(), &[]));
    assert!(!pages, "without it, twelve hours are not enough to page: {found}");
}
