//! An inbox entry has at most 1 KB with any names, title and text, so that moving it costs one unit.

use proptest::prelude::*;
use proptest::strategy::Union;
use threadline::entity::{Entity, Item};
use threadline::stream::Auditor;
use threadline::{
    DisplayName, Draft, GroupTitle, Handle, Membership, MessageBody, NewGroup, NewUser, Preview, Thread, User,
    UserChange,
};

use crate::support::{App, block_on, cases, id, scan, time};

/// The limit of one write capacity unit.
const ONE_UNIT: usize = 1024;
/// The bytes of a direct membership with every attribute, besides its names and preview.
const FIXED: usize = 730;
/// The bytes reserved for later edits and renames: digits of a revision and of two versions.
const KEPT_FREE: usize = 13;

/// Returns the table's memberships.
async fn entries(app: &App) -> Vec<Item> {
    let items = scan(&app.store).await;
    items.into_iter().filter(|item| item.type_name() == Some(Membership::TYPE)).collect()
}

fn new_user(handle: &Handle, name: &DisplayName) -> NewUser {
    NewUser::new(handle.clone(), name.clone()).unwrap()
}

/// Returns a draft with the longest possible position.
fn draft(body: &MessageBody) -> Draft {
    Draft::from(body.clone()).id(id("5ebf5021-1881-4e1c-8c10-93173ba1a87a")).sent_at(time("2026-11-22T12:00:00Z"))
}

/// Marks the thread as read by each user, so that the memberships have every possible attribute.
async fn read_by(app: &App, thread: &Thread, users: &[&User]) {
    for user in users {
        let mut thread = app.chat.open(user.id(), thread.group_id()).await.unwrap();
        let last = thread.membership().last_message().unwrap();
        thread.mark_read(last).await.unwrap();
    }
}

/// Returns the memberships of a direct conversation with this message, read by both.
async fn direct_entries(people: [(&Handle, &DisplayName); 2], body: &MessageBody) -> Vec<Item> {
    let app = App::new();
    let [one, other] = people.map(|(handle, name)| new_user(handle, name));
    let (one, other) = (app.chat.create_user(one).await.unwrap(), app.chat.create_user(other).await.unwrap());
    let thread = app.chat.start_direct(&one, &other, draft(body)).await.unwrap();
    read_by(&app, &thread, &[&one, &other]).await;
    entries(&app).await
}

/// Returns the memberships of a group that the first user creates with this message and the second joins.
async fn group_entries(people: [(&Handle, &DisplayName); 2], title: &GroupTitle, body: &MessageBody) -> Vec<Item> {
    let app = App::new();
    let [one, other] = people.map(|(handle, name)| new_user(handle, name));
    let (one, other) = (app.chat.create_user(one).await.unwrap(), app.chat.create_user(other).await.unwrap());
    let group = NewGroup::new(title.clone(), &one).unwrap();
    let thread = app.chat.create_group(group, draft(body)).await.unwrap();
    thread.add_member(&other).await.unwrap();
    read_by(&app, &thread, &[&one, &other]).await;
    entries(&app).await
}

fn text_bytes(entry: &Item, names: &[&str]) -> usize {
    names.iter().filter_map(|name| entry.get_s(name)).map(str::len).sum()
}

/// Returns the bytes of the names in a direct membership.
fn names(entry: &Item) -> usize {
    text_bytes(entry, &["user_handle", "user_display_name", "other_handle", "other_display_name"])
}

/// Text of one script, with characters of one to four bytes, up to the maximum of characters and bytes.
fn text<T>(most_characters: usize, most_bytes: usize) -> impl Strategy<Value = T>
where
    T: for<'a> TryFrom<&'a str, Error = threadline::Error> + std::fmt::Debug,
{
    let scripts = [("a", 1), ("é", 2), ("語", 3), ("\u{1E7E0}", 4)];
    let of_script = scripts.map(|(letter, size)| {
        let most = (most_bytes / size).min(most_characters);
        prop_oneof![Just(most), 1..=most].prop_map(move |count| T::try_from(&*letter.repeat(count)).unwrap()).boxed()
    });
    Union::new(of_script)
}

