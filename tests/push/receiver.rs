//! A receiver of ours that takes what `OneUptime` takes and refuses what it refuses: paths, verbs, headers,
//! keys, content types and sizes. It can be away, slow to like something, or swallow an answer.

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

pub const TOKEN: &str = "ingestion-key-7f3a";
pub const HEARTBEAT: &str = "heartbeat-key-91c2";
pub const API_KEY: &str = "0b7e2f64-api-key";
pub const PROJECT: &str = "project-1";
pub const SEVERITY: &str = "severity-1";
pub const RESOLVED: &str = "state-resolved";
/// nginx takes no more on `/otlp` unless told.
const OTLP_MOST: usize = 1 << 20;
/// And this on `/security-events`.
const EVENTS_MOST: usize = 4 << 20;

/// What to do with the next request to a path, in the place of what is right.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    /// Answer so, and how long to be left alone; nothing is taken.
    Status(u16, Option<u64>),
    /// Take it, and close the connection without an answer.
    Swallow,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub status: u16,
}

/// A data point.
#[derive(Clone, Debug)]
pub struct Point {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// `gauge`, `sum` or `histogram`.
    pub kind: &'static str,
    pub start: i64,
    pub time: i64,
    pub value: f64,
    pub received: Instant,
}

#[derive(Default)]
pub struct World {
    pub requests: Vec<Seen>,
    pub points: Vec<Point>,
    /// Resource attributes of the last push.
    pub resource: BTreeMap<String, String>,
    /// Every event as it came, doubles too.
    pub events: Vec<Value>,
    pub incidents: Vec<Value>,
    /// What a lawful client never does.
    pub unlawful: Vec<String>,
    /// Moods by the beginning of a path; one is used up by each request.
    pub moods: Vec<(&'static str, VecDeque<Mood>)>,
    /// For as long as it is away, everything is answered so.
    pub away: Option<u16>,
    /// Everything from here on is kept waiting.
    pub hangs: bool,
    /// So many creations of incidents are done and not answered.
    pub swallow_creates: usize,
    /// Bytes of a request, uncompressed, beyond which it is too large.
    pub most: Option<usize>,
}

#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    world: Arc<Mutex<World>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self { port: listener.local_addr().unwrap().port(), world: Arc::default() };
        let own = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                std::thread::spawn(move || own.converse(stream));
            }
        });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The next requests to paths that begin so meet these moods.
    pub fn mood(&self, path: &'static str, moods: &[Mood]) {
        self.world().moods.push((path, moods.iter().copied().collect()));
    }

    /// Nothing unlawful has come.
    pub fn was_treated_well(&self) {
        let world = self.world();
        assert!(world.unlawful.is_empty(), "{:#?}", world.unlawful);
        for seen in &world.requests {
            for (name, value) in &seen.headers {
                let is_right = match value.as_str() {
                    TOKEN => name == "x-oneuptime-token",
                    API_KEY => name == "apikey",
                    HEARTBEAT => false,
                    _ => true,
                };
                assert!(is_right, "a key in the header {name} of {}", seen.path);
            }
        }
    }

    /// The sum of the deltas of a counter.
    pub fn sum(&self, name: &str, attributes: &[(&str, &str)]) -> f64 {
        let world = self.world();
        let is_it = |point: &&Point| point.kind != "gauge" && is_of(point, name, attributes);
        world.points.iter().filter(is_it).map(|point| point.value).sum()
    }

    /// The last value of a gauge.
    pub fn last(&self, name: &str, attributes: &[(&str, &str)]) -> Option<f64> {
        let world = self.world();
        let is_it = |point: &&Point| point.kind == "gauge" && is_of(point, name, attributes);
        world.points.iter().rev().find(is_it).map(|point| point.value)
    }

    fn converse(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        while let Some(seen) = read(&mut reader) {
            if self.world().hangs {
                // Until the other side goes away.
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            let (status, after, body, is_swallowed) = self.answer(seen);
            if is_swallowed {
                return;
            }
            let after = after.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
            let head = format!(
                "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n{after}content-length: {}\r\n\r\n",
                body.len()
            );
            if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body.as_bytes())).is_err() {
                return;
            }
        }
    }

    fn answer(&self, mut seen: Seen) -> (u16, Option<u64>, String, bool) {
        let mut world = self.world();
        let mut mood = world.away.map(|status| Mood::Status(status, None));
        if mood.is_none() {
            let of_path =
                |(path, moods): &&mut (&str, VecDeque<_>)| seen.path.starts_with(*path) && !moods.is_empty();
            mood = world.moods.iter_mut().find(of_path).and_then(|(_, moods)| moods.pop_front());
        }
        if seen.path == "/api/incident" && world.swallow_creates > 0 {
            world.swallow_creates -= 1;
            mood = Some(Mood::Swallow);
        }
        let (status, after, body) = if let Some(Mood::Status(status, after)) = mood {
            (status, after, String::new())
        } else {
            let (status, body) = world.take(&seen);
            (status, None, body)
        };
        seen.status = status;
        world.requests.push(seen);
        (status, after, body, matches!(mood, Some(Mood::Swallow)))
    }
}

