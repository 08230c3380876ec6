//! The program `threadline`: its arguments, its output and its exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser, Subcommand};
use threadline::card::registry::Registry;

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::format::Format;

/// Prints what follows from a table's access patterns.
#[derive(Debug, Parser)]
#[command(name = "threadline", version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the catalogue in one format, or compare files with it
    #[command(args_conflicts_with_subcommands = true)]
    Catalogue(CatalogueOptions),
}

#[derive(Debug, Args)]
struct CatalogueOptions {
    #[command(subcommand)]
    command: Option<CatalogueCommand>,

    /// The format to print
    format: Option<String>,

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
    },
    /// Write files again, or the generated blocks of a page: `markdown=docs/costs.md`
    Update {
        /// A format and a file, such as `svg=docs/single-table.svg`
        #[arg(required = true, value_name = "FORMAT=FILE")]
        files: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct Output {
    /// Write to this file, completely or not at all [default: the standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
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
/// The exit code is 0, 1 if the work failed, or 2 for invalid arguments. A reader that closes the output early is no
/// error.
pub fn main(registry: Registry) -> ExitCode {
    let outcome = Catalogue::new(registry).and_then(|catalogue| catalogue.run(std::env::args_os()));
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    report(&error);
    ExitCode::from(if error.is_usage() { 2 } else { 1 })
}

impl Catalogue {
    /// Runs the program `threadline` with these arguments, the first of which is the program's name.
    ///
    /// # Errors
    /// [`Error::Arguments`] and [`Error::NoChoice`] for invalid arguments, and the errors of the command.
    pub fn run(&self, arguments: impl IntoIterator<Item = OsString>) -> Result<(), Error> {
        let options = match Options::try_parse_from(arguments) {
            Ok(options) => options,
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                return to_standard_output(&error.to_string());
            }
            Err(error) => return Err(Error::Arguments(sentence(&error))),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(Error::Output)?;
        runtime.block_on(self.execute(options.command))
    }

    async fn execute(&self, command: Command) -> Result<(), Error> {
        match command {
            Command::Catalogue(CatalogueOptions { command: Some(CatalogueCommand::Check { files }), .. }) => {
                self.check_files(&files).await
            }
            Command::Catalogue(CatalogueOptions { command: Some(CatalogueCommand::Update { files }), .. }) => {
                for (path, _, expected) in self.renewed(&files).await? {
                    Output { output: Some(path.into()) }.write(&expected)?;
                }
                Ok(())
            }
            Command::Catalogue(options) => {
                let format = options.format.as_deref().ok_or_else(|| Error::missing("format", Format::names()))?;
                let format = Format::named(format)?;
                options.output.write(&self.print(format).await?)
            }
        }
    }

    async fn check_files(&self, files: &[String]) -> Result<(), Error> {
        let different = self.renewed(files).await?.into_iter().filter(|(_, content, expected)| content != expected);
        let different: Vec<_> = different.map(|(path, ..)| path).collect();
        if different.is_empty() { Ok(()) } else { Err(Error::Differs(different.join(", "))) }
    }

    /// Returns the path of each file, its content, and the content that it should have.
    async fn renewed<'a>(&self, files: &'a [String]) -> Result<Vec<(&'a str, String, String)>, Error> {
        let mut renewed = Vec::new();
        for file in files {
            let pair = file.split_once('=');
            let (format, path) = pair.ok_or_else(|| Error::Arguments(format!("`{file}` is not FORMAT=FILE")))?;
            let format = Format::named(format)?;
            let content = std::fs::read_to_string(path).map_err(of_file(path.as_ref(), "read"))?;
            let expected = self.renew(format, &content).await?;
            renewed.push((path, content, expected));
        }
        Ok(renewed)
    }
}

impl Output {
    fn write(&self, text: &str) -> Result<(), Error> {
        let Some(path) = &self.output else { return to_standard_output(text) };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(path).map_err(io::Error::from)
        };
        write().map(drop).map_err(of_file(path, "written"))
    }
}

fn of_file(path: &Path, verb: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = path.display().to_string();
    move |source| Error::File { path, verb, source }
}

/// Prints a text. A reader that has closed the pipe is no error.
fn to_standard_output(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// Prints an error with its causes, in one line, and ignores a closed pipe.
fn report(error: &Error) {
    let mut text = format!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    let _ = writeln!(io::stderr(), "{text}");
}

/// Returns an error about arguments as one sentence, with the choices.
fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first).trim_end_matches(':');
    let choices = match (error.kind(), error.get(ContextKind::ValidValue)) {
        (ErrorKind::InvalidSubcommand, _) => {
            let command = Options::command();
            Some(command.get_subcommands().map(|command| command.get_name()).collect::<Vec<_>>().join(", "))
        }
        (_, Some(ContextValue::Strings(choices))) => Some(choices.join(", ")),
        _ => None,
    };
    match (choices, error.get(ContextKind::InvalidArg)) {
        (Some(choices), _) => format!("{first}: choose one of {choices}"),
        (None, Some(ContextValue::Strings(missing))) => format!("{first}: {}", missing.join(", ")),
        _ => format!("{first}; `threadline --help` lists the arguments"),
    }
}
