//! The world: the server, everybody who uses it, and the time that passes.

use super::actors::{Actor, Agenda, Scene};
use super::attack::Attack;
use super::fate;
use super::population;
use super::scenario::Scenario;
use super::town::Town;
use super::truth::{Counters, Truth};
use super::vault::{Log, Vault};
use crate::event::Timestamp;

/// A simulated tenant: hands out the lines of its logs, in the order of their times.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    pub(super) vault: Vault,
    pub(super) town: Town,
    /// When the last line was written.
    pub(super) now: i64,
    agenda: Agenda,
    actors: Vec<Box<dyn Actor>>,
}

impl World {
    /// At its first moment. Nothing is made ahead of its time, however long the scenario is.
    pub fn new(scenario: &Scenario) -> Self {
        let vault = Vault::new(scenario);
        let mut world = Self {
            scenario: scenario.clone(),
            vault,
            town: Town::default(),
            now: scenario.from.as_nanos(),
            agenda: Agenda::default(),
            actors: Vec::new(),
        };
        let from = scenario.from.as_nanos();
        world.vault.start(from);
        for actor in population::everybody(scenario, &world.vault.catalog) {
            world.add(actor, from);
        }
        for attacker in fate::attackers(scenario) {
            world.add(attacker, from);
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
            let is_over = next >= self.scenario.to.as_nanos();
            if is_over && ready == i64::MAX {
                return None;
            }
            if ready < next || is_over {
                self.now = ready;
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
        &self.town.attacks
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
