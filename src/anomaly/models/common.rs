//! A common cause: what many clients do at once (a sale, a holiday, the end of a month) says nothing
//! about one of them. Found by how many of them take clearly more than usual on the same day.

use crate::anomaly::parameters as p;
use crate::anomaly::stat::decay::remains;
use serde::{Deserialize, Serialize};

/// What the clients of the cluster have in common now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Common {
    /// The part of them that takes clearly more in an ordinary hour, and the hours that this was learnt in.
    #[serde(default)]
    usual: (f64, f64),
    /// How many times as much those take that do, where there are too many for chance; else 0.
    #[serde(default)]
    factor: f64,
    /// The largest of late, fading towards 1; 0 for none.
    #[serde(default)]
    lately: f64,
}

impl Common {
    /// Looks at the last day of all clients that take enough to judge: how many times as much as usual
    /// each took, and whether that is clearly more.
    pub fn judge(&mut self, clients: impl Iterator<Item = (f64, bool)>) {
        self.lately = 1.0 + (self.lately - 1.0).max(0.0) * remains(1, p::COMMON_MEMORY);
        let (mut all, mut raised, mut logs) = (0u32, 0u32, 0.0);
        for (times, is_clear) in clients {
            all += 1;
            if is_clear {
                raised += 1;
                logs += times.ln();
            }
        }
        if all == 0 {
            self.factor = 0.0;
            return;
        }
        let part = f64::from(raised) / f64::from(all);
        let (usual, hours) = self.usual;
        let most = (usual * p::COMMON_TIMES).max(p::COMMON_PART);
        let is_common = raised >= p::COMMON_LEAST && part >= most;
        self.factor = if is_common { (logs / f64::from(raised)).exp() } else { 0.0 };
        self.lately = self.lately.max(self.factor);
        // What is common is no part of what is usual, but not forgotten either.
        let seen = if is_common { most } else { part };
        let hours = (hours + 1.0).min(p::LIFE);
        self.usual = (usual + (seen - usual) / hours, hours);
    }

    /// Whether a cause that many had of late excuses so many times as much.
    pub fn excuses(&self, times: f64) -> bool {
        self.lately > p::CLEARLY.0 && times <= self.lately * p::COMMON_EXCUSES
    }

    /// How many times as much as usual is nothing special now, of somebody who takes so many times as
    /// much: 1 at least.
    pub fn explains(&self, times: f64) -> f64 {
        if self.factor > 1.0 && times > 1.0 { times.min(self.factor) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(raised: usize, by: f64) -> impl Iterator<Item = (f64, bool)> {
        (0..60).map(move |n| if n < raised { (by, true) } else { (1.0, false) })
    }

    #[test]
    fn what_many_do_at_once_explains_as_much_of_one() {
        let mut common = Common::default();
        for _ in 0..24 * 7 {
            common.judge(day(2, 2.0));
        }
        assert!((common.explains(2.0) - 1.0).abs() < 1e-9, "two of sixty are chance");
        common.judge(day(14, 1.8));
        assert!((common.explains(3.0) - 1.8).abs() < 1e-9);
        assert!((common.explains(1.3) - 1.3).abs() < 1e-9);
        assert!((common.explains(0.5) - 1.0).abs() < 1e-9, "who does not take part is not expected to");
        assert!(common.excuses(2.0) && !common.excuses(3.0));
        common.judge(day(3, 1.8));
        assert!(common.excuses(2.0), "it is remembered");
        assert!((common.explains(3.0) - 1.0).abs() < 1e-9, "it is over");
    }

    #[test]
    fn where_many_always_do_it_is_no_cause() {
        let mut common = Common::default();
        for _ in 0..24 * 28 {
            common.judge(day(9, 1.5));
        }
        common.judge(day(14, 1.5));
        assert!((common.explains(1.5) - 1.0).abs() < 1e-9);
        common.judge([].into_iter());
        assert!((common.explains(1.5) - 1.0).abs() < 1e-9);
    }
}
