//! The cursor of an audit.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};
use crate::key::{Key, PartitionKey, SortKey};
use crate::request::Position;

/// The position at which an [audit](super::Auditor) continues, as text that an operator can store. The field
/// [`AuditPage::next`](super::AuditPage::next) contains the cursor of the next page.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditCursor(String);

/// The version of the encoding: the first character of the decoded text.
const VERSION: &str = "2";
/// The maximum length of a cursor. A longer text is refused before it is decoded.
const MAX_CURSOR_BYTES: usize = 5000;

impl AuditCursor {
    /// Returns the cursor for the beginning of the table.
    pub(super) fn start() -> Self {
        Self(URL_SAFE_NO_PAD.encode(VERSION))
    }

    pub(super) fn after(position: &Position) -> Self {
        // The length separates the keys, because a key may contain any text.
        let (pk, sk) = (position.key.pk.as_str(), position.key.sk.as_str());
        let text = format!("{VERSION}\n{}\n{pk}{sk}", pk.len());
        Self(URL_SAFE_NO_PAD.encode(text))
    }

    /// Returns the position of the last audited item, or `None` for the beginning of the table.
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
            let position = Position { key, index_key: None };
            // Another version or spelling is no cursor of this audit.
            (version == VERSION && Self::after(&position) == *self).then_some(Some(position))
        };
        decode().ok_or_else(|| Error::invalid("cursor is not an audit cursor; start without one"))
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

/// Accepts any text. The audit that uses the cursor validates it.
impl From<String> for AuditCursor {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Accepts any text, as the conversion from a `String` does.
impl From<&str> for AuditCursor {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
