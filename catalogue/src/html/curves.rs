//! The cost curves, as a picture of the page.

use std::fmt::Write;

use maud::{Markup, html};

/// Returns the section of the cost curves. A picture has styles of its own, so they do not meet the page's.
pub(super) fn figure(svg: &str) -> Markup {
    html! {
        section aria-labelledby="curves" {
            h2 id="curves" { "Price" }
            figure {
                img src=(data_uri(svg)) alt="Curves: the price of a month for each layout, by members of a group";
                figcaption { code { "threadline cost" } " prints the numbers, also for other traffic and prices." }
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
