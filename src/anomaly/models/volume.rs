//! How much: credentials issued in five minutes, an hour and a day, against what the subject's
//! own hours and days brought. A formula's tail, capped by the subject's own extremes.

use super::now::{Now, of_hour};
use super::ring::Ring;
use crate::anomaly::evidence::{Component, Evidence};
use crate::anomaly::parameters as p;
use crate::anomaly::stat::count::Counts;
use crate::anomaly::stat::decay::remains;
use crate::anomaly::stat::extremes::{Extreme, Extremes};
use crate::anomaly::stat::strength_of_ln;
use crate::event::Text;
use serde::{Deserialize, Serialize};

/// The three scales.
pub const SCALES: [Component; 3] = [Component::Burst5m, Component::Burst1h, Component::Burst1d];

/// Maxima of blocks at one scale: of each active hour, or of each active day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Blocks {
    #[serde(rename = "n", default)]
    count: f32,
    #[serde(rename = "s", default)]
    sum: f32,
    #[serde(rename = "q", default)]
    squares: f32,
    #[serde(rename = "x", default)]
    own: Extremes,
    /// A maximum that an alarm came with.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    waiting: Option<Extreme>,
    /// The maximum of the block that is not over.
    #[serde(rename = "p", default)]
    peak: u32,
    /// Smaller counts are no evidence.
    #[serde(rename = "l", default)]
    limit: u32,
}

impl Blocks {
    fn counts(&self, prior: f64) -> Counts {
        let count = f64::from(self.count);
        let mean = (f64::from(self.sum) + prior * 2.0) / (count + 2.0);
        let variance = (f64::from(self.squares) / count.max(1.0)
            - (f64::from(self.sum) / count.max(1.0)).powi(2))
        .max(0.0);
        let measured = variance / mean.max(0.1);
        let phi = (measured * count + p::PRIOR_PHI * p::PHI_WEIGHT) / (count + p::PHI_WEIGHT);
        Counts { mean, phi: phi.max(p::LEAST_PHI) }
    }

    /// Sets the count below which a look is not worth its cost.
    fn limit(&mut self) {
        let blocks = f64::from(self.count);
        let strong =
            |count: &u32| strength_of_ln(self.own.ln_sf(*count, blocks)) - p::SCALES.log10() >= p::KEEP;
        let beyond = self.own.largest().map_or(1, |largest| largest.count + 1);
        self.limit = self.own.counts().filter(strong).last().unwrap_or(beyond);
    }

    fn close(&mut self, hour: i32, gated: bool, prior: f64) -> u32 {
        let peak = std::mem::take(&mut self.peak);
        let usual = self.counts(prior).first_rarer(p::WINSOR_P, 1 << 24);
        let usual =
            u32::try_from(usual).unwrap_or(u32::MAX).max(self.own.largest().map_or(0, |own| own.count));
        let counted = if gated { peak.min(usual) } else { peak };
        let kept = f64::from(counted) as f32;
        self.count += 1.0;
        self.sum += kept;
        self.squares += kept * kept;
        if let Some(waiting) = self.waiting
            && hour - waiting.hour > p::PENDING_HOURS
        {
            // As far as services grow and batches differ: what is beyond that was none of its habits.
            let most = self.own.largest().map_or(0, |own| own.count).max(1).saturating_mul(p::PENDING_TIMES);
            self.own.add(waiting.count.min(most), waiting.hour, p::EXTREMES_MEMORY);
            self.waiting = None;
        }
        if gated && peak > usual {
            // Another alarm: the week begins anew.
            let count = self.waiting.map_or(peak, |waiting| waiting.count.max(peak));
            self.waiting = Some(Extreme { count, hour });
        } else {
            self.own.add(counted, hour, p::EXTREMES_MEMORY);
        }
        counted
    }

    fn fade(&mut self, hours: i64) {
        let left = remains(hours, p::LIFE) as f32;
        self.count *= left;
        self.sum *= left;
        self.squares *= left;
    }
}

/// Tokens of an hour that are counted apart.
const TOKENS: usize = 4;

/// The volume of one subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    #[serde(rename = "m", default)]
    five_minutes: Ring<10>,
    #[serde(rename = "h", default)]
    hour: Ring<12>,
    #[serde(rename = "d", default)]
    day: Ring<24>,
    #[serde(rename = "b", default)]
    blocks: [Blocks; 3],
    /// Of an hour, to one token: restarts and deploys come with tokens of their own.
    #[serde(rename = "k", default)]
    token: Blocks,
    /// Tokens of the current hour, those with the most, and their counts.
    #[serde(rename = "w", default)]
    tokens: [(u32, u32); TOKENS],
    /// The day of the third scale's block.
    #[serde(rename = "t", default)]
    today: i32,
    /// An alarm came on that day.
    #[serde(rename = "g", default)]
    gated_today: bool,
    /// Credentials of the current hour.
    #[serde(rename = "i", default)]
    pub issued: u32,
}

impl Volume {
    /// Begins an hour, and with its first one a day: gives the maximum of the day that is over.
    pub fn open(&mut self, hour: i32, prior: f64) -> Option<u32> {
        let today = hour.div_euclid(24);
        let before = std::mem::replace(&mut self.today, today);
        let over = before != today && before != 0;
        let gated = over && std::mem::take(&mut self.gated_today);
        let over = over.then(|| self.blocks[2].close(hour - 1, gated, prior));
        for blocks in &mut self.blocks {
            blocks.limit();
        }
        over
    }

