//! Makes, verifies, fills, prints, audits, lists and deletes the table, on DynamoDB Local or on AWS.
//!
//! ```text
//! scripts/dynamodb-local                                      # in another terminal
//! cargo run -p threadline-examples --bin table -- create         # and: verify, seed, scan, check, repair, ...
//! cargo run -p threadline-examples --bin table -- verify --aws   # the same on AWS
//! ```
//!
//! `--help` tells all options. The example `patterns` reads what `seed` has written.

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

/// Makes, verifies, fills, prints, audits, lists and deletes the table of the examples.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the table and wait until it is active
    Create(Protection),

    /// Print in words where the table differs from what `create` makes; exit code 1 when it does
    Verify(Protection),

    /// Write four users and a conversation of 100 messages; a second time changes nothing
    Seed {
        /// Leave the inboxes to a projector on the table's stream, such as the example `projector`
        #[arg(long)]
        leave_inboxes: bool,
    },

    /// Print every item of the table, a line each
    Scan,

    /// Print each inbox row, member count and claim that is not what it is derived from; exit code 1 when there is one
    Check(audit::From),

    /// The same, and repair what can be repaired
    Repair(audit::From),

    /// Print the names of all tables
    List,

    /// Delete the table and all that it holds, without asking; refused while the table is protected
    Drop {
        /// Remove the table's protection first
        #[arg(long)]
        unprotect: bool,
    },
}

#[derive(Debug, Args)]
struct Protection {
    /// Protect the table against deletion. On AWS it always is; elsewhere only with this, so that `drop` just works
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
            say!("Making the {target} ...");
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
                say!("The {target} is not as `create` makes it.");
                return Ok(ExitCode::FAILURE);
            }
            say!("The {target} is as `create` makes it.");
        }
        Command::Seed { leave_inboxes } => {
            say!("Filling the {target}");
            let inboxes = if *leave_inboxes { seed::Inboxes::LeftAlone } else { seed::Inboxes::InOrder };
            seed::seed(DynamoDbStore::new(client, &target.table), inboxes).await?;
            if !target.aws {
                say!("Consumed is what the service reports; DynamoDB Local reports too little for a transaction.");
            }
        }
        Command::Scan => scan::scan(DynamoDbStore::new(client, &target.table)).await?,
        Command::Check(from) => {
            has_our_keys(&spec, &client).await?;
            return audit::audit(DynamoDbStore::new(client, &target.table), from, audit::What::Check).await;
        }
        Command::Repair(from) => {
            has_our_keys(&spec, &client).await?;
            return audit::audit(DynamoDbStore::new(client, &target.table), from, audit::What::Repair).await;
        }
        Command::List => list(&client, target).await?,
        Command::Drop { unprotect } => {
            if *unprotect {
                spec.remove_protection(&client).await?;
            }
            spec.delete(&client).await?;
            say!("The {target} is gone.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An audit of a table with other keys would find nothing.
async fn has_our_keys(spec: &TableSpec, client: &Client) -> Result<(), Box<dyn Error>> {
    let verified = spec.verify(client).await?;
    let is_of_keys = |difference: &&Difference| matches!(difference.setting, Setting::Keys | Setting::Index);
    match verified.differences.iter().find(is_of_keys) {
        Some(difference) => Err(format!("the table is another program's: {difference}; see `table verify`").into()),
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
