//! The program `threadline`: its arguments, its output and its exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser, Subcommand};
use threadline::card::registry::Registry;

use crate::catalogue::Catalogue;
use crate::cost;
use crate::error::Error;
use crate::format::Format;
use crate::output::{self, Output, of_file, print, write_file};
#[cfg(feature = "dynamodb")]
use crate::table::{TableCommand, TableOptions};

/// Prints what follows from a table's access patterns.
#[derive(Debug, Parser)]
#[command(name = "threadline", version, arg_required_else_help = false)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the catalogue in one format, or compare files with it
    #[command(args_conflicts_with_subcommands = true)]
    Catalogue(CatalogueOptions),

    /// Print the exact requests of a pattern, their PartiQL statements and their cost
    Explain {
        /// The name of a pattern, such as `inbox.page`
        pattern: Option<String>,

        /// Print JSON, of all patterns if none is named
        #[arg(long)]
        json: bool,

        #[command(flatten)]
        output: Output,
    },

    /// Estimate the price of a month
    Cost {
        #[command(flatten)]
        options: Box<cost::Options>,

        #[command(flatten)]
        output: Output,
    },

    /// Create, verify, print, audit or delete the table on DynamoDB Local or another emulator
    #[cfg(feature = "dynamodb")]
    #[command(arg_required_else_help = false)]
    Table {
        #[command(subcommand)]
        command: TableCommand,

        #[command(flatten)]
        options: TableOptions,
    },
}

#[derive(Debug, Args)]
struct CatalogueOptions {
    #[command(subcommand)]
    command: Option<CatalogueCommand>,

    /// The format to print
    format: Option<String>,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum CatalogueCommand {
    /// Compare files with the catalogue; exit code 1 if any differ
    Check {
        /// A format and a file, such as `svg=docs/single-table.svg`
        #[arg(required = true, value_name = "FORMAT=FILE")]
        files: Vec<String>,

        #[command(flatten)]
        selection: Selection,
    },
    /// Write files again, or the generated blocks of a page: `markdown=docs/costs.md`
    Update {
        /// A format and a file, such as `svg=docs/single-table.svg`
        #[arg(required = true, value_name = "FORMAT=FILE")]
        files: Vec<String>,

        #[command(flatten)]
        selection: Selection,
    },
}

/// The part of a format to print.
#[derive(Debug, Args)]
struct Selection {
    /// With `iam`: this policy only, as a document for AWS
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// With `cloudformation`, `terraform` and `workbench`: the name of the table [default: threadline]
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
}

/// Runs the program `threadline` on this registry, and returns its exit code. It reads the arguments of the process.
///
/// An application gets the program for its own entities and patterns in one line:
///
/// ```no_run
/// use threadline::card::registry::Registry;
///
/// fn main() -> std::process::ExitCode {
///     threadline_catalogue::main(Registry::new())
/// }
/// ```
///
/// The exit code is 0 for success, 1 for an error or a difference, and 2 for invalid arguments. It is no error if the
/// reader of the output closes the pipe early.
pub fn main(registry: Registry) -> ExitCode {
    match Catalogue::new(registry) {
        Ok(catalogue) => catalogue.main(),
        Err(error) => report(&error),
    }
}

/// Prints an error as the program does, in one line, and returns the exit code: 2 for invalid arguments, otherwise 1.
pub fn report(error: &Error) -> ExitCode {
    output::report(error);
    ExitCode::from(if error.is_usage() { 2 } else { 1 })
}

impl Catalogue {
    /// Runs the program `threadline` as [`main`] does: with the arguments of the process. Returns its exit code.
    pub fn main(&self) -> ExitCode {
        match self.run(std::env::args_os()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => report(&error),
        }
    }

    /// Runs the program `threadline` with these arguments. The first argument is the program's name. Returns `false` if
    /// a command on a table found differences.
    ///
    /// # Errors
    /// [`Error::Arguments`] and [`Error::NoChoice`] for invalid arguments, and the errors of the command.
    pub fn run(&self, arguments: impl IntoIterator<Item = OsString>) -> Result<bool, Error> {
        let options = match Options::try_parse_from(arguments) {
            Ok(options) => options,
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                return print(&error.to_string()).map(|_| true);
            }
            Err(error) => return Err(Error::Arguments(sentence(&error))),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Output)?;
        runtime.block_on(self.execute(options.command))
    }

