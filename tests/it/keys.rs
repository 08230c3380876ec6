//! Keys are built from validated segments, cannot collide, cannot be forged, and sort like their parts.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use threadline::entity::{
    AttributeValue, Entity, FoldedHandle, HandleClaim, IndexKey, Item, Key, KeySegment, KnownKey,
    MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, MessageKey, PartitionKey, SortKey, SortKeyPrefix, Tag, tag,
};
use threadline::store::SortRange;
use threadline::{
    ErrorKind, GroupId, IdentitySubject, Membership, Message, MessageId, MessagePosition, Timestamp, User, UserId,
};
use uuid::Uuid;

use crate::support::cases;

/// A segment of a small alphabet, so that two often agree. It includes the neighbors of `#`.
fn short_segment() -> impl Strategy<Value = KeySegment> {
    "[a\"$]{1,2}".prop_map(|text| KeySegment::new(text).unwrap())
}

/// Any valid segment.
fn any_segment() -> impl Strategy<Value = KeySegment> {
    "[^#\\p{Cc}]{1,50}".prop_map(|text| KeySegment::new(text).unwrap())
}

/// Two lists of segments: unrelated, equal, one a prefix of the other, or one with two segments joined.
fn two_lists() -> impl Strategy<Value = (Vec<KeySegment>, Vec<KeySegment>)> {
    let segments = || vec(prop_oneof![4 => short_segment(), 1 => any_segment()], 1..=4);
    let related = (segments(), any::<prop::sample::Index>(), 0..3).prop_map(|(segments, at, relation)| {
        let at = at.index(segments.len());
        let mut other = segments.clone();
        match relation {
            0 => {}
            1 => other.truncate(at.max(1)),
            _ if at > 0 => {
                let tail = other.remove(at);
                other[at - 1] = KeySegment::new(format!("{}{tail}", other[at - 1])).unwrap_or(tail);
            }
            _ => {}
        }
        (segments, other)
    });
    prop_oneof![(segments(), segments()), related.clone(), related.prop_map(|(segments, other)| (other, segments))]
}

/// Calls a constructor that takes a tuple of segments with a list of them.
macro_rules! with_segments {
    ($type:ident, $segments:expr) => {
        match $segments {
            [a] => $type::new((a,)),
            [a, b] => $type::new((a, b)),
            [a, b, c] => $type::new((a, b, c)),
            [a, b, c, d] => $type::new((a, b, c, d)),
            _ => unreachable!("a key has 1 to 4 segments"),
        }
    };
}

fn uuid() -> impl Strategy<Value = Uuid> {
    prop_oneof![0_u128..3, any::<u128>()].prop_map(Uuid::from_u128)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let any = Timestamp::MIN.unix_micros()..=Timestamp::MAX.unix_micros();
    let ends = prop_oneof![Just(Timestamp::MIN.unix_micros()), Just(Timestamp::MAX.unix_micros())];
    prop_oneof![4 => -2_i64..2, 4 => any, 1 => ends].prop_map(|micros| Timestamp::from_unix_micros(micros).unwrap())
}

fn position() -> impl Strategy<Value = MessagePosition> {
    (timestamp(), option::of(uuid())).prop_map(|(time, id)| match id {
        Some(id) => MessagePosition::new(time, MessageId::from_uuid(id)),
        None => time.to_string().parse().unwrap(),
    })
}

fn known_key() -> impl Strategy<Value = KnownKey> {
    let user = || uuid().prop_map(UserId::from_uuid);
    let group = || uuid().prop_map(GroupId::from_uuid);
    prop_oneof![
        user().prop_map(KnownKey::User),
        "[a-b.]{1,3}".prop_map(|handle| KnownKey::HandleClaim(FoldedHandle::new(handle).unwrap())),
        "[a \"$]{1,3}".prop_map(|subject| KnownKey::IdentityClaim(IdentitySubject::new(subject).unwrap())),
        group().prop_map(KnownKey::MessageGroup),
        (group(), user()).prop_map(|(group, user)| KnownKey::Membership(group, user)),
        (group(), position()).prop_map(|(group, position)| KnownKey::Message(MessageKey { group, position })),
    ]
}

