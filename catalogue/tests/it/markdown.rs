//! The generated blocks of the guide: they are current, and each fault of a page is found.

use threadline::card::registry::PATTERNS;
use threadline_catalogue::{Error, Format};

use crate::{catalogue, catalogue_with_notes};

async fn renewed(page: &str) -> Result<String, Error> {
    catalogue().renew(Format::Markdown, page).await
}

#[tokio::test]
async fn blocks_of_the_guide_are_generated() {
    let pages = [
        ("docs/concepts.md", include_str!("../../../docs/concepts.md")),
        ("docs/costs.md", include_str!("../../../docs/costs.md")),
    ];
    for (path, page) in pages {
        assert!(renewed(page).await.unwrap() == page, "run `threadline catalogue update markdown={path}`");
    }
}

#[tokio::test]
async fn block_is_generated_again_and_the_text_around_it_stays() {
    let page = "Before\n<!-- generated: entities -->\nold\n<!-- end -->\nAfter <!-- end -->\n";
    let renewed = renewed(page).await.unwrap();
    assert!(renewed.starts_with("Before\n<!-- generated: entities -->\n| entity |"), "{renewed}");
    assert!(renewed.ends_with("|\n<!-- end -->\nAfter <!-- end -->\n") && !renewed.contains("old"), "{renewed}");
}

#[tokio::test]
async fn page_without_whole_blocks_is_refused() {
    let pages = [
        ("No block\n", "it has no `<!-- generated: NAME -->`"),
        ("<!-- generated: costs -->\n", "a block lacks its `<!-- end -->`"),
        ("<!-- generated: costs -->\n<!-- generated: entities -->\n<!-- end -->\n", "a block lacks its `<!-- end -->`"),
        ("<!-- generated: costs\n", "a marker lacks its ` -->`"),
        ("<!-- generated: prices -->\n<!-- end -->\n", "there is no block `prices`: choose one of entities, costs"),
    ];
    for (page, expected) in pages {
        let error = renewed(page).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn printed_blocks_can_be_pasted_into_a_page() {
    let printed = catalogue().print(Format::Markdown).await.unwrap();
    assert_eq!(renewed(&printed).await.unwrap(), printed);
}

#[tokio::test]
async fn table_of_costs_has_a_row_for_each_case() {
    let page = renewed("<!-- generated: costs -->\n<!-- end -->").await.unwrap();
    let cases: usize = PATTERNS.iter().map(|card| card.cases.len()).sum();
    assert_eq!(page.lines().filter(|line| line.starts_with('|')).count(), cases + 2);
    assert!(page.contains("\n| `messages.send` | `Thread::send` | Put Message | 1 WCU per KB |\n"), "{page}");
    assert!(page.contains("\n| … consistent |  | consistent Query Message | 1 RCU per 4 KB |\n"), "{page}");
}

#[tokio::test]
async fn table_of_costs_lists_the_usual_requests_once() {
    let page = renewed("<!-- generated: costs -->\n<!-- end -->").await.unwrap();
    assert!(page.contains("\n| … older names |  | the usual requests; Update Membership |"), "{page}");
    // One request, and the beginning of a transaction, are listed again.
    assert!(
        page.contains("\n| … shown message has expired |  | consistent Get Membership; consistent Query"),
        "{page}"
    );
    let longer = "transaction: Put User, Put HandleClaim, Put IdentityClaim, Check HandleClaim";
    assert!(page.contains(&format!("\n| … handle with an old key |  | {longer} |")), "{page}");
}

#[tokio::test]
async fn text_of_an_application_is_no_markup() {
    let printed = catalogue_with_notes().print(Format::Markdown).await.unwrap();
    assert!(printed.contains("| `Note` | `NOTE#<user>` | `<note\\|\"a\" & b>` |  |  |\n"), "{printed}");
    let row = "| `notes.write`: a \\| &lt;b>b&lt;/b> \"c\"; # &amp; d | `Notes::write` | Put Note | 1 WCU |\n";
    assert!(printed.contains(row), "{printed}");
}
