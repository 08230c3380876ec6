//! The errors of the catalogue.

use std::io;

/// An error of the catalogue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two cards of patterns, or of entities, have the same name.
    #[error("the registry has two cards named `{0}`: rename one")]
    SameName(&'static str),
    /// A card names an entity that the registry lacks.
    #[error("the card `{card}` names the entity `{entity}`, which the registry lacks: add it with `Registry::entity`")]
    UnknownEntity {
        /// The name of the card.
        card: &'static str,
        /// The name of the entity.
        entity: &'static str,
    },
    /// A card has no case, or two cases with one name.
    #[error("the card `{card}` {reason}")]
    Cases {
        /// The name of the card.
        card: &'static str,
        /// The violated rule.
        reason: &'static str,
    },
    /// A key template of an entity is invalid.
    #[error("the entity `{entity}` has the key template `{template}`, which is invalid: {reason}")]
    Template {
        /// The name of the entity.
        entity: &'static str,
        /// The template.
        template: &'static str,
        /// The violated rule.
        reason: &'static str,
    },
    /// The cost of a case is invalid, so it cannot be evaluated.
    #[error("the cost of the card `{card}`, case `{case}`, does not evaluate: {reason}")]
    Cost {
        /// The name of the card.
        card: &'static str,
        /// The name of the case.
        case: &'static str,
        /// The violated rule.
        reason: &'static str,
    },
    /// The stream of the table has no new images, which the projector needs.
    #[error("the stream of the table `{table}` has no new images, which the projector needs: set `TableSpec::stream`")]
    Stream {
        /// The name of the table.
        table: String,
    },
    /// A name is not one of the valid choices.
    #[error("there is no {what} `{given}`: choose one of {choices}")]
    NoChoice {
        /// The kind of the choice, such as `pattern`.
        what: &'static str,
        /// The given name.
        given: String,
        /// The valid names, separated by commas.
        choices: String,
    },
    /// A card declares a kind of request that the policies do not know.
    #[error("requests of the kind `{0}` have no IAM action in this version: update the catalogue")]
    NoAction(String),
    /// The arguments of the program are invalid.
    #[error("{0}")]
    Arguments(String),
    /// A file could not be read or written. The file is unchanged.
    #[error("the file `{path}` could not be {verb}")]
    File {
        /// The path of the file.
        path: String,
        /// `read` or `written`.
        verb: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The output could not be written.
    #[error("the output could not be written")]
    Output(#[source] io::Error),
    /// Files differ from the catalogue.
    #[error("these files differ from the catalogue: {0}; write them again with `threadline catalogue update`")]
    Differs(String),
    /// The generated blocks of a page could not be found.
    #[error("the generated blocks of the page could not be found: {0}")]
    Block(&'static str),
    /// An audit of a table ended before its last page.
    #[cfg(feature = "dynamodb")]
    #[error("the audit stopped before the end of the table; {cursor}")]
    Stopped {
        /// The advice how to continue, with the cursor of the next page.
        cursor: String,
        /// The cause; `None` if somebody interrupted the audit.
        source: Option<threadline::Error>,
    },
    /// The names of the tables could not be listed.
    #[cfg(feature = "dynamodb")]
    #[error("the tables {place} could not be listed")]
    List {
        /// The address, such as `at http://localhost:8000`.
        place: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A call of the library failed.
    #[error(transparent)]
    Threadline(#[from] threadline::Error),
}

impl Error {
    pub(crate) fn missing(what: &str, choices: String) -> Self {
        Self::Arguments(format!("the {what} is missing: choose one of {choices}"))
    }

    /// Returns `true` if the user of the program made the error: it then ends with the exit code 2.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::NoChoice { .. } | Self::Arguments(_))
    }
}
