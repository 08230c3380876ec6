//! Conditions, updates and key conditions as expressions.
//!
//! An expression contains placeholders instead of names and values, so no input can change its meaning.

use std::collections::HashMap;
use std::fmt;

use serde_dynamo::AttributeValue;

use super::condition::{Comparison, Condition};
use super::query::{Query, QuerySource, SortRange};
use super::transaction::TransactAction;
use super::update::{AttributeChange, Update};
use super::write::{Write, WriteAction};
use crate::error::{Error, Result};
use crate::item::attribute_size;
use crate::key::{GSI1PK, GSI1SK, PK, SK};

/// The DynamoDB expressions of one write, query or transaction action, and the contents of their placeholders.
///
/// `DynamoDbStore` sends exactly these texts and maps. A map without entries is `None`, because DynamoDB refuses an
/// empty map. `Debug` shows no values.
///
/// ```
/// use threadline::entity::{Key, PartitionKey, SortKey};
/// use threadline::store::{Condition, Update, Write};
///
/// let key = Key::new(PartitionKey::parse("NOTE#1")?, SortKey::parse("NOTE")?);
/// let write = Write::update(key, Update::new().set("title", "Babylon 5")).when(Condition::item_exists());
/// let expressions = write.expressions();
/// assert_eq!(expressions.update.as_deref(), Some("SET #n0 = :v0"));
/// assert_eq!(expressions.condition.as_deref(), Some("attribute_exists(#n1)"));
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Expressions {
    /// The text of an update's changes, such as `SET #n0 = :v0`.
    pub update: Option<String>,
    /// The text of the condition. For a query, this is the key condition.
    pub condition: Option<String>,
    /// The names of attributes, by their placeholders, such as `#n0`.
    pub names: Option<HashMap<String, String>>,
    /// The values, by their placeholders, such as `:v0`.
    pub values: Option<HashMap<String, AttributeValue>>,
}

/// The maximum size of all names and values of one request's expressions: 2 MB ([expression parameters][limit]).
///
/// [limit]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
pub(super) const MAX_EXPRESSION_BYTES: usize = 2 * 1024 * 1024;

impl Expressions {
    /// Checks the 2 MB limit on names and values of this size. DynamoDB Local counts their placeholders too.
    ///
    /// Rendering is slow. Smaller expressions always fit: placeholders and added numbers are a few KB at most.
    pub(super) fn check(size: usize, render: impl FnOnce() -> Self) -> Result<()> {
        if size <= MAX_EXPRESSION_BYTES / 2 {
            return Ok(());
        }
        let Self { names, values, .. } = render();
        let names = names.iter().flatten().map(|(placeholder, name)| placeholder.len() + name.len());
        let values = values.iter().flatten().map(|(placeholder, value)| attribute_size(placeholder, value));
        let bytes: usize = names.chain(values).sum();
        if bytes > MAX_EXPRESSION_BYTES {
            return Err(Error::invalid(format!(
                "the names and values of the update and the condition are {bytes} bytes; the limit is 2 MB"
            )));
        }
        Ok(())
    }
}

impl fmt::Debug for Expressions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { update, condition, names, values: _ } = self;
        f.debug_struct("Expressions")
            .field("update", update)
            .field("condition", condition)
            .field("names", names)
            .finish_non_exhaustive()
    }
}

impl Write {
    /// Returns the texts of the write's changes and condition, as DynamoDB receives them.
    pub fn expressions(&self) -> Expressions {
        let mut placeholders = Placeholders::default();
        let update = match &self.action {
            WriteAction::Update(update) => Some(placeholders.update(update)),
            WriteAction::Put(_) | WriteAction::Delete => None,
        };
        let condition = self.condition.as_ref().map(|condition| placeholders.condition(condition));
        placeholders.into_expressions(update, condition)
    }
}

impl TransactAction {
    /// Returns the texts of the action's changes and condition, as DynamoDB receives them.
    pub fn expressions(&self) -> Expressions {
        match self {
            Self::Write(write) => write.expressions(),
            Self::Check { condition, .. } => condition.expressions(),
        }
    }
}

impl Condition {
    fn expressions(&self) -> Expressions {
        let mut placeholders = Placeholders::default();
        let condition = placeholders.condition(self);
        placeholders.into_expressions(None, Some(condition))
    }
}

