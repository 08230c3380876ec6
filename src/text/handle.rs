//! Handles, and the folded form that makes them unique.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_security::{GeneralSecurityProfile, MixedScript};

use super::{at_most, at_most_bytes, ensure, not_empty, segment, text_newtype};
use crate::error::Result;
use crate::key;

text_newtype! {
    /// The short name of a user, such as `andrewbrown`: 1 to 32 characters and at most 48 bytes.
    ///
    /// A handle consists of letters, digits, combining marks, `_`, `-` and `.`. A handle is kept as its user typed it.
    /// The [folded](Handle::folded) form of a handle is unique in the table.
    ///
    /// More rules apply, most of them from Unicode's [security mechanisms](https://www.unicode.org/reports/tr39/):
    /// * A handle has no invisible or obsolete characters.
    /// * A handle does not mix scripts, such as Latin and Cyrillic, whose letters look alike.
    /// * A handle does not begin with a combining mark.
    /// * A letter has at most four marks, and never the same mark twice in a row. A letter that has a dot, such as `i`,
    ///   has no second dot above it.
    /// * The handles `.` and `..` are not allowed.
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
    /// The form of a [`Handle`] that is unique in a table. [`Handle::folded`] returns it. The text has 1 to 200 bytes.
    /// It contains no `#`, no control characters and no ASCII capitals.
    FoldedHandle,
    |text| {
        let has_capitals = text.bytes().any(|byte| byte.is_ascii_uppercase());
        ensure(!has_capitals, || "folded handle contains an ASCII capital")?;
        segment("folded handle", MAX_FOLDED_BYTES, text)
    }
}

key::segment! {
    FoldedHandle => |handle, key| key.push_str(handle.as_str());
}

const MAX_FOLDED_BYTES: usize = 200;

impl Handle {
    /// Creates a handle for a lookup. Accepts all handles that [`new`](Self::new) accepts, and also old handles, which
    /// only version 0.1 of this crate allowed.
    ///
    /// A user may still have an old handle, for example one that mixes two scripts. No user can take an old handle now.
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
    /// [`Invalid`](crate::ErrorKind::Invalid) if neither this version nor version 0.1 accepts the text as a handle.
    pub fn for_look_up(text: impl Into<String>) -> Result<Self> {
        Self::stored(text.into()).map_err(|error| error.with_entity("Handle"))
    }

    /// Returns the folded form of the handle: Unicode's form NFKC with full case folding. The folded form is unique in
    /// a table.
    pub fn folded(&self) -> FoldedHandle {
        // Twice, because folding can produce characters that normalization changes.
        let folded = fold(&fold(&self.0));
        // Only a handle of version 0.1 is that long: one that `new` accepts grows to 96 bytes at most.
        if folded.len() > MAX_FOLDED_BYTES { self.in_ascii_lower_case() } else { FoldedHandle(folded) }
    }

    /// Returns the folded form of version 0.1, ASCII lower case, if it is another one.
    pub(crate) fn legacy_folded(&self) -> Option<FoldedHandle> {
        let legacy = self.in_ascii_lower_case();
        (legacy != self.folded()).then_some(legacy)
    }

    /// Checks that a user may take the handle now.
    pub(crate) fn check_new(&self) -> Result<()> {
        check(&self.0).map_err(|error| error.with_entity("Handle"))
    }

    fn in_ascii_lower_case(&self) -> FoldedHandle {
        FoldedHandle(self.0.to_ascii_lowercase())
    }

    /// Reads a stored handle by the rules of version 0.1. Its limits are the same, so a membership stays under 1 KB.
    pub(crate) fn stored(text: String) -> Result<Self> {
        check_length(&text)?;
        let is_in_use = text.chars().all(is_handle_character);
        ensure(is_in_use, || "handle contains a character other than letters, digits, marks, `_`, `-` and `.`")?;
        Ok(Self(text))
    }
}

fn fold(text: &str) -> String {
    caseless::default_case_fold_str(&text.nfkc().collect::<String>()).nfkc().collect()
}

fn check_length(text: &str) -> Result<()> {
    at_most("handle", 32, text)?;
    at_most_bytes("handle", 48, text)?;
    not_empty("handle", text)
}

/// Returns `true` for a character that any version accepts in handles.
fn is_handle_character(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '_' | '-' | '.')
}

fn check(text: &str) -> Result<()> {
    check_length(text)?;
    let composed: String = text.nfc().collect();
    let is_allowed = composed.chars().all(|c| is_handle_character(c) && c.identifier_allowed());
    ensure(
        is_allowed,
        || "handle contains a character other than visible letters, digits and marks in use today, `_`, `-` and `.`",
    )?;
    let begins_well = !composed.starts_with(is_combining_mark) && !matches!(text, "." | "..");
    ensure(begins_well, || "handle begins with a combining mark, or is `.` or `..`")?;
    let marks = "handle repeats a mark, has more than four marks on a letter, or a dot on a letter with a dot";
    ensure(!has_deceptive_marks(text), || marks)?;
    ensure(composed.is_single_script(), || "handle mixes scripts")
}

/// Returns `true` for invisible or stacked marks, by section 5.4 of UTS #39.
fn has_deceptive_marks(text: &str) -> bool {
    let (mut has_dot, mut marks, mut last) = (false, 0, None);
    text.nfd().any(|c| {
        // A mark without a class, such as a vowel of Hindi, starts a new letter.
        if canonical_combining_class(c) == 0 {
            (has_dot, marks, last) = (matches!(c, 'i' | 'j' | '\u{456}' | '\u{458}'), 0, None);
            return false;
        }
        marks += 1;
        marks > 4 || last.replace(c) == Some(c) || (has_dot && c == '\u{307}')
    })
}
