//! The picture: the item collections of the table, the index beside them, and the path of one message as numbered
//! steps.

use std::fmt;

use svg::Document;
use svg::node::element::{Circle, Definitions, Line, Marker, Path, Rectangle, Style, Text};
use threadline::card::registry::Registry;
use threadline::card::{Card, Sizes};
use threadline::entity::{AttributeValue, Entity, Item};
use threadline::store::{Capacity, Units};
use threadline::{Error, ErrorKind, Membership, Message, MessageGroup, Result, Timestamp, User};

use crate::golden::Golden;

const WIDTH: u32 = 1000;
const LEFT: u32 = 24;
const TABLE_WIDTH: u32 = 500;
const INDEX_LEFT: u32 = 600;
const INDEX_WIDTH: u32 = 376;
const LINE: u32 = 22;

/// The drawn partitions of the table, with their colors. The other users and conversations look alike.
const TABLE: [(&str, &str); 4] =
    [("user", "USER#andrewbrown"), ("user", "HANDLE#andrewbrown"), ("group", "GRP#5ae2"), ("message", "MSG#5ae2")];
/// The drawn partitions of the index.
const INDEX: [&str; 2] = ["USER#andrewbrown", "USER#bayko"];

/// The colors by role, for light and for dark, and the fonts. No text is smaller than 12 px.
pub(crate) const STYLE: &str = "
:root{--bg:#fff;--fg:#1b1f24;--muted:#57606a;--line:#d0d7de;--card:#f6f8fa;--user:#0969da;--group:#8250df;\
--message:#1a7f37;--step:#bc4c00}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--muted:#9198a1;--line:#30363d;--card:#151b23;\
--user:#4493f8;--group:#ab7df8;--message:#3fb950;--step:#f0883e}}
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:var(--fg)}
.head{font:600 15px system-ui,sans-serif}.plain{font:12px system-ui,sans-serif;fill:var(--muted)}
.step{font:600 13px system-ui,sans-serif}.units{font:700 13px system-ui,sans-serif;fill:var(--step)}
.number{font:700 12px system-ui,sans-serif;fill:var(--bg)}
.card{fill:var(--card);stroke:var(--line)}.line{stroke:var(--line)}
.arrow{fill:none;stroke:var(--step);stroke-width:2;marker-end:url(#end)}
.user{fill:var(--user)}.group{fill:var(--group)}.message{fill:var(--message)}.dot{fill:var(--step)}
";

/// One step of a message's path.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The request, or the work of DynamoDB itself.
    pub text: String,
    /// The capacity units; `None` for work that costs none.
    pub capacity: Option<Capacity>,
}

/// Returns the steps of a message between two people, from the cards of its patterns.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) if the registry lacks one of the cards.
pub fn steps(registry: &Registry) -> Result<Vec<Step>> {
    let (send, advance) = (card(registry, "messages.send")?, card(registry, "projector.advance")?);
    let page = card(registry, "inbox.page")?;
    let sizes = Sizes::new().members(2).written(200).read(600);
    let sent = cost(send, &sizes);
    let projected = cost(advance, &sizes);
    let read = cost(page, &Sizes::new().read_index(600));
    let table = |units| Capacity { table_write: units, ..Capacity::default() };
    let index = |units| Capacity { index_write: units, ..Capacity::default() };
    Ok(vec![
        step("Put the message, if it is new", Some(sent)),
        step("The stream carries it to the projector", None),
        step("Query the memberships, consistently", Some(Capacity::reads(projected.read()))),
        step("Update both memberships, only forward", Some(table(projected.table_write))),
        step("The index moves both inbox entries", Some(index(projected.index_write))),
        step("An inbox page is one Query of the index", Some(read)),
    ])
}

/// Draws the table with the items of the golden conversation, the index, and the steps of a message.
///
/// # Errors
/// As [`steps`]; [`Corrupt`](ErrorKind::Corrupt) for an item without a key.
pub(crate) fn single_table(registry: &Registry, golden: &Golden) -> Result<String> {
    let steps = steps(registry)?;
    let mut picture = Picture::new();
    picture.heading(LEFT, "Table", "item collections: one block for each partition key");
    picture.heading(INDEX_LEFT, "Index gsi1", "a user's inbox, newest first");

    let mut top = 52;
    let mut positions = Vec::new();
    for (role, partition) in TABLE {
        let collection = item_collection(golden, role, partition)?;
        let bottom = picture.collection(LEFT, TABLE_WIDTH, top, &collection);
        positions.push((role, top, bottom));
        top = bottom + 10;
    }
    let mut index_top = 52;
    for partition in INDEX {
        let collection = index_collection(golden, partition)?;
        index_top = picture.collection(INDEX_LEFT, INDEX_WIDTH, index_top, &collection) + 22;
    }
    picture.legend(index_top + 14);
    picture.arrows(&positions);
    let total = picture.steps(top + 26, &steps);
    picture.note(top + 118, &format!("A message between two people costs {} WCU in all.", whole(total)));
    Ok(picture.finish(top + 136))
}

/// Items of one partition key, in the order of their sort keys.
struct Collection {
    role: &'static str,
    partition: &'static str,
    lines: Vec<(String, String)>,
}

fn card(registry: &Registry, name: &str) -> Result<&'static Card> {
    registry.card(name).ok_or_else(|| Error::new(ErrorKind::NotFound, "the registry lacks a card of the picture"))
}