/// Returns a membership with this time of joining and this newest message.
fn membership(group: Uuid, joined_at: Timestamp, last_message: Option<MessagePosition>) -> Membership {
    let mut item = Item::new();
    let mut set = |name: &str, text: String| item.insert(name, AttributeValue::S(text));
    set("message_group_uuid", group.to_string());
    set("user_uuid", Uuid::from_u128(1).to_string());
    set("user_handle", "bayko".into());
    set("user_display_name", "Andrew Bayko".into());
    set("joined_at", joined_at.to_string());
    if let Some(last) = last_message {
        set("last_message", last.to_string());
    }
    Membership::from_item(item).unwrap()
}

/// Returns the whole key as one text, which no two items share.
fn whole(key: &Key) -> String {
    format!("{}#{}", key.pk.as_str(), key.sk.as_str())
}

/// Text of a forger: tags, ids in every spelling, and noise.
fn forged_part() -> impl Strategy<Value = String> {
    let tag = prop::sample::select(vec!["USER", "HANDLE", "IDENTITY", "GRP", "MSG", "user", "", "X"]);
    let value = prop_oneof![
        uuid().prop_map(|id| id.to_string()),
        uuid().prop_map(|id| id.to_string().to_uppercase()),
        uuid().prop_map(|id| id.simple().to_string()),
        uuid().prop_map(|id| id.braced().to_string()),
        uuid().prop_map(|id| id.urn().to_string()),
        timestamp().prop_map(|time| time.to_string()),
        timestamp().prop_map(|time| time.to_string().replace("+00:00", "Z")),
        position().prop_map(|position| position.to_string()),
        position().prop_map(|position| position.to_string().to_uppercase()),
        (timestamp(), uuid()).prop_map(|(time, id)| format!("{time}#{}", id.simple())),
        "\\PC{0,40}",
        "[A-Z]{1,3}",
        Just(String::new()),
    ];
    (tag, option::of(value)).prop_map(|(tag, value)| match value {
        Some(value) if tag.is_empty() => value,
        Some(value) => format!("{tag}#{value}"),
        None => tag.to_owned(),
    })
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn different_segments_make_different_keys((one, other) in two_lists()) {
        let (one, other) = (&one[..], &other[..]);
        prop_assert_eq!(with_segments!(PartitionKey, one) == with_segments!(PartitionKey, other), one == other);
        prop_assert_eq!(with_segments!(SortKey, one) == with_segments!(SortKey, other), one == other);
        prop_assert_eq!(with_segments!(SortKeyPrefix, one) == with_segments!(SortKeyPrefix, other), one == other);
    }

    #[test]
    fn a_prefix_matches_only_keys_that_continue_its_segments((segments, lead) in two_lists()) {
        let continues = segments.len() > lead.len() && segments.starts_with(&lead);
        let range = SortRange::BeginsWith(with_segments!(SortKeyPrefix, &lead[..]));
        prop_assert_eq!(range.contains(&with_segments!(SortKey, &segments[..])), continues);
    }

    #[test]
    fn a_key_that_was_built_reads_back_from_its_text(segments in vec(any_segment(), 1..=4)) {
        let (pk, sk) = (with_segments!(PartitionKey, &segments[..]), with_segments!(SortKey, &segments[..]));
        prop_assert_eq!(PartitionKey::parse(pk.as_str()).unwrap(), pk);
        prop_assert_eq!(SortKey::parse(sk.as_str()).unwrap(), sk);
    }

    #[test]
    fn no_key_is_a_prefix_of_another_except_a_bare_message_key(one in known_key(), other in known_key()) {
        let is_twin = match (&one, &other) {
            (KnownKey::Message(bare), KnownKey::Message(full)) => {
                bare.group == full.group
                    && bare.position.created_at() == full.position.created_at()
                    && bare.position.message_id().is_none()
            }
            _ => false,
        };
        let begins = whole(&other.to_key()).starts_with(&whole(&one.to_key()));
        prop_assert_eq!(begins, one == other || is_twin);
    }

    #[test]
    fn message_sort_keys_are_ordered_by_time_then_id(
        one in (timestamp(), uuid()),
        other in (timestamp(), uuid()),
    ) {
        let sort_key = |(time, id): (Timestamp, Uuid)| {
            let position = MessagePosition::new(time, MessageId::from_uuid(id));
            Message::key_from(MessageKey { group: GroupId::from_uuid(Uuid::nil()), position }).sk
        };
        prop_assert_eq!(sort_key(one).cmp(&sort_key(other)), one.cmp(&other));
    }

    #[test]
    fn message_positions_compare_like_their_text(one in position(), other in position()) {
        prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        prop_assert_eq!(one.to_string().parse::<MessagePosition>().unwrap(), one);
    }

    #[test]
    fn any_text_is_exactly_a_position_or_none(text in forged_part()) {
        match text.parse::<MessagePosition>() {
            Ok(position) => prop_assert_eq!(position.to_string(), text),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Invalid),
        }
    }

    #[test]
    fn inbox_entries_are_ordered_by_their_newest_messages(
        one in (timestamp(), uuid()),
        other in (timestamp(), uuid()),
        joined in (timestamp(), timestamp()),
    ) {
        let entry = |(time, group): (Timestamp, Uuid), joined_at| {
            let last = MessagePosition::new(time, MessageId::from_uuid(Uuid::max()));
            membership(group, joined_at, Some(last)).index_key().unwrap()
        };
        let (first, second) = (entry(one, joined.0), entry(other, joined.1));
        prop_assert_eq!(first.sk.cmp(&second.sk), one.cmp(&other));
        prop_assert_eq!(first.pk, second.pk);
    }

    #[test]
    fn an_entry_without_a_message_is_ordered_by_the_time_of_joining(one in timestamp(), other in timestamp()) {
        let entry = |joined_at| membership(Uuid::nil(), joined_at, None).index_key().unwrap();
        prop_assert_eq!(entry(one).sk.cmp(&entry(other).sk), one.cmp(&other));
    }

    #[test]
    fn every_known_key_reads_back_into_its_parts(known in known_key()) {
        prop_assert_eq!(KnownKey::parse(&known.to_key()), Some(known));
    }

    #[test]
    fn a_forged_key_is_no_key_or_exactly_that_of_its_parts(pk in forged_part(), sk in forged_part()) {
        if let (Ok(pk), Ok(sk)) = (PartitionKey::parse(pk), SortKey::parse(sk)) {
            let key = Key::new(pk, sk);
            if let Some(known) = KnownKey::parse(&key) {
                prop_assert_eq!(known.to_key(), key);
            }
        }
    }

    #[test]
    fn any_text_is_a_key_or_a_typed_error(text in ".{0,300}") {
        let is_key = !text.is_empty();
        for error in [PartitionKey::parse(&*text).err(), SortKey::parse(&*text).err()] {
            // 300 characters have at most 1200 bytes: too many only for a sort key.
            let error_kind = error.map(|error| error.kind());
            prop_assert!(error_kind.is_none() || error_kind == Some(ErrorKind::Invalid));
            if !is_key {
                prop_assert_eq!(error_kind, Some(ErrorKind::Invalid));
            }
        }
    }
}

