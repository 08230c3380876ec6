//! The table and its index as item collections, with marks for the parts that a pattern can touch.

use maud::{Markup, html};
use threadline::Result;
use threadline::card::EntityCard;
use threadline::card::registry::Registry;
use threadline::entity::Entity;
use threadline::{Membership, Message};

use super::badge;
use crate::golden::{DIRECT, Golden};
use crate::items::{self, Collection, Line};
use crate::picture::role;

/// Returns the drawing. Each item names its part of the table, as in [`part`].
pub(super) fn drawing(registry: &Registry, golden: &Golden) -> Result<Markup> {
    let (table, index) = (items::of_table(golden)?, items::of_index(golden)?);
    Ok(html! {
        section class="drawing" aria-labelledby="table" {
            h2 id="table" { "Table and index" }
            div class="bar" {
                ul class="legend" {
                    @for (number, entity) in registry.entities().iter().enumerate() {
                        li class=(role(entity)) data-part=(part('t', number)) { (entity.name) }
                    }
                    @for (number, entity) in registry.entities().iter().enumerate() {
                        @if entity.index.is_some() {
                            li class=(role(entity)) data-part=(part('i', number)) { (entity.name) " in the index" }
                        }
                    }
                }
                p class="status" role="status" { "No pattern is chosen." }
            }
            div class="places" {
                div class="table" {
                    h3 { "Table" }
                    p class="note" { "One block for each partition key." }
                    div class="collections" {
                        @for (number, entity) in registry.entities().iter().enumerate() {
                            @for collection in of_entity(&table, entity) {
                                (of_table(registry, collection, role(entity)))
                            }
                            @if !is_stored(&table, entity) {
                                (template(role(entity), (entity.pk, entity.sk), &part('t', number)))
                            }
                        }
                    }
                }
                div class="index" {
                    h3 { "Index gsi1" }
                    p class="note" { "A user's inbox, newest first." }
                    div class="collections" {
                        @for (number, collection) in index.iter().enumerate() {
                            (of_index(registry, collection, number == 0))
                        }
                        @for (number, entity) in registry.entities().iter().enumerate() {
                            @if let Some(keys) = entity.index.filter(|_| !is_stored(&index, entity)) {
                                (template(role(entity), keys, &part('i', number)))
                            }
                        }
                    }
                }
                svg class="arrows" aria-hidden="true" {}
            }
        }
    })
}

/// Returns the name of a part: `t` for the table or `i` for the index, and the number of the entity in the registry.
pub(super) fn part(place: char, entity: usize) -> String {
    format!("{place}{entity}")
}

/// Returns the collections that begin with an item of this entity. Both collections of the direct conversation are
/// adjacent, because an arrow connects them.
fn of_entity<'a>(collections: &'a [Collection], entity: &EntityCard) -> Vec<&'a Collection> {
    let begins = |collection: &&Collection| collection.lines.first().is_some_and(|line| line.entity == entity.name);
    let mut own: Vec<_> = collections.iter().filter(begins).collect();
    own.sort_by_key(|collection| {
        (is_direct(&collection.partition) != (entity.name == Message::TYPE), &collection.partition)
    });
    own
}

/// Returns `true` for a key that ends with the direct conversation.
fn is_direct(key: &str) -> bool {
    key.split('#').next_back() == Some(DIRECT)
}

fn is_stored(collections: &[Collection], entity: &EntityCard) -> bool {
    collections.iter().flat_map(|collection| &collection.lines).any(|line| line.entity == entity.name)
}

/// Returns the part of an item's entity.
fn part_of(registry: &Registry, place: char, line: &Line) -> Option<String> {
    registry.entities().iter().position(|entity| entity.name == line.entity).map(|number| part(place, number))
}

/// Returns a collection of the table. In the direct conversation, it has the steps 1, 3 and 4 of a message.
fn of_table(registry: &Registry, collection: &Collection, role: &str) -> Markup {
    let is_direct = is_direct(&collection.partition);
    let is_half = collection.lines.len() == 1 && role == "user";
    let last = collection.lines.len().saturating_sub(1);
    let of = |line: &Line, entity: &str| is_direct && line.entity == entity;
    let members = collection.lines.iter().any(|line| of(line, Membership::TYPE));
    html! {
        table class={ "collection " (role) @if is_half { " half" } } {
            caption id=[members.then_some("members")] {
                code { (collection.partition) }
                @if members { (badge(3)) }
            }
            tbody {
                @for (number, line) in collection.lines.iter().enumerate() {
                    @let is_sent = of(line, Message::TYPE) && number == last;
                    @let is_member = of(line, Membership::TYPE);
                    @let member_id = is_member.then(|| format!("t-{}", line.sort_key));
                    @let id = if is_sent { Some("sent".to_owned()) } else { member_id };
                    tr id=[id] data-part=[part_of(registry, 't', line)] {
                        th scope="row" { code { (line.sort_key) } }
                        td {
                            span { (line.text) }
                            @if is_sent { (badge(1)) }
                            @if is_member && number == last { (badge(4)) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns a collection of the index. The first one has the step 6 of a message.
fn of_index(registry: &Registry, collection: &Collection, is_first: bool) -> Markup {
    html! {
        table class="collection group" {
            caption {
                code { (collection.partition) }
                @if is_first { (badge(6)) }
            }
            tbody {
                @for line in &collection.lines {
                    @let id = is_direct(&line.sort_key).then(|| format!("i-{}", collection.partition));
                    tr id=[id] data-part=[part_of(registry, 'i', line)] {
                        th scope="row" { code { (line.sort_key) } }
                        td { span { (line.text) } }
                    }
                }
            }
        }
    }
}

/// Returns the key templates of an entity without items in the golden conversation.
fn template(role: &str, (pk, sk): (&str, &str), part: &str) -> Markup {
    html! {
        table class={ "collection half template " (role) } {
            caption { code { (pk) } }
            tbody {
                tr data-part=(part) {
                    th scope="row" { code { (sk) } }
                    td { span { "template" } }
                }
            }
        }
    }
}
