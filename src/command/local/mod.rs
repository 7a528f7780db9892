//! The local interface: how a command speaks to a running `serve`, by HTTP over a Unix socket in the
//! state folder. `listen` is the socket, `ask` its client, each other file one thing to ask for, with
//! both ends of it. What `serve` answers is in `serve::local`.

pub(super) mod ask;
pub(super) mod episodes;
pub(super) mod leases;
pub(super) mod listen;

/// Name of the socket in the state folder.
const SOCKET: &str = "leasewatch.sock";
