//! The owner of an item: this crate or another program. Its type and its key decide.

use serde_dynamo::AttributeValue;
use uuid::Uuid;

use super::membership::MEMBER;
use super::{HandleClaim, IdentityClaim, KnownKey, Membership, Message, MessageGroup, User};
use crate::error::{Error, ErrorKind, Result};
use crate::item::Item;
use crate::key::{Key, TYPE};
use crate::stored::Entity;
use crate::tag::{GROUP, HANDLE, IDENTITY, MESSAGES, Tag, USER};

/// The types of this crate's entities.
const TYPES: [&str; 6] =
    [User::TYPE, HandleClaim::TYPE, IdentityClaim::TYPE, MessageGroup::TYPE, Membership::TYPE, Message::TYPE];

/// The owner of an item. The key alone decides for an item without a type, because Cruddur's items have none.
#[derive(Debug)]
pub(crate) enum Ownership {
    /// Another program's item, or one of the application's own entities.
    Foreign,
    /// This crate's item, with this key. Its attributes may still be unreadable.
    Ours(KnownKey),
    /// An item that resembles this crate's, at a key that none of its entities has.
    Unreadable(Error),
}

impl Ownership {
    /// Returns the owner of an item. Without an item, as in a stream record without an image, the key decides.
    pub(crate) fn of(key: &Key, item: Option<&Item>) -> Self {
        let known = KnownKey::parse(key);
        let type_name = match item.and_then(|item| item.get(TYPE)) {
            Some(AttributeValue::S(name)) => Some(name.as_str()),
            _ => None,
        };
        match (type_name, known) {
            (None, Some(known)) => Self::Ours(known),
            (None, None) if is_misspelled(key) => {
                Self::Unreadable(unreadable(format!("key {key:?} is not in the form that this crate writes")))
            }
            (Some(name), Some(known)) if name == known.entity() => Self::Ours(known),
            (Some(name), _) if TYPES.contains(&name) => {
                Self::Unreadable(unreadable(format!("item has type {name}, but its key is {key:?}")))
            }
            (None | Some(_), _) => Self::Foreign,
        }
    }
}

/// Reads an item of a list. Returns `None` for an item that is no `E`.
pub(crate) fn read_listed<E: Entity>(item: Item) -> Option<Result<E>> {
    let key = item.key().ok()?;
    match Ownership::of(&key, Some(&item)) {
        Ownership::Ours(known) if known.entity() == E::TYPE => Some(E::from_item(item)),
        Ownership::Unreadable(error) if item.type_name().is_none_or(|name| name == E::TYPE) => Some(Err(error)),
        Ownership::Ours(_) | Ownership::Unreadable(_) | Ownership::Foreign => None,
    }
}

/// Reads the item at a key of an `E`. Returns `None` if there is no item, or another program's.
pub(crate) fn read_own<E: Entity>(item: Option<Item>) -> Result<Option<E>> {
    item.and_then(read_listed).transpose()
}

fn unreadable(what: String) -> Error {
    Error::new(ErrorKind::Corrupt, what)
}

/// Returns `true` for a key that resembles one of this crate's, such as a message's key with the time in another form.
fn is_misspelled(key: &Key) -> bool {
    let Some((tag, value)) = key.pk.as_str().split_once('#') else { return false };
    let sk = key.sk.as_str();
    let is_of = |known: Tag| tag == known.as_str();
    let is_id = Uuid::try_parse(value).is_ok();
    (is_of(MESSAGES) && is_id && starts_like_a_date(sk))
        || (is_of(GROUP) && is_id && (sk == GROUP.as_str() || sk.starts_with(&format!("{}#", MEMBER.as_str()))))
        || (is_of(USER) && is_id && sk == USER.as_str())
        || (is_of(HANDLE) && sk == HANDLE.as_str())
        || (is_of(IDENTITY) && sk == IDENTITY.as_str())
}

/// Returns `true` for a text that begins like `2023-04-05`.
fn starts_like_a_date(text: &str) -> bool {
    let pattern = "dddd-dd-dd";
    let fits = |(byte, wanted): (u8, u8)| if wanted == b'd' { byte.is_ascii_digit() } else { byte == wanted };
    text.len() >= pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{PartitionKey, SortKey};

    #[test]
    fn read_listed_skips_items_of_other_entities() {
        let mut user = Item::new();
        user.insert("pk", "USER#5ae290ed-55d1-47a0-bc6d-fe2bc2700399");
        user.insert("sk", "USER");
        for has_type in [false, true] {
            if has_type {
                user.insert(TYPE, User::TYPE);
            }
            assert!(read_listed::<Message>(user.clone()).is_none());
            assert!(read_listed::<User>(user.clone()).is_some_and(|user| user.is_err()), "it has no handle");
        }
    }

    #[test]
    fn key_that_only_resembles_ours_is_foreign() {
        const ID: &str = "5AE290ED-55D1-47A0-BC6D-FE2BC2700399";
        let of = |pk: &str, sk: &str| {
            let pk = PartitionKey::parse(pk.replace("<id>", ID)).unwrap();
            Ownership::of(&Key::new(pk, SortKey::parse(sk).unwrap()), None)
        };
        for (pk, sk) in [
            ("MSG#<id>", "2023-04-05"),
            ("GRP#<id>", "GRP"),
            ("GRP#<id>", "USER#1"),
            ("USER#<id>", "USER"),
            ("HANDLE#a#b", "HANDLE"),
            ("IDENTITY#a#b", "IDENTITY"),
        ] {
            assert!(matches!(of(pk, sk), Ownership::Unreadable(_)), "{pk} {sk}");
            // Another tag, a value that is no id, another sort key, no value.
            let (tag, value) = pk.split_once('#').unwrap();
            let mut foreign = vec![(format!("TEAM#{value}"), sk), (pk.to_owned(), "X"), (tag.to_owned(), sk)];
            if value == "<id>" {
                foreign.push((format!("{tag}#x"), sk));
            }
            for (pk, sk) in foreign {
                assert!(matches!(of(&pk, sk), Ownership::Foreign), "{pk} {sk}");
            }
        }
        for sk in ["2023-04", "2023/04/05", "20x3-04-05", "2023-04-0", "April 2023"] {
            assert!(matches!(of("MSG#<id>", sk), Ownership::Foreign), "{sk}");
        }
    }
}
