//! The alerts: promtool's own tests of them, that each alert has all that it needs, that a change
//! of any of them is noticed, and that they fire on real servers.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

#[path = "../support/mod.rs"]
mod support;

mod documents;
mod live;
mod mutants;
mod pack;
mod past;
mod promtool;
mod story;

use pack::{folder, units};
use promtool::promtool;

#[test]
fn rules_are_sound_and_pass_their_tests() {
    let files: Vec<_> =
        pack::files("rules").into_iter().map(|(name, _)| format!("rules/{name}.yml")).collect();
    let check = [
        &["check", "rules", "--lint=all", "--lint-fatal"],
        &files.iter().map(String::as_str).collect::<Vec<_>>()[..],
    ];
    let (is_sound, said) = promtool(&check.concat(), &folder());
    assert!(is_sound, "{said}");
    let mut tests: Vec<_> = units().into_iter().map(|unit| format!("tests/{}.yml", unit.file)).collect();
    tests.dedup();
    let (passes, said) = promtool(
        &[&["test", "rules"], &tests.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat(),
        &folder(),
    );
    assert!(passes, "{said}");
}
