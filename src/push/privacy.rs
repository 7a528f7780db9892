//! Privacy: what clients are called in what leaves. A pseudonym is a keyed hash (HMAC-SHA-256), so that
//! one who has the key can say whose it is, and nobody else can find out by trying names.

use crate::config::Privacy;
use crate::store::{Store, write_private};
use aws_lc_rs::{hmac, rand};
use std::fmt::Write;
use std::path::Path;

/// The least length of a key, in bytes.
pub const KEY_LEAST: usize = 16;
/// Bytes of the hash that a pseudonym shows.
const SHOWN: usize = 10;
/// The key that is made where none is given.
const NAME: &str = "push-key";

/// What clients are called.
pub struct Pseudonyms {
    /// `None`: by their names.
    key: Option<hmac::Key>,
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.key.is_some() { "Pseudonyms(…)" } else { "Pseudonyms(names)" })
    }
}

impl Pseudonyms {
    /// Reads the key, or makes one in the state folder.
    ///
    /// # Errors
    /// That the key cannot be used or made.
    pub fn open(privacy: Privacy, file: Option<&Path>, store: &Store) -> Result<Self, String> {
        if privacy == Privacy::Full {
            return Ok(Self { key: None });
        }
        let own = store.path(NAME);
        if file.is_none() && !own.exists() {
            let mut key = [0; 32];
            rand::fill(&mut key)
                .map_err(|_| "there are no random numbers for the key of pseudonyms".to_owned())?;
            write_private(&own, hex(&key).into_bytes()).map_err(|error| error.to_string())?;
            tracing::info!(
                file = %own.display(),
                "A key for pseudonyms was made; with the same push.key_file everywhere, a client has one pseudonym everywhere"
            );
        }
        let path = file.unwrap_or(&own);
        let wrong = |why: &str| format!("the key of pseudonyms {}: {why}", path.display());
        let text = std::fs::read(path).map_err(|error| wrong(&error.to_string()))?;
        let key = text.trim_ascii();
        if key.len() < KEY_LEAST {
            return Err(wrong("it is shorter than 16 bytes; make one by `openssl rand -hex 32`"));
        }
        Ok(Self { key: Some(hmac::Key::new(hmac::HMAC_SHA256, key)) })
    }

    /// Clients are called by their names.
    pub fn are_names(&self) -> bool {
        self.key.is_none()
    }

    /// What somebody or something of this kind is called; nothing stays nothing.
    pub fn of(&self, kind: &str, name: &str) -> String {
        match &self.key {
            _ if name.is_empty() => String::new(),
            None => name.to_owned(),
            Some(key) => {
                let hash = hmac::sign(key, name.as_bytes());
                format!("{kind}-{}", hex(&hash.as_ref()[..SHOWN]))
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A String takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_kept_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let open = |file| Pseudonyms::open(Privacy::Pseudonymous, file, &store);
        let name = open(None).unwrap().of("user", "alice");
        assert_eq!(name, open(None).unwrap().of("user", "alice"));
        assert!(name.starts_with("user-") && name.len() == 25, "{name}");
        assert_ne!(name, open(None).unwrap().of("user", "bob"));
        let mode = std::fs::metadata(store.path(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // The same key elsewhere gives the same name, another one another.
        let key = folder.path().join("key");
        std::fs::copy(store.path(NAME), &key).unwrap();
        assert_eq!(open(Some(&key)).unwrap().of("user", "alice"), name);
        std::fs::write(&key, "0123456789abcdef\n").unwrap();
        // HMAC-SHA-256, as `openssl dgst -sha256 -hmac 0123456789abcdef` has it.
        assert_eq!(open(Some(&key)).unwrap().of("user", "alice"), "user-fdbf8b1cacd3d578e062");
        std::fs::write(&key, "short").unwrap();
        assert!(open(Some(&key)).unwrap_err().contains("shorter than 16 bytes"));
        assert_eq!(Pseudonyms::open(Privacy::Full, None, &store).unwrap().of("user", "alice"), "alice");
    }
}
