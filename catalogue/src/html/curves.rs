//! The cost curves, as a picture of the page.

use std::fmt::Write;

use maud::{Markup, html};

use crate::catalogue::Catalogue;

/// Returns the cost curves as SVG, if there are any.
pub(super) fn curves(_: &Catalogue) -> Option<String> {
    None
}

/// Returns the section of the cost curves. A picture has styles of its own, so they do not meet the page's.
pub(super) fn figure(svg: Option<String>) -> Markup {
    html! {
        @if let Some(svg) = svg {
            section aria-labelledby="curves" {
                h2 id="curves" { "Cost by size" }
                figure {
                    img src=(data_uri(&svg)) alt="The units of the patterns, by members and size of a message";
                    figcaption { "The formulas of the patterns above, as curves." }
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
        let section = figure(Some("<svg fill=\"#ä%\">\n</svg>".to_owned())).into_string();
        assert!(
            section.contains("src=\"data:image/svg+xml,%3Csvg fill=%22%23%C3%A4%25%22%3E%0A%3C/svg%3E\""),
            "{section}"
        );
        assert_eq!(figure(None).into_string(), "");
    }
}
