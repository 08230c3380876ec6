//! The work of a day, as calls with their costs: of this layout, and of two others that do the same.
//!
//! The numbers of this layout come from the cards alone.

use threadline::card::{Cost, Per, Sizes, Term};

use super::estimate::DAYS;
use super::inputs::Inputs;
use crate::catalogue::Catalogue;
use crate::error::Error;

/// The largest size of an inbox entry, in the table and in the index.
const ENTRY_BYTES: usize = 1024;
/// The size of a membership that shows no message, for [`Layout::NoCopies`].
const PLAIN_ENTRY_BYTES: usize = 256;
/// The bytes that DynamoDB charges for each stored item besides its size.
const OVERHEAD: usize = 100;

/// A layout of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// The layout of this library. Each member has an inbox entry, which the projector updates.
    Threadline,
    /// The layout of the application Cruddur. For each message, a function deletes the inbox rows of all members and
    /// puts new ones.
    ///
    /// Cruddur's conversations have two members. For larger conversations, the comparison assumes a row for each
    /// member.
    Cruddur,
    /// A layout without copies of messages. An inbox reads the newest message of each of the user's conversations.
    NoCopies,
}

impl Layout {
    /// All layouts.
    pub const ALL: &[Self] = &[Self::Threadline, Self::Cruddur, Self::NoCopies];

    /// Returns the name of the layout, for tables and plots.
    pub fn name(self) -> &'static str {
        match self {
            Self::Threadline => "Threadline",
            Self::Cruddur => "Cruddur",
            Self::NoCopies => "No copies",
        }
    }

    /// Returns a sentence that describes the layout.
    pub fn about(self) -> &'static str {
        match self {
            Self::Threadline => "The projector updates an inbox entry of each member.",
            Self::Cruddur => "A function deletes and puts an inbox row of each member. It checks no permission.",
            Self::NoCopies => "An inbox reads the newest message of each of the user's conversations.",
        }
    }

    /// Returns the names of the work of a message, and of an inbox page.
    pub(super) fn work_of_message_and_inbox(self) -> ([&'static str; 2], &'static str) {
        match self {
            Self::Threadline => (["messages.send", "projector.advance"], "inbox.page"),
            Self::Cruddur | Self::NoCopies => ([SENDING; 2], INBOX),
        }
    }

    /// Returns the bytes that are stored for a month of messages and conversations, in the table and in the index.
    pub(super) fn bytes_per_month(self, inputs: &Inputs) -> (f64, f64) {
        let entry = match self {
            Self::Threadline => ENTRY_BYTES,
            Self::Cruddur => row_bytes(inputs),
            Self::NoCopies => PLAIN_ENTRY_BYTES,
        };
        let item = |bytes: usize| super::number(bytes + OVERHEAD);
        let messages = (inputs.messages + inputs.new_conversations()) * item(inputs.message_bytes());
        let entries = inputs.new_conversations() * f64::from(inputs.members) * item(entry);
        (DAYS * (messages + entries), if self.has_inboxes() { DAYS * entries } else { 0.0 })
    }

    /// Returns `true` if the layout stores inboxes: an index sorts them, and the table's stream updates them.
    pub(super) fn has_inboxes(self) -> bool {
        self != Self::NoCopies
    }
}

/// Calls of one kind in a day.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) pattern: &'static str,
    pub(super) case: &'static str,
    pub(super) per_day: f64,
    pub(super) cost: Cost,
    pub(super) sizes: Sizes,
}

/// Returns the work that all layouts do: messages, pages, inboxes and new conversations. Opening is part of it.
pub(super) fn shared(catalogue: &Catalogue, layout: Layout, inputs: &Inputs) -> Result<Vec<Work>, Error> {
    match layout {
        Layout::Threadline => threadline(catalogue, inputs),
        Layout::Cruddur => Ok(cruddur(inputs)),
        Layout::NoCopies => Ok(no_copies(inputs)),
    }
}

