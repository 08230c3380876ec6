//! Any cursor: a list accepts only its own cursors, and no two cursors name one position.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use threadline::store::{Answer, Checked, Position, Request, Store};
use threadline::stream::{AuditCursor, Auditor};
use threadline::{
    Cursor, Draft, Error, ErrorKind, ManualClock, MemoryStore, MessagePosition, NewUser, Result, SequentialIds, Thread,
    Threadline, Timestamp, UserId,
};
use uuid::Uuid;

use super::content;
use super::run::block_on;

thread_local! {
    static FIXTURE: Fixture = Fixture::new();
}

/// The input is a cursor. It is also the position of a forged cursor, since the link of a cursor to its list is no
/// secret.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    FIXTURE.with(|fixture| {
        fixture.check(&text);
        if !content::has_canary(&text) {
            content::marked(&text).iter().for_each(|marked| fixture.check(marked));
        }
    });
}

/// A list with cursors.
#[derive(Clone, Copy)]
enum List {
    Inbox,
    NewestFirst,
    OldestFirst,
    /// Oldest first, between the first message and the last.
    Within,
}

const LISTS: [List; 4] = [List::Inbox, List::NewestFirst, List::OldestFirst, List::Within];

/// Andrew with two conversations, one of them with a few messages.
struct Fixture {
    chat: Threadline,
    store: Recorder,
    thread: Thread,
    user: UserId,
    messages: Vec<MessagePosition>,
}

impl Fixture {
    fn new() -> Self {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a time");
        let store = Recorder { inner: MemoryStore::new(), started: Arc::default() };
        let chat = Threadline::new(store.clone()).clock(ManualClock::starting_at(now)).ids(SequentialIds::seeded(1));
        let work = async {
            let andrew = chat.create_user(NewUser::new("andrew", "Andrew")?).await?;
            let bayko = chat.create_user(NewUser::new("bayko", "Bayko")?).await?;
            let augusto = chat.create_user(NewUser::new("augusto", "Augusto")?).await?;
            chat.start_direct(&andrew, &augusto, "opa").await?;
            let thread = chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await?;
            let mut messages = Vec::new();
            for second in 1..=4 {
                let sent_at =
                    Timestamp::from_unix_micros(now.unix_micros() - 10_000_000 + i64::from(second) * 1_000_000)?;
                let id = Uuid::from_u128(u128::from(second as u8)).into();
                messages.push(thread.send_draft(Draft::try_from("text")?.id(id).sent_at(sent_at)).await?.position());
            }
            Ok::<_, Error>((thread, andrew.id(), messages))
        };
        let (thread, user, messages) = block_on(work).expect("a store in memory never fails");
        let fixture = Self { chat, store, thread, user, messages };
        for list in LISTS {
            // The forged cursor must equal the crate's own. Otherwise this would test nothing.
            let cursor = block_on(fixture.fetch(list, None)).expect("a first page").expect("a next page");
            assert!(fixture.reads(list, &cursor.to_string()), "the list accepts its own cursor");
        }
        fixture
    }

    fn check(&self, text: &str) {
        let cursor = Cursor::from(text.to_owned());
        assert_eq!(cursor.to_string(), text);
        content::assert_silent_debug(&cursor);
        for list in LISTS {
            self.reads(list, text);
            self.reads(list, &self.forge(list, text));
        }
        self.audits(text);
        self.audits(&URL_SAFE_NO_PAD.encode(format!("2\n{text}")));
    }

    /// Returns `true` if the list accepts this cursor.
    fn reads(&self, list: List, cursor: &str) -> bool {
        self.store.take_started();
        match block_on(self.fetch(list, Some(cursor.to_owned().into()))) {
            Err(error) => refused(&error),
            Ok(next) => {
                let started = self.store.take_started().expect("the list was read from a position");
                let only = self.forge(list, &place(list, &started));
                assert_eq!(only, cursor, "another cursor names the same position");
                if let Some(next) = next {
                    block_on(self.fetch(list, Some(next))).expect("the list continues from its own cursor");
                }
                true
            }
        }
    }

