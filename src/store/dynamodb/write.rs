//! Writes of one item.

use aws_sdk_dynamodb::Error as DynamoDbError;
use aws_sdk_dynamodb::types::{
    ConsumedCapacity, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
};

use super::DynamoDbStore;
use super::convert::{SdkItem, capacity, item_to_sdk, key_to_sdk, values_to_sdk};
use crate::aws::{Attempts, Call, Effect, Failure};
use crate::capacity::{Capacity, Units};
use crate::error::Result;
use crate::key::Key;
use crate::request::{Expressions, Write, WriteAction, WriteOutcome};

/// The item before the write, and the consumed capacity.
type Written = (Option<SdkItem>, Option<ConsumedCapacity>);

impl DynamoDbStore {
    pub(super) async fn send_write(&self, mut request: Write) -> Result<WriteOutcome> {
        let key = request.key()?.clone();
        let mut item = match &mut request.action {
            WriteAction::Put(item) => Some(item_to_sdk(std::mem::take(item))),
            WriteAction::Update(_) | WriteAction::Delete => None,
        };
        let effect = Effect::WriteItem { updates: matches!(request.action, WriteAction::Update(_)) };
        let call = Call { effect, ..Call::write("write", &self.table) };
        let mut failed = 0;
        loop {
            // The last attempt needs no copy.
            let put = if self.backoff.allows_another(failed + 1) { item.clone() } else { item.take() };
            let failure = match self.attempt_write(&request, &key, put, &call.attempts).await {
                Ok((old, consumed)) => {
                    let (old, capacity) = (self.unexpired(old), capacity(effect, &consumed));
                    return Ok(WriteOutcome::Done { old, capacity });
                }
                Err(failure) => failure,
            };
            match failure.error {
                Some(DynamoDbError::ConditionalCheckFailedException(refused)) => {
                    let current = self.unexpired(refused.item);
                    return Ok(WriteOutcome::Refused { current, capacity: Capacity::writes(Units::whole(1)) });
                }
                // Nothing was written, so a retry is safe. The SDK does not retry this error.
                Some(DynamoDbError::TransactionConflictException(_)) => {
                    failed += 1;
                    if self.backoff.pause(call.operation, failed).await {
                        continue;
                    }
                }
                _ => {}
            }
            return Err(failure.into_error(&call));
        }
    }

    async fn attempt_write(
        &self,
        request: &Write,
        key: &Key,
        put: Option<SdkItem>,
        attempts: &Attempts,
    ) -> Result<Written, Box<Failure>> {
        let Expressions { update, condition, names, values } = request.expressions();
        let values = values.map(values_to_sdk);
        let old = if request.return_old { ReturnValue::AllOld } else { ReturnValue::None };
        let current = request.return_old.then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(match &request.action {
            WriteAction::Put(_) => {
                let put = self
                    .client
                    .put_item()
                    .table_name(&*self.table)
                    .set_item(put)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values(old)
                    .set_return_values_on_condition_check_failure(current)
                    .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
                let answer = put.customize().interceptor(attempts.clone()).send().await?;
                (answer.attributes, answer.consumed_capacity)
            }
            WriteAction::Update(_) => {
                let update = self
                    .client
                    .update_item()
                    .table_name(&*self.table)
                    .set_key(Some(key_to_sdk(key)))
                    .set_update_expression(update)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values(old)
                    .set_return_values_on_condition_check_failure(current)
                    .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
                let answer = update.customize().interceptor(attempts.clone()).send().await?;
                (answer.attributes, answer.consumed_capacity)
            }
            WriteAction::Delete => {
                let delete = self
                    .client
                    .delete_item()
                    .table_name(&*self.table)
                    .set_key(Some(key_to_sdk(key)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values(old)
                    .set_return_values_on_condition_check_failure(current)
                    .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
                let answer = delete.customize().interceptor(attempts.clone()).send().await?;
                (answer.attributes, answer.consumed_capacity)
            }
        })
    }
}
