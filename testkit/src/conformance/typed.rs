//! Typed calls: the methods of [`StoreExt`].

use serde::{Deserialize, Serialize};
use threadline::entity::{Entity, IndexKey, Key, KeySegment, PartitionKey, SortKey, SortKeyPrefix, tag};
use threadline::store::{BatchAction, Order, Query, SortRange, StoreExt};
use threadline::{ErrorKind, Timestamp};

use super::support::{assert_none, get, limit};
use super::{Scope, Store};

/// A small entity with everything that an entity may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    run: KeySegment,
    behavior: KeySegment,
    written_at: Timestamp,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<KeySegment>,
    #[serde(skip)]
    gone_at: Option<Timestamp>,
}

impl Entity for Note {
    const TYPE: &'static str = "Note";
    type KeyParts<'a> = (&'a KeySegment, &'a KeySegment, Timestamp);

    fn key_from((run, behavior, written_at): Self::KeyParts<'_>) -> Key {
        Key::new(PartitionKey::new((tag!("CONFORMANCE"), run, behavior)), SortKey::new((tag!("NOTE"), written_at)))
    }

    fn key_parts(&self) -> Self::KeyParts<'_> {
        (&self.run, &self.behavior, self.written_at)
    }

    fn index_key(&self) -> Option<IndexKey> {
        let topic = self.topic.as_ref()?;
        Some(IndexKey::new(
            PartitionKey::new((tag!("CONFORMANCE"), &self.run, &self.behavior, topic)),
            SortKey::new((tag!("NOTE"), self.written_at)),
        ))
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.gone_at
    }
}

/// Another entity with the same keys as [`Note`].
#[derive(Debug, Serialize, Deserialize)]
struct Label {
    run: KeySegment,
    behavior: KeySegment,
    written_at: Timestamp,
}

impl Entity for Label {
    const TYPE: &'static str = "Label";
    type KeyParts<'a> = (&'a KeySegment, &'a KeySegment, Timestamp);

    fn key_from(parts: Self::KeyParts<'_>) -> Key {
        Note::key_from(parts)
    }

    fn key_parts(&self) -> Self::KeyParts<'_> {
        (&self.run, &self.behavior, self.written_at)
    }
}

fn note(scope: &Scope, second: i64) -> Note {
    Note {
        run: scope.run.clone(),
        behavior: scope.behavior.clone(),
        written_at: Timestamp::from_unix_millis(second * 1000).unwrap(),
        text: format!("note {second}"),
        topic: None,
        gone_at: None,
    }
}

async fn read(store: &dyn Store, note: &Note) -> Option<Note> {
    store.get_entity_consistent(note.key_parts()).await.expect("a get must be answered")
}

/// An entity is found by the parts of its key.
pub async fn an_entity_is_read_back_by_the_parts_of_its_key(store: &dyn Store, scope: &Scope) {
    let note = note(scope, 1);
    assert_eq!(store.get_entity::<Note>(note.key_parts()).await.unwrap(), None);
    store.put_entity(&note).await.unwrap();
    assert_eq!(read(store, &note).await.as_ref(), Some(&note));
    assert_eq!(store.get_entity::<Note>(note.key_parts()).await.unwrap(), Some(note));
}

/// A put of an entity replaces the stored entity with the same key.
pub async fn an_entity_may_be_put_again(store: &dyn Store, scope: &Scope) {
    let before = note(scope, 1);
    store.put_entity(&before).await.unwrap();
    let after = Note { text: "changed".to_owned(), ..before };
    store.put_entity(&after).await.unwrap();
    assert_eq!(read(store, &after).await, Some(after));
}

/// A put of a new entity does not replace another entity.
pub async fn a_new_entity_does_not_replace_another(store: &dyn Store, scope: &Scope) {
    let first = note(scope, 1);
    store.put_new_entity(&first).await.unwrap();
    let second = Note { text: "second".to_owned(), ..first.clone() };
    let error = store.put_new_entity(&second).await.unwrap_err();
    assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some("Note")));
    assert_eq!(read(store, &first).await, Some(first));
}

/// A put of a new entity succeeds if an equal entity is stored. An earlier attempt may have put it and lost its answer.
pub async fn a_new_entity_accepts_an_equal_stored_one(store: &dyn Store, scope: &Scope) {
    let note = note(scope, 1);
    for _ in 0..2 {
        store.put_new_entity(&note).await.unwrap();
        assert_eq!(read(store, &note).await.as_ref(), Some(&note));
    }
}

