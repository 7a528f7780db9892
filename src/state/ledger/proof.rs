//! Proof: what the ledger may claim. Whether every end is seen, up to which
//! moment, and whether the node that is watched is the active one.
//!
//! The server log proves itself: an end that nobody had asked for shows that
//! such lines are written and read. What a stream once shows it goes on
//! showing until it has a gap, another node takes over, or it falls silent
//! although ends fell due.

use crate::event::Timestamp;
use serde::{Deserialize, Serialize};

/// A node of the cluster, by its place among those that were heard of; what is not
/// told of any node in particular is of the node without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeId(u16);

/// What is known of a node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Node {
    name: String,
    /// Since when its server log is read without a gap.
    server_since: Option<Timestamp>,
    /// Its server log has a gap that ends with its next line.
    is_torn: bool,
    /// Time of the last line of any of its logs.
    last_line: Option<Timestamp>,
}

/// What the ledger may claim.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Proof {
    nodes: Vec<Node>,
    /// Times that a stream of a server log broke or lost lines, where one was asked for.
    stream_gaps: Option<u64>,
    /// The active node, as far as the logs tell.
    active: Option<NodeId>,
    /// The logs say that no node that is watched is active.
    is_passive: bool,
    /// There was an election, so that another node may be the active one.
    is_clustered: bool,
    /// Since when every end is seen.
    since: Option<Timestamp>,
    /// When it was last found not to tell everything: what it showed before proves nothing after.
    broken_at: Option<Timestamp>,
    /// The last word of the server log about any lease.
    last_word: Option<Timestamp>,
    /// Since when the active node revokes what is due; nothing while it still reads its leases.
    revoking_since: Option<Timestamp>,
    is_restoring: bool,
}

impl Proof {
    /// The node of that name.
    pub(super) fn node(&mut self, name: &str) -> NodeId {
        // Most often there is one node, without a name; see `engine::pattern` for what `"" == ""` costs.
        let is_it = |node: &Node| node.name.len() == name.len() && (name.is_empty() || node.name == name);
        let at = self.nodes.iter().position(is_it).unwrap_or_else(|| {
            self.nodes.push(Node { name: name.to_owned(), ..Node::default() });
            self.nodes.len() - 1
        });
        NodeId(u16::try_from(at).unwrap_or(u16::MAX))
    }

    fn get(&mut self, node: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(usize::from(node.0))
    }

    fn is_named(&self, node: NodeId) -> bool {
        self.nodes.get(usize::from(node.0)).is_some_and(|node| !node.name.is_empty())
    }

    /// A line of one of a node's logs.
    pub(super) fn line(&mut self, node: NodeId, is_server_log: bool, at: Timestamp) {
        let Some(node) = self.get(node) else { return };
        node.last_line = node.last_line.max(Some(at));
        if is_server_log && (node.server_since.is_none() || node.is_torn) {
            node.server_since = Some(at);
            node.is_torn = false;
        }
    }

    /// Lines of a node's server log were lost, after what was read by `at`.
    pub(super) fn gap(&mut self, node: NodeId, at: Timestamp) {
        if let Some(node) = self.get(node) {
            node.is_torn = true;
        }
        if self.active.is_none_or(|active| active == node || !self.is_named(node)) {
            self.broken(at);
        }
    }

    /// The same of a stream, which counts its gaps: before its first line it has lost none, and
    /// until it goes on it is all one gap.
    pub(super) fn stream_gap(&mut self, node: NodeId, at: Timestamp) {
        let is_new = self.get(node).is_some_and(|node| node.server_since.is_some() && !node.is_torn);
        *self.stream_gaps.get_or_insert(0) += u64::from(is_new);
        self.gap(node, at);
    }

    /// How often streams of server logs broke or lost lines; nothing where none was asked for.
    pub(super) fn stream_gaps(&self) -> Option<u64> {
        self.stream_gaps
    }

    fn broken(&mut self, at: Timestamp) {
        self.since = None;
        self.broken_at = self.broken_at.max(Some(at));
    }

    /// Only the active node does this: it issues, and it revokes.
    pub(super) fn acted(&mut self, node: NodeId, at: Timestamp) {
        self.is_passive = false;
        if !self.is_named(node) || self.active == Some(node) {
            return;
        }
        // Another node has taken over: is its server log read, and was it before?
        let continues = self.active.is_none()
            || self
                .get(node)
                .is_some_and(|node| !node.is_torn && node.server_since.is_some_and(|since| since <= at));
        if !continues {
            self.broken(at);
        }
        self.active = Some(node);
    }

    /// A node was elected. `false` if nobody knows who was active before it: it is the only node
    /// that is watched, so that what was issued and what ended meanwhile was not seen.
    pub(super) fn elected(&mut self, node: NodeId, at: Timestamp) -> bool {
        self.is_clustered = true;
        let watched = self.nodes.iter().filter(|node| node.server_since.is_some()).count();
        if watched > 1 {
            self.acted(node, at);
            return true;
        }
        self.broken(at);
        if let Some(node) = self.get(node) {
            node.server_since = Some(at);
        }
        self.active = None;
        self.acted(node, at);
        false
    }

    /// A node says that it is not active any more.
    pub(super) fn stepped_down(&mut self, node: NodeId) {
        if !self.is_named(node) || self.active.is_none_or(|active| active == node) {
            self.is_passive = true;
        }
    }

    /// The server log has said something of a lease.
    pub(super) fn word(&mut self, node: NodeId, at: Timestamp) {
        self.acted(node, at);
        self.last_word = self.last_word.max(Some(at));
    }

