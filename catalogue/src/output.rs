//! Output that survives a closed pipe: in `threadline table scan | head -1`, `head` reads a line and closes the pipe.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::Error;

/// The destination of a command's output.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Write to this file, completely or not at all [default: the standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

impl Output {
    pub(crate) fn write(&self, text: &str) -> Result<(), Error> {
        match &self.output {
            Some(path) => write_file(path, text),
            None => print(text).map(drop),
        }
    }
}

/// Writes a file completely or not at all. A link keeps its target, a device or pipe gets the text, and an existing
/// file keeps its permissions.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), Error> {
    let write = || {
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let old = target.metadata().ok();
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            return std::fs::write(&target, text);
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // By default, nobody else could read the file. The system removes what its umask forbids.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder)?;
        if let Some(old) = old {
            file.as_file().set_permissions(old.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.persist(&target)?;
        Ok(())
    };
    write().map_err(of_file(path, "written"))
}

/// Returns a conversion of an error about this file.
pub(crate) fn of_file(path: &Path, verb: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = path.display().to_string();
    move |source| Error::File { path, verb, source }
}

/// Prints a text. Returns `false` if the reader has closed the pipe, which is no error.
pub(crate) fn print(text: &str) -> Result<bool, Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::Output(error)),
    }
}

/// Prints an error with its causes, in one line.
pub(crate) fn report(error: &Error) {
    let mut text = format!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    #[cfg(feature = "dynamodb")]
    if let Some(advice) = crate::table::advice(error, "threadline table", true) {
        text = format!("{text}; {advice}");
    }
    // Nobody may read the errors.
    writeln!(io::stderr(), "{text}").ok();
}
