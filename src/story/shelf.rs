//! A shelf: moments as long as there is room. How it began and how it went in the end matter most,
//! so that what lies between gives way.

use super::Moment;
use crate::event::Timestamp;
use std::collections::VecDeque;

/// What there was no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many moments.
    pub moments: u64,
    /// The first and the last of them.
    pub between: Option<(Timestamp, Timestamp)>,
}

/// The first moments and the last ones.
#[derive(Debug)]
pub(super) struct Shelf {
    half: usize,
    first: Vec<Moment>,
    last: VecDeque<Moment>,
    left_out: LeftOut,
}

impl Shelf {
    pub(super) fn new(most: usize) -> Self {
        Self {
            half: most.div_ceil(2).max(1),
            first: Vec::new(),
            last: VecDeque::new(),
            left_out: LeftOut::default(),
        }
    }

    pub(super) fn put(&mut self, moment: Moment) {
        if self.first.len() < self.half {
            self.first.push(moment);
            return;
        }
        self.last.push_back(moment);
        if self.last.len() > self.half
            && let Some(Moment { at, .. }) = self.last.pop_front()
        {
            let from = self.left_out.between.map_or(at, |(from, _)| from);
            self.left_out = LeftOut { moments: self.left_out.moments + 1, between: Some((from, at)) };
        }
    }

    /// All that is there, in the order of time.
    pub(super) fn take(self) -> (Vec<Moment>, LeftOut) {
        let mut all = self.first;
        all.extend(self.last);
        all.sort_by_key(|moment| moment.at);
        (all, self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::What;
    use super::*;

    #[test]
    fn the_middle_gives_way() {
        let mut shelf = Shelf::new(4);
        for second in 0..10 {
            shelf.put(Moment::new(Timestamp::from_secs(second), What::Ended));
        }
        let (kept, left_out) = shelf.take();
        let seconds: Vec<_> = kept.iter().map(|moment| moment.at.as_nanos() / 1_000_000_000).collect();
        assert_eq!(seconds, [0, 1, 8, 9]);
        assert_eq!(left_out.moments, 6);
        assert_eq!(left_out.between, Some((Timestamp::from_secs(2), Timestamp::from_secs(7))));
    }
}
