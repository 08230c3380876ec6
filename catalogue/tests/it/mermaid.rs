//! The diagrams of Mermaid: they follow from the cards, and no text is read as syntax.

use threadline_catalogue::Format;

use crate::{catalogue, catalogue_with_notes};

#[tokio::test]
async fn relations_follow_from_the_names_in_keys() {
    let printed = catalogue_with_notes().print(Format::Mermaid).await.unwrap();
    let relations: Vec<_> = printed.lines().filter(|line| line.contains("||--o{")).map(str::trim).collect();
    let expected = [
        "\"MessageGroup\" ||--o{ \"Membership\" : \"group\"",
        "\"User\" ||--o{ \"Membership\" : \"user\"",
        "\"MessageGroup\" ||--o{ \"Message\" : \"group\"",
        "\"User\" ||--o{ \"Note\" : \"user\"",
    ];
    assert_eq!(relations, expected);
}

#[tokio::test]
async fn message_passes_table_stream_projector_and_index() {
    let printed = catalogue().print(Format::Mermaid).await.unwrap();
    let arrows: Vec<_> = printed.lines().filter_map(|line| line.trim().split_once(": ")).collect();
    let ways: Vec<_> = arrows.iter().map(|(way, _)| *way).filter(|way| way.contains("->>")).collect();
    let expected = [
        "App->>Table",
        "Table->>Stream",
        "Stream->>Projector",
        "Projector->>Table",
        "Projector->>Table",
        "Table->>Index",
        "App->>Index",
    ];
    assert_eq!(ways, expected);
    assert!(printed.contains("    Note over App: messages.send: 1 WCU per KB\n"), "{printed}");
}

#[tokio::test]
async fn text_of_an_application_is_no_syntax() {
    let printed = catalogue_with_notes().print(Format::Mermaid).await.unwrap();
    let key = "        S sort_key PK \"#60;note|#34;a#34; b#62;\"\n".replace(" b#", " #38; b#");
    assert!(printed.contains(&key), "{printed}");
}
