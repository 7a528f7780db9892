//! A list whose places are used again, and keys that tell whether what they meant is still there.

/// Names one thing of a [`Slab`], and never another that has its place later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    place: u32,
    turn: u32,
}

/// Things that come and go.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    pub(super) fn insert(&mut self, thing: T) -> Key {
        if let Some(place) = self.free.pop() {
            let slot = &mut self.places[place as usize];
            slot.1 = Some(thing);
            return Key { place, turn: slot.0 };
        }
        self.places.push((0, Some(thing)));
        Key { place: (self.places.len() - 1) as u32, turn: 0 }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        self.places.get(key.place as usize).filter(|slot| slot.0 == key.turn)?.1.as_ref()
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.places.get_mut(key.place as usize).filter(|slot| slot.0 == key.turn)?.1.as_mut()
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.places.get_mut(key.place as usize).filter(|slot| slot.0 == key.turn)?;
        let thing = slot.1.take()?;
        slot.0 = slot.0.wrapping_add(1);
        self.free.push(key.place);
        Some(thing)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// All of them, with their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.places.iter().enumerate().filter_map(|(place, (turn, thing))| {
            Some((Key { place: place as u32, turn: *turn }, thing.as_ref()?))
        })
    }
}
