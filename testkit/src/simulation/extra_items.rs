//! Extra items in the table: other programs' items, and items that cannot be read.

use threadline::entity::{AttributeValue, Entity, GSI1PK, GSI1SK, Item, PK, SK, TYPE};
use threadline::store::{StoreExt, Write};
use threadline::{Clock, GroupId, Membership, Message, Timestamp, UserId};
use uuid::Uuid;

use super::client::{Answer, Client};

/// The attribute that marks an extra item.
const MARKER: &str = "simulated";

pub(super) fn is_extra_item(item: &Item) -> bool {
    item.get(MARKER).is_some()
}

/// Returns `true` for another program's item, and `false` for one of the crate's that cannot be read.
pub(super) fn is_foreign(item: &Item) -> bool {
    item.get_s(MARKER) == Some("foreign")
}

fn item(kind: &str, attributes: &[(&str, String)]) -> Item {
    let mut item = Item::new();
    item.insert(MARKER, AttributeValue::S(kind.to_owned()));
    for (name, value) in attributes {
        item.insert(*name, AttributeValue::S(value.clone()));
    }
    item
}

/// Creates an extra item of this kind.
fn extra_item(kind: usize, group: GroupId, user: UserId, id: Uuid, now: Timestamp) -> Item {
    let thread = format!("MSG#{group}");
    match kind {
        0 => item("foreign", &[(PK, thread), (SK, format!("#PINNED#{id}")), (TYPE, "Pin".to_owned())]),
        1 => item("foreign", &[(PK, thread), (SK, format!("~{id}"))]),
        2 => item("foreign", &[(PK, format!("CUSTOMER#{id}")), (SK, format!("#METADATA#{id}"))]),
        3 => item("foreign", &[(PK, format!("GRP#{group}")), (SK, format!("USER#{id}")), (TYPE, "Seat".to_owned())]),
        4 => item("unreadable", &[(PK, thread), (SK, format!("{now}#{id}")), (TYPE, Message::TYPE.to_owned())]),
        5 => item("unreadable", &[(PK, thread), (SK, format!("2023-04-05T13:15:19.922515 {id}"))]),
        _ => item(
            "unreadable",
            &[
                (PK, format!("TENANT#{id}")),
                (SK, format!("USER#{user}")),
                (TYPE, Membership::TYPE.to_owned()),
                (GSI1PK, format!("USER#{user}")),
                (GSI1SK, format!("GRP#{now}#{id}")),
            ],
        ),
    }
}

impl Client {
    /// Puts an extra item, as another program or an older one might.
    pub(super) async fn put_extra_item(&self) {
        let Some(me) = self.me().map(|me| me.id()).filter(|_| self.world.parameters.extra_items) else { return };
        let Some(group) = self.some_group(me, false) else { return };
        // Messages without a group would be a finding of their own.
        let is_there = self.world.model.borrow().truth.groups.get(&group).is_some_and(|group| group.item.is_some());
        if !is_there {
            return;
        }
        let extra = extra_item(self.draw(7), group, me, self.new_id(), self.world.clock.now());
        self.trace(|| "puts an extra item".to_owned());
        let put = Write::put(extra);
        let answer = self.call(async |chat| chat.store().write(put.clone()).await?.done().map(drop)).await;
        if let Answer::Refused { error, .. } = answer {
            self.unexpected("a put of an extra item", &error);
        }
    }
}
