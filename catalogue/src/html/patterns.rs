//! The list of patterns, each with its caller, its cases and the parts of the table that it touches.

use maud::{Markup, html};
use threadline::card::{Card, Case, RequestCard, Source};

use super::drawing::part;
use crate::access::{access, units};
use crate::catalogue::Catalogue;
use crate::explain::caller;
use crate::picture::role;

/// Returns the list of patterns, by subject.
pub(super) fn patterns(catalogue: &Catalogue) -> Markup {
    let subject = |card: &Card| card.name.split_once('.').map_or("", |(subject, _)| subject);
    let cards = catalogue.registry().cards();
    html! {
        section class="patterns" aria-labelledby="patterns" {
            h2 id="patterns" { "Access patterns" }
            p class="note" {
                "The units are those of the usual case, for two members and 1 KB. The marks are those of all cases."
            }
            @for cards in cards.chunk_by(|one, next| subject(one) == subject(next)) {
                @for subject in cards.iter().take(1).map(|card| subject(card)) {
                    h3 { (subject) }
                }
                @for card in cards {
                    (pattern(catalogue, card))
                }
            }
        }
    }
}

/// A part of the table that a pattern touches.
struct Touched {
    part: String,
    text: String,
    role: &'static str,
    words: &'static str,
}

fn touched(catalogue: &Catalogue, card: &Card) -> Vec<Touched> {
    let mut touched = Vec::new();
    for (letter, place, suffix) in [('t', Source::Table, ""), ('i', Source::Index, " in the index")] {
        for (number, entity) in catalogue.registry().entities().iter().enumerate() {
            if let Some(words) = access(card, entity, place).words() {
                let text = format!("{}{suffix}", entity.name);
                touched.push(Touched { part: part(letter, number), text, role: role(entity), words });
            }
        }
    }
    touched
}

fn pattern(catalogue: &Catalogue, card: &Card) -> Markup {
    let touched = touched(catalogue, card);
    let parts: Vec<String> =
        touched.iter().map(|touched| format!("{}={}", touched.part, touched.words.replace(' ', "+"))).collect();
    html! {
        details name="pattern" data-touches=(parts.join(" ")) {
            summary {
                code class="name" { (card.name) }
                span class="units" { (units(catalogue, card)) }
            }
            dl {
                div { dt { "Call" } dd { code { (card.call) } } }
                div { dt { "Caller" } dd { (caller(card.caller)) } }
                div { dt { "Retry" } dd { (card.retry) } }
                div {
                    dt { "Touches" }
                    dd {
                        ul class="chips" {
                            @for touched in &touched {
                                li class=(touched.role) { (touched.text) ": " (touched.words.replace(' ', ", ")) }
                            }
                        }
                    }
                }
            }
            @for case in card.cases {
                (of_case(case, card.cases.len()))
            }
        }
    }
}

fn of_case(case: &Case, cases: usize) -> Markup {
    let name = match case.name {
        "" if cases > 1 => "usual case",
        "" => "requests",
        name => name,
    };
    html! {
        section class="case" {
            h4 { (name) }
            ul {
                @for requests in case.requests.chunk_by(|one, next| one.transaction && next.transaction) {
                    @if requests.iter().any(|request| request.transaction) {
                        li { "one transaction:" ul { @for request in requests { li { (of_request(request)) } } } }
                    } @else {
                        @for request in requests { li { (of_request(request)) } }
                    }
                }
            }
            p class="cost" { (case.cost) }
        }
    }
}

fn of_request(request: &RequestCard) -> Markup {
    html! {
        span { (request) }
        @if let Some((pk, sk)) = request.key() {
            " " code { (pk) @if !sk.is_empty() { " / " (sk) } }
        }
        @if !request.condition.is_empty() {
            " " em { "if " (request.condition) }
        }
    }
}
