//! Cards: declarations of access patterns as plain data. Tests and tools compare the cards with the code.
//!
//! A [`Card`] describes one call: its caller, its requests, its cost and the effect of a retry. Each access pattern of
//! this crate has a card beside its code, and the [registry] lists the cards. An application declares its own patterns
//! in the same way:
//!
//! ```
//! use threadline::Message;
//! use threadline::card::{Caller, Card, Case, Cost, EntityCard, RequestCard, Sizes, Term};
//!
//! const REACTION: EntityCard = EntityCard::new("Reaction", "REACTION#<message>", "USER#<user>");
//!
//! const REACT: Card = Card::new("reactions.add", "Reactions::add", Caller::Member)
//!     .cases(&[Case::new(
//!         &[
//!             RequestCard::check(&Message::CARD).when("the message exists"),
//!             RequestCard::put(&REACTION).in_transaction(),
//!         ],
//!         Cost::of(&[Term::writes(4)]),
//!     )])
//!     .retry("replaces the reaction with an equal one");
//!
//! assert_eq!(REACT.cases[0].cost.to_string(), "4 WCU");
//! assert_eq!(REACT.cases[0].requests[1].to_string(), "Put Reaction");
//! assert_eq!(REACT.cases[0].cost.capacity(&Sizes::new()).to_string(), "4.0 WCU");
//! ```

mod cost;
pub mod registry;
mod request;

pub use cost::{Cost, Per, Sizes, Term, Unit};
pub use request::{EntityCard, RequestCard, RequestKind, Source, Times};

/// The declaration of an access pattern, such as `messages.send`: its caller, its requests, its cost and the effect of
/// a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Card {
    /// The name of the pattern, such as `messages.send`. Its span has the same name.
    pub name: &'static str,
    /// The public call of the pattern, such as `Thread::send`.
    pub call: &'static str,
    /// The role that may make the call.
    pub caller: Caller,
    /// The cases of the call, which differ in requests or cost. The first one is the usual case.
    pub cases: &'static [Case],
    /// The effect of a retry of the call, as a verb phrase: `returns the stored message`.
    pub retry: &'static str,
}

impl Card {
    /// Creates a card without cases, from the pattern's name, its public call and its caller.
    pub const fn new(name: &'static str, call: &'static str, caller: Caller) -> Self {
        Self { name, call, caller, cases: &[], retry: "" }
    }

    /// Sets the cases of the call. Default: none.
    pub const fn cases(mut self, cases: &'static [Case]) -> Self {
        self.cases = cases;
        self
    }

    /// Sets the text that describes the effect of a retry, as a verb phrase: `returns the stored message`. Default:
    /// empty.
    pub const fn retry(mut self, retry: &'static str) -> Self {
        self.retry = retry;
        self
    }

    /// Returns the case with this name, if any.
    pub fn case(&self, name: &str) -> Option<&'static Case> {
        self.cases.iter().find(|case| case.name == name)
    }
}

/// The role that may make the call of a [`Card`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caller {
    /// Anyone. The application must check the caller, because the library does not.
    Anyone,
    /// A member of the conversation. The library checks the membership.
    Member,
    /// The author of the message that the call changes.
    Author,
    /// The process that reads the table's stream, with a [`Projector`](crate::stream::Projector).
    Projector,
    /// An operator of the deployment.
    Operator,
}

/// One possible course of a call: the requests that the call then makes, and their cost. For example, a call that finds
/// its work already done makes fewer requests than usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Case {
    /// The name of the case. It may be empty for the usual case.
    pub name: &'static str,
    /// The requests of the call in this case, in order.
    pub requests: &'static [RequestCard],
    /// The cost of these requests together.
    pub cost: Cost,
}

impl Case {
    /// Creates the usual case of a call, which needs no name.
    pub const fn new(requests: &'static [RequestCard], cost: Cost) -> Self {
        Self { name: "", requests, cost }
    }

    /// Creates a case of a call, with a name.
    pub const fn named(name: &'static str, requests: &'static [RequestCard], cost: Cost) -> Self {
        Self { name, requests, cost }
    }
}
