//! Cards: declarations of access patterns, as plain data.
//!
//! A [`Card`] states who may make a call, its requests, its cost and the effect of a retry. Each access pattern of this
//! crate has one beside its code, and the [registry] lists them. An application declares its own
//! patterns in the same way:
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

/// The declaration of an access pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Card {
    /// The name of the pattern, which is also the name of its span: `messages.send`.
    pub name: &'static str,
    /// The public call: `Thread::send`.
    pub call: &'static str,
    /// The role that may make the call. Tests check it.
    pub caller: Caller,
    /// The cases, which differ in requests or cost. The first one is the usual case.
    pub cases: &'static [Case],
    /// The effect of a retry, as a verb phrase: `returns the stored message`.
    pub retry: &'static str,
}

impl Card {
    /// Creates a card without cases.
    pub const fn new(name: &'static str, call: &'static str, caller: Caller) -> Self {
        Self { name, call, caller, cases: &[], retry: "" }
    }

    /// Sets the cases. Default: none.
    #[must_use]
    pub const fn cases(mut self, cases: &'static [Case]) -> Self {
        self.cases = cases;
        self
    }

    /// Sets the description of a retry's effect, such as `returns the stored message`. Default: empty.
    #[must_use]
    pub const fn retry(mut self, retry: &'static str) -> Self {
        self.retry = retry;
        self
    }

    /// Returns the case with this name, if any.
    pub fn case(&self, name: &str) -> Option<&'static Case> {
        self.cases.iter().find(|case| case.name == name)
    }
}

/// The caller who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caller {
    /// Anyone. The library does not check the caller, so the application must.
    Anyone,
    /// A member of the conversation. The library checks the membership.
    Member,
    /// The author of the message.
    Author,
    /// The process that reads the table's stream.
    Projector,
    /// An operator of the deployment.
    Operator,
}

/// One case of a pattern: its requests in order, and their cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Case {
    /// The name of the case. The usual case may have an empty name.
    pub name: &'static str,
    /// The requests in order.
    pub requests: &'static [RequestCard],
    /// The cost of all requests together.
    pub cost: Cost,
}

impl Case {
    /// Creates a case without a name.
    pub const fn new(requests: &'static [RequestCard], cost: Cost) -> Self {
        Self { name: "", requests, cost }
    }

    /// Creates a case with a name.
    pub const fn named(name: &'static str, requests: &'static [RequestCard], cost: Cost) -> Self {
        Self { name, requests, cost }
    }
}
