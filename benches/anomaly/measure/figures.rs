//! Figures: recall at a rate of false alarms, false alarms at a recall, delays. All worlds are
//! judged by one threshold.

use super::interval;
use super::{Caught, Truth};

/// The attacks and the sorted alarms of several worlds, one detector.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    worlds: Vec<World>,
}

#[derive(Clone, Debug)]
struct World {
    kinds: Vec<&'static str>,
    caught: Caught,
    weeks: f64,
}

/// A share with its half-width at 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) half: f64,
}

impl Pool {
    /// One more world, scored for so many weeks.
    pub(crate) fn add(&mut self, attacks: &[Truth], caught: Caught, weeks: f64) {
        let kinds = attacks.iter().map(|attack| attack.kind).collect();
        self.worlds.push(World { kinds, caught, weeks });
    }

    fn all(&self) -> Vec<usize> {
        (0..self.worlds.len()).collect()
    }

    /// The score that false alarms pass just `rate` times a week, or less often: an alarm is one
    /// whose score is above it.
    pub(crate) fn cut(&self, rate: f64) -> f64 {
        self.cut_of(&self.all(), rate)
    }

    fn cut_of(&self, worlds: &[usize], rate: f64) -> f64 {
        let mut scores: Vec<f64> = worlds.iter().flat_map(|at| self.scores(*at)).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        let weeks: f64 = worlds.iter().map(|at| self.worlds[*at].weeks).sum();
        let allowed = (rate * weeks + 1e-9).floor() as usize;
        scores.get(allowed).copied().unwrap_or(0.0)
    }

    fn scores(&self, world: usize) -> impl Iterator<Item = f64> {
        self.worlds[world].caught.false_alarms.iter().map(|(_, score)| *score)
    }

    /// The share of attacks (of one kind, or of all) whose score passed `cut`; how many, of how many.
    pub(crate) fn hits(&self, cut: f64, kind: Option<&str>) -> (usize, usize) {
        self.hits_of(&self.all(), cut, kind)
    }

    fn hits_of(&self, worlds: &[usize], cut: f64, kind: Option<&str>) -> (usize, usize) {
        let (mut hits, mut all) = (0, 0);
        for world in worlds.iter().map(|at| &self.worlds[*at]) {
            for (of, found) in world.kinds.iter().zip(&world.caught.found) {
                if kind.is_none_or(|kind| kind == *of) {
                    all += 1;
                    hits += usize::from(found.best().is_some_and(|best| best > cut));
                }
            }
        }
        (hits, all)
    }

    /// Recall at so many false alarms a week. The half-width is the larger one of two: of the
    /// share itself, and of drawing the worlds anew, threshold and all.
    pub(crate) fn recall(&self, rate: f64, kind: Option<&str>) -> Figure {
        let recall = |worlds: &[usize]| {
            let (hits, all) = self.hits_of(worlds, self.cut_of(worlds, rate), kind);
            hits as f64 / all as f64
        };
        let (hits, all) = self.hits(self.cut(rate), kind);
        let half = interval::bootstrap(self.worlds.len(), recall);
        Figure { value: hits as f64 / all as f64, half: interval::share(hits, all).max(half) }
    }

    /// False alarms a week at the highest threshold that finds such a share of the attacks;
    /// infinite if none does.
    pub(crate) fn price(&self, recall: f64) -> Figure {
        let half = interval::bootstrap(self.worlds.len(), |worlds| self.price_of(worlds, recall));
        Figure { value: self.price_of(&self.all(), recall), half }
    }

    fn price_of(&self, worlds: &[usize], recall: f64) -> f64 {
        let found = worlds.iter().flat_map(|at| &self.worlds[*at].caught.found);
        let mut best: Vec<f64> = found.map(|found| found.best().unwrap_or(f64::NEG_INFINITY)).collect();
        best.sort_by(|a, b| b.total_cmp(a));
        let needed = (recall * best.len() as f64 - 1e-9).ceil() as usize;
        let threshold = needed.checked_sub(1).and_then(|at| best.get(at)).copied().unwrap_or(f64::NAN);
        if threshold.is_finite() { self.rate_of(worlds, threshold) } else { f64::INFINITY }
    }

    fn rate_of(&self, worlds: &[usize], threshold: f64) -> f64 {
        let count =
            worlds.iter().flat_map(|at| self.scores(*at)).filter(|score| *score >= threshold).count() as f64;
        count / worlds.iter().map(|at| self.worlds[*at].weeks).sum::<f64>()
    }

    /// False alarms a week with a score of at least `threshold`.
    pub(crate) fn rate(&self, threshold: f64) -> Figure {
        let half = interval::bootstrap(self.worlds.len(), |worlds| self.rate_of(worlds, threshold));
        Figure { value: self.rate_of(&self.all(), threshold), half }
    }

    /// Seconds from the first event of each attack that was found to the alarm, ascending.
    pub(crate) fn delays(&self, cut: f64, kind: Option<&str>) -> Vec<f64> {
        let mut delays: Vec<f64> = Vec::new();
        for world in &self.worlds {
            let found = world.kinds.iter().zip(&world.caught.found);
            let found = found.filter(|(of, _)| kind.is_none_or(|kind| kind == **of));
            delays.extend(found.filter_map(|(_, found)| found.delay(cut)));
        }
        delays.sort_by(f64::total_cmp);
        delays
    }
}

/// A quantile of ascending values (the nearest rank); NaN where there are none.
pub(crate) fn quantile(ascending: &[f64], share: f64) -> f64 {
    let rank = (share * ascending.len() as f64).ceil() as usize;
    ascending.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}
