//! The estimate: calls times units times prices.

use threadline::store::{Capacity, Units};

use super::inputs::Inputs;
use super::layouts::{self, Layout, Work};
use super::prices::{Money, grouped};
use crate::catalogue::Catalogue;
use crate::error::Error;

pub(super) const DAYS: f64 = 30.0;
const HOURS: f64 = DAYS * 24.0;
const SECONDS: f64 = HOURS * 3600.0;
const GB: f64 = 1024.0 * 1024.0 * 1024.0;

/// The estimate of a month.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// The inputs.
    pub inputs: Inputs,
    /// The calls: first those of Threadline's patterns, then those from [`Inputs::calls`].
    pub rows: Vec<Row>,
    /// The charges besides the calls: storage, backups, reads of the stream, and the difference by which provisioned
    /// units are rounded up.
    pub charges: Vec<Charge>,
    /// The price of each layout, for the work that all layouts do.
    pub comparison: Vec<Compared>,
}

/// The calls of one case of a pattern in a month.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The name of the pattern.
    pub pattern: &'static str,
    /// The name of the case. It is empty for the usual case.
    pub case: &'static str,
    /// The calls in a month.
    pub calls: f64,
    /// The capacity units of one call.
    pub capacity: Capacity,
    /// The price of all calls.
    pub price: Money,
}

/// A charge besides the calls.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Charge {
    /// The name of the charge, with its quantity.
    pub name: String,
    /// The price.
    pub price: Money,
}

/// The price of a layout. It includes messages, pages, inboxes, new conversations and storage. It does not include
/// edits, read markers, new users or [additional calls](Inputs::calls).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Compared {
    /// The layout.
    pub layout: Layout,
    /// The write units of a message, including the updates of the inboxes.
    pub message_writes: f64,
    /// The number of requests for one inbox page.
    pub inbox_requests: u64,
    /// The read units of an inbox page.
    pub inbox_reads: Units,
    /// The price of a month.
    pub price: Money,
}

impl Estimate {
    /// Returns the price of the month.
    pub fn total(&self) -> Money {
        let rows = self.rows.iter().map(|row| row.price);
        rows.chain(self.charges.iter().map(|charge| charge.price)).sum()
    }
}

impl Catalogue {
    /// Estimates the price of a month, from the costs of the cards. A test can compare the estimate with a budget:
    ///
    /// ```
    /// use threadline::card::registry::Registry;
    /// use threadline_catalogue::Catalogue;
    /// use threadline_catalogue::cost::{Calls, Inputs};
    ///
    /// let mut inputs = Inputs::default();
    /// inputs.messages = 20_000.0;
    /// inputs.calls = vec![Calls::new("users.by_identity", 50_000.0)];
    /// let estimate = Catalogue::new(Registry::new())?.estimate(&inputs)?;
    /// assert!(estimate.total().dollars() < 10.0, "{estimate}");
    /// # Ok::<(), threadline_catalogue::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Arguments`] for an input outside of its limits; [`Error::NoChoice`] for an unknown pattern or case.
    pub fn estimate(&self, inputs: &Inputs) -> Result<Estimate, Error> {
        inputs.check()?;
        let mut work = layouts::shared(self, Layout::Threadline, inputs)?;
        work.extend(layouts::further(self, inputs)?);
        work.retain(|work| work.per_day > 0.0);
        let rows = merged(work.iter().map(|work| row(work, inputs)));
        let charges = charges(inputs, Layout::Threadline, &rows);
        let comparison =
            Layout::ALL.iter().map(|layout| self.compared(*layout, inputs)).collect::<Result<_, Error>>()?;
        Ok(Estimate { inputs: inputs.clone(), rows, charges, comparison })
    }

    /// Returns the price of a layout for the work that all layouts do.
    pub(super) fn compared(&self, layout: Layout, inputs: &Inputs) -> Result<Compared, Error> {
        // Without edits and marks, only messages and pages open conversations by default.
        let inputs = Inputs { edits: 0.0, marks: Some(0.0), new_users: Some(0.0), calls: Vec::new(), ..inputs.clone() };
        let rows: Vec<Row> = layouts::shared(self, layout, &inputs)?.iter().map(|work| row(work, &inputs)).collect();
        let charges = charges(&inputs, layout, &rows);
        let price = rows.iter().map(|row| row.price).chain(charges.iter().map(|charge| charge.price)).sum();

        let (message, inbox) = layout.work_of_message_and_inbox();
        let in_message = rows.iter().filter(|row| message.contains(&row.pattern) && row.case.is_empty());
        // A row of the projector's has fewer calls than messages are sent, if messages come in bursts.
        let message_writes = in_message.map(|row| {
            let messages = if row.pattern == "projector.advance" { inputs.burst } else { 1.0 };
            row.capacity.write().as_f64() / messages
        });
        let inbox = rows.iter().find(|row| row.pattern == inbox);
        Ok(Compared {
            layout,
            message_writes: message_writes.sum(),
            inbox_requests: 1 + if layout == Layout::NoCopies { u64::from(inputs.conversations) } else { 0 },
            inbox_reads: inbox.map(|row| row.capacity.read()).unwrap_or_default(),
            price,
        })
    }
}

