//! The infrastructure of a deployment: the table, its projector's mapping and role, the alarms, the endpoint and the
//! audit trail, as a CloudFormation template and as Terraform.

mod alarms;
mod cloudformation;
mod filters;
mod policies;
mod terraform;

use threadline::table::{Billing, StreamView, TableSpec, Throughput};

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::iam::text;

pub(crate) use filters::filters;

/// The settings of the mapping from the table's stream to the projector's function.
mod mapping {
    /// The maximum number of records in a batch.
    pub(super) const BATCH_SIZE: u32 = 100;
    /// The seconds that Lambda waits for a full batch. More than 0 delays the inboxes.
    pub(super) const BATCH_WINDOW: u32 = 0;
    /// The number of retries: no limit, because the age limits them.
    pub(super) const RETRIES: i32 = -1;
    /// The age in seconds at which Lambda gives up a record: 6 of the 24 hours that the stream keeps it.
    pub(super) const RECORD_AGE: u32 = 21_600;
    /// The number of concurrent batches per shard.
    pub(super) const PARALLELIZATION: u32 = 1;
}

/// The seconds that the queue of given-up batches keeps a message: 14 days, its maximum.
const QUEUE_RETENTION: u32 = 1_209_600;

/// The default name of the projector's function.
const FUNCTION_NAME: &str = "threadline-projector";

/// The inputs of a deployment, as the users of both formats read them.
mod input {
    pub(super) const TABLE_NAME: &str = "The name of the table.";
    pub(super) const FUNCTION_NAME: &str = "The name of the projector's Lambda function.";
    pub(super) const FUNCTION_EXISTS: &str =
        "Maps the stream to the function. Deploy once without it, create the function with the role, then set it.";
    pub(super) const LOG_GROUP: &str = "The log group of the function, for the alarm on dead letters. It must exist. \
        Empty: no such alarm.";
    pub(super) const ALARM_TOPIC: &str = "The ARN of the SNS topic that receives the alarms.";
    pub(super) const AUDIT_BUCKET: &str = "The bucket for the CloudTrail log of every request to the table. Its policy \
        must allow CloudTrail to write. Empty: no trail. CloudTrail charges for each event.";
    pub(super) const VPC: &str =
        "The VPC that gets a gateway endpoint for this table only. It blocks other tables there. Empty: no endpoint.";
    pub(super) const ROUTE_TABLES: &str = "The route tables that lead to the gateway endpoint.";
}

/// Prints the CloudFormation template.
///
/// # Errors
/// [`Error::Threadline`] if the definition of the table is invalid. [`Error::Stream`] if its stream has no new images.
/// [`Error::NoAction`] for a kind of request that this version does not know.
pub(crate) fn cloudformation(catalogue: &Catalogue) -> Result<String, Error> {
    check(catalogue.get_table())?;
    Ok(text(&cloudformation::template(catalogue.registry(), catalogue.get_table())?))
}

/// Prints the Terraform configuration, in its JSON syntax.
///
/// # Errors
/// The errors of [`cloudformation`].
pub(crate) fn terraform(catalogue: &Catalogue) -> Result<String, Error> {
    check(catalogue.get_table())?;
    Ok(text(&terraform::configuration(catalogue.registry(), catalogue.get_table())?))
}

fn check(table: &TableSpec) -> Result<(), Error> {
    table.check()?;
    match table.get_stream() {
        Some(StreamView::NewImage | StreamView::NewAndOldImages) => Ok(()),
        _ => Err(Error::Stream { table: table.name().to_owned() }),
    }
}

/// Returns the name of the images in the stream, as the service calls them.
fn view(stream: Option<StreamView>) -> Option<&'static str> {
    match stream? {
        StreamView::NewImage => Some("NEW_IMAGE"),
        StreamView::NewAndOldImages => Some("NEW_AND_OLD_IMAGES"),
        // `check` refuses the others.
        _ => None,
    }
}

/// Returns the name of the billing mode, and the provisioned throughput of the table and of the index, if any.
fn billing(spec: &TableSpec) -> (&'static str, Option<Throughput>, Option<Throughput>) {
    match spec.get_billing() {
        Billing::Provisioned { table, index } => ("PROVISIONED", Some(table), Some(index)),
        _ => ("PAY_PER_REQUEST", None, None),
    }
}
