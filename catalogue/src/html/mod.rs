//! The page: one message in steps, the table and its index, and the patterns with what each touches. It needs no other
//! file and no network. Templates escape each value.

mod curves;
mod drawing;
mod patterns;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use threadline::store::Units;

use crate::access::whole;
use crate::catalogue::Catalogue;
use crate::cost::{self, Inputs};
use crate::error::Error;
use crate::golden::Golden;
use crate::path::{Step, steps};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Forbids each request of the page. Pictures are part of it.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Returns the page.
///
/// # Errors
/// As [`steps`]; [`Corrupt`](threadline::ErrorKind::Corrupt) for an item without a key.
pub(crate) fn page(catalogue: &Catalogue, golden: &Golden) -> Result<String, Error> {
    let registry = catalogue.registry();
    let steps = steps(registry)?;
    let title = format!("One table, {} access patterns", registry.cards().len());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) " · Threadline" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p {
                        "Choose a pattern to see the items that it touches. "
                        "A dashed line means that it reads them, a solid line that it writes them."
                    }
                }
                main {
                    (one_message(&steps))
                    div class="explorer" {
                        (drawing::drawing(registry, golden)?)
                        (patterns::patterns(catalogue))
                    }
                    (curves::figure(&cost::curves(catalogue, &Inputs::default())?))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    Ok(page.into_string() + "\n")
}

/// Returns the steps of a message, and the sum of their write units.
fn one_message(steps: &[Step]) -> Markup {
    let written = steps.iter().filter_map(|step| step.capacity).map(|capacity| capacity.write());
    let total = written.fold(Units::ZERO, |sum, units| sum + units);
    html! {
        section aria-labelledby="message" {
            h2 id="message" { "One message" }
            ol class="steps" {
                @for (number, step) in (1..).zip(steps) {
                    li {
                        (badge(number))
                        span { (step.text) }
                        b class="units" { (step) }
                    }
                }
            }
            p class="note" { "A message between two people costs " (whole(total)) " WCU in all." }
        }
    }
}

/// Returns the number of a step. A screen reader gets it from the list of steps.
fn badge(number: usize) -> Markup {
    html! { span class="number" aria-hidden="true" { (number) } }
}