/// Returns the work that only this layout does: edits, marks, users, and the caller's own calls.
pub(super) fn further(catalogue: &Catalogue, inputs: &Inputs) -> Result<Vec<Work>, Error> {
    let usual = Sizes::new().members(inputs.members).written(inputs.message_bytes());
    let edits = inputs.messages * inputs.edits;
    let mut all = vec![
        work(catalogue, "messages.edit", None, edits, usual)?,
        // An edit of the newest message refreshes the entries. It costs at most as much as a new message.
        work(catalogue, "projector.advance", None, edits, members_read(usual, inputs))?,
        work(catalogue, "inbox.mark_read", None, inputs.marks(), usual)?,
        work(catalogue, "users.create", None, inputs.new_users(), usual)?,
    ];
    for calls in &inputs.calls {
        all.push(work(catalogue, &calls.pattern, calls.case.as_deref(), calls.per_day, calls.sizes(inputs))?);
    }
    Ok(all)
}

fn threadline(catalogue: &Catalogue, inputs: &Inputs) -> Result<Vec<Work>, Error> {
    let usual = Sizes::new().members(inputs.members).written(inputs.message_bytes());
    let message = inputs.message_bytes();
    // A page reads one item more, to know if there is a next page. The other layouts do without.
    let page = usual.read(page_bytes(inputs, message) + message);
    let inbox = usual.read_index(page_bytes(inputs, ENTRY_BYTES) + ENTRY_BYTES);
    let joined = usual.read(message).items(inputs.members);
    let create = if inputs.members == 2 { "groups.start_direct" } else { "groups.create" };
    let calls = |pattern, per_day, sizes| work(catalogue, pattern, None, per_day, sizes);
    // The record of a first message: the new entries show it already.
    let shown = members_read(usual, inputs);
    let shown = work(catalogue, "projector.advance", Some("redelivery"), inputs.new_conversations(), shown)?;
    Ok(vec![
        calls("groups.open", inputs.opens(), usual)?,
        calls("messages.send", inputs.messages, usual)?,
        calls("projector.advance", inputs.messages / inputs.burst, members_read(usual, inputs))?,
        calls("messages.page", inputs.messages * inputs.page_reads, page)?,
        calls("inbox.page", inputs.inbox_opens(), inbox)?,
        calls(create, inputs.new_conversations(), usual)?,
        calls("projector.join", inputs.new_conversations(), joined)?,
        shown,
    ])
}

fn members_read(sizes: Sizes, inputs: &Inputs) -> Sizes {
    sizes.read(members(inputs).saturating_mul(ENTRY_BYTES))
}

/// Returns Cruddur's requests. Its rows may be larger than 1 KB, because they repeat the whole message.
fn cruddur(inputs: &Inputs) -> Vec<Work> {
    const ROW: Per = Per::Each("KB of rows");
    const SEND: Cost = Cost::of(&[Term::writes(1).per(Per::WrittenKb)]);
    const UPDATE: Cost = Cost::of(&[
        Term::half_index_reads(1).per(Per::ReadBlock),
        Term::writes(2).per(ROW),
        Term::index_writes(2).per(ROW),
    ]);
    const PAGE: Cost = Cost::of(&[Term::half_reads(1).per(Per::ReadBlock)]);
    const CREATE: Cost =
        Cost::of(&[Term::writes(1).per(Per::WrittenKb), Term::writes(1).per(ROW), Term::index_writes(1).per(ROW)]);
    let rows = row_bytes(inputs);
    let kb_of_rows = u32::try_from(members(inputs).saturating_mul(rows.div_ceil(1024))).unwrap_or(u32::MAX);
    let sizes = Sizes::new().written(inputs.message_bytes()).items(kb_of_rows);
    let update = sizes.read_index(members(inputs).saturating_mul(rows));
    let calls = |pattern, per_day, cost, sizes| Work { pattern, case: "", per_day, cost, sizes };
    vec![
        calls(SENDING, inputs.messages, SEND, sizes),
        calls(SENDING, inputs.messages, UPDATE, update),
        calls(
            PAGING,
            inputs.messages * inputs.page_reads,
            PAGE,
            sizes.read(page_bytes(inputs, inputs.message_bytes())),
        ),
        calls(INBOX, inputs.inbox_opens(), PAGE, sizes.read(page_bytes(inputs, rows))),
        calls(CREATING, inputs.new_conversations(), CREATE, sizes),
        // Its message moves the new rows once more.
        calls(CREATING, inputs.new_conversations(), UPDATE, update),
    ]
}

