//! Requests in flight: joins request and response entries, so that an
//! exchange counts once however many devices and nodes logged it, latency is
//! known, and a request without a response is seen.

use super::SourceId;
use super::labels::MountId;
use crate::event::{RequestId, Timestamp};
use foldhash::HashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::VecDeque;

/// A request without a response is given up after this long, in seconds:
/// Vault's `max_request_duration` is 90 by default, and rarely more than 300.
const GIVE_UP_SECS: i64 = 300;
/// How long a finished request is remembered, in seconds, so that another
/// device's entry of it is not counted again.
const REMEMBER_SECS: i64 = 120;
/// How many finished requests are remembered at most.
const REMEMBER_MOST: usize = 1 << 17;
/// How many requests may be in flight at most; beyond, the oldest is given up.
const OPEN_MOST: usize = 1 << 17;

/// Requests in flight, and those just finished.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Flight {
    open: Ids<Open>,
    done: Ids<()>,
    own: Ids<()>,
    /// Markers that were told before their request was sent, each with the one
    /// request that has borne it.
    markers: Ids<Option<Id>>,
}

/// A request ID, as it is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Id(RequestId);

impl From<Id> for String {
    fn from(Id(id): Id) -> Self {
        format!("{:032x}", id.0)
    }
}

impl TryFrom<String> for Id {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(|id| Self(RequestId(id)))
    }
}

/// A request whose response has not come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Open {
    /// The mount it was routed to.
    pub mount: MountId,
    /// A standby handed it on to the node that logged it.
    #[serde(default)]
    relayed: bool,
    /// The node that logged it left it to another: nobody here waits for an answer.
    #[serde(default)]
    left: bool,
    /// When a source logged it.
    seen: (SourceId, Timestamp),
    /// The same of further sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also: Vec<(SourceId, Timestamp)>,
}

/// What a response entry means for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The first word of this exchange's end. With the nanoseconds since the
    /// same source logged the request, if it did.
    First(Option<i64>),
    /// Another device or node has told it already.
    Repeated,
    /// It is the exporter's own.
    Own,
}

impl Flight {
    /// A request entry; `relayed`: that a standby handed on to the node that logged it.
    pub fn request(&mut self, id: RequestId, source: SourceId, at: Timestamp, mount: MountId, relayed: bool) {
        if self.done.contains(id) || self.own.contains(id) {
            return;
        }
        if let Some(open) = self.open.get_mut(id) {
            open.relayed |= relayed;
            open.also.push((source, at));
        } else {
            let open = Open { mount, relayed, left: false, seen: (source, at), also: Vec::new() };
            self.open.insert(id, at, open);
        }
    }

    /// A request whose answer has not been seen.
    pub fn waits(&self, id: RequestId) -> bool {
        self.open.contains(id)
    }

    /// A response entry.
    pub fn response(&mut self, id: RequestId, source: SourceId, at: Timestamp) -> Arrival {
        if self.own.contains(id) {
            self.open.remove(id);
            return Arrival::Own;
        }
        // What is done is not open: `request` sees to that.
        let open = self.open.remove(id);
        if !self.done.insert(id, at, ()) {
            return Arrival::Repeated;
        }
        let asked = open.and_then(|open| {
            std::iter::once(&open.seen).chain(&open.also).find(|(from, _)| *from == source).map(|(_, at)| *at)
        });
        Arrival::First(asked.map(|asked| at.nanos_since(asked).max(0)))
    }

    /// The exchange is over without (or before) a response. `false` if it already was.
    pub fn finish(&mut self, id: RequestId, at: Timestamp) -> bool {
        self.open.remove(id);
        self.done.insert(id, at, ())
    }

    /// A standby left the request to the active node: no end of it, and nothing in flight here.
    /// It stays known, since each of the standby's devices logs both of its entries.
    pub fn forwarded(&mut self, id: RequestId) {
        if let Some(open) = self.open.get_mut(id) {
            open.left = true;
        }
    }

    /// Whether the node that logged this request handed it on to another: it logged the request
    /// as its own client's.
    pub fn hands_on(&mut self, id: RequestId) -> bool {
        self.open.get_mut(id).is_some_and(|open| !open.relayed)
    }

    /// A request of the exporter's own, wherever its entries are.
    pub fn own(&mut self, id: RequestId, at: Timestamp) {
        self.open.remove(id);
        // Written once more, it would stay for as long again.
        if !self.own.contains(id) {
            self.own.insert(id, at, ());
        }
    }

    /// More is in flight or remembered than should be: `advance` makes room.
    pub fn is_full(&self) -> bool {
        self.open.order.len() > 2 * OPEN_MOST || self.done.order.len() > 2 * REMEMBER_MOST
    }

    /// A request of the exporter's own is about to be sent, and will bear this marker.
    pub fn own_marker(&mut self, marker: RequestId, at: Timestamp) {
        self.markers.insert(marker, at, None);
    }

    /// An entry bears a marker: its request is the exporter's own if the marker
    /// was told, and if no other request has borne it.
    pub fn marked(&mut self, marker: RequestId, id: RequestId, at: Timestamp) {
        if let Some(bearer) = self.markers.get_mut(marker)
            && *bearer.get_or_insert(Id(id)) == Id(id)
        {
            self.own(id, at);
        }
    }

