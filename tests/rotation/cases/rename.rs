//! Rotation by rename, and compression of what was renamed.

use crate::world::{Format, From, World, gzip};
use leasewatch::config::StartAt;
use leasewatch::source::{LineSource, Notice, Rotation, Step, TailOptions};
use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

const RENAMED: Notice = Notice::Rotated(Rotation::Renamed);

#[test]
fn the_writer_goes_on_in_the_old_file_until_it_reopens() {
    let mut world = World::new();
    world.append("1\n");
    world.expect(&["1"]);
    world.rename();
    world.create();
    world.append("2\n");
    world.expect(&["2"]);
    world.append("3\n");
    world.reopen();
    // Only now a byte in the new file: what the old one has comes first.
    world.append("4\n");
    world.expect(&["3", "4"]);
    assert_eq!(world.told(), [RENAMED]);
}

#[test]
fn bytes_that_come_late_into_the_old_file_are_read() {
    let mut world = World::new();
    world.append("1\n");
    world.expect(&["1"]);
    let mut other = fs::OpenOptions::new().append(true).open(world.live()).unwrap();
    world.rename();
    world.reopen();
    world.append("2\n");
    world.expect(&["2"]);
    std::io::Write::write_all(&mut other, b"late\nlater\n").unwrap();
    world.poll(1);
    world.restart(From::Next);
    world.append("3\n");
    world.drain();
    world.lines.sort();
    assert_eq!(world.lines, ["3", "late", "later"]);
    world.lines.clear();
    // Restarted between two of them, none came twice.
    world.restart(From::Next);
    world.expect(&[]);
    // After a while it is closed.
    world.wait(6);
    world.drain();
    assert_eq!(world.tail.next_position().late, None);
}

#[test]
fn several_rotations_between_two_looks() {
    let mut world = World::new();
    world.append("1\n");
    world.expect(&["1"]);
    for number in 2..6 {
        world.append(format!("{number}a\n"));
        world.rename();
        world.append(format!("{number}b\n"));
        world.reopen();
    }
    world.append("6\n");
    world.expect(&["2a", "2b", "3a", "3b", "4a", "4b", "5a", "5b", "6"]);
    assert_eq!(world.told(), [RENAMED; 4]);
}

#[test]
fn rotations_and_compression_while_it_was_down() {
    for from in [From::Last, From::Next] {
        let mut world = World::new();
        world.append("1\n2\n3\n");
        world.poll(2);
        for number in 4..7 {
            world.rename();
            world.reopen();
            world.append(format!("{number}\n"));
        }
        world.compress(&world.path("audit.log.3"), Format::Gzip);
        world.compress(&world.path("audit.log.2"), Format::Zstd);
        world.restart(from);
        world.expect(&["1", "2", "3", "4", "5", "6"]);
        assert_eq!(world.told(), [RENAMED; 3]);
    }
}

#[test]
fn a_sibling_compressed_while_it_is_read_is_not_read_twice() {
    let mut world = World::new();
    world.append("1\n2\n3\n");
    world.poll(2);
    world.rename();
    world.reopen();
    world.compress(&world.path("audit.log.1"), Format::Gzip);
    world.append("4\n");
    world.expect(&["1", "2", "3", "4"]);
    assert_eq!(world.told(), [RENAMED]);
}

#[test]
fn a_compressed_sibling_is_read_on_in_the_middle_and_compressed_otherwise() {
    let mut world = World::new();
    world.append("1\n2\n3\n4\n");
    world.poll(1);
    world.rename();
    world.reopen();
    world.append("5\n");
    let gz = world.compress(&world.path("audit.log.1"), Format::Gzip);
    world.restart(From::Next);
    world.poll(1);
    fs::remove_file(gz).unwrap();
    let zst = zstd::encode_all(&b"1\n2\n3\n4\n"[..], 1).unwrap();
    fs::write(world.path("audit.log.1.zst"), zst).unwrap();
    world.restart(From::Next);
    world.expect(&["1", "2", "3", "4", "5"]);
}

#[test]
fn compression_that_gives_a_new_time_changes_no_order() {
    let mut world = World::new();
    world.append("1\n");
    world.expect(&["1"]);
    for number in 2..5 {
        world.rename();
        world.reopen();
        world.append(format!("{number}\n"));
    }
    let path = world.compress(&world.path("audit.log.2"), Format::Gzip);
    let file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(1000)).unwrap();
    world.expect(&["2", "3", "4"]);
}

