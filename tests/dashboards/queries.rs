//! Every query of every dashboard, as Grafana would ask it, of a real Prometheus: it gives data.

use crate::model::{Dashboard, Variable, all};
use crate::repository;
use crate::support::{Prometheus, eventually};
use crate::variables::Choice;
use crate::world::World;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a query may wait for its first data: a scrape or two, and something to happen.
const LIMIT: Duration = Duration::from_secs(120);

/// Queries of one panel: dashboard, title, and the letters of the queries.
type Asked = (&'static str, &'static str, &'static str);

/// Queries for which a demo has no data, or not surely, by the reason. The recorded page has data for them.
const NOT_IN_A_DEMO: &[(&str, &[Asked])] = &[
    (
        "what is usual at an hour of the week takes a week to learn, and the test's past is shorter",
        &[
            ("anomalies", "Observed in the band of what is usual", "BC"),
            ("anomalies", "Observed, as a share of the bound, by role", "A"),
            ("anomalies", "Expected and observed, by role", "CDE"),
            ("leases", "Against a day and a week ago", "C"),
        ],
    ),
    (
        "its Vault is one node, whose token never expires",
        &[
            ("health", "Nodes", "HI"),
            ("health", "High availability", "ABC"),
            ("health", "Own token expires", "A"),
        ],
    ),
    (
        "its audit device, its storage and its database's issuing never fail, and it has no quotas",
        &[
            ("health", "Audit devices that fail", "ABC"),
            ("issuing", "Calls that failed, quotas", "ABDE"),
            ("issuing", "Roles in the time shown", "B"),
            ("overview", "Roles in trouble", "D"),
        ],
    ),
    (
        "nobody in it does such a thing",
        &[
            ("issuing", "Static credentials read", "A"),
            ("revocation", "Given up by force", "A"),
            ("security", "Root token used", "A"),
            ("security", "Grave operations", "A"),
            ("security", "Privileged, refused", "A"),
            ("security", "Tokens that Vault made", "B"),
            ("security", "Root credentials of databases", "AB"),
        ],
    ),
    (
        "its logs are files",
        &[("health", "Receivers", "ABC"), ("health", "Gaps, dropped lines and rotations", "B")],
    ),
    (
        "its roles fit the budget, and listing is off",
        &[("health", "Label sets beyond the budget", "A"), ("leases", "Not known by the ledger", "B")],
    ),
    (
        "it is chance whether somebody logs in or guesses at roles just then",
        &[("security", "Share of logins that fail", "A"), ("security", "Roles that do not exist", "A")],
    ),
    (
        "with so short a past it is chance whether anybody has changed how Vault works",
        &[
            ("security", "Configuration written", "A"),
            ("security", "As they came", "A"),
            ("security", "In the time shown, and ever", "AB"),
        ],
    ),
    (
        "with so short a past it is chance whether an attack is rare enough to be told of",
        &[
            ("anomalies", "Highest score", "A"),
            ("anomalies", "Scores, by role", "A"),
            ("anomalies", "Scores, by mount", "A"),
            ("anomalies", "Open, by what they rest on", "A"),
            ("anomalies", "In the time shown", "A"),
            ("anomalies", "Expected and observed, by role", "F"),
            ("overview", "Anomaly scores, by mount", "A"),
        ],
    ),
    ("it pushes nowhere", &[("health", "Targets", "A"), ("health", "Batches", "A")]),
    ("no rules are loaded", &[("overview", "Firing alerts", "A")]),
];

/// One question.
pub(crate) struct Query<'a> {
    pub(crate) place: String,
    pub(crate) expression: &'a str,
    instant: bool,
    variables: &'a [Variable],
    /// Whether a demo has data for it.
    in_a_demo: bool,
}

pub(crate) fn queries(boards: &[(String, String, Dashboard)]) -> Vec<Query<'_>> {
    let mut all = Vec::new();
    for (.., board) in boards {
        let variables = &board.templating.list[..];
        let name = board.uid.strip_prefix("leasewatch-").unwrap();
        for panel in &board.panels {
            for target in &panel.targets {
                let listed = |(of, title, ids): &Asked| {
                    *of == name && *title == panel.title && ids.contains(&target.ref_id)
                };
                all.push(Query {
                    place: format!("{name}, {:?}, {}", panel.title, target.ref_id),
                    expression: &target.expr,
                    instant: target.instant,
                    variables,
                    in_a_demo: !NOT_IN_A_DEMO.iter().any(|(_, all)| all.iter().any(listed)),
                });
            }
        }
    }
    all
}

impl Query<'_> {
    /// Numbers that it gives: `NaN` is none.
    fn ask(&self, prometheus: &Prometheus, choice: &Choice) -> usize {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.ask_at(prometheus, choice, now)
    }

    /// The same at another time.
    pub(crate) fn ask_at(&self, prometheus: &Prometheus, choice: &Choice, now: u64) -> usize {
        let expression = choice.fill(self.expression, self.variables);
        let (from, now) = ((now - 1_800).to_string(), now.to_string());
        let data = if self.instant {
            prometheus.api("query", &[("query", &expression), ("time", &now)])
        } else {
            let range = [("query", &expression[..]), ("start", &from), ("end", &now), ("step", "60")];
            prometheus.api("query_range", &range)
        };
        let data = data.unwrap_or_else(|why| panic!("{}: {why}\n{expression}", self.place));
        let number = |sample: &Value| sample[1].as_str().is_some_and(|text| text != "NaN");
        let of_series = |series: &Value| match series["values"].as_array() {
            Some(samples) => samples.iter().filter(|sample| number(sample)).count(),
            None => usize::from(number(&series["value"])),
        };
        data["result"].as_array().expect("series").iter().map(of_series).sum()
    }
}

