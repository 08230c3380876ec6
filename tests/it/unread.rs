//! Unread has one meaning: the flag and the count always agree.

use std::time::Duration;

use proptest::prelude::*;
use threadline::{Message, NewGroup};

use crate::support::{App, block_on, cases};

#[derive(Clone, Copy, Debug)]
enum Step {
    Send(usize),
    Edit(usize),
    Delete(usize),
    MarkRead(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<usize>().prop_map(Step::Send),
        1 => any::<usize>().prop_map(Step::Edit),
        2 => any::<usize>().prop_map(Step::Delete),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(who, what)| Step::MarkRead(who, what)),
    ]
}

async fn check(steps: &[Step]) {
    let app = App::new();
    let (andrew, bayko, vir) = (app.user("andrew").await, app.user("bayko").await, app.user("vir").await);
    let group = NewGroup::new("Babylon 5", &andrew).unwrap().member(&bayko).member(&vir);
    let first = app.chat.create_group(group, "Welcome").await.unwrap();
    let mut threads = Vec::new();
    for user in [&andrew, &bayko, &vir] {
        threads.push(app.chat.open(user.id(), first.group_id()).await.unwrap());
    }
    let mut sent: Vec<(usize, Message)> = Vec::new();
    for step in steps {
        app.clock.advance(Duration::from_secs(1));
        match *step {
            Step::Send(who) => {
                let who = who % 3;
                sent.push((who, threads[who].send(app.chat.new_message_id(), "text").await.unwrap()));
            }
            Step::Edit(what) if !sent.is_empty() => {
                let (who, message) = &sent[what % sent.len()];
                threads[*who].edit(message, "other").await.ok();
            }
            Step::Delete(what) if !sent.is_empty() => {
                let (who, message) = &sent[what % sent.len()];
                threads[*who].delete(message).await.unwrap();
            }
            Step::MarkRead(who, what) if !sent.is_empty() => {
                let message = sent[what % sent.len()].1.clone();
                threads[who % 3].mark_read(&message).await.unwrap();
            }
            _ => {}
        }
    }
    app.project().await;
    for user in [&andrew, &bayko, &vir] {
        let membership = app.inbox(user.id()).await.remove(0);
        let unread = app.chat.unread(&membership).await.unwrap();
        assert_eq!(membership.is_unread(), unread.count > 0, "{unread:?}");
        assert!(!unread.or_more || unread.count > 0);
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn the_flag_and_the_count_agree(steps in prop::collection::vec(step(), 0..30)) {
        block_on(check(&steps));
    }
}

#[tokio::test]
async fn a_deleted_message_is_unread_in_flag_and_count() {
    let app = App::new();
    let (_, bayko, thread) = app.direct().await;
    let mut theirs = app.chat.open(bayko.id(), thread.group_id()).await.unwrap();
    let last = theirs.membership().last_message().unwrap();
    theirs.mark_read(last).await.unwrap();
    let sent = app.say(&thread, "regretted").await;
    thread.delete(&sent).await.unwrap();
    app.project().await;
    let membership = app.inbox(bayko.id()).await.remove(0);
    assert!(membership.is_unread());
    assert_eq!(app.chat.unread(&membership).await.unwrap().count, 1);
}
