//! Creates, verifies, seeds, prints, audits, lists and deletes the table, on DynamoDB Local or on AWS.
//!
//! ```text
//! scripts/dynamodb-local                                      # in another terminal
//! cargo run -p threadline-examples --bin table -- create         # then: verify, seed, scan, check, repair, ...
//! cargo run -p threadline-examples --bin table -- verify --aws   # the table on AWS
//! ```
//!
//! `--help` lists all options. The example `patterns` reads the conversation that `seed` writes.

mod audit;
mod scan;
mod seed;

use std::error::Error;
use std::process::ExitCode;

use aws_sdk_dynamodb::Client;
use clap::{Args, Parser, Subcommand};
use threadline::DynamoDbStore;
use threadline::table::TableSpec;
use threadline::table::{Difference, Setting};
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
    /// Create the table and wait until it is active
    Create(Protection),

    /// Compare the table with the one that `create` makes; exit code 1 if they differ
    Verify(Protection),

    /// Write four users and a conversation of 100 messages; a second run changes nothing
    Seed {
        /// Leave the inboxes to a projector of the table's stream, such as the example `projector`
        #[arg(long)]
        leave_inboxes: bool,
    },

    /// Print every item of the table, one per line
    Scan,

    /// Compare inbox entries, member counts and claims with their sources; exit code 1 if any differ
    Check(audit::From),

    /// Check, and repair the discrepancies
    #[command(alias = "rebuild")]
    Repair(audit::From),

    /// Print the names of all tables
    List,

    /// Delete the table and its items without confirmation; fails while the table is protected
    Drop {
        /// Remove the table's protection first
        #[arg(long)]
        unprotect: bool,
    },
}

#[derive(Debug, Args)]
struct Protection {
    /// Protect the table against deletion; always on for AWS
    #[arg(long)]
    protect: bool,
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
    let spec = TableSpec::new(&target.table);
    match &options.command {
        Command::Create(protection) => {
            say!("Creating the {target} ...");
            let protected = target.aws || protection.protect;
            let created = spec.deletion_protection(protected).create(&client).await?;
            say!("It is active, and {}protected against deletion.", if protected { "" } else { "not " });
            created.unsupported.iter().for_each(|missing| say!("  {missing}"));
        }
        Command::Verify(protection) => {
            let verified = spec.deletion_protection(target.aws || protection.protect).verify(&client).await?;
            verified.unsupported.iter().for_each(|missing| say!("  {missing}"));
            verified.differences.iter().for_each(|difference| say!("  {difference}"));
            if !verified.is_match() {
                say!("The {target} differs from the one that `create` makes.");
                return Ok(ExitCode::FAILURE);
            }
            say!("The {target} equals the one that `create` makes.");
        }
        Command::Seed { leave_inboxes } => {
            say!("Seeding the {target}");
            let inboxes = if *leave_inboxes { seed::Inboxes::Leave } else { seed::Inboxes::Update };
            seed::seed(DynamoDbStore::new(client, &target.table), inboxes).await?;
            if !target.aws {
                say!("DynamoDB Local reports too little capacity for transactions.");
            }
        }
        Command::Scan => scan::scan(DynamoDbStore::new(client, &target.table)).await?,
        Command::Check(from) => {
            check_keys(&spec, &client).await?;
            return audit::audit(DynamoDbStore::new(client, &target.table), from, audit::What::Check).await;
        }
        Command::Repair(from) => {
            check_keys(&spec, &client).await?;
            return audit::audit(DynamoDbStore::new(client, &target.table), from, audit::What::Repair).await;
        }
        Command::List => list(&client, target).await?,
        Command::Drop { unprotect } => {
            if *unprotect {
                spec.remove_protection(&client).await?;
            }
            spec.delete(&client).await?;
            say!("The {target} is deleted.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses a table with other keys, in which an audit would find nothing.
async fn check_keys(spec: &TableSpec, client: &Client) -> Result<(), Box<dyn Error>> {
    let verified = spec.verify(client).await?;
    let is_of_keys = |difference: &&Difference| matches!(difference.setting, Setting::Keys | Setting::Index);
    match verified.differences.iter().find(is_of_keys) {
        Some(difference) => Err(format!("the table has other keys: {difference}; see `table verify`").into()),
        None => Ok(()),
    }
}

async fn list(client: &Client, target: &Target) -> Result<(), Box<dyn Error>> {
    let mut tables = client.list_tables().into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(name) = tables.try_next().await? {
        names.push(name);
    }
    say!("Tables {}: {}", target.place(), names.len());
    names.iter().for_each(|name| say!("  {name}"));
    Ok(())
}
