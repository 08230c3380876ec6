//! Transactions: all actions or none.

use aws_sdk_dynamodb::Error as DynamoDbError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};

use super::DynamoDbStore;
use super::convert::{capacity, item_to_sdk, key_to_sdk, values_to_sdk};
use crate::aws::{Call, Effect, Failure, incomplete};
use crate::capacity::{Capacity, Units};
use crate::error::{Error, ErrorKind, Result};
use crate::request::{
    CancelCode, CancelReason, Expressions, TransactAction, TransactOutcome, Transaction, Write, WriteAction,
};

/// The code of an action that did not cancel the transaction.
const NO_REASON: &str = "None";

impl DynamoDbStore {
    pub(super) async fn send_transact(&self, request: Transaction) -> Result<TransactOutcome> {
        let effect = Effect::Transact { updates: request.actions.iter().any(is_update) };
        let call = Call { effect, ..Call::write("transact", &self.table) };
        // All attempts share one token. With a new token for each attempt, as the SDK generates, a lost attempt and a
        // later one could both be done. A canceled transaction does not use up its token.
        let token = match &request.token {
            Some(token) => token.as_str().to_owned(),
            None => self.ids.next(self.clock.now()).to_string(),
        };
        let mut failed = 0;
        loop {
            let items = request.actions.iter().map(|action| self.transact_item(action)).collect::<Result<_>>()?;
            let sending = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items))
                .client_request_token(&token)
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
            let sent = sending.customize().interceptor(call.attempts.clone()).send().await;
            let failure = match sent {
                Ok(answer) => {
                    let consumed = answer.consumed_capacity.unwrap_or_default();
                    return Ok(TransactOutcome::Done { capacity: capacity(effect, &consumed) });
                }
                Err(error) => Box::<Failure>::from(error),
            };
            let Some(DynamoDbError::TransactionCanceledException(canceled)) = &failure.error else {
                return Err(failure.into_error(&call));
            };
            let reasons = canceled.cancellation_reasons();
            let is_reason = |reason: &CancellationReason| reason.code().is_some_and(|code| code != NO_REASON);
            if reasons.len() != request.actions.len() || !reasons.iter().any(is_reason) {
                let message = "the transaction was canceled without a reason from the service; nothing was written";
                return Err(Error::new(ErrorKind::Misconfigured, message));
            }
            let reasons = reasons.iter().zip(&request.actions);
            let reasons = reasons.map(|(reason, action)| self.reason(reason, action)).collect::<Result<Vec<_>>>()?;
            if is_temporary(&reasons) {
                failed += 1;
                if self.backoff.pause(call.operation, failed).await {
                    continue;
                }
            }
            let least = reasons.len().saturating_mul(2);
            let capacity = Capacity::writes(Units::whole(u64::try_from(least).unwrap_or(u64::MAX)));
            return Ok(TransactOutcome::Canceled { reasons, capacity });
        }
    }

    fn reason(&self, reason: &CancellationReason, action: &TransactAction) -> Result<CancelReason> {
        let code = match reason.code().unwrap_or(NO_REASON) {
            NO_REASON => CancelCode::None,
            "ConditionalCheckFailed" => CancelCode::ConditionFailed,
            "TransactionConflict" => CancelCode::Conflict,
            "ThrottlingError" | "ProvisionedThroughputExceeded" => CancelCode::Throttled,
            "ItemCollectionSizeLimitExceeded" => CancelCode::Invalid,
            "ValidationError" if is_update(action) => CancelCode::Invalid,
            // The crate has checked the other actions, so the cause is the table.
            "ValidationError" => {
                let message = "the service refused an action as invalid: the table has other keys; verify the table";
                return Err(Error::new(ErrorKind::Misconfigured, message));
            }
            _ => {
                let message = "the transaction was canceled for a reason unknown to this version; nothing was written";
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
        };
        Ok(CancelReason { code, current: self.unexpired(reason.item.clone()) })
    }

    fn transact_item(&self, action: &TransactAction) -> Result<TransactWriteItem> {
        let key = action.key()?;
        let item = TransactWriteItem::builder();
        let write = match action {
            TransactAction::Write(write) => write,
            TransactAction::Check { .. } => {
                let Expressions { condition, names, values, .. } = action.expressions();
                let values = values.map(values_to_sdk);
                let check = ConditionCheck::builder()
                    .table_name(&*self.table)
                    .set_key(Some(key_to_sdk(key)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                return Ok(item.condition_check(check.build().map_err(incomplete)?).build());
            }
        };
        let Expressions { update, condition, names, values } = write.expressions();
        let values = values.map(values_to_sdk);
        let current = write.return_old.then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        let item = match &write.action {
            WriteAction::Put(put) => {
                let put = Put::builder()
                    .table_name(&*self.table)
                    .set_item(Some(item_to_sdk(put.clone())))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(current);
                item.put(put.build().map_err(incomplete)?)
            }
            WriteAction::Update(_) => {
                let update = Update::builder()
                    .table_name(&*self.table)
                    .set_key(Some(key_to_sdk(key)))
                    .set_update_expression(update)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(current);
                item.update(update.build().map_err(incomplete)?)
            }
            WriteAction::Delete => {
                let delete = Delete::builder()
                    .table_name(&*self.table)
                    .set_key(Some(key_to_sdk(key)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(current);
                item.delete(delete.build().map_err(incomplete)?)
            }
        };
        Ok(item.build())
    }
}

fn is_update(action: &TransactAction) -> bool {
    matches!(action, TransactAction::Write(Write { action: WriteAction::Update(_), .. }))
}

/// Returns `true` if a retry may succeed, because only conflicts and throttling canceled the transaction.
fn is_temporary(reasons: &[CancelReason]) -> bool {
    let mut codes = reasons.iter().map(|reason| reason.code).filter(|code| *code != CancelCode::None).peekable();
    codes.peek().is_some() && codes.all(|code| matches!(code, CancelCode::Conflict | CancelCode::Throttled))
}
