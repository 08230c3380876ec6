//! Reads an inbox or a conversation from a DynamoDB table, and prints the consumed capacity.
//!
//! ```text
//! scripts/dynamodb-local                                      # in another terminal
//! cargo run -p threadline-examples --bin table -- create      # then: seed
//! cargo run -p threadline-examples --bin patterns -- conversations --handle andrewbrown
//! cargo run -p threadline-examples --bin patterns -- conversation 5ae290ed-55d1-47a0-bc6d-fe2bc2700399
//! ```
//!
//! `--help` lists all options.

use std::error::Error;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use threadline::store::Capacity;
use threadline::store::meter::Metered;
use threadline::{Cursor, DynamoDbStore, GroupId, Handle, Membership, Message, Profile, Threadline};
use threadline_examples::{Target, finish, minute, say};

/// Reads an inbox or a conversation, and prints the consumed capacity.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a page of a user's inbox, newest message first
    Conversations {
        /// The user's handle
        #[arg(long)]
        handle: Handle,

        #[command(flatten)]
        paging: Paging,
    },

    /// Print the newest messages of a conversation, oldest first, and the cursor of the older ones
    Conversation {
        /// The id of the conversation
        group: GroupId,

        /// The handle of the member who reads
        #[arg(long = "as", value_name = "HANDLE", default_value = "andrewbrown")]
        reader: Handle,

        #[command(flatten)]
        paging: Paging,
    },
}

#[derive(Debug, Args)]
struct Paging {
    /// The number of conversations or messages
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,

    /// Continue from the cursor that an earlier page printed
    #[arg(long)]
    cursor: Option<Cursor>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = run(&options).await;
    finish(&options.target, outcome)
}

async fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let client = options.target.connect().await?;
    let meter = Metered::new(DynamoDbStore::new(client, &options.target.table));
    let mut patterns = Patterns { chat: Threadline::new(meter.clone()), meter, consumed: Vec::new() };
    match &options.command {
        Command::Conversations { handle, paging } => patterns.conversations(handle, paging).await?,
        Command::Conversation { group, reader, paging } => patterns.conversation(*group, reader, paging).await?,
    }
    say!("\nConsumed");
    patterns.consumed.iter().for_each(|(pattern, capacity)| say!("  {pattern:<16} {capacity}"));
    Ok(ExitCode::SUCCESS)
}

/// The access patterns, and the capacity that each has consumed.
struct Patterns {
    chat: Threadline,
    meter: Metered<DynamoDbStore>,
    consumed: Vec<(&'static str, Capacity)>,
}

impl Patterns {
    async fn conversations(&mut self, handle: &Handle, paging: &Paging) -> Result<(), Box<dyn Error>> {
        let user = self.user(handle).await?;

        let mut request = self.chat.inbox(user.id()).limit(paging.limit);
        if let Some(cursor) = &paging.cursor {
            request = request.cursor(cursor.clone());
        }
        let page = request.fetch().await?;
        self.consumed("inbox.page");

        say!("The inbox of {}", user.display_name());
        for entry in &page.items {
            self.show_entry(entry).await?;
        }
        if page.items.is_empty() {
            say!("  (no conversation)");
        }
        if page.items.iter().any(Membership::is_unread) {
            self.consumed("inbox.unread");
        }
        more(page.next, "older conversations");
        Ok(())
    }

    async fn conversation(&mut self, group: GroupId, reader: &Handle, paging: &Paging) -> Result<(), Box<dyn Error>> {
        let user = self.user(reader).await?;
        let thread = self.chat.open(user.id(), group).await?;
        self.consumed("groups.open");

        let mut request = thread.messages().newest_first().limit(paging.limit);
        if let Some(cursor) = &paging.cursor {
            request = request.cursor(cursor.clone());
        }
        let page = request.fetch().await?;
        self.consumed("messages.page");

        page.items.iter().rev().for_each(show_message);
        more(page.next, "older messages");
        Ok(())
    }

    async fn user(&mut self, handle: &Handle) -> Result<Profile, Box<dyn Error>> {
        let user = self.chat.user_by_handle(handle).await?;
        self.consumed("users.by_handle");
        user.ok_or_else(|| format!("no user of this table has the handle `{handle}`").into())
    }

    async fn show_entry(&self, entry: &Membership) -> Result<(), Box<dyn Error>> {
        let other = entry.other().map(|other| other.display_name().to_string());
        let name = other.or_else(|| entry.title().map(|title| title.to_string())).unwrap_or_default();
        let preview = entry.preview().map_or("(deleted)", |preview| preview.as_str());
        // The entry knows if anything is unread. Counting reads messages, so count only then.
        let unread = if entry.is_unread() {
            let unread = self.chat.unread(entry).await?;
            format!("{}{} unread", unread.count, if unread.or_more { "+" } else { "" })
        } else {
            "read".to_owned()
        };
        say!("  {}  {name:<16} {unread:<11} {preview}", minute(entry.last_message_at()));
        say!("  {:16}  {}", "", entry.group_id());
        Ok(())
    }

    /// Records the capacity that was consumed since the last record.
    fn consumed(&mut self, pattern: &'static str) {
        self.consumed.push((pattern, self.meter.take()));
    }
}

fn show_message(message: &Message) {
    let text = message.body().map_or("(deleted)", |body| body.as_str());
    let edited = if message.edited_at().is_some() { " (edited)" } else { "" };
    say!("{}  {:<14} {text}{edited}", minute(message.created_at()), message.sender_display_name());
}

fn more(next: Option<Cursor>, what: &str) {
    match next {
        Some(cursor) => say!("There are {what}: --cursor {cursor}"),
        None => say!("There are no {what}."),
    }
}
