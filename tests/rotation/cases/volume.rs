//! A volume that is not there for a while: unmounted, or a server of files that does not answer.

use crate::world::{From, World};
use leasewatch::source::{LogPath, Tail};
use std::fs;

/// A log in a folder of its own, of which two lines were read.
fn read() -> World {
    let mut world = World::new();
    fs::create_dir(world.path("volume")).unwrap();
    world.log = LogPath::plain(world.path("volume/audit.log"));
    world.tail = Tail::new(world.log.clone(), world.options.clone(), None);
    fs::write(world.path("volume/audit.log"), "1\n2\n").unwrap();
    world.expect(&["1", "2"]);
    world
}

fn goes_on(world: &mut World) {
    fs::write(world.path("volume/audit.log"), "1\n2\n3\n").unwrap();
    world.expect(&["3"]);
    assert_eq!(world.told(), []);
}

#[test]
fn gone_while_it_runs() {
    let mut world = read();
    fs::rename(world.path("volume"), world.path("away")).unwrap();
    world.wait(100);
    world.expect(&[]);
    fs::rename(world.path("away"), world.path("volume")).unwrap();
    goes_on(&mut world);
}

#[test]
fn not_there_yet_after_a_restart() {
    for empty in [false, true] {
        let mut world = read();
        fs::rename(world.path("volume"), world.path("away")).unwrap();
        if empty {
            // The folder at which it will be mounted.
            fs::create_dir(world.path("volume")).unwrap();
        }
        world.restart(From::Next);
        world.expect(&[]);
        world.wait(100);
        world.expect(&[]);
        if empty {
            fs::remove_dir(world.path("volume")).unwrap();
        }
        fs::rename(world.path("away"), world.path("volume")).unwrap();
        goes_on(&mut world);
    }
}
