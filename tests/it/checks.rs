//! The check of each request before a store gets it. Bad input is refused before anything is sent.

use threadline::ErrorKind;
use threadline::entity::{
    AttributeValue, GSI1PK, GSI1SK, IndexKey, Item, Key, KeySegment, PK, PartitionKey, SK, SortKey, SortKeyPrefix,
};
use threadline::store::{
    BatchAction, BatchGet, BatchWrite, Checked, Condition, Position, Query, Request, Scan, SortRange, TransactAction,
    Transaction, Update, Write,
};

fn key(sk: &str) -> Key {
    Key::new(PartitionKey::parse("A").unwrap(), sort_key(sk))
}

fn sort_key(sk: &str) -> SortKey {
    SortKey::parse(sk).unwrap()
}

fn item(sk: &str) -> Item {
    let mut item = Item::new();
    item.insert(PK, "A");
    item.insert(SK, sk);
    item
}

fn with(mut item: Item, name: &str, value: impl Into<AttributeValue>) -> Item {
    item.insert(name, value.into());
    item
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

fn texts(members: &[&str]) -> AttributeValue {
    AttributeValue::Ss(members.iter().map(|&text| text.to_owned()).collect())
}

fn numbers(members: &[&str]) -> AttributeValue {
    AttributeValue::Ns(members.iter().map(|&text| text.to_owned()).collect())
}

fn add_one(sk: &str) -> Write {
    Write::update(key(sk), Update::new().add("count", 1))
}

fn assert_refused(request: impl Into<Request>, what: &str) {
    let error = Checked::new(request).expect_err(what);
    assert_eq!(error.kind(), ErrorKind::Invalid, "{what}: {error}");
}

fn assert_item_refused(item: &Item, what: &str) {
    assert_refused(Write::put(item.clone()), what);
    assert_refused(Transaction::new([Write::put(item.clone())]), what);
    assert_refused(BatchWrite::new([BatchAction::Put(item.clone())]), what);
}

fn assert_value_refused(value: &AttributeValue, what: &str) {
    assert_item_refused(&with(item("a"), "value", value.clone()), what);
    for update in [Update::new().set("value", value.clone()), Update::new().set_if_absent("value", value.clone())] {
        assert_refused(Write::update(key("a"), update), what);
    }
    assert_refused(Write::delete(key("a")).when(Condition::eq("value", value.clone())), what);
}

#[test]
fn an_item_without_its_whole_key_is_refused() {
    for name in [PK, SK] {
        let mut without = item("a");
        without.remove(name);
        assert_item_refused(&without, "an item without its whole key");
        assert_item_refused(&with(item("a"), name, n("1")), "a key that is a number");
        assert_item_refused(&with(item("a"), name, s("")), "an empty key");
    }
    let error = Checked::new(Write::put(Item::new())).unwrap_err();
    assert_eq!(error.to_string(), "the key attribute `pk` is missing");
}

#[test]
fn a_set_is_refused_if_empty_or_with_a_duplicate() {
    for (value, what) in [
        (texts(&[]), "an empty set of texts"),
        (numbers(&[]), "an empty set of numbers"),
        (AttributeValue::Bs(vec![]), "an empty set of bytes"),
        (texts(&["a", "b", "a"]), "a set with a text twice"),
        (numbers(&["1", "1"]), "a set with a number twice"),
        (numbers(&["1", "1.0"]), "a set with a number twice, in two forms"),
        (AttributeValue::Bs(vec![vec![1], vec![1]]), "a set with bytes twice"),
        (AttributeValue::L(vec![texts(&[])]), "an empty set in a list"),
    ] {
        assert_value_refused(&value, what);
    }
}

#[test]
fn a_number_is_refused_if_it_is_not_decimal_or_out_of_range() {
    let digits_39 = "1".repeat(39);
    for text in ["NaN", "inf", "", "x", "0x10", "1.2.3", "1e126", "-1e126", "1e-131", &digits_39] {
        assert_value_refused(&n(text), text);
    }
}

#[test]
fn a_value_is_refused_if_it_is_more_than_32_deep() {
    let nested = |depth| (0..depth).fold(s("x"), |inner, _| AttributeValue::L(vec![inner]));
    assert!(Checked::new(Write::put(with(item("a"), "value", nested(31)))).is_ok());
    assert_value_refused(&nested(32), "32 lists in each other");
}

#[test]
fn an_invalid_index_key_is_refused() {
    for (name, value, what) in [
        (GSI1PK, AttributeValue::Null(true), "a NULL as the index's partition key"),
        (GSI1SK, AttributeValue::Null(true), "a NULL as the index's sort key"),
        (GSI1PK, s(""), "an empty text as the index's partition key"),
        (GSI1SK, s(""), "an empty text as the index's sort key"),
        (GSI1PK, n("1"), "a number as the index's partition key"),
        (GSI1SK, n("1"), "a number as the index's sort key"),
        (GSI1SK, AttributeValue::B(vec![1]), "bytes as the index's sort key"),
        (GSI1PK, s(&"x".repeat(2049)), "2049 bytes as the index's partition key"),
        (GSI1SK, s(&"x".repeat(1025)), "1025 bytes as the index's sort key"),
    ] {
        let indexed = with(with(item("a"), GSI1PK, s("I")), GSI1SK, s("1"));
        assert_item_refused(&with(indexed, name, value.clone()), what);
        assert_refused(Write::update(key("a"), Update::new().set("title", "two").set(name, value)), what);
    }
    for name in [GSI1PK, GSI1SK] {
        assert_refused(Write::update(key("a"), Update::new().add(name, 1)), "a number added to an index key");
    }
}

#[test]
fn an_item_is_refused_over_400_kb() {
    let of = |bytes: usize| with(item("a"), "large", s(&"x".repeat(bytes - item("a").size() - "large".len())));
    assert!(Checked::new(Write::put(of(409_600))).is_ok());
    assert_item_refused(&of(409_601), "an item of 409,601 bytes");
}

#[test]
fn the_values_of_a_request_are_refused_over_2_mb() {
    let large = |count: usize| (0..count).map(|place| Condition::eq(format!("v{place}"), s(&"x".repeat(400_000))));
    let any = |count| Condition::Any(large(count).collect());
    assert!(Checked::new(Write::delete(key("a")).when(any(2))).is_ok());
    assert_refused(Write::delete(key("a")).when(any(6)), "a condition with 2,400,000 bytes of values");
    assert_refused(Transaction::new([TransactAction::check(key("a"), any(6))]), "the same in a transaction");
    let update = || (0..3).fold(Update::new(), |update, place| update.set(format!("w{place}"), "x".repeat(400_000)));
    assert!(Checked::new(Write::update(key("a"), update())).is_ok());
    assert_refused(Write::update(key("a"), update()).when(any(3)), "an update and a condition together");
}

#[test]
fn an_update_is_refused_if_it_changes_nothing_or_the_key() {
    for (update, what) in [
        (Update::new(), "an update without changes"),
        (Update::new().set("a", "1").remove("a"), "two changes of one attribute"),
        (Update::new().set(PK, "B"), "a change of the partition key"),
        (Update::new().remove(SK), "a change of the sort key"),
        (Update::new().set("", "1"), "an attribute without a name"),
    ] {
        assert_refused(Write::update(key("a"), update.clone()), what);
        assert_refused(Transaction::new([Write::update(key("a"), update)]), what);
    }
}

#[test]
fn a_condition_is_refused_if_empty() {
    for (condition, what) in [
        (Condition::All(vec![]), "a condition of all of nothing"),
        (Condition::Any(vec![]), "a condition of any of nothing"),
        (Condition::lt("value", AttributeValue::Bool(true)), "an order by a truth value"),
        (Condition::gt("value", texts(&["a"])), "an order by a set"),
        (Condition::exists(""), "a condition on an attribute without a name"),
    ] {
        assert_refused(Write::delete(key("a")).when(condition.clone()), what);
        assert_refused(Transaction::new([TransactAction::check(key("a"), condition)]), what);
    }
}

#[test]
fn a_transaction_has_1_to_100_actions_on_distinct_items() {
    let actions = |count: usize| (0..count).map(|number| add_one(&number.to_string()));
    assert!(Checked::new(Transaction::new(actions(100))).is_ok());
    assert_refused(Transaction::new(actions(101)), "a transaction of 101 actions");
    assert_refused(Transaction::default(), "a transaction without actions");
    assert_refused(Transaction::new([add_one("a"), Write::delete(key("a"))]), "two actions on one item");
}

#[test]
fn a_batch_write_has_1_to_25_distinct_items() {
    let puts = |count: usize| (0..count).map(|number| BatchAction::Put(item(&number.to_string())));
    assert!(Checked::new(BatchWrite::new(puts(25))).is_ok());
    assert_refused(BatchWrite::new(puts(26)), "a batch of 26 writes");
    assert_refused(BatchWrite::new([]), "a batch without a write");
    let twice = [BatchAction::Put(item("a")), BatchAction::Delete(key("a"))];
    assert_refused(BatchWrite::new(twice), "two writes of one item");
}

#[test]
fn a_batch_get_has_1_to_100_distinct_keys() {
    let keys = |count: usize| (0..count).map(|number| key(&number.to_string()));
    assert!(Checked::new(BatchGet::new(keys(100))).is_ok());
    assert_refused(BatchGet::new(keys(101)), "a batch of 101 keys");
    assert_refused(BatchGet::new([]), "a batch without a key");
    assert_refused(BatchGet::new([key("a"), key("a")]), "a key twice");
}

fn in_table(pk: &str, sk: &str) -> Position {
    Position { key: Key::new(PartitionKey::parse(pk).unwrap(), sort_key(sk)), index_key: None }
}

fn in_index(pk: &str, sk: &str) -> Position {
    let index_key = IndexKey::new(PartitionKey::parse(pk).unwrap(), sort_key(sk));
    Position { key: key("a"), index_key: Some(index_key) }
}

fn table() -> Query {
    Query::table(PartitionKey::parse("A").unwrap())
}

fn index() -> Query {
    Query::index(PartitionKey::parse("I").unwrap())
}

#[test]
fn a_page_starts_at_a_position_of_its_own_partition() {
    assert!(Checked::new(table().start(Some(in_table("A", "a")))).is_ok());
    assert!(Checked::new(index().start(Some(in_index("I", "1")))).is_ok());
    assert_refused(table().start(Some(in_table("B", "a"))), "a start of another partition");
    assert_refused(index().start(Some(in_index("J", "1"))), "a start of another partition of the index");
    assert_refused(table().start(Some(in_index("A", "1"))), "a position in the index as the start of a query");
    assert_refused(index().start(Some(in_table("I", "1"))), "a position in the table as the start in the index");
    assert_refused(Scan::new().start(Some(in_index("I", "1"))), "a position in the index as the start of a scan");
}

#[test]
fn a_page_starts_within_its_range() {
    for range in [
        SortRange::Before(sort_key("b")),
        SortRange::After(sort_key("b")),
        SortRange::Between(sort_key("c"), sort_key("d")),
        SortRange::BeginsWith(SortKeyPrefix::new((KeySegment::new("b").unwrap(),))),
    ] {
        assert_refused(table().range(range.clone()).start(Some(in_table("A", "b"))), "a start outside the range");
        assert_refused(index().range(range).start(Some(in_index("I", "b"))), "a start outside the range of the index");
    }
    let backwards = SortRange::Between(sort_key("b"), sort_key("a"));
    assert_refused(table().range(backwards.clone()), "a range from b to a");
    assert_refused(index().range(backwards), "a range from b to a in the index");
}
