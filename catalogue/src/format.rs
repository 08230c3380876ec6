//! The formats of the catalogue.

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::{golden, picture};

/// A format in which the catalogue prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The table, its index, the way of one message and the list of patterns, as a picture.
    Svg,
}

impl Format {
    /// All formats.
    pub const ALL: &[Self] = &[Self::Svg];

    /// Returns the name of the format, as the program takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
        }
    }

    /// Finds a format by its name.
    ///
    /// # Errors
    /// [`Error::NoChoice`] with the names of all formats.
    pub fn named(name: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|format| format.name() == name).ok_or_else(|| Error::NoChoice {
            what: "format",
            given: name.to_owned(),
            choices: Self::names(),
        })
    }

    /// Returns the names of all formats, separated by commas.
    pub(crate) fn names() -> String {
        Self::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
    }
}

impl Catalogue {
    /// Prints the catalogue in a format.
    ///
    /// # Errors
    /// [`Error::Threadline`] if the golden conversation or a scenario fails, or the registry lacks a card that the
    /// format needs.
    pub async fn print(&self, format: Format) -> Result<String, Error> {
        match format {
            Format::Svg => Ok(picture::single_table(self, &golden::conversation().await?)?),
        }
    }
}
