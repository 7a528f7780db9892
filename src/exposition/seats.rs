//! Seats: the connections there are, of which there are only so many. When all are taken a new one gets the seat of
//! whoever holds most of them and has been quiet for longest, so that no flood of idle connections keeps anybody out.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// All seats.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    most: usize,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    seats: BTreeMap<u64, Seat>,
}

#[derive(Debug)]
struct Seat {
    network: IpAddr,
    phase: Phase,
    since: Instant,
    leave: CancellationToken,
}

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is asked for.
    Quiet,
    /// A request is being answered.
    Working,
    /// The answer is on its way.
    Answering,
}

/// One connection's seat; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    number: u64,
    table: Arc<Mutex<Table>>,
    leave: CancellationToken,
}

impl Seats {
    pub(super) fn new(most: usize) -> Self {
        Self { most, table: Arc::default() }
    }

    /// A seat for a connection from there; somebody else's if there is none.
    pub(super) fn take(&self, from: IpAddr) -> Ticket {
        let mut table = lock(&self.table);
        while table.seats.len() >= self.most {
            let Some(number) = table.weakest() else { break };
            if let Some(seat) = table.seats.remove(&number) {
                seat.leave.cancel();
            }
        }
        let (number, leave) = (table.next, CancellationToken::new());
        table.next += 1;
        let seat =
            Seat { network: network(from), phase: Phase::Quiet, since: Instant::now(), leave: leave.clone() };
        table.seats.insert(number, seat);
        Ticket { number, table: Arc::clone(&self.table), leave }
    }
}

impl Table {
    /// Of whoever holds most seats the one that has been quiet for longest.
    fn weakest(&self) -> Option<u64> {
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for seat in self.seats.values() {
            *held.entry(seat.network).or_default() += 1;
        }
        let most = held.values().max()?;
        let of_those = self.seats.iter().filter(|(_, seat)| held.get(&seat.network) == Some(most));
        of_those.min_by_key(|(_, seat)| (seat.phase != Phase::Quiet, seat.since)).map(|(number, _)| *number)
    }
}

impl Ticket {
    /// Until the seat is given to somebody else.
    pub(super) async fn taken(&self) {
        self.leave.cancelled().await;
    }

    /// A request has come.
    pub(super) fn working(&self) {
        self.turn(|_| Phase::Working);
    }

    /// Its answer is made.
    pub(super) fn answering(&self) {
        self.turn(|_| Phase::Answering);
    }

    /// All that was to be sent is sent.
    pub(super) fn sent(&self) {
        self.turn(|phase| if phase == Phase::Answering { Phase::Quiet } else { phase });
    }

    /// How long an answer has been on its way.
    pub(super) fn answering_for(&self) -> Duration {
        let table = lock(&self.table);
        let seat = table.seats.get(&self.number).filter(|seat| seat.phase == Phase::Answering);
        seat.map_or(Duration::ZERO, |seat| seat.since.elapsed())
    }

    fn turn(&self, to: impl FnOnce(Phase) -> Phase) {
        if let Some(seat) = lock(&self.table).seats.get_mut(&self.number) {
            let next = to(seat.phase);
            if next != seat.phase {
                seat.phase = next;
                seat.since = Instant::now();
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.table).seats.remove(&self.number);
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whom an address belongs to: of IPv6, one client has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn has_left(ticket: &Ticket) -> bool {
        ticket.leave.is_cancelled()
    }

    #[test]
    fn a_flood_takes_its_own_seats() {
        let seats = Seats::new(4);
        let scraper = seats.take(address("192.0.2.1"));
        let flood: Vec<_> = (0..20).map(|_| seats.take(address("198.51.100.7"))).collect();
        assert!(!has_left(&scraper));
        assert_eq!(flood.iter().filter(|ticket| !has_left(ticket)).count(), 3);
        // A newcomer gets one of the flood's, and of these not the one that is being answered.
        flood[17].working();
        let late = seats.take(address("192.0.2.2"));
        assert!(!has_left(&late) && !has_left(&scraper) && !has_left(&flood[17]) && has_left(&flood[18]));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client_and_an_ended_connection_leaves_room() {
        let seats = Seats::new(3);
        let scraper = seats.take(address("2001:db8:1::1"));
        let first = seats.take(address("2001:db8:2::1"));
        let second = seats.take(address("2001:db8:2::2"));
        let other = seats.take(address("2001:db8:3::1"));
        assert!(has_left(&first) && !has_left(&second) && !has_left(&scraper) && !has_left(&other));
        drop(second);
        let more = seats.take(address("192.0.2.1"));
        assert!(![&scraper, &other, &more].into_iter().any(has_left));
    }

    #[test]
    fn an_answer_is_on_its_way_until_it_is_sent() {
        let ticket = Seats::new(1).take(address("192.0.2.1"));
        ticket.working();
        // What is flushed while it is being made is not the answer.
        ticket.sent();
        assert_eq!(lock(&ticket.table).seats[&0].phase, Phase::Working);
        ticket.answering();
        std::thread::sleep(Duration::from_millis(1));
        assert!(ticket.answering_for() > Duration::ZERO);
        ticket.sent();
        assert_eq!(ticket.answering_for(), Duration::ZERO);
    }
}
