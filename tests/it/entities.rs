//! The entities as the table stores them, attribute by attribute.

use std::collections::HashMap;

use serde_json::{Value, json};
use threadline::entity::{AttributeValue, Entity, HandleClaim, IdentityClaim, Item, KnownKey};
use threadline::{
    Draft, GroupId, IdentitySubject, ImportedDirect, Membership, Message, MessageGroup, NewGroup, NewUser, Thread, User,
};

use crate::support::{App, id, scan, time};

/// The time and the ids of every run: the clock stays at noon, and the ids count up.
const NOON: &str = "2026-11-22T12:00:00.000000+00:00";
const ANDREW: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";
const BAYKO: &str = "9531985d-5d9d-49f8-9818-e811892f902b";
const PAIR: &str = "c1ecd616-f0c7-52e7-82cd-4f739ab0e1d8";
const OPA: &str = "5ebf5021-1881-4e1c-8c10-93173ba1a87a";

/// Returns the item in DynamoDB's JSON, which unlike `Debug` shows the content.
pub(crate) fn json(item: &Item) -> Value {
    item.iter().map(|(name, value)| (name.to_owned(), serde_json::to_value(value).unwrap())).collect()
}

/// Parses an item from DynamoDB's JSON.
pub(crate) fn item(json: &Value) -> Item {
    serde_json::from_value::<HashMap<String, AttributeValue>>(json.clone()).unwrap().into()
}

async fn andrew(app: &App) -> User {
    let new = NewUser::new("AndrewBrown", "Andrew Brown").unwrap().id(id(ANDREW));
    app.chat.create_user(new.identity(IdentitySubject::new("d23f0824").unwrap()).unwrap()).await.unwrap()
}

async fn bayko(app: &App) -> User {
    app.chat.create_user(NewUser::new("bayko", "Andrew Bayko").unwrap().id(id(BAYKO))).await.unwrap()
}

/// Creates Andrew's conversation with Bayko, with one message whose id is a v4.
async fn direct(app: &App) -> Thread {
    let (andrew, bayko) = (andrew(app).await, bayko(app).await);
    let first = Draft::try_from("opa").unwrap().id(id(OPA)).sent_at(time("2026-11-22T11:59:59.375877Z"));
    app.chat.start_direct(&andrew, &bayko, first).await.unwrap()
}

