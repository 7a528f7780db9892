//! Receiving: lines that audit devices other than files send, on their way to a spool.
//!
//! ```text
//!  connections ─► assembly ─┐
//!  datagrams ───────────────┼─► gate ─► queue (bounded) ─► writer ─► spool, tailed like any log
//!  bodies of POSTs ─────────┘             └─ full: dropped, and counted by reason
//! ```
//!
//! Vault waits for its devices. So what comes is read at once, on a thread that does nothing else and
//! never waits for the disk, a lock of the counting, or a peer. What the lines mean is not known here.

mod assembly;
mod board;
mod datagram;
mod door;
mod gate;
mod http;
mod listener;
mod queue;
mod stream;
mod tally;
mod writer;

pub use board::{Board, Report, written_down};

use crate::config::{ReceiveConfig, ReceiverAddress};
use crate::store::{Spool, Store, StoreError};
use crate::web::WebConfigError;
use assembly::Room;
use door::Door;
use gate::Gate;
use listener::Listener;
use queue::Queue;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use writer::Writer;

/// Bytes of lines that may wait for the disk, beside one of the greatest length.
const WAITING: usize = 32 << 20;

/// How long the end of the program waits for what waits.
const WRITTEN_WITHIN: Duration = Duration::from_secs(2);

/// What keeps a receiver from starting.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// Its address cannot be had.
    #[error("cannot receive the log {source_name} at {address}: {error}. {}", remedy(.error))]
    Bind {
        /// Name of the log.
        source_name: String,
        /// Where.
        address: ReceiverAddress,
        /// What the system said.
        error: io::Error,
    },
    /// Its TLS and passwords cannot be had.
    #[error("receive.config.file: {0}")]
    Door(#[from] WebConfigError),
    /// What came of it before cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether an address can be had now.
///
/// # Errors
/// Why not.
pub fn probe(address: &ReceiverAddress) -> io::Result<()> {
    Listener::bind(address).map(drop)
}

/// Whether the file with TLS and passwords is as these addresses need it.
///
/// # Errors
/// What is wrong with it.
pub fn probe_file<'a>(
    config: &ReceiveConfig,
    addresses: impl Iterator<Item = &'a ReceiverAddress>,
) -> Result<(), WebConfigError> {
    Door::open(config, addresses).map(drop)
}

/// What the operator can do about an address that cannot be had.
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "Another process has it: stop that, or take another address",
        io::ErrorKind::NotFound => "Make the folder of the socket, for the user that leasewatch runs as",
        io::ErrorKind::PermissionDenied => {
            "Take a port above 1023, or a folder that the user of leasewatch may write to"
        }
        io::ErrorKind::AddrNotAvailable => "Take an address of this machine",
        io::ErrorKind::AlreadyExists => "Name a path where nothing is",
        _ => "Take another address",
    }
}

/// One log that is received.
#[derive(Debug)]
pub struct Receiver {
    /// Name of the log, the label `source`.
    pub source: String,
    /// Where.
    pub address: ReceiverAddress,
    /// Where its lines go.
    pub spool: Spool,
}

/// All receivers, bound and not yet listened to.
pub struct Receivers {
    bound: Vec<(Receiver, Listener)>,
    board: Board,
    config: Arc<ReceiveConfig>,
    door: Door,
    most: usize,
}

impl Receivers {
    /// Binds every address. Lines of up to `most` bytes are taken.
    ///
    /// # Errors
    /// That an address cannot be had, or the file with TLS and passwords not be used.
    pub fn bind(
        receivers: Vec<Receiver>,
        config: &ReceiveConfig,
        most: usize,
        store: &Store,
    ) -> Result<Self, ReceiveError> {
        let names: Vec<_> = receivers
            .iter()
            .map(|receiver| (receiver.source.clone(), receiver.address.to_string()))
            .collect();
        let door = Door::open(config, receivers.iter().map(|receiver| &receiver.address))?;
        let board = Board::open(store, &names)?.behind(door.clone());
        let mut bound = Vec::new();
        for receiver in receivers {
            let listener = Listener::bind(&receiver.address).map_err(|error| ReceiveError::Bind {
                source_name: receiver.source.clone(),
                address: receiver.address.clone(),
                error,
            })?;
            tracing::info!(source = %receiver.source, address = %receiver.address, "Receiving");
            bound.push((receiver, listener));
        }
        Ok(Self { bound, board, config: Arc::new(config.clone()), door, most })
    }

    /// What comes of what is received.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Receives until stopped, on threads of its own; `ring` tells whoever reads the spools.
    ///
    /// # Errors
    /// That a thread or its runtime cannot be had.
    pub fn start(self, ring: &Arc<dyn Fn() + Send + Sync>, stop: CancellationToken) -> io::Result<Receiving> {
        let mut receiving = Receiving { threads: Vec::new(), queues: Vec::new() };
        if self.bound.is_empty() {
            return Ok(receiving);
        }
        let room = Room::new(self.most.saturating_mul(2).max(WAITING));
        let mut gates = Vec::new();
        for (receiver, listener) in self.bound {
            let queue = Arc::new(Queue::new(self.most.saturating_add(WAITING)));
            let tally = self.board.tally(&receiver.source).unwrap_or_default();
            let writer = Writer {
                name: receiver.source.clone(),
                spool: receiver.spool,
                most: self.config.spool_limit,
                queue: Arc::clone(&queue),
                tally: Arc::clone(&tally),
                ring: Arc::clone(ring),
                unseen: 0,
            };
            let name = format!("spool-{}", receiver.source);
            receiving.threads.push(std::thread::Builder::new().name(name).spawn(|| writer.run())?);
            receiving.queues.push(Arc::clone(&queue));
            let gate = Gate {
                queue,
                tally,
                config: Arc::clone(&self.config),
                door: self.door.clone(),
                most: self.most,
                room: room.clone(),
            };
            gates.push((receiver.source, listener, gate));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let queues = receiving.queues.clone();
        let thread = std::thread::Builder::new().name("receive".to_owned()).spawn(move || {
            runtime.block_on(async {
                let mut all = tokio::task::JoinSet::new();
                for (source, listener, gate) in gates {
                    let stop = stop.clone();
                    all.spawn(async move {
                        if let Err(error) = listener.run(gate, stop).await {
                            tracing::error!(%source, %error, "Cannot receive; start leasewatch anew");
                        }
                    });
                }
                all.join_all().await;
            });
            // What came is written; nothing more comes.
            for queue in queues {
                queue.close();
            }
        })?;
        receiving.threads.push(thread);
        Ok(receiving)
    }
}

/// The threads that receive.
pub struct Receiving {
    threads: Vec<JoinHandle<()>>,
    queues: Vec<Arc<Queue>>,
}

impl Receiving {
    /// Waits, after the stop, until what came is written, but for a disk that takes nothing.
    pub fn stopped(self) {
        let end = Instant::now() + WRITTEN_WITHIN;
        while Instant::now() < end {
            if self.threads.iter().all(JoinHandle::is_finished) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        for queue in self.queues {
            queue.close();
        }
        tracing::error!(
            "What was received last could not be written before the end: look at the disk of the state folder"
        );
    }
}
