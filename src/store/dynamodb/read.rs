//! Reading one item, or a page of a partition or of the table.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::DynamoDbStore;
use super::convert::{self, SdkItem, capacity, values_to_sdk};
use crate::aws::{Attempts, Call, Effect, Failure};
use crate::capacity::Consistency;
use crate::error::Result;
use crate::item::Item;
use crate::key::GSI1;
use crate::request::{Expressions, Get, GetOutput, Order, PageOutput, Query, QuerySource, Scan};

impl DynamoDbStore {
    pub(super) async fn send_get(&self, request: Get) -> Result<GetOutput> {
        let attempts = Attempts::new();
        let call = self.call("get", Effect::Read, &attempts);
        let sending = self
            .client
            .get_item()
            .table_name(&*self.table)
            .set_key(Some(convert::key_to_sdk(&request.key)))
            .consistent_read(request.consistency == Consistency::Strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        let sent = sending.customize().interceptor(attempts.clone()).send().await;
        let answer = sent.map_err(|error| Box::<Failure>::from(error).into_error(call))?;
        Ok(GetOutput {
            item: self.unexpired(answer.item)?,
            capacity: capacity(Effect::Read, &answer.consumed_capacity),
        })
    }

    pub(super) async fn send_query(&self, request: Query) -> Result<PageOutput> {
        let attempts = Attempts::new();
        let call = self.call("query", Effect::Read, &attempts);
        let Expressions { condition, names, values, .. } = Expressions::of_query(&request);
        let (index, consistent) = match &request.source {
            QuerySource::Table { consistency, .. } => (None, *consistency == Consistency::Strong),
            QuerySource::Index { .. } => (Some(GSI1.to_owned()), false),
        };
        let sending = self
            .client
            .query()
            .table_name(&*self.table)
            .set_index_name(index)
            .consistent_read(consistent)
            .set_key_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values.map(values_to_sdk))
            .scan_index_forward(request.order == Order::Ascending)
            .set_limit(request.limit.map(|limit| i32::try_from(limit.get()).unwrap_or(i32::MAX)))
            .set_exclusive_start_key(request.start.as_ref().map(convert::position_to_sdk))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        let sent = sending.customize().interceptor(attempts.clone()).send().await;
        let answer = sent.map_err(|error| Box::<Failure>::from(error).into_error(call))?;
        Ok(PageOutput {
            items: self.all_unexpired(answer.items.unwrap_or_default())?,
            next: convert::next_of_query(&request, answer.last_evaluated_key)?,
            capacity: capacity(Effect::Read, &answer.consumed_capacity),
        })
    }

    pub(super) async fn send_scan(&self, request: Scan) -> Result<PageOutput> {
        let attempts = Attempts::new();
        let call = self.call("scan", Effect::Read, &attempts);
        let sending = self
            .client
            .scan()
            .table_name(&*self.table)
            .set_limit(request.limit.map(|limit| i32::try_from(limit.get()).unwrap_or(i32::MAX)))
            .set_exclusive_start_key(request.start.as_ref().map(convert::position_to_sdk))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        let sent = sending.customize().interceptor(attempts.clone()).send().await;
        let answer = sent.map_err(|error| Box::<Failure>::from(error).into_error(call))?;
        Ok(PageOutput {
            items: self.all_unexpired(answer.items.unwrap_or_default())?,
            next: convert::next_of_scan(&request, answer.last_evaluated_key)?,
            capacity: capacity(Effect::Read, &answer.consumed_capacity),
        })
    }

    pub(super) fn call<'a>(&'a self, operation: &'static str, effect: Effect, attempts: &'a Attempts) -> Call<'a> {
        Call { operation, table: &self.table, effect, attempts }
    }

    /// The item, unless it has expired.
    pub(super) fn unexpired(&self, item: Option<SdkItem>) -> Result<Option<Item>> {
        let Some(item) = item else { return Ok(None) };
        let item = convert::item_from_sdk(item);
        Ok((!item.is_expired(self.clock.now())).then_some(item))
    }

    /// The items that have not expired.
    pub(super) fn all_unexpired(&self, items: Vec<SdkItem>) -> Result<Vec<Item>> {
        let now = self.clock.now();
        let mut unexpired = Vec::with_capacity(items.len());
        for item in items {
            let item = convert::item_from_sdk(item);
            if !item.is_expired(now) {
                unexpired.push(item);
            }
        }
        Ok(unexpired)
    }
}
