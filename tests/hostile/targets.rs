//! Targets: every reader of bytes that are not ours, as a function of bytes. What holds for any bytes is asserted
//! here; that nothing panics or runs for ever is seen by whoever calls.

use super::support::corpus::CORPUS;
use leasewatch::anomaly::{Baseline, Settings};
use leasewatch::config::{Config, Flags, LogKind};
use leasewatch::event::{EventKind, Fact, LeaseKey, MountClass, MountFact, Observation, RoleFact, Timestamp};
use leasewatch::pipeline::{Input as Source, Lines, Pipeline, Progress, Saved};
use leasewatch::snapshot::Family;
use leasewatch::source::{Archive, Container, Input, LineSource, LogPath, Position, Step, Tail, TailOptions};
use leasewatch::state::Limits;
use leasewatch::story::Username;
use leasewatch::vault::Telemetry;
use leasewatch::{audit, observed, serverlog};
use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::time::Instant;

/// A reader, and good input for it to begin from.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) read: fn(&[u8]),
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Cases for one of the quickest target's.
    pub(crate) cost: u32,
}

pub(crate) const TARGETS: [Target; 12] = [
    Target { name: "audit", read: audit_line, seeds: audit_seeds, cost: 1 },
    Target { name: "server", read: server_line, seeds: server_seeds, cost: 1 },
    Target { name: "observed", read: observed_line, seeds: observed_seeds, cost: 1 },
    Target { name: "container", read: container, seeds: container_seeds, cost: 4 },
    Target { name: "archive", read: archive, seeds: archive_seeds, cost: 8 },
    Target { name: "tail", read: tail, seeds: tail_seeds, cost: 40 },
    Target { name: "merge", read: merge, seeds: merge_seeds, cost: 100 },
    Target { name: "checkpoint", read: checkpoint, seeds: checkpoint_seeds, cost: 100 },
    Target { name: "baseline", read: baseline, seeds: baseline_seeds, cost: 20 },
    Target { name: "config", read: config, seeds: config_seeds, cost: 8 },
    Target { name: "username", read: username, seeds: username_seeds, cost: 1 },
    Target { name: "telemetry", read: telemetry, seeds: telemetry_seeds, cost: 8 },
];

fn recorded(name: &str) -> Vec<u8> {
    zstd::decode_all(fs::File::open(format!("{CORPUS}{name}.zst")).unwrap()).unwrap()
}

/// Lines of a log, spread over all of it.
fn some_lines(name: &str, how_many: usize) -> Vec<Vec<u8>> {
    let text = recorded(name);
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    lines.iter().step_by(lines.len() / how_many).map(|line| line.to_vec()).collect()
}