fn is_of(point: &Point, name: &str, attributes: &[(&str, &str)]) -> bool {
    point.name == name
        && attributes.iter().all(|(key, value)| point.attributes.get(*key).is_some_and(|own| own == value))
}

impl World {
    /// What is right.
    fn take(&mut self, seen: &Seen) -> (u16, String) {
        let header = |name: &str| seen.headers.get(name).map(String::as_str);
        let is_known = header("x-oneuptime-token") == Some(TOKEN);
        let path = seen.path.split('?').next().unwrap();
        let nothing = |status| (status, String::new());
        match (seen.method.as_str(), path) {
            ("GET", "/otlp/v1/validate") if is_known => {
                (200, json!({"tokenProvided": true, "valid": true, "projectId": "p"}).to_string())
            }
            ("GET", "/otlp/v1/validate") => (401, json!({"valid": false}).to_string()),
            ("POST", "/otlp/v1/metrics" | "/collector/v1/metrics") => {
                if path.starts_with("/otlp") && !is_known {
                    return nothing(401);
                }
                if seen.body.len() > OTLP_MOST {
                    self.unlawful.push(format!("{} bytes on /otlp", seen.body.len()));
                    return nothing(413);
                }
                if header("content-type") != Some("application/json") {
                    self.unlawful.push(format!("content-type {:?}", header("content-type")));
                }
                let mut text = Vec::new();
                match header("content-encoding") {
                    Some("gzip") => _ = GzDecoder::new(seen.body.as_slice()).read_to_end(&mut text).unwrap(),
                    None => text.clone_from(&seen.body),
                    other => self.unlawful.push(format!("content-encoding {other:?}")),
                }
                if text.len() > OTLP_MOST {
                    self.unlawful.push(format!("{} bytes on /otlp, uncompressed", text.len()));
                }
                if self.most.is_some_and(|most| text.len() > most) {
                    return nothing(413);
                }
                let document: Value = serde_json::from_slice(&text).unwrap();
                self.points(&document);
                nothing(200)
            }
            ("POST", "/security-events/v1/ingest") => self.ingest(seen, is_known),
            ("GET" | "POST" | "HEAD", path) if path.starts_with("/heartbeat/") => {
                // Whatever the key is, the answer is the same.
                if path != format!("/heartbeat/{HEARTBEAT}") {
                    self.unlawful.push(format!("a heartbeat to {path}"));
                }
                if header("content-encoding").is_some() || header("content-type") != Some("application/json")
                {
                    self.unlawful.push("a heartbeat that is not plain JSON".to_owned());
                }
                serde_json::from_slice::<Value>(&seen.body).unwrap();
                nothing(200)
            }
            (method, path) if path.starts_with("/api/") => {
                if header("apikey") != Some(API_KEY) || header("projectid") != Some(PROJECT) {
                    return nothing(401);
                }
                self.rest(method, &path["/api".len()..], &seen.body)
            }
            _ => {
                self.unlawful.push(format!("{} {}", seen.method, seen.path));
                nothing(404)
            }
        }
    }

    fn ingest(&mut self, seen: &Seen, is_known: bool) -> (u16, String) {
        if !is_known {
            return (401, String::new());
        }
        if seen.headers.get("content-type").map(String::as_str) != Some("application/json")
            || seen.headers.contains_key("content-encoding")
        {
            self.unlawful.push("security events that are not plain JSON".to_owned());
        }
        if seen.body.len() > EVENTS_MOST {
            return (413, String::new());
        }
        if self.most.is_some_and(|most| seen.body.len() > most) {
            return (413, String::new());
        }
        let document: Value = serde_json::from_slice(&seen.body).unwrap();
        let events = document["events"].as_array().cloned().unwrap_or_default();
        if events.is_empty() {
            return (400, String::new());
        }
        for event in &events {
            let is_whole = event["class_uid"].is_u64()
                && (0..=6).contains(&event["severity_id"].as_i64().unwrap_or(-1))
                && event["time"].as_i64().is_some_and(|millis| (1e11..1e14).contains(&(millis as f64)))
                && event["metadata"]["uid"].as_str().is_some_and(|uid| !uid.is_empty())
                && event["message"].is_string();
            if !is_whole {
                self.unlawful.push(format!("an event that is not whole: {event}"));
            }
        }
        self.events.extend(events);
        (200, String::new())
    }

