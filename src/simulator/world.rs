//! The world: the server, everybody who uses it, and the time that passes.

use super::actors::{Actor, Agenda, Note, Scene};
use super::attack::Attack;
use super::population;
use super::rng::Rng;
use super::scenario::Scenario;
use super::town::Town;
use super::truth::{Counters, Truth};
use super::vault::{Log, Vault};
use crate::event::Timestamp;

/// A simulated tenant: hands out the lines of its logs, in the order of their times.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    vault: Vault,
    town: Town,
    agenda: Agenda,
    actors: Vec<Box<dyn Actor>>,
    attacks: Vec<Attack>,
}

impl World {
    /// At its first moment. Nothing is made ahead of its time, however long the scenario is.
    pub fn new(scenario: &Scenario) -> Self {
        let vault = Vault::new(scenario);
        let mut world = Self {
            scenario: scenario.clone(),
            vault,
            town: Town::default(),
            agenda: Agenda::default(),
            actors: Vec::new(),
            attacks: Vec::new(),
        };
        let from = scenario.from.as_nanos();
        world.vault.start(from);
        let mut rng = Rng::named(scenario.seed, "arrivals");
        for number in 0..scenario.size.services {
            let after = rng.below(12 * 3_600_000_000_000) as i64;
            let service = population::service(scenario, &world.vault.catalog, number, after, false, from);
            world.add(service, from);
        }
        world
    }

    fn add(&mut self, mut actor: Box<dyn Actor>, now: i64) {
        let me = self.actors.len() as u32;
        let mut scene = Scene::new(now, me, &mut self.vault, &mut self.town, &mut self.agenda);
        actor.begin(&mut scene);
        let born = scene.born;
        self.actors.push(actor);
        for actor in born {
            self.add(actor, now);
        }
    }

    /// Puts the next line, without its end, into `line` (what was there goes); its time and the
    /// log it belongs to. `None` once the scenario's end is reached.
    pub fn next_line(&mut self, line: &mut String) -> Option<(Timestamp, Log)> {
        loop {
            let ready = self.vault.next_line_at();
            let (task, wake) = (self.vault.next_task_at(), self.agenda.next_at());
            let next = task.min(wake);
            if ready.min(next) >= self.scenario.to.as_nanos() {
                return None;
            }
            if ready < next {
                return self.vault.take_line(line);
            }
            if task <= wake {
                self.vault.run_task();
            } else {
                self.wake();
            }
        }
    }

    fn wake(&mut self) {
        let Some((now, who, note)) = self.agenda.take() else { return };
        let Some(actor) = self.actors.get_mut(who as usize) else { return };
        let mut scene = Scene::new(now, who, &mut self.vault, &mut self.town, &mut self.agenda);
        actor.wake(note, &mut scene);
        let born = scene.born;
        for actor in born {
            self.add(actor, now);
        }
    }

    /// The attacks that have begun, in the order of their first requests.
    pub fn attacks(&self) -> &[Attack] {
        &self.attacks
    }

    /// What the lines so far must come to.
    pub const fn truth(&self) -> &Truth {
        &self.vault.truth
    }

    /// What the server would count.
    pub const fn counters(&self) -> Counters {
        self.vault.counters
    }
}

/// The note of an actor that has but one thing to do.
pub(super) const fn plain(what: u8) -> Note {
    Note { what, instance: 0, life: 0, slot: 0 }
}
