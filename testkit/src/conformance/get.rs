//! Reads of one item. ([GetItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html),
//! [data types](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html))

use std::collections::HashMap;

use threadline::entity::{AttributeValue, Item, Key};

use super::scope::item_at;
use super::support::{assert_item, assert_none, b, get, n, ns, put, put_all, s, ss, with};
use super::{Scope, Store};

/// A get returns the item that was put under its key.
pub async fn a_put_item_is_read_back(store: &dyn Store, scope: &Scope) {
    let item = with(scope.item("a"), "title", s("opa"));
    put(store, &item).await;
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// A get of a missing item returns no item and no error.
pub async fn a_missing_item_is_no_error(store: &dyn Store, scope: &Scope) {
    assert_none(get(store, &scope.key("a")).await);
    put(store, &scope.item("a")).await;
    assert_none(get(store, &scope.key("b")).await);
}

/// Items in different partitions may have the same sort key.
pub async fn an_item_is_found_by_both_parts_of_its_key(store: &dyn Store, scope: &Scope) {
    let elsewhere = Key::new(scope.other_partition(), scope.key("a").sk);
    let here = with(scope.item("a"), "place", s("here"));
    put(store, &here).await;
    assert_none(get(store, &elsewhere).await);
    let there = with(item_at(&elsewhere), "place", s("there"));
    put(store, &there).await;
    assert_item(get(store, &scope.key("a")).await, &here);
    assert_item(get(store, &elsewhere).await, &there);
}

/// Keys compare by their bytes: the store changes neither letter case nor the form of an accented letter.
pub async fn keys_that_only_look_alike_are_different_keys(store: &dyn Store, scope: &Scope) {
    let alike = ["cafe", "CAFE", "caf\u{e9}", "cafe\u{301}", "cafe "];
    let items: Vec<Item> = alike.iter().map(|sk| with(scope.item(sk), "is", s(sk))).collect();
    put_all(store, &items).await;
    for (sk, item) in alike.iter().zip(&items) {
        assert_item(get(store, &scope.key(sk)).await, item);
    }
}

/// A get returns values of all ten types unchanged. This includes nested values, and empty values of the types that
/// allow them.
pub async fn values_of_every_type_are_read_back(store: &dyn Store, scope: &Scope) {
    let map = HashMap::from([
        ("text".to_owned(), s("deep")),
        ("list".to_owned(), AttributeValue::L(vec![n("1"), ss(&["x", "y"]), AttributeValue::Null(true)])),
    ]);
    let values = [
        ("text", s("opa")),
        ("empty_text", s("")),
        ("number", n("-12.5")),
        ("bytes", b(&[0, 127, 128, 255])),
        ("empty_bytes", b(&[])),
        ("yes", AttributeValue::Bool(true)),
        ("no", AttributeValue::Bool(false)),
        ("null", AttributeValue::Null(true)),
        ("list", AttributeValue::L(vec![s("one"), AttributeValue::L(vec![]), AttributeValue::M(HashMap::new())])),
        ("map", AttributeValue::M(map)),
        ("texts", ss(&["b", "a", ""])),
        ("numbers", ns(&["3", "-1", "2.5"])),
        ("blobs", AttributeValue::Bs(vec![vec![2], vec![1, 1], vec![]])),
    ];
    let item = values.into_iter().fold(scope.item("a"), |item, (name, value)| with(item, name, value));
    put(store, &item).await;
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// A get returns text of any script unchanged, without normalization.
pub async fn text_of_any_script_is_read_back(store: &dyn Store, scope: &Scope) {
    let text = "Ångström \u{41}\u{30a} नमस्ते שלום 👩‍👩‍👧 \u{0}\t\r\n\u{ffff}\u{10ffff}";
    let item = with(with(scope.item("a"), "text", s(text)), "имя", s("name"));
    put(store, &item).await;
    assert_item(get(store, &scope.key("a")).await, &item);
}

/// The store keeps numbers by value and returns them in plain decimal form, without redundant digits.
pub async fn numbers_are_read_back_in_plain_decimal_form(store: &dyn Store, scope: &Scope) {
    let forms = [
        ("1e3", "1000"),
        ("007", "7"),
        ("-0", "0"),
        ("0.500", "0.5"),
        ("-12.0", "-12"),
        ("1E-5", "0.00001"),
        (".5", "0.5"),
    ];
    let (mut given, mut stored) = (scope.item("a"), scope.item("a"));
    for (place, (form, plain)) in forms.into_iter().enumerate() {
        given.insert(format!("number{place}"), n(form));
        stored.insert(format!("number{place}"), n(plain));
    }
    put(store, &given).await;
    assert_item(get(store, &scope.key("a")).await, &stored);
}

/// The store also keeps the numbers of a set by value and returns them in plain decimal form.
pub async fn numbers_in_sets_are_read_back_in_plain_decimal_form(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), "set", ns(&["1.50e1", "007"]))).await;
    assert_item(get(store, &scope.key("a")).await, &with(scope.item("a"), "set", ns(&["15", "7"])));
}

/// Numbers in lists and maps keep their value. The check ignores their form, because DynamoDB Local returns the form
/// that it received.
pub async fn nested_numbers_keep_their_value(store: &dyn Store, scope: &Scope) {
    let map = AttributeValue::M(HashMap::from([("number".to_owned(), n("1.50e1"))]));
    put(store, &with(scope.item("a"), "list", AttributeValue::L(vec![map]))).await;
    let found = get(store, &scope.key("a")).await.expect("the item was put");
    let Some(AttributeValue::L(list)) = found.get("list") else { panic!("the list must be a list") };
    let [AttributeValue::M(map)] = list.as_slice() else { panic!("the list must hold one map") };
    let Some(AttributeValue::N(number)) = map.get("number") else { panic!("the map must hold a number") };
    assert_eq!(number.parse(), Ok(15.0), "the number in a map in a list");
}
