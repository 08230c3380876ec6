//! Transactions: several items, all or none.
//! ([TransactWriteItems](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html),
//! [how transactions work](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html))

use threadline::ErrorKind;
use threadline::entity::{GSI1SK, Item, Key};
use threadline::store::{
    CancelCode, CancelReason, Condition, Query, StoreExt, TransactAction, TransactOutcome, Transaction, Update, Write,
};

use super::scope::{item_at, sort_key};
use super::support::{
    assert_invalid, assert_item, assert_none, assert_sort_keys, get, n, of_size, put, put_all, query_all, s, transact,
    with,
};
use super::{Scope, Store};

fn put_write(item: &Item) -> Write {
    Write::put(item.clone())
}

fn add_one(scope: &Scope, sk: &str) -> Write {
    Write::update(scope.key(sk), Update::new().add("count", 1))
}

fn check(scope: &Scope, sk: &str, condition: Condition) -> TransactAction {
    TransactAction::check(scope.key(sk), condition)
}

#[track_caller]
fn done(outcome: TransactOutcome) {
    if let TransactOutcome::Canceled { reasons, .. } = outcome {
        panic!("the transaction must be done, but was canceled: {reasons:?}");
    }
}

#[track_caller]
fn canceled(outcome: TransactOutcome) -> Vec<CancelReason> {
    match outcome {
        TransactOutcome::Canceled { reasons, .. } => reasons,
        TransactOutcome::Done { .. } => panic!("the transaction must be canceled, but was done"),
    }
}

#[track_caller]
fn assert_codes(reasons: &[CancelReason], expected: &[CancelCode]) {
    let codes: Vec<CancelCode> = reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, expected, "the reasons, in the order of the request");
}

/// All actions of a transaction are done, in several partitions: puts, updates, deletes and checks.
pub async fn all_actions_of_a_transaction_are_done(store: &dyn Store, scope: &Scope) {
    put_all(store, &["deleted", "checked"].map(|sk| scope.item(sk))).await;
    put(store, &with(scope.item("updated"), "count", n("1"))).await;
    let new = item_at(&Key::new(scope.other_partition(), sort_key("new")));
    let outcome = transact(
        store,
        [
            put_write(&new).into(),
            add_one(scope, "updated").into(),
            Write::delete(scope.key("deleted")).into(),
            check(scope, "checked", Condition::item_exists()),
        ],
    )
    .await;
    done(outcome);
    assert_item(get(store, &new.key().unwrap()).await, &new);
    assert_item(get(store, &scope.key("updated")).await, &with(scope.item("updated"), "count", n("2")));
    assert_none(get(store, &scope.key("deleted")).await);
    assert_item(get(store, &scope.key("checked")).await, &scope.item("checked"));
}

/// If one condition is not met, no action of the transaction is done. This includes the actions before the condition.
pub async fn no_action_is_done_when_one_condition_fails(store: &dyn Store, scope: &Scope) {
    let before = with(scope.item("updated"), "count", n("1"));
    put_all(store, &[before.clone(), scope.item("deleted"), scope.item("there")]).await;
    let outcome = transact(
        store,
        [
            put_write(&scope.item("new")),
            add_one(scope, "updated"),
            put_write(&with(scope.item("there"), "title", s("two"))).when(Condition::item_absent()),
            Write::delete(scope.key("deleted")),
        ],
    )
    .await;
    let none = CancelCode::None;
    assert_codes(&canceled(outcome), &[none, none, CancelCode::ConditionFailed, none]);
    assert_none(get(store, &scope.key("new")).await);
    assert_item(get(store, &scope.key("updated")).await, &before);
    assert_item(get(store, &scope.key("there")).await, &scope.item("there"));
    assert_item(get(store, &scope.key("deleted")).await, &scope.item("deleted"));
}

/// A check whose condition is not met cancels the transaction. [`done`](threadline::store::TransactOutcome::done) then
/// returns an error.
pub async fn a_check_that_fails_cancels_the_transaction(store: &dyn Store, scope: &Scope) {
    let actions = || [put_write(&scope.item("new")).into(), check(scope, "missing", Condition::item_exists())];
    let outcome = transact(store, actions()).await;
    assert_eq!(outcome.clone().done().unwrap_err().kind(), ErrorKind::ConditionFailed);
    assert_codes(&canceled(outcome), &[CancelCode::None, CancelCode::ConditionFailed]);
    assert_none(get(store, &scope.key("new")).await);
}