fn person(letter: char) -> impl Strategy<Value = (Handle, DisplayName)> {
    // The first letter keeps the two handles distinct.
    (text::<Handle>(31, 47), text::<DisplayName>(64, 80))
        .prop_map(move |(handle, name)| (Handle::new(format!("{letter}{handle}")).unwrap(), name))
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn no_entry_is_larger_than_one_unit(
        one in person('1'),
        other in person('2'),
        title in text::<GroupTitle>(64, 128),
        body in text::<MessageBody>(1024, 4096),
    ) {
        let people = [(&one.0, &one.1), (&other.0, &other.1)];
        let mut entries = block_on(direct_entries(people, &body));
        entries.extend(block_on(group_entries(people, &title, &body)));
        prop_assert_eq!(entries.len(), 4);
        for entry in entries {
            prop_assert!(entry.get("last_read").is_some(), "the entry has every attribute");
            prop_assert!(entry.size() <= ONE_UNIT, "{} bytes", entry.size());
        }
    }

    #[test]
    fn an_entry_has_its_reserved_bytes_names_and_preview(
        one in person('1'),
        other in person('2'),
        body in text::<MessageBody>(1024, 4096),
    ) {
        for entry in block_on(direct_entries([(&one.0, &one.1), (&other.0, &other.1)], &body)) {
            let preview = entry.get_s("message").unwrap();
            prop_assert_eq!(entry.size(), FIXED + names(&entry) + preview.len());

            // The preview is the longest prefix of the text that fits.
            let rest = body.as_str().strip_prefix(preview).unwrap();
            let room = ONE_UNIT - FIXED - KEPT_FREE - names(&entry) - preview.len();
            let is_longest = rest.chars().next().is_none_or(|next| {
                preview.chars().count() == 140 || next.len_utf8() > room
            });
            prop_assert!(is_longest);
        }
    }
}

#[tokio::test]
async fn an_entry_with_the_longest_names_still_has_a_preview() {
    for letter in ["a", "é", "語", "\u{1E7E0}"] {
        let handle = |first: &str| {
            let count = ((48 - 1) / letter.len()).min(31);
            Handle::new(format!("{first}{}", letter.repeat(count))).unwrap()
        };
        let name = DisplayName::new(letter.repeat((80 / letter.len()).min(64))).unwrap();
        let title = GroupTitle::new(letter.repeat((128 / letter.len()).min(64))).unwrap();
        let people = [(&handle("1"), &name), (&handle("2"), &name)];
        let body = MessageBody::new("In the beginning. ".repeat(10)).unwrap();
        let mut entries = direct_entries(people, &body).await;
        entries.extend(group_entries(people, &title, &body).await);
        for entry in entries {
            assert!(entry.size() <= ONE_UNIT, "{} bytes", entry.size());
            assert!(entry.get_s("message").unwrap().starts_with("In the beginning"));
        }
    }
}

#[tokio::test]
async fn the_longest_entry_is_filled_to_the_last_byte() {
    let handle = |first: &str| Handle::new(format!("{first}{}a", "é".repeat(23))).unwrap();
    let name = DisplayName::new("é".repeat(40)).unwrap();
    let body = MessageBody::new("a".repeat(1024)).unwrap();
    for entry in direct_entries([(&handle("1"), &name), (&handle("2"), &name)], &body).await {
        assert_eq!(entry.size(), ONE_UNIT - KEPT_FREE);
    }
}

#[tokio::test]
async fn a_preview_has_at_most_140_whole_characters() {
    let (handle, other, name) = (Handle::new("x").unwrap(), Handle::new("y").unwrap(), DisplayName::new("x").unwrap());
    let people = [(&handle, &name), (&other, &name)];
    for (text, preview) in [
        ("a".repeat(140), "a".repeat(140)),
        ("a".repeat(141), "a".repeat(140)),
        // These names leave 277 bytes.
        ("é".repeat(141), "é".repeat(138)),
        ("語".repeat(141), "語".repeat(92)),
        ("🙂".repeat(141), "🙂".repeat(69)),
        (format!("aa{}", "🙂".repeat(140)), format!("aa{}", "🙂".repeat(68))),
        ("opa".to_owned(), "opa".to_owned()),
    ] {
        for entry in direct_entries(people, &MessageBody::new(text).unwrap()).await {
            assert_eq!(entry.get_s("message").unwrap(), preview);
            assert!(Preview::new(preview.clone()).is_ok());
        }
    }
}