/// Returns the item with this key, as JSON.
async fn stored(app: &App, pk: &str, sk: &str) -> Value {
    let found: Vec<_> = scan(&app.store)
        .await
        .iter()
        .filter(|item| item.get_s("pk") == Some(pk) && item.get_s("sk") == Some(sk))
        .map(json)
        .collect();
    assert_eq!(found.len(), 1, "{pk} / {sk}");
    found.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_user_with_an_identity_is_stored_as_three_items() {
    let app = App::new();
    andrew(&app).await;
    let items: Vec<_> = scan(&app.store).await.iter().map(json).collect();
    assert_eq!(
        items,
        [
            json!({
                "pk": {"S": "HANDLE#andrewbrown"},
                "sk": {"S": "HANDLE"},
                "type": {"S": "HandleClaim"},
                "user_uuid": {"S": ANDREW},
                "handle": {"S": "AndrewBrown"},
                "display_name": {"S": "Andrew Brown"},
                "version": {"N": "1"},
            }),
            json!({
                "pk": {"S": "IDENTITY#d23f0824"},
                "sk": {"S": "IDENTITY"},
                "type": {"S": "IdentityClaim"},
                "cognito_user_id": {"S": "d23f0824"},
                "user_uuid": {"S": ANDREW},
                "handle": {"S": "AndrewBrown"},
                "display_name": {"S": "Andrew Brown"},
                "version": {"N": "1"},
            }),
            json!({
                "pk": {"S": format!("USER#{ANDREW}")},
                "sk": {"S": "USER"},
                "type": {"S": "User"},
                "user_uuid": {"S": ANDREW},
                "handle": {"S": "AndrewBrown"},
                "display_name": {"S": "Andrew Brown"},
                "cognito_user_id": {"S": "d23f0824"},
                "version": {"N": "1"},
                "created_at": {"S": NOON},
            }),
        ]
    );
}

#[tokio::test]
async fn a_user_without_an_identity_is_stored_as_two_items() {
    let app = App::new();
    bayko(&app).await;
    let items: Vec<_> = scan(&app.store).await.iter().map(json).collect();
    assert_eq!(
        items,
        [
            json!({
                "pk": {"S": "HANDLE#bayko"},
                "sk": {"S": "HANDLE"},
                "type": {"S": "HandleClaim"},
                "user_uuid": {"S": BAYKO},
                "handle": {"S": "bayko"},
                "display_name": {"S": "Andrew Bayko"},
                "version": {"N": "1"},
            }),
            json!({
                "pk": {"S": format!("USER#{BAYKO}")},
                "sk": {"S": "USER"},
                "type": {"S": "User"},
                "user_uuid": {"S": BAYKO},
                "handle": {"S": "bayko"},
                "display_name": {"S": "Andrew Bayko"},
                "version": {"N": "1"},
                "created_at": {"S": NOON},
            }),
        ]
    );
}

#[tokio::test]
async fn a_direct_conversation_is_a_group_two_memberships_and_a_message() {
    let app = App::new();
    direct(&app).await;
    assert_eq!(
        stored(&app, &format!("GRP#{PAIR}"), "GRP").await,
        json!({
            "pk": {"S": format!("GRP#{PAIR}")},
            "sk": {"S": "GRP"},
            "type": {"S": "MessageGroup"},
            "message_group_uuid": {"S": PAIR},
            "member_count": {"N": "2"},
            "created_by": {"S": ANDREW},
            "created_at": {"S": NOON},
        })
    );
    assert_eq!(
        stored(&app, &format!("GRP#{PAIR}"), &format!("USER#{ANDREW}")).await,
        json!({
            "pk": {"S": format!("GRP#{PAIR}")},
            "sk": {"S": format!("USER#{ANDREW}")},
            "gsi1pk": {"S": format!("USER#{ANDREW}")},
            "gsi1sk": {"S": format!("GRP#2026-11-22T11:59:59.375877+00:00#{PAIR}")},
            "type": {"S": "Membership"},
            "message_group_uuid": {"S": PAIR},
            "user_uuid": {"S": ANDREW},
            "user_handle": {"S": "AndrewBrown"},
            "user_display_name": {"S": "Andrew Brown"},
            "user_version": {"N": "1"},
            "joined_at": {"S": NOON},
            "other_uuid": {"S": BAYKO},
            "other_handle": {"S": "bayko"},
            "other_display_name": {"S": "Andrew Bayko"},
            "other_version": {"N": "1"},
            "last_message": {"S": format!("2026-11-22T11:59:59.375877+00:00#{OPA}")},
            "last_sender_uuid": {"S": ANDREW},
            "last_revision": {"N": "0"},
            "message": {"S": "opa"},
        })
    );
    assert_eq!(
        stored(&app, &format!("MSG#{PAIR}"), &format!("2026-11-22T11:59:59.375877+00:00#{OPA}")).await,
        json!({
            "pk": {"S": format!("MSG#{PAIR}")},
            "sk": {"S": format!("2026-11-22T11:59:59.375877+00:00#{OPA}")},
            "type": {"S": "Message"},
            "message_uuid": {"S": OPA},
            "user_uuid": {"S": ANDREW},
            "user_handle": {"S": "AndrewBrown"},
            "user_display_name": {"S": "Andrew Brown"},
            "message": {"S": "opa"},
        })
    );
    let theirs = stored(&app, &format!("GRP#{PAIR}"), &format!("USER#{BAYKO}")).await;
    assert_eq!(theirs["other_handle"], json!({"S": "AndrewBrown"}));
    assert_eq!(theirs["gsi1pk"], json!({"S": format!("USER#{BAYKO}")}));
}

#[tokio::test]
async fn a_group_membership_has_a_title_and_no_other_member() {
    let app = App::new();
    let group = "0ac1266c-dcf6-4b97-ab92-53e7ab719fb2";
    let new = NewGroup::new("Babylon 5", &andrew(&app).await).unwrap().id(id(group));
    let first = Draft::try_from("opa").unwrap().id(id(OPA)).sent_at(time(NOON));
    let mut thread = app.chat.create_group(new, first.clone()).await.unwrap();
    thread.mark_read(thread.membership().last_message().unwrap()).await.unwrap();
    assert_eq!(
        stored(&app, &format!("GRP#{group}"), &format!("USER#{ANDREW}")).await,
        json!({
            "pk": {"S": format!("GRP#{group}")},
            "sk": {"S": format!("USER#{ANDREW}")},
            "gsi1pk": {"S": format!("USER#{ANDREW}")},
            "gsi1sk": {"S": format!("GRP#{NOON}#{group}")},
            "type": {"S": "Membership"},
            "message_group_uuid": {"S": group},
            "user_uuid": {"S": ANDREW},
            "user_handle": {"S": "AndrewBrown"},
            "user_display_name": {"S": "Andrew Brown"},
            "user_version": {"N": "1"},
            "joined_at": {"S": NOON},
            "title": {"S": "Babylon 5"},
            "last_message": {"S": format!("{NOON}#{OPA}")},
            "last_sender_uuid": {"S": ANDREW},
            "last_revision": {"N": "0"},
            "message": {"S": "opa"},
            "last_read": {"S": format!("{NOON}#{OPA}")},
        })
    );
    assert_eq!(
        stored(&app, &format!("GRP#{group}"), "GRP").await,
        json!({
            "pk": {"S": format!("GRP#{group}")},
            "sk": {"S": "GRP"},
            "type": {"S": "MessageGroup"},
            "message_group_uuid": {"S": group},
            "title": {"S": "Babylon 5"},
            "member_count": {"N": "1"},
            "created_by": {"S": ANDREW},
            "created_at": {"S": NOON},
        })
    );
}

#[tokio::test]
async fn the_pairs_group_points_to_an_imported_conversation() {
    let app = App::new();
    let group: GroupId = id("5ae290ed-55d1-47a0-bc6d-fe2bc2700399");
    let (andrew, bayko) = (andrew(&app).await, bayko(&app).await);
    let imported = ImportedDirect::new(group, &andrew, &bayko, time("2023-03-22T14:36:25Z"));
    app.chat.import_direct(imported).await.unwrap();
    assert_eq!(
        stored(&app, &format!("GRP#{PAIR}"), "GRP").await,
        json!({
            "pk": {"S": format!("GRP#{PAIR}")},
            "sk": {"S": "GRP"},
            "type": {"S": "MessageGroup"},
            "message_group_uuid": {"S": PAIR},
            "member_count": {"N": "0"},
            "created_by": {"S": ANDREW},
            "created_at": {"S": "2023-03-22T14:36:25.000000+00:00"},
            "continued_in": {"S": group.to_string()},
        })
    );
    // A membership without a message is in the inbox at the time of its start.
    let entry = stored(&app, &format!("GRP#{group}"), &format!("USER#{BAYKO}")).await;
    assert_eq!(entry["gsi1sk"], json!({"S": format!("GRP#2023-03-22T14:36:25.000000+00:00#{group}")}));
    assert_eq!(entry.get("last_message"), None);
    assert_eq!(entry.get("message"), None);
}

#[tokio::test]
async fn an_edited_message_has_the_time_of_the_edit() {
    let app = App::new();
    let thread = direct(&app).await;
    let position = thread.membership().last_message().unwrap();
    thread.edit(position, "epa").await.unwrap();
    let message = stored(&app, &format!("MSG#{PAIR}"), &position.to_string()).await;
    assert_eq!(message["message"], json!({"S": "epa"}));
    assert_eq!(message["edited_at"], json!({"S": NOON}));
    assert_eq!(message["revision"], json!({"N": "1"}));
    assert_eq!(message.as_object().unwrap().len(), 10);
}

#[tokio::test]
async fn a_tombstone_keeps_everything_but_the_text() {
    let app = App::new();
    let thread = direct(&app).await;
    let position = thread.membership().last_message().unwrap();
    thread.delete(position).await.unwrap();
    assert_eq!(
        stored(&app, &format!("MSG#{PAIR}"), &position.to_string()).await,
        json!({
            "pk": {"S": format!("MSG#{PAIR}")},
            "sk": {"S": format!("2026-11-22T11:59:59.375877+00:00#{OPA}")},
            "type": {"S": "Message"},
            "message_uuid": {"S": OPA},
            "user_uuid": {"S": ANDREW},
            "user_handle": {"S": "AndrewBrown"},
            "user_display_name": {"S": "Andrew Brown"},
            "deleted_at": {"S": NOON},
            "revision": {"N": "1"},
        })
    );
}

/// Decodes the item as its type, and encodes it again.
fn round_trip(item: &Item) -> Item {
    fn through<E: Entity>(item: &Item) -> Item {
        let entity = E::from_item(item.clone()).unwrap();
        assert_eq!(entity.key(), item.key().unwrap());
        entity.to_item().unwrap()
    }
    match item.type_name() {
        Some(User::TYPE) => through::<User>(item),
        Some(HandleClaim::TYPE) => through::<HandleClaim>(item),
        Some(IdentityClaim::TYPE) => through::<IdentityClaim>(item),
        Some(MessageGroup::TYPE) => through::<MessageGroup>(item),
        Some(Membership::TYPE) => through::<Membership>(item),
        Some(Message::TYPE) => through::<Message>(item),
        other => panic!("no entity of ours: {other:?}"),
    }
}

/// Returns a table with every entity in every form.
pub(crate) async fn everything() -> App {
    let app = App::new();
    let mut thread = direct(&app).await;
    thread.mark_read(thread.membership().last_message().unwrap()).await.unwrap();
    let edited = app.say(&thread, "to be edited").await;
    thread.edit(&edited, "edited").await.unwrap();
    let deleted = app.say(&thread, "to be deleted").await;
    thread.delete(&deleted).await.unwrap();
    let (londo, zoe) = (app.user("londo").await, app.user("Zoë").await);
    let group = NewGroup::new("Babylon 5", &londo).unwrap().member(&zoe);
    app.chat.create_group(group, "In the year 2258.").await.unwrap();
    let imported = ImportedDirect::new(id("5ae290ed-55d1-47a0-bc6d-fe2bc2700399"), &londo, &zoe, time(NOON));
    app.chat.import_direct(imported).await.unwrap();
    app
}

#[tokio::test]
async fn every_entity_reads_back_from_its_item() {
    let items = scan(&everything().await.store).await;
    for item in &items {
        assert_eq!(json(&round_trip(item)), json(item));
        assert!(KnownKey::parse(&item.key().unwrap()).is_some());
    }
    let mut types: Vec<_> = items.iter().filter_map(Item::type_name).collect();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types, ["HandleClaim", "IdentityClaim", "Membership", "Message", "MessageGroup", "User"]);
}

