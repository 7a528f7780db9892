//! Files that are deleted before it is their turn.

use crate::world::{Format, From, World};
use leasewatch::source::{LineSource, Notice, Rotation};
use std::fs;

/// Rotates, writes a line into the new file, and keeps so many rotated files.
fn rotate(world: &mut World, number: u32, kept: u32) {
    world.rename();
    world.reopen();
    world.append(format!("{number}\n"));
    let last = world.path(&format!("audit.log.{}", kept + 1));
    if last.exists() {
        fs::remove_file(last).unwrap();
    }
}

/// Something else is applied meanwhile: no line is taken, but the files are looked at.
fn look(world: &mut World) {
    world.wait(1);
    world.tail.keep_up(world.now);
}

fn started() -> World {
    let mut world = World::new();
    world.expect(&[]);
    world.append("1a\n1b\n");
    assert!(world.poll(1));
    world
}

/// A rotation for each of these numbers, after each of which the files are looked at.
fn rotate_each(world: &mut World, numbers: std::ops::Range<u32>, kept: u32) {
    for number in numbers {
        rotate(world, number, kept);
        look(world);
    }
}

#[test]
fn they_are_read_all_the_same() {
    let mut world = started();
    look(&mut world);
    rotate_each(&mut world, 2..7, 1);
    world.expect(&["1a", "1b", "2", "3", "4", "5", "6"]);
    assert_eq!(world.told(), [Notice::Rotated(Rotation::Renamed); 5]);
    world.append("7\n");
    world.expect(&["7"]);
}

#[test]
fn one_that_is_compressed_is_not_read_twice() {
    let mut world = started();
    rotate_each(&mut world, 2..4, 5);
    for number in 1..3 {
        world.compress(&world.path(&format!("audit.log.{number}")), Format::Gzip);
    }
    look(&mut world);
    world.expect(&["1a", "1b", "2", "3"]);
    assert!(!world.told().contains(&Notice::Gap));
}

#[test]
fn nothing_is_held_once_it_was_read() {
    let mut world = started();
    rotate_each(&mut world, 2..5, 1);
    world.expect(&["1a", "1b", "2", "3", "4"]);
    world.wait(10);
    world.expect(&[]);
    look(&mut world);
    assert!(!super::lifetime::holds_deleted(&world), "Vault's disk is pinned");
}

#[test]
fn a_restart_tells_that_they_are_gone() {
    let mut world = started();
    rotate_each(&mut world, 2..5, 1);
    world.restart(From::Next);
    world.expect(&["1a", "3", "4"]);
    assert_eq!(world.told(), [Notice::Gap, Notice::Rotated(Rotation::Renamed)]);
}

/// Vault cannot go on without room for its log: what nobody can see any more must not fill the disk.
#[test]
fn what_is_too_large_to_be_held_is_told() {
    let mut world = started();
    rotate(&mut world, 2, 1);
    for _ in 0..70 {
        let filling = format!("{}\n", "x".repeat(1_000_000));
        world.append(filling);
    }
    look(&mut world);
    rotate_each(&mut world, 3..6, 1);
    world.expect(&["1a", "1b", "3", "4", "5"]);
    let told = world.told();
    assert_eq!(told.iter().filter(|notice| **notice == Notice::Gap).count(), 1, "{told:?}");
}

/// A machine that was suspended cannot know what came and went meanwhile; how files begin and end in time can.
#[test]
fn what_came_and_went_while_nobody_looked_is_told() {
    let mut world = started();
    look(&mut world);
    for number in 2..6 {
        rotate(&mut world, number, 1);
    }
    world.wait(600);
    world.tail.keep_up(world.now);
    world.expect(&["1a", "1b", "4", "5"]);
    let told = world.told();
    assert_eq!(told.iter().filter(|notice| **notice == Notice::Gap).count(), 1, "{told:?}");
}

/// With times that are real: the new file begins when the deleted one ends.
#[test]
fn a_log_that_is_deleted_where_others_rotate_is_no_loss() {
    let mut world = World::new();
    world.expect(&[]);
    fs::write(world.live(), "1a\n1b\n").unwrap();
    assert!(world.poll(1));
    look(&mut world);
    fs::remove_file(world.live()).unwrap();
    fs::write(world.live(), "2\n").unwrap();
    world.wait(600);
    world.tail.keep_up(world.now);
    world.expect(&["1a", "1b", "2"]);
    assert_eq!(world.told(), [Notice::Rotated(Rotation::Renamed)]);
}