fn data(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn audit_line(bytes: &[u8]) {
    let line = text(bytes);
    let _ = audit::decode(&line);
}

fn audit_seeds() -> Vec<Vec<u8>> {
    some_lines("audit.log", 200)
}

fn server_line(bytes: &[u8]) {
    let _ = serverlog::decode(&text(bytes));
}

fn server_seeds() -> Vec<Vec<u8>> {
    let mut seeds = some_lines("server.log", 100);
    for name in ["openbao-2.7.2-text-leases.txt", "openbao-2.7.2-json-node-0.txt"] {
        let text = data(&format!("server-log/{name}"));
        seeds.extend(text.split(|byte| *byte == b'\n').take(80).map(<[u8]>::to_vec));
    }
    seeds
}

fn observed_line(bytes: &[u8]) {
    let line = text(bytes);
    // What we write down we read as the same.
    if let Some(event) = observed::decode(&line)
        && let EventKind::Observed(seen) = &event.kind
    {
        let again = observed::encode(seen);
        let told = observed::decode(&again).map(|event| format!("{event:?}"));
        assert_eq!(told, Some(format!("{event:?}")), "{again}");
    }
}

fn observed_seeds() -> Vec<Vec<u8>> {
    let (lease, moment) = (LeaseKey::of("database/creds/app/1"), Timestamp::from_secs(1_795_462_855));
    let name = |text: &str| text.to_owned();
    let mount = MountFact {
        path: name("database/"),
        engine: name("database"),
        accessor: name("database_83cf36ad"),
        class: MountClass::Secret,
        default_lease_ttl: 60,
        max_lease_ttl: 2_764_800,
    };
    let role = RoleFact { name: name("app"), connection: Some(name("pg")), default_ttl: 60, max_ttl: 600 };
    let facts = [
        Fact::OwnRequest { request_id: name("67ad7c86-491c-7d04-ea93-890b28369159") },
        Fact::OwnMarker { marker: name("leasewatch-0123456789abcdef") },
        Fact::Mounts { namespace: name("team-a"), mounts: vec![mount], partial: true },
        Fact::Roles { namespace: name(""), mount: name("database/"), roles: vec![role], partial: false },
        Fact::VaultCounters {
            raw: BTreeMap::from([(name("requests"), 1e15), (name("forward_errors"), 0.5)]),
        },
        Fact::ServerGap,
        Fact::LeaseTimes { lease, issued: moment, expires: moment, renewed: Some(moment), renewable: true },
        Fact::LeaseAbsent { lease },
        Fact::Acknowledged {
            episode: name("0123456789abcdef"),
            author: name("a"),
            reason: name("r"),
            expires: moment,
        },
        Fact::Listed {
            namespace: name(""),
            prefix: name("database/creds/app/"),
            leases: vec![name("1"), name("2.abcde")],
            asked: moment,
        },
    ];
    let observation = |fact| Observation { at: moment, node: Some(name("vault-0")), fact };
    facts.map(|fact| observed::encode(&observation(fact)).into_bytes()).to_vec()
}

/// Small, so that chance finds what is at the cap.
const LINE_MOST: usize = 4096;

fn stream(bytes: &[u8], from: Option<&Position>) -> Container<Archive> {
    let input = Input::Stream("bytes".to_owned(), Box::new(Cursor::new(bytes.to_vec())));
    let archive = Archive::new(vec![input], LINE_MOST).unwrap();
    let archive = match from {
        Some(position) => archive.starting_at(position),
        None => archive,
    };
    Container::new(archive, from, LINE_MOST)
}

/// All steps of a finite source, with where each begins.
fn steps(mut source: impl LineSource) -> Vec<(Step, Vec<u8>, Position)> {
    let (mut found, mut line, now) = (Vec::new(), Vec::new(), Instant::now());
    loop {
        let step = source.next(now, &mut line);
        match step {
            Step::End | Step::Idle => return found,
            Step::Line => {
                assert!(line.len() <= LINE_MOST, "a line of {} bytes", line.len());
                found.push((step, line.clone(), source.position()));
            }
            Step::Notice(_) => found.push((step, Vec::new(), source.position())),
        }
        assert!(found.len() < 1 << 21, "it never ends");
    }
}

/// Whatever a runtime wrapped: from every place on, the rest is the same.
fn container(bytes: &[u8]) {
    let all = steps(stream(bytes, None));
    for at in [all.len() / 3, all.len() / 2, all.len().saturating_sub(1)] {
        let Some((_, _, place)) = all.get(at) else { continue };
        let rest = steps(stream(bytes, Some(place)));
        let step = |(step, line, _): &(Step, Vec<u8>, Position)| (step.clone(), line.clone());
        let expected: Vec<_> = all[at..].iter().map(step).collect();
        assert_eq!(rest.iter().map(step).collect::<Vec<_>>(), expected, "from step {at} on");
    }
}

fn container_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (at, line) in some_lines("audit.log", 30).into_iter().enumerate() {
        let time = "2026-11-23T19:40:42.758731863Z";
        let line = text(&line);
        let (front, back) = line.split_at(line.len() / 2);
        let escaped = serde_json::to_string(&format!("{line}\n")).unwrap();
        seeds.push(match at % 3 {
            0 => format!("{time} stdout P {front}\n{time} stderr F other\n{time} stdout F {back}\n")
                .into_bytes(),
            1 => format!("{{\"log\":{escaped},\"stream\":\"stdout\",\"time\":\"{time}\"}}\n").into_bytes(),
            _ => format!("{line}\n{time} stdout F {line}\n").into_bytes(),
        });
    }
    seeds
}

fn archive(bytes: &[u8]) {
    steps(stream(bytes, None));
}