fn cost(card: &Card, sizes: &Sizes) -> Capacity {
    card.cases.first().map(|case| case.cost.capacity(sizes)).unwrap_or_default()
}

fn step(text: &str, capacity: Option<Capacity>) -> Step {
    Step { text: text.to_owned(), capacity }
}

/// Returns the items with this partition key, shortened.
fn item_collection(golden: &Golden, role: &'static str, partition: &'static str) -> Result<Collection> {
    let mut lines = Vec::new();
    for item in &golden.items {
        let key = item.key()?;
        if short(golden, key.pk.as_str()) == partition {
            lines.push((short(golden, key.sk.as_str()), describe(golden, item)));
        }
    }
    Ok(Collection { role, partition, lines })
}

/// Returns the index entries with this partition key, shortened, newest first.
fn index_collection(golden: &Golden, partition: &'static str) -> Result<Collection> {
    let mut lines = Vec::new();
    for item in &golden.items {
        if let Some(key) = item.index_key()?
            && short(golden, key.pk.as_str()) == partition
        {
            lines.push((short(golden, key.sk.as_str()), preview(item)));
        }
    }
    lines.sort_by(|one, other| other.cmp(one));
    Ok(Collection { role: "group", partition, lines })
}

/// Shortens a key: users to their handles, ids to four digits, times to the time of day.
fn short(golden: &Golden, key: &str) -> String {
    let segment = |segment: &str| match (golden.names.get(segment), segment.parse::<Timestamp>()) {
        (Some(name), _) => name.clone(),
        (None, Ok(_)) => segment.chars().skip(11).take(12).collect(),
        (None, Err(_)) if segment.len() == 36 => segment.chars().skip(32).collect(),
        (None, Err(_)) => segment.to_owned(),
    };
    key.split('#').map(segment).collect::<Vec<_>>().join("#")
}

fn describe(golden: &Golden, item: &Item) -> String {
    let text = |name| item.get_s(name).unwrap_or_default();
    let sender = |name| golden.names.get(text(name)).cloned().unwrap_or_default();
    match item.type_name().unwrap_or_default() {
        entity if entity == User::TYPE => format!("{} · {}", text("handle"), text("display_name")),
        entity if entity == Message::TYPE => format!("{}: {}", sender("user_uuid"), text("message")),
        entity if entity == Membership::TYPE => format!("inbox entry · {}", preview(item)),
        entity if entity == MessageGroup::TYPE => match item.get("member_count") {
            Some(AttributeValue::N(count)) => format!("{count} members"),
            _ => String::new(),
        },
        _ => format!("handle of {}", sender("user_uuid")),
    }
}

fn preview(item: &Item) -> String {
    item.get_s("message").unwrap_or_default().to_owned()
}

fn whole(units: Units) -> String {
    let text = units.to_string();
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Shows units as a badge does: `1 WCU`, or `free`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(capacity) = self.capacity else { return f.write_str("free") };
        let index = if capacity.index_write == Units::ZERO { "" } else { "index " };
        match capacity.write() {
            Units::ZERO => write!(f, "{} RCU", whole(capacity.read())),
            units => write!(f, "{} {index}WCU", whole(units)),
        }
    }
}

/// The document while it is drawn.
struct Picture {
    document: Document,
}

impl Picture {
    fn new() -> Self {
        let end = Path::new().set("d", "M0 0L8 4L0 8z").set("class", "dot");
        let marker = Marker::new().set("id", "end").set("viewBox", "0 0 8 8").set("refX", 7).set("refY", 4);
        let marker = marker.set("markerWidth", 7).set("markerHeight", 7).set("orient", "auto").add(end);
        let label = "One table, its index, and the way of one message in six steps";
        let document = Document::new().set("role", "img").set("aria-label", label).add(Style::new(STYLE));
        let background = Rectangle::new().set("width", "100%").set("height", "100%").set("fill", "var(--bg)");
        Self { document: document.add(Definitions::new().add(marker)).add(background) }
    }

    fn add(&mut self, node: impl Into<Box<dyn svg::Node>>) {
        svg::Node::append(&mut self.document, node);
    }

