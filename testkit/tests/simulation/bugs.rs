//! Tests that the simulation finds bugs. Each test removes one safeguard, and a few seeds must find it.

use std::sync::Arc;
use std::time::Duration;

use threadline::MessagePosition;
use threadline::entity::{AttributeValue, Key, KnownKey};
use threadline::store::{AttributeChange, Condition, Store, TransactAction, Update, Write, WriteAction};
use threadline::stream::{RecordKind, StreamRecord};
use threadline_testkit::simulation::{Simulation, Violation};

use crate::rewritten::{Rewritten, unconditional};

/// Returns the violation of the first seed that finds the bug.
fn found(seeds: u64, with_bug: impl Fn(Simulation) -> Simulation) -> Violation {
    let violation = (0..seeds).find_map(|seed| with_bug(Simulation::seeded(seed)).run().err());
    let violation = *violation.unwrap_or_else(|| panic!("{seeds} seeds did not find the bug"));
    println!("seed {} found it: {}: {}", violation.seed, violation.invariant, violation.observed);
    violation
}

/// Looks for a bug in the servers' requests.
fn found_in_servers(seeds: u64, bug: fn(Arc<dyn Store>) -> Rewritten) -> Violation {
    found(seeds, |simulation| simulation.server_store(move |table| bug(table).shared()))
}

fn is_membership(key: &Key) -> bool {
    matches!(KnownKey::parse(key), Some(KnownKey::Membership(..)))
}

fn is_message(key: &Key) -> bool {
    matches!(KnownKey::parse(key), Some(KnownKey::Message(_)))
}

fn is_user(key: &Key) -> bool {
    matches!(KnownKey::parse(key), Some(KnownKey::User(_)))
}

#[test]
fn a_projector_that_moves_entries_backward_is_found() {
    let violation = found(1000, |simulation| {
        simulation.projector_store(|table| {
            let unguarded = |write: &mut Write| {
                if write.key().is_ok_and(is_membership) {
                    *write = unconditional(write).when(Condition::item_exists());
                }
            };
            Rewritten::new(table).writes(unguarded).shared()
        })
    });
    assert_eq!(violation.invariant, "an inbox entry only moves forward");
}

#[test]
fn a_projector_that_writes_a_former_members_entry_is_found() {
    let violation = found(1000, |simulation| {
        simulation.projector_store(|table| {
            let careless = |write: &mut Write| {
                if write.key().is_ok_and(is_membership) {
                    *write = unconditional(write);
                }
            };
            Rewritten::new(table).writes(careless).shared()
        })
    });
    // It creates a membership, or overwrites a newer one.
    assert!(
        ["an item is readable", "an inbox entry only moves forward"].contains(&&*violation.invariant),
        "{violation}"
    );
}

#[test]
fn lost_records_are_found() {
    let violation = found(100, |simulation| {
        simulation.record_filter(|record: &StreamRecord| {
            let is_new_message = record.kind == RecordKind::Insert && record.key().is_ok_and(|key| is_message(&key));
            let digits = record.sequence.as_ref().map(|sequence| sequence.as_str().to_owned()).unwrap_or_default();
            !(is_new_message && digits.ends_with('7'))
        })
    });
    assert_eq!(violation.invariant, "at rest, an inbox entry shows the newest message and the current names");
}

#[test]
fn lost_records_of_removals_are_found() {
    let violation = found(300, |simulation| {
        simulation.record_filter(|record: &StreamRecord| {
            !(record.kind == RecordKind::Remove && record.key().is_ok_and(|key| is_message(&key)))
        })
    });
    assert_eq!(violation.invariant, "at rest, an inbox entry shows the newest message and the current names");
}

#[test]
fn a_send_without_its_condition_is_found() {
    let violation = found_in_servers(500, |table| {
        Rewritten::new(table).writes(|write| {
            if write.key().is_ok_and(is_message) && matches!(write.action(), WriteAction::Put(_)) {
                *write = unconditional(write);
            }
        })
    });
    assert_eq!(violation.invariant, "a message is stored once");
}

#[test]
fn an_application_that_ignores_a_users_version_is_found() {
    let violation = found_in_servers(500, |table| {
        Rewritten::new(table).transactions(|actions| {
            for action in actions {
                if let TransactAction::Write(write) = action
                    && write.key().is_ok_and(is_user)
                    && matches!(write.action(), WriteAction::Update(_))
                {
                    *write = unconditional(write);
                }
            }
        })
    });
    assert_eq!(violation.invariant, "a user's version is written once");
}

#[test]
fn a_handle_claimed_without_its_condition_is_found() {
    let violation = found_in_servers(100, |table| {
        Rewritten::new(table).transactions(|actions| {
            for action in actions {
                if let TransactAction::Write(write) = action
                    && write.key().is_ok_and(|key| matches!(KnownKey::parse(key), Some(KnownKey::HandleClaim(_))))
                {
                    *write = unconditional(write);
                }
            }
        })
    });
    // An update without its condition also creates half of a claim.
    assert!(
        ["a handle and an identity belong to one user", "an item is readable"].contains(&&*violation.invariant),
        "{violation}"
    );
}

