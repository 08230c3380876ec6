//! Requests that describe the live table.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{PointInTimeRecoveryStatus, StreamViewType, TableDescription, TimeToLiveStatus};

use super::{StreamView, TableSpec};
use crate::aws::Call;
use crate::error::{Error, ErrorKind, Result};

impl TableSpec {
    /// Returns the description of the table, or `None` if there is no such table.
    pub(super) async fn describe(&self, client: &Client) -> Result<Option<TableDescription>> {
        let call = Call::read("describe_table", &self.name);
        let request = client.describe_table().table_name(&self.name).customize().interceptor(call.attempts.clone());
        match request.send().await {
            Ok(answer) => Ok(answer.table),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(call.error(&error)),
        }
    }

    pub(super) async fn live_time_to_live(&self, client: &Client) -> Result<String> {
        let call = Call::read("describe_time_to_live", &self.name);
        let request =
            client.describe_time_to_live().table_name(&self.name).customize().interceptor(call.attempts.clone());
        let answer = request.send().await.map_err(|error| call.error(&error))?;
        let live = answer.time_to_live_description;
        let attribute = live
            .as_ref()
            .filter(|live| {
                matches!(live.time_to_live_status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
            })
            .and_then(|live| live.attribute_name());
        Ok(attribute.map_or_else(|| "off".to_owned(), |attribute| format!("on, by `{attribute}`")))
    }

    pub(super) async fn live_recovery(&self, client: &Client) -> Result<bool> {
        let call = Call::read("describe_continuous_backups", &self.name);
        let request =
            client.describe_continuous_backups().table_name(&self.name).customize().interceptor(call.attempts.clone());
        let answer = request.send().await.map_err(|error| call.error(&error))?;
        let recovery = answer.continuous_backups_description.and_then(|live| live.point_in_time_recovery_description);
        let status = recovery.and_then(|recovery| recovery.point_in_time_recovery_status);
        Ok(status == Some(PointInTimeRecoveryStatus::Enabled))
    }

    pub(super) async fn live_tags(
        &self,
        client: &Client,
        table: &TableDescription,
    ) -> Result<BTreeMap<String, String>> {
        let call = Call::read("list_tags_of_resource", &self.name);
        let mut tags = BTreeMap::new();
        let mut next = None;
        loop {
            let request = client.list_tags_of_resource().set_resource_arn(table.table_arn.clone()).set_next_token(next);
            let sent = request.customize().interceptor(call.attempts.clone()).send().await;
            let answer = sent.map_err(|error| call.error(&error))?;
            tags.extend(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
            next = answer.next_token;
            if next.is_none() {
                return Ok(tags);
            }
        }
    }

    /// Checks the definition before an operation.
    pub(super) fn checked(&self, operation: &'static str) -> Result<()> {
        self.check().map_err(|error| error.with_operation(operation).with_table(&self.name))
    }

    pub(super) fn not_there(&self, operation: &'static str) -> Error {
        Error::new(ErrorKind::Misconfigured, "the table does not exist in the client's account and region; create it")
            .with_operation(operation)
            .with_table(&self.name)
    }
}

pub(super) fn view_type(view: StreamView) -> StreamViewType {
    match view {
        StreamView::KeysOnly => StreamViewType::KeysOnly,
        StreamView::NewImage => StreamViewType::NewImage,
        StreamView::OldImage => StreamViewType::OldImage,
        StreamView::NewAndOldImages => StreamViewType::NewAndOldImages,
    }
}
