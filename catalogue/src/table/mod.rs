//! The commands that create, verify, print, audit, list and delete a table.

mod audit;
mod scan;

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_dynamodb::Client;
use clap::{Args, Subcommand};
use threadline::store::dynamodb::local_client;
use threadline::table::TableSpec;
use threadline::{DynamoDbStore, ErrorKind};

use self::audit::{Action, audit};
use crate::error::Error;
use crate::output::print;

pub use audit::AuditStart;

/// The options that select a table at the address of an emulator.
#[derive(Debug, Args)]
pub struct TableOptions {
    /// The name of the table [default: the name in the program's table definition]
    #[arg(long, global = true, value_name = "NAME")]
    pub table: Option<String>,

    /// The address of DynamoDB Local or another emulator
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "DYNAMODB_ENDPOINT",
        hide_env_values = true,
        default_value = "http://localhost:8000"
    )]
    pub endpoint: String,
}

impl TableOptions {
    /// Returns the table with this definition and the selected name, at the emulator's address.
    ///
    /// # Errors
    /// [`Error::Arguments`] if the address does not begin with `http://`.
    pub fn target(&self, definition: &TableSpec) -> Result<Target, Error> {
        if !self.endpoint.starts_with("http://") {
            let message = format!("the endpoint `{}` is invalid: it must start with http://", self.endpoint);
            return Err(Error::Arguments(message));
        }
        let client = local_client(&self.endpoint);
        let definition = match &self.table {
            Some(name) => definition.clone().with_name(name),
            None => definition.clone(),
        };
        Ok(Target { client, definition, place: format!("at {}", self.endpoint), protect: false })
    }
}

/// A table, and the client that reaches it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The client.
    pub client: Client,
    /// The definition of the table. The commands ignore its deletion protection and use `protect` instead.
    pub definition: TableSpec,
    /// The address as text, such as `at http://localhost:8000`.
    pub place: String,
    /// With `true`, `create` protects the table against deletion even without `--protect`, and `verify` expects this
    /// protection.
    pub protect: bool,
}

/// Shows a text such as: table `threadline` at http://localhost:8000
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table `{}` {}", self.definition.name(), self.place)
    }
}

/// A command on a table. An application's program can include these commands by clap's `flatten`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum TableCommand {
    /// Create the table and wait until it is active
    Create(Protection),

    /// Compare the table with a table that `create` would make; exit code 1 if they differ
    Verify(Protection),

    /// Print every item of the table, one per line
    Scan,

    /// Compare inbox entries, member counts and claims with their sources; exit code 1 if any differ
    Check(AuditStart),

    /// Check, and repair the discrepancies
    #[command(alias = "rebuild")]
    Repair(AuditStart),

    /// Print the names of all tables
    List,

    /// Delete the table and its items without confirmation; fails while the table is protected
    Drop {
        /// Remove the table's protection first
        #[arg(long)]
        unprotect: bool,
    },
}

/// The protection of a table.
#[derive(Debug, Args)]
pub struct Protection {
    /// Protect the table against deletion
    #[arg(long)]
    protect: bool,
}

impl TableCommand {
    /// Runs the command, and prints its results. Returns `false` if `verify` finds a difference, or if discrepancies
    /// remain after `check` or `repair`.
    ///
    /// # Errors
    /// The errors of the requests to the table, and [`Error::Output`] if the results could not be printed.
    pub async fn run(&self, target: &Target) -> Result<bool, Error> {
        let (client, spec) = (&target.client, target.definition.clone());
        let store = || DynamoDbStore::new(client.clone(), target.definition.name());
        match self {
            Self::Create(protection) => {
                print(&format!("Creating the {target} ...\n"))?;
                let protected = target.protect || protection.protect;
                let created = spec.deletion_protection(protected).create(client).await?;
                print(&format!(
                    "It is active, and {}protected against deletion.\n",
                    if protected { "" } else { "not " }
                ))?;
                print_all(&created.unsupported)?;
            }
            Self::Verify(protection) => {
                let spec = spec.deletion_protection(target.protect || protection.protect);
                let verified = spec.verify(client).await?;
                print_all(&verified.unsupported)?;
                print_all(&verified.differences)?;
                let verb = if verified.is_match() { "equals" } else { "differs from" };
                print(&format!("The {target} {verb} the one that `create` makes.\n"))?;
                return Ok(verified.is_match());
            }
            Self::Scan => scan::scan(store()).await?,
            Self::Check(start) => return audit(store(), start, Action::Check).await,
            Self::Repair(start) => return audit(store(), start, Action::Repair).await,
            Self::List => list(target).await?,
            Self::Drop { unprotect } => {
                if *unprotect {
                    spec.remove_protection(client).await?;
                }
                spec.delete(client).await?;
                print(&format!("The {target} is deleted.\n"))?;
            }
        }
        Ok(true)
    }
}

fn print_all(lines: &[impl fmt::Display]) -> Result<(), Error> {
    print(&lines.iter().map(|line| format!("  {line}\n")).collect::<String>()).map(drop)
}

async fn list(target: &Target) -> Result<(), Error> {
    let mut tables = target.client.list_tables().into_paginator().items().send();
    let mut names = Vec::new();
    let of_list = |error| Error::List { place: target.place.clone(), source: Box::new(error) };
    while let Some(name) = tables.try_next().await.map_err(of_list)? {
        names.push(name);
    }
    print(&format!("Tables {}: {}\n", target.place, names.len()))?;
    print_all(&names)
}

/// Returns advice on an error, if there is any. `program` is the command that the advice names, such as
/// `threadline table`. `is_emulator` is `false` for a table on AWS.
pub fn advice(error: &(dyn StdError + 'static), program: &str, is_emulator: bool) -> Option<String> {
    let unreachable = || is_emulator.then(|| format!("is it running? `{program}` takes its address by --endpoint"));
    let error = match error.downcast_ref::<Error>() {
        Some(Error::List { .. }) => return unreachable(),
        Some(Error::Threadline(error) | Error::Stopped { source: Some(error), .. }) => error,
        Some(_) => return None,
        None => error.downcast_ref::<threadline::Error>()?,
    };
    let code = error.service().and_then(|service| service.code.as_deref());
    let is_protected = error.operation() == Some("delete_table") && error.service().is_none();
    match error.kind() {
        ErrorKind::Unavailable => unreachable(),
        ErrorKind::Misconfigured if code == Some("ResourceNotFoundException") => {
            Some(format!("create the table with `{program} create`, or name another with --table"))
        }
        ErrorKind::Misconfigured => Some(format!("`{program} verify` shows the differences from the required table")),
        ErrorKind::Denied if is_protected => Some(format!("`{program} drop --unprotect` removes the protection first")),
        _ => None,
    }
}