    /// Counts a credential, got by a token (or, where it has no name, from an address). Gives the
    /// scales at which there is something to look at, with the counts.
    pub fn issue(&mut self, now: &Now, token: u32) -> [Option<u32>; 3] {
        self.issued += 1;
        self.token.peak = self.token.peak.max(self.count_token(token));
        let sums = [
            self.five_minutes.add(now.secs / 30),
            self.hour.add(now.secs / 300),
            self.day.add(now.hour.into()),
        ];
        let mut look = [None; 3];
        for ((blocks, sum), look) in self.blocks.iter_mut().zip(sums).zip(&mut look) {
            if sum > blocks.peak {
                blocks.peak = sum;
                *look = (sum >= blocks.limit.max(2)).then_some(sum);
            }
        }
        look
    }

    fn count_token(&mut self, token: u32) -> u32 {
        if let Some((_, count)) = self.tokens.iter_mut().find(|(known, count)| *known == token && *count > 0)
        {
            *count += 1;
            return *count;
        }
        // The least makes room; what had more is not forgotten for it.
        if let Some(least) = self.tokens.iter_mut().min_by_key(|(_, count)| *count) {
            *least = (token, 1);
        }
        1
    }

    /// How rare it is that one token gets so much in an hour: what tells one client that takes
    /// many from many clients that take one each.
    fn concentration(&self) -> f64 {
        let formula = strength_of_ln(self.token.counts(1.0).ln_sf(self.token.peak.into()));
        formula.min(strength_of_ln(self.token.own.ln_sf(self.token.peak, self.token.count.into())))
    }

    /// Whether many clients got this hour's credentials, and not one.
    pub fn is_spread(&self) -> bool {
        self.concentration() < p::CONCENTRATED.0
    }

    /// How rare such a count is, for a subject of which a block brings `prior` by its peers. `restarts`:
    /// logins explain it, whatever tokens tell.
    pub fn strength(&self, scale: usize, count: u32, prior: f64, restarts: bool) -> f64 {
        let blocks = &self.blocks[scale];
        let own = strength_of_ln(blocks.own.ln_sf(count, blocks.count.into()));
        if own < p::KEEP {
            return 0.0;
        }
        let formula = strength_of_ln(blocks.counts(prior).ln_sf(count.into()));
        let strength = (formula.min(own) - p::SCALES.log10()).max(0.0);
        // As many tokens as credentials: clients that restart. That is only half as bad.
        let (many, one) = p::CONCENTRATED;
        let spread = if restarts { 1.0 } else { (one - self.concentration()) / (one - many) };
        let spread = spread.clamp(0.0, 1.0);
        let most = if spread >= 1.0 { p::SPREAD_MOST } else { f64::INFINITY };
        let strength = (strength * (1.0 - p::SPREAD * spread)).min(most);
        // The sliding day is at its maximum for hours, and a raised level for days.
        match blocks.waiting {
            Some(waiting) if scale == 2 && f64::from(count) < f64::from(waiting.count) * p::SAME_AFFAIR => {
                strength.min(p::SAME_AFFAIR_MOST)
            }
            _ => strength,
        }
    }

    /// The evidence of such a count.
    pub fn evidence(&self, scale: usize, count: u32, prior: f64, strength: f64, detail: Text) -> Evidence {
        let blocks = &self.blocks[scale];
        let counts = blocks.counts(prior);
        let below = |p| counts.first_rarer(p, 1 << 24).saturating_sub(1) as f64;
        // What is not believed yet was seen all the same.
        let own = blocks.own.largest().into_iter().chain(blocks.waiting);
        let largest = own.max_by_key(|own| (own.count, own.hour));
        Evidence {
            component: SCALES[scale],
            strength,
            observed: count.into(),
            expected: below(0.5),
            upper: below(1e-3).max(largest.map_or(0.0, |own| own.count.into())),
            own_max: largest.map(|own| (f64::from(own.count), of_hour(own.hour))),
            last_seen: None,
            peers: None,
            detail,
        }
    }

    /// Ends an hour; gives the maxima that it counts as at the two shorter scales.
    pub fn close(&mut self, hour: i32, gated: bool, priors: &[f64; 3]) -> [u32; 2] {
        self.issued = 0;
        self.gated_today |= gated;
        self.token.close(hour, gated, 1.0);
        self.tokens = [(0, 0); TOKENS];
        [0, 1].map(|scale: usize| self.blocks[scale].close(hour, gated, priors[scale]))
    }

    /// Lets a day pass.
    pub fn fade(&mut self, hours: i64) {
        for blocks in self.blocks.iter_mut().chain([&mut self.token]) {
            blocks.fade(hours);
        }
    }

    /// Takes maxima in that were held back.
    pub fn believe(&mut self, hour: i32) {
        for blocks in self.blocks.iter_mut().chain([&mut self.token]) {
            if let Some(waiting) = blocks.waiting.take() {
                blocks.own.add(waiting.count, waiting.hour, p::EXTREMES_MEMORY);
            }
            blocks.own.add(blocks.peak, hour, p::EXTREMES_MEMORY);
        }
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.blocks.iter().chain([&self.token]).map(|blocks| blocks.own.heap()).sum()
    }
}
