//! The picture in the repository: it is current, readable, and its badges add up.

use threadline::card::registry::{PATTERNS, Registry};
use threadline_catalogue::{Format, steps};

use crate::cost::threadline;
use crate::{NOTE_WRITE, catalogue, catalogue_with_notes};

#[tokio::test]
async fn picture_in_docs_is_generated() {
    let drawn = catalogue().print(Format::Svg).await.unwrap();
    let kept = include_str!("../../../docs/single-table.svg");
    assert!(drawn == kept, "run `threadline catalogue svg --output docs/single-table.svg`");
}

/// A blank line would end the HTML in the crate's documentation, and a style without the class would change its page.
#[test]
fn pictures_can_stand_in_a_page() {
    for arguments in ["catalogue svg", "cost --plot"] {
        let drawn = threadline(arguments);
        assert!(!drawn.contains("\n\n"), "{arguments}");
        let style = drawn.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let mut blocks: Vec<&str> = Vec::new();
        for part in style.trim().split_inclusive(['{', '}']) {
            let Some(selector) = part.trim().strip_suffix('{') else {
                assert!(blocks.pop().is_some(), "{style}");
                continue;
            };
            let is_scoped = |selector: &str| selector.starts_with(".threadline-picture");
            let is_in_scope = blocks.iter().any(|block| is_scoped(block)) || is_scoped(selector);
            assert!(is_in_scope || selector.starts_with("@media "), "{arguments}: {selector}");
            blocks.push(selector);
        }
        assert!(blocks.is_empty(), "{style}");
    }
}

#[tokio::test]
async fn write_units_of_the_badges_add_up_to_seven() {
    let drawn = catalogue().print(Format::Svg).await.unwrap();
    let badges = drawn.split("class=\"units\"").skip(1).map(|rest| rest.split(['>', '<']).nth(1).unwrap().trim());
    let badges: Vec<&str> = badges.collect();
    assert_eq!(badges.len(), steps(&Registry::new()).unwrap().len(), "{badges:?}");
    let written = badges.iter().filter_map(|badge| badge.strip_suffix(" index WCU").or(badge.strip_suffix(" WCU")));
    assert_eq!(written.map(|units| units.parse::<u32>().unwrap()).sum::<u32>(), 7, "{badges:?}");
}

#[tokio::test]
async fn every_pattern_is_named_once_with_its_units() {
    let drawn = catalogue_with_notes().print(Format::Svg).await.unwrap();
    for card in PATTERNS.iter().chain([&&NOTE_WRITE]) {
        let (_, rest) = drawn.split_once(&format!("{}\n</text>", card.name)).expect(card.name);
        assert!(!rest.contains(&format!("\n{}\n", card.name)), "{}", card.name);
        let units = rest.split('>').nth(1).unwrap();
        assert!(units.contains(" RCU\n") || units.contains(" WCU\n"), "{}: {units}", card.name);
    }
}

#[tokio::test]
async fn no_text_is_smaller_than_12_px() {
    let drawn = catalogue().print(Format::Svg).await.unwrap();
    let sizes = drawn.split("px ").filter_map(|before| before.rsplit([' ', ':']).next()?.parse::<u32>().ok());
    let sizes: Vec<u32> = sizes.collect();
    assert!(sizes.len() >= 5 && sizes.iter().all(|size| *size >= 12), "{sizes:?}");
}
