//! Names as people read them: of a person and of a group.

use unicode_normalization::UnicodeNormalization;
use unicode_security::GeneralSecurityProfile;
use unicode_security::general_security_profile::IdentifierType;

use super::{at_most, at_most_bytes, ensure, no_control, text_newtype};
use crate::error::Result;

text_newtype! {
    /// A person's name as others read it: 1 to 64 characters and at most 80 bytes. It is trimmed and kept in Unicode's form NFC. It
    /// is not blank to the eye, and holds no controls and no bidirectional overrides; emoji are fine.
    ///
    /// ```
    /// use threadline::DisplayName;
    ///
    /// assert_eq!(DisplayName::new("  Andrew Brown ")?.as_str(), "Andrew Brown");
    /// assert!(DisplayName::new("\u{3164}").is_err(), "a Hangul filler looks like nothing");
    /// # Ok::<(), threadline::Error>(())
    /// ```
    // A membership may hold two of these beside two handles, and must stay under 1 KB.
    DisplayName,
    |text| one_line("a display name", 80, &text)
}

text_newtype! {
    /// The title of a group of more than two: 1 to 64 characters and at most 128 bytes, by the rules of [`DisplayName`].
    GroupTitle,
    |text| one_line("a group's title", 128, &text)
}

impl DisplayName {
    /// Reads a stored text by the rules of version 0.1, which may have stored it. The limits are the same, so that a
    /// membership that holds it stays under 1 KB.
    pub(crate) fn stored(text: String) -> Result<Self> {
        one_line_before("a display name", 80, &text).map(|()| Self(text))
    }
}

impl GroupTitle {
    /// Reads a stored text by the rules of version 0.1, which may have stored it. The limits are the same, so that a
    /// membership that holds it stays under 1 KB.
    pub(crate) fn stored(text: String) -> Result<Self> {
        one_line_before("a group's title", 128, &text).map(|()| Self(text))
    }
}

/// Checks a name by the rules of version 0.1, which may have stored it.
fn one_line_before(what: &'static str, most_bytes: usize, text: &str) -> Result<()> {
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
    ensure(!has_control, || format!("{what} must not hold control characters or bidirectional overrides"))?;
    Ok(text)
}

fn not_blank(what: &'static str, text: &str, is_blank: impl Fn(char) -> bool) -> Result<()> {
    ensure(!text.chars().all(is_blank), || format!("{what} must not be empty or blank"))
}

/// Returns `true` for a character that looks like nothing: white space, what Unicode ignores by default, and the blanks of single
/// scripts.
fn is_blank(c: char) -> bool {
    let is_ignored = c.identifier_type() == Some(IdentifierType::Default_Ignorable)
        // Those that are deprecated or not assigned yet do not have this type. Besides, the marks of annotations.
        || matches!(c, '\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}');
    // The blank pattern of Braille, the null notehead of music and the blanks of hieroglyphs.
    let is_blank_sign = matches!(c, '\u{2800}' | '\u{1D159}' | '\u{13441}' | '\u{13442}');
    c.is_whitespace() || is_ignored || is_blank_sign
}

/// Returns `true` for controls, line and paragraph separators, and what changes the direction of the text around it.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
