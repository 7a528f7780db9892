//! Loose values: JSON of any type where only some types are of interest, so
//! that a key's unexpected type never costs the line.

use super::{duration, hashed};
use crate::event::{OWN_MARKER_PREFIX, TokenHash};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A string, borrowed where it has no escapes; empty for `null`. (A plain `Option<Cow<str>>`
/// would copy every time; this newtype borrows wherever it stands.)
#[derive(Debug, Default)]
pub(super) struct Str<'a>(pub(super) Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a, 'de: 'a> Deserialize<'de> for Str<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Str<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            #[inline]
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Str::default())
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// A value of any type.
#[derive(Debug)]
pub(super) enum Loose<'a> {
    Text(Cow<'a, str>),
    Bool(bool),
    Number(u64),
    Other,
}

impl<'a, 'de: 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Loose<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Loose::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Loose::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Loose::Bool(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Loose::Number(value))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Loose::Other)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Loose::Other)
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Loose::Other)
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose::Other)
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A number of seconds that may be missing, or hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Amount {
    #[default]
    Absent,
    /// A hash of it, or nothing that can be read.
    Hidden,
    Secs(u64),
}

impl Amount {
    /// The seconds, where they are known.
    pub(super) fn secs(self) -> Option<u64> {
        match self {
            Self::Secs(secs) => Some(secs),
            Self::Absent | Self::Hidden => None,
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Loose::deserialize(deserializer).map(|value| match value {
            Loose::Number(secs) => Self::Secs(secs),
            Loose::Text(text) => duration::seconds(&text).map_or(Self::Hidden, Self::Secs),
            Loose::Bool(_) | Loose::Other => Self::Hidden,
        })
    }
}

/// The free-form `data` of a request or an answer: the few keys that are used,
/// whatever else and of whatever type stands there.
#[derive(Debug, Default)]
pub(super) struct Data<'a> {
    /// How many keys it has.
    pub(super) keys: usize,
    pub(super) lease_id: Option<Cow<'a, str>>,
    pub(super) prefix: Option<Cow<'a, str>>,
    pub(super) error: Option<Cow<'a, str>>,
    pub(super) http_status_code: Option<u64>,
    /// A key that begins as the markers of own requests do.
    pub(super) marker: Option<Cow<'a, str>>,
    /// Keys that few requests have: these stay small, since they are moved about.
    pub(super) rare: Option<Box<Rare>>,
}

/// Keys of `data` that few requests have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rare {
    /// A token.
    pub(super) token: Option<TokenHash>,
    /// The accessor of one.
    pub(super) accessor: Option<TokenHash>,
    pub(super) increment: Amount,
    pub(super) ttl: Amount,
    pub(super) default_ttl: Amount,
    pub(super) max_ttl: Amount,
}

impl Rare {
    fn read<'de, M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<(), M::Error> {
        let amount = match key {
            "increment" => &mut self.increment,
            "ttl" => &mut self.ttl,
            "default_ttl" => &mut self.default_ttl,
            "max_ttl" => &mut self.max_ttl,
            _ => {
                let name = if key == "token" { &mut self.token } else { &mut self.accessor };
                if let Loose::Text(text) = map.next_value()? {
                    *name = hashed::token(&text);
                }
                return Ok(());
            }
        };
        *amount = map.next_value()?;
        Ok(())
    }
}

impl Data<'_> {
    /// The rare keys, as far as it has them.
    pub(super) fn rare(&self) -> Rare {
        self.rare.as_deref().copied().unwrap_or_default()
    }
}

impl<'a, 'de: 'a> Deserialize<'de> for Data<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Data<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Data::default())
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut data = Data::default();
                while let Some(Str(key)) = map.next_key()? {
                    data.keys += 1;
                    let place = match &*key {
                        "lease_id" => &mut data.lease_id,
                        "prefix" => &mut data.prefix,
                        "error" => &mut data.error,
                        "http_status_code" => {
                            if let Loose::Number(code) = map.next_value()? {
                                data.http_status_code = Some(code);
                            }
                            continue;
                        }
                        "token" | "accessor" | "increment" | "ttl" | "default_ttl" | "max_ttl" => {
                            data.rare.get_or_insert_default().read(&key, &mut map)?;
                            continue;
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            if key.starts_with(OWN_MARKER_PREFIX) {
                                data.marker = Some(key);
                            }
                            continue;
                        }
                    };
                    if let Loose::Text(text) = map.next_value()? {
                        *place = Some(text);
                    }
                }
                Ok(data)
            }
        }
        deserializer.deserialize_any(Keys)
    }
}

/// The metadata of a token: what the login was for.
#[derive(Debug, Default)]
pub(super) struct Metadata<'a> {
    /// Role of the auth method (`role`, of AppRole `role_name`), or else the user name.
    pub(super) role: Option<Cow<'a, str>>,
}

impl<'a, 'de: 'a> Deserialize<'de> for Metadata<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Metadata<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Metadata::default())
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut metadata = Metadata::default();
                while let Some(Str(key)) = map.next_key()? {
                    match &*key {
                        "role" | "role_name" => {}
                        "username" if metadata.role.is_none() => {}
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    }
                    if let Loose::Text(text) = map.next_value()? {
                        metadata.role = Some(text);
                    }
                }
                Ok(metadata)
            }
        }
        deserializer.deserialize_any(Keys)
    }
}

/// The policies of a token: whether there are any, and whether one is `root`.
#[derive(Debug, Default)]
pub(super) struct Policies {
    pub(super) any: bool,
    pub(super) root: bool,
}

impl<'de> Deserialize<'de> for Policies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Policies;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of policy names")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Policies::default())
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
                let mut policies = Policies::default();
                while let Some(policy) = seq.next_element::<Loose<'de>>()? {
                    policies.any = true;
                    policies.root |= matches!(policy, Loose::Text(name) if name == "root");
                }
                Ok(policies)
            }
        }
        deserializer.deserialize_any(List)
    }
}

/// The type of a token, as far as it matters. Older versions write none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TokenType {
    /// It has no lease, and cannot be renewed.
    pub(super) is_batch: bool,
}

impl<'de> Deserialize<'de> for TokenType {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Str(name) = Str::deserialize(deserializer)?;
        Ok(Self { is_batch: matches!(&*name, "batch" | "default-batch") })
    }
}