fn row(work: &Work, inputs: &Inputs) -> Row {
    let (calls, capacity) = (work.per_day * DAYS, work.cost.capacity(&work.sizes));
    let (writes, reads) = (calls * capacity.write().as_f64(), calls * capacity.read().as_f64());
    let prices = &inputs.prices;
    let dollars = match inputs.provisioned {
        None => (writes * prices.write_million + reads * prices.read_million) / 1e6,
        Some(peak) => (writes * prices.wcu_hour + reads * prices.rcu_hour) * peak * HOURS / SECONDS,
    };
    Row { pattern: work.pattern, case: work.case, calls, capacity, price: Money::new(dollars) }
}

/// Adds the rows up that are equal but for their calls.
fn merged(rows: impl Iterator<Item = Row>) -> Vec<Row> {
    let mut merged: Vec<Row> = Vec::new();
    for row in rows {
        let key = |row: &Row| (row.pattern, row.case, row.capacity);
        match merged.iter_mut().find(|other| key(other) == key(&row)) {
            Some(other) => {
                other.calls += row.calls;
                other.price = [other.price, row.price].into_iter().sum();
            }
            None => merged.push(row),
        }
    }
    merged
}

fn charges(inputs: &Inputs, layout: Layout, rows: &[Row]) -> Vec<Charge> {
    let prices = &inputs.prices;
    let charge = |name, dollars| Charge { name, price: Money::new(dollars) };
    let (table, index) = layout.bytes_per_month(inputs);
    let gb = |bytes: f64| bytes * inputs.retention_months / GB;
    let (table, stored) = (gb(table), gb(table + index));
    let mut charges = Vec::new();
    if let Some(peak) = inputs.provisioned {
        charges.push(whole_units(inputs, layout, rows, peak));
    }
    let paid = (stored - prices.free_gb).max(0.0);
    let free = stored.min(prices.free_gb);
    let name = format!("storage: {} GB, {} GB free", grouped(stored, 1), grouped(free, 1));
    charges.push(charge(name, paid * prices.storage_gb));
    if inputs.pitr {
        charges.push(charge(format!("backups: {} GB of the table", grouped(table, 1)), table * prices.pitr_gb));
    }
    if inputs.poller_shards > 0 && layout.has_inboxes() {
        let millions = f64::from(inputs.poller_shards) * SECONDS / 1e6;
        let paid = (millions - prices.free_stream_millions).max(0.0);
        charges.push(charge(format!("stream: {} million reads", grouped(millions, 1)), paid * prices.stream_million));
    }
    charges
}

/// Returns the price of rounding each provisioned capacity up to whole units, with the capacities.
fn whole_units(inputs: &Inputs, layout: Layout, rows: &[Row], peak: f64) -> Charge {
    let rate = |units: fn(&Capacity) -> Units| -> f64 {
        rows.iter().map(|row| row.calls * units(&row.capacity).as_f64()).sum::<f64>() / SECONDS * peak
    };
    let exact = [
        rate(|capacity| capacity.table_write),
        rate(|capacity| capacity.index_write),
        rate(|capacity| capacity.table_read),
        rate(|capacity| capacity.index_read),
    ];
    // DynamoDB requires at least one unit of each, of the index too if there is one.
    let of_index = if layout.has_inboxes() { 1.0 } else { 0.0 };
    let [table_write, index_write, table_read, index_read] = exact.map(f64::ceil);
    let whole = [table_write.max(1.0), index_write.max(of_index), table_read.max(1.0), index_read.max(of_index)];
    let prices = [inputs.prices.wcu_hour, inputs.prices.wcu_hour, inputs.prices.rcu_hour, inputs.prices.rcu_hour];
    let added = exact.iter().zip(whole).zip(prices).map(|((exact, whole), price)| (whole - exact) * price * HOURS);
    let [table_write, index_write, table_read, index_read] = whole.map(|units| grouped(units, 0));
    Charge {
        name: format!("whole units: {table_write} WCU, {table_read} RCU; index {index_write} WCU, {index_read} RCU"),
        price: Money::new(added.sum()),
    }
}