impl Query {
    /// Returns the text of the query's key condition, as DynamoDB receives it.
    pub fn expressions(&self) -> Expressions {
        let mut placeholders = Placeholders::default();
        let condition = placeholders.key_condition(self);
        placeholders.into_expressions(None, Some(condition))
    }
}

/// The names and values of one request's expressions, by placeholder.
#[derive(Default)]
struct Placeholders {
    /// The names for `#n0`, `#n1` and so on.
    names: Vec<String>,
    /// The values for `:v0`, `:v1` and so on.
    values: Vec<AttributeValue>,
}

impl Placeholders {
    /// Combines the rendered expressions with their names and values.
    fn into_expressions(self, update: Option<String>, condition: Option<String>) -> Expressions {
        let (names, values) = (by_placeholder(NAME, self.names), by_placeholder(VALUE, self.values));
        Expressions { update, condition, names, values }
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Exists(name) => format!("attribute_exists({})", self.name(name)),
            Condition::Absent(name) => format!("attribute_not_exists({})", self.name(name)),
            Condition::Compare(name, comparison, value) => {
                let operator = match comparison {
                    Comparison::Eq => "=",
                    Comparison::Ne => "<>",
                    Comparison::Lt => "<",
                    Comparison::Le => "<=",
                    Comparison::Gt => ">",
                    Comparison::Ge => ">=",
                };
                format!("{} {operator} {}", self.name(name), self.value(value.clone()))
            }
            Condition::All(conditions) => self.joined(" AND ", conditions),
            Condition::Any(conditions) => self.joined(" OR ", conditions),
            Condition::Not(condition) => format!("NOT ({})", self.condition(condition)),
        }
    }

    fn joined(&mut self, operator: &str, conditions: &[Condition]) -> String {
        // A single condition gets no parentheses, because DynamoDB refuses doubled ones.
        if let [only] = conditions {
            return self.condition(only);
        }
        let parts: Vec<_> = conditions
            .iter()
            .map(|condition| match self.condition(condition) {
                text if is_joined(condition) => format!("({text})"),
                text => text,
            })
            .collect();
        parts.join(operator)
    }

    fn update(&mut self, update: &Update) -> String {
        let (mut set, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for (name, change) in update.changes() {
            let name = self.name(name);
            match change {
                AttributeChange::Set(value) => set.push(format!("{name} = {}", self.value(value.clone()))),
                AttributeChange::SetIfAbsent(value) => {
                    set.push(format!("{name} = if_not_exists({name}, {})", self.value(value.clone())));
                }
                AttributeChange::Add(number) => {
                    add.push(format!("{name} {}", self.value(AttributeValue::N(number.to_string()))));
                }
                AttributeChange::Remove => remove.push(name),
            }
        }
        let sections = [("SET", set), ("ADD", add), ("REMOVE", remove)];
        let sections = sections.iter().filter(|(_, changes)| !changes.is_empty());
        sections.map(|(keyword, changes)| format!("{keyword} {}", changes.join(", "))).collect::<Vec<_>>().join(" ")
    }

    fn key_condition(&mut self, query: &Query) -> String {
        let (pk, sk) = match &query.source {
            QuerySource::Table { .. } => (PK, SK),
            QuerySource::Index { .. } => (GSI1PK, GSI1SK),
        };
        let partition = format!("{} = {}", self.name(pk), self.text(query.partition().as_str()));
        let range = match &query.range {
            SortRange::All => return partition,
            SortRange::BeginsWith(prefix) => {
                format!("begins_with({}, {})", self.name(sk), self.text(prefix.as_str()))
            }
            SortRange::Before(end) => format!("{} < {}", self.name(sk), self.text(end.as_str())),
            SortRange::After(start) => format!("{} > {}", self.name(sk), self.text(start.as_str())),
            SortRange::Between(low, high) => {
                format!("{} BETWEEN {} AND {}", self.name(sk), self.text(low.as_str()), self.text(high.as_str()))
            }
        };
        format!("{partition} AND {range}")
    }

    /// Returns the placeholder of a name. A repeated name has one placeholder, which keeps long expressions short.
    fn name(&mut self, name: &str) -> String {
        let known = self.names.iter().position(|known| known == name);
        let number = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("{NAME}{number}")
    }

    fn text(&mut self, text: &str) -> String {
        self.value(AttributeValue::S(text.to_owned()))
    }

    fn value(&mut self, value: AttributeValue) -> String {
        self.values.push(value);
        format!("{VALUE}{}", self.values.len() - 1)
    }
}

