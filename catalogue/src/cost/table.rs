//! An estimate as text: aligned for terminals, or as Markdown.

use std::fmt;

use super::estimate::{Compared, Estimate, Row};
use super::layouts::Layout;
use super::prices::grouped;

impl Estimate {
    /// Returns the estimate as Markdown.
    pub fn to_markdown(&self) -> String {
        let note = |lines: Vec<String>| lines.into_iter().map(|line| format!("* {line}\n")).collect::<String>();
        let (calls, layouts) = (markdown(&self.calls()), markdown(&self.layouts()));
        format!("{}\n\n{calls}\n{COMPARISON}\n\n{layouts}\n{}", self.heading(), note(about()))
    }

    fn heading(&self) -> String {
        let inputs = &self.inputs;
        let mode =
            inputs.provisioned.map_or("on-demand".to_owned(), |peak| format!("provisioned for {peak} × average"));
        format!(
            "A month in US dollars: {} of {} KB a day, {}, {mode}, {}.",
            counted(inputs.messages, "message"),
            inputs.message_kb,
            counted(inputs.members.into(), "member"),
            inputs.prices.source(),
        )
    }

    fn calls(&self) -> Vec<[String; 5]> {
        let mut lines = vec![["pattern", "calls", "WCU each", "RCU each", "price"].map(str::to_owned)];
        lines.extend(self.rows.iter().map(line));
        let empty = String::new;
        let rest = self.charges.iter().map(|charge| (charge.name.clone(), charge.price));
        let rest = rest.chain([("total".to_owned(), self.total())]);
        lines.extend(rest.map(|(name, price)| [name, empty(), empty(), empty(), price.to_string()]));
        lines
    }

    fn layouts(&self) -> Vec<[String; 5]> {
        let header = ["layout", "WCU a message", "requests an inbox", "RCU an inbox", "price"].map(str::to_owned);
        let compared = |compared: &Compared| {
            [
                compared.layout.name().to_owned(),
                number(compared.message_writes),
                grouped(super::number(compared.inbox_requests), 0),
                number(compared.inbox_reads.as_f64()),
                compared.price.to_string(),
            ]
        };
        [header].into_iter().chain(self.comparison.iter().map(compared)).collect()
    }
}

const COMPARISON: &str = "The same messages, pages, inboxes, new conversations and storage in three layouts:";

fn about() -> Vec<String> {
    Layout::ALL.iter().map(|layout| format!("{}: {}", layout.name(), layout.about())).collect()
}

fn line(row: &Row) -> [String; 5] {
    let name = if row.case.is_empty() { row.pattern.to_owned() } else { format!("{}: {}", row.pattern, row.case) };
    let units = |units: threadline::store::Units| number(units.as_f64());
    let capacity = &row.capacity;
    [name, grouped(row.calls, 0), units(capacity.write()), units(capacity.read()), row.price.to_string()]
}

/// Returns a number with one decimal place, if it has one.
fn number(number: f64) -> String {
    let text = grouped(number, 1);
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Returns a number with its noun, in the singular for one.
fn counted(count: f64, noun: &str) -> String {
    let count = number(count);
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Shows the estimate as aligned tables.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\n{}\n{COMPARISON}\n", self.heading(), aligned(&self.calls()))?;
        writeln!(f, "{}", aligned(&self.layouts()))?;
        about().iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Aligns the first column left and the others right. A name without numbers may reach into their columns.
fn aligned(lines: &[[String; 5]]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter(|line| line.iter().skip(1).any(|cell| !cell.is_empty()));
        cells.filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2), width(3), width(4)];
    let mut text = String::new();
    for [name, numbers @ .., price] in lines {
        let [first, rest @ .., last] = widths;
        if numbers.iter().all(String::is_empty) {
            let span = first + rest.iter().map(|width| width + 2).sum::<usize>();
            text += &format!("{name:span$}  {price:>last$}\n");
            continue;
        }
        let cells = numbers.iter().zip(rest).map(|(cell, width)| format!("  {cell:>width$}"));
        text += &format!("{name:first$}{}  {price:>last$}\n", cells.collect::<String>());
    }
    text
}

fn markdown(lines: &[[String; 5]]) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text += &format!("| {} |\n", line.join(" | "));
        if index == 0 {
            text += "|---|---:|---:|---:|---:|\n";
        }
    }
    text
}
