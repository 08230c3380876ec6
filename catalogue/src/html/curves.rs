//! The cost curves, as a picture of the page.

use std::fmt::Write;

use maud::{Markup, html};

use crate::catalogue::Catalogue;
use crate::cost::{self, Inputs};
use crate::error::Error;

/// Returns the section of the cost curves.
pub(super) fn curves(catalogue: &Catalogue) -> Result<Markup, Error> {
    Ok(figure(&cost::curves(catalogue, &Inputs::default())?))
}

/// A picture has styles of its own, so it is an image: they do not meet the page's.
fn figure(svg: &str) -> Markup {
    html! {
        section aria-labelledby="curves" {
            h2 id="curves" { "The price of a month" }
            figure {
                img src=(data_uri(svg)) alt="The price of a month in three layouts, by the members of a conversation";
                figcaption {
                    "The same messages, pages and inboxes in three layouts. "
                    code { "threadline cost" }
                    " prints the figures and their assumptions."
                }
            }
        }
    }
}

/// Returns a picture as an address that contains it.
fn data_uri(svg: &str) -> String {
    let mut uri = "data:image/svg+xml,".to_owned();
    for byte in svg.bytes() {
        if byte.is_ascii_alphanumeric() || b" =:/;,.-_'()".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_a_picture_within_the_page() {
        let section = figure("<svg fill=\"#ä%\">\n</svg>").into_string();
        assert!(
            section.contains("src=\"data:image/svg+xml,%3Csvg fill=%22%23%C3%A4%25%22%3E%0A%3C/svg%3E\""),
            "{section}"
        );
    }
}
