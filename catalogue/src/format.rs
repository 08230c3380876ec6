//! The formats of the catalogue.

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::{golden, html, iam, infrastructure, markdown, mermaid, picture, workbench};

/// A format in which the catalogue prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The table, its index, the path of one message and the list of patterns, as a picture.
    Svg,
    /// The table, its index and the patterns, as a page that shows what each pattern touches.
    Html,
    /// The tables and diagrams of the guide, as named blocks of Markdown.
    Markdown,
    /// The entities and the path of one message, as diagrams of Mermaid.
    Mermaid,
    /// The table with sample items, as a model of NoSQL Workbench 3.0.
    Workbench,
    /// The IAM policies of all roles, with notes about their limits.
    Iam,
    /// The requests that each IAM policy must allow or deny, for a policy simulator.
    IamRequests,
    /// The deployment of the table and its projector, as a CloudFormation template.
    CloudFormation,
    /// The deployment of the table and its projector, as Terraform in JSON syntax: a `.tf.json` file.
    Terraform,
    /// The filters of the Lambda mapping from the table's stream to the projector, as JSON for `aws lambda`.
    Filters,
}

impl Format {
    /// All formats.
    pub const ALL: &[Self] = &[
        Self::Svg,
        Self::Html,
        Self::Markdown,
        Self::Mermaid,
        Self::Workbench,
        Self::Iam,
        Self::IamRequests,
        Self::CloudFormation,
        Self::Terraform,
        Self::Filters,
    ];

    /// Returns the name of the format, such as `svg`. The program accepts it as an argument.
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Mermaid => "mermaid",
            Self::Workbench => "workbench",
            Self::Iam => "iam",
            Self::IamRequests => "iam-requests",
            Self::CloudFormation => "cloudformation",
            Self::Terraform => "terraform",
            Self::Filters => "filters",
        }
    }

    /// Returns `true` for a format with the name of the table, which an option can change.
    pub(crate) fn names_the_table(self) -> bool {
        matches!(self, Self::CloudFormation | Self::Terraform | Self::Workbench)
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
    /// * [`Error::Threadline`] if the definition of the table is invalid, or if a sample conversation or a scenario
    ///   fails on the in-memory store.
    /// * [`Error::Stream`] if the table's stream has no new images. Only the formats that deploy the table need
    ///   them.
    /// * [`Error::NoAction`] if a card declares a kind of request that the policies do not know.
    pub async fn print(&self, format: Format) -> Result<String, Error> {
        match format {
            Format::Svg => Ok(picture::single_table(self, &golden::conversation().await?)?),
            Format::Html => html::page(self, &golden::conversation().await?),
            Format::Markdown => markdown::print(self.registry()),
            Format::Mermaid => mermaid::print(self.registry()),
            Format::Iam => Ok(iam::text(&iam::document(self.registry())?)),
            Format::IamRequests => Ok(iam::text(&iam::requests(self).await?)),
            Format::CloudFormation => infrastructure::cloudformation(self),
            Format::Terraform => infrastructure::terraform(self),
            Format::Filters => Ok(iam::text(&infrastructure::filters())),
            Format::Workbench => Ok(workbench::model(self, &golden::conversation().await?)),
        }
    }

    /// Returns the content that a file of this format should have. `content` is the current content of the file. In a
    /// Markdown page, only the generated blocks are replaced.
    ///
    /// # Errors
    /// The errors of [`print`](Self::print). A Markdown page has two more:
    ///
    /// * [`Error::Block`] if the page has no block, or a block has no end.
    /// * [`Error::NoChoice`] if a block has an unknown name.
    pub async fn renew(&self, format: Format, content: &str) -> Result<String, Error> {
        match format {
            Format::Markdown => markdown::renew(self.registry(), content),
            format => self.print(format).await,
        }
    }
}