#[tokio::test]
async fn a_new_members_preview_is_cut_for_their_names() {
    let (short, name) = (Handle::new("x").unwrap(), DisplayName::new("x").unwrap());
    let (long, long_name) = (Handle::new("é".repeat(24)).unwrap(), DisplayName::new("é".repeat(40)).unwrap());
    let title = GroupTitle::new("B").unwrap();
    let body = MessageBody::new("🙂".repeat(140)).unwrap();
    for entry in group_entries([(&short, &name), (&long, &long_name)], &title, &body).await {
        assert!(entry.size() <= ONE_UNIT, "{} bytes", entry.size());
    }
}

/// Returns both memberships of a direct conversation with this message, after the first user had these names in turn.
async fn renamed_entries(names: &[(&Handle, &DisplayName)], body: &MessageBody) -> Vec<Item> {
    let app = App::with_whole_pages();
    let (handle, name) = names[0];
    let mut one = app.chat.create_user(new_user(handle, name)).await.unwrap();
    let other = app.user("y").await;
    let thread = app.chat.start_direct(&one, &other, draft(body)).await.unwrap();
    read_by(&app, &thread, &[&one, &other]).await;
    for (handle, name) in &names[1..] {
        let change = UserChange::new().handle((*handle).clone()).unwrap().display_name((*name).clone()).unwrap();
        one = app.chat.update_user(&one, change).await.unwrap();
        app.project().await;
    }
    assert_eq!(Auditor::new(app.store.clone()).check(None).await.unwrap().findings, []);
    entries(&app).await
}

#[tokio::test]
async fn a_rename_fits_the_preview_to_the_new_names() {
    let (short, short_name) = (Handle::new("x").unwrap(), DisplayName::new("x").unwrap());
    let (long, long_name) = (Handle::new("é".repeat(24)).unwrap(), DisplayName::new("é".repeat(40)).unwrap());
    let (short, long) = ((&short, &short_name), (&long, &long_name));
    for text in ["a".repeat(1024), "é".repeat(200), "語".repeat(200), "🙂".repeat(200), "opa".to_owned()] {
        let body = MessageBody::new(text).unwrap();
        let (with_short, with_long) = (renamed_entries(&[short], &body).await, renamed_entries(&[long], &body).await);
        for (names, expected) in [
            (&[short, long][..], &with_long),
            (&[long, short][..], &with_short),
            (&[short, long, short][..], &with_short),
        ] {
            for (entry, expected) in renamed_entries(names, &body).await.iter().zip(expected) {
                assert!(entry.size() <= ONE_UNIT, "{} bytes", entry.size());
                assert_eq!(entry.get_s("message"), expected.get_s("message"));
            }
        }
    }
}

#[tokio::test]
async fn an_endless_grapheme_ends_a_preview_with_any_names() {
    let app = App::with_whole_pages();
    let (_, mut bayko, thread) = app.direct().await;
    let marks = "e".to_owned() + &"\u{301}".repeat(300);
    for (text, shown) in [(marks.clone(), ""), (format!("opa {marks} epa"), "opa ")] {
        let message = app.say(&thread, &text).await;
        for name in ["Andrew", &"語".repeat(26), "A"] {
            let change = UserChange::new().display_name(DisplayName::new(name).unwrap()).unwrap();
            bayko = app.chat.update_user(&bayko, change).await.unwrap();
            app.project().await;
            for entry in app.chat.open(bayko.id(), thread.group_id()).await.unwrap().members().await.unwrap().items {
                let inbox = app.inbox(entry.profile.id()).await;
                assert_eq!(inbox[0].last_message(), Some(message.position()));
                assert_eq!(inbox[0].preview().map(Preview::as_str), Some(shown));
            }
            assert_eq!(Auditor::new(app.store.clone()).check(None).await.unwrap().findings, []);
        }
    }
}
