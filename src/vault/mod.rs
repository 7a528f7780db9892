//! Vault's API as a source: scrapes, to observations and to gauges.
