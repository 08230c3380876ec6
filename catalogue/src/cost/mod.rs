//! The price of a month: the calls of the month, times their costs from the cards, times a region's prices.
//!
//! [`Catalogue::estimate`](crate::Catalogue::estimate) returns an [`Estimate`]. The command `threadline cost`
//! prints it.

mod calls;
mod estimate;
mod inputs;
mod layouts;
mod plot;
mod prices;
mod table;

use clap::Args;

pub use calls::Calls;
pub use estimate::{Charge, Compared, Estimate, Row};
pub use inputs::Inputs;
pub use layouts::Layout;
pub(crate) use plot::curves;
pub use prices::{Money, Prices};

use crate::catalogue::Catalogue;
use crate::error::Error;

/// The options of `threadline cost`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    inputs: Inputs,

    /// Print Markdown
    #[arg(long)]
    markdown: bool,

    /// Print the prices of the layouts by the number of members, as a picture in SVG
    #[arg(long, conflicts_with_all = ["markdown", "calls", "members"])]
    plot: bool,
}

impl Options {
    /// Returns the text that the options ask for.
    pub(crate) fn text(&self, catalogue: &Catalogue) -> Result<String, Error> {
        if self.plot {
            return curves(catalogue, &self.inputs);
        }
        let estimate = catalogue.estimate(&self.inputs)?;
        Ok(if self.markdown { estimate.to_markdown() } else { estimate.to_string() })
    }
}

/// Converts a count, which an `f64` shows exactly up to 9 × 10¹⁵.
#[allow(clippy::cast_precision_loss)]
fn number(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}