/// A check writes nothing: it neither creates nor changes its item.
pub async fn a_check_changes_nothing(store: &dyn Store, scope: &Scope) {
    let there = with(scope.item("there"), "title", s("one"));
    put(store, &there).await;
    let checks = [check(scope, "there", Condition::exists("title")), check(scope, "missing", Condition::item_absent())];
    done(transact(store, checks).await);
    assert_item(get(store, &scope.key("there")).await, &there);
    assert_none(get(store, &scope.key("missing")).await);
}

/// A canceled transaction returns a reason for each action, in the order of the actions. The code of a reason shows
/// if the action's condition was not met.
pub async fn the_reasons_are_in_the_order_of_the_request(store: &dyn Store, scope: &Scope) {
    put(store, &scope.item("there")).await;
    let outcome = transact(
        store,
        [
            put_write(&scope.item("there")).when(Condition::item_absent()).into(),
            put_write(&scope.item("new")).into(),
            check(scope, "missing", Condition::item_exists()),
            Write::delete(scope.key("other")).into(),
            add_one(scope, "gone").when(Condition::item_exists()).into(),
        ],
    )
    .await;
    let (none, failed) = (CancelCode::None, CancelCode::ConditionFailed);
    assert_codes(&canceled(outcome), &[failed, none, failed, none, failed]);
}

/// A reason contains the current item only if the condition was not met, the write requested the item, and the item
/// exists.
pub async fn a_reason_has_the_current_item_only_on_request(store: &dyn Store, scope: &Scope) {
    let items =
        ["put", "updated", "deleted", "silent", "checked", "fine"].map(|sk| with(scope.item(sk), "title", s("one")));
    put_all(store, &items).await;
    let other = |write: Write| write.when(Condition::eq("title", s("two")));
    let outcome = transact(
        store,
        [
            other(put_write(&scope.item("put"))).returning_old().into(),
            other(add_one(scope, "updated")).returning_old().into(),
            other(Write::delete(scope.key("deleted"))).returning_old().into(),
            other(Write::delete(scope.key("missing"))).returning_old().into(),
            other(Write::delete(scope.key("silent"))).into(),
            check(scope, "checked", Condition::eq("title", s("two"))),
            Write::delete(scope.key("fine")).returning_old().into(),
        ],
    )
    .await;
    let reasons = canceled(outcome);
    for (reason, item) in reasons.iter().zip(&items).take(3) {
        assert_eq!(reason.code, CancelCode::ConditionFailed);
        assert_item(reason.current.clone(), item);
    }
    for reason in reasons.into_iter().skip(3) {
        assert_none(reason.current);
    }
}

/// Updates in a transaction create missing items, and deletes of missing items succeed.
pub async fn a_transaction_treats_missing_items_like_single_writes(store: &dyn Store, scope: &Scope) {
    done(transact(store, [add_one(scope, "a"), Write::delete(scope.key("b"))]).await);
    assert_item(get(store, &scope.key("a")).await, &with(scope.item("a"), "count", n("1")));
    assert_none(get(store, &scope.key("b")).await);
}

/// A transaction updates the index as single writes do.
pub async fn a_transaction_moves_items_in_the_index(store: &dyn Store, scope: &Scope) {
    put_all(store, &[scope.indexed("moved", "1"), scope.indexed("deleted", "2")]).await;
    let moves = Write::update(scope.key("moved"), Update::new().set(GSI1SK, s("4")));
    done(transact(store, [put_write(&scope.indexed("new", "3")), moves, Write::delete(scope.key("deleted"))]).await);
    assert_sort_keys(&query_all(store, Query::index(scope.index_partition())).await, &["new", "moved"]);
}

