//! Conditions, updates and key conditions as expressions. Names and values only ever stand in them as placeholders, so that
//! no input can change what an expression means.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue as SdkValue;
use serde_dynamo::AttributeValue;

use crate::key::{GSI1PK, GSI1SK, PK, SK};
use crate::request::{AttributeChange, Comparison, Condition, Query, QuerySource, SortRange, Update};

/// What the placeholders of one request's expressions stand for.
#[derive(Default)]
pub(super) struct Placeholders {
    names: Vec<String>,
    values: Vec<SdkValue>,
}

impl Placeholders {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The names by placeholder; `None` where there are none, for DynamoDB refuses an empty map.
    pub(super) fn names(&mut self) -> Option<HashMap<String, String>> {
        let names = std::mem::take(&mut self.names);
        (!names.is_empty())
            .then(|| names.into_iter().enumerate().map(|(place, name)| (format!("#n{place}"), name)).collect())
    }

    /// The values by placeholder; `None` where there are none.
    pub(super) fn values(&mut self) -> Option<HashMap<String, SdkValue>> {
        let values = std::mem::take(&mut self.values);
        (!values.is_empty())
            .then(|| values.into_iter().enumerate().map(|(place, value)| (format!(":v{place}"), value)).collect())
    }

    pub(super) fn condition(&mut self, condition: &Condition) -> String {
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
                format!("{} {operator} {}", self.name(name), self.value(value))
            }
            Condition::All(conditions) => self.joined(" AND ", conditions),
            Condition::Any(conditions) => self.joined(" OR ", conditions),
            Condition::Not(condition) => format!("NOT ({})", self.condition(condition)),
        }
    }

    fn joined(&mut self, operator: &str, conditions: &[Condition]) -> String {
        // One alone stands as it is: DynamoDB refuses parentheses around parentheses.
        if let [only] = conditions {
            return self.condition(only);
        }
        let parts: Vec<_> = conditions
            .iter()
            .map(|condition| {
                let part = self.condition(condition);
                if is_joined(condition) { format!("({part})") } else { part }
            })
            .collect();
        parts.join(operator)
    }

    pub(super) fn update(&mut self, update: &Update) -> String {
        let (mut set, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for (name, change) in update.changes() {
            let name = self.name(name);
            match change {
                AttributeChange::Set(value) => set.push(format!("{name} = {}", self.value(value))),
                AttributeChange::SetIfAbsent(value) => {
                    set.push(format!("{name} = if_not_exists({name}, {})", self.value(value)))
                }
                AttributeChange::Add(number) => {
                    add.push(format!("{name} {}", self.value(&AttributeValue::N(number.to_string()))));
                }
                AttributeChange::Remove => remove.push(name),
            }
        }
        let sections: Vec<_> = [("SET", set), ("ADD", add), ("REMOVE", remove)]
            .into_iter()
            .filter(|(_, actions)| !actions.is_empty())
            .map(|(keyword, actions)| format!("{keyword} {}", actions.join(", ")))
            .collect();
        sections.join(" ")
    }

    pub(super) fn key_condition(&mut self, query: &Query) -> String {
        let (pk, sk) = match &query.source {
            QuerySource::Table { .. } => (PK, SK),
            QuerySource::Index { .. } => (GSI1PK, GSI1SK),
        };
        let partition = format!("{} = {}", self.name(pk), self.text(query.partition().as_str()));
        let range = match &query.range {
            SortRange::All => return partition,
            SortRange::BeginsWith(prefix) => format!("begins_with({}, {})", self.name(sk), self.text(prefix.as_str())),
            SortRange::Before(end) => format!("{} < {}", self.name(sk), self.text(end.as_str())),
            SortRange::After(start) => format!("{} > {}", self.name(sk), self.text(start.as_str())),
            SortRange::Between(low, high) => {
                format!("{} BETWEEN {} AND {}", self.name(sk), self.text(low.as_str()), self.text(high.as_str()))
            }
        };
        format!("{partition} AND {range}")
    }

    /// One placeholder for a name, however often it is used: this keeps long expressions short.
    fn name(&mut self, name: &str) -> String {
        let place = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#n{place}")
    }

    fn value(&mut self, value: &AttributeValue) -> String {
        self.values.push(value.clone().into());
        format!(":v{}", self.values.len() - 1)
    }

    fn text(&mut self, text: &str) -> String {
        self.values.push(SdkValue::S(text.to_owned()));
        format!(":v{}", self.values.len() - 1)
    }
}

/// Whether the condition renders as several parts with an operator between them.
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
    use crate::key::{PartitionKey, SortKey, SortKeyPrefix};

    fn n(number: i64) -> AttributeValue {
        AttributeValue::N(number.to_string())
    }

    fn condition(condition: &Condition) -> String {
        Placeholders::new().condition(condition)
    }

    fn query(range: SortRange) -> String {
        Placeholders::new().key_condition(&Query::table(PartitionKey::parse("MSG#1").unwrap()).range(range))
    }

    #[test]
    fn names_and_values_are_placeholders_and_nothing_else() {
        let mut placeholders = Placeholders::new();
        let hostile = "a) OR attribute_exists(pk";
        let text = placeholders.condition(&Condition::eq(hostile, AttributeValue::S("' OR 1=1".into())));
        assert_eq!(text, "#n0 = :v0");
        assert_eq!(placeholders.names().unwrap()["#n0"], hostile);
        assert_eq!(placeholders.values().unwrap()[":v0"], SdkValue::S("' OR 1=1".into()));
    }

    #[test]
    fn without_names_or_values_there_is_no_map() {
        let mut placeholders = Placeholders::new();
        assert_eq!(placeholders.condition(&Condition::item_absent()), "attribute_not_exists(#n0)");
        assert_eq!(placeholders.values(), None);
        assert_eq!(Placeholders::new().names(), None);
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
    fn nesting_is_kept_by_parentheses() {
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
        let mut placeholders = Placeholders::new();
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
        assert_eq!(placeholders.condition(&Condition::eq("version", n(3))), "#n2 = :v4", "the numbers go on");
        assert_eq!(placeholders.values().unwrap()[":v3"], SdkValue::N("-2".into()));
    }

    #[test]
    fn every_range_of_sort_keys_has_its_key_condition() {
        let sk = |text: &str| SortKey::parse(text).unwrap();
        assert_eq!(query(SortRange::All), "#n0 = :v0");
        assert_eq!(query(SortRange::Before(sk("b"))), "#n0 = :v0 AND #n1 < :v1");
        assert_eq!(query(SortRange::After(sk("b"))), "#n0 = :v0 AND #n1 > :v1");
        assert_eq!(query(SortRange::Between(sk("a"), sk("b"))), "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2");
        assert_eq!(
            query(SortRange::BeginsWith(SortKeyPrefix::new((crate::tag!("USER"),)))),
            "#n0 = :v0 AND begins_with(#n1, :v1)"
        );
    }

    #[test]
    fn the_index_is_queried_by_its_own_attributes() {
        let mut placeholders = Placeholders::new();
        let query = Query::index(PartitionKey::parse("USER#1").unwrap());
        placeholders.key_condition(&query.range(SortRange::After(SortKey::parse("GRP").unwrap())));
        let names = placeholders.names().unwrap();
        assert_eq!((names["#n0"].as_str(), names["#n1"].as_str()), (GSI1PK, GSI1SK));
    }
}
