use threadline::MemoryStore;
use threadline::entity::{AttributeValue, GSI1PK, Item, Key, PartitionKey, SortKey};
use threadline::store::meter::Metered;
use threadline::store::{BatchAction, BatchGet, BatchWrite, ClientToken, Get, Query, Scan, Update, Write};

use super::*;

fn key(pk: &str) -> Key {
    Key::new(PartitionKey::parse(pk).unwrap(), SortKey::parse("1").unwrap())
}

fn item(pk: &str) -> Item {
    let mut item = Item::new();
    for (name, value) in [("pk", pk), ("sk", "1")] {
        item.insert(name, AttributeValue::S(value.to_owned()));
    }
    item
}

fn put(pk: &str) -> Write {
    Write::put(item(pk))
}

fn store(plan: Plan) -> (MemoryStore, FaultStore<MemoryStore>) {
    let table = MemoryStore::new().table("messages");
    (table.clone(), FaultStore::new(table, plan))
}

async fn is_there(table: &MemoryStore, pk: &str) -> bool {
    table.get(Get::new(key(pk))).await.unwrap().item.is_some()
}

/// Returns the numbers of the writes that fail, from 1.
async fn failing(store: &FaultStore<MemoryStore>, count: u64) -> Vec<u64> {
    let mut failing = Vec::new();
    for number in 1..=count {
        if store.write(put("A")).await.is_err() {
            failing.push(number);
        }
    }
    failing
}

