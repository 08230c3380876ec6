//! Handles, and what makes two of them the same.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{GeneralSecurityProfile, MixedScript};

use super::{StoredText, at_most, at_most_bytes, not_empty, segment, text_newtype};
use crate::error::{Error, Result};

text_newtype! {
    /// The short name that a user is addressed by: 1 to 32 letters, digits and combining marks of one script, `_`, `-` and `.`, at
    /// most 48 bytes, not `.` or `..`.
    ///
    /// It is kept as people typed it, and unique by its [folded](Handle::folded) form. Which characters it may hold is decided by
    /// Unicode's [security mechanisms](https://www.unicode.org/reports/tr39/): none that are invisible or obsolete, and no
    /// mixture of scripts that look alike, such as Latin and Cyrillic.
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
    /// The form of a [`Handle`] that must be unique in a table: at most 200 bytes, without `#` and control characters.
    FoldedHandle,
    |text| segment("a folded handle", 200, text)
}

impl Handle {
    /// Returns the handle in Unicode's form NFKC with full case folding: what must be unique.
    pub fn folded(&self) -> FoldedHandle {
        // Once more, since folding may give what normalization changes.
        FoldedHandle(fold(&fold(&self.0)))
    }

    /// Returns the form by which version 0.1 made handles unique, ASCII lower case, if it is another one.
    pub(crate) fn folded_before(&self) -> Option<FoldedHandle> {
        let before = FoldedHandle(self.0.to_ascii_lowercase());
        (before != self.folded()).then_some(before)
    }
}

impl StoredText for Handle {
    fn stored(text: String) -> Self {
        Self(text)
    }
}

fn fold(text: &str) -> String {
    caseless::default_case_fold_str(&text.nfkc().collect::<String>()).nfkc().collect()
}

fn check(text: &str) -> Result<()> {
    at_most("a handle", 32, text)?;
    at_most_bytes("a handle", 48, text)?;
    not_empty("a handle", text)?;
    let composed: String = text.nfc().collect();
    let is_one = |c: char| c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '_' | '-' | '.');
    if !composed.chars().all(|c| is_one(c) && c.identifier_allowed()) {
        return Err(Error::invalid(
            "a handle may hold only visible letters, digits and marks in use today, `_`, `-` and `.`",
        ));
    }
    if composed.starts_with(is_combining_mark) || matches!(text, "." | "..") {
        return Err(Error::invalid("a handle must not begin with a combining mark, nor be `.` or `..`"));
    }
    if !composed.is_single_script() {
        return Err(Error::invalid("a handle must not mix scripts"));
    }
    Ok(())
}