    /// Forgets what is old at `now`, and hands out the requests that are given up.
    pub fn advance(&mut self, now: Timestamp, mut given_up: impl FnMut(Open)) {
        self.open.expire(now.plus_secs(-GIVE_UP_SECS), OPEN_MOST, |_, open| {
            if !open.left {
                given_up(open);
            }
        });
        self.done.expire(now.plus_secs(-REMEMBER_SECS), REMEMBER_MOST, |_, ()| {});
        self.own.expire(now.plus_secs(-GIVE_UP_SECS), REMEMBER_MOST, |_, ()| {});
        self.markers.expire(now.plus_secs(-GIVE_UP_SECS), REMEMBER_MOST, |_, _| {});
    }
}

/// Values by request ID, in the order of their coming.
///
/// Vault draws the IDs, so a quick hash with a random seed will do.
#[derive(Debug)]
struct Ids<T> {
    values: HashMap<RequestId, T>,
    order: VecDeque<(Timestamp, RequestId)>,
}

impl<T> Default for Ids<T> {
    fn default() -> Self {
        Self { values: HashMap::default(), order: VecDeque::new() }
    }
}

impl<T> Ids<T> {
    fn contains(&self, id: RequestId) -> bool {
        self.values.contains_key(&id)
    }

    fn get_mut(&mut self, id: RequestId) -> Option<&mut T> {
        self.values.get_mut(&id)
    }

    /// `false` if it was there already, with another value.
    fn insert(&mut self, id: RequestId, at: Timestamp, value: T) -> bool {
        let is_new = self.values.insert(id, value).is_none();
        if is_new {
            self.order.push_back((at, id));
        }
        is_new
    }

    /// Its place in the order stays until it is passed.
    fn remove(&mut self, id: RequestId) -> Option<T> {
        self.values.remove(&id)
    }

    fn expire(&mut self, before: Timestamp, most: usize, mut gone: impl FnMut(RequestId, T)) {
        while let Some((at, id)) = self.order.front().copied() {
            let over = self.values.len() > most || self.order.len() > 2 * most;
            if at >= before && !over && self.values.contains_key(&id) {
                break;
            }
            self.order.pop_front();
            if let Some(value) = self.values.remove(&id) {
                gone(id, value);
            }
        }
    }
}

/// Written as a list in the order of coming: `[nanoseconds, "id", value]`.
impl<T: Serialize> Serialize for Ids<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.order.iter().filter_map(|(at, id)| {
                self.values.get(id).map(|value| (at, format!("{:032x}", id.0), value))
            }),
        )
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ids<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut ids = Self::default();
        for (at, id, value) in Vec::<(Timestamp, String, T)>::deserialize(deserializer)? {
            let id = u128::from_str_radix(&id, 16).map_err(serde::de::Error::custom)?;
            ids.insert(RequestId(id), at, value);
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SourceId = SourceId(0);
    const B: SourceId = SourceId(1);
    const ID: RequestId = RequestId(7);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn an_exchange_on_two_devices_counts_once_and_is_timed_by_one_device() {
        let mut flight = Flight::default();
        flight.request(ID, A, at(1), MountId::UNKNOWN, false);
        flight.request(ID, B, at(2), MountId::UNKNOWN, false);
        assert_eq!(flight.response(ID, B, at(5)), Arrival::First(Some(3_000_000_000)));
        assert_eq!(flight.response(ID, A, at(5)), Arrival::Repeated);
        flight.request(ID, A, at(6), MountId::UNKNOWN, false);
        assert!(flight.open.values.is_empty());
    }

    #[test]
    fn a_request_without_a_response_is_given_up_once() {
        let mut flight = Flight::default();
        flight.request(ID, A, at(0), MountId::OTHER, false);
        let mut given_up = Vec::new();
        flight.advance(at(GIVE_UP_SECS), |open| given_up.push(open.mount));
        assert!(given_up.is_empty());
        flight.advance(at(GIVE_UP_SECS + 1), |open| given_up.push(open.mount));
        flight.advance(at(GIVE_UP_SECS + 2), |open| given_up.push(open.mount));
        assert_eq!(given_up, [MountId::OTHER]);
    }

    #[test]
    fn a_marker_hides_one_request_and_only_if_it_was_told() {
        let (mut flight, marker, other) = (Flight::default(), RequestId(70), RequestId(8));
        flight.marked(marker, ID, at(0));
        assert_eq!(flight.response(ID, A, at(0)), Arrival::First(None));
        flight.own_marker(marker, at(1));
        for (id, arrival) in [(RequestId(9), Arrival::Own), (other, Arrival::First(None))] {
            flight.marked(marker, id, at(2));
            assert_eq!(flight.response(id, A, at(3)), arrival);
        }
    }

    #[test]
    fn what_is_remembered_survives_a_restart_and_ends() {
        let mut flight = Flight::default();
        flight.request(ID, A, at(0), MountId::UNKNOWN, false);
        flight.response(ID, A, at(1));
        let saved = serde_json::to_string(&flight).unwrap();
        let mut flight: Flight = serde_json::from_str(&saved).unwrap();
        assert_eq!(flight.response(ID, B, at(2)), Arrival::Repeated);
        flight.advance(at(2 + REMEMBER_SECS), |_| {});
        assert_eq!(flight.response(ID, B, at(3)), Arrival::First(None));
    }
}
