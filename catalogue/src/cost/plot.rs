//! The plot: the price of each layout by the number of members.

use svg::Document;
use svg::node::element::{Line, Polyline, Rectangle, Style, Text};

use super::inputs::Inputs;
use super::layouts::Layout;
use super::prices::{Money, grouped};
use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::picture;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// The edges of the area of the curves.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 590.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 364.0;
const FEWEST: u32 = 2;
const MOST: u32 = 50;
/// The distance between the names of two curves.
const LINE: f64 = 34.0;

/// The curves, in the colors of the picture. The dashes distinguish them without color.
const STYLE: &str = "\
.threadline-picture{
.curve{fill:none;stroke-width:2.5}.curve.message{stroke:var(--message);fill:none}
.curve.group{stroke:var(--group);fill:none}.curve.user{stroke:var(--user);fill:none}
}";

/// Draws the price of each layout for 2 to 50 members, and returns an `<svg>` element.
///
/// # Errors
/// As [`Catalogue::estimate`].
pub(crate) fn curves(catalogue: &Catalogue, inputs: &Inputs) -> Result<String, Error> {
    inputs.check()?;
    let mut curves = Vec::new();
    for layout in Layout::ALL {
        let price = |members| {
            let inputs = Inputs { members, ..inputs.clone() };
            catalogue.compared(*layout, &inputs).map(|compared| (members, compared.price))
        };
        curves.push((*layout, (FEWEST..=MOST).map(price).collect::<Result<Vec<_>, Error>>()?));
    }
    let most = curves.iter().flat_map(|(_, curve)| curve).map(|(_, price)| price.dollars()).fold(0.0, f64::max);
    let step = step(most);
    let top = (most / step).ceil().max(1.0) * step;

    let mut plot = Plot::new(top);
    plot.text(LEFT, 26.0, "head", "start", "Price of a month by members of a conversation");
    plot.text(LEFT, 46.0, "plain", "start", &heading(inputs));
    plot.axes(step);
    plot.curves(&curves);
    Ok(format!("{}\n", plot.document))
}

fn heading(inputs: &Inputs) -> String {
    let mode = if inputs.provisioned.is_some() { "provisioned" } else { "on-demand" };
    let (messages, inboxes) = (grouped(inputs.messages, 0), grouped(inputs.inbox_opens(), 0));
    format!("{messages} messages and {inboxes} inbox pages a day, {mode}, {}, US dollars", inputs.prices.source())
}

/// Returns the distance between two lines of the grid: 1, 2 or 5 times a power of ten, for at most 6 lines.
fn step(most: f64) -> f64 {
    let least = most.max(0.01) / 6.0;
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter().find(|step| *step >= least).unwrap_or(10.0 * power)
}

fn look(layout: Layout) -> (&'static str, &'static str) {
    match layout {
        Layout::Threadline => ("message", "none"),
        Layout::Cruddur => ("group", "10 5"),
        Layout::NoCopies => ("user", "2 5"),
    }
}

/// The document while it is drawn.
struct Plot {
    document: Document,
    top: f64,
}

impl Plot {
    fn new(top: f64) -> Self {
        let label = "The price of a month by the number of members, for three layouts of the table";
        let style = Style::new(format!("{}\n{STYLE}", picture::STYLE));
        let background = Rectangle::new().set("width", "100%").set("height", "100%").set("fill", "var(--bg)");
        let document = Document::new().set("class", picture::CLASS).set("role", "img").set("aria-label", label);
        Self { document: document.set("viewBox", (0, 0, WIDTH, HEIGHT)).add(style).add(background), top }
    }

    fn add(&mut self, node: impl Into<Box<dyn svg::Node>>) {
        svg::Node::append(&mut self.document, node);
    }

    fn text(&mut self, x: f64, y: f64, class: &str, anchor: &str, text: &str) {
        self.add(Text::new(text).set("x", x).set("y", tenths(y)).set("class", class).set("text-anchor", anchor));
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        let line = Line::new().set("x1", tenths(from.0)).set("y1", tenths(from.1)).set("x2", tenths(to.0));
        self.add(line.set("y2", tenths(to.1)).set("class", "line"));
    }

    fn y(&self, price: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * price / self.top
    }

    /// Draws the grid, with prices on the left and members below.
    fn axes(&mut self, step: f64) {
        let decimals = if step < 1.0 { 2 } else { 0 };
        let mut price = 0.0;
        while price <= self.top * 1.001 {
            let y = self.y(price);
            self.line((LEFT, y), (RIGHT, y));
            self.text(LEFT - 8.0, y + 4.0, "plain", "end", &format!("${}", grouped(price, decimals)));
            price += step;
        }
        for members in [FEWEST, 10, 20, 30, 40, MOST] {
            self.line((x(members), BOTTOM), (x(members), BOTTOM + 5.0));
            self.text(x(members), BOTTOM + 20.0, "plain", "middle", &members.to_string());
        }
        self.text(f64::midpoint(LEFT, RIGHT), BOTTOM + 42.0, "plain", "middle", "members of a conversation");
    }

    /// Draws the curves, and each one's name and price for the most members at its end.
    fn curves(&mut self, curves: &[(Layout, Vec<(u32, Money)>)]) {
        let mut names = Vec::new();
        for (layout, curve) in curves {
            let points = curve
                .iter()
                .map(|(members, price)| format!("{},{}", tenths(x(*members)), tenths(self.y(price.dollars()))));
            let (class, dashes) = look(*layout);
            let line = Polyline::new().set("points", points.collect::<Vec<_>>().join(" "));
            self.add(line.set("class", format!("curve {class}")).set("stroke-dasharray", dashes));
            let last = curve.last().map(|(_, price)| *price).unwrap_or_default();
            names.push((self.y(last.dollars()), *layout, last));
        }
        // From the bottom up, so that no name covers another one.
        names.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut lowest = BOTTOM - LINE / 2.0;
        for (y, layout, price) in names {
            let y = y.min(lowest);
            lowest = y - LINE;
            self.text(RIGHT + 10.0, y + 4.0, "step", "start", layout.name());
            self.text(RIGHT + 10.0, y + 19.0, "plain", "start", &format!("${price} with {MOST}"));
        }
    }
}

fn x(members: u32) -> f64 {
    LEFT + (RIGHT - LEFT) * f64::from(members - FEWEST) / f64::from(MOST - FEWEST)
}

/// Rounds a coordinate, so that the text of the picture is short.
fn tenths(coordinate: f64) -> f64 {
    (coordinate * 10.0).round() / 10.0
}
