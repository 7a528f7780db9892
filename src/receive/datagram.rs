//! Datagrams: each is a line, or several, whole or not at all. What the system had no room for is
//! counted where the system says so.

use super::gate::Gate;
use super::listener::pause;
use super::tally::Dropped;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;
use tokio::net::{UdpSocket, UnixDatagram};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// More than any datagram: one over UDP has 64 KiB at most, one over a Unix socket what the
/// sender's buffer takes, mostly 208 KiB.
const LONGEST: usize = 1 << 20;

/// How often it is looked what the system has dropped.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Receives over UDP until stopped.
pub(super) async fn udp(socket: UdpSocket, gate: Gate, stop: CancellationToken) {
    let mut datagram = vec![0; LONGEST];
    let inode = inode(socket.as_fd());
    let mut lost = 0;
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut datagram) => received,
            _ = look.tick() => {
                if let Some(times) = inode.as_deref().and_then(drops) {
                    gate.tally.dropped(Dropped::Kernel, times.saturating_sub(lost));
                    lost = lost.max(times);
                }
                continue;
            }
            () = stop.cancelled() => return,
        };
        match received {
            Ok((n, peer)) if gate.admits(peer.ip()) => {
                gate.whole(&datagram[..n]);
            }
            Ok(_) => {}
            Err(error) => pause(&error).await,
        }
    }
}

/// Receives over a Unix socket until stopped. Nothing is lost there: its senders wait.
pub(super) async fn unix(socket: UnixDatagram, gate: Gate, stop: CancellationToken) {
    let mut datagram = vec![0; LONGEST];
    loop {
        let received = tokio::select! {
            received = socket.recv(&mut datagram) => received,
            () = stop.cancelled() => return,
        };
        match received {
            Ok(n) => {
                gate.whole(&datagram[..n]);
            }
            Err(error) => pause(&error).await,
        }
    }
}

/// The number by which the system's tables call a socket.
fn inode(socket: BorrowedFd<'_>) -> Option<String> {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
    Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
}

/// How many datagrams the system has dropped of this socket.
fn drops(inode: &str) -> Option<u64> {
    ["/proc/net/udp", "/proc/net/udp6"].iter().find_map(|table| {
        let table = std::fs::read_to_string(table).ok()?;
        dropped_in(&table, inode)
    })
}

/// In a table of `/proc/net`, the inode is the tenth field and the drops are the last.
fn dropped_in(table: &str, inode: &str) -> Option<u64> {
    let row = table.lines().find(|row| row.split_ascii_whitespace().nth(9) == Some(inode))?;
    row.split_ascii_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_what_it_dropped() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
            33: 0100007F:2616 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4242 2 000000003d1d7a0e 17\n";
        assert_eq!(dropped_in(table, "4242"), Some(17));
        assert_eq!(dropped_in(table, "17"), None);
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(drops(&inode(socket.as_fd()).unwrap()), Some(0));
        let to = socket.local_addr().unwrap();
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let datagram = vec![b'x'; 60_000];
        for _ in 0..1_000 {
            sender.send_to(&datagram, to).unwrap();
        }
        assert!(drops(&inode(socket.as_fd()).unwrap()) > Some(0));
    }
}
