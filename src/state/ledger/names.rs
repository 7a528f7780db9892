//! Names that many leases share, kept once: what stands around the random
//! part of their IDs, and who asked for them.

use super::lease::{Lease, NOBODY, split};
use crate::event::Requester;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::Hash;

/// How many of a kind are kept at most; a lease beyond them goes without.
const MOST: usize = 1 << 16;

/// A longer display name is cut, in characters.
const NAME_MOST: usize = 256;
/// A lease ID with a longer path is not kept, in bytes.
const FORM_MOST: usize = 1024;

/// Values by number, each kept once and for ever.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Interned<T> {
    values: Vec<T>,
    #[serde(skip, default = "HashMap::new")]
    numbers: HashMap<T, u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    /// The number of a value; `NOBODY` where there is no place for it.
    pub(super) fn number(&mut self, value: &T) -> u32 {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        if self.values.len() >= MOST {
            return NOBODY;
        }
        let number = u32::try_from(self.values.len()).unwrap_or(NOBODY);
        self.values.push(value.clone());
        self.numbers.insert(value.clone(), number);
        number
    }

    /// By number, whether it is so of each value.
    pub(super) fn which(&self, is_so: impl Fn(&T) -> bool) -> Vec<bool> {
        self.values.iter().map(is_so).collect()
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.values.get(number as usize)
    }

    /// To be called after loading.
    pub(super) fn restore(&mut self) {
        self.numbers = self.values.iter().cloned().zip(0..).collect();
    }
}

/// Who asked, by number.
pub(super) type Requesters = Interned<Requester>;

/// What stands in front of the random part, and behind it.
pub(super) type Forms = Interned<(String, String)>;

/// The number of a requester; a name that somebody made longer than names are is cut.
pub(super) fn requester_of(requesters: &mut Requesters, requester: &Requester) -> u32 {
    let cut = |text: &str| text.chars().take(NAME_MOST).collect();
    let is_long = requester.display_name.len() > NAME_MOST || requester.entity.len() > NAME_MOST;
    if !is_long {
        return requesters.number(requester);
    }
    let (entity, display_name) = (cut(&requester.entity), cut(&requester.display_name));
    requesters.number(&Requester { entity, display_name })
}

/// The number of the form of a lease ID; `NOBODY` for one that is too long to be kept.
pub(super) fn form_of(forms: &mut Forms, lease: &str) -> u32 {
    let (prefix, _, suffix) = split(lease);
    if prefix.len() + suffix.len() > FORM_MOST {
        return NOBODY;
    }
    forms.number(&(prefix.to_owned(), suffix.to_owned()))
}

/// The whole ID of a lease, where it can be put together again.
pub(super) fn id_of(forms: &Forms, lease: &Lease) -> Option<String> {
    let (prefix, suffix) = forms.get(lease.form)?;
    let random = std::str::from_utf8(&lease.id).ok().filter(|random| !random.starts_with('\0'))?;
    Some(format!("{prefix}{random}{suffix}"))
}