    /// An end that nobody had asked for was seen at `at`.
    pub(super) fn automatic_end(&mut self, at: Timestamp) {
        if self.since.is_some() || self.broken_at.is_some_and(|broken| at <= broken) {
            return;
        }
        let active = self.active.unwrap_or(NodeId(0));
        let of = |node: &Node| node.server_since.filter(|_| !node.is_torn);
        let stream = self.nodes.get(usize::from(active.0)).and_then(of);
        let unnamed = self.nodes.iter().find(|node| node.name.is_empty()).and_then(of);
        let stream =
            stream.or(unnamed).filter(|stream| self.broken_at.is_none_or(|broken| *stream >= broken));
        self.since = Some(stream.unwrap_or(at));
    }

    /// A lease was due at `due`, and ten minutes later nothing had been said of it. If nothing
    /// had been said of any lease since, the log has fallen silent.
    pub(super) fn unheard(&mut self, due: Timestamp, now: Timestamp) {
        if self.since.is_some() && self.last_word.is_none_or(|word| word < due) {
            self.broken(now);
        }
    }

    /// Since when every end is seen, if it is.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// The active node begins to read its leases, and revokes none until it has.
    pub(super) fn restoring(&mut self) {
        self.is_restoring = true;
    }

    /// It has read them: what fell due meanwhile is revoked from now on.
    pub(super) fn restored(&mut self, at: Timestamp) {
        self.is_restoring = false;
        self.revoking_since = Some(at);
    }

    /// What fell due before is as if it fell due then; nothing while nothing is revoked, and
    /// nothing can be late.
    pub(super) fn revoking_since(&self) -> Option<Timestamp> {
        (!self.is_restoring).then(|| self.revoking_since.unwrap_or(Timestamp::MIN))
    }

    /// Up to when claims hold: the last line of the active node, since a node that has died
    /// revokes nothing and says nothing.
    pub(super) fn horizon(&self) -> Timestamp {
        let active = self.active.and_then(|active| self.nodes.get(usize::from(active.0)));
        let unnamed = self.nodes.iter().filter(|node| node.name.is_empty() || active.is_none());
        active.into_iter().chain(unnamed).filter_map(|node| node.last_line).max().unwrap_or(Timestamp::MIN)
    }

    /// Another node than the watched ones is active, or may be, so that nothing is said of leases.
    /// A server that is alone and sealed still has the leases it had.
    pub(super) fn is_passive(&self) -> bool {
        self.is_passive && self.is_clustered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_stream_is_proven_from_its_beginning_and_until_its_gap() {
        let mut proof = Proof::default();
        let node = proof.node("");
        proof.line(node, true, at(1));
        assert_eq!(proof.since(), None);
        proof.automatic_end(at(9));
        assert_eq!(proof.since(), Some(at(1)));
        proof.gap(node, at(10));
        assert_eq!(proof.since(), None);
        // Read before, and decided only now.
        proof.automatic_end(at(10));
        assert_eq!(proof.since(), None);
        proof.line(node, true, at(20));
        proof.automatic_end(at(25));
        assert_eq!(proof.since(), Some(at(20)));
    }

    #[test]
    fn a_stream_counts_each_gap_once() {
        let mut proof = Proof::default();
        let node = proof.node("");
        assert_eq!(proof.stream_gaps(), None);
        proof.stream_gap(node, at(1));
        assert_eq!(proof.stream_gaps(), Some(0));
        proof.line(node, true, at(2));
        // It breaks, and says so again when it goes on.
        proof.stream_gap(node, at(3));
        proof.stream_gap(node, at(5));
        assert_eq!(proof.stream_gaps(), Some(1));
        proof.line(node, true, at(5));
        proof.line(node, true, at(6));
        proof.stream_gap(node, at(7));
        assert_eq!(proof.stream_gaps(), Some(2));
    }

    #[test]
    fn a_takeover_breaks_it_only_where_the_new_node_is_not_read() {
        let mut proof = Proof::default();
        let [a, b, c] = ["a", "b", "c"].map(|name| proof.node(name));
        proof.line(a, true, at(1));
        proof.line(b, true, at(1));
        proof.word(a, at(2));
        proof.automatic_end(at(2));
        proof.stepped_down(a);
        assert!(!proof.is_passive());
        assert!(proof.elected(a, at(3)));
        proof.stepped_down(a);
        assert!(proof.is_passive());
        assert!(proof.elected(b, at(4)));
        assert!(!proof.is_passive());
        assert_eq!(proof.since(), Some(at(1)));
        proof.line(c, false, at(5));
        proof.acted(c, at(5));
        assert_eq!(proof.since(), None);
        assert_eq!(proof.horizon(), at(5));
        // A standby's own end says nothing of the active node.
        proof.stepped_down(a);
        assert!(!proof.is_passive());
    }

    #[test]
    fn an_election_after_unseen_times_starts_anew() {
        let mut proof = Proof::default();
        let node = proof.node("a");
        proof.line(node, true, at(1));
        proof.word(node, at(2));
        proof.automatic_end(at(2));
        proof.stepped_down(node);
        assert!(!proof.elected(node, at(50)));
        assert!(!proof.is_passive() && proof.since().is_none());
        proof.automatic_end(at(60));
        assert_eq!(proof.since(), Some(at(50)));
    }

    #[test]
    fn silence_ends_the_proof_and_what_came_before_proves_nothing() {
        let mut proof = Proof::default();
        let node = proof.node("");
        proof.line(node, true, at(1));
        proof.word(node, at(2));
        proof.automatic_end(at(2));
        proof.unheard(at(1), at(700));
        assert_eq!(proof.since(), Some(at(1)));
        proof.unheard(at(100), at(700));
        assert_eq!(proof.since(), None);
        proof.automatic_end(at(800));
        assert_eq!(proof.since(), Some(at(800)));
    }
}
