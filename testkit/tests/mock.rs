//! An application's handling of answers that no table returns.

use threadline::store::{PageOutput, StoreExt};
use threadline::{Error, ErrorKind, Threadline, UserId};
use threadline_testkit::MockStore;

fn user() -> UserId {
    "6513270e-269e-4d37-b2a7-4de452e6b438".parse().unwrap()
}

#[tokio::test]
async fn an_error_that_no_table_returns_reaches_the_application() {
    let mut store = MockStore::for_table("threadline");
    store.on_query(|_| Err(Error::new(ErrorKind::Corrupt, "the disk is on fire")));
    let error = Threadline::new(store).inbox(user()).fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Corrupt, Some("inbox.page")));
}

#[tokio::test]
async fn each_kind_of_request_has_its_own_answer() {
    let mut reads = 0;
    let mut store = MockStore::for_table("threadline");
    store
        .on_get(move |_| {
            reads += 1;
            if reads == 1 {
                Err(Error::new(ErrorKind::Throttled, "once"))
            } else {
                Ok(threadline::store::GetOutput::default())
            }
        })
        .on_scan(|_| Ok(PageOutput::default()));
    assert!(store.scan(threadline::store::Scan::new()).await.unwrap().items.is_empty());
    let chat = Threadline::new(store);
    assert_eq!(chat.user(user()).await.unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(chat.user(user()).await.unwrap(), None);
}
