//! The inputs of an estimate, and their limits.

use clap::Args;
use threadline::MessageGroup;

use super::calls::Calls;
use super::prices::Prices;
use crate::error::Error;

/// The largest number of anything in a day.
const MOST: f64 = 1e12;
/// The largest size of an item in KB.
const LARGEST_KB: f64 = 400.0;

/// The inputs of an estimate. A month has 30 days.
#[derive(Clone, Debug, PartialEq, Args)]
#[command(allow_negative_numbers = true)]
#[non_exhaustive]
pub struct Inputs {
    /// Messages sent per day, to existing conversations.
    #[arg(long, value_name = "N", default_value_t = Self::DEFAULT.messages)]
    pub messages: f64,
    /// Size of a message's item in KB, with its names and keys.
    #[arg(long, value_name = "KB", default_value_t = Self::DEFAULT.message_kb)]
    pub message_kb: f64,
    /// Members of a conversation, as an average over the messages. With two members, it is a direct conversation.
    #[arg(long, value_name = "N", default_value_t = Self::DEFAULT.members)]
    pub members: u32,
    /// Messages of one conversation that the projector handles in one batch.
    #[arg(long, value_name = "N", default_value_t = Self::DEFAULT.burst)]
    pub burst: f64,
    /// Reads of a page of messages, for each message sent.
    #[arg(long, value_name = "N", default_value_t = Self::DEFAULT.page_reads)]
    pub page_reads: f64,
    /// Messages or inbox entries on a page.
    #[arg(long, value_name = "N", default_value_t = Self::DEFAULT.page_items)]
    pub page_items: u32,
    /// Reads of an inbox page per day [default: one for each message].
    #[arg(long, value_name = "N")]
    pub inbox_opens: Option<f64>,
    /// Conversations of a user. Only the layout without copies depends on it: its inbox reads each conversation.
    #[arg(long, value_name = "N", default_value_t = Self::DEFAULT.conversations)]
    pub conversations: u32,
    /// Conversations opened per day [default: one for each message, edit, page read and mark].
    #[arg(long, value_name = "N")]
    pub opens: Option<f64>,
    /// Conversations marked as read per day [default: one for each message].
    #[arg(long, value_name = "N")]
    pub marks: Option<f64>,
    /// Share of messages that are edited or deleted while they are the newest, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = Self::DEFAULT.edits)]
    pub edits: f64,
    /// New users per day [default: one for 1,000 messages].
    #[arg(long, value_name = "N")]
    pub new_users: Option<f64>,
    /// New conversations per day [default: one for 100 messages].
    #[arg(long, value_name = "N")]
    pub new_conversations: Option<f64>,
    /// Months for which messages and conversations are kept. They determine the size of the storage.
    #[arg(long, value_name = "MONTHS", default_value_t = Self::DEFAULT.retention_months)]
    pub retention_months: f64,
    /// Provisioned capacity, as this multiple of the average load [default: on-demand].
    #[arg(long, value_name = "PEAK")]
    pub provisioned: Option<f64>,
    /// Adds backups for point-in-time recovery.
    #[arg(long)]
    pub pitr: bool,
    /// Shards of the stream that a poller reads once a second. Reads by Lambda are free.
    #[arg(long, value_name = "N", default_value_t = Self::DEFAULT.poller_shards)]
    pub poller_shards: u32,
    /// Additional calls per day of any pattern. The names of sizes: written, read and index (in KB), members, items.
    #[arg(long, value_name = "PATTERN[/CASE]=N[,SIZE=N]")]
    pub calls: Vec<Calls>,
    /// The prices.
    #[command(flatten)]
    pub prices: Prices,
}

impl Default for Inputs {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Inputs {
    const DEFAULT: Self = Self {
        messages: 100_000.0,
        message_kb: 0.5,
        members: 2,
        burst: 1.0,
        page_reads: 2.0,
        page_items: 20,
        inbox_opens: None,
        conversations: 30,
        opens: None,
        marks: None,
        edits: 0.02,
        new_users: None,
        new_conversations: None,
        retention_months: 12.0,
        provisioned: None,
        pitr: false,
        poller_shards: 0,
        calls: Vec::new(),
        prices: Prices::DEFAULT,
    };

    /// Returns the conversations opened per day.
    pub(super) fn opens(&self) -> f64 {
        self.opens.unwrap_or(self.messages * (1.0 + self.edits + self.page_reads) + self.marks())
    }

    /// Returns the reads of an inbox page per day.
    pub(super) fn inbox_opens(&self) -> f64 {
        self.inbox_opens.unwrap_or(self.messages)
    }

    /// Returns the conversations marked as read per day.
    pub(super) fn marks(&self) -> f64 {
        self.marks.unwrap_or(self.messages)
    }

    /// Returns the new users per day.
    pub(super) fn new_users(&self) -> f64 {
        self.new_users.unwrap_or(self.messages / 1000.0)
    }

    /// Returns the new conversations per day.
    pub(super) fn new_conversations(&self) -> f64 {
        self.new_conversations.unwrap_or(self.messages / 100.0)
    }

    /// Returns the size of a message's item in bytes.
    pub(super) fn message_bytes(&self) -> usize {
        bytes(self.message_kb)
    }

    /// Checks each input against its limits.
    ///
    /// # Errors
    /// [`Error::Arguments`] with the name of the first invalid input.
    pub(super) fn check(&self) -> Result<(), Error> {
        within("messages", self.messages, 0.0, MOST)?;
        within("message-kb", self.message_kb, f64::MIN_POSITIVE, LARGEST_KB)?;
        members(self.members)?;
        within("burst", self.burst, 1.0, MOST)?;
        within("page-reads", self.page_reads, 0.0, 1e6)?;
        within("page-items", self.page_items.into(), 1.0, 1000.0)?;
        within("inbox-opens", self.inbox_opens(), 0.0, MOST)?;
        within("conversations", self.conversations.into(), 0.0, 1e6)?;
        within("opens", self.opens.unwrap_or_default(), 0.0, MOST)?;
        within("marks", self.marks(), 0.0, MOST)?;
        within("edits", self.edits, 0.0, 1.0)?;
        within("new-users", self.new_users(), 0.0, MOST)?;
        within("new-conversations", self.new_conversations(), 0.0, MOST)?;
        within("retention-months", self.retention_months, 0.0, 1200.0)?;
        within("provisioned", self.provisioned.unwrap_or(1.0), 1.0, 1e6)?;
        within("poller-shards", self.poller_shards.into(), 0.0, 1e6)?;
        self.calls.iter().try_for_each(Calls::check)?;
        self.prices.check()
    }
}

/// Returns a size in whole bytes, rounded up. `as` saturates.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn bytes(kb: f64) -> usize {
    (kb * 1024.0).ceil() as usize
}

/// Checks a number of members.
pub(super) fn members(members: u32) -> Result<(), Error> {
    let limit = u32::try_from(MessageGroup::MAX_MEMBERS).unwrap_or(u32::MAX);
    within("members", members.into(), 1.0, limit.into())
}

/// Checks the size of an item.
pub(super) fn size(name: &str, kb: f64) -> Result<(), Error> {
    within(name, kb, 0.0, 1e9)
}

/// Checks a number. NaN is never within.
pub(super) fn within(name: &str, value: f64, least: f64, most: f64) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let limits =
        if least == f64::MIN_POSITIVE { format!("more than 0, at most {most}") } else { format!("{least} to {most}") };
    Err(Error::Arguments(format!("`{name}` is {value}: pass a number within its limits, {limits}")))
}