/// Checks that a transaction whose second action is an impossible update does nothing: `a` stays unchanged.
///
/// AWS documents a reason for such an action. DynamoDB Local returns it in some cases, and in others refuses the whole
/// request. A store may do either.
async fn assert_cannot_be_done(store: &dyn Store, scope: &Scope, update: Update, what: &str) {
    let before = get(store, &scope.key("a")).await;
    let update = Write::update(scope.key("a"), update);
    match store.transact(Transaction::new([put_write(&scope.item("new")), update])).await {
        Ok(outcome) => {
            assert_codes(&canceled(outcome.clone()), &[CancelCode::None, CancelCode::Invalid]);
            assert_invalid(outcome.done(), what);
        }
        refused => assert_invalid(refused, what),
    }
    assert_none(get(store, &scope.key("new")).await);
    assert_eq!(get(store, &scope.key("a")).await, before, "what {what} changes");
}

/// An addition to a value that is not a number fails the transaction.
pub async fn an_add_to_text_fails_the_transaction(store: &dyn Store, scope: &Scope) {
    put(store, &with(scope.item("a"), "count", s("text"))).await;
    assert_cannot_be_done(store, scope, Update::new().add("count", 1), "an add to text in a transaction").await;
}

/// An update that would make an item of more than 400 KB fails the transaction.
pub async fn an_update_to_more_than_400_kb_fails_the_transaction(store: &dyn Store, scope: &Scope) {
    put(store, &of_size(scope.item("a"), 409_600)).await;
    let update = Update::new().set("title", s("x"));
    assert_cannot_be_done(store, scope, update, "an update to more than 400 KB in a transaction").await;
}

/// A transaction may have 100 actions.
pub async fn a_transaction_may_have_a_hundred_actions(store: &dyn Store, scope: &Scope) {
    let items: Vec<Item> = (0..100).map(|number| scope.item(&format!("{number:03}"))).collect();
    done(transact(store, items.iter().map(put_write)).await);
    let found = query_all(store, Query::table_consistent(scope.partition())).await;
    assert_eq!(found.len(), 100, "the items that one transaction put");
}

/// A transaction that is sent again with the same token is done only once.
pub async fn a_retry_with_the_same_token_succeeds_and_changes_nothing(store: &dyn Store, scope: &Scope) {
    let request = Transaction::new([add_one(scope, "a")]).token(scope.token("one"));
    for _ in 0..3 {
        done(store.transact(request.clone()).await.expect("a retry of a transaction must be answered"));
    }
    assert_item(get(store, &scope.key("a")).await, &with(scope.item("a"), "count", n("1")));
}

/// A retry with the same token succeeds, even if its condition is no longer met after later writes.
pub async fn a_retry_succeeds_though_its_condition_no_longer_holds(store: &dyn Store, scope: &Scope) {
    let write = put_write(&scope.item("a")).when(Condition::item_absent());
    let request = Transaction::new([write]).token(scope.token("one"));
    done(store.transact(request.clone()).await.expect("a transaction must be answered"));
    let later = with(scope.item("a"), "title", s("later"));
    put(store, &later).await;
    done(store.transact(request).await.expect("a retry of a transaction must be answered"));
    assert_item(get(store, &scope.key("a")).await, &later);
}

/// A transaction that is sent again without a token, or with another token, is done again.
pub async fn a_transaction_without_its_token_is_done_again(store: &dyn Store, scope: &Scope) {
    let request = Transaction::new([add_one(scope, "a")]);
    let (one, two) = (request.clone().token(scope.token("one")), request.clone().token(scope.token("two")));
    for request in [one, two, request.clone(), request] {
        done(store.transact(request).await.expect("a transaction must be answered"));
    }
    assert_item(get(store, &scope.key("a")).await, &with(scope.item("a"), "count", n("4")));
}

/// A transaction with the token of another transaction is refused.
pub async fn a_token_with_another_transaction_is_invalid(store: &dyn Store, scope: &Scope) {
    let with_token = |sk| Transaction::new([add_one(scope, sk)]).token(scope.token("one"));
    done(store.transact(with_token("a")).await.expect("a transaction must be answered"));
    assert_invalid(store.transact(with_token("b")).await, "a token with another transaction than before");
    assert_none(get(store, &scope.key("b")).await);
}
