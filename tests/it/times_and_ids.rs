//! Timestamps, whose text sorts like the time, and ids, which include one.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use threadline::{ErrorKind, GroupId, IdSource, MessageId, RandomIds, SequentialIds, Timestamp, UserId};
use uuid::Uuid;

use crate::support::{cases, time};

fn micros() -> impl Strategy<Value = i64> {
    prop_oneof![-3_i64..3, Timestamp::MIN.unix_micros()..=Timestamp::MAX.unix_micros()]
}

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

#[test]
fn a_timestamp_always_has_six_fraction_digits_and_utc() {
    for (micros, text) in [
        (0, "1970-01-01T00:00:00.000000+00:00"),
        (-1, "1969-12-31T23:59:59.999999+00:00"),
        (1_687_774_560_375_877, "2023-06-26T10:16:00.375877+00:00"),
        (1_709_164_800_000_000, "2024-02-29T00:00:00.000000+00:00"),
        (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000+00:00"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999+00:00"),
    ] {
        let timestamp = Timestamp::from_unix_micros(micros).unwrap();
        assert_eq!(timestamp.to_string(), text);
        assert_eq!(time(text), timestamp);
        assert_eq!(time(text).unix_micros(), micros);
    }
}

#[test]
fn every_rfc_3339_text_of_one_time_reads_as_that_time() {
    for text in [
        "2023-06-26T10:16:00.375877+00:00",
        "2023-06-26T10:16:00.375877Z",
        "2023-06-26t10:16:00.375877z",
        "2023-06-26T10:16:00.375877-00:00",
        "2023-06-26T15:46:00.375877+05:30",
        "2023-06-26T06:16:00.375877-04:00",
        "2023-06-27T10:15:00.375877+23:59",
        // Digits after the microsecond are cut, not rounded.
        "2023-06-26T10:16:00.3758779Z",
        "2023-06-26T10:16:00.375877999999Z",
    ] {
        assert_eq!(time(text).to_string(), "2023-06-26T10:16:00.375877+00:00", "{text}");
    }
    assert_eq!(time("2023-04-05T12:00:00Z").to_string(), "2023-04-05T12:00:00.000000+00:00");
    assert_eq!(format!("{:?}", time("2023-04-05T12:00:00Z")), "2023-04-05T12:00:00.000000+00:00");
    assert_eq!(time("2023-04-05T12:00:00.5Z").to_string(), "2023-04-05T12:00:00.500000+00:00");
}

#[test]
fn a_leap_second_is_the_second_after_it() {
    assert_eq!(time("2016-12-31T23:59:60Z"), time("2017-01-01T00:00:00Z"));
    assert_eq!(time("2016-12-31T23:59:60.000000+00:00"), time("2017-01-01T00:00:00Z"));
    assert_eq!(time("2016-12-31T23:59:60.25Z"), time("2017-01-01T00:00:00.25Z"));
    assert!("9999-12-31T23:59:60Z".parse::<Timestamp>().is_err());
}

#[test]
fn text_that_is_no_time_is_refused() {
    for text in [
        "",
        "now",
        "2023-06-26",
        // Cruddur wrote times without an offset, so their zone is unknown.
        "2023-04-05T13:15:19.922515",
        "2023-04-05T12:00:00",
        "2023-06-26T10:16:00.375877 +00:00",
        "2023-06-26T10:16Z",
        "2023-06-26T24:00:00Z",
        "2023-06-26T10:61:00Z",
        "2023-06-26T10:16:61Z",
        "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "23-06-26T10:16:00Z",
        "12023-06-26T10:16:00Z",
        "-001-06-26T10:16:00Z",
        "2023-06-26T10:16:00.Z",
        "2023-06-26T10:16:00+24:00",
        "2023-06-26T10:16:00Z\n",
        // As long as the stored form.
        "2023-02-29T00:00:00.000000+00:00",
        "2023-06-26T24:00:00.000000+00:00",
        "2023-06-26T10:16:61.000000+00:00",
        "+023-06-26T10:16:00.000000+00:00",
        "2023-06-26T1é:16:00.00000+00:00",
        "canary",
    ] {
        let error = text.parse::<Timestamp>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}");
        assert!(!error.to_string().contains("canary"));
    }
}

