//! The beginning of a message.

use unicode_segmentation::UnicodeSegmentation;

use super::{at_most, text_newtype};

text_newtype! {
    /// The beginning of a message, as an inbox shows it: at most 140 characters (Unicode scalar values), and never a part of what
    /// people see as one character (a grapheme).
    ///
    /// It ends before a grapheme of more than 64 bytes, such as a letter with hundreds of marks. Of a message that begins with one, it
    /// is empty.
    Preview,
    |text| at_most("a preview", Preview::MOST_CHARACTERS, &text).map(|()| text)
}

impl Preview {
    const MOST_CHARACTERS: usize = 140;
    /// More bytes than any character of a script or an emoji has, with all its marks. What is longer ends a preview, no matter how
    /// much room there is, so that more room shows more only after a preview that nearly filled its own.
    const MOST_BYTES_OF_ONE: usize = 64;

    /// Returns the first 140 characters of the text, or as many as fit into this many bytes; less, if the last of them would be
    /// parted. It is empty if the first one does not fit.
    pub(crate) fn cut(text: &str, most_bytes: usize) -> Self {
        let (mut end, mut characters) = (0, 0);
        for part in text.graphemes(true) {
            characters += part.chars().count();
            let is_too_long = part.len() > Self::MOST_BYTES_OF_ONE;
            if is_too_long || characters > Self::MOST_CHARACTERS || end + part.len() > most_bytes {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn a_preview_ends_before_a_grapheme_without_end() {
        let marks = "e".to_owned() + &"\u{301}".repeat(300);
        for most_bytes in [0, 1, 100, 1000] {
            assert_eq!(cut(&marks, most_bytes), "");
            assert_eq!(cut(&format!("opa{marks} epa"), most_bytes + 3), "opa");
        }
        // 64 bytes, and 65.
        let few = "\u{e9}".to_owned() + &"\u{301}".repeat(31);
        assert_eq!(cut(&(few.clone() + "x"), 1000), few + "x");
        assert_eq!(cut(&("e".to_owned() + &"\u{301}".repeat(32)), 1000), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn a_preview_of_any_room_ends_at_a_grapheme(
            text in "([a-z 語🙂\r\n]|e\u{301}{0,40}|\u{1F468}(\u{200D}\u{1F469}){0,12}|[\u{1F1E6}-\u{1F1FF}]|क्षि|한){0,60}",
            room in 0_usize..600,
            other in 0_usize..600,
        ) {
            let preview = cut(&text, room);
            let ends: Vec<_> = text.grapheme_indices(true).map(|(start, _)| start).chain([text.len()]).collect();
            prop_assert!(text.starts_with(&preview) && ends.contains(&preview.len()));
            prop_assert!(preview.len() <= room && preview.chars().count() <= 140);
            let less = room.min(other);
            prop_assert_eq!(cut(&preview, less), cut(&text, less));
            let is_cut_by_room = cut(&text, 10_000) != preview;
            prop_assert!(!is_cut_by_room || Preview::cut(&text, room).may_be_cut_at(room));
        }
    }

    #[test]
    fn a_preview_is_whole_if_it_is_full_or_left_room_for_a_grapheme() {
        let may_be_cut = |length: usize, room| Preview("x".repeat(length)).may_be_cut_at(room);
        assert!(may_be_cut(10, 73));
        assert!(!may_be_cut(10, 74));
        assert!(may_be_cut(139, 139));
        assert!(!may_be_cut(140, 140));
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