    /// Returns `true` if an audit accepts this cursor.
    fn audits(&self, text: &str) -> bool {
        let cursor = AuditCursor::from(text.to_owned());
        assert_eq!(cursor.to_string(), text);
        content::assert_silent_debug(&cursor);
        self.store.take_started();
        match block_on(Auditor::new(self.store.clone()).check(cursor.clone())) {
            Err(error) => refused(&error),
            Ok(_) => {
                let Some(Position { key, .. }) = self.store.take_started() else {
                    assert_eq!(text, URL_SAFE_NO_PAD.encode("2"), "only this cursor is the start of the table");
                    return true;
                };
                let (pk, sk) = (key.pk.as_str(), key.sk.as_str());
                let only = URL_SAFE_NO_PAD.encode(format!("2\n{}\n{pk}{sk}", pk.len()));
                assert_eq!(only, text, "another cursor names the same position");
                true
            }
        }
    }

    /// Returns the cursor after a page of one item.
    async fn fetch(&self, list: List, cursor: Option<Cursor>) -> Result<Option<Cursor>> {
        let messages = match list {
            List::Inbox => {
                let inbox = self.chat.inbox(self.user).limit(1);
                let inbox = cursor.into_iter().fold(inbox, |inbox, cursor| inbox.cursor(cursor));
                return Ok(inbox.fetch().await?.next);
            }
            List::NewestFirst => self.thread.messages().newest_first(),
            List::OldestFirst => self.thread.messages().oldest_first(),
            List::Within => {
                let [first, .., last] = self.messages[..] else { unreachable!("there are four") };
                self.thread.messages().oldest_first().after(first).before(last)
            }
        };
        let messages = cursor.into_iter().fold(messages.limit(1), |messages, cursor| messages.cursor(cursor));
        Ok(messages.fetch().await?.next)
    }

    /// Forges the cursor of this position.
    fn forge(&self, list: List, place: &str) -> String {
        const BINDING: Uuid = Uuid::from_u128(0x2c54_9b1e_77d3_4f0a_9d28_6e13_05ba_c4f7);
        let thread = format!("MSG#{}", self.thread.group_id());
        let (pattern, partition, order, bounds) = match list {
            List::Inbox => ("inbox.page", format!("USER#{}", self.user), "descending", String::new()),
            List::NewestFirst => ("messages.page", thread, "descending", " ".to_owned()),
            List::OldestFirst => ("messages.page", thread, "ascending", " ".to_owned()),
            List::Within => {
                let [first, .., last] = self.messages[..] else { unreachable!("there are four") };
                ("messages.page", thread, "ascending", format!("{first} {last}"))
            }
        };
        let parts = [pattern, &partition, order, &bounds, place].join("\n");
        let [a, b, c, d, e, f, _, g, _, h, ..] = Uuid::new_v5(&BINDING, parts.as_bytes()).into_bytes();
        let mut bytes = vec![1, a, b, c, d, e, f, g, h];
        bytes.extend(place.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// Returns the text of this position in a cursor.
fn place(list: List, started: &Position) -> String {
    match (list, &started.index_key) {
        (List::Inbox, Some(index_key)) => index_key.sk.as_str().to_owned(),
        _ => started.key.sk.as_str().to_owned(),
    }
}

fn refused(error: &Error) -> bool {
    assert_eq!(error.kind(), ErrorKind::Invalid);
    content::assert_silent(error);
    false
}

/// A store that records the start of the first read.
#[derive(Clone, Debug)]
struct Recorder {
    inner: MemoryStore,
    started: Arc<Mutex<Option<Position>>>,
}

impl Recorder {
    fn take_started(&self) -> Option<Position> {
        self.started.lock().expect("no panic while it is held").take()
    }

    fn note(&self, start: Option<&Position>) {
        let mut started = self.started.lock().expect("no panic while it is held");
        if started.is_none() {
            *started = start.cloned();
        }
    }
}

#[async_trait]
impl Store for Recorder {
    fn table_name(&self) -> &str {
        self.inner.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        match request.request() {
            Request::Query(query) => self.note(query.get_start()),
            Request::Scan(scan) => self.note(scan.get_start()),
            _ => {}
        }
        self.inner.execute(request).await
    }
}