#[test]
fn a_time_outside_the_years_0000_to_9999_is_refused() {
    assert!("0000-01-01T00:00:00+00:01".parse::<Timestamp>().is_err());
    assert!("9999-12-31T23:59:59-00:01".parse::<Timestamp>().is_err());
    for micros in [i64::MIN, Timestamp::MIN.unix_micros() - 1, Timestamp::MAX.unix_micros() + 1, i64::MAX] {
        assert_eq!(Timestamp::from_unix_micros(micros).unwrap_err().kind(), ErrorKind::Invalid);
    }
    for millis in [i64::MIN, Timestamp::MAX.unix_millis() + 1, i64::MAX] {
        assert_eq!(Timestamp::from_unix_millis(millis).unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[test]
fn milliseconds_and_seconds_are_rounded_down() {
    let before = Timestamp::from_unix_micros(-1).unwrap();
    assert_eq!((before.unix_millis(), before.unix_seconds()), (-1, -1));
    let after = Timestamp::from_unix_micros(1_999_999).unwrap();
    assert_eq!((after.unix_millis(), after.unix_seconds()), (1999, 1));
}

#[test]
fn a_timestamp_moved_out_of_range_stays_at_the_limit() {
    assert_eq!(Timestamp::MAX.saturating_add(Duration::from_micros(1)), Timestamp::MAX);
    assert_eq!(Timestamp::MIN.saturating_sub(Duration::from_micros(1)), Timestamp::MIN);
    assert_eq!(Timestamp::MIN.saturating_add(Duration::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::MAX.saturating_sub(Duration::MAX), Timestamp::MIN);
    assert_eq!(time("2023-06-26T10:16:00Z").saturating_add(Duration::from_secs(60)), time("2023-06-26T10:17:00Z"));
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn the_text_order_of_timestamps_is_their_order_in_time(one in micros(), other in micros()) {
        let text = |micros| Timestamp::from_unix_micros(micros).unwrap().to_string();
        prop_assert_eq!(text(one).cmp(&text(other)), one.cmp(&other));
        prop_assert_eq!(text(one).len(), 32);
    }

    #[test]
    fn a_timestamp_reads_back_from_its_text_and_from_any_offset(micros in micros(), minutes in -1439_i32..1440) {
        let timestamp = Timestamp::from_unix_micros(micros).unwrap();
        prop_assert_eq!(time(&timestamp.to_string()), timestamp);

        let local = micros + i64::from(minutes) * 60_000_000;
        if let Ok(local) = Timestamp::from_unix_micros(local) {
            let sign = if minutes < 0 { '-' } else { '+' };
            let offset = format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
            prop_assert_eq!(time(&local.to_string().replace("+00:00", &offset)), timestamp);
        }
    }

    #[test]
    fn any_text_is_a_timestamp_or_a_typed_error(text in "\\PC{0,40}|[0-9T:.+Z-]{0,40}") {
        if let Err(error) = text.parse::<Timestamp>() {
            prop_assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn a_v7_id_has_its_time_in_milliseconds(millis in 0..=Timestamp::MAX.unix_millis()) {
        let now = Timestamp::from_unix_millis(millis).unwrap();
        let id = MessageId::from_uuid(SequentialIds::seeded(1).next(now));
        prop_assert_eq!(id.time(), Some(now));
        prop_assert_eq!(MessageId::from_uuid(RandomIds::new().next(now)).time(), Some(now));
    }

    #[test]
    fn any_id_has_a_time_or_none_without_a_panic(bits in any::<u128>()) {
        let id = MessageId::from_uuid(Uuid::from_u128(bits));
        let version = id.as_uuid().get_version_num();
        prop_assert!(version == 7 || id.time().is_none());
    }

    #[test]
    fn a_direct_id_does_not_depend_on_the_order_of_members(one in any::<u128>(), other in any::<u128>()) {
        prop_assert_eq!(GroupId::direct(user(one), user(other)), GroupId::direct(user(other), user(one)));
        prop_assert_eq!(GroupId::direct(user(one), user(other)).as_uuid().get_version_num(), 5);
    }

    #[test]
    fn another_pair_has_another_direct_id(pair in (0_u128..6, 0_u128..6), other in (0_u128..6, 0_u128..6)) {
        let sorted = |(a, b): (u128, u128)| if a <= b { (a, b) } else { (b, a) };
        let direct = |(a, b)| GroupId::direct(user(a), user(b));
        prop_assert_eq!(direct(pair) == direct(other), sorted(pair) == sorted(other));
    }

    #[test]
    fn random_ids_of_one_source_increase_with_any_clock(clock in prop::collection::vec(0_i64..5, 2..200)) {
        let ids = RandomIds::new();
        let made: Vec<_> = clock
            .into_iter()
            .map(|millis| ids.next(Timestamp::from_unix_millis(1_700_000_000_000 + millis).unwrap()))
            .collect();
        prop_assert!(made.is_sorted_by(|one, next| one < next));
        prop_assert!(made.iter().all(|id| id.get_version_num() == 7));
    }
}

#[test]
fn an_id_after_the_year_9999_or_of_another_version_has_no_time() {
    let beyond = uuid::Builder::from_unix_timestamp_millis((1 << 48) - 1, &[0; 10]).into_uuid();
    assert_eq!(beyond.get_version_num(), 7);
    for uuid in [beyond, Uuid::nil(), Uuid::max(), "5ebf5021-1881-4e1c-8c10-93173ba1a87a".parse().unwrap()] {
        assert_eq!(MessageId::from_uuid(uuid).time(), None);
    }
}

#[test]
fn the_id_of_a_direct_conversation_never_changes() {
    // Stored tables depend on it.
    let andrew: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse().unwrap();
    let bayko: UserId = "9531985d-5d9d-49f8-9818-e811892f902b".parse().unwrap();
    assert_eq!(GroupId::direct(andrew, bayko).to_string(), "c1ecd616-f0c7-52e7-82cd-4f739ab0e1d8");
}

#[test]
fn ids_read_back_from_their_text_and_refuse_other_text() {
    let id: MessageId = "5EBF5021-1881-4E1C-8C10-93173BA1A87A".parse().unwrap();
    assert_eq!(id.to_string(), "5ebf5021-1881-4e1c-8c10-93173ba1a87a");
    let error = "canary".parse::<MessageId>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("MessageId") && !error.to_string().contains("canary"));
}

#[test]
fn sequential_ids_are_the_same_in_every_run_and_differ_by_seed() {
    let now = time("2026-11-22T12:00:00Z");
    let three = |seed| {
        let ids = SequentialIds::seeded(seed);
        [ids.next(now), ids.next(now), ids.next(now)]
    };
    assert_eq!(three(1), three(1));
    assert!(three(1).is_sorted_by(|one, next| one < next));
    assert!(three(1).iter().all(|id| !three(2).contains(id)));
    assert_eq!(three(1)[0].to_string(), "01a20320-a200-7000-8000-000100000000");
}

#[test]
fn ids_from_many_threads_are_all_different() {
    let now = time("2026-11-22T12:00:00Z");
    let sources: [Arc<dyn IdSource>; 2] = [Arc::new(RandomIds::new()), Arc::new(SequentialIds::seeded(1))];
    for ids in sources {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let ids = ids.clone();
                std::thread::spawn(move || (0..1000).map(|_| ids.next(now)).collect::<Vec<_>>())
            })
            .collect();
        let mut made: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 4000);
    }
}

#[test]
fn random_ids_follow_a_clock_that_was_set_back() {
    let ids = RandomIds::new();
    let noon = time("2026-11-22T12:00:00Z");
    let next = |now: Timestamp| MessageId::from_uuid(ids.next(now));
    let first = next(noon);
    let ahead = next(time("2026-11-22T13:00:00Z"));
    assert!(first < ahead);
    let small = next(time("2026-11-22T12:59:59.5Z"));
    assert!(ahead < small, "after a small step back, ids stay in order");
    assert!(small.time().unwrap() <= time("2026-11-22T13:00:00.010Z"));
    let back: Vec<_> = (0..1000).map(|_| next(noon)).collect();
    assert!(back.is_sorted() && back.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(back.iter().all(|id| id.time().unwrap() <= time("2026-11-22T12:00:00.010Z")));
}
