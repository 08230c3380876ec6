//! Nobody but a member, or the author, makes the calls whose cards say so.

use threadline::card::{Caller, Card};
use threadline::{ErrorKind, UserId};
use threadline_testkit::scenario::{Scenario, World};

use crate::scenarios::{SMALL, Staged, cases};

/// Checks that the scenario's call fails for this user, and changes nothing.
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

fn guarded() -> impl Iterator<Item = (&'static Card, Scenario)> {
    let is_guarded = |card: &Card| matches!(card.caller, Caller::Member | Caller::Author);
    cases().into_iter().filter(move |(card, ..)| is_guarded(card)).map(|(card, _, scenario)| (card, scenario))
}

#[tokio::test]
async fn stranger_is_refused_every_call_of_members() {
    for (_, scenario) in guarded() {
        let staged = Staged::new(&scenario, SMALL).await;
        check_refused(&scenario, &staged, World::STRANGER, ErrorKind::NotFound).await;
    }
}

#[tokio::test]
async fn removed_member_is_refused_every_call_of_members() {
    for (_, scenario) in guarded() {
        let staged = Staged::new(&scenario, SMALL).await;
        let other = staged.stage.world.chat.open(World::OTHER, World::GROUP).await.unwrap();
        other.remove_member(World::CALLER).await.unwrap();
        check_refused(&scenario, &staged, World::CALLER, ErrorKind::NotFound).await;
    }
}

#[tokio::test]
async fn other_member_is_refused_every_call_of_authors() {
    let mut checked = 0;
    for (_, scenario) in guarded().filter(|(card, _)| card.caller == Caller::Author) {
        let staged = Staged::new(&scenario, SMALL).await;
        check_refused(&scenario, &staged, World::OTHER, ErrorKind::Denied).await;
        checked += 1;
    }
    assert!(checked > 1, "edit and delete");
}

/// The other side of the above: a card that names fewer callers than it should would have fewer calls refused.
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

/// A thread may be kept for longer than its member is one. A case that checks the caller, or writes the caller's own membership,
/// fails then.
#[tokio::test]
async fn member_removed_after_opening_is_refused_what_writes_memberships() {
    let mut checked = 0;
    for (card, case, scenario) in cases() {
        let checks_caller = |condition: &str| {
            condition == "the caller is a member"
                || condition == "the membership exists, and its read marker is earlier"
        };
        if card.caller != Caller::Member || !case.requests.iter().any(|request| checks_caller(request.condition)) {
            continue;
        }
        let staged = Staged::new(&scenario, SMALL).await;
        let session = staged.stage.enter(staged.store.clone(), World::CALLER).await.unwrap();
        let other = staged.stage.world.chat.open(World::OTHER, World::GROUP).await.unwrap();
        other.remove_member(World::CALLER).await.unwrap();
        let before = staged.changes();
        let error = staged.stage.call(&session).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{scenario:?}");
        assert_eq!(staged.changes(), before, "{scenario:?}: it changed the table");
        checked += 1;
    }
    assert!(checked > 4, "add_member, remove_member and mark_read");
}
