//! Calls of any pattern, which an application adds to an estimate.

use std::str::FromStr;

use threadline::card::Sizes;

use super::inputs::{Inputs, bytes, members, size, within};
use crate::error::Error;

/// Calls of one case of a pattern, which an application adds to an estimate. The sizes determine the cost of a call.
///
/// ```
/// use threadline_catalogue::cost::Calls;
///
/// let calls: Calls = "groups.open/shown message has expired=1000,read=0.5".parse()?;
/// assert_eq!((calls.pattern.as_str(), calls.per_day), ("groups.open", 1000.0));
/// # Ok::<(), threadline_catalogue::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Calls {
    /// The name of the pattern.
    pub pattern: String,
    /// The name of the case. `None` is the usual case.
    pub case: Option<String>,
    /// The calls per day.
    pub per_day: f64,
    /// The KB of the written item. Default: the size of a message.
    pub written_kb: Option<f64>,
    /// The KB that one request reads from the table. Default: the size of a message.
    pub read_kb: Option<f64>,
    /// The KB that one request reads from the index. Default: the size of a message.
    pub index_kb: Option<f64>,
    /// The number of members. Default: [`Inputs::members`].
    pub members: Option<u32>,
    /// The number of objects that the cost counts, if it has a term [`Per::Each`](threadline::card::Per::Each).
    /// Default: 1.
    pub items: u32,
}

impl Calls {
    /// Creates calls of the usual case of a pattern.
    pub fn new(pattern: impl Into<String>, per_day: f64) -> Self {
        let pattern = pattern.into();
        Self { pattern, case: None, per_day, written_kb: None, read_kb: None, index_kb: None, members: None, items: 1 }
    }

    pub(super) fn sizes(&self, inputs: &Inputs) -> Sizes {
        let size = |kb: Option<f64>| bytes(kb.unwrap_or(inputs.message_kb));
        let sizes = Sizes::new().members(self.members.unwrap_or(inputs.members)).items(self.items);
        sizes.written(size(self.written_kb)).read(size(self.read_kb)).read_index(size(self.index_kb))
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        within(&self.pattern, self.per_day, 0.0, 1e12)?;
        for (name, kb) in [("written", self.written_kb), ("read", self.read_kb), ("index", self.index_kb)] {
            size(name, kb.unwrap_or_default())?;
        }
        self.members.map_or(Ok(()), members)
    }
}

/// Parses `PATTERN[/CASE]=N[,written=KB][,read=KB][,index=KB][,members=N][,items=N]`.
impl FromStr for Calls {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let form = || Error::Arguments(format!("`{text}` is not PATTERN[/CASE]=N[,SIZE=N]"));
        let (name, numbers) = text.split_once('=').ok_or_else(form)?;
        let (pattern, case) = name.split_once('/').map_or((name, None), |(pattern, case)| (pattern, Some(case)));
        let mut numbers = numbers.split(',');
        let per_day = numbers.next().and_then(|number| number.parse().ok()).ok_or_else(form)?;
        let mut calls = Self { case: case.map(str::to_owned), ..Self::new(pattern, per_day) };
        for pair in numbers {
            let (size, number) = pair.split_once('=').ok_or_else(form)?;
            let kb = || number.parse().map(Some).map_err(|_| form());
            match size {
                "written" => calls.written_kb = kb()?,
                "read" => calls.read_kb = kb()?,
                "index" => calls.index_kb = kb()?,
                "members" => calls.members = Some(number.parse().map_err(|_| form())?),
                "items" => calls.items = number.parse().map_err(|_| form())?,
                _ => {
                    let choices = "written, read, index, members, items".to_owned();
                    return Err(Error::NoChoice { what: "size", given: size.to_owned(), choices });
                }
            }
        }
        Ok(calls)
    }
}