    async fn execute(&self, command: Command) -> Result<bool, Error> {
        match command {
            Command::Catalogue(options) => match options.command {
                Some(CatalogueCommand::Check { files, selection }) => {
                    let renewed = self.renewed(&files, &selection).await?;
                    let different = renewed.into_iter().filter(|(_, content, expected)| content != expected);
                    let different: Vec<_> = different.map(|(path, ..)| path).collect();
                    if !different.is_empty() {
                        return Err(Error::Differs(different.join(", ")));
                    }
                }
                Some(CatalogueCommand::Update { files, selection }) => {
                    for (path, _, expected) in self.renewed(&files, &selection).await? {
                        write_file(path.as_ref(), &expected)?;
                    }
                }
                None => {
                    let format = options.format.as_deref().ok_or_else(|| Error::missing("format", Format::names()))?;
                    options.output.write(&options.selection.print(self, Format::named(format)?, None).await?)?;
                }
            },
            Command::Explain { pattern, json: true, output } => {
                let patterns = match &pattern {
                    Some(pattern) => vec![pattern.as_str()],
                    None => self.registry().cards().iter().map(|card| card.name).collect(),
                };
                output.write(&self.explain_json(&patterns).await?)?;
            }
            Command::Explain { pattern, json: false, output } => {
                let pattern = pattern.ok_or_else(|| Error::missing("pattern", self.pattern_names()))?;
                output.write(&self.explain(&pattern).await?)?;
            }
            Command::Cost { options, output } => output.write(&options.text(self)?)?,
            #[cfg(feature = "dynamodb")]
            Command::Table { command, options } => return command.run(&options.target(self.get_table())?).await,
        }
        Ok(true)
    }

    /// Returns the path of each file, its content, and the content that it should have.
    async fn renewed<'a>(
        &self,
        files: &'a [String],
        selection: &Selection,
    ) -> Result<Vec<(&'a str, String, String)>, Error> {
        let mut renewed = Vec::new();
        for file in files {
            let pair = file.split_once('=');
            let (format, path) = pair.ok_or_else(|| Error::Arguments(format!("`{file}` is not FORMAT=FILE")))?;
            let format = Format::named(format)?;
            let content = std::fs::read_to_string(path).map_err(of_file(path.as_ref(), "read"))?;
            let expected = selection.print(self, format, Some(&content)).await?;
            renewed.push((path, content, expected));
        }
        Ok(renewed)
    }
}

impl Selection {
    /// Returns the output, or the new content of a file.
    async fn print(&self, catalogue: &Catalogue, format: Format, old: Option<&str>) -> Result<String, Error> {
        if self.table.is_some() && !format.names_the_table() {
            let message = "`--table` needs a format that names the table: cloudformation, terraform, workbench";
            return Err(Error::Arguments(message.to_owned()));
        }
        let mut catalogue = catalogue.clone();
        if let Some(name) = &self.table {
            let table = catalogue.get_table().clone().with_name(name);
            table.check().map_err(|error| Error::Arguments(error.to_string()))?;
            catalogue = catalogue.table(table);
        }
        match (format, &self.policy, old) {
            (Format::Iam, Some(name), _) => catalogue.policy(name),
            (_, Some(_), _) => Err(Error::Arguments("`--policy` needs the format `iam`".to_owned())),
            (format, None, Some(old)) => catalogue.renew(format, old).await,
            (format, None, None) => catalogue.print(format).await,
        }
    }
}

/// Returns an error about arguments as one sentence, with the choices.
fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first).trim_end_matches(':');
    let valid = [ContextKind::ValidValue, ContextKind::ValidSubcommand].into_iter().find_map(|kind| error.get(kind));
    let choices = match (error.kind(), valid) {
        (_, Some(ContextValue::Strings(choices))) if !choices.is_empty() => Some(choices.join(", ")),
        (ErrorKind::InvalidSubcommand, _) => {
            let command = Options::command();
            Some(command.get_subcommands().map(|command| command.get_name()).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    };
    match (choices, error.get(ContextKind::InvalidArg)) {
        (Some(choices), _) => format!("{first}: choose one of {choices}"),
        (None, Some(ContextValue::Strings(missing))) => format!("{first}: {}", missing.join(", ")),
        _ => format!("{first}; `threadline --help` lists the arguments"),
    }
}