#[tokio::test]
async fn a_throttled_call_is_not_done_and_has_dynamodbs_error() {
    let (table, store) = store(Plan::new().throttle(Calls::nth(1)));
    let error = store.write(put("A")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!((error.operation(), error.table()), (Some("write"), Some("messages")));
    assert_eq!(error.service().unwrap().code.as_deref(), Some("ThrottlingException"));
    assert!(!is_there(&table, "A").await);
    store.write(put("A")).await.unwrap().done().unwrap();
    assert!(is_there(&table, "A").await);
}

#[tokio::test]
async fn a_conflict_fails_writes_cancels_transactions_and_skips_reads() {
    let (table, store) = store(Plan::new().conflict(Calls::all()));
    assert_eq!(store.write(put("A")).await.unwrap_err().kind(), ErrorKind::Conflict);
    let outcome = store.transact(Transaction::new([put("A"), put("B")])).await.unwrap();
    assert_eq!(codes(&outcome), [CancelCode::Conflict, CancelCode::None]);
    assert_eq!(outcome.capacity().to_string(), "4.0 WCU");
    assert_eq!(outcome.done().unwrap_err().kind(), ErrorKind::Conflict);
    assert!(!is_there(&table, "A").await);
    store.get(Get::new(key("A"))).await.unwrap();
    store.scan(Scan::new()).await.unwrap();
}

#[tokio::test]
async fn a_throttled_transaction_is_canceled_and_not_done() {
    let (table, store) = store(Plan::new().throttle(Calls::nth(1)));
    let outcome = store.transact(Transaction::new([put("A"), put("B")])).await.unwrap();
    assert_eq!(codes(&outcome), [CancelCode::Throttled, CancelCode::None]);
    assert_eq!(outcome.done().unwrap_err().kind(), ErrorKind::Throttled);
    assert!(!is_there(&table, "A").await);
}

fn codes(outcome: &TransactOutcome) -> Vec<CancelCode> {
    let TransactOutcome::Canceled { reasons, .. } = outcome else { panic!("{outcome:?}") };
    reasons.iter().map(|reason| reason.code).collect()
}

/// Retries a completed transaction: some of its actions are refused because of their first effect, some are not.
#[tokio::test]
async fn other_actions_of_a_canceled_transaction_have_their_reasons() {
    let new = |pk| put(pk).when(Condition::item_absent()).returning_old();
    let invalid = Write::update(key("D"), Update::new().add("text", 1));
    let check = TransactAction::check(key("E"), Condition::item_exists());
    let actions = || vec![new("A").into(), new("B").into(), put("C").into(), invalid.clone().into(), check.clone()];
    for (place, expected) in [
        [CancelCode::Conflict, CancelCode::ConditionFailed, CancelCode::None, CancelCode::Invalid],
        [CancelCode::ConditionFailed, CancelCode::Conflict, CancelCode::None, CancelCode::Invalid],
        [CancelCode::ConditionFailed, CancelCode::ConditionFailed, CancelCode::Conflict, CancelCode::Invalid],
        [CancelCode::ConditionFailed, CancelCode::ConditionFailed, CancelCode::None, CancelCode::Conflict],
    ]
    .into_iter()
    .enumerate()
    {
        let (table, store) = store(Plan::new().conflict(Calls::nth(1).at_action(place + 1)));
        let mut with_text = item("D");
        with_text.insert("text", AttributeValue::S("opa".into()));
        for there in [item("A"), item("B"), with_text] {
            table.write(Write::put(there)).await.unwrap().done().unwrap();
        }
        let outcome = store.transact(Transaction::new(actions())).await.unwrap();
        let TransactOutcome::Canceled { reasons, capacity } = &outcome else { panic!("{outcome:?}") };
        assert_eq!(codes(&outcome), [&expected[..], &[CancelCode::ConditionFailed]].concat());
        let shown: Vec<_> = reasons.iter().map(|reason| reason.current.is_some()).collect();
        assert_eq!(shown, [place != 0, place != 1, false, false, false]);
        assert_eq!(capacity.to_string(), "10.0 WCU");
        assert!(!is_there(&table, "C").await, "nothing was written");
    }
}

#[tokio::test]
async fn other_actions_have_their_reasons_despite_a_token() {
    let (_, store) = store(Plan::new().conflict(Calls::nth(2)));
    let transact = async || {
        let new = |pk| put(pk).when(Condition::item_absent());
        let token = ClientToken::new("once").unwrap();
        store.transact(Transaction::new([new("A"), new("B")]).token(token)).await.unwrap()
    };
    transact().await.done().unwrap();
    assert_eq!(codes(&transact().await), [CancelCode::Conflict, CancelCode::ConditionFailed]);
    transact().await.done().unwrap();
}

#[tokio::test]
async fn a_conflict_has_one_reason_if_the_store_cannot_decide_the_others() {
    let (table, _) = store(Plan::new());
    table.write(put("B")).await.unwrap().done().unwrap();
    let unreachable = FaultStore::new(table, Plan::new().fail_before(Calls::all()));
    let store = FaultStore::new(unreachable, Plan::new().conflict(Calls::nth(1)));
    let refused = put("B").when(Condition::item_absent());
    let outcome = store.transact(Transaction::new([put("A"), refused])).await.unwrap();
    assert_eq!(codes(&outcome), [CancelCode::Conflict, CancelCode::None]);
    assert_eq!(outcome.capacity().to_string(), "4.0 WCU");
}

#[tokio::test]
async fn transactions_are_selected_by_their_number_of_actions() {
    let (_, store) = store(Plan::new().throttle(Calls::nth(2).at_action(2)));
    let transact = async |count: usize| {
        let puts = ["A", "B", "C"].into_iter().take(count).map(put);
        store.transact(Transaction::new(puts)).await.unwrap()
    };
    for count in [2, 1] {
        transact(count).await.done().unwrap();
    }
    store.write(put("A")).await.unwrap().done().unwrap();
    assert_eq!(codes(&transact(3).await), [CancelCode::None, CancelCode::Throttled, CancelCode::None]);
    store.set_plan(Plan::new().throttle(Calls::all().at_action(0)));
    transact(3).await.done().unwrap();
}

#[tokio::test]
async fn the_action_on_the_selected_partition_is_in_conflict() {
    let (_, store) = store(Plan::new().conflict(Calls::all().on_partition("B")));
    let outcome = store.transact(Transaction::new([put("A"), put("B"), put("C")])).await.unwrap();
    assert_eq!(codes(&outcome), [CancelCode::None, CancelCode::Conflict, CancelCode::None]);
}

#[tokio::test]
async fn a_call_that_fails_before_is_not_done() {
    let (table, store) = store(Plan::new().fail_before(Calls::nth(1)));
    assert_eq!(store.write(put("A")).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!is_there(&table, "A").await);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_write_done_and_its_outcome_unknown() {
    let (table, store) = store(Plan::new().lose_answer(Calls::all()));
    assert_eq!(store.write(put("A")).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    let transaction = Transaction::new([put("B")]);
    assert_eq!(store.transact(transaction).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    let batch = BatchWrite::new(vec![BatchAction::Put(item("C"))]);
    assert_eq!(store.batch_write(batch).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    for pk in ["A", "B", "C"] {
        assert!(is_there(&table, pk).await);
    }
    assert_eq!(store.get(Get::new(key("A"))).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_batch_returns_its_last_parts_as_unprocessed() {
    let (table, store) = store(Plan::new().unprocessed(2, Calls::all()));
    let batch = |names: &[&str]| BatchWrite::new(names.iter().map(|pk| BatchAction::Put(item(pk))));
    let answer = store.batch_write(batch(&["A", "B", "C"])).await.unwrap();
    assert_eq!(answer.unprocessed, [BatchAction::Put(item("B")), BatchAction::Put(item("C"))]);
    assert!(is_there(&table, "A").await && !is_there(&table, "B").await);

    let keys = vec![key("C"), key("B"), key("A")];
    let answer = store.batch_get(BatchGet::new(keys)).await.unwrap();
    assert_eq!((answer.items.len(), answer.unprocessed), (0, vec![key("B"), key("A")]));

    let error = store.batch_write(batch(&["A", "B"])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled, "nothing at all could be done");
    store.write(put("D")).await.unwrap().done().unwrap();
}

/// Returns the pauses that the store asked for; the store does not wait.
fn sleeping(store: FaultStore<MemoryStore>) -> (FaultStore<MemoryStore>, Arc<Mutex<Vec<Duration>>>) {
    let slept = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&slept);
    let store = store.sleep(move |pause| {
        log.lock().unwrap().push(pause);
        std::future::ready(())
    });
    (store, slept)
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_slow_call_sleeps_for_its_pause_and_is_done() {
    let plan = Plan::new().slow_before(SECOND, Calls::nth(1)).slow_answer(2 * SECOND, Calls::nth(2));
    let (table, store) = store(plan);
    let (store, slept) = sleeping(store);
    for pk in ["A", "B", "C"] {
        store.write(put(pk)).await.unwrap().done().unwrap();
        assert!(is_there(&table, pk).await);
    }
    assert_eq!(*slept.lock().unwrap(), [SECOND, 2 * SECOND]);
    assert_eq!((store.calls(), store.faults()), (3, 2));
}

#[tokio::test]
async fn every_operation_can_be_slow() {
    for plan in [Plan::new().slow_before(SECOND, Calls::all()), Plan::new().slow_answer(SECOND, Calls::all())] {
        let (_, store) = store(plan);
        let (store, slept) = sleeping(store);
        store.get(Get::new(key("A"))).await.unwrap();
        store.query(Query::table(PartitionKey::parse("A").unwrap())).await.unwrap();
        store.scan(Scan::new()).await.unwrap();
        store.transact(Transaction::new([put("B")])).await.unwrap().done().unwrap();
        store.batch_get(BatchGet::new(vec![key("A")])).await.unwrap();
        let _ = store.batch_write(BatchWrite::new(vec![BatchAction::Delete(key("A"))])).await.unwrap();
        assert_eq!(slept.lock().unwrap().len(), 6);
    }
}

#[tokio::test]
async fn an_abandoned_call_is_done_only_if_its_answer_was_slow() {
    for (plan, is_done) in [
        (Plan::new().slow_before(SECOND, Calls::nth(1)), false),
        (Plan::new().slow_answer(SECOND, Calls::nth(1)), true),
    ] {
        let (table, store) = store(plan);
        let store = store.sleep(|_| std::future::pending());
        assert!(tokio::time::timeout(Duration::ZERO, store.write(put("A"))).await.is_err());
        assert_eq!(is_there(&table, "A").await, is_done);
        store.write(put("B")).await.unwrap().done().unwrap();
    }
}

#[tokio::test]
async fn a_slow_call_without_a_sleep_function_is_refused() {
    for plan in [Plan::new().slow_before(SECOND, Calls::nth(1)), Plan::new().slow_answer(SECOND, Calls::nth(1))] {
        let (table, store) = store(plan);
        assert_eq!(store.write(put("A")).await.unwrap_err().kind(), ErrorKind::Invalid);
        assert!(!is_there(&table, "A").await);
    }
}

#[tokio::test]
async fn after_a_crash_every_call_fails_until_the_restart() {
    let (table, store) = store(Plan::new().crash(Calls::nth(2)));
    assert_eq!(failing(&store, 4).await, [2, 3, 4]);
    assert_eq!(store.get(Get::new(key("A"))).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(store.is_crashed());
    store.restart();
    assert_eq!(failing(&store, 4).await, Vec::<u64>::new());
    assert_eq!((store.calls(), store.faults()), (9, 4));
    assert!(is_there(&table, "A").await);
}

#[tokio::test]
async fn calls_are_selected_by_number_operation_and_partition() {
    for (calls, expected) in [
        (Calls::all(), vec![1, 2, 3, 4, 5, 6]),
        (Calls::nth(3), vec![3]),
        (Calls::every(2), vec![2, 4, 6]),
        (Calls::every(0), vec![]),
        (Calls::nth(1).of(Operation::Write), vec![1]),
        (Calls::all().of(Operation::Get), vec![]),
        (Calls::nth(2).on_partition("A"), vec![2]),
        (Calls::all().on_partition("B"), vec![]),
    ] {
        let (_, store) = store(Plan::new().fail_before(calls.clone()));
        assert_eq!(failing(&store, 6).await, expected, "{calls:?}");
    }
    // Only selected calls are counted.
    let (_, store) = store(Plan::new().throttle(Calls::nth(2).of(Operation::Write).on_partition("B")));
    store.get(Get::new(key("B"))).await.unwrap();
    store.write(put("A")).await.unwrap().done().unwrap();
    store.write(put("B")).await.unwrap().done().unwrap();
    assert!(store.write(put("B")).await.is_err());
}

#[tokio::test]
async fn every_operation_names_its_partitions() {
    let (_, store) = store(Plan::new().fail_before(Calls::all().on_partition("A")));
    assert!(store.get(Get::new(key("A"))).await.is_err());
    assert!(store.query(Query::table(PartitionKey::parse("A").unwrap())).await.is_err());
    assert!(store.query(Query::index(PartitionKey::parse("A").unwrap())).await.is_err());
    assert!(store.transact(Transaction::new([put("B"), put("A")])).await.is_err());
    assert!(store.batch_get(BatchGet::new(vec![key("B"), key("A")])).await.is_err());
    assert!(store.batch_write(BatchWrite::new(vec![BatchAction::Delete(key("A"))])).await.is_err());
    store.scan(Scan::new()).await.unwrap();
    store.get(Get::new(key("B"))).await.unwrap();
    assert_eq!((store.calls(), store.faults()), (8, 6));
}

#[tokio::test]
async fn a_write_concerns_the_partition_of_the_index_that_it_names() {
    let in_index = |pk: &str| {
        let mut item = item(pk);
        item.insert(GSI1PK, AttributeValue::S("I".to_owned()));
        item.insert("gsi1sk", AttributeValue::S("1".to_owned()));
        item
    };
    let moved = |update: Update| Write::update(key("A"), update);
    let to = || AttributeValue::S("I".to_owned());
    for (calls, of_the_table) in [(Calls::all(), true), (Calls::all().of_index(), false)] {
        let (_, store) = store(Plan::new().fail_before(calls.on_partition("I")));
        assert!(store.write(Write::put(in_index("A"))).await.is_err());
        assert!(store.write(moved(Update::new().set(GSI1PK, to()))).await.is_err());
        assert!(store.write(moved(Update::new().set_if_absent(GSI1PK, to()))).await.is_err());
        let transaction = Transaction::new([put("B"), Write::put(in_index("A"))]);
        assert!(store.transact(transaction).await.is_err());
        let batch = BatchWrite::new(vec![BatchAction::Put(in_index("A"))]);
        assert!(store.batch_write(batch).await.is_err());
        assert!(store.query(Query::index(PartitionKey::parse("I").unwrap())).await.is_err());
        // The store would have to look up the index partition.
        store.write(moved(Update::new().set("gsi1sk", to()))).await.unwrap().done().unwrap();
        store.write(Write::delete(key("A"))).await.unwrap().done().unwrap();

        let query = Query::table(PartitionKey::parse("I").unwrap());
        assert_eq!(store.query(query).await.is_err(), of_the_table);
        assert_eq!(store.write(put("I")).await.is_err(), of_the_table);
    }
    let (_, store) = store(Plan::new().fail_before(Calls::all().of_index()));
    store.write(put("A")).await.unwrap().done().unwrap();
    assert!(store.write(Write::put(in_index("A"))).await.is_err());
}

#[tokio::test]
async fn the_first_of_two_faults_applies_and_both_count_the_call() {
    let (_, store) = store(Plan::new().throttle(Calls::nth(1)).fail_before(Calls::every(2)));
    assert_eq!(store.write(put("A")).await.unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(store.write(put("A")).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_seed_determines_the_faults() {
    let run = async |seed| {
        let (_, store) = store(Plan::random(seed, Rates::all(50)));
        failing(&store, 400).await
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
    // Four of the five rates apply to a write: 200 of a thousand.
    assert!((50..110).contains(&first.len()), "{}", first.len());
    let (_, calm) = store(Plan::random(1, Rates::none()));
    assert_eq!(failing(&calm, 100).await, Vec::<u64>::new());
    let (_, crashing) = store(Plan::random(1, Rates::none().crash(1000)));
    assert_eq!(failing(&crashing, 2).await, [1, 2]);
}

#[tokio::test]
async fn rates_that_add_up_to_more_than_a_thousand_are_shares() {
    let (_, store) = store(Plan::random(1, Rates::none().throttle(1500).fail_before(500)));
    let mut kinds = [0, 0];
    for _ in 0..400 {
        match store.write(put("A")).await.unwrap_err().kind() {
            ErrorKind::Throttled => kinds[0] += 1,
            _ => kinds[1] += 1,
        }
    }
    assert!((80..120).contains(&kinds[1]), "{kinds:?}");
}

#[tokio::test]
async fn a_seed_draws_the_action_that_is_in_conflict() {
    for rates in [Rates::none().conflict(1000), Rates::none().throttle(1000)] {
        let (_, store) = store(Plan::random(1, rates));
        let mut places = std::collections::BTreeSet::new();
        for _ in 0..50 {
            let outcome = store.transact(Transaction::new([put("A"), put("B"), put("C")])).await.unwrap();
            places.insert(codes(&outcome).iter().position(|code| *code != CancelCode::None).unwrap());
        }
        assert_eq!(places, [0, 1, 2].into());
    }
}

#[test]
fn debug_of_a_plan_is_its_code_without_keys() {
    let calls = Calls::every(2).of(Operation::Query).on_partition("USER#secret");
    let plan = Plan::new().crash(Calls::all()).unprocessed(3, Calls::nth(1)).conflict(calls);
    assert_eq!(
        format!("{plan:?}"),
        "Plan::new().crash(all()).unprocessed(3, nth(1)).conflict(every(2).of(Query).on_partition(…))"
    );
    let calls = Calls::nth(1).of_index().at_action(2);
    assert_eq!(format!("{:?}", Plan::new().throttle(calls)), "Plan::new().throttle(nth(1).of_index().at_action(2))");
    let slow = Plan::new().slow_before(SECOND, Calls::all()).slow_answer(SECOND / 2, Calls::nth(1));
    assert_eq!(format!("{slow:?}"), "Plan::new().slow_before(1s, all()).slow_answer(500ms, nth(1))");
    assert!(format!("{:?}", Plan::random(42, Rates::all(1))).starts_with("Plan::random(seed: 42, "));
    let (_, store) = store(Plan::random(42, Rates::all(1)));
    assert!(format!("{store:?}").contains("Plan::random(seed: 42, "));
}

#[tokio::test]
async fn clones_share_the_progress_and_a_new_plan_resets_it() {
    let (_, store) = store(Plan::new().throttle(Calls::nth(2)));
    let clone = store.clone();
    store.write(put("A")).await.unwrap().done().unwrap();
    assert!(clone.write(put("A")).await.is_err());
    store.set_plan(Plan::new().throttle(Calls::nth(1)));
    assert!(clone.write(put("A")).await.is_err());
    assert_eq!(store.calls(), 3);
}

#[tokio::test]
async fn the_store_nests_with_a_meter_in_either_order() {
    let lose = || Plan::new().lose_answer(Calls::nth(1));
    let inner = Metered::new(MemoryStore::new());
    let outer = Metered::new(FaultStore::new(inner.clone(), lose()));
    assert!(outer.write(put("A")).await.is_err());
    assert_eq!(inner.take().to_string(), "1.0 WCU", "it was done");
    assert_eq!(outer.take().to_string(), "nothing", "an error reports no consumption");
    let refused = put("A").when(Condition::item_absent());
    let _ = outer.write(refused).await.unwrap();
    assert_eq!((inner.take(), outer.total()), (outer.total(), outer.take()));
}

#[tokio::test]
async fn the_store_wraps_a_shared_store() {
    let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let store = FaultStore::new(inner, Plan::new());
    assert_eq!(store.table_name(), "threadline");
    store.write(put("A")).await.unwrap().done().unwrap();
    assert_eq!((store.calls(), store.faults()), (1, 0));
}
