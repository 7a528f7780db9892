//! Files that are not there yet, no longer, or cannot be read.

use crate::world::{From, World};
use leasewatch::source::{LineSource, LogPath, Notice, Rotation, Tail, TailOptions};
use std::fs;
use std::os::unix::fs::symlink;

/// Whether this process has a deleted file of this folder open.
pub(crate) fn holds_deleted(world: &World) -> bool {
    let folder = world.dir.path().to_string_lossy();
    let open = fs::read_dir("/proc/self/fd").expect("Linux's /proc");
    open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .map(|path| path.to_string_lossy().into_owned())
        .any(|path| path.starts_with(&*folder) && path.ends_with(" (deleted)"))
}

#[test]
fn neither_file_nor_folder_exists_yet() {
    let mut world = World::new();
    let path = world.path("no/such/folder/audit.log");
    world.log = LogPath::plain(&path);
    world.tail = Tail::new(world.log.clone(), TailOptions::default(), None);
    world.expect(&[]);
    assert_eq!(world.tail.status().trouble, None);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    world.expect(&[]);
    world.restart(From::Next);
    fs::write(&path, "1\n").unwrap();
    world.expect(&["1"]);
}

#[test]
fn a_file_arrives_by_rename() {
    let mut world = World::new();
    world.expect(&[]);
    fs::write(world.path("elsewhere"), "1\n2\n").unwrap();
    fs::rename(world.path("elsewhere"), world.live()).unwrap();
    world.expect(&["1", "2"]);
}

#[test]
fn a_deleted_file_is_read_on_and_let_go_after_its_last_byte() {
    let mut world = World::new();
    world.append("1\n");
    world.expect(&["1"]);
    world.wait(100);
    world.expect(&[]);
    fs::remove_file(world.live()).unwrap();
    world.append("2\n");
    world.expect(&["2"]);
    world.wait(4);
    world.append("3\nrest");
    world.expect(&["3"]);
    world.wait(4);
    world.expect(&[]);
    // Only the writer and the tail have it; with the writer's new file, only the tail.
    world.reopen();
    assert!(holds_deleted(&world), "the grace is not over");
    world.wait(1);
    world.expect(&[]);
    assert!(!holds_deleted(&world), "Vault's disk is pinned");
    assert_eq!(world.told(), [Notice::Torn]);
    world.append("4\n");
    world.expect(&["4"]);
    assert_eq!(world.told(), [Notice::Rotated(Rotation::Renamed)]);
}

#[test]
fn a_released_file_is_no_gap_after_a_restart() {
    let mut world = World::new();
    world.append("1\n");
    world.expect(&["1"]);
    fs::remove_file(world.live()).unwrap();
    world.expect(&[]);
    world.wait(6);
    world.expect(&[]);
    world.restart(From::Next);
    world.expect(&[]);
    world.reopen();
    world.append("2\n");
    world.expect(&["2"]);
    assert_eq!(world.told(), [Notice::Rotated(Rotation::Renamed)]);
}

#[test]
fn an_inode_that_is_used_again_is_another_file() {
    // The same inode with other content, as after deletion and creation while it was down.
    let mut world = World::new();
    world.append("1\n2\n");
    world.poll(1);
    world.truncate();
    world.append("3\n4\n5\n");
    world.restart(From::Next);
    world.expect(&["1", "3", "4", "5"]);
    assert_eq!(world.told(), [Notice::Gap]);
}

#[test]
fn a_gap_is_told_once_and_reading_goes_on_with_what_is_newer() {
    let mut world = World::new();
    for number in 1..6 {
        world.append(format!("{number}\n"));
        if number == 2 {
            world.poll(2);
        }
        world.rename();
        world.reopen();
    }
    world.append("6\n");
    // Files 5 to 1 hold the lines 1 to 5; the position is in file 4.
    fs::remove_file(world.path("audit.log.4")).unwrap();
    fs::remove_file(world.path("audit.log.3")).unwrap();
    world.lines.clear();
    world.told();
    world.restart(From::Next);
    world.poll(1);
    assert_eq!(world.told(), [Notice::Gap]);
    world.restart(From::Next);
    world.expect(&["4", "5", "6"]);
    assert!(!world.told().contains(&Notice::Gap));
}

#[test]
fn what_cannot_be_read_is_told_with_its_path_until_it_is_cured() {
    let mut world = World::new();
    // Neither a loop nor a folder can be read, not even by root.
    symlink(world.live(), world.live()).unwrap();
    world.expect(&[]);
    let trouble = world.tail.status().trouble.unwrap();
    assert!(trouble.contains("audit.log: ") && trouble.contains("Remedy: "), "{trouble}");
    fs::remove_file(world.live()).unwrap();
    fs::create_dir(world.live()).unwrap();
    world.expect(&[]);
    let trouble = world.tail.status().trouble.unwrap();
    assert!(trouble.contains("not a regular file"), "{trouble}");
    fs::remove_dir(world.live()).unwrap();
    world.append("1\n");
    world.expect(&["1"]);
    assert_eq!(world.tail.status().trouble, None);
}

#[test]
fn an_unreadable_successor_is_waited_for() {
    let mut world = World::new();
    world.append("1\n");
    world.expect(&["1"]);
    world.rename();
    symlink(world.live(), world.live()).unwrap();
    world.append("2\n");
    world.expect(&["2"]);
    assert!(world.tail.status().trouble.is_some());
    fs::remove_file(world.live()).unwrap();
    world.reopen();
    world.append("3\n");
    world.expect(&["3"]);
    assert_eq!(world.tail.status().trouble, None);
}
