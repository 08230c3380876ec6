//! The beginning of a message.

use unicode_segmentation::UnicodeSegmentation;

use super::{at_most, text_newtype};

text_newtype! {
    /// The beginning of a message, as an inbox shows it: at most 140 characters, and never a part of what people see as one
    /// character.
    Preview,
    |text| at_most("a preview", Preview::MOST_CHARACTERS, &text).map(|()| text)
}

impl Preview {
    const MOST_CHARACTERS: usize = 140;
    /// What people see as one character is not parted, unless it is longer than any that has a meaning.
    const MOST_BYTES_OF_ONE: usize = 64;

    /// Returns the first 140 characters of the text, or as many as fit into this many bytes; less, if the last of them would be
    /// parted. It is empty if the first one does not fit.
    pub(crate) fn cut(text: &str, most_bytes: usize) -> Self {
        let (mut end, mut characters) = (0, 0);
        for part in text.graphemes(true).flat_map(parts) {
            characters += part.chars().count();
            if characters > Self::MOST_CHARACTERS || end + part.len() > most_bytes {
                break;
            }
            end += part.len();
        }
        Self(text.get(..end).unwrap_or_default().to_owned())
    }

    /// Returns `true` if this may be the beginning of a longer text, cut because no more than so many bytes had room.
    pub(crate) fn may_be_cut_at(&self, most_bytes: usize) -> bool {
        self.0.len() + Self::MOST_BYTES_OF_ONE > most_bytes && self.0.chars().count() < Self::MOST_CHARACTERS
    }
}

/// Returns a grapheme whole, or one that is too long by its characters.
fn parts(grapheme: &str) -> impl Iterator<Item = &str> {
    let is_whole = grapheme.len() <= Preview::MOST_BYTES_OF_ONE;
    let whole = is_whole.then_some(grapheme).into_iter();
    let rest = if is_whole { "" } else { grapheme };
    whole.chain(rest.split_inclusive(|_: char| true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, most_bytes: usize) -> String {
        Preview::cut(text, most_bytes).as_str().to_owned()
    }

    #[test]
    fn a_preview_ends_with_a_whole_grapheme() {
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}";
        let flag = "\u{1F1E9}\u{1F1EA}";
        let x = |times| "x".repeat(times);
        assert_eq!(cut(&(x(136) + family), 1000), x(136));
        assert_eq!(cut(&(x(133) + family), 1000), x(133) + family);
        assert_eq!(cut(&(x(139) + flag), 1000), x(139));
        assert_eq!(cut(&(x(138) + flag), 1000), x(138) + flag);
        assert_eq!(cut(&(x(3) + "e\u{301}" + "y"), 5), x(3));
        assert_eq!(cut(family, 24), "");
        assert_eq!(cut("a\r\nb", 2), "a");
    }

    #[test]
    fn marks_without_end_do_not_empty_a_preview() {
        let marks = "e".to_owned() + &"\u{301}".repeat(500);
        assert_eq!(cut(&marks, 101).len(), 101);
        assert_eq!(cut(&marks, 1000).chars().count(), 140);
    }

    #[test]
    fn cutting_a_preview_again_gives_that_of_the_text() {
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}";
        let text = ["x", family, "e\u{301}", "語", family, "ab"].concat().repeat(8);
        for room in 0..300 {
            let long = cut(&text, room);
            for less in 0..room {
                assert_eq!(cut(&long, less), cut(&text, less));
            }
            let is_cut = long.len() < text.len() && cut(&text, 10_000) != long;
            assert!(!is_cut || Preview::cut(&text, room).may_be_cut_at(room), "room {room}");
        }
    }
}
