//! The topic of a story: a lease, a client or a role.

use crate::event::{LeaseHash, Text, Who};

/// What a story is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A lease, by its plain ID.
    Lease(Text),
    /// A lease, by its ID as an audit device has hashed it.
    HashedLease(LeaseHash),
    /// A client: an entity ID, a display name, or the name that it logged in with.
    Entity(Text),
    /// A role, as reports name it.
    Role {
        /// Path of its mount, with the last slash.
        mount: Text,
        /// Its name.
        role: Text,
    },
}

impl Topic {
    /// A lease, as it was typed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn lease(text: &str) -> Result<Self, String> {
        match text.strip_prefix("hmac-sha256:") {
            Some(hex) => {
                let half = hex.get(..32).and_then(|half| u128::from_str_radix(half, 16).ok());
                let hash = half.ok_or("a hashed lease ID has 64 hexadecimal digits after hmac-sha256:")?;
                Ok(Self::HashedLease(LeaseHash(hash)))
            }
            None if text.contains('/') => Ok(Self::Lease(text.trim_start_matches('/').into())),
            None => Err("write a whole lease ID such as database/creds/app/h2J…, or its hmac-sha256:… from \
                         an audit log"
                .to_owned()),
        }
    }

    /// A role with its mount, as it was typed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn role(text: &str) -> Result<Self, String> {
        match text.trim_matches('/').rsplit_once('/') {
            Some((mount, role)) => Ok(Self::Role { mount: format!("{mount}/").into(), role: role.into() }),
            None => Err("write mount and role, such as database/app".to_owned()),
        }
    }

    /// Whether a client is meant.
    pub fn is(&self, who: &Who) -> bool {
        match self {
            Self::Entity(name) => [&who.requester.entity, &who.requester.display_name, &who.role]
                .into_iter()
                .any(|of| of == name),
            _ => false,
        }
    }

    /// Its kind, as JSON names it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Lease(_) | Self::HashedLease(_) => "lease",
            Self::Entity(_) => "entity",
            Self::Role { .. } => "role",
        }
    }

    /// Its name, as it was asked for.
    pub fn name(&self) -> String {
        match self {
            Self::Lease(name) | Self::Entity(name) => name.to_string(),
            Self::HashedLease(LeaseHash(half)) => format!("hmac-sha256:{half:032x}…"),
            Self::Role { mount, role } => format!("{mount}{role}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_lie_below_a_mount_of_several_segments() {
        let role = Topic::Role { mount: "pg/eu-west/".into(), role: "app".into() };
        assert_eq!(Topic::role("pg/eu-west/app"), Ok(role.clone()));
        assert_eq!(role.name(), "pg/eu-west/app");
        assert!(Topic::role("app").is_err());
    }

    #[test]
    fn a_lease_is_named_by_its_id_or_by_a_hash_of_it() {
        assert_eq!(Topic::lease("database/creds/app/x"), Ok(Topic::Lease("database/creds/app/x".into())));
        let hash = "a6c2f008420701a92577905bf503deeae0e91fd6fc1b7f6f1826505b926d27b6";
        assert_eq!(
            Topic::lease(&format!("hmac-sha256:{hash}")),
            Ok(Topic::HashedLease(LeaseHash(0xa6c2_f008_4207_01a9_2577_905b_f503_deea)))
        );
        for wrong in ["", "x", "hmac-sha256:a6", "hmac-sha256:zzc2f008420701a92577905bf503deea"] {
            assert!(Topic::lease(wrong).is_err(), "{wrong}");
        }
    }
}
