//! A simulated tenant: what `OpenBao` 2.7 writes into its audit log and its own
//! log while services, batch jobs, people and pipelines use it, and while an
//! attacker does, with the truth beside it.
//!
//! Pure: it reads no clock and touches no file. Equal scenarios give equal
//! lines on every machine. How people and machines behave here is written down
//! in docs/simulator.md; nothing of it is taken from the detector that scores it.
//!
//! ```
//! use leasewatch::simulator::{Log, Scenario, Size, World};
//! let mut world = World::new(&Scenario::weeks(7, 1).size(Size::small()));
//! let (mut line, mut responses) = (String::new(), 0);
//! while let Some((_, log)) = world.next_line(&mut line) {
//!     responses += u32::from(log == Log::Audit && line.contains(r#""type":"response""#));
//! }
//! assert!(responses > 1_000);
//! ```

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "random draws and spans of simulated time, all far inside their types"
)]
#![allow(
    clippy::single_match_else,
    clippy::manual_let_else,
    clippy::unused_self,
    clippy::maybe_infinite_iter,
    reason = "the two ways of a client stand side by side; a day that fits always comes"
)]

mod actors;
mod attack;
mod calendar;
mod catalog;
mod fate;
mod hex;
mod identity;
mod network;
mod population;
mod rng;
mod scenario;
mod slab;
mod staff;
mod state;
mod town;
mod truth;
mod vault;
mod world;

pub use attack::{Attack, AttackKind};
pub use scenario::{Attacks, Flood, Plan, Scenario, Size};
pub use state::{LeaseState, MountState, RoleState};
pub use truth::{Counters, Place, Truth};
pub use vault::Log;
pub use world::World;
