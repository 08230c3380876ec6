//! The page: it is complete, needs no other file, and shows the text of an application as text.

use threadline::card::registry::{ENTITIES, PATTERNS};
use threadline_catalogue::Format;

use crate::{NOTE_WRITE, catalogue, catalogue_with_notes};

#[tokio::test]
async fn every_pattern_and_case_is_listed() {
    let page = catalogue_with_notes().print(Format::Html).await.unwrap();
    for card in PATTERNS.iter().chain([&&NOTE_WRITE]) {
        let (_, rest) = page.split_once(&format!("<code class=\"name\">{}</code>", card.name)).expect(card.name);
        let (pattern, _) = rest.split_once("</details>").unwrap();
        assert!(pattern.contains(card.call), "{}", card.name);
        assert_eq!(pattern.matches("<section class=\"case\">").count(), card.cases.len(), "{}", card.name);
    }
    assert_eq!(page.matches("<details").count(), PATTERNS.len() + 1);
}

#[tokio::test]
async fn every_part_that_a_pattern_touches_is_drawn() {
    let page = catalogue_with_notes().print(Format::Html).await.unwrap();
    let touches = page.split("data-touches=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut count = 0;
    for touch in touches.flat_map(|touches| touches.split(' ')) {
        let (part, access) = touch.split_once('=').expect(touch);
        assert!(["read", "write", "read+write"].contains(&access), "{touch}");
        assert!(page.matches(&format!("<tr data-part=\"{part}\"")).count() + ids(&page, part) > 0, "{touch}");
        count += 1;
    }
    assert!(count > PATTERNS.len());
    assert_eq!(page.matches("<li class=\"own\" data-part=\"t6\">Note</li>").count(), 1, "the seventh entity");
    assert_eq!(ENTITIES.len(), 6);
}

/// Returns the number of items of a part that have an id.
fn ids(page: &str, part: &str) -> usize {
    page.split("<tr id=\"")
        .skip(1)
        .filter(|rest| rest.split('>').next().unwrap().ends_with(&format!("\"{part}\"")))
        .count()
}

#[tokio::test]
async fn arrows_begin_and_end_at_items() {
    let page = catalogue().print(Format::Html).await.unwrap();
    for id in ["sent", "members", "t-USER#andrewbrown", "t-USER#bayko", "i-USER#andrewbrown", "i-USER#bayko"] {
        assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
    }
    for number in 1..=6 {
        let drawn = page.matches(&format!("<span class=\"number\" aria-hidden=\"true\">{number}</span>")).count();
        // The script draws the numbers of the arrows.
        assert_eq!(drawn, if [2, 5].contains(&number) { 1 } else { 2 }, "{number}");
    }
}

#[tokio::test]
async fn page_names_no_other_file() {
    let page = catalogue_with_notes().print(Format::Html).await.unwrap();
    let (before, rest) = page.split_once(" src=\"data:image/svg+xml,").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    let rest = format!("{before}{after}");
    let addresses = ["src=", "href=", "url(", "@import", "http:", "https:"];
    // The empty icon, and the namespace of SVG.
    assert_eq!(addresses.map(|address| rest.matches(address).count()), [0, 1, 0, 0, 1, 0]);
    assert!(page.contains("<link rel=\"icon\" href=\"data:,\">") && page.contains("default-src 'none'"));
}

#[tokio::test]
async fn text_of_an_application_is_no_markup() {
    let page = catalogue_with_notes().print(Format::Html).await.unwrap();
    assert!(page.contains("a | &lt;b&gt;b&lt;/b&gt; &quot;c&quot;; # &amp; d"), "the name of the case");
    assert!(page.contains("if the &lt;i&gt;note&lt;/i&gt; is new; or # equal"), "the condition");
    assert!(page.contains("replaces the &lt;i&gt;note&lt;/i&gt;"), "the retry");
    assert!(!page.contains("<i>") && !page.contains("<b>"));
}
