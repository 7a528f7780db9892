//! Lease IDs, for a person who is going to revoke: the only place that shows them.

use super::Leases;

/// What there is to revoke.
#[derive(Debug, PartialEq, Eq)]
pub struct Ids {
    /// One lease ID a line, in the order of the leases.
    pub lines: String,
    /// Leases whose ID nobody saw: their answer was wrapped.
    pub unknown: usize,
    /// Leases whose ID a shell or `xargs` would not take as one plain word.
    pub unsafe_words: usize,
}

/// The IDs of leases.
pub fn ids(leases: &Leases) -> Ids {
    let mut ids = Ids { lines: String::new(), unknown: 0, unsafe_words: 0 };
    for lease in &leases.leases {
        match &lease.id {
            None => ids.unknown += 1,
            Some(id) if !is_plain(id) => ids.unsafe_words += 1,
            Some(id) => {
                ids.lines += id;
                ids.lines.push('\n');
            }
        }
    }
    ids
}

/// One word to every tool it may be handed to, and no option of it.
fn is_plain(id: &str) -> bool {
    let may_stand = |c: char| c.is_alphanumeric() || "/._-@+=:,~".contains(c);
    !id.is_empty() && id.chars().all(may_stand) && !id.starts_with(['-', '~'])
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, examples};
    use super::*;

    #[test]
    fn only_ids_that_are_one_plain_word_are_given() {
        let mut leases = examples::leases();
        leases.leases[0].id = Some("--force".to_owned());
        leases.leases[1].id = Some("a/creds/x y/1".to_owned());
        leases.leases[2].id = Some("a/creds/x\n/1".to_owned());
        leases.select(&Filter::default());
        let ids = ids(&leases);
        assert_eq!(
            ids.lines,
            "database/creds/app/secret7\ndatabase/creds/report/secret4\ndatabase/creds/app/secret3\n"
        );
        assert_eq!((ids.unknown, ids.unsafe_words), (1, 3));
    }
}
