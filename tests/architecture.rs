//! The architecture, held to its word: which folder may know which, and which
//! may touch the world. See ARCHITECTURE.md.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Every folder or file of `src/`, and what else of ours it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("snapshot", &["event"]),
    ("contract", &["snapshot"]),
    ("engine", &["event"]),
    ("config", &["event"]),
    ("source", &["config"]),
    ("audit", &["event"]),
    ("serverlog", &["event"]),
    ("observed", &["event"]),
    ("anomaly", &["event", "snapshot", "contract"]),
    ("state", &["event", "engine", "anomaly", "snapshot", "contract"]),
    (
        "pipeline",
        &["event", "anomaly", "source", "audit", "serverlog", "observed", "state", "snapshot", "config"],
    ),
    ("vault", &["stamp", "clock", "event", "snapshot", "contract", "config", "serverlog"]),
    ("store", &["pipeline", "event"]),
    ("receive", &["web", "clock", "event", "snapshot", "contract", "config", "source", "store"]),
    ("clock", &["event"]),
    ("story", &["event", "engine"]),
    ("digest", &["event", "engine", "story"]),
    ("harmless", &[]),
    ("html", &["event", "harmless"]),
    ("web", &["config", "stamp"]),
    ("stamp", &[]),
    ("exposition", &["web", "html", "harmless", "event", "anomaly", "snapshot", "contract"]),
    (
        "report",
        &[
            "html", "harmless", "pipeline", "state", "story", "digest", "anomaly", "event", "snapshot",
            "contract",
        ],
    ),
    ("push", &["harmless", "clock", "event", "anomaly", "snapshot", "contract", "config", "store"]),
    ("cli", &["config", "anomaly", "event"]),
    ("simulator", &["event"]),
];

/// Folders that only compute.
const PURE: &[&str] = &[
    "event",
    "anomaly",
    "engine",
    "audit",
    "serverlog",
    "observed",
    "state",
    "contract",
    "snapshot",
    "simulator",
    "story",
    "digest",
];

/// What only computing has no use for.
const WORLD: &[&str] = &[
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::thread",
    "std::process",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "tokio",
    "axum",
    "reqwest",
    "prometheus::",
    "tracing::",
];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            files(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_owned());
    }
}

fn sources(part: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let folder = Path::new(SRC).join(part);
    files(&if folder.is_dir() { folder } else { folder.with_extension("rs") }, &mut found);
    assert!(!found.is_empty(), "{part} is named here and does not exist");
    found.into_iter().map(|path| (path.clone(), code(&fs::read_to_string(path).unwrap()))).collect()
}

/// The code of a file: without comments, and without its tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or("");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The parts of ours that a piece of code names.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            // Of a list, the first word of each item; nested lists only name what is inside one part.
            let mut depth = 0;
            let mut word = String::new();
            let mut first = true;
            for letter in list.chars() {
                match letter {
                    '}' if depth == 0 => break,
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        if first {
                            found.insert(std::mem::take(&mut word));
                        }
                        first = true;
                    }
                    ':' if depth == 0 => {
                        if first {
                            found.insert(std::mem::take(&mut word));
                        }
                        first = false;
                    }
                    letter if depth == 0 && first && !letter.is_whitespace() => word.push(letter),
                    _ => {}
                }
            }
            if first {
                found.insert(word);
            }
        } else {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.insert(name);
        }
    }
    // Constants of the crate itself, such as its version.
    found.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

#[test]
fn data_flows_one_way() {
    for (part, allowed) in MAY_IMPORT {
        for (path, code) in sources(part) {
            for import in imports(&code) {
                assert!(
                    import == *part || allowed.contains(&import.as_str()),
                    "{} imports {import}, which {part} must not know",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn every_part_is_held_to_it() {
    for entry in fs::read_dir(SRC).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let part = name.trim_end_matches(".rs");
        // They wire everything.
        if !["command", "lib", "main"].contains(&part) {
            assert!(
                MAY_IMPORT.iter().any(|(known, _)| *known == part),
                "src/{name} is not in ARCHITECTURE's table"
            );
        }
    }
}

#[test]
fn what_only_computes_does_not_touch_the_world() {
    for part in PURE {
        for (path, code) in sources(part) {
            for word in WORLD {
                assert!(!code.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    let mut all = Vec::new();
    files(Path::new(SRC), &mut all);
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with what it is", path.display());
        assert!(text.lines().count() <= 400, "{} is past 400 lines: split it by noun", path.display());
    }
}

#[test]
fn only_the_doorbell_knows_linemux_and_nothing_follows_redirects() {
    let mut all = Vec::new();
    files(Path::new(SRC), &mut all);
    for path in all {
        let code = code(&fs::read_to_string(&path).unwrap());
        if code.contains("linemux::") {
            assert!(path.ends_with("source/doorbell.rs"), "{} uses linemux", path.display());
        }
        if code.contains("ClientBuilder") || code.contains("Client::builder") {
            assert!(
                code.contains("Policy::none()"),
                "{} builds a client that follows redirects",
                path.display()
            );
        }
    }
}