fn archive_seeds() -> Vec<Vec<u8>> {
    use std::io::Write as _;
    let plain = some_lines("audit.log", 20).join(&b'\n');
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let mut bzip = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip.write_all(&plain).unwrap();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    xz.write_all(&plain).unwrap();
    let zstandard = zstd::encode_all(&plain[..], 1).unwrap();
    vec![gzip.finish().unwrap(), bzip.finish().unwrap(), xz.finish().unwrap(), zstandard, plain]
}

/// A live file and a rotated one, read from a place that a damaged checkpoint may name: the first line is the place.
fn tail(bytes: &[u8]) {
    let (place, content) = halves(bytes);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    fs::write(&path, content).unwrap();
    fs::write(folder.path().join("audit.log.1"), &content[..content.len() / 2]).unwrap();
    let options = TailOptions { max_line_bytes: LINE_MOST, ..TailOptions::default() };
    let position: Option<Position> = serde_json::from_slice(place).ok();
    let source = Tail::new(LogPath::plain(&path), options.clone(), position.clone());
    steps(Container::new(source, position.as_ref(), LINE_MOST));
}

fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

fn tail_seeds() -> Vec<Vec<u8>> {
    let content = some_lines("audit.log", 12).join(&b'\n');
    let all = steps(stream(&content, None));
    let places = all.iter().map(|(_, _, place)| serde_json::to_vec(place).unwrap());
    let remembered = r#"{"file":{"head":{"len":218,"hash":437632725854525811},"dev":65024,"ino":1647291,"path":"/var/log/vault/audit.log"},"offset":218,"before":{"len":216,"hash":128641499964259331},"at":1796092810709374916}"#;
    places.chain([remembered.into()]).map(|place| [&place[..], b"\n", &content].concat()).collect()
}

/// Later than whatever a log says.
const EVER: Timestamp = Timestamp::from_nanos(i64::MAX);

fn limits() -> Limits {
    Limits {
        label_sets: 50,
        leases: 100,
        anomaly: Settings { subjects: 50, episodes: 20, ..Settings::DEFAULT },
    }
}

fn sources(audit: &[u8], server: &[u8]) -> Vec<Source> {
    let source = |name: &str, kind, bytes| Source::new(name, Lines::Log(kind), Box::new(stream(bytes, None)));
    vec![source("server", LogKind::Server, server), source("audit", LogKind::Audit, audit)]
}

/// The numbers at the end, and those of a second that goes on from the first one's checkpoint amid it.
fn merge(bytes: &[u8]) {
    let cut = bytes.windows(4).position(|window| window == b"\n%%\n").unwrap_or(bytes.len());
    let (audit, server) = (&bytes[..cut], bytes.get(cut + 4..).unwrap_or_default());
    let whole = |steps_before: usize| -> Vec<Family> {
        let mut pipeline = Pipeline::new(limits(), sources(audit, server));
        let (now, wall) = (Instant::now(), Timestamp::from_secs(1_800_000_000));
        pipeline.run(now, wall, EVER, steps_before);
        let bytes = pipeline.save().unwrap().bytes();
        let saved = Saved::read(&bytes).unwrap();
        let mut inputs = Vec::new();
        for (name, kind, log) in [("server", LogKind::Server, server), ("audit", LogKind::Audit, audit)] {
            let from = &saved.sources[name];
            let source = stream(log, Some(&from.position));
            let input = Source::new(name, Lines::Log(kind), Box::new(source));
            inputs.push(input.resumed(from.stats.clone(), from.floor));
        }
        let mut pipeline = Pipeline::resume(saved.applied, saved.front, saved.state, limits(), inputs);
        while pipeline.run(now, wall, EVER, 10_000) == Progress::Busy {}
        pipeline.close();
        pipeline.families(pipeline.front())
    };
    let first = whole(0);
    assert_eq!(format!("{:?}", whole(7)), format!("{first:?}"), "with a restart on the way");
}

