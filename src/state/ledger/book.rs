//! A book of records: many of one kind, found by a key or by their slot, in
//! chunks that a checkpoint can share while the reading goes on. A chunk that
//! is written to while a checkpoint still holds it is copied first.

use super::bytes::{Reader, put};
use hashbrown::HashTable;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Records in a chunk.
const CHUNK: usize = 1024;

/// A record of fixed size.
pub(super) trait Record: Copy {
    /// What it is found by: unique, and as good as random.
    fn key(&self) -> NonZeroU64;
    fn write(&self, out: &mut Vec<u8>);
    fn read(bytes: &mut Reader<'_>) -> Option<Self>;
}

/// A key has a niche, so that an empty slot costs nothing.
type Chunk<T> = Vec<Option<T>>;

/// Records by slot and by key.
#[derive(Debug)]
pub(super) struct Book<T> {
    chunks: Vec<Arc<Chunk<T>>>,
    /// Empty slots, to be used again from the end.
    free: Vec<u32>,
    by_key: HashTable<u32>,
}

/// The records of one moment.
#[derive(Debug)]
pub(super) struct Image<T>(Vec<Arc<Chunk<T>>>);

impl<T> Default for Book<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), by_key: HashTable::new() }
    }
}

impl<T: Record> Book<T> {
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn get(&self, slot: u32) -> Option<&T> {
        let slot = slot as usize;
        self.chunks.get(slot / CHUNK)?.get(slot % CHUNK)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        let slot = slot as usize;
        Arc::make_mut(self.chunks.get_mut(slot / CHUNK)?).get_mut(slot % CHUNK)?.as_mut()
    }

    pub(super) fn find(&self, key: NonZeroU64) -> Option<u32> {
        let is_it = |slot: &u32| self.get(*slot).is_some_and(|record| record.key() == key);
        self.by_key.find(key.get(), is_it).copied()
    }

    /// A record whose key is not there yet. Its slot.
    pub(super) fn insert(&mut self, record: T) -> u32 {
        if self.free.is_empty() {
            self.grow();
        }
        let slot = self.free.pop().unwrap_or(0);
        self.put(slot, record);
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<T> {
        let at = slot as usize;
        let record = Arc::make_mut(self.chunks.get_mut(at / CHUNK)?).get_mut(at % CHUNK)?.take()?;
        if let Ok(entry) = self.by_key.find_entry(record.key().get(), |other| *other == slot) {
            entry.remove();
        }
        self.free.push(slot);
        Some(record)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let slots = self.chunks.iter().flat_map(|chunk| chunk.iter());
        (0u32..).zip(slots).filter_map(|(slot, record)| Some((slot, record.as_ref()?)))
    }

    /// How many slots there are, empty ones too.
    pub(super) fn places(&self) -> u32 {
        u32::try_from(self.chunks.len() * CHUNK).unwrap_or(u32::MAX)
    }

    /// The slots of the records of which this holds, in their order.
    pub(super) fn slots(&self, holds: impl Fn(&T) -> bool) -> Vec<u32> {
        self.iter().filter(|(_, record)| holds(record)).map(|(slot, _)| slot).collect()
    }

    /// The records as they are now, at no cost.
    pub(super) fn image(&self) -> Image<T> {
        Image(self.chunks.clone())
    }

    /// A book of what `Image::blocks` wrote; `None` where the bytes are not that.
    pub(super) fn load(bytes: &mut Reader<'_>) -> Option<Self> {
        let mut book = Self::default();
        let slots = bytes.u32()?;
        while book.chunks.len() * CHUNK < slots as usize {
            book.grow();
        }
        let mut taken = vec![false; slots as usize];
        loop {
            let slot = bytes.u32()?;
            if slot == u32::MAX {
                break;
            }
            *taken.get_mut(slot as usize)? = true;
            let record = T::read(bytes)?;
            book.put(slot, record);
        }
        book.free = (0..slots).rev().filter(|slot| !taken[*slot as usize]).collect();
        Some(book)
    }

    fn put(&mut self, slot: u32, record: T) {
        let at = slot as usize;
        if let Some(place) = self.chunks.get_mut(at / CHUNK) {
            Arc::make_mut(place)[at % CHUNK] = Some(record);
        }
        let chunks = &self.chunks;
        let key_of = |slot: &u32| {
            let at = *slot as usize;
            chunks[at / CHUNK][at % CHUNK].as_ref().map_or(0, |record| record.key().get())
        };
        self.by_key.insert_unique(record.key().get(), slot, key_of);
    }

    fn grow(&mut self) {
        let first = u32::try_from(self.chunks.len() * CHUNK).unwrap_or(u32::MAX);
        self.chunks.push(Arc::new(vec![None; CHUNK]));
        let slots = first..first.saturating_add(u32::try_from(CHUNK).unwrap_or(0));
        self.free.extend(slots.rev());
    }
}

impl<T: Record> Image<T> {
    /// Its bytes, a chunk at a time.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Vec<u8>> {
        let slots = u32::try_from(self.0.len() * CHUNK).unwrap_or(u32::MAX);
        let head = slots.to_le_bytes().to_vec();
        let chunks = self.0.iter().enumerate().map(|(number, chunk)| {
            let mut out = Vec::new();
            let first = u32::try_from(number * CHUNK).unwrap_or(u32::MAX);
            for (slot, record) in (first..).zip(chunk.iter()) {
                if let Some(record) = record {
                    put(&mut out, slot);
                    record.write(&mut out);
                }
            }
            out
        });
        std::iter::once(head).chain(chunks).chain(std::iter::once(u32::MAX.to_le_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    impl Record for NonZeroU64 {
        fn key(&self) -> NonZeroU64 {
            *self
        }
        fn write(&self, out: &mut Vec<u8>) {
            put(out, self.get());
        }
        fn read(bytes: &mut Reader<'_>) -> Option<Self> {
            Self::new(bytes.u64()?)
        }
    }

    fn bytes(book: &Book<NonZeroU64>) -> Vec<u8> {
        book.image().blocks().flatten().collect()
    }

    proptest! {
        #[test]
        fn it_holds_what_was_put_in(steps in proptest::collection::vec((any::<bool>(), 1u64..3000), 0..4000)) {
            let mut book = Book::default();
            let mut model = BTreeMap::new();
            for (adds, key) in steps {
                let key = NonZeroU64::new(key).unwrap();
                match (adds, model.get(&key)) {
                    (true, None) => { model.insert(key, book.insert(key)); }
                    (false, Some(slot)) => {
                        prop_assert_eq!(book.remove(*slot), Some(key));
                        model.remove(&key);
                    }
                    _ => {}
                }
            }
            let saved = bytes(&book);
            let loaded = Book::load(&mut Reader(&saved)).unwrap();
            for book in [&book, &loaded] {
                prop_assert_eq!(book.len(), model.len());
                for (key, slot) in &model {
                    prop_assert_eq!(book.find(*key), Some(*slot));
                }
            }
        }
    }

    #[test]
    fn an_image_does_not_change_with_the_book() {
        let one = |number| NonZeroU64::new(number).unwrap();
        let mut book = Book::default();
        let slot = book.insert(one(1));
        let image = book.image();
        book.remove(slot);
        book.insert(one(2));
        let saved: Vec<u8> = image.blocks().flatten().collect();
        let loaded: Book<NonZeroU64> = Book::load(&mut Reader(&saved)).unwrap();
        assert_eq!((loaded.find(one(1)), loaded.find(one(2))), (Some(slot), None));
        assert!(Book::<NonZeroU64>::load(&mut Reader(&saved[..saved.len() - 1])).is_none());
    }
}
