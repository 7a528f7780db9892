//! The ledger in a checkpoint: its leases and tokens as bytes, beside the
//! JSON of the rest. Taking an image costs nothing and stops nobody; its bytes
//! are made when it is written.

use super::Ledger;
use super::book::{Book, Image};
use super::bytes::Reader;
use super::lease::Lease;
use super::token::{Token, Tokens};
use xxhash_rust::xxh3::Xxh3Default;

/// Leases and tokens of one moment.
#[derive(Debug)]
pub struct LedgerImage {
    leases: Image<Lease>,
    tokens: Image<Token>,
}

impl LedgerImage {
    /// Its bytes, piece by piece; the last piece proves the others.
    pub fn blocks(&self) -> impl Iterator<Item = Vec<u8>> {
        let mut sum = Xxh3Default::new();
        let mut pieces = self.leases.blocks().chain(self.tokens.blocks());
        let mut is_done = false;
        std::iter::from_fn(move || match pieces.next() {
            Some(piece) => {
                sum.update(&piece);
                Some(piece)
            }
            None if is_done => None,
            None => {
                is_done = true;
                Some(sum.digest().to_le_bytes().to_vec())
            }
        })
    }
}

impl Ledger {
    /// Its leases and tokens now.
    pub fn image(&self) -> LedgerImage {
        LedgerImage { leases: self.leases.image(), tokens: self.tokens.book.image() }
    }

    /// Takes up the leases and tokens that were saved.
    ///
    /// # Errors
    /// That the bytes are not what was saved.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let damaged = || "its ledger is damaged".to_owned();
        let (content, sum) = bytes.split_last_chunk::<8>().ok_or_else(damaged)?;
        let mut check = Xxh3Default::new();
        check.update(content);
        if check.digest().to_le_bytes() != *sum {
            return Err(damaged());
        }
        let mut reader = Reader(content);
        self.leases = Book::load(&mut reader).ok_or_else(damaged)?;
        self.tokens = Tokens::loaded(Book::load(&mut reader).ok_or_else(damaged)?);
        let hashes = self.leases.iter().filter(|(_, lease)| lease.hash != 0);
        self.by_hash = hashes.map(|(slot, lease)| (lease.hash, slot)).collect();
        Ok(())
    }
}
