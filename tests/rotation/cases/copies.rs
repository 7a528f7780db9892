//! Rotation by copytruncate, truncation without a copy, and copies that lie around.

use crate::world::{Format, From, World};
use leasewatch::source::{Notice, Rotation};
use std::fs;

const TRUNCATED: Notice = Notice::Rotated(Rotation::Truncated);

#[test]
fn the_unread_end_is_found_in_the_copy() {
    let mut world = World::new();
    world.append("1\n2\n3\n");
    world.poll(1);
    world.append("4\n");
    world.copy_truncate();
    world.append("5\n");
    world.expect(&["1", "2", "3", "4", "5"]);
    assert_eq!(world.told(), [TRUNCATED]);
}

#[test]
fn a_file_that_is_filled_again_beyond_its_old_size() {
    // Beyond, and to exactly the old size: size alone tells neither.
    for refill in ["4\n5\n6\n7\n8\n9\n", "4\n5\n6\n", "4\n"] {
        let mut world = World::new();
        world.append("1\n2\n");
        world.expect(&["1", "2"]);
        world.append("3\n");
        world.copy_truncate();
        world.append(refill);
        let expected: Vec<&str> = std::iter::once("3").chain(refill.lines()).collect();
        world.expect(&expected);
        assert_eq!(world.told(), [TRUNCATED]);
    }
}

#[test]
fn truncated_in_the_middle_of_a_large_file() {
    let mut world = World::new();
    let lines: Vec<String> = (0..40_000).map(|n| format!("line {n} {}", "x".repeat(n % 90))).collect();
    world.append(lines.join("\n") + "\n");
    world.poll(10_000);
    world.copy_truncate();
    let more: Vec<String> = (0..40_000).map(|n| format!("more {n} {}", "y".repeat(n % 90))).collect();
    world.append(more.join("\n") + "\n");
    world.drain();
    assert!(world.lines == [lines, more].concat());
}

#[test]
fn several_times_between_two_looks_and_compressed_at_once() {
    for restart in [false, true] {
        let mut world = World::new();
        world.append("1\n2\n");
        world.poll(1);
        for number in 3..6 {
            world.copy_truncate();
            world.append(format!("{number}\n"));
        }
        world.compress(&world.path("audit.log.3"), Format::Gzip);
        world.compress(&world.path("audit.log.1"), Format::Zstd);
        if restart {
            world.restart(From::Last);
        }
        world.expect(&["1", "2", "3", "4", "5"]);
        assert!(!world.told().contains(&Notice::Gap));
    }
}

#[test]
fn seen_between_the_copy_and_the_truncation() {
    let mut world = World::new();
    world.append("1\n");
    world.expect(&["1"]);
    world.copy();
    world.append("2\n");
    world.expect(&["2"]);
    world.truncate();
    world.append("3\n");
    world.expect(&["3"]);
}

#[test]
fn a_torn_line_and_the_rest_of_it() {
    let mut world = World::new();
    world.append("1\nbegun ");
    world.expect(&["1"]);
    world.copy_truncate();
    world.append("ended\n2\n");
    // The rest is a line as far as lines go; it is no JSON and is counted as such.
    world.expect(&["ended", "2"]);
    assert_eq!(world.told(), [Notice::Torn, TRUNCATED]);
}

#[test]
fn a_line_begun_when_read_and_ended_when_copied() {
    let mut world = World::new();
    world.append("1\nbegun ");
    world.expect(&["1"]);
    world.append("ended\n2\n");
    world.copy_truncate();
    world.append("3\n");
    world.expect(&["begun ended", "2", "3"]);
    assert_eq!(world.told(), [TRUNCATED]);
}

#[test]
fn the_very_first_line_is_begun_when_the_file_is_copied() {
    let mut world = World::new();
    world.append("begun ");
    world.expect(&[]);
    world.append("ended\n");
    world.copy_truncate();
    world.append("2\n");
    world.expect(&["begun ended", "2"]);
}

#[test]
fn truncation_without_a_copy() {
    let mut world = World::new();
    world.append("1\n");
    world.expect(&["1"]);
    world.truncate();
    world.append("2\n");
    world.expect(&["2"]);
    assert_eq!(world.told(), [TRUNCATED], "all had been read");
    world.append("torn");
    world.expect(&[]);
    world.truncate();
    world.append("3\n");
    world.expect(&["3"]);
    assert_eq!(world.told(), [Notice::Torn, TRUNCATED]);
}

#[test]
fn unread_lines_lost_by_truncation_are_told() {
    let mut world = World::new();
    world.append("unread\n".repeat(100_000));
    world.poll(1);
    world.truncate();
    world.drain();
    world.lines.clear();
    world.append("2\n");
    world.expect(&["2"]);
    assert_eq!(world.told(), [Notice::Torn, Notice::Gap, TRUNCATED]);
}

#[test]
fn a_file_that_lost_its_end_is_not_read_again_from_its_beginning() {
    for restart in [false, true] {
        let mut world = World::new();
        world.append("1\n2\n3\n");
        world.expect(&["1", "2", "3"]);
        let file = fs::OpenOptions::new().write(true).open(world.live()).unwrap();
        file.set_len(4).unwrap();
        if restart {
            world.restart(From::Next);
        }
        world.expect(&[]);
        world.append("4\n");
        world.expect(&["4"]);
        assert_eq!(world.told(), [TRUNCATED]);
    }
}

#[test]
fn a_copy_that_lies_around_is_not_read() {
    let mut world = World::new();
    world.append("1\n2\n");
    world.poll(1);
    fs::copy(world.live(), world.path("audit.log.bak")).unwrap();
    world.append("3\n");
    fs::copy(world.live(), world.path("audit.log.old")).unwrap();
    world.rename();
    world.reopen();
    world.append("4\n");
    world.expect(&["1", "2", "3", "4"]);
}