#[test]
fn the_longest_possible_keys_are_within_dynamodbs_limits() {
    for text in ["x".repeat(200), "é".repeat(100), "語".repeat(66), "🙂".repeat(50)] {
        let segment = KeySegment::new(text).unwrap();
        let segments = (&segment, &segment, &segment, &segment);
        assert!(PartitionKey::new(segments).as_str().len() <= MAX_PARTITION_KEY_BYTES);
        assert!(SortKey::new(segments).as_str().len() <= MAX_SORT_KEY_BYTES);
        assert!(SortKeyPrefix::new(segments).as_str().len() <= MAX_SORT_KEY_BYTES);
    }
    let subject = IdentitySubject::new("x".repeat(128)).unwrap();
    let handle = FoldedHandle::new("é".repeat(24)).unwrap();
    let position = MessagePosition::new(Timestamp::MAX, MessageId::from_uuid(Uuid::max()));
    let (group, user) = (GroupId::from_uuid(Uuid::max()), UserId::from_uuid(Uuid::max()));
    for known in [
        KnownKey::User(user),
        KnownKey::HandleClaim(handle),
        KnownKey::IdentityClaim(subject),
        KnownKey::MessageGroup(group),
        KnownKey::Membership(group, user),
        KnownKey::Message(MessageKey { group, position }),
    ] {
        let key = known.to_key();
        assert!(key.pk.as_str().len() <= MAX_PARTITION_KEY_BYTES && key.sk.as_str().len() <= MAX_SORT_KEY_BYTES);
    }
}