#[test]
fn while_a_sibling_is_being_compressed_the_whole_one_is_read() {
    let mut world = World::new();
    world.append("1\n2\n");
    world.poll(1);
    world.rename();
    world.reopen();
    world.append("3\n");
    let whole = gzip(b"1\n2\n");
    fs::write(world.path("audit.log.1.gz"), &whole[..whole.len() - 5]).unwrap();
    world.restart(From::Next);
    world.expect(&["1", "2", "3"]);
    assert_eq!(world.told(), [RENAMED]);
}

#[test]
fn a_broken_archive_is_told_and_the_next_is_read() {
    let mut world = World::with(TailOptions::default(), true);
    let text: Vec<String> = (0..5000).map(|n| format!("line {n}\n")).collect();
    let whole = gzip(text.concat().as_bytes());
    fs::write(world.path("audit.log.2.gz"), &whole[..whole.len() / 2]).unwrap();
    fs::write(world.path("audit.log.1"), "next\n").unwrap();
    world.append("live\n");
    while world.poll(1) && world.lines.last().unwrap() != "live" {
        if world.lines.len().is_multiple_of(1000) {
            world.restart(From::Next);
        }
    }
    let read = world.lines.len() - 2;
    assert!(read > 100, "{read}");
    for (number, line) in world.lines[..read].iter().enumerate() {
        assert_eq!(*line, format!("line {number}"));
    }
    assert_eq!(world.lines[read..], ["next", "live"]);
    assert_eq!(world.told(), [Notice::BrokenArchive, RENAMED, RENAMED]);
}

#[test]
fn a_symlink_that_moves() {
    let mut world = World::new();
    let (first, second) = (world.path("first"), world.path("second"));
    fs::write(&first, "1\n").unwrap();
    symlink(&first, world.live()).unwrap();
    world.expect(&["1"]);
    fs::write(&first, "1\n2\n").unwrap();
    fs::write(&second, "3\n").unwrap();
    fs::remove_file(world.live()).unwrap();
    symlink(&second, world.live()).unwrap();
    world.expect(&["2", "3"]);
    assert_eq!(world.told(), [RENAMED]);
}

#[test]
fn a_symlink_that_moved_while_it_was_down() {
    let mut world = World::new();
    let (first, second) = (world.path("0.log"), world.path("1.log"));
    fs::write(&first, "1\n2\n").unwrap();
    symlink(&first, world.live()).unwrap();
    world.poll(1);
    fs::write(&second, "3\n").unwrap();
    fs::remove_file(world.live()).unwrap();
    symlink(&second, world.live()).unwrap();
    world.restart(From::Next);
    world.expect(&["1", "2", "3"]);
}

#[test]
fn a_log_whose_files_bear_dates_only() {
    let mut world = World::with(TailOptions::default(), true);
    fs::write(world.path("audit.log-20260101"), "1\n").unwrap();
    fs::write(world.path("audit.log-20260102"), "2\n").unwrap();
    world.expect(&["1", "2"]);
    fs::write(world.path("audit.log-20260102"), "2\n3\n").unwrap();
    fs::write(world.path("audit.log-20260103"), "4\n").unwrap();
    world.expect(&["3", "4"]);
}

#[test]
fn siblings_that_begin_with_the_same_line() {
    // A server's log begins with the same line at every start.
    let mut world = World::new();
    world.append("==> Vault server configuration:\n1\n");
    world.poll(1);
    for number in 2..4 {
        world.rename();
        world.reopen();
        world.append(format!("==> Vault server configuration:\n{number}\n"));
    }
    world.compress(&world.path("audit.log.1"), Format::Gzip);
    world.restart(From::Next);
    let head = "==> Vault server configuration:";
    world.expect(&[head, "1", head, "2", head, "3"]);
}

#[test]
fn lag_counts_what_is_unread_in_every_file() {
    let mut world = World::with(TailOptions { start_at: StartAt::Beginning, ..TailOptions::default() }, true);
    world.append("1\n2\n");
    world.rename();
    world.reopen();
    world.append("3\n");
    world.poll(1);
    assert_eq!(world.tail.status().lag_bytes, 4);
    world.drain();
    assert_eq!(world.tail.status().lag_bytes, 0);
    let path = world.tail.status().path.unwrap();
    assert!(path.ends_with("/audit.log"), "{path}");
    assert_eq!(world.tail.next(world.now, &mut Vec::new()), Step::Idle);
}