fn choice(values: &[(&str, &[&str])]) -> Choice {
    let owned = |values: &[&str]| values.iter().map(ToString::to_string).collect();
    Choice(values.iter().map(|(name, values)| (name.to_string(), owned(values))).collect())
}

/// The values that a variable offers, the others being "All".
fn offered(prometheus: &Prometheus, variable: &Variable, variables: &[Variable]) -> Vec<String> {
    let asks = variable.asks().expect("a query variable");
    let inside =
        asks.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).expect("label_values");
    let (series, label) = inside.rsplit_once(", ").expect("two arguments");
    let series = Choice::default().fill(series, variables);
    let values = prometheus.api(&format!("label/{label}/values"), &[("match[]", &series)]);
    let values = values.unwrap_or_else(|why| panic!("{asks}: {why}"));
    values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_query_gives_data() {
    let boards = all();
    let queries = queries(&boards);
    for (of, title, ids) in NOT_IN_A_DEMO.iter().flat_map(|(_, all)| *all) {
        for id in ids.chars() {
            let place = format!("{of}, {title:?}, {id}");
            assert!(queries.iter().any(|query| query.place == place), "{place} is listed and is nowhere");
        }
    }
    let world = World::start();
    let prometheus = &world.prometheus;

    // What a demo alone gives; its series have no label `cluster`, and "All" matches that.
    let demo = choice(&[("cluster", &[""]), ("job", &["leasewatch"])]);
    // Waits for one after the other would add up.
    let mut empty: Vec<&Query> = queries.iter().filter(|query| query.in_a_demo).collect();
    let places = |queries: &[&Query]| queries.iter().map(|query| query.place.clone()).collect::<Vec<_>>();
    eventually("data of the demo", LIMIT, || {
        empty.retain(|query| query.ask(prometheus, &demo) == 0);
        if empty.is_empty() { Ok(()) } else { Err(format!("{:#?}", places(&empty))) }
    });
    // And the rest, with the recorded page: everything, as it is right after the import.
    let mut empty: Vec<&Query> = queries.iter().collect();
    eventually("data of everything", LIMIT, || {
        empty.retain(|query| query.ask(prometheus, &Choice::default()) == 0);
        if empty.is_empty() { Ok(()) } else { Err(format!("{:#?}", places(&empty))) }
    });
    let recorded = choice(&[("cluster", &["recorded"])]);
    for query in queries.iter().filter(|query| !query.in_a_demo) {
        assert!(query.ask(prometheus, &recorded) > 0, "{}", query.place);
    }

    // Every variable offers something, and a query with two of its values is one that is understood.
    for (file, _, board) in &boards {
        let variables = &board.templating.list;
        let mut chosen = BTreeMap::new();
        for variable in variables.iter().filter(|variable| variable.asks().is_some()) {
            let values = offered(prometheus, variable, variables);
            assert!(!values.is_empty(), "{file}: nothing to choose for ${}", variable.name);
            let several = if variable.multi { 2 } else { 1 };
            chosen.insert(variable.name.clone(), values.into_iter().take(several).collect());
        }
        let chosen = Choice(chosen);
        for panel in &board.panels {
            for target in &panel.targets {
                let expression = chosen.fill(&target.expr, variables);
                let answer = prometheus.api("query", &[("query", &expression)]);
                answer.unwrap_or_else(|why| panic!("{file}, {:?}: {why}\n{expression}", panel.title));
            }
        }
        for annotation in &board.annotations.list {
            let expression = Choice::default().fill(&annotation.expr, variables);
            let without = expression.strip_suffix(" == 1").expect("an annotation compares");
            let data = prometheus.api("query", &[("query", without)]).unwrap();
            assert!(!data["result"].as_array().unwrap().is_empty(), "{file}: {without}");
        }
    }
    every_panel_can_be_drawn(prometheus, &boards);
}

/// The pictures of the documentation are drawn from the same queries, here without a browser.
fn every_panel_can_be_drawn(prometheus: &Prometheus, boards: &[(String, String, Dashboard)]) {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<&str> = boards.iter().map(|(.., board)| &board.uid["leasewatch-".len()..]).collect();
    let mut draw = Command::new("python3");
    draw.arg(repository("scripts/pictures")).args(["--html", "--prometheus", &prometheus.url(), "--out"]);
    let output = draw.arg(dir.path()).args(&names).output().expect("python3: run scripts/setup");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (name, (file, _, board)) in names.iter().zip(boards) {
        let page = std::fs::read_to_string(dir.path().join(format!("{name}.html"))).unwrap();
        for panel in &board.panels {
            let title = panel.title.replace('\'', "&#x27;");
            assert!(page.contains(&format!("{title}</h")), "{file}: {title} is not drawn");
        }
        // Those that a demo fills by chance may be empty.
        let by_chance = NOT_IN_A_DEMO.iter().flat_map(|(_, all)| *all).filter(|(of, ..)| of == name).count();
        let empty = page.matches("No data").count();
        assert!(page.contains("<svg") && empty <= by_chance, "{file}: {empty} panels are empty");
    }
}

#[test]
fn a_choice_narrows_down_what_is_shown() {
    let boards = all();
    let (.., board) = boards.iter().find(|(.., board)| board.uid == "leasewatch-leases").unwrap();
    let all_of =
        |name: &str| Choice::default().fill(&format!("{{{name}=~\"${name}\"}}"), &board.templating.list);
    assert_eq!(all_of("mount"), "{mount=~\".*\"}");
    let two = choice(&[("role", &["(unknown)", "app.v2"])]);
    let filled = two.fill("x{role=~\"$role\"}", &board.templating.list);
    assert_eq!(filled, r#"x{role=~"(\\(unknown\\)|app\\.v2)"}"#);
}
