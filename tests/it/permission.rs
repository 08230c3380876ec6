//! Only members, or authors, may make the calls whose cards say so.

use std::collections::BTreeSet;

use threadline::card::{Caller, Card, Case, RequestKind};
use threadline::{ErrorKind, UserId};
use threadline_testkit::scenario::{Scenario, World};

use crate::scenarios::{SMALL, Staged, cases};

/// Checks that the scenario's call fails for this user and changes nothing.
async fn check_refused(scenario: &Scenario, staged: &Staged, user: UserId, kind: ErrorKind) {
    let before = staged.changes();
    let entered = staged.stage.enter(staged.store.clone(), user).await;
    let answer = match &entered {
        Ok(session) => staged.stage.call(session).await.map_err(|error| error.kind()),
        Err(error) => Err(error.kind()),
    };
    assert_eq!(answer.err(), Some(kind), "{scenario:?}");
    assert_eq!(staged.changes(), before, "{scenario:?}: it changed the table");
}

/// Returns the cases that only members, or authors, may call.
fn guarded() -> impl Iterator<Item = (&'static Card, &'static Case, Scenario)> {
    cases().into_iter().filter(|(card, ..)| matches!(card.caller, Caller::Member | Caller::Author))
}

/// Most of these calls are on a thread, so this mostly tests `open`, which refuses the stranger before the call. The
/// test `member_removed_after_opening_is_refused_other_writes` tests the calls themselves.
#[tokio::test]
async fn stranger_is_refused_every_call_of_members() {
    for (_, _, scenario) in guarded() {
        let staged = Staged::new(&scenario, SMALL).await;
        check_refused(&scenario, &staged, World::STRANGER, ErrorKind::NotFound).await;
    }
}

/// As above, this mostly tests `open`: a removed member opens the conversation before the call, and is refused.
#[tokio::test]
async fn removed_member_is_refused_every_call_of_members() {
    for (_, _, scenario) in guarded() {
        let staged = Staged::new(&scenario, SMALL).await;
        let other = staged.stage.world.chat.open(World::OTHER, World::GROUP).await.unwrap();
        other.remove_member(World::CALLER).await.unwrap();
        check_refused(&scenario, &staged, World::CALLER, ErrorKind::NotFound).await;
    }
}

#[tokio::test]
async fn other_member_is_refused_every_call_of_authors() {
    let mut checked = 0;
    for (_, _, scenario) in guarded().filter(|(card, ..)| card.caller == Caller::Author) {
        let staged = Staged::new(&scenario, SMALL).await;
        check_refused(&scenario, &staged, World::OTHER, ErrorKind::Denied).await;
        checked += 1;
    }
    assert!(checked > 1, "edit and delete");
}

/// The opposite check: a card that names too few callers would hide a refusal.
#[tokio::test]
async fn caller_that_the_card_allows_is_not_refused() {
    for (card, _, scenario) in cases() {
        let user = match card.caller {
            Caller::Member => World::OTHER,
            Caller::Author => World::CALLER,
            _ => World::STRANGER,
        };
        let staged = Staged::new(&scenario, SMALL).await;
        let session = staged.stage.enter(staged.store.clone(), user).await.unwrap();
        let refused = staged.stage.call(&session).await.err().map(|error| error.kind());
        assert!(!matches!(refused, Some(ErrorKind::NotFound | ErrorKind::Denied)), "{scenario:?}: {refused:?}");
    }
}

/// The cases that succeed for a removed member, with the reason: `open` read the membership.
const ALLOWED_ON_AN_OPENED_THREAD: [(&str, &str, &str); 4] = [
    ("messages.send", "", "a send is one put, for 1 WCU: a check of the membership would need a transaction"),
    ("messages.edit", "", "the condition is that the message is the caller's"),
    ("messages.delete", "", "the condition is that the message is the caller's"),
    ("groups.remove_member", "oneself", "the caller has left already, so nothing changes"),
];

/// Returns `true` for a case that writes.
fn writes(case: &Case) -> bool {
    let is_write = |kind| matches!(kind, RequestKind::Put | RequestKind::Update | RequestKind::Delete);
    case.requests.iter().any(|request| request.transaction || is_write(request.kind))
}

/// A thread may outlive its membership.
#[tokio::test]
async fn member_removed_after_opening_is_refused_other_writes() {
    let (mut refused, mut allowed) = (BTreeSet::new(), BTreeSet::new());
    for (card, case, scenario) in guarded().filter(|(_, case, _)| writes(case)) {
        let staged = Staged::new(&scenario, SMALL).await;
        let session = staged.stage.enter(staged.store.clone(), World::CALLER).await.unwrap();
        let other = staged.stage.world.chat.open(World::OTHER, World::GROUP).await.unwrap();
        other.remove_member(World::CALLER).await.unwrap();
        let before = staged.changes();
        let answer = staged.stage.call(&session).await.map_err(|error| error.kind());
        if ALLOWED_ON_AN_OPENED_THREAD.iter().any(|(name, of, _)| (*name, *of) == (card.name, case.name)) {
            assert!(answer.is_ok(), "{scenario:?}: {answer:?}, so it needs no exception");
            allowed.insert((card.name, case.name));
        } else {
            let is_refused = matches!(answer, Err(ErrorKind::NotFound | ErrorKind::Denied));
            assert!(is_refused, "{scenario:?}: {answer:?}");
            assert_eq!(staged.changes(), before, "{scenario:?}: it changed the table");
            refused.insert(card.name);
        }
    }
    assert!(refused.len() > 2, "add_member, remove_member and mark_read: {refused:?}");
    assert_eq!(allowed.len(), ALLOWED_ON_AN_OPENED_THREAD.len(), "{allowed:?}");
}
