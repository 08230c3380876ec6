//! Text that people write: validated when the value is made, and never printed by `Debug`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Defines a string newtype whose every value has passed `check`. `Debug` prints the length only.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text and takes it as it is.
            ///
            /// # Errors
            /// [`Invalid`](crate::ErrorKind::Invalid) when the text breaks one of the rules above. The error says which one,
            /// and does not repeat the text.
            pub fn new(text: impl Into<String>) -> Result<Self> {
                let text = text.into();
                let check: fn(&str) -> Result<()> = $check;
                check(&text).map_err(|error| error.with_entity(stringify!($name)))?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.0.len())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

text_newtype! {
    /// The text of a message: 1 to 1024 characters (Unicode scalar values).
    ///
    /// Nothing is trimmed or changed, and line breaks are allowed. `Display` gives the text; `Debug` only its length.
    ///
    /// ```
    /// use threadline::MessageBody;
    ///
    /// let body = MessageBody::new("Have you ever watched Babylon 5?")?;
    /// assert_eq!(format!("{body:?}"), "MessageBody(32 bytes)");
    /// assert!(MessageBody::new("x".repeat(1025)).is_err());
    /// # Ok::<(), threadline::Error>(())
    /// ```
    MessageBody,
    |text| {
        at_most("a message", 1024, text)?;
        not_empty("a message", text)
    }
}

text_newtype! {
    /// A person's name as others read it: 1 to 64 characters and at most 80 bytes, not all white space, without control
    /// characters.
    // An inbox row may hold two of these beside two handles, and must stay under 1 KB.
    DisplayName,
    |text| one_line("a display name", 80, text)
}

text_newtype! {
    /// The title of a group of more than two: 1 to 64 characters and at most 128 bytes, not all white space, without control
    /// characters.
    GroupTitle,
    |text| one_line("a group's title", 128, text)
}

text_newtype! {
    /// The short name that a user is addressed by: 1 to 32 letters and digits of any script, `_`, `-` and `.`, at most 48
    /// bytes.
    ///
    /// It is kept as people typed it and unique without regard to ASCII case: see [`Handle::folded`].
    ///
    /// ```
    /// use threadline::Handle;
    ///
    /// let handle = Handle::new("AndrewBrown")?;
    /// assert_eq!(handle.as_str(), "AndrewBrown");
    /// assert_eq!(handle.folded(), Handle::new("andrewbrown")?.folded());
    /// assert!(Handle::new("andrew#brown").is_err());
    /// # Ok::<(), threadline::Error>(())
    /// ```
    Handle,
    check_handle
}

text_newtype! {
    /// A [`Handle`] without its ASCII case: what must be unique in a table.
    FoldedHandle,
    |text| {
        check_handle(text)?;
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Error::invalid("a folded handle is in lower case"));
        }
        Ok(())
    }
}

text_newtype! {
    /// The subject that an identity provider knows a user by, for example Cognito's `sub`: 1 to 128 bytes, without `#` and
    /// control characters.
    IdentitySubject,
    |text| check_segment("an identity's subject", 128, text)
}

text_newtype! {
    /// Text that may stand in a key, for the entities that an application adds: 1 to 200 bytes, without `#` (which parts the
    /// segments of a key) and control characters.
    KeySegment,
    |text| check_segment("a key segment", 200, text)
}

text_newtype! {
    /// The beginning of a message, as an inbox shows it: at most 140 characters.
    Preview,
    |text| at_most("a preview", Preview::MOST_CHARACTERS, text)
}

impl Preview {
    const MOST_CHARACTERS: usize = 140;

    /// The first 140 characters of the text, or as many as fit into this many bytes.
    pub(crate) fn cut(text: &str, most_bytes: usize) -> Self {
        let end = text
            .char_indices()
            .take(Self::MOST_CHARACTERS)
            .map(|(start, c)| start + c.len_utf8())
            .take_while(|end| *end <= most_bytes)
            .last()
            .unwrap_or(0);
        Self(text.get(..end).unwrap_or_default().to_owned())
    }

    /// Whether this may be the beginning of a longer text, cut because no more than so many bytes had room.
    pub(crate) fn may_be_cut_at(&self, most_bytes: usize) -> bool {
        let longest_character = char::MAX.len_utf8();
        self.0.len() + longest_character > most_bytes && self.0.chars().count() < Self::MOST_CHARACTERS
    }
}

impl Handle {
    /// The handle in ASCII lower case.
    pub fn folded(&self) -> FoldedHandle {
        FoldedHandle(self.0.to_ascii_lowercase())
    }
}

fn check_handle(text: &str) -> Result<()> {
    at_most("a handle", 32, text)?;
    at_most_bytes("a handle", 48, text)?;
    not_empty("a handle", text)?;
    if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
        return Err(Error::invalid("a handle may hold only letters, digits, `_`, `-` and `.`"));
    }
    Ok(())
}

fn one_line(what: &'static str, most_bytes: usize, text: &str) -> Result<()> {
    at_most(what, 64, text)?;
    at_most_bytes(what, most_bytes, text)?;
    not_blank(what, text)?;
    no_control(what, text)
}

fn check_segment(what: &'static str, most_bytes: usize, text: &str) -> Result<()> {
    at_most_bytes(what, most_bytes, text)?;
    not_empty(what, text)?;
    if text.contains('#') {
        return Err(Error::invalid(format!("{what} must not hold `#`, which parts the segments of a key")));
    }
    no_control(what, text)
}

fn at_most(what: &'static str, most: usize, text: &str) -> Result<()> {
    let count = text.chars().count();
    if count > most {
        return Err(Error::invalid(format!("{what} may have at most {most} characters, and this has {count}")));
    }
    Ok(())
}

fn at_most_bytes(what: &'static str, most: usize, text: &str) -> Result<()> {
    let count = text.len();
    if count > most {
        return Err(Error::invalid(format!("{what} may have at most {most} bytes of UTF-8, and this has {count}")));
    }
    Ok(())
}

fn not_empty(what: &'static str, text: &str) -> Result<()> {
    if text.is_empty() {
        return Err(Error::invalid(format!("{what} must not be empty")));
    }
    Ok(())
}

fn not_blank(what: &'static str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid(format!("{what} must not be empty or blank")));
    }
    Ok(())
}

fn no_control(what: &'static str, text: &str) -> Result<()> {
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{what} must not hold control characters")));
    }
    Ok(())
}
