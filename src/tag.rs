//! Tags: the constant segments of keys.

pub(crate) const USER: Tag = tag!("USER");
pub(crate) const HANDLE: Tag = tag!("HANDLE");
pub(crate) const IDENTITY: Tag = tag!("IDENTITY");
pub(crate) const GROUP: Tag = tag!("GRP");
pub(crate) const MESSAGES: Tag = tag!("MSG");

/// The tags of this crate's own keys, which `Debug` of a key shows. Any other first segment may be a value.
pub(crate) const OURS: [Tag; 5] = [USER, HANDLE, IDENTITY, GROUP, MESSAGES];

/// A constant segment of a key, which names the kind of the next segment, such as `USER` in `USER#<user>`.
///
/// Create a tag with the macro [`tag!`](crate::entity::tag!).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(&'static str);

impl Tag {
    /// Creates a tag, or returns `None` for text that is not a valid tag. The macro [`tag!`](crate::entity::tag!) calls
    /// it at compile time.
    #[doc(hidden)]
    pub const fn checked(text: &'static str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > 32 {
            return None;
        }
        let mut rest = bytes;
        while let [byte, tail @ ..] = rest {
            if !byte.is_ascii_graphic() || *byte == b'#' {
                return None;
            }
            rest = tail;
        }
        Some(Self(text))
    }

    /// Returns the text of the tag.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Creates a [`Tag`](crate::entity::Tag), a constant segment of a key.
///
/// The text has 1 to 32 visible ASCII characters other than `#`. Any other text is a compile error.
///
/// ```
/// use threadline::entity::{Tag, tag};
///
/// const REACTION: Tag = tag!("REACTION");
/// assert_eq!(REACTION.as_str(), "REACTION");
/// ```
///
/// ```compile_fail
/// let _ = threadline::entity::tag!("RE#ACTION");
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __tag {
    ($text:literal) => {
        const {
            match $crate::entity::Tag::checked($text) {
                Some(tag) => tag,
                None => panic!("a tag has 1 to 32 visible ASCII characters other than `#`"),
            }
        }
    };
}
#[doc(inline)]
pub use __tag as tag;
