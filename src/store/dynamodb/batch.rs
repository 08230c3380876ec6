//! Reading or writing several items, each on its own, in rounds until nothing is left or nothing moves any more.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, WriteRequest};

use super::DynamoDbStore;
use super::attempts::Attempts;
use super::convert::{Effect, SdkItem, capacity, item_from_sdk, item_to_sdk, key_to_sdk};
use super::error::Failure;
use crate::capacity::Consistency;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::request::{BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput};

impl DynamoDbStore {
    pub(super) async fn send_batch_get(&self, request: BatchGet) -> Result<BatchGetOutput> {
        request.check()?;
        let mut output = BatchGetOutput { unprocessed: request.keys, ..BatchGetOutput::default() };
        let mut is_first = true;
        let mut fruitless = 0;
        while !output.unprocessed.is_empty() {
            let attempts = Attempts::new();
            let call = self.call("batch_get", Effect::Read, &attempts);
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(output.unprocessed.iter().map(key_to_sdk).collect()))
                .consistent_read(request.consistency == Consistency::Strong)
                .build()
                .map_err(|_| Error::invalid("a batch of reads has no key"))?;
            let sending = self
                .client
                .batch_get_item()
                .request_items(&*self.table, keys)
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
            let sent = sending.customize().interceptor(attempts.clone()).send().await;
            let answer = match sent {
                Ok(answer) => answer,
                // What earlier rounds have read is not thrown away: the rest stays unprocessed.
                Err(error) => {
                    let error = Box::<Failure>::from(error).into_error(call);
                    if is_first {
                        return Err(error);
                    }
                    tracing::warn!(%error, "a batch of reads ended before its last round");
                    break;
                }
            };
            is_first = false;
            output.capacity += capacity(Effect::Read, answer.consumed_capacity());
            for items in answer.responses.unwrap_or_default().into_values() {
                output.items.extend(self.all_unexpired(items)?);
            }
            let left = answer.unprocessed_keys.unwrap_or_default();
            let left = keys_of(left.into_values().flat_map(|keys| keys.keys))?;
            let before = output.unprocessed.len();
            output.unprocessed.retain(|key| left.contains(key));
            if output.unprocessed.is_empty()
                || !self.next_round(call.operation, before, output.unprocessed.len(), &mut fruitless).await
            {
                break;
            }
        }
        Ok(output)
    }

    pub(super) async fn send_batch_write(&self, request: BatchWrite) -> Result<BatchWriteOutput> {
        request.check()?;
        let mut pending = request
            .writes
            .into_iter()
            .map(|write| Ok((write.key()?, write)))
            .collect::<Result<Vec<(Key, BatchAction)>>>()?;
        let mut output = BatchWriteOutput::default();
        let mut is_first = true;
        let mut fruitless = 0;
        while !pending.is_empty() {
            let attempts = Attempts::new();
            let call = self.call("batch_write", Effect::Write, &attempts);
            let writes = pending.iter().map(|(_, write)| write_request(write)).collect::<Result<Vec<_>>>()?;
            let sending = self
                .client
                .batch_write_item()
                .request_items(&*self.table, writes)
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
            let sent = sending.customize().interceptor(attempts.clone()).send().await;
            let answer = match sent {
                Ok(answer) => answer,
                // What earlier rounds have done is known, and the rest was not done: then that is the answer. Where nobody
                // knows of the rest, nobody knows of the whole.
                Err(error) => {
                    let error = Box::<Failure>::from(error).into_error(call);
                    if is_first || error.kind() == ErrorKind::OutcomeUnknown {
                        return Err(error);
                    }
                    tracing::warn!(%error, "a batch of writes ended before its last round");
                    break;
                }
            };
            is_first = false;
            output.capacity += capacity(Effect::Write, answer.consumed_capacity());
            let left = answer.unprocessed_items.unwrap_or_default();
            let left = keys_of(left.into_values().flatten().filter_map(|write| {
                let put = write.put_request.map(|put| put.item);
                put.or_else(|| write.delete_request.map(|delete| delete.key))
            }))?;
            let before = pending.len();
            pending.retain(|(key, _)| left.contains(key));
            if pending.is_empty() || !self.next_round(call.operation, before, pending.len(), &mut fruitless).await {
                break;
            }
        }
        // The writes as they came, not as the service gave them back: it may write a number in another way.
        output.unprocessed = pending.into_iter().map(|(_, write)| write).collect();
        Ok(output)
    }

    /// Waits before the next round; `false` where there is to be none. A round that got something done starts the count of
    /// those that did not anew: a partition gives 1 MB to a round, so a hundred large items take many rounds, and that is no
    /// failure. There is an end to it, for each such round leaves less.
    async fn next_round(&self, operation: &'static str, before: usize, after: usize, fruitless: &mut u32) -> bool {
        *fruitless = if after < before { 1 } else { fruitless.saturating_add(1) };
        self.backoff.pause(operation, *fruitless).await
    }
}

fn write_request(write: &BatchAction) -> Result<WriteRequest> {
    let builder = WriteRequest::builder();
    let incomplete = |_| Error::invalid("a batch of writes has a put without an item or a delete without a key");
    Ok(match write {
        BatchAction::Put(item) => builder
            .put_request(PutRequest::builder().set_item(Some(item_to_sdk(item.clone()))).build().map_err(incomplete)?),
        BatchAction::Delete(key) => {
            builder.delete_request(DeleteRequest::builder().set_key(Some(key_to_sdk(key))).build().map_err(incomplete)?)
        }
    }
    .build())
}

fn keys_of(items: impl Iterator<Item = SdkItem>) -> Result<HashSet<Key>> {
    items.map(|item| item_from_sdk(item).key()).collect()
}
