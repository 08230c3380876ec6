//! Text that people write: validated when the value is made, and never printed by `Debug`.

mod handle;
mod name;
mod preview;

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::key;

pub use handle::{FoldedHandle, Handle};
pub use name::{DisplayName, GroupTitle};
pub use preview::Preview;

/// Defines a string newtype whose every value has passed `$take`, which returns the text to keep. `Debug` prints the length only.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $take:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// [`Invalid`](crate::ErrorKind::Invalid) when the text breaks one of the rules above. The error says which one,
            /// and does not repeat the text.
            pub fn new(text: impl Into<String>) -> $crate::error::Result<Self> {
                let take: fn(String) -> $crate::error::Result<String> = $take;
                take(text.into()).map(Self).map_err(|error| error.with_entity(stringify!($name)))
            }

            /// The text.
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
        at_most("a message", 1024, &text)?;
        not_empty("a message", &text)?;
        Ok(text)
    }
}

text_newtype! {
    /// The subject that an identity provider knows a user by, for example Cognito's `sub`: 1 to 128 bytes, without `#` and
    /// control characters.
    IdentitySubject,
    |text| segment("an identity's subject", 128, text)
}

text_newtype! {
    /// Text that may stand in a key, for the entities that an application adds: 1 to 200 bytes, without `#` (which parts the
    /// segments of a key) and control characters.
    KeySegment,
    |text| segment("a key segment", 200, text)
}

key::segment! {
    IdentitySubject => |subject, key| key.push_str(subject.as_str());
    KeySegment => |segment, key| key.push_str(segment.as_str());
}

fn segment(what: &'static str, most_bytes: usize, text: String) -> Result<String> {
    at_most_bytes(what, most_bytes, &text)?;
    not_empty(what, &text)?;
    ensure(!text.contains('#'), || format!("{what} must not hold `#`, which parts the segments of a key"))?;
    no_control(what, &text)?;
    Ok(text)
}

/// Refuses a text of which a rule does not hold.
fn ensure<M: Into<Cow<'static, str>>>(holds: bool, message: impl FnOnce() -> M) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::invalid(message())) }
}

fn at_most(what: &'static str, most: usize, text: &str) -> Result<()> {
    let count = text.chars().count();
    ensure(count <= most, || format!("{what} may have at most {most} characters, and this has {count}"))
}

fn at_most_bytes(what: &'static str, most: usize, text: &str) -> Result<()> {
    let count = text.len();
    ensure(count <= most, || format!("{what} may have at most {most} bytes of UTF-8, and this has {count}"))
}

fn not_empty(what: &'static str, text: &str) -> Result<()> {
    ensure(!text.is_empty(), || format!("{what} must not be empty"))
}

fn no_control(what: &'static str, text: &str) -> Result<()> {
    ensure(!text.chars().any(char::is_control), || format!("{what} must not hold control characters"))
}