#[test]
fn a_key_may_have_the_most_bytes_that_dynamodb_allows() {
    assert!(PartitionKey::parse("x".repeat(MAX_PARTITION_KEY_BYTES)).is_ok());
    assert!(PartitionKey::parse("é".repeat(MAX_PARTITION_KEY_BYTES / 2)).is_ok());
    assert!(SortKey::parse("x".repeat(MAX_SORT_KEY_BYTES)).is_ok());
    assert!(SortKey::parse("é".repeat(MAX_SORT_KEY_BYTES / 2)).is_ok());
    for error in [
        PartitionKey::parse("x".repeat(MAX_PARTITION_KEY_BYTES + 1)).unwrap_err(),
        PartitionKey::parse("é".repeat(MAX_PARTITION_KEY_BYTES / 2 + 1)).unwrap_err(),
        SortKey::parse("x".repeat(MAX_SORT_KEY_BYTES + 1)).unwrap_err(),
        SortKey::parse("é".repeat(MAX_SORT_KEY_BYTES / 2 + 1)).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[test]
fn a_key_of_another_program_is_read_back() {
    for text in ["#", "a#", "#METADATA#1", "a##b", "a\n", "a#\u{85}", "a#\0#b"] {
        assert_eq!(PartitionKey::parse(text).unwrap().as_str(), text);
        assert_eq!(SortKey::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn a_bad_key_is_refused_without_repeating_it() {
    for text in [String::new(), "canary".repeat(400)] {
        for error in [PartitionKey::parse(&*text).unwrap_err(), SortKey::parse(&*text).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{text:?}");
        }
    }
}

#[test]
fn a_handle_that_begins_another_has_a_claim_of_its_own() {
    let claim = |handle: &str| HandleClaim::key_from(&handle.parse().unwrap());
    assert_ne!(claim("andrew"), claim("andrewbrown"));
    assert_eq!(claim("Andrew").pk.as_str(), "HANDLE#andrew");
}

#[test]
fn a_prefix_of_one_id_does_not_match_a_longer_one() {
    let segment = |text: &str| KeySegment::new(text).unwrap();
    let one = SortRange::BeginsWith(SortKeyPrefix::new((tag!("DAY"), segment("1"))));
    assert!(one.contains(&SortKey::new((tag!("DAY"), segment("1"), segment("a")))));
    assert!(!one.contains(&SortKey::new((tag!("DAY"), segment("10"), segment("a")))));
    assert!(!one.contains(&SortKey::new((tag!("DAY"), segment("1")))));
}

#[test]
fn an_id_in_capitals_is_no_known_key() {
    let user = UserId::from_uuid(Uuid::from_u128(0xabcdef));
    let key = User::key_from(user);
    let capitals = PartitionKey::parse(key.pk.as_str().to_uppercase()).unwrap();
    assert_eq!(KnownKey::parse(&Key::new(capitals, key.sk)), None);
}

#[test]
fn a_tag_has_1_to_32_visible_ascii_characters() {
    const LONG: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_123456";
    for text in ["A", "!", "~", "reaction-2", &LONG[..32]] {
        assert_eq!(Tag::checked(text).map(Tag::as_str), Some(text));
    }
    for text in ["", LONG, "#", "A#", "#A", "A B", "A\n", "\u{7f}", "É"] {
        assert_eq!(Tag::checked(text), None, "{text:?}");
    }
}

#[test]
fn debug_of_a_key_shows_its_shape_and_no_value() {
    let user = UserId::from_uuid(Uuid::from_u128(0xabcdef));
    let foreign = SortKey::new((KeySegment::new("canary").unwrap(), user));
    let inbox = PartitionKey::new((tag!("USER"), user));
    assert_eq!(format!("{:?}", Key::new(inbox.clone(), foreign.clone())), "USER#… / …#…");
    assert_eq!(format!("{:?}", IndexKey::new(inbox, foreign)), "USER#… / …#…");
    assert_eq!(format!("{:?}", SortKeyPrefix::new((tag!("USER"), user))), "USER#…#…");
    assert_eq!(format!("{:?}", SortKeyPrefix::new((tag!("REACTION"),))), "…#…");
}
