//! Reads the stream of a table and keeps its inboxes in order, without Lambda.
//!
//! ```text
//! scripts/dynamodb-local                                      # in another terminal
//! cargo run -p threadline-examples --bin table -- create      # then: seed
//! cargo run -p threadline-examples --bin projector -- --once   # without --once, it runs until Ctrl-C
//! cargo run -p threadline-examples --bin projector -- --aws
//! ```
//!
//! It stores checkpoints in the table, and the next run continues from them.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use threadline::DynamoDbStore;
use threadline::store::dynamodb::RetryPolicy;
use threadline::stream::{JsonLinesSink, PollEvent, PollSummary, Poller, Projector};
use threadline_examples::{Target, finish, say};

/// Reads the table's stream and updates the inbox entries; prints one line per batch.
#[derive(Debug, Parser)]
struct Options {
    /// End once everything is read, instead of waiting for more
    #[arg(long)]
    once: bool,

    #[command(flatten)]
    target: Target,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = run(&options).await;
    finish(&options.target, outcome)
}

async fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let target = &options.target;
    let store = DynamoDbStore::new(target.connect().await?, &target.table);
    // A record that can never succeed is printed as a whole, and does not block the rest.
    let projector = Projector::new(store.clone()).dead_letters(JsonLinesSink::new(std::io::stderr()));
    let mut poller = Poller::new(target.connect_streams().await?, projector, store).observer(print_event);
    if !target.aws {
        // An emulator that does not answer is not running: report that after a second, not a minute.
        poller = poller.retry(RetryPolicy::default());
    }

    say!("Reading the stream of the {target}{}", if options.once { "" } else { " (Ctrl-C stops it)" });
    let ended = if options.once {
        poller.drain().await
    } else {
        let ctrl_c = async {
            // Without a signal handler, it runs until it is killed, which does no harm.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        poller.run_until(ctrl_c).await
    };
    // Printed for a failed run too.
    let summary = poller.summary();
    if summary.stream_ended {
        say!("The stream is disabled, and was read to its end.");
    }
    say!("{}", line(&summary));
    ended.map(|_| ExitCode::SUCCESS).map_err(Into::into)
}

fn print_event(event: &PollEvent<'_>) {
    match event {
        PollEvent::Batch { shard, summary, .. } => say!("  {shard}  {}", line(summary)),
        PollEvent::Failed { error, .. } => threadline_examples::warn!("  {error}; retrying"),
        PollEvent::Trimmed { shard, .. } => {
            say!("  {shard}  some records were trimmed before they were read: run `table check`")
        }
        PollEvent::Ended { shard, .. } => say!("  {shard}  read to its end"),
        _ => {}
    }
}

/// Returns a line such as `104 records: 100 projected, 0 failed, 0 dead letters`.
fn line(summary: &PollSummary) -> String {
    let PollSummary { records, projected, failed, dead_letters, .. } = summary;
    format!("{records} records: {projected} projected, {failed} failed, {dead_letters} dead letters")
}
