//! The cards of `audit.check` and `audit.repair`.

use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term, Times};
use crate::model::{HandleClaim, IdentityClaim, Membership, Message, MessageGroup, User};

pub(crate) const CHECK: Card = Card::new("audit.check", "Auditor::check", Caller::Operator)
    .cases(&[Case::new(&READS, Cost::of(&[SCANNED, READ]))])
    .retry("reads again");

pub(crate) const REPAIR: Card = Card::new("audit.repair", "Auditor::repair", Caller::Operator)
    .cases(&[
        Case::new(&READS, Cost::of(&[SCANNED, READ])),
        Case::named("one wrong recency", &reads_and::<12>(&[ENTRY, NEWEST]), MOVES_ENTRY),
        Case::named("one wrong index key", &reads_and::<11>(&[ENTRY]), MOVES_ENTRY),
        Case::named("one stale preview", &reads_and::<12>(&[ENTRY, NEWEST]), WRITES_ENTRY),
        Case::named("one stale name", &reads_and::<11>(&[ENTRY]), WRITES_ENTRY),
        Case::named("one stale name, preview may grow", &reads_and::<12>(&[MESSAGE, ENTRY]), WRITES_ENTRY),
        Case::named("one missing entry", &reads_and::<13>(&[USER, USER, MISSING_ENTRY]), WRITES_ENTRY),
        Case::named("one wrong member count", &reads_and::<11>(&[COUNT]), Cost::of(&[SCANNED, READ, Term::writes(1)])),
        Case::named("one missing handle claim", &reads_and::<12>(&[SAME_USER, PUT_HANDLE]), WRITES_CLAIM),
        Case::named("one missing identity claim", &reads_and::<12>(&[SAME_USER, PUT_IDENTITY]), WRITES_CLAIM),
        Case::named("one doubled handle claim", &reads_and::<13>(&[HANDLE, SAME_USER, DELETE_HANDLE]), WRITES_CLAIM),
        Case::named(
            "one doubled identity claim",
            &reads_and::<13>(&[IDENTITY, SAME_USER, DELETE_IDENTITY]),
            WRITES_CLAIM,
        ),
        Case::named(
            "one handle claim with an old key",
            &reads_and::<14>(&[HANDLE, SAME_USER, PUT_HANDLE, DELETE_HANDLE]),
            Cost::of(&[SCANNED, READ, Term::writes(6)]),
        ),
    ])
    .retry("repairs the remaining discrepancies");

const SCANNED: Term = Term::half_reads(1).per(Per::ReadBlock);
const READ: Term = Term::reads(1).per(Per::Each("consistent read"));
const MOVES_ENTRY: Cost = Cost::of(&[SCANNED, READ, Term::writes(1), Term::index_writes(2)]);
const WRITES_ENTRY: Cost = Cost::of(&[SCANNED, READ, Term::writes(1), Term::index_writes(1)]);
/// A transaction charges a write twice, and its check of the user too.
const WRITES_CLAIM: Cost = Cost::of(&[SCANNED, READ, Term::writes(4)]);

/// The requests of an audit that repairs nothing.
const READS: [RequestCard; 10] = [
    RequestCard::scan(),
    GROUP.times(EACH_GROUP),
    GROUP.times(Times::OnlyIf("its messages are scanned first")),
    RequestCard::query(&Membership::CARD).range("begins with USER#").consistent().times(EACH_GROUP),
    NEWEST.times(EACH_GROUP),
    RequestCard::batch_get(&User::CARD).consistent().times(Times::Each("100 members")),
    USER.times(EACH_USER),
    HANDLE.times(EACH_USER),
    IDENTITY.times(EACH_USER),
    USER.times(Times::Each("claim")),
];

/// Returns the requests of an audit, followed by those of its repair: `N` in total.
const fn reads_and<const N: usize>(repair: &[RequestCard]) -> [RequestCard; N] {
    let mut all = [RequestCard::scan(); N];
    let (first, last) = all.split_at_mut(READS.len());
    first.copy_from_slice(&READS);
    last.copy_from_slice(repair);
    all
}

const EACH_GROUP: Times = Times::Each("group");
const EACH_USER: Times = Times::Each("user");
const GROUP: RequestCard = RequestCard::get(&MessageGroup::CARD).consistent();
const NEWEST: RequestCard = RequestCard::query(&Message::CARD).consistent();
const MESSAGE: RequestCard = RequestCard::get(&Message::CARD).consistent();
const USER: RequestCard = RequestCard::get(&User::CARD).consistent();
const HANDLE: RequestCard = RequestCard::get(&HandleClaim::CARD).consistent();
const IDENTITY: RequestCard = RequestCard::get(&IdentityClaim::CARD).consistent();

const ENTRY: RequestCard = RequestCard::update(&Membership::CARD).when("the membership is as it was read");
const MISSING_ENTRY: RequestCard = RequestCard::put(&Membership::CARD).when("the membership is absent");
const COUNT: RequestCard = RequestCard::update(&MessageGroup::CARD).when("the group is as it was read");
const SAME_USER: RequestCard = RequestCard::check(&User::CARD).when("the user is as it was read");
const PUT_HANDLE: RequestCard =
    RequestCard::put(&HandleClaim::CARD).when("the handle is free or the user's").in_transaction();
const PUT_IDENTITY: RequestCard =
    RequestCard::put(&IdentityClaim::CARD).when("the identity is free or the user's").in_transaction();
const DELETE_HANDLE: RequestCard =
    RequestCard::delete(&HandleClaim::CARD).when("the claim is the user's").in_transaction();
const DELETE_IDENTITY: RequestCard =
    RequestCard::delete(&IdentityClaim::CARD).when("the claim is the user's").in_transaction();