fn public(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// The login identity, the versions of names and the counters of changes are no part of an API.
#[tokio::test]
async fn entities_serialize_for_an_api_by_the_names_of_their_methods() {
    let app = App::new();
    let thread = direct(&app).await;
    let position = format!("2026-11-22T11:59:59.375877+00:00#{OPA}");
    let andrew = json!({"id": ANDREW, "handle": "AndrewBrown", "display_name": "Andrew Brown"});
    let user = app.chat.user(id(ANDREW)).await.unwrap().unwrap();
    assert_eq!(public(user.profile()), andrew);
    assert_eq!(
        public(&user),
        json!({"id": ANDREW, "handle": "AndrewBrown", "display_name": "Andrew Brown", "created_at": NOON})
    );
    assert_eq!(
        public(thread.group().await.unwrap()),
        json!({"id": PAIR, "title": null, "member_count": 2, "created_by": ANDREW, "created_at": NOON,
            "continued_in": null})
    );
    assert_eq!(
        public(thread.membership()),
        json!({
            "group_id": PAIR, "profile": andrew, "joined_at": NOON, "title": null,
            "other": {"id": BAYKO, "handle": "bayko", "display_name": "Andrew Bayko"},
            "last_message": position, "last_sender_id": ANDREW, "preview": "opa", "last_read": null,
        })
    );
    let member = &thread.members().await.unwrap().items[0];
    assert_eq!(public(member), json!({"profile": andrew, "joined_at": NOON, "last_read": null}));
    assert_eq!(public(thread.unread().await.unwrap()), json!({"count": 0, "or_more": false, "unreadable": 0}));
}

#[tokio::test]
async fn a_page_of_messages_serializes_with_a_cursor_and_tombstones() {
    let app = App::new();
    let thread = direct(&app).await;
    let sent = thread.send(app.chat.new_message_id(), "To be deleted").await.unwrap();
    thread.delete(&sent).await.unwrap();
    let page = thread.messages().limit(1).fetch().await.unwrap();
    let cursor = page.next.as_ref().unwrap().to_string();
    let tombstone = json!({
        "id": sent.id(), "group_id": PAIR, "position": sent.position(), "created_at": NOON,
        "sender_id": ANDREW, "sender_handle": "AndrewBrown", "sender_display_name": "Andrew Brown",
        "body": null, "edited_at": null, "deleted_at": NOON, "revision": 1, "expires_at": null,
    });
    assert_eq!(public(&page), json!({"items": [tombstone], "next": cursor, "previous": null, "unreadable": 0}));
    let rest = thread.messages().cursor(page.next).fetch().await.unwrap();
    assert_eq!(public(rest)["items"][0]["body"], "opa");
}

#[tokio::test]
async fn attributes_of_the_application_do_no_harm() {
    for mut item in scan(&everything().await.store).await {
        let expected = json(&item);
        item.insert("avatar", AttributeValue::S("https://example.com/1.png".into()));
        assert_eq!(json(&round_trip(&item)), expected);
    }
}