/// The prefixes of the placeholders of names and of values.
const NAME: &str = "#n";
const VALUE: &str = ":v";

/// Returns a map by placeholder, or `None` if there are no entries.
fn by_placeholder<T>(prefix: &str, entries: Vec<T>) -> Option<HashMap<String, T>> {
    let by_placeholder = |(number, entry)| (format!("{prefix}{number}"), entry);
    (!entries.is_empty()).then(|| entries.into_iter().enumerate().map(by_placeholder).collect())
}

/// Returns `true` if the condition renders as several parts with an operator between them.
fn is_joined(condition: &Condition) -> bool {
    match condition {
        Condition::All(conditions) | Condition::Any(conditions) => match conditions.as_slice() {
            [only] => is_joined(only),
            _ => true,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Key, PartitionKey, SortKey, SortKeyPrefix};

    fn n(number: i64) -> AttributeValue {
        AttributeValue::N(number.to_string())
    }

    fn condition(condition: &Condition) -> String {
        Placeholders::default().condition(condition)
    }

    fn query(range: SortRange) -> String {
        Placeholders::default().key_condition(&Query::table(PartitionKey::parse("MSG#1").unwrap()).range(range))
    }

    #[test]
    fn names_and_values_are_placeholders_and_nothing_else() {
        let hostile = "a) OR attribute_exists(pk";
        let expressions = Condition::eq(hostile, AttributeValue::S("' OR 1=1".into())).expressions();
        assert_eq!(expressions.condition.as_deref(), Some("#n0 = :v0"));
        assert_eq!(expressions.names.unwrap()["#n0"], hostile);
        assert_eq!(expressions.values.unwrap()[":v0"], AttributeValue::S("' OR 1=1".into()));
    }

    #[test]
    fn without_names_or_values_there_is_no_map() {
        let expressions = Condition::item_absent().expressions();
        assert_eq!(expressions.condition.as_deref(), Some("attribute_not_exists(#n0)"));
        assert_eq!(expressions.values, None);
        let key = Key::new(PartitionKey::parse("GRP#1").unwrap(), SortKey::parse("GRP").unwrap());
        assert_eq!(Write::delete(key).expressions().names, None);
    }

    #[test]
    fn every_comparison_has_its_operator() {
        for (comparison, expected) in [
            (Comparison::Eq, "#n0 = :v0"),
            (Comparison::Ne, "#n0 <> :v0"),
            (Comparison::Lt, "#n0 < :v0"),
            (Comparison::Le, "#n0 <= :v0"),
            (Comparison::Gt, "#n0 > :v0"),
            (Comparison::Ge, "#n0 >= :v0"),
        ] {
            assert_eq!(condition(&Condition::Compare("a".into(), comparison, n(1))), expected);
        }
    }

    #[test]
    fn a_name_used_twice_has_one_placeholder() {
        let either = Condition::absent("last_read").or(Condition::lt("last_read", n(1)));
        assert_eq!(
            condition(&Condition::item_exists().and(either)),
            "attribute_exists(#n0) AND (attribute_not_exists(#n1) OR #n1 < :v0)"
        );
    }

    #[test]
    fn parentheses_preserve_nesting() {
        let inner = Condition::eq("c", n(3)).and(Condition::eq("d", n(4)).not());
        let middle = Condition::Any(vec![Condition::eq("b", n(2)), inner.not()]);
        let outer = Condition::All(vec![Condition::eq("a", n(1)), middle.clone(), middle.not()]);
        assert_eq!(
            condition(&outer),
            "#n0 = :v0 AND (#n1 = :v1 OR NOT (#n2 = :v2 AND NOT (#n3 = :v3))) \
             AND NOT (#n1 = :v4 OR NOT (#n2 = :v5 AND NOT (#n3 = :v6)))"
        );
    }

    #[test]
    fn a_list_of_one_adds_no_parentheses() {
        let either = || Condition::exists("a").or(Condition::exists("b"));
        let one = |condition| Condition::All(vec![Condition::Any(vec![condition])]);
        assert_eq!(condition(&one(either())), "attribute_exists(#n0) OR attribute_exists(#n1)");
        assert_eq!(
            condition(&one(either()).not()),
            "NOT (attribute_exists(#n0) OR attribute_exists(#n1))",
            "DynamoDB refuses doubled parentheses"
        );
        assert_eq!(
            condition(&Condition::All(vec![one(either()), Condition::exists("c")])),
            "(attribute_exists(#n0) OR attribute_exists(#n1)) AND attribute_exists(#n2)"
        );
    }

    #[test]
    fn an_update_has_one_section_for_each_kind_of_change() {
        let mut placeholders = Placeholders::default();
        let update = Update::new()
            .remove("draft")
            .set("title", AttributeValue::S("Babylon 5".into()))
            .add("version", 1)
            .set_if_absent("created", n(7))
            .add("count", -2)
            .remove("lock");
        assert_eq!(
            placeholders.update(&update),
            "SET #n1 = :v0, #n3 = if_not_exists(#n3, :v2) ADD #n2 :v1, #n4 :v3 REMOVE #n0, #n5"
        );
        assert_eq!(placeholders.condition(&Condition::eq("version", n(3))), "#n2 = :v4", "numbering continues");
        assert_eq!(placeholders.values[3], AttributeValue::N("-2".into()));
    }

    #[test]
    fn every_range_of_sort_keys_has_its_key_condition() {
        let sk = |text: &str| SortKey::parse(text).unwrap();
        assert_eq!(query(SortRange::All), "#n0 = :v0");
        assert_eq!(query(SortRange::Before(sk("b"))), "#n0 = :v0 AND #n1 < :v1");
        assert_eq!(query(SortRange::After(sk("b"))), "#n0 = :v0 AND #n1 > :v1");
        assert_eq!(query(SortRange::Between(sk("a"), sk("b"))), "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2");
        assert_eq!(
            query(SortRange::BeginsWith(SortKeyPrefix::new((crate::entity::tag!("USER"),)))),
            "#n0 = :v0 AND begins_with(#n1, :v1)"
        );
    }

    #[test]
    fn the_index_is_queried_by_its_own_attributes() {
        let query = Query::index(PartitionKey::parse("USER#1").unwrap());
        let range = SortRange::After(SortKey::parse("GRP").unwrap());
        let names = query.range(range).expressions().names.unwrap();
        assert_eq!((names["#n0"].as_str(), names["#n1"].as_str()), (GSI1PK, GSI1SK));
    }

    #[test]
    fn longest_valid_update_and_condition_fit_into_4_kb_each() {
        let names = |begin: &str| (0..100).map(|number| format!("{begin}{number}")).collect::<Vec<_>>();
        let update = names("u").into_iter().fold(Update::new(), |update, name| update.set_if_absent(name, n(1)));
        // 300 operators: 100 functions, 99 between them, and 101 NOTs, which render longest.
        let absent = names("c").into_iter().enumerate().map(|(number, name)| {
            let nots = if number == 0 { 1 } else { 2 * usize::from(number <= 50) };
            (0..nots).fold(Condition::absent(name), |inner, _| inner.not())
        });
        let absent: Vec<_> = absent.collect();
        let parts = absent.chunks(2).map(|pair| Condition::Any(pair.to_vec()));
        let condition = Condition::All(parts.collect());
        assert!(update.check().is_ok() && condition.check().is_ok() && condition.clone().not().check().is_err());
        let mut placeholders = Placeholders::default();
        let texts = [placeholders.update(&update), placeholders.condition(&condition)];
        assert!(
            texts.iter().all(|text| text.len() > 3_000 && text.len() <= 4_096),
            "{:?}",
            texts.map(|text| text.len())
        );
    }

    #[test]
    fn placeholders_after_nine_have_more_digits() {
        let of_each = (0..101).map(|number| Condition::eq(format!("name {number}"), n(number))).collect();
        let expressions = Condition::All(of_each).expressions();
        let text = expressions.condition.unwrap();
        assert!(text.contains(" AND #n9 = :v9 AND #n10 = :v10 AND ") && text.ends_with(" AND #n100 = :v100"), "{text}");
        let (names, values) = (expressions.names.unwrap(), expressions.values.unwrap());
        assert_eq!((names.len(), values.len()), (101, 101));
        assert_eq!((names["#n100"].as_str(), &values[":v100"]), ("name 100", &AttributeValue::N("100".into())));
    }
}
