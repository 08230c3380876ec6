//! Reads of one item, of a page of a partition, and of a page of the table.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::DynamoDbStore;
use super::convert::{self, SdkItem, capacity, values_to_sdk};
use crate::aws::{Call, Effect};
use crate::capacity::Consistency;
use crate::error::Result;
use crate::item::Item;
use crate::key::GSI1;
use crate::request::{Expressions, Get, GetOutput, Order, PageOutput, Query, QuerySource, Scan};

impl DynamoDbStore {
    pub(super) async fn send_get(&self, request: Get) -> Result<GetOutput> {
        let call = Call::read("get", &self.table);
        let sending = self
            .client
            .get_item()
            .table_name(&*self.table)
            .set_key(Some(convert::key_to_sdk(&request.key)))
            .consistent_read(request.consistency == Consistency::Strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        let sent = sending.customize().interceptor(call.attempts.clone()).send().await;
        let answer = sent.map_err(|error| call.error(&error))?;
        Ok(GetOutput { item: self.unexpired(answer.item), capacity: capacity(Effect::Read, &answer.consumed_capacity) })
    }

    pub(super) async fn send_query(&self, request: Query) -> Result<PageOutput> {
        let call = Call::read("query", &self.table);
        let Expressions { condition, names, values, .. } = request.expressions();
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
        let sent = sending.customize().interceptor(call.attempts.clone()).send().await;
        let answer = sent.map_err(|error| call.error(&error))?;
        Ok(PageOutput {
            items: self.all_unexpired(answer.items.unwrap_or_default()),
            next: convert::next_of_query(&request, answer.last_evaluated_key)?,
            capacity: capacity(Effect::Read, &answer.consumed_capacity),
        })
    }

    pub(super) async fn send_scan(&self, request: Scan) -> Result<PageOutput> {
        let call = Call::read("scan", &self.table);
        let sending = self
            .client
            .scan()
            .table_name(&*self.table)
            .set_limit(request.limit.map(|limit| i32::try_from(limit.get()).unwrap_or(i32::MAX)))
            .set_exclusive_start_key(request.start.as_ref().map(convert::position_to_sdk))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        let sent = sending.customize().interceptor(call.attempts.clone()).send().await;
        let answer = sent.map_err(|error| call.error(&error))?;
        Ok(PageOutput {
            items: self.all_unexpired(answer.items.unwrap_or_default()),
            next: convert::next_of_scan(&request, answer.last_evaluated_key)?,
            capacity: capacity(Effect::Read, &answer.consumed_capacity),
        })
    }

    /// Returns the item, unless it has expired.
    pub(super) fn unexpired(&self, item: Option<SdkItem>) -> Option<Item> {
        item.map(convert::item_from_sdk).filter(|item| !item.is_expired(self.clock.now()))
    }

    /// Returns the items that have not expired.
    pub(super) fn all_unexpired(&self, items: Vec<SdkItem>) -> Vec<Item> {
        let now = self.clock.now();
        items.into_iter().map(convert::item_from_sdk).filter(|item| !item.is_expired(now)).collect()
    }
}