fn merge_seeds() -> Vec<Vec<u8>> {
    let (audit, server) = (recorded("audit.log"), recorded("server.log"));
    let part = |text: &[u8], from: usize, lines: usize| {
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').skip(from).take(lines).collect();
        lines.join(&b'\n')
    };
    [0, 500, 3_000, 9_000]
        .map(|from| [part(&audit, from, 25), part(&server, from / 16, 8)].join(&b"\n%%\n"[..]))
        .to_vec()
}

fn checkpoint(bytes: &[u8]) {
    let Ok(saved) = Saved::read(bytes) else { return };
    let at = saved.front;
    let mut pipeline = Pipeline::resume(saved.applied, at, saved.state, limits(), Vec::new());
    pipeline.close();
    pipeline.families(at);
    pipeline.save().unwrap().bytes();
}

fn checkpoint_seeds() -> Vec<Vec<u8>> {
    let small = |seed: &Vec<u8>| {
        let cut = seed.windows(4).position(|window| window == b"\n%%\n").unwrap();
        let mut pipeline = Pipeline::new(limits(), sources(&seed[..cut], &seed[cut + 4..]));
        pipeline.run(Instant::now(), Timestamp::from_secs(1_800_000_000), EVER, 1_000);
        pipeline.save().unwrap().bytes()
    };
    merge_seeds().iter().map(small).collect()
}

fn baseline(bytes: &[u8]) {
    let _ = Baseline::read(bytes);
}

fn baseline_seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("baseline");
    let log = format!("{CORPUS}audit.log.zst");
    let arguments = ["analyze", &log, "--learn", path.to_str().unwrap()];
    let output = super::support::leasewatch::run(arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    vec![fs::read(path).unwrap()]
}

fn config(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leasewatch.toml");
    fs::write(&path, bytes).unwrap();
    let flags = Flags(BTreeMap::from([("config.file", vec![path.to_str().unwrap().to_owned()])]));
    match Config::load(flags, BTreeMap::new()) {
        Ok(config) => drop(config.to_string()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn config_seeds() -> Vec<Vec<u8>> {
    let all = concat!(
        "audit_log = [\"a=/x/audit.log*\", \"-\"]\nserver_log = [\"/x/s.log\"]\nstate_dir = \"/s\"\nmax_line_bytes = 1024\n",
        "[web]\nlisten_address = \"127.0.0.1:1\"\n[checkpoint]\ninterval = \"5s\"\n[labels]\nbudget = 10\n",
        "[anomaly]\nmode = \"shadow\"\nalarm_budget = 0.5\n[[anomaly.acknowledged]]\nepisode = \"0123456789abcdef\"\n",
        "author = \"a\"\nreason = \"r\"\nexpires = \"2026-12-31T00:00:00Z\"\n[vault]\naddress = \"https://v:8200\"\n",
        "timeout = \"1h30m\"\nnamespaces = [\"a\", \"b/c\"]\n[vault.tls]\nserver_name = \"v\"\n[push.otlp]\nendpoint = \"http://o:4318\"\n",
    );
    let nodes = "[[node]]\nname = \"a\"\naddress = \"https://a:8200\"\naudit_log = [\"/a\"]\n[[node]]\nname = \"b\"\n";
    vec![all.into(), nodes.into()]
}

fn username(bytes: &[u8]) {
    let name = text(bytes);
    if let Ok(name) = Username::parse(&name) {
        let _ = name.template("approle", "app");
    }
}

fn username_seeds() -> Vec<Vec<u8>> {
    [
        "v-kubernet-app-h2JxFQmAMRYQ6zZLjyNu-1767323045",
        "v_approle_app_h2JxFQmAMRYQ6zZLjyNu_1767323045",
        "V_APPROLE_APP_H2JXFQMAMRYQ6ZZLJYNU_1767323045",
        "v-token-r-h2JxFQmAMRYQ6zZLjyNu",
    ]
    .map(Into::into)
    .to_vec()
}

fn telemetry(bytes: &[u8]) {
    let _ = Telemetry::parse(&text(bytes), "vault");
}

fn telemetry_seeds() -> Vec<Vec<u8>> {
    let page = data("openbao-2.7.2-metrics.txt");
    let lines: Vec<&[u8]> = page.split(|byte| *byte == b'\n').collect();
    lines.chunks(60).map(|lines| lines.join(&b'\n')).collect()
}
