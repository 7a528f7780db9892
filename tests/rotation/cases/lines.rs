//! Lines of every kind.

use crate::world::{From, World};
use leasewatch::source::{LineSource, Notice, Rotation, Step, TailOptions};

fn capped(max_line_bytes: usize) -> World {
    World::with(TailOptions { max_line_bytes, ..TailOptions::default() }, false)
}

#[test]
fn a_line_comes_in_pieces() {
    let mut world = World::new();
    for piece in ["{\"a\"", ":", "1}"] {
        world.append(piece);
        world.expect(&[]);
    }
    world.append("\n{");
    world.expect(&["{\"a\":1}"]);
    world.restart(From::Next);
    world.append("}\n");
    world.expect(&["{}"]);
}

#[test]
fn a_line_of_ten_megabytes() {
    let mut world = World::new();
    let long = "x".repeat(10 << 20);
    world.append("1\n");
    for piece in long.as_bytes().chunks(3 << 20) {
        world.append(piece);
        world.poll(10);
    }
    world.append("\n2\n");
    world.drain();
    assert!(world.lines == ["1", &long, "2"]);
}

#[test]
fn a_line_that_is_too_long_is_told_and_skipped_up_to_its_end() {
    for restart in [None, Some(From::Last), Some(From::Next)] {
        let mut world = capped(10);
        world.append("0123456789\n");
        world.append("x".repeat(1 << 20));
        world.drain();
        if let Some(from) = restart {
            // Taken away by the restart from the last step, which was idle: nothing.
            world.restart(from);
        }
        world.append("x".repeat(1 << 20));
        world.drain();
        assert_eq!(world.told(), []);
        world.append("\nafter\n");
        world.expect(&["0123456789", "after"]);
        assert_eq!(world.told(), [Notice::TooLong]);
        world.restart(From::Last);
        world.drain();
        assert_eq!(world.told(), []);
    }
}

#[test]
fn a_first_line_that_is_too_long_marks_its_file_all_the_same() {
    let mut world = capped(10);
    world.append("x".repeat(1 << 20));
    world.append("\n1\n2\n");
    world.poll(1);
    world.rename();
    world.reopen();
    world.append("3\n");
    world.restart(From::Next);
    world.expect(&["1", "2", "3"]);
    assert!(!world.told().contains(&Notice::Gap));
}

#[test]
fn the_torn_last_line_of_a_file_that_was_left() {
    let mut world = World::new();
    world.append("1\ntorn");
    world.rename();
    world.expect(&[]);
    world.append(" or not\n2\ntorn");
    world.reopen();
    world.append("3\n");
    world.restart(From::Next);
    world.expect(&["1", "torn or not", "2", "3"]);
    let renamed = Notice::Rotated(Rotation::Renamed);
    assert_eq!(world.told(), [Notice::Torn, renamed]);
}

#[test]
fn bytes_pass_whatever_they_are() {
    let mut world = World::new();
    world.append(b"\xff\xfe\0\r\n\n\x1f\x8b\n");
    let mut line = Vec::new();
    for expected in [&b"\xff\xfe\0\r"[..], b"", b"\x1f\x8b"] {
        assert_eq!(world.tail.next(world.now, &mut line), Step::Line);
        assert_eq!(line, expected);
    }
    assert_eq!(world.tail.next(world.now, &mut line), Step::Idle);
}
