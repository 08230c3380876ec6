//! Whose an item is: decided in one place, by its type and its key.

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

/// Whose an item is. An item without a type is judged by its key alone: Cruddur's items have none.
#[derive(Debug)]
pub(crate) enum Ownership {
    /// Another program's, or one of the application's own entities.
    Foreign,
    /// This crate's, with this key. Whether its attributes can be read is not known yet.
    Ours(KnownKey),
    /// Meant as this crate's, at a key that none of its entities has.
    Unreadable(Error),
}

impl Ownership {
    /// Decides whose an item is. A record of a stream may have no image; then its key decides.
    pub(crate) fn of(key: &Key, item: Option<&Item>) -> Self {
        let known = KnownKey::parse(key);
        let type_name = match item.and_then(|item| item.get(TYPE)) {
            Some(AttributeValue::S(name)) => Some(name.as_str()),
            _ => None,
        };
        match (type_name, known) {
            (None, Some(known)) => Self::Ours(known),
            (None, None) if is_misspelled(key) => {
                Self::Unreadable(unreadable(format!("the key `{key:?}` is not spelled as this crate spells it")))
            }
            (Some(name), Some(known)) if name == known.entity() => Self::Ours(known),
            (Some(name), _) if TYPES.contains(&name) => {
                Self::Unreadable(unreadable(format!("a {name} is at `{key:?}`, which is no key of one")))
            }
            (None | Some(_), _) => Self::Foreign,
        }
    }
}

/// Reads an item of a list of `E`s; `None` for an item that is no `E`.
pub(crate) fn read_listed<E: Entity>(item: Item) -> Option<Result<E>> {
    let key = item.key().ok()?;
    match Ownership::of(&key, Some(&item)) {
        Ownership::Ours(known) if known.entity() == E::TYPE => Some(E::from_item(item)),
        Ownership::Unreadable(error) if item.type_name().is_none_or(|name| name == E::TYPE) => Some(Err(error)),
        Ownership::Ours(_) | Ownership::Unreadable(_) | Ownership::Foreign => None,
    }
}

/// Reads the item at a key of an `E`; `None` if there is none of this crate's.
pub(crate) fn read_own<E: Entity>(item: Option<Item>) -> Result<Option<E>> {
    item.and_then(read_listed).transpose()
}

fn unreadable(what: String) -> Error {
    Error::new(ErrorKind::Corrupt, what)
}

/// Returns `true` for a key that is plainly meant as one of this crate's, such as a message's with a time in another form.
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

/// Returns `true` for `2023-04-05` and what follows.
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
    fn a_list_passes_the_items_of_other_entities() {
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
    fn a_key_that_only_resembles_ours_is_foreign() {
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
            // With another tag, with a value that is no id, with another sort key, and without a value.
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
