//! The corpus, read without any help of the program under test: its lines, and
//! what the clients of that run saw, call by call, each joined with the audit
//! entries of the same exchange.
//!
//! Every client has an address of its own and does one thing at a time, so the
//! n-th call that a client remembers is the n-th response to its address.

use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, OnceLock};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");

/// The lines of both logs.
pub struct Corpus {
    pub audit: Vec<Arc<str>>,
    pub server: Vec<Arc<str>>,
}

/// The corpus, read once.
pub fn corpus() -> &'static Corpus {
    static CORPUS: OnceLock<Corpus> = OnceLock::new();
    CORPUS.get_or_init(|| Corpus { audit: lines("audit.log"), server: lines("server.log") })
}

fn lines(name: &str) -> Vec<Arc<str>> {
    let mut text = String::new();
    let file = File::open(format!("{FOLDER}{name}.zst")).unwrap();
    zstd::Decoder::new(file).unwrap().read_to_string(&mut text).unwrap();
    text.lines().map(Arc::from).collect()
}

/// The leases that the server listed at the end, by mount and role.
pub fn listed() -> BTreeMap<Vec<String>, f64> {
    let text = std::fs::read_to_string(format!("{FOLDER}leases-listed.txt")).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (vec![fields[0].to_owned(), fields[1].to_owned()], fields[2].parse().unwrap())
    };
    text.lines().map(row).collect()
}

/// A call that a client remembers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Call {
    pub op: String,
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The lease that was issued; empty for a wrapped answer.
    pub lease: String,
    /// The lease to renew or to revoke.
    pub target: String,
    who: String,
    pub mount: String,
    pub role: String,
    /// When the client had its answer, in seconds.
    t: f64,
    /// When Vault logged the request, in nanoseconds.
    #[serde(skip)]
    pub asked: i64,
    /// When Vault logged the answer.
    #[serde(skip)]
    pub answered: i64,
    /// What names the caller's token in the log; after a login, the new one.
    #[serde(skip)]
    pub token: String,
}

#[derive(Deserialize)]
struct Entry {
    time: String,
    r#type: String,
    #[serde(default)]
    auth: Auth,
    request: Request,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    accessor: String,
    client_token: String,
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    id: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    remote_address: String,
}

/// Nanoseconds since the epoch of a time as both logs write it.
pub fn nanos(time: &str) -> i64 {
    let moment: jiff::Timestamp = time.parse().unwrap();
    i64::try_from(moment.as_nanosecond()).unwrap()
}

/// Every call, in the order of the answers.
pub fn calls() -> &'static [Call] {
    &joined().0
}

fn joined() -> &'static (Vec<Call>, Vec<i64>) {
    static CALLS: OnceLock<(Vec<Call>, Vec<i64>)> = OnceLock::new();
    CALLS.get_or_init(join)
}

fn join() -> (Vec<Call>, Vec<i64>) {
    let mut asked: HashMap<String, i64> = HashMap::new();
    let mut answers: HashMap<String, Vec<(i64, Entry)>> = HashMap::new();
    // Lines run backwards by a millisecond now and then; none counts as before its predecessor.
    let (mut floor, mut times) = (i64::MIN, Vec::new());
    for line in &corpus().audit {
        let entry: Entry = serde_json::from_str(line).unwrap();
        floor = floor.max(nanos(&entry.time));
        times.push(floor);
        if entry.r#type == "request" {
            asked.insert(entry.request.id, floor);
        } else {
            answers.entry(entry.request.remote_address.clone()).or_default().push((floor, entry));
        }
    }
    let mut remembered: HashMap<String, Vec<Call>> = HashMap::new();
    for line in lines("truth.jsonl") {
        let call: Call = serde_json::from_str(&line).unwrap();
        if !call.op.starts_with("fault") {
            remembered.entry(address(&call.who)).or_default().push(call);
        }
    }
    let mut calls = Vec::new();
    for (address, mut remembered) in remembered {
        remembered.sort_by(|a, b| a.t.total_cmp(&b.t));
        let mut answers = answers.remove(&address).unwrap().into_iter();
        // The operator's address is also that of what watched the run.
        let shared = address == "127.0.0.1";
        assert!(shared || answers.len() == remembered.len(), "{address}");
        for mut call in remembered {
            let same = |entry: &Entry| entry.request.path.trim_end_matches('/') == call.path;
            let (at, entry) = answers.find(|(_, entry)| !shared || same(entry)).unwrap();
            assert!(same(&entry), "{call:?}");
            // The client has its answer within milliseconds.
            assert!((-0.001..0.01).contains(&(call.t - at as f64 / 1e9)), "{call:?} at {at}");
            call.asked = asked.get(&entry.request.id).copied().unwrap_or(at);
            call.answered = at;
            let Auth { accessor, client_token } = entry.auth;
            call.token = if accessor.is_empty() { client_token } else { accessor };
            calls.push(call);
        }
    }
    calls.sort_by_key(|call| call.answered);
    let leases: Vec<&str> = calls.iter().map(|call| call.lease.as_str()).collect();
    let issued: Vec<&&str> = leases
        .iter()
        .zip(&calls)
        .filter(|(l, c)| !l.is_empty() && c.target.is_empty())
        .map(|(l, _)| l)
        .collect();
    assert_eq!(issued.iter().collect::<HashSet<_>>().len(), issued.len(), "a lease was issued twice");
    (calls, times)
}

fn address(who: &str) -> String {
    match who.strip_prefix("app-") {
        Some(number) => format!("127.0.1.{}", number.parse::<u8>().unwrap() + 1),
        None if who == "attacker" => "127.9.9.9".to_owned(),
        None => "127.0.0.1".to_owned(),
    }
}
