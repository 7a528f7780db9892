//! Answers about mounts, roles and irrevocable leases, to facts. Pure.

use crate::event::{MountClass, MountFact, RoleFact};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A mount as `sys/mounts`, `sys/auth` and `sys/internal/ui/mounts` show it.
#[derive(Debug, Deserialize)]
pub(super) struct MountAnswer {
    #[serde(rename = "type", default)]
    engine: String,
    #[serde(default)]
    accessor: String,
    #[serde(default)]
    config: MountTtl,
}

#[derive(Debug, Default, Deserialize)]
struct MountTtl {
    #[serde(default)]
    default_lease_ttl: u64,
    #[serde(default)]
    max_lease_ttl: u64,
}

/// What `sys/internal/ui/mounts` answers.
#[derive(Debug, Deserialize)]
pub(super) struct UiMounts {
    /// Secret engines that the token may touch.
    #[serde(default)]
    pub(super) secret: BTreeMap<String, MountAnswer>,
    /// Auth methods that the listener shows.
    #[serde(default)]
    pub(super) auth: BTreeMap<String, MountAnswer>,
}

/// What `sys/leases/count` answers.
#[derive(Debug, Deserialize)]
pub(super) struct LeaseCount {
    /// By mount accessor.
    #[serde(default)]
    pub(super) counts: BTreeMap<String, u64>,
}

/// What a LIST answers.
#[derive(Debug, Deserialize)]
pub(super) struct Keys {
    /// Names; folders end with a slash.
    #[serde(default)]
    pub(super) keys: Vec<String>,
}

/// A database role as `GET <mount>roles/<name>` shows it. TTLs are numbers of
/// seconds; a plugin may say them as text.
#[derive(Debug, Deserialize)]
pub(super) struct RoleAnswer {
    #[serde(default)]
    db_name: Option<String>,
    #[serde(default)]
    default_ttl: Value,
    #[serde(default)]
    max_ttl: Value,
}

/// Facts of mounts of one class, by path.
pub(super) fn mounts(
    answers: BTreeMap<String, MountAnswer>,
    class: MountClass,
) -> impl Iterator<Item = MountFact> {
    answers.into_iter().map(move |(path, answer)| MountFact {
        path: match class {
            MountClass::Secret => path,
            MountClass::Auth => format!("auth/{path}"),
        },
        engine: answer.engine,
        accessor: answer.accessor,
        class,
        default_lease_ttl: answer.config.default_lease_ttl,
        max_lease_ttl: answer.config.max_lease_ttl,
    })
}

/// The fact of one role.
pub(super) fn role(name: &str, answer: RoleAnswer) -> RoleFact {
    RoleFact {
        name: name.to_owned(),
        connection: answer.db_name.filter(|name| !name.is_empty()),
        default_ttl: seconds(&answer.default_ttl),
        max_ttl: seconds(&answer.max_ttl),
    }
}

/// Names of roles that a path can be made of.
pub(super) fn role_names(keys: Vec<String>) -> impl Iterator<Item = String> {
    keys.into_iter().filter(|name| {
        // `.` and `..` would make another path.
        !matches!(name.as_str(), "" | "." | "..") && !name.ends_with('/')
    })
}

/// Whether a name below a role's prefix is a lease of the role: each wrapping token of a
/// wrapped credential has a lease of its own there, `h` and 64 hexadecimal digits.
pub(super) fn is_lease_of_role(name: &str) -> bool {
    let token = name.strip_prefix('h').and_then(|rest| rest.as_bytes().get(..64));
    let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    !name.ends_with('/') && !token.is_some_and(|digits| digits.iter().all(is_hex))
}

fn seconds(value: &Value) -> u64 {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(whole)).unwrap_or(0),
        Value::String(text) => text.trim_end_matches('s').parse().unwrap_or(0),
        _ => 0,
    }
}

fn whole(seconds: f64) -> u64 {
    // Saturates, and makes 0 of NaN and of negative numbers.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    {
        seconds as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttls_as_numbers_and_text() {
        let of = |text| seconds(&serde_json::from_str(text).expect("JSON"));
        assert_eq!([of("60"), of("60.0"), of("\"60s\""), of("null"), of("-3")], [60, 60, 60, 0, 0]);
    }

    #[test]
    fn wrapping_tokens_are_no_leases_of_the_role() {
        let token = "h".to_owned() + &"0a".repeat(32);
        for name in [token.clone(), format!("{token}.a1B2c3"), "folder/".to_owned()] {
            assert!(!is_lease_of_role(&name), "{name}");
        }
        let lease = "h".to_owned() + &"Zz".repeat(11) + "0";
        for name in
            [lease, "IQKPMGwQG9pFyGhiLuRyKjV6".to_owned(), "IQKPMGwQG9pFyGhiLuRyKjV6.a1B2c".to_owned()]
        {
            assert!(is_lease_of_role(&name), "{name}");
        }
    }

    #[test]
    fn folders_and_dots_are_no_roles() {
        let keys = ["a", "b/", "..", "", "team.app"].map(str::to_owned).to_vec();
        assert_eq!(role_names(keys).collect::<Vec<_>>(), ["a", "team.app"]);
    }
}
