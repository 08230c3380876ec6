//! The display name of a user and the title of a group.

use unicode_normalization::UnicodeNormalization;
use unicode_security::GeneralSecurityProfile;
use unicode_security::general_security_profile::IdentifierType;

use super::{at_most, at_most_bytes, ensure, no_control, text_newtype};
use crate::error::Result;

text_newtype! {
    /// A user's name, as other users see it: 1 to 64 characters (Unicode scalar values) and at most 80 bytes.
    ///
    /// [`new`](DisplayName::new) removes white space at both ends and converts the text to Unicode's form NFC. A name
    /// must contain a visible character. It must not contain control characters or bidirectional overrides. Emoji are
    /// allowed.
    ///
    /// ```
    /// use threadline::DisplayName;
    ///
    /// assert_eq!(DisplayName::new("  Andrew Brown ")?.as_str(), "Andrew Brown");
    /// assert!(DisplayName::new("\u{3164}").is_err(), "a Hangul filler looks like nothing");
    /// # Ok::<(), threadline::Error>(())
    /// ```
    // 80 bytes, because a membership may hold two names and two handles, and must stay under 1 KB.
    DisplayName,
    |text| one_line("display name", 80, &text)
}

text_newtype! {
    /// The title of a group: 1 to 64 characters (Unicode scalar values) and at most 128 bytes. All other rules are
    /// those of [`DisplayName`].
    GroupTitle,
    |text| one_line("group title", 128, &text)
}

impl DisplayName {
    /// Reads a stored text by the rules of version 0.1. Its limits are the same, so a membership stays under 1 KB.
    pub(crate) fn stored(text: String) -> Result<Self> {
        check_by_old_rules("display name", 80, &text).map(|()| Self(text))
    }
}

impl GroupTitle {
    /// Reads a stored text by the rules of version 0.1. Its limits are the same, so a membership stays under 1 KB.
    pub(crate) fn stored(text: String) -> Result<Self> {
        check_by_old_rules("group title", 128, &text).map(|()| Self(text))
    }
}

/// Checks a stored name by the rules of version 0.1.
fn check_by_old_rules(what: &'static str, most_bytes: usize, text: &str) -> Result<()> {
    at_most(what, 64, text)?;
    at_most_bytes(what, most_bytes, text)?;
    not_blank(what, text, char::is_whitespace)?;
    no_control(what, text)
}

fn one_line(what: &'static str, most_bytes: usize, text: &str) -> Result<String> {
    let text: String = text.trim().nfc().collect();
    at_most(what, 64, &text)?;
    at_most_bytes(what, most_bytes, &text)?;
    not_blank(what, &text, is_blank)?;
    let has_control = text.chars().any(is_control);
    ensure(!has_control, || format!("{what} contains a control character or a bidirectional override"))?;
    Ok(text)
}

fn not_blank(what: &'static str, text: &str, is_blank: impl Fn(char) -> bool) -> Result<()> {
    ensure(!text.chars().all(is_blank), || format!("{what} is empty or blank"))
}

/// Returns `true` for an invisible character: white space, one that Unicode ignores by default, or the blank of a
/// script.
fn is_blank(c: char) -> bool {
    let is_ignored = c.identifier_type() == Some(IdentifierType::Default_Ignorable)
        // Ignorable characters without this type (deprecated or not yet assigned), and the marks of annotations.
        || matches!(c, '\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}');
    // The blanks of Braille, of musical notation and of hieroglyphs.
    let is_blank_sign = matches!(c, '\u{2800}' | '\u{1D159}' | '\u{13441}' | '\u{13442}');
    c.is_whitespace() || is_ignored || is_blank_sign
}

/// Returns `true` for controls, for line and paragraph separators, and for characters that change the direction of
/// text.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
