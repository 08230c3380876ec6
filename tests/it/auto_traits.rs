//! Types that applications share between threads. Compiling is the test.

use threadline::entity::{Entity, Item};
use threadline::store::meter::Metered;
use threadline::store::{BatchGet, BatchWrite, Get, Query, Scan, Store, StoreExt, Transaction, Write};
use threadline::stream::{Auditor, Projection, Projector, StreamRecord};
use threadline::{
    Cursor, Draft, Error, GroupId, Handle, IdentitySubject, ImportedDirect, InboxRequest, Membership, MemoryStore,
    Message, MessageGroup, MessageId, MessagesRequest, NewGroup, NewUser, Page, Profile, Thread, Threadline, User,
    UserChange, UserId,
};

fn shared<T: Send + Sync + 'static>() {}

fn request<T: Send + Sync>() {}

fn sent<T: Send>(_: T) {}

struct Probe<T>(std::marker::PhantomData<T>);

trait Otherwise {
    const DESERIALIZES: bool = false;
}

impl<T> Otherwise for Probe<T> {}

/// A type's own constant takes precedence over that of a trait.
impl<T: serde::de::DeserializeOwned> Probe<T> {
    const DESERIALIZES: bool = true;
}

#[test]
fn entities_and_profiles_cannot_be_constructed_by_clients() {
    const {
        assert!(!Probe::<User>::DESERIALIZES && !Probe::<Profile>::DESERIALIZES);
        assert!(!Probe::<Membership>::DESERIALIZES);
        assert!(!Probe::<Message>::DESERIALIZES && !Probe::<MessageGroup>::DESERIALIZES);
        assert!(Probe::<Handle>::DESERIALIZES);
    }
}

#[test]
fn types_that_applications_keep_are_send_and_sync() {
    shared::<Threadline>();
    shared::<Thread>();
    shared::<MemoryStore>();
    shared::<Metered<MemoryStore>>();
    shared::<Box<dyn Store>>();
    shared::<Projector>();
    shared::<Projection>();
    shared::<StreamRecord>();
    shared::<Error>();
    shared::<Item>();
    shared::<User>();
    shared::<Message>();
    shared::<Membership>();
    shared::<Page<Message>>();
    shared::<Cursor>();
    shared::<Draft>();
    request::<MessagesRequest<'_>>();
    request::<InboxRequest<'_>>();
}

/// Never called: naming the futures is enough.
#[expect(dead_code, clippy::too_many_arguments, reason = "one argument for each thing that the futures borrow")]
fn the_futures_of_the_patterns_may_move_between_threads(
    chat: &Threadline,
    mut thread: Thread,
    store: &MemoryStore,
    projector: &Projector,
    user: &User,
    new_user: NewUser,
    new_group: NewGroup,
    imported: ImportedDirect,
    message: &Message,
    entry: &Membership,
    (user_id, group_id, message_id): (UserId, GroupId, MessageId),
    (handle, subject): (&Handle, &IdentitySubject),
    records: &[StreamRecord],
) {
    sent(chat.create_user(new_user));
    sent(chat.user(user_id));
    sent(chat.user_by_handle(handle));
    sent(chat.user_by_identity(subject));
    sent(chat.update_user(user, UserChange::new()));
    sent(chat.start_direct(user, user, "opa"));
    sent(chat.create_group(new_group, "opa"));
    sent(chat.import_direct(imported));
    sent(chat.open(user_id, group_id));
    sent(thread.group());
    sent(thread.members());
    sent(thread.message(message));
    sent(thread.add_member(Profile::from(user)));
    sent(thread.remove_member(user_id));
    sent(thread.send(message_id, "opa"));
    sent(thread.send_draft("opa"));
    sent(thread.edit(message, "epa"));
    sent(thread.delete(message));
    sent(thread.messages().newest_first().fetch());
    sent(thread.unread());
    sent(thread.mark_read(message));
    sent(chat.inbox(user_id).fetch());
    sent(chat.unread(entry));
    sent(projector.advance(message));
    sent(projector.project(records));
    sent(projector.rename(user));
    sent(projector.catch_up(store));
    sent(Auditor::new(store.clone()).check(None));
    sent(Auditor::new(store.clone()).repair(None));
    // As in a spawned task, which owns what it borrows.
    let (projector, records) = (projector.clone(), records.to_vec());
    sent(async move { projector.project(&records).await });
    sent(store.get_entity::<User>(user_id));
    sent(store.get_entity_consistent::<User>(user_id));
    sent(store.put_entity(user));
    sent(store.put_new_entity(user));
    sent(store.delete_entity::<User>(user_id));
    let query = || Query::table(user.key().pk);
    sent(store.send(Get::new(user.key())));
    sent(store.get(Get::new(user.key())));
    sent(store.write(Write::delete(user.key())));
    sent(store.query(query()));
    sent(store.scan(Scan::new()));
    sent(store.transact(Transaction::default()));
    sent(store.batch_get(BatchGet::new([])));
    sent(store.batch_write(BatchWrite::new([])));
    sent(store.get_all(Vec::new()));
    sent(store.write_all(Vec::new()));
    sent(store.query_entities::<User>(query()));
    sent(store.query_page::<User>(query()));
}
