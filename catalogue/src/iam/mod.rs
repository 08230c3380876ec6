//! IAM policies, derived from the requests of the cards.

mod grant;
mod guard_rails;
mod policy;
mod probe;
mod record;
mod resources;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};
use threadline::card::registry::Registry;

use crate::catalogue::Catalogue;
use crate::error::Error;

pub(crate) use grant::operation;
pub(crate) use policy::{Policy, VERIFY_TABLE, dynamodb, versioned};
pub(crate) use resources::Resources;

/// The limits of the policies, for their readers.
const NOTES: &[&str] = &[
    "Replace REGION, ACCOUNT, TABLE, FUNCTION, BUCKET and ADMIN by your names.",
    "IAM sees the partition key of a request, not its sort key. DeleteItem under GRP# is meant for memberships, but \
     IAM would also allow it for the group.",
    "For a query of the index, dynamodb:LeadingKeys is the partition key of the index.",
    "ForAllValues is true for a request without a key, so each condition on keys has a Null guard beside it.",
    "A user cannot be limited to their conversations. Messages are under MSG#<group> and memberships under \
     GRP#<group>, and IAM cannot read who is a member. The library checks that, so only the application may reach \
     these keys.",
    "`user` limits a session to the inbox and the profile of the user in the principal tag `user`. It allows no \
     write, because a write past the library skips its checks. The identity provider must set the tag.",
    "`tenant` limits a session to the partition keys that begin with its principal tag `tenant` and `#`. A tag \
     cannot contain `#`, so no tenant can name another one's keys.",
    "A stream cannot be divided: whoever reads it reads the records of all users and tenants.",
    "A scan names no key, so no condition limits it. Only `operator` may scan.",
    "A card does not say that puts are sent as a batch. If your own code sends batches, add BatchWriteItem with the \
     condition of PutItem.",
    "IAM has no resource type for ListStreams, so its resource is *.",
    "`guard-rails` is a service control policy of an organization. It binds neither the management account nor \
     service-linked roles. It grants nothing.",
    "IAM cannot see which setting UpdateTable changes: protection, encryption, stream or only capacity. So \
     `guard-rails` allows UpdateTable, like the other settings, to the role ADMIN alone.",
    "IAM cannot see the settings of CreateTable, except for its tags. `TableSpec::verify` compares them with the \
     definition.",
];

/// Returns all policies by name, and notes about their limits.
pub(crate) fn document(registry: &Registry) -> Result<Value, Error> {
    let resources = Resources::placeholders();
    let policies = Policy::ALL.iter().map(|policy| Ok((policy.name().to_owned(), policy.of(registry, &resources)?)));
    let policies: serde_json::Map<String, Value> = policies.collect::<Result<_, Error>>()?;
    Ok(json!({ "policies": policies, "notes": NOTES }))
}

/// Returns the requests that each policy must allow and deny.
pub(crate) async fn requests(catalogue: &Catalogue) -> Result<Value, Error> {
    let mut requests = Vec::new();
    for policy in Policy::ALL {
        requests.extend(probe::probes(*policy, catalogue).await?);
    }
    Ok(Value::Array(requests.iter().map(probe::Probe::to_json).collect()))
}

impl Catalogue {
    /// Prints one IAM policy, such as `projector`, as a document for AWS. The document names resources by placeholders
    /// such as `REGION`, `ACCOUNT` and `TABLE`, which you replace.
    ///
    /// # Errors
    /// * [`Error::NoChoice`] if no policy has this name. The error lists the names of all policies.
    /// * [`Error::NoAction`] if a card declares a kind of request that the policies do not know.
    pub fn policy(&self, name: &str) -> Result<String, Error> {
        let policy = Policy::named(name)?.of(self.registry(), &Resources::placeholders())?;
        Ok(text(&policy))
    }
}

/// Returns JSON as text that ends with a newline.
pub(crate) fn text(value: &Value) -> String {
    format!("{value:#}\n")
}
