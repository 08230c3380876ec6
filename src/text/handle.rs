//! Handles, and what makes two of them the same.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_security::{GeneralSecurityProfile, MixedScript};

use super::{at_most, at_most_bytes, ensure, not_empty, segment, text_newtype};
use crate::error::Result;
use crate::key;

text_newtype! {
    /// The short name that a user is addressed by: 1 to 32 letters, digits and combining marks of one script, `_`, `-` and `.`, at
    /// most 48 bytes, not `.` or `..`.
    ///
    /// It is kept as people typed it, and unique by its [folded](Handle::folded) form. Which characters it may hold is decided by
    /// Unicode's [security mechanisms](https://www.unicode.org/reports/tr39/): none that are invisible or obsolete, no mixture of
    /// scripts that look alike, such as Latin and Cyrillic, and no marks that nobody sees, such as a dot on an `i`.
    ///
    /// ```
    /// use threadline::Handle;
    ///
    /// let handle = Handle::new("AndrewBrown")?;
    /// assert_eq!(handle.as_str(), "AndrewBrown");
    /// assert_eq!(handle.folded(), Handle::new("andrewbrown")?.folded());
    /// assert!(Handle::new("andrew#brown").is_err());
    /// assert!(Handle::new("\u{430}ndrew").is_err(), "its first letter is Cyrillic");
    /// # Ok::<(), threadline::Error>(())
    /// ```
    Handle,
    |text| check(&text).map(|()| text)
}

text_newtype! {
    /// The form of a [`Handle`] that must be unique in a table: at most 200 bytes, without `#`, control characters and capitals of
    /// ASCII.
    FoldedHandle,
    |text| {
        let has_capitals = text.bytes().any(|byte| byte.is_ascii_uppercase());
        ensure(!has_capitals, || "a folded handle has no capitals of ASCII")?;
        segment("a folded handle", MAX_FOLDED_BYTES, text)
    }
}

key::segment! {
    FoldedHandle => |handle, key| key.push_str(handle.as_str());
}

const MAX_FOLDED_BYTES: usize = 200;

impl Handle {
    /// Accepts a handle that is to be looked up, by the rules of version 0.1 too. Users may have one since then that
    /// [`new`](Self::new) refuses, such as one of two scripts. Nobody can take it now.
    ///
    /// ```
    /// use threadline::Handle;
    ///
    /// assert!(Handle::new("Ωmega").is_err());
    /// assert_eq!(Handle::for_look_up("Ωmega")?.as_str(), "Ωmega");
    /// # Ok::<(), threadline::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for text that no version accepts as a handle.
    pub fn for_look_up(text: impl Into<String>) -> Result<Self> {
        Self::stored(text.into()).map_err(|error| error.with_entity("Handle"))
    }

    /// Returns the handle in Unicode's form NFKC with full case folding: what must be unique.
    pub fn folded(&self) -> FoldedHandle {
        // Once more, since folding may give what normalization changes.
        let folded = fold(&fold(&self.0));
        // Only for a handle of version 0.1: what `new` accepts grows to 96 bytes at most.
        if folded.len() > MAX_FOLDED_BYTES { self.in_ascii_lower_case() } else { FoldedHandle(folded) }
    }

    /// Returns the form by which version 0.1 made handles unique, ASCII lower case, if it is another one.
    pub(crate) fn folded_before(&self) -> Option<FoldedHandle> {
        let before = self.in_ascii_lower_case();
        (before != self.folded()).then_some(before)
    }

    /// Checks that a new user may take the handle, or a user change to it.
    pub(crate) fn check_new(&self) -> Result<()> {
        check(&self.0).map_err(|error| error.with_entity("Handle"))
    }

    fn in_ascii_lower_case(&self) -> FoldedHandle {
        FoldedHandle(self.0.to_ascii_lowercase())
    }

    /// Reads a stored text by the rules of version 0.1, which may have stored it. The limits are the same, so that a
    /// membership that holds it stays under 1 KB.
    pub(crate) fn stored(text: String) -> Result<Self> {
        check_length(&text)?;
        let is_in_use = text.chars().all(is_in_handles);
        ensure(is_in_use, || "a handle may hold only letters, digits and marks, `_`, `-` and `.`")?;
        Ok(Self(text))
    }
}

fn fold(text: &str) -> String {
    caseless::default_case_fold_str(&text.nfkc().collect::<String>()).nfkc().collect()
}

fn check_length(text: &str) -> Result<()> {
    at_most("a handle", 32, text)?;
    at_most_bytes("a handle", 48, text)?;
    not_empty("a handle", text)
}

/// Returns `true` for a character that some version accepts in handles.
fn is_in_handles(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '_' | '-' | '.')
}

fn check(text: &str) -> Result<()> {
    check_length(text)?;
    let composed: String = text.nfc().collect();
    let is_allowed = composed.chars().all(|c| is_in_handles(c) && c.identifier_allowed());
    ensure(is_allowed, || "a handle may hold only visible letters, digits and marks in use today, `_`, `-` and `.`")?;
    let begins_well = !composed.starts_with(is_combining_mark) && !matches!(text, "." | "..");
    ensure(begins_well, || "a handle must not begin with a combining mark, nor be `.` or `..`")?;
    let marks = "a handle must not repeat a mark, have more than four on a letter, or a dot on one that has a dot";
    ensure(!has_deceptive_marks(text), || marks)?;
    ensure(composed.is_single_script(), || "a handle must not mix scripts")
}

/// Returns `true` for marks that nobody sees or that pile up, by section 5.4 of UTS #39.
fn has_deceptive_marks(text: &str) -> bool {
    let (mut has_dot, mut marks, mut last) = (false, 0, None);
    text.nfd().any(|c| {
        // Marks without a class, such as the vowels of Hindi, take a place of their own.
        if canonical_combining_class(c) == 0 {
            (has_dot, marks, last) = (matches!(c, 'i' | 'j' | '\u{456}' | '\u{458}'), 0, None);
            return false;
        }
        marks += 1;
        marks > 4 || last.replace(c) == Some(c) || (has_dot && c == '\u{307}')
    })
}
