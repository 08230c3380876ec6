//! DynamoDB's 2 MB limit on the names and values of one request's expressions ([expression parameters][limit]).
//!
//! [limit]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html

use serde_dynamo::AttributeValue;

use crate::error::{Error, Result};
use crate::item::attribute_size;

/// The maximum size of all names and values of the update and the condition together: 2 MB.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The names and values of a request, with repetitions.
#[derive(Default)]
pub(super) struct Substituted<'a> {
    names: Vec<&'a str>,
    values: usize,
    bytes_of_values: usize,
}

impl<'a> Substituted<'a> {
    pub(super) fn name(mut self, name: &'a str) -> Self {
        self.names.push(name);
        self
    }

    pub(super) fn value(mut self, value: &AttributeValue) -> Self {
        self.values += 1;
        self.bytes_of_values += attribute_size("", value);
        self
    }

    /// Checks the 2 MB limit.
    pub(super) fn check(mut self) -> Result<()> {
        let bytes = self.bytes();
        if bytes > MAX_BYTES {
            return Err(Error::invalid(format!(
                "the names and values of the update and the condition are {bytes} bytes; the limit is 2 MB"
            )));
        }
        Ok(())
    }

    /// Returns the size of the names, the values and their placeholders. Each name counts once. DynamoDB Local counts
    /// the placeholders.
    fn bytes(&mut self) -> usize {
        self.names.sort_unstable();
        self.names.dedup();
        let names: usize = self.names.iter().map(|name| name.len()).sum();
        names + self.bytes_of_values + bytes_of_placeholders(self.names.len()) + bytes_of_placeholders(self.values)
    }
}

/// Returns the size of the first `count` placeholders (`#n0`, `#n1` ...). No request has a thousand.
fn bytes_of_placeholders(count: usize) -> usize {
    3 * count + count.saturating_sub(10) + count.saturating_sub(100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::request::{Condition, Update};

    fn text(bytes: usize) -> AttributeValue {
        AttributeValue::S("x".repeat(bytes))
    }

    fn assert_fits(update: Option<&Update>, condition: Option<&Condition>, fits: bool) {
        let substituted = update.map_or_else(Substituted::default, |update| update.substitute(Substituted::default()));
        let substituted = match condition {
            Some(condition) => condition.substitute(substituted),
            None => substituted,
        };
        match substituted.check() {
            Ok(()) => assert!(fits, "more than 2 MB was accepted"),
            Err(error) => assert!(!fits && error.kind() == ErrorKind::Invalid, "{error}"),
        }
    }

    #[test]
    fn names_values_and_their_placeholders_have_at_most_2_mb() {
        // DynamoDB Local has the same limit. `a`, `#n0` and `:v0` are the 7 bytes.
        let condition = |bytes| Condition::eq("a", text(bytes));
        assert_fits(None, Some(&condition(MAX_BYTES - 7)), true);
        assert_fits(None, Some(&condition(MAX_BYTES - 6)), false);
        assert!(condition(MAX_BYTES - 7).check().is_ok());
        assert!(condition(MAX_BYTES - 6).check().is_err());
        let update = |bytes| Update::new().set_if_absent("a", text(bytes));
        assert!(update(MAX_BYTES - 7).check().is_ok());
        assert!(update(MAX_BYTES - 6).check().is_err());
    }

    #[test]
    fn an_update_and_its_condition_share_2_mb_and_their_names() {
        let name = "n".repeat(60_000);
        let update = Update::new().set(name.clone(), text(1_000_000)).add("b", -12).remove("c");
        // Three names and three values, with a placeholder each. `-12` is 3 bytes.
        let rest = MAX_BYTES - 60_000 - 2 - 1_000_000 - 3 - 3 * 3 - 3 * 3;
        let condition = |bytes| {
            Condition::All(vec![Condition::exists(name.clone()), Condition::eq(name.clone(), text(bytes)).not()])
        };
        assert_fits(Some(&update), Some(&condition(rest)), true);
        assert_fits(Some(&update), Some(&condition(rest + 1)), false);
        assert_fits(Some(&update), None, true);
        assert_fits(None, Some(&condition(rest + 1)), true);
    }

    #[test]
    fn placeholders_are_as_long_as_their_numbers() {
        for count in [0, 1, 10, 11, 100, 101, 200] {
            let expected: usize = (0..count).map(|number| format!("#n{number}").len()).sum();
            assert_eq!(bytes_of_placeholders(count), expected, "{count} placeholders");
        }
    }
}
