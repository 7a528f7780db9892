//! Vault's own counters, made durable: Vault forgets a counter that was not
//! touched within its retention time, and starts it again from 0.

use super::families::Out;
use crate::contract::vault::ALL;
use crate::snapshot::{Kind, Metric};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The chosen counters of every node, by what stands between `leasewatch_vault_` and `_total`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    nodes: BTreeMap<String, BTreeMap<String, Durable>>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Durable {
    /// The raw value last told; 0 where it was absent.
    raw: f64,
    total: f64,
}

impl Counters {
    /// A scrape of a node. A raw value that fell, or was absent before, counts from 0.
    pub fn scraped(&mut self, node: &str, raw: &BTreeMap<String, f64>) {
        let counters = self.nodes.entry(node.to_owned()).or_default();
        for (what, _) in chosen() {
            match raw.get(what) {
                Some(&now) => {
                    let counter = counters.entry(what.to_owned()).or_default();
                    counter.total += if now >= counter.raw { now - counter.raw } else { now };
                    counter.raw = now;
                }
                None => {
                    if let Some(counter) = counters.get_mut(what) {
                        counter.raw = 0.0;
                    }
                }
            }
        }
    }

    pub(super) fn families(&self, out: &mut Out) {
        for (what, metric) in chosen() {
            let family = out.family(metric);
            for (node, counters) in &self.nodes {
                if let Some(counter) = counters.get(what) {
                    family.number([node.as_str()], counter.total);
                }
            }
        }
    }
}

/// The counters of the contract that are made of Vault's.
fn chosen() -> impl Iterator<Item = (&'static str, &'static Metric)> {
    ALL.iter().filter(|metric| metric.kind == Kind::Counter).filter_map(|metric| {
        let what = metric.name.strip_prefix("leasewatch_vault_")?.strip_suffix("_total")?;
        Some((what, *metric))
    })
}
