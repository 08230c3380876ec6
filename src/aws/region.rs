//! The check of a client's region.

use aws_sdk_dynamodb::config::Region;

use crate::error::{Error, ErrorKind, Result};

/// Checks that a client's region is one of the allowed ones.
///
/// [`DynamoDbStore::regions`](crate::DynamoDbStore::regions) makes this check for the client of the store. Call
/// `check_region` yourself before you pass a client to [`TableSpec`](crate::table::TableSpec) or to a `stream::Poller`
/// (feature `streams`).
///
/// ```
/// use threadline::store::dynamodb::{check_region, local_client};
/// use threadline::ErrorKind;
///
/// let client = local_client("http://127.0.0.1:8000");
/// check_region(client.config().region(), ["us-east-1", "us-west-2"])?;
/// let error = check_region(client.config().region(), ["eu-central-1"]).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Misconfigured);
/// # Ok::<(), threadline::Error>(())
/// ```
///
/// # Errors
/// [`Misconfigured`](ErrorKind::Misconfigured) if the client has another region, or none.
pub fn check_region(region: Option<&Region>, allowed: impl IntoIterator<Item = impl Into<String>>) -> Result<()> {
    let allowed: Vec<String> = allowed.into_iter().map(Into::into).collect();
    let found = match region {
        Some(region) if allowed.iter().any(|allowed| *allowed == *region.as_ref()) => return Ok(()),
        Some(region) => format!("the client's region is `{region}`"),
        None => "the client has no region".to_owned(),
    };
    let allowed = if allowed.is_empty() { "none".to_owned() } else { format!("`{}`", allowed.join("`, `")) };
    let message = format!("{found}, and the allowed regions are: {allowed}; build the client for an allowed region");
    Err(Error::new(ErrorKind::Misconfigured, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(region: Option<&'static str>, allowed: &[&str]) -> Result<()> {
        check_region(region.map(Region::from_static).as_ref(), allowed.iter().copied())
    }

    #[track_caller]
    fn assert_refused(region: Option<&'static str>, allowed: &[&str], message: &str) {
        let error = checked(region, allowed).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Misconfigured, message));
    }

    #[test]
    fn allowed_region_passes() {
        for region in ["eu-central-1", "eu-west-1"] {
            checked(Some(region), &["eu-central-1", "eu-west-1"]).unwrap();
        }
    }

    #[test]
    fn other_region_is_refused_even_if_its_name_begins_alike() {
        let message = "the client's region is `eu-central-2`, and the allowed regions are: `eu-central-1`, \
                       `eu-west-1`; build the client for an allowed region";
        assert_refused(Some("eu-central-2"), &["eu-central-1", "eu-west-1"], message);
        checked(Some("eu-central-1"), &["eu-central"]).unwrap_err();
        checked(Some("eu-central"), &["eu-central-1"]).unwrap_err();
    }

    #[test]
    fn missing_region_and_empty_list_are_refused() {
        let message = "the client has no region, and the allowed regions are: `eu-west-1`; build the client for an \
                       allowed region";
        assert_refused(None, &["eu-west-1"], message);
        let message = "the client's region is `eu-west-1`, and the allowed regions are: none; build the client for an \
                       allowed region";
        assert_refused(Some("eu-west-1"), &[], message);
    }
}
