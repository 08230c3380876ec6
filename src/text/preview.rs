//! The beginning of a message, which an inbox shows.

use unicode_segmentation::UnicodeSegmentation;

use super::{at_most, text_newtype};

text_newtype! {
    /// The beginning of a message, as an inbox shows it: at most 140 characters (Unicode scalar values).
    ///
    /// A preview in an inbox ends after a whole grapheme, such as a letter with its marks. It always ends before a
    /// grapheme of more than 64 bytes, such as a letter with hundreds of marks. So it is empty if the message begins
    /// with such a grapheme.
    Preview,
    |text| at_most("preview", Preview::MAX_CHARACTERS, &text).map(|()| text)
}

impl Preview {
    const MAX_CHARACTERS: usize = 140;
    /// The limit of a grapheme in bytes, more than any letter or emoji needs with all its marks. A longer grapheme
    /// always ends the preview. So only a preview that nearly reached its limit can grow with a higher limit.
    const MAX_GRAPHEME_BYTES: usize = 64;

    /// Truncates the text to 140 characters and this many bytes, at the end of a grapheme.
    pub(crate) fn truncate(text: &str, most_bytes: usize) -> Self {
        let (mut end, mut characters) = (0, 0);
        for part in text.graphemes(true) {
            characters += part.chars().count();
            let is_too_long = part.len() > Self::MAX_GRAPHEME_BYTES;
            if is_too_long || characters > Self::MAX_CHARACTERS || end + part.len() > most_bytes {
                break;
            }
            end += part.len();
        }
        Self(text.get(..end).unwrap_or_default().to_owned())
    }

    /// Returns `true` if a limit of this many bytes may have truncated the text.
    pub(crate) fn may_be_truncated_at(&self, most_bytes: usize) -> bool {
        self.0.len() + Self::MAX_GRAPHEME_BYTES > most_bytes && self.0.chars().count() < Self::MAX_CHARACTERS
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn truncated(text: &str, most_bytes: usize) -> String {
        Preview::truncate(text, most_bytes).as_str().to_owned()
    }

    #[test]
    fn preview_ends_with_a_whole_grapheme() {
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}";
        let flag = "\u{1F1E9}\u{1F1EA}";
        let x = |times| "x".repeat(times);
        assert_eq!(truncated(&(x(136) + family), 1000), x(136));
        assert_eq!(truncated(&(x(133) + family), 1000), x(133) + family);
        assert_eq!(truncated(&(x(139) + flag), 1000), x(139));
        assert_eq!(truncated(&(x(138) + flag), 1000), x(138) + flag);
        assert_eq!(truncated(&(x(3) + "e\u{301}" + "y"), 5), x(3));
        assert_eq!(truncated(family, 24), "");
        assert_eq!(truncated("a\r\nb", 2), "a");
    }

    #[test]
    fn preview_ends_before_a_grapheme_of_many_marks() {
        let marks = "e".to_owned() + &"\u{301}".repeat(300);
        for most_bytes in [0, 1, 100, 1000] {
            assert_eq!(truncated(&marks, most_bytes), "");
            assert_eq!(truncated(&format!("opa{marks} epa"), most_bytes + 3), "opa");
        }
        // 64 bytes, and 65.
        let few = "\u{e9}".to_owned() + &"\u{301}".repeat(31);
        assert_eq!(truncated(&(few.clone() + "x"), 1000), few + "x");
        assert_eq!(truncated(&("e".to_owned() + &"\u{301}".repeat(32)), 1000), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn preview_of_any_room_ends_at_a_grapheme(
            text in "([a-z 語🙂\r\n]|e\u{301}{0,40}|\u{1F468}(\u{200D}\u{1F469}){0,12}|\
                [\u{1F1E6}-\u{1F1FF}]|क्षि|한){0,60}",
            room in 0_usize..600,
            other in 0_usize..600,
        ) {
            let preview = truncated(&text, room);
            let ends: Vec<_> = text.grapheme_indices(true).map(|(start, _)| start).chain([text.len()]).collect();
            prop_assert!(text.starts_with(&preview) && ends.contains(&preview.len()));
            prop_assert!(preview.len() <= room && preview.chars().count() <= 140);
            let less = room.min(other);
            prop_assert_eq!(truncated(&preview, less), truncated(&text, less));
            let is_truncated_by_room = truncated(&text, 10_000) != preview;
            prop_assert!(!is_truncated_by_room || Preview::truncate(&text, room).may_be_truncated_at(room));
        }
    }

    #[test]
    fn a_preview_is_whole_if_it_is_full_or_left_room_for_a_grapheme() {
        let may_be_truncated = |length: usize, room| Preview("x".repeat(length)).may_be_truncated_at(room);
        assert!(may_be_truncated(10, 73));
        assert!(!may_be_truncated(10, 74));
        assert!(may_be_truncated(139, 139));
        assert!(!may_be_truncated(140, 140));
    }

    #[test]
    fn truncating_a_preview_again_equals_truncating_the_text() {
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}";
        let text = ["x", family, "e\u{301}", "語", family, "ab"].concat().repeat(8);
        for room in 0..300 {
            let long = truncated(&text, room);
            for less in 0..room {
                assert_eq!(truncated(&long, less), truncated(&text, less));
            }
            let is_truncated = long.len() < text.len() && truncated(&text, 10_000) != long;
            assert!(!is_truncated || Preview::truncate(&text, room).may_be_truncated_at(room), "room {room}");
        }
    }
}