/// A deleted entity is no longer found. A second deletion is not an error.
pub async fn a_deleted_entity_is_absent(store: &dyn Store, scope: &Scope) {
    let note = note(scope, 1);
    store.put_entity(&note).await.unwrap();
    for _ in 0..2 {
        store.delete_entity::<Note>(note.key_parts()).await.unwrap();
        assert_eq!(read(store, &note).await, None);
    }
}

/// A query for entities reads all pages.
pub async fn a_query_for_entities_reads_every_page(store: &dyn Store, scope: &Scope) {
    let notes: Vec<Note> = (1..=5).map(|second| note(scope, second)).collect();
    for note in &notes {
        store.put_entity(note).await.unwrap();
    }
    let request = Query::table_consistent(scope.partition())
        .range(SortRange::BeginsWith(SortKeyPrefix::new((tag!("NOTE"),))))
        .limit(limit(2));
    assert_eq!(store.query_entities::<Note>(request.clone()).await.unwrap(), notes);
    let backwards: Vec<Note> = notes.into_iter().rev().collect();
    assert_eq!(store.query_entities::<Note>(request.order(Order::Descending)).await.unwrap(), backwards);
}

/// A query for a page of entities returns one page, and the position at which the next page starts.
pub async fn a_query_for_a_page_of_entities_reads_one_page(store: &dyn Store, scope: &Scope) {
    let notes: Vec<Note> = (1..=3).map(|second| note(scope, second)).collect();
    for note in &notes {
        store.put_entity(note).await.unwrap();
    }
    let mut request = Query::table_consistent(scope.partition()).limit(limit(2));
    let (page, next) = store.query_page::<Note>(request.clone()).await.unwrap();
    assert_eq!(page, notes[..2]);
    request = request.start(next);
    assert!(request.get_start().is_some(), "there is another page");
    let (page, next) = store.query_page::<Note>(request).await.unwrap();
    assert_eq!((page.as_slice(), next), (&notes[2..], None));
}

/// An entity with an index key is found in the index.
pub async fn an_entity_with_an_index_key_is_in_the_index(store: &dyn Store, scope: &Scope) {
    let topic = KeySegment::new("rust").unwrap();
    let in_topic = Note { topic: Some(topic.clone()), ..note(scope, 1) };
    store.put_entity(&in_topic).await.unwrap();
    store.put_entity(&note(scope, 2)).await.unwrap();
    let request = Query::index(in_topic.index_key().unwrap().pk);
    assert_eq!(store.query_entities::<Note>(request).await.unwrap(), [in_topic]);
}

/// An expired entity is not found.
pub async fn an_expired_entity_is_not_read(store: &dyn Store, scope: &Scope) {
    let note = Note { gone_at: Some(Timestamp::from_unix_millis(10_000).unwrap()), ..note(scope, 1) };
    store.put_entity(&note).await.unwrap();
    assert_eq!(store.get_entity::<Note>(note.key_parts()).await.unwrap(), None);
    assert_none(get(store, &note.key()).await);
}

/// A query for one entity fails with [`ErrorKind::Corrupt`] if it reads another entity's item. The error names the
/// requested entity.
pub async fn an_item_of_another_type_is_no_entity(store: &dyn Store, scope: &Scope) {
    let Note { run, behavior, written_at, .. } = note(scope, 1);
    let label = Label { run, behavior, written_at };
    store.put_entity(&label).await.unwrap();
    assert!(get(store, &label.key()).await.is_some());
    let error = store.query_entities::<Note>(Query::table_consistent(scope.partition())).await.unwrap_err();
    assert_eq!((error.kind(), error.entity()), (ErrorKind::Corrupt, Some("Note")));
}

/// Any number of items is written and read, in as many batches as needed.
pub async fn any_number_of_items_is_written_and_read(store: &dyn Store, scope: &Scope) {
    let notes: Vec<Note> = (0..130).map(|second| note(scope, second)).collect();
    let puts = notes.iter().map(|note| BatchAction::Put(note.to_item().unwrap())).collect();
    let written = store.write_all(puts).await.unwrap();
    assert!(written.unprocessed.is_empty(), "a store in a test must have the throughput for small writes");
    let mut keys: Vec<Key> = notes.iter().map(Entity::key).collect();
    keys.push(note(scope, 1000).key());
    let read = store.get_all(keys).await.unwrap();
    assert!(read.unprocessed.is_empty(), "a store in a test must have the throughput for small reads");
    let mut found: Vec<Note> = read.items.into_iter().map(|item| Note::from_item(item).unwrap()).collect();
    found.sort_by_key(|note| note.written_at);
    assert_eq!(found, notes);
}
