//! What stands against a subject now: the evidence of the last hour, the strongest of each kind,
//! and what all of it comes to.

use crate::anomaly::evidence::{Component, Evidence};
use crate::anomaly::parameters as p;
use crate::anomaly::stat::fisher;
use serde::{Deserialize, Serialize};

/// The evidence of the last hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    #[serde(rename = "e", default)]
    pieces: Vec<Piece>,
    /// The combined strength that was told last.
    #[serde(rename = "t", default)]
    told: f64,
    /// The strongest combination since the hour began, before calibration.
    #[serde(rename = "m", default)]
    pub strongest: f64,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Piece {
    /// When it was last confirmed, in seconds.
    #[serde(rename = "s")]
    at: i64,
    /// What it is a symptom of.
    #[serde(rename = "f")]
    family: u8,
    #[serde(rename = "e")]
    evidence: Evidence,
}

/// Models that look at the same thing from several sides count as one: the strongest of them.
fn family(component: Component) -> u8 {
    match component {
        Component::Burst5m | Component::Burst1h | Component::Burst1d | Component::Slow => 0,
        Component::NewRole => 1,
        Component::NewSource | Component::TwoNetworks => 2,
        Component::OffHours => 3,
        Component::Denials | Component::UnknownPaths => 4,
        Component::UnwrappedElsewhere | Component::NeverUnwrapped => 6,
        Component::RoleListing | Component::Rule(_) => 7,
        Component::NewSubject => 8,
        Component::Silence | Component::Operational | Component::FailedLogins | Component::UnknownTokens => 9,
    }
}

/// The family of what a deploy shows: more credentials than usual, from other addresses.
pub const DEPLOY: u8 = 0;
/// Families of models.
const FAMILIES: usize = 10;

impl Standing {
    /// Puts evidence in, or in the place of weaker evidence of its kind. `false` if it changes nothing.
    pub fn raise(&mut self, secs: i64, evidence: Evidence) -> bool {
        let family = family(evidence.component);
        self.raise_in(secs, family, evidence)
    }

    /// The same, as a symptom of what that family of models looks at.
    pub fn raise_in(&mut self, secs: i64, family: u8, evidence: Evidence) -> bool {
        if evidence.strength < p::KEEP && !matches!(evidence.component, Component::Rule(_)) {
            return false;
        }
        self.drop_old(secs);
        let same = |piece: &&mut Piece| piece.evidence.component == evidence.component;
        let Some(piece) = self.pieces.iter_mut().find(same) else {
            self.pieces.push(Piece { at: secs, family, evidence });
            return true;
        };
        piece.at = secs;
        let known = &piece.evidence;
        let stronger = evidence.strength > known.strength;
        if !stronger && (evidence.strength < known.strength || evidence.observed <= known.observed) {
            return false;
        }
        *piece = Piece { at: secs, family, evidence };
        true
    }

    /// Raises evidence that stands already, leaving its explanation as it is. `None` if there is
    /// none of that kind, else whether it has become stronger.
    pub fn renew(&mut self, secs: i64, component: Component, strength: f64, observed: f64) -> Option<bool> {
        let oldest = secs - p::STANDS_SECS;
        let stands = |piece: &&mut Piece| piece.evidence.component == component && piece.at > oldest;
        let piece = self.pieces.iter_mut().find(stands)?;
        piece.at = secs;
        let known = &mut piece.evidence;
        known.observed = known.observed.max(observed);
        let stronger = strength > known.strength;
        if stronger {
            known.strength = strength;
        }
        Some(stronger)
    }

    fn drop_old(&mut self, secs: i64) {
        let (oldest, before) = (secs - p::STANDS_SECS, self.pieces.len());
        self.pieces.retain(|piece| piece.at > oldest);
        if self.pieces.len() < before {
            // What stands no more is news when it comes again, though something weak stood all the time.
            self.told = self.told.min(self.combined());
        }
    }

    /// All of it combined.
    pub fn combined(&self) -> f64 {
        let mut strongest = [0.0f64; FAMILIES];
        for piece in &self.pieces {
            let slot = &mut strongest[usize::from(piece.family)];
            *slot = slot.max(piece.evidence.strength);
        }
        strongest.sort_unstable_by(|a, b| b.total_cmp(a));
        fisher::combined(&strongest, &p::LOOKS, p::CLIP)
    }

    /// The combined strength, if it has risen since it was last told.
    pub fn risen(&mut self) -> Option<f64> {
        let combined = self.combined();
        self.strongest = self.strongest.max(combined);
        if combined <= self.told + p::RISE {
            return None;
        }
        self.told = combined;
        Some(combined)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// What stands, strongest first.
    pub fn evidence(&self) -> Vec<Evidence> {
        let mut all: Vec<Evidence> = self.pieces.iter().map(|piece| piece.evidence.clone()).collect();
        all.sort_by(|a, b| b.strength.total_cmp(&a.strength).then(a.component.cmp(&b.component)));
        all
    }

    /// Ends the hour: what is old goes.
    pub fn close(&mut self, secs: i64) -> f64 {
        self.drop_old(secs);
        if self.pieces.is_empty() {
            self.pieces = Vec::new();
        }
        std::mem::take(&mut self.strongest)
    }

    /// Forgets all of it: somebody has said that it is known.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.pieces.capacity() * size_of::<Piece>()
    }
}
