//! The limits of items, keys, numbers, nesting and conditions.
//! ([Constraints](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html))

use threadline::entity::{AttributeValue, IndexKey, Key, PartitionKey, SortKey};
use threadline::store::{Condition, Query, StoreExt, Update, Write};

use super::scope::{item_at, with_index_key};
use super::support::{
    assert_invalid, assert_item, assert_sort_keys, done, get, n, of_size, put, query_all, refused, s, with, write,
};
use super::{Scope, Store};

/// Checks that the attribute is stored unchanged.
async fn assert_stored(store: &dyn Store, scope: &Scope, value: AttributeValue) {
    let item = with(scope.item("a"), "value", value);
    put(store, &item).await;
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// An item may have 409,600 bytes.
pub async fn an_item_may_have_400_kb(store: &dyn Store, scope: &Scope) {
    let item = of_size(scope.item("a"), 409_600);
    put(store, &item).await;
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// The size of an item is in bytes. It includes the attribute names, and a character may have several bytes.
pub async fn an_item_is_measured_in_bytes(store: &dyn Store, scope: &Scope) {
    let wide = with(scope.item("a"), "é", s("👩‍👩‍👧"));
    let item = of_size(wide.clone(), 409_600);
    put(store, &item).await;
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// An update may make an item of 409,600 bytes, but not a larger one. A refused update changes nothing.
pub async fn an_update_may_not_make_an_item_of_more_than_400_kb(store: &dyn Store, scope: &Scope) {
    // Space for the attribute `x` with its one byte.
    let item = of_size(scope.item("a"), 409_598);
    put(store, &item).await;
    let set = |text| Write::update(scope.key("a"), Update::new().set("x", s(text)));
    assert_invalid(store.write(set("yy")).await, "an update to 409,601 bytes");
    assert_item(get(store, &scope.key("a")).await, &item);
    done(write(store, set("y")).await);
    assert_item(get(store, &scope.key("a")).await, &with(item, "x", s("y")));
}

/// Returns the longest partition key and the longest sort key, padded with a character of two bytes.
fn longest_keys(partition: &PartitionKey) -> (PartitionKey, SortKey) {
    let bytes = 2048 - partition.as_str().len() - 1;
    // The scope's key may leave an odd number of bytes.
    let fill = format!("{}{}", "x".repeat(bytes % 2), "é".repeat(bytes / 2));
    let pk = PartitionKey::parse(format!("{}#{fill}", partition.as_str())).unwrap();
    let sk = SortKey::parse("é".repeat(512)).unwrap();
    assert_eq!((pk.as_str().len(), sk.as_str().len()), (2048, 1024));
    (pk, sk)
}

/// A partition key may have 2048 bytes, and a sort key may have 1024 bytes, of any characters.
pub async fn keys_may_have_2048_and_1024_bytes(store: &dyn Store, scope: &Scope) {
    let (pk, sk) = longest_keys(&scope.partition());
    let item = item_at(&Key::new(pk.clone(), sk.clone()));
    put(store, &item).await;
    assert_item(get(store, &Key::new(pk.clone(), sk)).await, &item);
    let found = query_all(store, Query::table_consistent(pk.clone())).await;
    assert_item(found.into_iter().next(), &item);
    assert_invalid(PartitionKey::parse(format!("{}x", pk.as_str())), "a partition key of 2049 bytes");
    assert_invalid(SortKey::parse(format!("{}x", "é".repeat(512))), "a sort key of 1025 bytes");
}

/// An index partition key may have 2048 bytes, and an index sort key may have 1024 bytes.
pub async fn index_keys_may_have_2048_and_1024_bytes(store: &dyn Store, scope: &Scope) {
    let (pk, sk) = longest_keys(&scope.index_partition());
    let item = with_index_key(scope.item("a"), &IndexKey::new(pk.clone(), sk));
    put(store, &item).await;
    assert_item(query_all(store, Query::index(pk)).await.into_iter().next(), &item);
}

/// Numbers of 38 digits keep every digit. The largest number and the one nearest to zero keep their value.
pub async fn the_longest_and_largest_numbers_are_stored_exactly(store: &dyn Store, scope: &Scope) {
    let digits_38 = "12345678901234567890123456789012345678";
    let small = format!("0.{digits_38}");
    let largest = format!("9{}", "0".repeat(125));
    let smallest = format!("-0.{}1", "0".repeat(129));
    for number in [digits_38, &small, &largest, &smallest] {
        assert_stored(store, scope, n(number)).await;
    }
}

/// Values may be nested 32 levels deep. The innermost value is one of the levels.
pub async fn values_may_be_nested_32_deep(store: &dyn Store, scope: &Scope) {
    let nested = |depth| (0..depth).fold(s("x"), |inner, _| AttributeValue::L(vec![inner]));
    assert_stored(store, scope, nested(31)).await;
}

/// Returns this many comparisons of an attribute with a text of 400,000 bytes, none of which holds.
fn large_comparisons(count: usize) -> Vec<Condition> {
    (0..count).map(|place| Condition::eq(format!("v{place}"), s(&"x".repeat(400_000)))).collect()
}

/// A condition may have large values: the check uses 800,000 bytes. DynamoDB's limit is 2 MB, but DynamoDB Local
/// refuses a condition of 1 MB.
pub async fn the_values_of_a_condition_may_be_large(store: &dyn Store, scope: &Scope) {
    let item = scope.item("a");
    put(store, &item).await;
    let any = |count| Condition::Any(large_comparisons(count));
    let delete = || Write::delete(scope.key("a"));
    refused(write(store, delete().when(any(2))).await);
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// A query can continue at a position with the longest keys.
pub async fn the_longest_keys_can_be_paged(store: &dyn Store, scope: &Scope) {
    let (pk, longest) = longest_keys(&scope.partition());
    for sk in ["a", longest.as_str()] {
        put(store, &item_at(&Key::new(pk.clone(), SortKey::parse(sk).unwrap()))).await;
    }
    let items = query_all(store, Query::table_consistent(pk).limit(super::support::limit(1))).await;
    assert_sort_keys(&items, &["a", longest.as_str()]);
}
