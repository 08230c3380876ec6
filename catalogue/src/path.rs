//! The path of one message, in steps with their units.

use std::fmt;

use threadline::card::registry::Registry;
use threadline::card::{Card, Sizes};
use threadline::store::{Capacity, Units};
use threadline::{Error, ErrorKind, Result};

use crate::access::whole;

/// One step of a message's path.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The text that describes the step: a request, or work that DynamoDB does itself.
    pub text: String,
    /// The capacity units; `None` for a step that consumes none.
    pub capacity: Option<Capacity>,
}

/// Returns the steps of a message between two people, from the put of the message to an inbox page. The units come from
/// the cards.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) if the registry lacks one of the cards.
pub fn steps(registry: &Registry) -> Result<Vec<Step>> {
    let (send, advance) = (card(registry, "messages.send")?, card(registry, "projector.advance")?);
    let page = card(registry, "inbox.page")?;
    let sizes = Sizes::new().members(2).written(200).read(600);
    let sent = cost(send, &sizes);
    let projected = cost(advance, &sizes);
    let read = cost(page, &Sizes::new().read_index(600));
    let table = |units| Capacity { table_write: units, ..Capacity::default() };
    let index = |units| Capacity { index_write: units, ..Capacity::default() };
    Ok(vec![
        step("Put the message, if it is new", Some(sent)),
        step("The stream carries it to the projector", None),
        step("Query the memberships, consistently", Some(Capacity::reads(projected.read()))),
        step("Update both memberships, only forward", Some(table(projected.table_write))),
        step("The index moves both inbox entries", Some(index(projected.index_write))),
        step("An inbox page is one Query of the index", Some(read)),
    ])
}

/// Returns the card of this name.
pub(crate) fn card(registry: &Registry, name: &str) -> Result<&'static Card> {
    registry.card(name).ok_or_else(|| Error::new(ErrorKind::NotFound, "the registry lacks a card of a message's path"))
}

fn cost(card: &Card, sizes: &Sizes) -> Capacity {
    card.cases.first().map(|case| case.cost.capacity(sizes)).unwrap_or_default()
}

fn step(text: &str, capacity: Option<Capacity>) -> Step {
    Step { text: text.to_owned(), capacity }
}

/// Shows only the units: `1 WCU`, or `free` if the step has none.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(capacity) = self.capacity else { return f.write_str("free") };
        let index = if capacity.index_write == Units::ZERO { "" } else { "index " };
        match capacity.write() {
            Units::ZERO => write!(f, "{} RCU", whole(capacity.read())),
            units => write!(f, "{} {index}WCU", whole(units)),
        }
    }
}
