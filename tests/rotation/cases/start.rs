//! The first start: what it reads and what it skips.

use crate::world::{Format, From, World};
use leasewatch::config::StartAt;
use leasewatch::source::{Notice, TailOptions};
use std::fs;

fn end(glob: bool) -> World {
    let options = TailOptions { start_at: StartAt::End, ..TailOptions::default() };
    World::with(options, glob)
}

fn three_files(world: &mut World) {
    world.append("1\n");
    world.rename();
    world.reopen();
    world.append("2\n");
    world.rename();
    world.compress(&world.path("audit.log.2"), Format::Gzip);
    world.reopen();
    world.append("3\n");
}

#[test]
fn a_path_is_read_from_its_beginning_without_its_siblings() {
    let mut world = World::new();
    three_files(&mut world);
    world.expect(&["3"]);
    assert_eq!(world.told(), []);
}

#[test]
fn a_glob_is_read_oldest_first() {
    let mut world = World::with(TailOptions::default(), true);
    three_files(&mut world);
    world.expect(&["1", "2", "3"]);
}

#[test]
fn siblings_of_a_path_that_come_to_be_before_its_first_line_was_read() {
    let mut world = World::new();
    fs::write(world.path("audit.log.1"), "skipped\n").unwrap();
    world.expect(&[]);
    world.append("1\n");
    world.rename();
    world.reopen();
    world.append("2\n");
    // What was there at the start has another time than what came later.
    let old = fs::OpenOptions::new().append(true).open(world.path("audit.log.2")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH).unwrap();
    world.drain();
    assert!(world.lines.ends_with(&["2".to_owned()]), "{:?}", world.lines);
    assert!(!world.lines.contains(&"skipped".to_owned()));
}

#[test]
fn at_the_end_all_that_is_there_is_skipped() {
    for glob in [false, true] {
        let mut world = end(glob);
        three_files(&mut world);
        world.append("begun ");
        world.expect(&[]);
        world.restart(From::Next);
        world.append("ended\n");
        world.expect(&["begun ended"]);
        world.append("4\n");
        world.rename();
        world.reopen();
        world.append("5\n");
        world.expect(&["4", "5"]);
        assert!(!world.told().contains(&Notice::Gap));
    }
}

#[test]
fn at_the_end_a_file_that_appears_later_is_read_from_its_beginning() {
    for glob in [false, true] {
        let mut world = end(glob);
        world.append("skipped\n");
        world.rename();
        world.restart_first();
        world.expect(&[]);
        // Not a first start any more, though no line was read.
        world.restart(From::Next);
        world.reopen();
        world.append("1\n");
        world.rename();
        world.reopen();
        world.append("2\n");
        world.restart(From::Next);
        world.expect(&["1", "2"]);
    }
}

#[test]
fn at_the_end_of_a_long_unfinished_line() {
    let mut world = end(false);
    world.append("skipped\n");
    world.append("x".repeat(100_000));
    world.expect(&[]);
    world.append("\n");
    world.drain();
    assert_eq!(world.lines.len(), 1);
    assert_eq!(world.lines[0].len(), 100_000);
}
