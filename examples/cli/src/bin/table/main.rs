//! Creates, verifies, seeds, prints, audits, lists and deletes the table, on DynamoDB Local or on AWS.
//!
//! ```text
//! scripts/dynamodb-local                                      # in another terminal
//! cargo run -p threadline-examples --bin table -- create         # then: verify, seed, scan, check, repair, ...
//! cargo run -p threadline-examples --bin table -- verify --aws   # the table on AWS
//! ```
//!
//! `--help` lists all options. The example `patterns` reads the conversation that `seed` writes.

mod seed;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use threadline::DynamoDbStore;
use threadline_catalogue::table::TableCommand;
use threadline_examples::{Target, finish, say};

/// Creates, verifies, seeds, prints, audits, lists and deletes the examples' table.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The commands of the program `threadline`. Here, they also reach AWS, where the table is always protected.
    #[command(flatten)]
    Table(TableCommand),

    /// Write four users and a conversation of 100 messages; a second run changes nothing
    Seed {
        /// Leave the inboxes to a projector of the table's stream, such as the example `projector`
        #[arg(long)]
        leave_inboxes: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = run(&options).await;
    finish(&options.target, outcome)
}

async fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let target = &options.target;
    let client = target.connect().await?;
    match &options.command {
        Command::Table(command) => {
            let matches = command.run(&target.of_catalogue(client)).await?;
            Ok(if matches { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Seed { leave_inboxes } => {
            say!("Seeding the {target}");
            let inboxes = if *leave_inboxes { seed::Inboxes::Leave } else { seed::Inboxes::Update };
            seed::seed(DynamoDbStore::new(client, &target.table), inboxes).await?;
            if !target.aws {
                say!("DynamoDB Local reports too little capacity for transactions.");
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
