//! Where an audit goes on.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};
use crate::key::{Key, PartitionKey, SortKey};
use crate::request::Position;

/// Where an audit goes on, as text that an operator can keep.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditCursor(String);

/// The version of the encoding, its first character.
const VERSION: &str = "2";
/// No cursor of ours is longer; anything longer is refused before it is decoded.
const MAX_CURSOR_BYTES: usize = 5000;

impl AuditCursor {
    /// The beginning of the table.
    pub(super) fn start() -> Self {
        Self(URL_SAFE_NO_PAD.encode(VERSION))
    }

    pub(super) fn after(position: &Position) -> Self {
        // The length parts the keys, since a key may hold any text.
        let (pk, sk) = (position.key.pk.as_str(), position.key.sk.as_str());
        let text = format!("{VERSION}\n{}\n{pk}{sk}", pk.len());
        Self(URL_SAFE_NO_PAD.encode(text))
    }

    /// Behind which item; `None` for the beginning.
    pub(super) fn position(&self) -> Result<Option<Position>> {
        let decode = || {
            let bytes = (self.0.len() <= MAX_CURSOR_BYTES).then(|| URL_SAFE_NO_PAD.decode(&self.0).ok()).flatten()?;
            let text = String::from_utf8(bytes).ok()?;
            if text == VERSION {
                return Some(None);
            }
            let (version, key) = text.split_once('\n')?;
            let (length, keys) = key.split_once('\n')?;
            let (pk, sk) = keys.split_at_checked(length.parse().ok()?)?;
            let key = Key::new(PartitionKey::parse(pk).ok()?, SortKey::parse(sk).ok()?);
            (version == VERSION).then_some(Some(Position { key, index_key: None }))
        };
        decode().ok_or_else(|| Error::invalid("the cursor is not one of an audit; start without one"))
    }
}

impl fmt::Display for AuditCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AuditCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditCursor(…)")
    }
}

/// Takes any text: whether it is a cursor shows when the audit goes on.
impl FromStr for AuditCursor {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}
