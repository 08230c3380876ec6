//! The picture: the item collections of the table, the index beside them, the path of one message as numbered steps,
//! and the list of all patterns.

use svg::Document;
use svg::node::element::{Circle, Definitions, Line, Marker, Path, Rectangle, Style, Text};
use threadline::card::registry::Registry;
use threadline::card::{Card, EntityCard, Source};
use threadline::store::Units;
use threadline::{Error, ErrorKind, Result};

use crate::access::{Access, access, units, whole};
use crate::catalogue::Catalogue;
use crate::golden::Golden;
use crate::items::{self, Collection};
use crate::path::{Step, steps};

const WIDTH: u32 = 1000;
const LEFT: u32 = 24;
const TABLE_WIDTH: u32 = 500;
const INDEX_LEFT: u32 = 600;
const INDEX_WIDTH: u32 = 376;
const LINE: u32 = 22;
/// The columns of the list of patterns.
const COLUMNS: u32 = 3;
const COLUMN: u32 = 323;

/// The drawn partitions of the table, with their colors. The other users and conversations look alike.
const TABLE: [(&str, &str); 4] =
    [("user", "USER#andrewbrown"), ("user", "HANDLE#andrewbrown"), ("group", "GRP#5ae2"), ("message", "MSG#5ae2")];
/// The drawn partitions of the index.
const INDEX: [&str; 2] = ["USER#andrewbrown", "USER#bayko"];

/// The class of the pictures. The styles apply to nothing else, so a page can contain a whole picture.
pub(crate) const CLASS: &str = "threadline-picture";

/// The colors by role, for light and for dark, and the fonts. No text is smaller than 12 px.
pub(crate) const STYLE: &str = "\
.threadline-picture{--bg:#fff;--fg:#1b1f24;--muted:#57606a;--line:#d0d7de;--card:#f6f8fa;--user:#0969da;\
--group:#8250df;--message:#1a7f37;--step:#bc4c00}
@media (prefers-color-scheme:dark){.threadline-picture{--bg:#0d1117;--fg:#e6edf3;--muted:#9198a1;--line:#30363d;\
--card:#151b23;--user:#4493f8;--group:#ab7df8;--message:#3fb950;--step:#f0883e}}
.threadline-picture text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:var(--fg)}
.threadline-picture{
.head{font:600 15px system-ui,sans-serif}.plain{font:12px system-ui,sans-serif;fill:var(--muted)}
.step{font:600 13px system-ui,sans-serif}.units{font:700 13px system-ui,sans-serif;fill:var(--step)}
.cost{font:600 12px system-ui,sans-serif;fill:var(--step)}
.number{font:700 12px system-ui,sans-serif;fill:var(--bg)}
.card{fill:var(--card);stroke:var(--line)}.line{stroke:var(--line)}
.arrow{fill:none;stroke:var(--step);stroke-width:2;marker-end:url(#threadline-picture-end)}
.user{fill:var(--user);color:var(--user)}.group{fill:var(--group);color:var(--group)}
.message{fill:var(--message);color:var(--message)}.own{fill:var(--muted);color:var(--muted)}.dot{fill:var(--step)}
.mark{stroke:currentColor;stroke-width:1.5}.read{fill-opacity:0}
}";

/// Draws the table with the items of the golden conversation, the index, the steps of a message, and the patterns.
///
/// # Errors
/// As [`steps`]; [`Corrupt`](ErrorKind::Corrupt) for an item without a key.
pub(crate) fn single_table(catalogue: &Catalogue, golden: &Golden) -> Result<String> {
    let steps = steps(catalogue.registry())?;
    let mut picture = Picture::new();
    picture.heading(LEFT, 34, "Table", "item collections: one block for each partition key");
    picture.heading(INDEX_LEFT, 34, "Index gsi1", "a user's inbox, newest first");

    let mut top = 52;
    let mut positions = Vec::new();
    let collections = items::of_table(golden)?;
    for (role, partition) in TABLE {
        let bottom = picture.collection(LEFT, TABLE_WIDTH, top, role, named(&collections, partition)?);
        positions.push((role, top, bottom));
        top = bottom + 10;
    }
    let mut index_top = 52;
    let collections = items::of_index(golden)?;
    for partition in INDEX {
        let collection = named(&collections, partition)?;
        index_top = picture.collection(INDEX_LEFT, INDEX_WIDTH, index_top, "group", collection) + 22;
    }
    picture.legend(index_top + 14);
    picture.arrows(&positions);
    let total = picture.steps(top + 26, &steps);
    picture.note(top + 118, &format!("A message between two people costs {} WCU in all.", whole(total)));
    let bottom = picture.patterns(top + 164, catalogue);
    Ok(picture.finish(bottom))
}

/// Returns the collection of this partition key.
fn named<'a>(collections: &'a [Collection], partition: &str) -> Result<&'a Collection> {
    let found = collections.iter().find(|collection| collection.partition == partition);
    found.ok_or_else(|| Error::new(ErrorKind::NotFound, "the golden conversation lacks a partition of the picture"))
}

/// Returns the role of an entity by the tag of its key. The role has a color.
pub(crate) fn role(entity: &EntityCard) -> &'static str {
    match entity.pk.split('#').next() {
        Some("USER" | "HANDLE" | "IDENTITY") => "user",
        Some("GRP") => "group",
        Some("MSG") => "message",
        _ => "own",
    }
}