#[test]
fn an_edit_of_another_users_message_is_found() {
    let violation = found_in_servers(200, |table| {
        Rewritten::new(table).writes(|write| {
            if write.key().is_ok_and(is_message) && matches!(write.action(), WriteAction::Update(_)) {
                *write = unconditional(write).when(Condition::item_exists());
            }
        })
    });
    assert!(
        ["only the author changes a message", "a message has the text that was written last"]
            .contains(&&*violation.invariant),
        "{violation}"
    );
}

#[test]
fn a_removal_by_a_former_member_is_found() {
    let violation = found_in_servers(500, |table| {
        Rewritten::new(table).transactions(|actions| {
            let removes = |action: &TransactAction| match action {
                TransactAction::Write(write) => {
                    write.key().is_ok_and(is_membership) && matches!(write.action(), WriteAction::Delete)
                }
                TransactAction::Check { .. } => false,
            };
            if actions.iter().any(removes) {
                actions.retain(|action| !matches!(action, TransactAction::Check { .. }));
            }
        })
    });
    let counts = violation.invariant == "a group counts its members";
    assert!(counts || violation.observed == "a stranger removed a member", "{violation}");
}

#[test]
fn a_start_without_its_conditions_is_found() {
    let violation = found_in_servers(200, |table| {
        Rewritten::new(table).transactions(|actions| {
            for action in actions {
                if let TransactAction::Write(write) = action {
                    let is_group =
                        write.key().is_ok_and(|key| matches!(KnownKey::parse(key), Some(KnownKey::MessageGroup(_))));
                    if (is_group || write.key().is_ok_and(is_membership))
                        && matches!(write.action(), WriteAction::Put(_))
                    {
                        *write = unconditional(write);
                    }
                }
            }
        })
    });
    let invariants = [
        "a group counts its members",
        "an answer is one that the call allows",
        "an inbox entry only moves forward",
        "two people have one conversation",
    ];
    assert!(invariants.contains(&&*violation.invariant), "{violation}");
}

#[test]
fn a_page_that_leaves_something_out_is_found() {
    let violation = found_in_servers(100, |table| {
        Rewritten::new(table).pages(|page| {
            let is_of_messages = page.items.first().is_some_and(|item| item.type_name() == Some("Message"));
            if is_of_messages && page.next.is_none() {
                page.items.pop();
            }
        })
    });
    assert!(
        ["an acknowledged message is stored", "a page is full unless it is the last one"]
            .contains(&&*violation.invariant),
        "{violation}"
    );
}

#[test]
fn a_page_whose_continuation_is_dropped_is_found() {
    let violation = found_in_servers(200, |table| Rewritten::new(table).pages(|page| page.next = None));
    assert_eq!(violation.invariant, "an acknowledged message is stored");
}

#[test]
fn a_page_that_ends_at_another_programs_item_is_found() {
    let violation = found_in_servers(2000, |table| {
        Rewritten::new(table).pages(|page| {
            let foreign = page.items.iter().position(|item| matches!(item.type_name(), None | Some("Pin" | "Seat")));
            if let Some(foreign) = foreign {
                page.items.truncate(foreign);
                page.next = None;
            }
        })
    });
    assert_eq!(violation.invariant, "an acknowledged message is stored");
}

#[test]
fn a_page_that_ends_at_an_unreadable_item_is_found() {
    let violation = found_in_servers(2000, |table| {
        Rewritten::new(table).pages(|page| {
            let unreadable = |item: &threadline::entity::Item| item.get_s("simulated") == Some("unreadable");
            if let Some(unreadable) = page.items.iter().position(unreadable) {
                page.items.truncate(unreadable);
                page.next = None;
            }
        })
    });
    assert_eq!(violation.invariant, "an acknowledged message is stored");
}

#[test]
fn a_read_marker_a_few_seconds_fast_is_found() {
    let violation = found_in_servers(2000, |table| {
        Rewritten::new(table).writes(|write| {
            let WriteAction::Update(update) = write.action() else { return };
            let marker = update.changes().iter().find_map(|(name, change)| match change {
                AttributeChange::Set(AttributeValue::S(marker)) if name == "last_read" => Some(marker),
                _ => None,
            });
            let marker = marker.and_then(|marker| marker.parse::<MessagePosition>().ok());
            // A marker without an id is the server's current time: the message is later than that.
            if let Some(marker) = marker.filter(|marker| marker.message_id().is_none()) {
                let ahead = marker.created_at().saturating_add(Duration::from_secs(3)).to_string();
                let key = write.key().expect("a store gets no write without a key").clone();
                let condition = write.condition().expect("a marker has one").clone();
                *write = Write::update(key, Update::new().set("last_read", ahead)).when(condition).returning_old();
            }
        })
    });
    assert_eq!(violation.invariant, "messages of others after the marker are unread");
    assert!(violation.observed.ends_with("was sent after the mark and counts as read"), "{violation}");
}