    fn text(&mut self, x: u32, y: u32, class: &str, anchor: &str, text: &str) {
        self.add(Text::new(text).set("x", x).set("y", y).set("class", class).set("text-anchor", anchor));
    }

    fn heading(&mut self, x: u32, name: &str, note: &str) {
        self.text(x, 34, "head", "start", name);
        let width = u32::try_from(name.len()).unwrap_or(0) * 8 + 14;
        self.text(x + width, 34, "plain", "start", note);
    }

    /// Draws a collection and returns the position of its bottom.
    fn collection(&mut self, x: u32, width: u32, top: u32, collection: &Collection) -> u32 {
        let lines = u32::try_from(collection.lines.len()).unwrap_or(0);
        let height = 28 + LINE * lines;
        let frame = Rectangle::new().set("x", x).set("y", top).set("height", height).set("rx", 6);
        self.add(frame.set("width", width).set("class", "card"));
        let edge = Rectangle::new().set("x", x).set("y", top).set("height", height).set("rx", 2);
        self.add(edge.set("width", 4).set("class", collection.role));
        self.text(x + 14, top + 19, collection.role, "start", collection.partition);
        for ((sort_key, content), line) in collection.lines.iter().zip(0..) {
            let y = top + 28 + LINE * line;
            let rule = Line::new().set("x1", x + 10).set("x2", x + width - 10).set("y1", y).set("y2", y);
            self.add(rule.set("class", "line"));
            self.text(x + 14, y + 16, "", "start", sort_key);
            self.text(x + width - 12, y + 16, "plain", "end", content);
        }
        top + height
    }

    /// Explains each color.
    fn legend(&mut self, top: u32) {
        let lines = [
            ("user", "a user, and the claim that keeps the handle unique"),
            ("group", "a conversation, and the memberships that allow access"),
            ("message", "messages by time: a page is one Query"),
        ];
        for ((role, text), line) in lines.into_iter().zip(0..) {
            let y = top + LINE * line;
            let mark = Rectangle::new().set("x", INDEX_LEFT).set("y", y).set("width", 10).set("height", 10);
            self.add(mark.set("rx", 2).set("class", role));
            self.text(INDEX_LEFT + 18, y + 10, "plain", "start", text);
        }
    }

    /// Draws the arrows from the new message to the memberships, and from there to the index.
    fn arrows(&mut self, positions: &[(&str, u32, u32)]) {
        let bounds = |entity: &str| {
            positions.iter().find(|(name, ..)| *name == entity).map_or((0, 0), |found| (found.1, found.2))
        };
        let (top_of, bottom_of) = (|role| bounds(role).0, |role| bounds(role).1);
        let (group, message) = (bottom_of("group") - 11, bottom_of("message") - 11);
        let edge = LEFT + TABLE_WIDTH;
        let back = format!("M{edge} {message} C {} {message}, {} {group}, {} {group}", edge + 52, edge + 52, edge + 4);
        self.add(Path::new().set("class", "arrow").set("d", back));
        let up = group - LINE;
        let over = format!("M{edge} {up} C {} {up}, {} 120, {} 96", edge + 44, edge + 30, INDEX_LEFT - 4);
        self.add(Path::new().set("class", "arrow").set("d", over));
        self.number(edge + 16, message, 1);
        self.number(edge + 40, group.midpoint(message), 2);
        self.number(edge - 16, top_of("group") + 14, 3);
        self.number(edge + 16, group - LINE / 2, 4);
        self.number(edge + 42, up.midpoint(100), 5);
        self.number(INDEX_LEFT + INDEX_WIDTH - 24, 66, 6);
    }

    fn number(&mut self, x: u32, y: u32, number: usize) {
        self.add(Circle::new().set("cx", x).set("cy", y).set("r", 11).set("class", "dot"));
        self.text(x, y + 4, "number", "middle", &number.to_string());
    }

    /// Draws the steps in two columns and returns the sum of their write units.
    fn steps(&mut self, top: u32, steps: &[Step]) -> Units {
        let mut total = Units::ZERO;
        for (step, place) in steps.iter().zip(0_u32..) {
            let (x, y) = (LEFT + 16 + 488 * (place / 3), top + 30 * (place % 3));
            self.number(x, y, usize::try_from(place).unwrap_or(0) + 1);
            self.text(x + 20, y + 4, "step", "start", &step.text);
            self.text(x + 448, y + 4, "units", "end", &step.to_string());
            total = total + step.capacity.unwrap_or_default().write();
        }
        total
    }

    fn note(&mut self, y: u32, text: &str) {
        self.text(LEFT, y, "plain", "start", text);
    }

    fn finish(self, height: u32) -> String {
        format!("{}\n", self.document.set("viewBox", (0, 0, WIDTH, height)))
    }
}
