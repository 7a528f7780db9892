//! The web configuration file: who may connect, by which TLS, and with which password. Its keys are those of
//! Prometheus's exporters, so that a file of theirs serves here unchanged.
//!
//! | file | its noun |
//! |---|---|
//! | `file.rs` | the keys of the file, each value with its line |
//! | `problem.rs` | what is wrong with it |
//! | `words.rs` | Go's names of versions, cipher suites and curves |
//! | `tls.rs`, `client.rs` | how TLS is spoken; which certificates of clients are taken |
//! | `rules.rs` | all that a file comes to, together with the files it names |
//! | `gate.rs` | the rules that hold now: a changed file is read again, a bad one is not followed |
//! | `basic.rs` | user and password of a request |
//! | `password.rs` | checking a password: slowly once, quickly after |
//! | `rate.rs` | requests in a time |
//! | `turned_away.rs` | refused requests and failed handshakes, by reason |
//!
//! It serves nothing: that is `exposition`'s, and `receive`'s, which has such a file of its own.

mod basic;
mod client;
mod file;
mod gate;
mod password;
mod problem;
mod rate;
mod rules;
mod tls;
mod turned_away;
mod words;

pub use basic::credentials;
pub use gate::Gate;
pub use password::Verdict;
pub use problem::WebConfigError;
pub use rules::Rules;
pub use turned_away::{Handshake, Refusal, TurnedAway};
