//! Every position leads back to where it was taken, after whatever came since.

use crate::world::{Format, World};
use leasewatch::source::{LineSource, Position, Step, Tail};

/// The steps from `position` on, until there are no more.
fn steps(world: &World, position: Option<Position>) -> Vec<(String, Position, Position)> {
    let mut tail = Tail::new(world.log.clone(), world.options.clone(), position);
    let mut line = Vec::new();
    let mut steps = Vec::new();
    loop {
        let step = match tail.next(world.now, &mut line) {
            Step::Line => String::from_utf8(line.clone()).unwrap(),
            Step::Notice(notice) => format!("{notice:?}"),
            Step::Idle => return steps,
            Step::End => panic!("a live log has no end"),
        };
        steps.push((step, tail.position(), tail.next_position()));
    }
}

fn told(steps: &[(String, Position, Position)]) -> Vec<&str> {
    steps.iter().map(|(step, _, _)| step.as_str()).collect()
}

fn files(world: &mut World) {
    for number in 1..6 {
        world.append(format!("{number}a\n{number}b\nbegun"));
        if number == 3 {
            world.append(" and ended\n");
        }
        world.rename();
        world.reopen();
    }
    world.append("last\nnot ended");
}

#[test]
fn every_position_gives_what_came_after_it() {
    let mut world = World::with(leasewatch::source::TailOptions::default(), true);
    files(&mut world);
    let all = steps(&world, None);
    assert_eq!(all.len(), 5 * 2 + 1 + 4 + 5 + 1, "{:?}", told(&all));
    // Then the same once more with what was rotated and compressed since.
    for rotated in [false, true] {
        if rotated {
            world.rename();
            world.reopen();
            world.compress(&world.path("audit.log.4"), Format::Gzip);
            world.compress(&world.path("audit.log.6"), Format::Zstd);
            world.append("new\n");
        }
        let whole = steps(&world, None);
        for (at, (_, here, next)) in all.iter().enumerate() {
            for (position, from) in [(here, at), (next, at + 1)] {
                let again = steps(&world, Some(position.clone()));
                assert_eq!(told(&again), told(&whole[from..]), "from {position:?}");
            }
        }
    }
}

#[test]
fn positions_survive_a_truncation_with_a_copy() {
    let mut world = World::with(leasewatch::source::TailOptions::default(), true);
    world.append("1\n2\n3\n");
    let all = steps(&world, None);
    world.copy_truncate();
    world.append("4\n5\n");
    for (at, (_, here, _)) in all.iter().enumerate() {
        let again = steps(&world, Some(here.clone()));
        let lines: Vec<&str> = told(&again).into_iter().filter(|step| step.len() == 1).collect();
        assert_eq!(lines, ["1", "2", "3", "4", "5"][at..]);
    }
}
