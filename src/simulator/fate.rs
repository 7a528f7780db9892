//! When attacks take place: from a scenario to attackers that wait for their time.

use super::actors::{Actor, Attacker, Note, Scene};
use super::attack::AttackKind;
use super::calendar::{DAY, WEEK};
use super::rng::Rng;
use super::scenario::{Attacks, Plan, Scenario};
use crate::event::Timestamp;

/// How long an attack takes at most, from when it is planned.
const fn longest(kind: AttackKind) -> i64 {
    match kind {
        AttackKind::SlowDoubling => 4 * DAY,
        AttackKind::Ramp => 28 * DAY,
        _ => 2 * DAY,
    }
}

/// Everybody who will attack, or who sends attackers as time goes on.
pub(super) fn attackers(scenario: &Scenario) -> Vec<Box<dyn Actor>> {
    let mut plans: Vec<Plan> = scenario.plans.clone();
    let mut out: Vec<Box<dyn Actor>> = Vec::new();
    match &scenario.attacks {
        Attacks::None => {}
        Attacks::Planned(planned) => plans.extend(planned.iter().cloned()),
        Attacks::Placed { from, to, count } => plans.extend(placed(scenario.seed, *from, *to, *count)),
        Attacks::PerWeek(rate) => out.push(Box::new(Fate {
            rng: Rng::named(scenario.seed, "fate"),
            mean: (WEEK as f64 / rate.max(1e-6)) as i64,
            bag: Vec::new(),
            sent: 0,
        })),
    }
    for (number, plan) in plans.into_iter().enumerate() {
        let rng = Rng::named(scenario.seed, &format!("attack {number}"));
        out.push(Box::new(Attacker::new(rng, plan.kind, plan.at.as_nanos(), plan.victim)));
    }
    out
}

/// As many of each kind, at random times.
fn placed(seed: u64, from: Timestamp, to: Timestamp, count: u32) -> Vec<Plan> {
    let mut rng = Rng::named(seed, "placing attacks");
    let mut plans: Vec<Plan> = (0..count as usize)
        .map(|number| {
            let kind = AttackKind::ALL[number % AttackKind::ALL.len()];
            let span = (to.nanos_since(from) - longest(kind)).max(1);
            let at = from.plus_nanos(rng.below(span.unsigned_abs()) as i64);
            Plan { kind, at, victim: None }
        })
        .collect();
    plans.sort_by_key(|plan| plan.at);
    plans
}

/// Sends attackers for as long as the world goes on, the kinds in turn.
#[derive(Debug)]
struct Fate {
    rng: Rng,
    mean: i64,
    bag: Vec<AttackKind>,
    sent: u32,
}

impl Actor for Fate {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        let at = scene.now + WEEK + self.rng.gap(self.mean);
        scene.at(at, Note::default());
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        if self.bag.is_empty() {
            self.bag = AttackKind::ALL.to_vec();
            self.rng.shuffle(&mut self.bag);
        }
        if let Some(kind) = self.bag.pop() {
            self.sent += 1;
            let rng = self.rng.fork();
            scene.born.push(Box::new(Attacker::new(rng, kind, scene.now, None)));
        }
        scene.at(scene.now + self.rng.gap(self.mean), note);
    }
}
