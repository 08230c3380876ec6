use super::*;
use crate::key::{Key, SortKey};
use crate::request::Condition;
use crate::store::memory::MemoryStore;
use crate::store::meter::Metered;
use crate::{AttributeValue, Item};

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
    Write::put(item(pk)).unwrap()
}

fn store(plan: Plan) -> (MemoryStore, FaultStore<MemoryStore>) {
    let table = MemoryStore::new().with_table_name("messages");
    (table.clone(), FaultStore::new(table, plan))
}

async fn is_there(table: &MemoryStore, pk: &str) -> bool {
    table.get(Get::new(key(pk))).await.unwrap().item.is_some()
}

/// Which of these writes fail, from 1.
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
async fn a_throttled_call_is_not_done_and_says_what_dynamodb_says() {
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
async fn a_conflict_fails_a_write_and_cancels_a_transaction_and_leaves_reads_alone() {
    let (table, store) = store(Plan::new().conflict(Calls::all()));
    assert_eq!(store.write(put("A")).await.unwrap_err().kind(), ErrorKind::Conflict);
    let outcome = store.transact(Transaction::new([put("A"), put("B")]).unwrap()).await.unwrap();
    let TransactOutcome::Cancelled { reasons, capacity } = &outcome else { panic!("{outcome:?}") };
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [CancelCode::Conflict, CancelCode::None]);
    assert_eq!(capacity.to_string(), "4.0 WCU");
    assert_eq!(outcome.done().unwrap_err().kind(), ErrorKind::Conflict);
    assert!(!is_there(&table, "A").await);
    store.get(Get::new(key("A"))).await.unwrap();
    store.scan(Scan::new()).await.unwrap();
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
    let transaction = Transaction::new([put("B")]).unwrap();
    assert_eq!(store.transact(transaction).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    let batch = BatchWrite::new(vec![BatchAction::Put(item("C"))]).unwrap();
    assert_eq!(store.batch_write(batch).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    for pk in ["A", "B", "C"] {
        assert!(is_there(&table, pk).await);
    }
    assert_eq!(store.get(Get::new(key("A"))).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_batch_leaves_its_last_parts_undone_and_says_which() {
    let (table, store) = store(Plan::new().unprocessed(2, Calls::all()));
    let batch = |names: &[&str]| BatchWrite::new(names.iter().map(|pk| BatchAction::Put(item(pk))).collect()).unwrap();
    let answer = store.batch_write(batch(&["A", "B", "C"])).await.unwrap();
    assert_eq!(answer.unprocessed, [BatchAction::Put(item("B")), BatchAction::Put(item("C"))]);
    assert!(is_there(&table, "A").await && !is_there(&table, "B").await);

    let keys = vec![key("C"), key("B"), key("A")];
    let answer = store.batch_get(BatchGet::new(keys).unwrap()).await.unwrap();
    assert_eq!((answer.items.len(), answer.unprocessed), (0, vec![key("B"), key("A")]));

    let error = store.batch_write(batch(&["A", "B"])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled, "nothing at all could be done");
    store.write(put("D")).await.unwrap().done().unwrap();
}

/// What slept, and how long: the store goes on at once.
fn sleeping(store: FaultStore<MemoryStore>) -> (FaultStore<MemoryStore>, Arc<Mutex<Vec<Duration>>>) {
    let slept = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&slept);
    let store = store.with_sleep(move |pause| {
        log.lock().unwrap().push(pause);
        std::future::ready(())
    });
    (store, slept)
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_slow_call_sleeps_as_it_is_told_and_is_done() {
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
        store.transact(Transaction::new([put("B")]).unwrap()).await.unwrap().done().unwrap();
        store.batch_get(BatchGet::new(vec![key("A")]).unwrap()).await.unwrap();
        let _ = store.batch_write(BatchWrite::new(vec![BatchAction::Delete(key("A"))]).unwrap()).await.unwrap();
        assert_eq!(slept.lock().unwrap().len(), 6);
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_is_not_done_where_it_was_slow_before_and_done_where_its_answer_was_slow() {
    for (plan, is_done) in [
        (Plan::new().slow_before(SECOND, Calls::nth(1)), false),
        (Plan::new().slow_answer(SECOND, Calls::nth(1)), true),
    ] {
        let (table, store) = store(plan);
        let store = store.with_sleep(|_| std::future::pending());
        assert!(tokio::time::timeout(Duration::ZERO, store.write(put("A"))).await.is_err());
        assert_eq!(is_there(&table, "A").await, is_done);
        store.write(put("B")).await.unwrap().done().unwrap();
    }
}

#[tokio::test]
async fn a_slow_call_without_something_to_sleep_with_is_refused_and_not_done() {
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
    // Only the calls that are meant are counted.
    let (_, store) = store(Plan::new().throttle(Calls::nth(2).of(Operation::Write).on_partition("B")));
    store.get(Get::new(key("B"))).await.unwrap();
    store.write(put("A")).await.unwrap().done().unwrap();
    store.write(put("B")).await.unwrap().done().unwrap();
    assert!(store.write(put("B")).await.is_err());
}

#[tokio::test]
async fn every_operation_tells_its_partitions() {
    let (_, store) = store(Plan::new().throttle(Calls::all().on_partition("A")));
    assert!(store.get(Get::new(key("A"))).await.is_err());
    assert!(store.query(Query::table(PartitionKey::parse("A").unwrap())).await.is_err());
    assert!(store.query(Query::index(PartitionKey::parse("A").unwrap())).await.is_err());
    assert!(store.transact(Transaction::new([put("B"), put("A")]).unwrap()).await.is_err());
    assert!(store.batch_get(BatchGet::new(vec![key("B"), key("A")]).unwrap()).await.is_err());
    assert!(store.batch_write(BatchWrite::new(vec![BatchAction::Delete(key("A"))]).unwrap()).await.is_err());
    store.scan(Scan::new()).await.unwrap();
    store.get(Get::new(key("B"))).await.unwrap();
    assert_eq!((store.calls(), store.faults()), (8, 6));
}

#[tokio::test]
async fn of_two_faults_the_first_of_the_plan_befalls_the_call_and_both_count_it() {
    let (_, store) = store(Plan::new().throttle(Calls::nth(1)).fail_before(Calls::every(2)));
    assert_eq!(store.write(put("A")).await.unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(store.write(put("A")).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_seed_brings_the_same_faults_each_time_and_another_seed_others() {
    let run = async |seed| {
        let (_, store) = store(Plan::random(seed, Rates::all(50)));
        failing(&store, 400).await
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
    // Four of the five can befall a write: 200 of a thousand.
    assert!((50..110).contains(&first.len()), "{}", first.len());
    let (_, calm) = store(Plan::random(1, Rates::none()));
    assert_eq!(failing(&calm, 100).await, Vec::<u64>::new());
    let (_, crashing) = store(Plan::random(1, Rates::none().crash(1000)));
    assert_eq!(failing(&crashing, 2).await, [1, 2]);
}

#[test]
fn a_plan_prints_as_it_is_written_and_without_keys() {
    let calls = Calls::every(2).of(Operation::Query).on_partition("USER#secret");
    let plan = Plan::new().crash(Calls::all()).unprocessed(3, Calls::nth(1)).conflict(calls);
    assert_eq!(
        format!("{plan:?}"),
        "Plan::new().crash(all()).unprocessed(3, nth(1)).conflict(every(2).of(Query).on_partition(…))"
    );
    let slow = Plan::new().slow_before(SECOND, Calls::all()).slow_answer(SECOND / 2, Calls::nth(1));
    assert_eq!(format!("{slow:?}"), "Plan::new().slow_before(1s, all()).slow_answer(500ms, nth(1))");
    assert!(format!("{:?}", Plan::random(42, Rates::all(1))).starts_with("Plan::random(seed: 42, "));
    let (_, store) = store(Plan::random(42, Rates::all(1)));
    assert!(format!("{store:?}").contains("Plan::random(seed: 42, "));
}

#[tokio::test]
async fn clones_share_the_progress_and_a_new_plan_starts_anew() {
    let (_, store) = store(Plan::new().throttle(Calls::nth(2)));
    let clone = store.clone();
    store.write(put("A")).await.unwrap().done().unwrap();
    assert!(clone.write(put("A")).await.is_err());
    store.set_plan(Plan::new().throttle(Calls::nth(1)));
    assert!(clone.write(put("A")).await.is_err());
    assert_eq!(store.calls(), 3);
}

#[tokio::test]
async fn it_nests_with_a_meter_in_both_ways() {
    let lose = || Plan::new().lose_answer(Calls::nth(1));
    let inner = Metered::new(MemoryStore::new());
    let outer = Metered::new(FaultStore::new(inner.clone(), lose()));
    assert!(outer.write(put("A")).await.is_err());
    assert_eq!(inner.take().to_string(), "1.0 WCU", "it was done");
    assert_eq!(outer.take().to_string(), "nothing", "and nobody says so");
    let refused = put("A").when(Condition::item_absent()).unwrap();
    let _ = outer.write(refused).await.unwrap();
    assert_eq!((inner.take(), outer.total()), (outer.total(), outer.take()));
}

#[tokio::test]
async fn it_wraps_a_store_behind_a_pointer() {
    let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let store = FaultStore::new(inner, Plan::new());
    assert_eq!(store.table_name(), "threadline");
    store.write(put("A")).await.unwrap().done().unwrap();
    assert_eq!((store.calls(), store.faults()), (1, 0));
}
