//! The texts that people write: their exact limits, and their errors.

use proptest::prelude::*;
use threadline::entity::{FoldedHandle, KeySegment};
use threadline::{DisplayName, Error, ErrorKind, GroupTitle, Handle, IdentitySubject, MessageBody, Preview, Result};
use unicode_normalization::UnicodeNormalization;

use crate::support::cases;

/// A type's name and its check of a text.
type Check = (&'static str, fn(&str) -> Result<()>);

macro_rules! checks {
    ($($type:ident),*) => {
        [$((stringify!($type), (|text| $type::new(text).map(drop)) as fn(&str) -> Result<()>)),*]
    };
}

const ALL: [Check; 8] =
    checks![MessageBody, DisplayName, GroupTitle, Handle, FoldedHandle, IdentitySubject, KeySegment, Preview];

fn check(name: &str) -> fn(&str) -> Result<()> {
    ALL.into_iter().find(|(each, _)| *each == name).unwrap().1
}

/// Letters of one to four bytes.
const SCRIPTS: [(&str, usize); 4] = [("a", 1), ("é", 2), ("語", 3), ("\u{1E7E0}", 4)];

#[test]
fn every_text_accepts_its_maximum_and_no_more() {
    // The maximum of characters, then of bytes.
    for (name, characters, bytes) in [
        ("MessageBody", 1024, 4096),
        ("DisplayName", 64, 80),
        ("GroupTitle", 64, 128),
        ("Handle", 32, 48),
        ("FoldedHandle", 200, 200),
        ("IdentitySubject", 128, 128),
        ("KeySegment", 200, 200),
        ("Preview", 140, 560),
    ] {
        for (letter, size) in SCRIPTS {
            let most = (bytes / size).min(characters);
            assert!(check(name)(&letter.repeat(most)).is_ok(), "{name} of {most} times {size} bytes");
            let error = check(name)(&letter.repeat(most + 1)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{name} of {} times {size} bytes", most + 1);
            assert_eq!(error.entity(), Some(name));
        }
    }
}

#[test]
fn the_length_of_a_message_is_counted_in_unicode_scalar_values() {
    // An e with a combining accent is one letter to a reader and two scalar values.
    assert!(MessageBody::new("e\u{301}".repeat(512)).is_ok());
    assert!(MessageBody::new("e\u{301}".repeat(513)).is_err());
    // A flag is two scalar values, and four code units of UTF-16.
    assert!(MessageBody::new("🇨🇦".repeat(512)).is_ok());
    assert!(MessageBody::new("🇨🇦".repeat(512) + "!").is_err());
}

#[test]
fn only_a_preview_may_be_empty() {
    for (name, check) in ALL {
        match check("") {
            Ok(()) => assert_eq!(name, "Preview"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid, "{name}"),
        }
    }
}

#[test]
fn names_and_titles_must_not_be_blank_and_a_message_may() {
    for blank in [" ", "\u{a0}\u{2003}", "\u{3000}"] {
        assert!(DisplayName::new(blank).is_err());
        assert!(GroupTitle::new(blank).is_err());
        assert!(MessageBody::new(blank).is_ok());
    }
}

#[test]
fn only_a_message_and_its_preview_may_hold_control_characters() {
    for control in ["\0", "\n", "\t", "\u{1b}", "\u{7f}", "\u{85}", "\u{9f}"] {
        for (name, check) in ALL {
            let takes = check(&format!("a{control}b")).is_ok();
            assert_eq!(takes, name == "MessageBody" || name == "Preview", "{name} with {control:?}");
        }
    }
}

#[test]
fn no_text_of_a_key_contains_the_separator() {
    for (name, check) in ALL {
        let takes = check("a#b").is_ok();
        let stands_in_a_key = ["Handle", "FoldedHandle", "IdentitySubject", "KeySegment"].contains(&name);
        assert_eq!(takes, !stands_in_a_key, "{name}");
    }
}

#[test]
fn a_handle_has_letters_digits_and_three_other_characters() {
    for handle in [
        "a",
        "7",
        "Augustsz",
        "andrew_brown",
        "a-b.c",
        "...",
        "Zoë",
        "語",
        "ωμέγα",
        "٣",
        "हिन्दी",
        "தமிழ்",
        "ひらがな漢字",
        "straße",
        "İstanbul",
        "ılık",
        "e\u{301}t",
    ] {
        assert!(Handle::new(handle).is_ok(), "{handle}");
    }
    for handle in [
        "andrew brown",
        "@andrew",
        "a/b",
        "a:b",
        "a+b",
        "a,b",
        "🙂",
        "a\u{200d}b",
        "a\u{200c}b",
        "a\u{fe0f}",
        "\u{301}a",
        " a",
        ".",
        "..",
        "ㅤ",
        "ᅟ",
        "\u{ffa0}",
        "⠀",
        "\u{200b}",
        "\u{2060}\u{200d}",
        "Ωmega",
        "аndrew",
        "ａndrew",
        "a\u{202e}b",
        "ﷺ",
        "𐐨",
    ] {
        assert_eq!(Handle::new(handle).unwrap_err().kind(), ErrorKind::Invalid, "{handle}");
    }
}

#[test]
fn a_handle_has_no_hidden_or_stacked_marks() {
    for handle in [
        "mi\u{307}ke",
        "mj\u{307}",
        "mi\u{323}\u{307}ke",
        "м\u{456}\u{307}р",
        "x\u{301}\u{301}",
        "x\u{301}\u{302}\u{303}\u{304}\u{306}",
    ] {
        assert_eq!(Handle::new(handle).unwrap_err().kind(), ErrorKind::Invalid, "{handle}");
    }
    let four = "x\u{301}\u{302}\u{303}\u{304}";
    for handle in ["İmke", "I\u{307}mke", "ż", four, "หนึ่ง", "ที่", "ক্ষ্ম্য", "ရွှေ", "क्षि", "Việt"]
    {
        assert!(Handle::new(handle).is_ok(), "{handle}");
    }
}

#[test]
fn a_handle_keeps_its_form_and_folds_lookalikes() {
    let handle = Handle::new("AndrewBROWN").unwrap();
    assert_eq!(handle.as_str(), "AndrewBROWN");
    assert_eq!(handle.folded().as_str(), "andrewbrown");
    assert_eq!(handle.folded(), Handle::new("andrewbrown").unwrap().folded());
    for (one, other) in [("ZOË", "zoë"), ("straße", "STRASSE"), ("Σίσυφος", "σίσυφοσ"), ("e\u{301}t", "Ét")]
    {
        assert_eq!(Handle::new(one).unwrap().folded(), Handle::new(other).unwrap().folded(), "{one} {other}");
    }
    for (one, other) in [("ilik", "ılık"), ("zoe", "zoë"), ("e", "е")] {
        assert_ne!(Handle::new(one).unwrap().folded(), Handle::new(other).unwrap().folded(), "{one} {other}");
    }
}

#[test]
fn handles_that_differ_only_in_case_fold_to_one() {
    // A dotless i has the capital of another letter.
    for letter in ('\u{80}'..='\u{ffff}').filter(|letter| *letter != 'ı') {
        let Ok(handle) = Handle::new(letter) else { continue };
        for other in [letter.to_uppercase().to_string(), letter.to_lowercase().to_string()] {
            if let Ok(other) = Handle::new(other) {
                assert_eq!(handle.folded(), other.folded(), "{letter}");
            }
        }
        assert!(FoldedHandle::new(handle.folded().as_str()).is_ok(), "{letter}");
    }
}

#[test]
fn a_lookup_handle_may_be_one_of_version_0_1() {
    for text in ["Ωmega", "tanaka田中", "𐐨", "ﷺ", "..", "ㅤ", "andrewbrown", "हिन्दी"] {
        assert_eq!(Handle::for_look_up(text).unwrap().as_str(), text);
    }
    for text in ["", "a b", "a#b", "a\nb", "a\u{200b}", &"x".repeat(33), &"語".repeat(17)] {
        assert_eq!(Handle::for_look_up(text).unwrap_err().kind(), ErrorKind::Invalid, "{text:?}");
    }
}

#[test]
fn a_folded_handle_has_no_ascii_capitals() {
    assert_eq!(FoldedHandle::new("Andrew").unwrap_err().kind(), ErrorKind::Invalid);
    assert!(FoldedHandle::new("Ärger").is_ok(), "version 0.1 folded only ASCII letters");
}

#[test]
fn a_name_is_visible_trimmed_and_composed() {
    for name in ["ㅤ", "ᅟ", "⠀", "\u{200b}", "\u{2060}\u{200d}", " \u{3164}\u{200b} ", "\u{feff}", "", " "] {
        assert!(DisplayName::new(name).is_err() && GroupTitle::new(name).is_err(), "{name:?}");
    }
    // Deprecated or unassigned characters that are ignored by default, and the blanks of single scripts.
    for name in ["\u{206a}", "\u{2065}\u{fff0}", "\u{e0001}", "\u{e0fff}", "\u{fff9}\u{fffb}", "\u{1d159}", "\u{13441}"]
    {
        assert!(DisplayName::new(name).is_err() && GroupTitle::new(name).is_err(), "{name:?}");
    }
    for name in ["a\u{202e}b", "a\u{2066}b", "a\u{2029}b", "a\tb", "a\u{85}b"] {
        assert!(DisplayName::new(name).is_err() && GroupTitle::new(name).is_err(), "{name:?}");
    }
    let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
    let wales = "\u{1F3F4}\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}";
    for name in [family, wales, "1\u{FE0F}\u{20E3}", "🇨🇦", "👍🏽", "नमस्ते", "a\u{200d}b"] {
        assert_eq!(DisplayName::new(name).unwrap().as_str(), name);
    }
    assert_eq!(DisplayName::new("\u{3000}Zoe\u{308} ").unwrap().as_str(), "Zoë");
    assert_eq!(GroupTitle::new(" Babylon 5\n").unwrap().as_str(), "Babylon 5");
}

#[test]
fn a_name_of_only_ignorable_characters_or_spaces_is_blank() {
    // `Default_Ignorable_Code_Point` of Unicode 17, and the Braille blank.
    let ignored = [
        '\u{ad}'..='\u{ad}',
        '\u{34f}'..='\u{34f}',
        '\u{61c}'..='\u{61c}',
        '\u{115f}'..='\u{1160}',
        '\u{17b4}'..='\u{17b5}',
        '\u{180b}'..='\u{180f}',
        '\u{200b}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{2800}'..='\u{2800}',
        '\u{3164}'..='\u{3164}',
        '\u{fe00}'..='\u{fe0f}',
        '\u{feff}'..='\u{feff}',
        '\u{ffa0}'..='\u{ffa0}',
        '\u{fff0}'..='\u{fff8}',
        '\u{1bca0}'..='\u{1bca3}',
        '\u{1d173}'..='\u{1d17a}',
        '\u{e0000}'..='\u{e0fff}',
    ];
    let spaces = (char::MIN..=char::MAX).filter(|c| c.is_whitespace());
    for c in ignored.into_iter().flatten().chain(spaces) {
        for name in [format!("{c}"), format!("{c}\u{200d}{c}"), format!(" {c} ")] {
            assert!(DisplayName::new(&name).is_err() && GroupTitle::new(&name).is_err(), "{:?}", c.escape_unicode());
            assert!(Handle::new(&name).is_err(), "{:?}", c.escape_unicode());
        }
    }
}

#[test]
fn every_letter_of_version_0_1_has_a_key() {
    for letter in char::MIN..=char::MAX {
        let Ok(handle) = Handle::for_look_up(letter) else { continue };
        let folded = handle.folded();
        assert!(FoldedHandle::new(folded.as_str()).is_ok(), "{:?}", letter.escape_unicode());
        if let Ok(again) = Handle::for_look_up(folded.as_str()) {
            assert_eq!(again.folded(), folded, "{:?}", letter.escape_unicode());
        }
    }
}

#[test]
fn an_error_names_the_violated_rule_and_never_repeats_the_text() {
    let bodies = [String::new(), "canary".repeat(200), "canary#canary\n".to_owned(), "ca na ry!CANARY\0".to_owned()];
    for (name, check) in ALL {
        for text in &bodies {
            if let Err(error) = check(text) {
                assert_eq!(error.kind(), ErrorKind::Invalid);
                let shown = format!("{error} {error:?}").to_lowercase();
                assert!(!shown.contains("canary") && !shown.contains("ca na ry"), "{name}: {shown}");
            }
        }
    }
}

#[test]
fn every_constructor_checks_the_text() {
    let long = "x".repeat(33);
    assert!(long.parse::<Handle>().is_err());
    assert!(Handle::try_from(long.as_str()).is_err());
    assert!(Handle::try_from(long.clone()).is_err());
    let error = serde_json::from_value::<Handle>(long.as_str().into()).unwrap_err();
    assert!(!error.to_string().contains(&long));
    let handle = Handle::new("bayko").unwrap();
    assert_eq!(serde_json::to_value(&handle).unwrap(), "bayko");
    assert_eq!(serde_json::from_value::<Handle>("bayko".into()).unwrap(), handle);
    assert_eq!("bayko".parse::<Handle>().unwrap(), handle);
    assert_eq!(String::from(handle), "bayko");
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_text_is_accepted_unchanged_or_invalid(text in "\\PC{0,40}|.{0,1100}") {
        prop_assert_eq!(kept(MessageBody::new(&*text)), expected(&text, (1..=1024).contains(&text.chars().count())));
        prop_assert_eq!(kept(Preview::new(&*text)), expected(&text, text.chars().count() <= 140));
        let in_key = |most: usize| {
            (1..=most).contains(&text.len()) && !text.contains('#') && !text.chars().any(char::is_control)
        };
        prop_assert_eq!(kept(KeySegment::new(&*text)), expected(&text, in_key(200)));
        prop_assert_eq!(kept(IdentitySubject::new(&*text)), expected(&text, in_key(128)));
    }

    #[test]
    fn folding_a_folded_handle_changes_nothing(text in HANDLES) {
        if let Ok(handle) = Handle::new(text) {
            let folded = handle.folded();
            prop_assert_eq!(kept(FoldedHandle::new(folded.as_str())), Ok(folded.to_string()));
            // A folded handle may be longer than a handle: `ß` is `ss`.
            if let Ok(again) = Handle::for_look_up(folded.as_str()) {
                prop_assert_eq!(again.folded(), folded.clone());
            }
            prop_assert!(folded.as_str().len() <= 2 * handle.as_str().len());
            prop_assert!(!handle.as_str().is_ascii() || folded.as_str().eq_ignore_ascii_case(handle.as_str()));
        }
    }

    #[test]
    fn a_handle_of_version_0_1_has_a_key(text in "[\\p{Alphabetic}\\p{N}_.-]{1,32}") {
        if let Ok(handle) = Handle::for_look_up(text) {
            let folded = handle.folded();
            prop_assert_eq!(kept(FoldedHandle::new(folded.as_str())), Ok(folded.to_string()));
        }
    }

    #[test]
    fn canonically_equal_handles_fold_to_one(text in HANDLES) {
        let decomposed: String = text.nfd().collect();
        if let (Ok(one), Ok(other)) = (Handle::new(text), Handle::new(decomposed)) {
            prop_assert_eq!(one.folded(), other.folded());
        }
    }

    #[test]
    fn a_name_is_kept_as_created(text in "\\PC{0,30}|.{0,30}") {
        if let Ok(name) = DisplayName::new(text) {
            prop_assert_eq!(kept(DisplayName::new(name.as_str())), Ok(name.to_string()));
        }
    }
}

/// Handles of one script each, and of letters whose case or form is special.
const HANDLES: &str = "[A-Za-zÀ-ɏḀ-ỿ0-9_.\u{300}-\u{345}-]{1,24}|[Ͱ-Ͽἀ-῿\u{300}-\u{345}]{1,20}|\
    [Ѐ-ԯ\u{300}-\u{345}]{1,20}|\
    [\u{900}-\u{97f}]{1,16}|[\u{b80}-\u{bff}]{1,16}|[가-힣ᄀ-ᇿ]{1,16}|[Ա-և]{1,20}|[ا-ي\u{64b}-\u{65f}]{1,20}";

fn kept(result: Result<impl Into<String>>) -> Result<String, ErrorKind> {
    result.map(Into::into).map_err(|error: Error| error.kind())
}

fn expected(text: &str, valid: bool) -> Result<String, ErrorKind> {
    if valid { Ok(text.to_owned()) } else { Err(ErrorKind::Invalid) }
}
