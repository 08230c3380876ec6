//! Batches: rounds of requests until every part is done, or a retry makes no more progress.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::{
    ConsumedCapacity, DeleteRequest, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, WriteRequest,
};

use super::DynamoDbStore;
use super::convert::{SdkItem, capacity, item_from_sdk, item_to_sdk, key_to_sdk};
use crate::aws::{Attempts, Call, Effect, Failure, incomplete};
use crate::capacity::{Capacity, Consistency};
use crate::error::{ErrorKind, Result};
use crate::item::Item;
use crate::key::Key;
use crate::request::{BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput};

/// The answer to one round.
struct Round {
    items: Vec<SdkItem>,
    /// The unprocessed parts: items, or only keys.
    unprocessed: Vec<SdkItem>,
    consumed: Vec<ConsumedCapacity>,
}

impl DynamoDbStore {
    pub(super) async fn send_batch_get(&self, request: BatchGet) -> Result<BatchGetOutput> {
        let mut pending = request.keys.into_iter().map(|key| (key, ())).collect();
        let send = |pending: &[(Key, ())], attempts: Attempts| {
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(pending.iter().map(|(key, ())| key_to_sdk(key)).collect()))
                .consistent_read(request.consistency == Consistency::Strong)
                .build()
                .map_err(incomplete)?;
            let sending = self
                .client
                .batch_get_item()
                .request_items(&*self.table, keys)
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
            Ok(async move {
                let answer = sending.customize().interceptor(attempts).send().await?;
                let unprocessed = answer.unprocessed_keys.unwrap_or_default();
                Ok(Round {
                    items: answer.responses.unwrap_or_default().into_values().flatten().collect(),
                    unprocessed: unprocessed.into_values().flat_map(|keys| keys.keys).collect(),
                    consumed: answer.consumed_capacity.unwrap_or_default(),
                })
            })
        };
        let (items, capacity) = self.rounds("batch_get", Effect::Read, &mut pending, send).await?;
        Ok(BatchGetOutput { items, unprocessed: pending.into_iter().map(|(key, ())| key).collect(), capacity })
    }

    pub(super) async fn send_batch_write(&self, request: BatchWrite) -> Result<BatchWriteOutput> {
        let pending = request.writes.into_iter().map(|write| Ok((write.key()?, write)));
        let mut pending = pending.collect::<Result<Vec<_>>>()?;
        let send = |pending: &[(Key, BatchAction)], attempts: Attempts| {
            let writes = pending.iter().map(|(_, write)| write_request(write)).collect::<Result<Vec<_>, _>>()?;
            let sending = self
                .client
                .batch_write_item()
                .request_items(&*self.table, writes)
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
            Ok(async move {
                let answer = sending.customize().interceptor(attempts).send().await?;
                let unprocessed = answer.unprocessed_items.unwrap_or_default().into_values().flatten();
                let unprocessed = unprocessed.filter_map(|write| {
                    let put = write.put_request.map(|put| put.item);
                    put.or_else(|| write.delete_request.map(|delete| delete.key))
                });
                let consumed = answer.consumed_capacity.unwrap_or_default();
                Ok(Round { items: Vec::new(), unprocessed: unprocessed.collect(), consumed })
            })
        };
        let (_, capacity) = self.rounds("batch_write", Effect::Write, &mut pending, send).await?;
        // The caller's own writes, because the service may return a number in another form.
        Ok(BatchWriteOutput { unprocessed: pending.into_iter().map(|(_, write)| write).collect(), capacity })
    }

    /// Sends rounds until nothing is pending, or the policy allows no further retry. Returns the items read, and the
    /// capacity that all rounds consumed.
    ///
    /// A round with progress resets the count of attempts. A partition returns at most 1 MB in a round, so a hundred
    /// large items take many rounds.
    async fn rounds<T, F>(
        &self,
        operation: &'static str,
        effect: Effect,
        pending: &mut Vec<(Key, T)>,
        send: impl Fn(&[(Key, T)], Attempts) -> Result<F>,
    ) -> Result<(Vec<Item>, Capacity)>
    where
        F: Future<Output = Result<Round, Box<Failure>>>,
    {
        let (mut items, mut consumed) = (Vec::new(), Capacity::default());
        let (mut is_first, mut without_progress) = (true, 0_u32);
        let attempts = Attempts::in_current_span();
        while !pending.is_empty() {
            let call = Call { operation, table: &self.table, effect, attempts: attempts.of_another_request() };
            let round = match send(pending, call.attempts.clone())?.await {
                Ok(round) => round,
                Err(failure) => {
                    let error = failure.into_error(&call);
                    // The answer keeps the work of earlier rounds, unless the outcome of this one is unknown.
                    if is_first || error.kind() == ErrorKind::OutcomeUnknown {
                        return Err(error);
                    }
                    tracing::warn!(%error, "a batch ended before its last round");
                    break;
                }
            };
            is_first = false;
            items.extend(self.all_unexpired(round.items));
            consumed += capacity(effect, &round.consumed);
            let unprocessed =
                round.unprocessed.into_iter().map(|item| item_from_sdk(item).key()).collect::<Result<HashSet<_>>>()?;
            let before = pending.len();
            pending.retain(|(key, _)| unprocessed.contains(key));
            without_progress = if pending.len() < before { 1 } else { without_progress.saturating_add(1) };
            if pending.is_empty() || !self.backoff.pause(operation, without_progress).await {
                break;
            }
        }
        Ok((items, consumed))
    }
}

fn write_request(write: &BatchAction) -> Result<WriteRequest> {
    let request = WriteRequest::builder();
    let request = match write {
        BatchAction::Put(item) => request
            .put_request(PutRequest::builder().set_item(Some(item_to_sdk(item.clone()))).build().map_err(incomplete)?),
        BatchAction::Delete(key) => {
            request.delete_request(DeleteRequest::builder().set_key(Some(key_to_sdk(key))).build().map_err(incomplete)?)
        }
    };
    Ok(request.build())
}
