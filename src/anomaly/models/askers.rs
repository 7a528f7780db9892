//! Askers: the addresses that a mount has refused of late, to tell one client with a dead token
//! from somebody who tries. They fade by half with every hour.

use core::net::IpAddr;
use serde::{Deserialize, Serialize};

/// Addresses that are followed; one with nearly all is never dropped.
const FOLLOWED: usize = 8;
/// The part of all from which on one address is nearly all.
const NEARLY_ALL: f64 = 0.9;

/// Addresses with their counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Askers {
    #[serde(rename = "h", default)]
    hour: i32,
    #[serde(rename = "n", default)]
    all: f64,
    #[serde(rename = "a", default)]
    most: Vec<(IpAddr, f64)>,
    /// More came than are followed.
    #[serde(rename = "o", default)]
    are_more: bool,
}

impl Askers {
    /// One was refused, from there if that is known.
    pub fn add(&mut self, hour: i32, source: Option<IpAddr>) {
        let passed = hour - self.hour;
        if passed > 0 {
            self.hour = hour;
            let left = 0.5f64.powi(passed.min(64));
            self.all *= left;
            self.are_more &= self.all > 1.0;
            for (_, count) in &mut self.most {
                *count *= left;
            }
            self.most.retain(|(_, count)| *count > 0.1);
        }
        self.all += 1.0;
        let Some(source) = source.map(|source| source.to_canonical()) else { return };
        if let Some((_, count)) = self.most.iter_mut().find(|(known, _)| *known == source) {
            *count += 1.0;
        } else if self.most.len() < FOLLOWED {
            self.most.push((source, 1.0));
        } else if let Some(least) = self.most.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)) {
            self.are_more = true;
            *least = (source, 1.0);
        }
    }

    fn first(&self) -> Option<(IpAddr, f64)> {
        self.most.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The address that nearly all came from.
    pub fn nearly_all(&self) -> Option<IpAddr> {
        self.first().filter(|(_, count)| *count >= self.all * NEARLY_ALL).map(|(address, _)| address)
    }

    /// In words: `from 10.1.2.3`, `from 3 addresses, 10.1.2.3 the most`; empty where nothing is known.
    pub fn words(&self) -> String {
        let Some((address, _)) = self.first() else { return String::new() };
        match (self.most.len(), self.nearly_all()) {
            (1, Some(_)) => format!("from {address}"),
            (_, Some(_)) => format!("nearly all from {address}"),
            (many, None) => {
                let least = if self.are_more { "at least " } else { "" };
                format!("from {least}{many} addresses, {address} the most")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[(&str, u32)]) -> Askers {
        let mut askers = Askers::default();
        for (address, count) in counts {
            for _ in 0..*count {
                askers.add(100, Some(address.parse().unwrap()));
            }
        }
        askers
    }

    #[test]
    fn one_client_is_told_from_many() {
        let one = of(&[("10.0.0.1", 40)]);
        assert_eq!((one.words().as_str(), one.nearly_all()), ("from 10.0.0.1", "10.0.0.1".parse().ok()));
        assert_eq!(of(&[("10.0.0.2", 2), ("10.0.0.1", 40)]).words(), "nearly all from 10.0.0.1");
        let many = of(&[("10.0.0.2", 12), ("10.0.0.1", 40)]);
        assert_eq!((many.words().as_str(), many.nearly_all()), ("from 2 addresses, 10.0.0.1 the most", None));
        assert_eq!(Askers::default().words(), "");
    }

    #[test]
    fn they_are_bounded_and_forgotten() {
        let mut askers = of(&[("10.0.0.1", 400)]);
        for n in 0..40u8 {
            askers.add(100, Some([10, 9, 0, n].into()));
        }
        assert_eq!(askers.most.len(), FOLLOWED);
        assert!(askers.nearly_all().is_some() && askers.words().starts_with("nearly all from 10.0.0.1"));
        askers.add(130, Some([10, 9, 9, 9].into()));
        assert_eq!(askers.words(), "from 10.9.9.9");
    }
}