    fn rest(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let list = |found: Vec<Value>| (200, json!({"count": found.len(), "data": found}).to_string());
        match (method, path) {
            ("POST", "/incident-state/get-list") if body["query"] == json!({"isResolvedState": true}) => {
                list(vec![json!({"_id": RESOLVED})])
            }
            ("POST", "/incident/get-list") => {
                let title = &body["query"]["title"];
                assert!(title.is_string(), "{body}");
                list(self.incidents.iter().filter(|incident| incident["title"] == *title).cloned().collect())
            }
            ("POST", "/incident") => {
                let mut incident = body["data"].clone();
                if incident["incidentSeverityId"] != SEVERITY || !incident["title"].is_string() {
                    return (400, String::new());
                }
                incident["_id"] = json!(format!("incident-{}", self.incidents.len()));
                incident["currentIncidentStateId"] = json!("state-created");
                self.incidents.push(incident.clone());
                (200, incident.to_string())
            }
            ("PUT", path) => {
                let id = path.strip_prefix("/incident/").unwrap();
                let Some(incident) = self.incidents.iter_mut().find(|incident| incident["_id"] == id) else {
                    return (400, String::new());
                };
                for (field, value) in body["data"].as_object().unwrap() {
                    incident[field] = value.clone();
                }
                (200, "{}".to_owned())
            }
            _ => {
                self.unlawful.push(format!("{method} /api{path}"));
                (404, String::new())
            }
        }
    }

    fn points(&mut self, document: &Value) {
        let received = Instant::now();
        for resource in document["resourceMetrics"].as_array().unwrap() {
            self.resource = attributes(&resource["resource"]["attributes"]);
            for metric in resource["scopeMetrics"].as_array().unwrap().iter().flat_map(|scope| {
                assert_eq!(scope["scope"]["name"], "leasewatch");
                scope["metrics"].as_array().unwrap()
            }) {
                let name = metric["name"].as_str().unwrap();
                let kinds =
                    ["gauge", "sum", "histogram"].into_iter().filter(|kind| metric.get(kind).is_some());
                let [kind] = kinds.collect::<Vec<_>>()[..] else { panic!("{metric}") };
                let data = &metric[kind];
                if kind != "gauge" && data["aggregationTemporality"] != 1 {
                    self.unlawful.push(format!("{name} is not a delta"));
                }
                if kind == "sum" && data["isMonotonic"] != true {
                    self.unlawful.push(format!("{name} is not monotonic"));
                }
                for point in data["dataPoints"].as_array().unwrap() {
                    let number =
                        |field: &str| point[field].as_str().and_then(|text| text.parse::<i64>().ok());
                    let value = match kind {
                        "histogram" => {
                            let buckets = point["bucketCounts"].as_array().unwrap();
                            assert_eq!(buckets.len(), point["explicitBounds"].as_array().unwrap().len() + 1);
                            let counts =
                                buckets.iter().map(|count| count.as_str().unwrap().parse::<i64>().unwrap());
                            assert_eq!(counts.sum::<i64>(), number("count").unwrap());
                            number("count").unwrap() as f64
                        }
                        _ => point["asDouble"].as_f64().unwrap_or_else(|| number("asInt").unwrap() as f64),
                    };
                    let time = number("timeUnixNano").unwrap();
                    let start = if kind == "gauge" { time } else { number("startTimeUnixNano").unwrap() };
                    if start > time || time <= 0 {
                        self.unlawful.push(format!("{name} is from {start} to {time}"));
                    }
                    let attributes = attributes(&point["attributes"]);
                    self.points.push(Point {
                        name: name.to_owned(),
                        attributes,
                        kind,
                        start,
                        time,
                        value,
                        received,
                    });
                }
            }
        }
    }
}

fn attributes(list: &Value) -> BTreeMap<String, String> {
    let pair = |item: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&item["key"]), text(&item["value"]["stringValue"]))
    };
    list.as_array().unwrap().iter().map(pair).collect()
}

fn read(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(Some(0), |length| length.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { at: Instant::now(), method, path, headers, body, status: 0 })
}
