//! Rotated numbers that count upwards: `.1` is the oldest.

use crate::world::{From, World};
use std::fs;

/// Renames the log to the next number, and has the writer open its path anew.
fn rotate(world: &mut World, number: u32) {
    fs::rename(world.live(), world.path(&format!("audit.log.{number}"))).unwrap();
    world.reopen();
}

fn line(number: u32) -> String {
    format!("{{\"time\":\"2026-01-01T00:00:{number:02}.5Z\",\"number\":{number}}}")
}

fn append(world: &mut World, number: u32) {
    let line = line(number);
    world.append(format!("{line}\n"));
}

fn expect(world: &mut World, numbers: std::ops::RangeInclusive<u32>) {
    let lines: Vec<String> = numbers.map(line).collect();
    world.expect(&lines.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn each_file_is_read_once_while_it_is_followed() {
    let mut world = World::new();
    world.expect(&[]);
    for number in 1..20 {
        append(&mut world, number);
        expect(&mut world, number..=number);
        rotate(&mut world, number);
    }
    assert!(world.told().iter().all(|notice| matches!(notice, leasewatch::source::Notice::Rotated(_))));
}

#[test]
fn several_rotations_between_two_looks_and_while_it_was_down() {
    let mut world = World::new();
    world.expect(&[]);
    append(&mut world, 1);
    expect(&mut world, 1..=1);
    for number in 1..13 {
        rotate(&mut world, number);
        append(&mut world, number + 1);
    }
    expect(&mut world, 2..=13);
    for number in 13..16 {
        rotate(&mut world, number);
        append(&mut world, number + 1);
    }
    world.restart(From::Next);
    expect(&mut world, 14..=16);
    // The oldest is deleted, and all others move up, as writers do that keep a number of files.
    for number in 1..16 {
        let name = |number: u32| world.path(&format!("audit.log.{number}"));
        if number == 1 {
            fs::remove_file(name(1)).unwrap();
        } else {
            fs::rename(name(number), name(number - 1)).unwrap();
        }
    }
    rotate(&mut world, 15);
    append(&mut world, 17);
    expect(&mut world, 17..=17);
}

#[test]
fn they_are_read_oldest_first_by_a_glob() {
    let mut world = World::with(leasewatch::source::TailOptions::default(), true);
    for number in 1..12 {
        append(&mut world, number);
        rotate(&mut world, number);
    }
    append(&mut world, 12);
    world.compress(&world.path("audit.log.2"), crate::world::Format::Gzip);
    expect(&mut world, 1..=12);
}

/// Copied without their times in the order of their names, files look as if their numbers counted upwards.
#[test]
fn times_of_files_alone_say_nothing() {
    let mut world = World::with(leasewatch::source::TailOptions::default(), true);
    for number in 1..6 {
        append(&mut world, number);
        if number < 5 {
            world.rename();
            world.reopen();
        }
    }
    for name in ["audit.log.1", "audit.log.2", "audit.log.3", "audit.log.4"] {
        let bytes = fs::read(world.path(name)).unwrap();
        fs::remove_file(world.path(name)).unwrap();
        fs::write(world.path(name), bytes).unwrap();
        world.touch(&world.path(name));
    }
    expect(&mut world, 1..=5);
}

#[test]
fn lines_without_a_time_go_by_the_usual_order() {
    let mut world = World::with(leasewatch::source::TailOptions::default(), true);
    for number in 1..4 {
        world.append(format!("{number}\n"));
        rotate(&mut world, number);
    }
    world.append("4\n");
    world.expect(&["3", "2", "1", "4"]);
}
