//! Texts that people write. Their constructors validate them, and `Debug` never prints them.

mod handle;
mod name;
mod preview;

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::key;

pub use handle::{FoldedHandle, Handle};
pub use name::{DisplayName, GroupTitle};
pub use preview::Preview;

/// Defines a string newtype. `$validate` checks a text and returns the text to keep. `Debug` prints the length only.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $validate:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Creates a value of this type from a text.
            ///
            /// # Errors
            /// [`Invalid`](crate::ErrorKind::Invalid) if the text breaks a rule in this type's description. The error
            /// names the rule and never repeats the text.
            pub fn new(text: impl Into<String>) -> $crate::error::Result<Self> {
                let validate: fn(String) -> $crate::error::Result<String> = $validate;
                validate(text.into()).map(Self).map_err(|error| error.with_entity(stringify!($name)))
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.0.len())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Error;

            fn from_str(text: &str) -> $crate::error::Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::error::Error;

            fn try_from(text: &str) -> $crate::error::Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::error::Error;

            fn try_from(text: String) -> $crate::error::Result<Self> {
                Self::new(text)
            }
        }

        impl From<&$name> for $name {
            fn from(text: &$name) -> Self {
                text.clone()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}
use text_newtype;

text_newtype! {
    /// The text of a message: 1 to 1024 characters (Unicode scalar values).
    ///
    /// The text is kept unchanged, with its white space and line breaks. `Display` prints the text. `Debug` prints only
    /// the number of bytes.
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
        at_most("message text", 1024, &text)?;
        not_empty("message text", &text)?;
        Ok(text)
    }
}

text_newtype! {
    /// The id of a user at an identity provider, for example Cognito's `sub`. It has 1 to 128 bytes. It contains no `#`
    /// and no control characters.
    IdentitySubject,
    |text| segment("identity subject", 128, text)
}

text_newtype! {
    /// A text for the keys of an application's own [entities](crate::entity::Entity). It has 1 to 200 bytes. It
    /// contains no control characters and no `#`, because `#` separates the segments of a key.
    KeySegment,
    |text| segment("key segment", 200, text)
}

key::segment! {
    IdentitySubject => |subject, key| key.push_str(subject.as_str());
    KeySegment => |segment, key| key.push_str(segment.as_str());
}

fn segment(what: &'static str, most_bytes: usize, text: String) -> Result<String> {
    at_most_bytes(what, most_bytes, &text)?;
    not_empty(what, &text)?;
    ensure(!text.contains('#'), || format!("{what} contains `#`, which separates the segments of a key"))?;
    no_control(what, &text)?;
    Ok(text)
}

/// Returns an error with this message if a rule does not hold.
fn ensure<M: Into<Cow<'static, str>>>(holds: bool, message: impl FnOnce() -> M) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::invalid(message())) }
}

fn at_most(what: &'static str, most: usize, text: &str) -> Result<()> {
    // No text has more characters than bytes.
    if text.len() <= most {
        return Ok(());
    }
    let count = text.chars().count();
    ensure(count <= most, || format!("{what} is {count} characters; the limit is {most}"))
}

fn at_most_bytes(what: &'static str, most: usize, text: &str) -> Result<()> {
    let count = text.len();
    ensure(count <= most, || format!("{what} is {count} bytes of UTF-8; the limit is {most}"))
}

fn not_empty(what: &'static str, text: &str) -> Result<()> {
    ensure(!text.is_empty(), || format!("{what} is empty"))
}

fn no_control(what: &'static str, text: &str) -> Result<()> {
    ensure(!text.chars().any(char::is_control), || format!("{what} contains a control character"))
}