/// Returns the requests of [`Layout::NoCopies`]. It reads the caller's membership first, as this library does.
fn no_copies(inputs: &Inputs) -> Vec<Work> {
    const OPEN: Cost = Cost::of(&[Term::reads(1)]);
    const SEND: Cost = Cost::of(&[Term::writes(1).per(Per::WrittenKb)]);
    const PAGE: Cost = Cost::of(&[Term::half_reads(1).per(Per::ReadBlock)]);
    const READ_INBOX: Cost = Cost::of(&[
        Term::half_reads(1).per(Per::ReadBlock),
        Term::half_reads(1).per(Per::Each("4 KB of the newest messages")),
    ]);
    const CREATE: Cost = Cost::of(&[Term::writes(1).per(Per::WrittenKb), Term::writes(1).per(Per::Member)]);
    let message = inputs.message_bytes();
    let sizes = Sizes::new().members(inputs.members).written(message);
    let conversations = usize::try_from(inputs.conversations).unwrap_or(usize::MAX);
    let newest = u32::try_from(conversations.saturating_mul(message.div_ceil(4096))).unwrap_or(u32::MAX);
    let inbox = sizes.read(conversations.saturating_mul(PLAIN_ENTRY_BYTES)).items(newest);
    let calls = |pattern, per_day, cost, sizes| Work { pattern, case: "", per_day, cost, sizes };
    vec![
        calls(OPENING, inputs.opens(), OPEN, sizes),
        calls(SENDING, inputs.messages, SEND, sizes),
        calls(PAGING, inputs.messages * inputs.page_reads, PAGE, sizes.read(page_bytes(inputs, message))),
        calls(INBOX, inputs.inbox_opens(), READ_INBOX, inbox),
        calls(CREATING, inputs.new_conversations(), CREATE, sizes),
    ]
}

// The names of the work in the other layouts, which have no cards.
const OPENING: &str = "open a conversation";
const SENDING: &str = "send a message";
const PAGING: &str = "read a page of messages";
const INBOX: &str = "read an inbox page";
const CREATING: &str = "start a conversation";

/// Returns the calls of a case in the registry. `None` is the usual case.
fn work(catalogue: &Catalogue, pattern: &str, case: Option<&str>, per_day: f64, sizes: Sizes) -> Result<Work, Error> {
    let card = catalogue.card(pattern)?;
    let found = match case {
        Some(name) => card.case(name),
        None => card.cases.first(),
    };
    let named = || card.cases.iter().map(|case| case.name).filter(|name| !name.is_empty());
    let found = found.ok_or_else(|| match (case.unwrap_or_default(), named().collect::<Vec<_>>().join("; ")) {
        (given, choices) if choices.is_empty() => {
            Error::Arguments(format!("there is no case `{given}`: `{pattern}` has only the usual case"))
        }
        (given, choices) => Error::NoChoice { what: "case", given: given.to_owned(), choices },
    })?;
    // The usual case is the pattern itself, even if it has a name.
    let case = if case.is_some() { found.name } else { "" };
    Ok(Work { pattern: card.name, case, per_day, cost: found.cost, sizes })
}

fn members(inputs: &Inputs) -> usize {
    usize::try_from(inputs.members).unwrap_or(usize::MAX)
}

fn page_bytes(inputs: &Inputs, item: usize) -> usize {
    usize::try_from(inputs.page_items).unwrap_or(usize::MAX).saturating_mul(item)
}

fn row_bytes(inputs: &Inputs) -> usize {
    inputs.message_bytes().max(ENTRY_BYTES)
}