/// The document while it is drawn.
struct Picture {
    document: Document,
}

impl Picture {
    fn new() -> Self {
        let end = Path::new().set("d", "M0 0L8 4L0 8z").set("class", "dot");
        let marker =
            Marker::new().set("id", "threadline-picture-end").set("viewBox", "0 0 8 8").set("refX", 7).set("refY", 4);
        let marker = marker.set("markerWidth", 7).set("markerHeight", 7).set("orient", "auto").add(end);
        let label = "One table, its index, the path of one message in six steps, and all patterns";
        let document = Document::new().set("class", CLASS).set("role", "img").set("aria-label", label);
        let document = document.add(Style::new(STYLE));
        let background = Rectangle::new().set("width", "100%").set("height", "100%").set("fill", "var(--bg)");
        Self { document: document.add(Definitions::new().add(marker)).add(background) }
    }

    fn add(&mut self, node: impl Into<Box<dyn svg::Node>>) {
        svg::Node::append(&mut self.document, node);
    }

    fn text(&mut self, x: u32, y: u32, class: &str, anchor: &str, text: &str) {
        self.add(Text::new(text).set("x", x).set("y", y).set("class", class).set("text-anchor", anchor));
    }

    fn heading(&mut self, x: u32, y: u32, name: &str, note: &str) {
        self.text(x, y, "head", "start", name);
        let width = u32::try_from(name.len()).unwrap_or(0) * 8 + 14;
        self.text(x + width, y, "plain", "start", note);
    }

    /// Draws a collection and returns the position of its bottom.
    fn collection(&mut self, x: u32, width: u32, top: u32, role: &str, collection: &Collection) -> u32 {
        let lines = u32::try_from(collection.lines.len()).unwrap_or(0);
        let height = 28 + LINE * lines;
        let frame = Rectangle::new().set("x", x).set("y", top).set("height", height).set("rx", 6);
        self.add(frame.set("width", width).set("class", "card"));
        let edge = Rectangle::new().set("x", x).set("y", top).set("height", height).set("rx", 2);
        self.add(edge.set("width", 4).set("class", role));
        self.text(x + 14, top + 19, role, "start", &collection.partition);
        for (item, line) in collection.lines.iter().zip(0..) {
            let y = top + 28 + LINE * line;
            let rule = Line::new().set("x1", x + 10).set("x2", x + width - 10).set("y1", y).set("y2", y);
            self.add(rule.set("class", "line"));
            self.text(x + 14, y + 16, "", "start", &item.sort_key);
            self.text(x + width - 12, y + 16, "plain", "end", &item.text);
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

    /// Draws the list of patterns, each with its marks and its units, and returns the position of its bottom.
    fn patterns(&mut self, top: u32, catalogue: &Catalogue) -> u32 {
        self.heading(LEFT, top, "Patterns", "units of the usual case, for two members and 1 KB; marks of all cases");
        let legend = [(0, Source::Table, "write", "writes"), (72, Source::Table, "read", "only reads")];
        for (x, place, words, text) in legend.into_iter().chain([(172, Source::Index, "write", "in the index")]) {
            self.mark(INDEX_LEFT + x, top - 9, "own", place, words);
            self.text(INDEX_LEFT + x + 18, top, "plain", "start", text);
        }
        let registry = catalogue.registry();
        let mut roles = vec!["user", "group", "message"];
        if registry.entities().iter().any(|entity| role(entity) == "own") {
            roles.push("own");
        }
        let cards = registry.cards();
        let rows = u32::try_from(cards.len()).unwrap_or(0).div_ceil(COLUMNS).max(1);
        for (card, number) in cards.iter().zip(0..) {
            let (x, y) = (LEFT + COLUMN * (number / rows), top + 30 + LINE * (number % rows));
            let end = self.marks(x, y - 9, &roles, card, registry);
            self.text(end + 6, y, "", "start", card.name);
            self.text(x + COLUMN - 17, y, "cost", "end", &units(catalogue, card));
        }
        top + 30 + LINE * rows
    }

    /// Draws a square for each role that the pattern touches, and a circle for the index. Returns the end of the marks.
    fn marks(&mut self, x: u32, y: u32, roles: &[&str], card: &Card, registry: &Registry) -> u32 {
        let places = roles.iter().map(|role| (*role, Source::Table)).chain([("group", Source::Index)]);
        let mut left = x;
        for (named, place) in places {
            let of_role = registry.entities().iter().filter(|entity| role(entity) == named || place == Source::Index);
            let all = of_role.map(|entity| access(card, entity, place)).fold(Access::default(), Access::or);
            if all != Access::default() {
                self.mark(left, y, named, place, if all.writes { "write" } else { "read" });
            }
            left += 13;
        }
        left
    }

    fn mark(&mut self, x: u32, y: u32, role: &str, place: Source, word: &str) {
        let class = format!("mark {role} {word}");
        match place {
            Source::Table => {
                let square = Rectangle::new().set("x", x).set("y", y).set("width", 9).set("height", 9).set("rx", 2);
                self.add(square.set("class", class));
            }
            Source::Index => {
                self.add(Circle::new().set("cx", x + 5).set("cy", y + 5).set("r", 4.5).set("class", class));
            }
        }
    }

    fn finish(self, height: u32) -> String {
        format!("{}\n", self.document.set("viewBox", (0, 0, WIDTH, height)))
    }
}
