//! The parts that the example programs share: the options that name a table, its client, printing, and the report of an error.

#[path = "../../support/out.rs"]
pub mod out;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::ProvideCredentials;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::list_tables::ListTablesError;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use clap::Args;
use threadline::store::dynamodb::local_client;
use threadline::{ErrorKind, Timestamp};

/// Which table.
#[derive(Debug, Args)]
pub struct Target {
    /// The table's name
    #[arg(long, global = true, value_name = "NAME", default_value = "threadline")]
    pub table: String,

    /// The address of DynamoDB Local, or another emulator [default: DYNAMODB_ENDPOINT, or http://localhost:8000]
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,

    /// Go to AWS instead, with the region and credentials that this machine is set up for
    #[arg(long, global = true)]
    pub aws: bool,
}

impl Target {
    /// A client for the place.
    pub async fn connect(&self) -> Result<Client, Box<dyn Error>> {
        if self.aws {
            return match self.endpoint {
                Some(_) => Err("--endpoint and --aws are two places: give one of them".into()),
                None => Ok(Client::new(&aws_settings().await?)),
            };
        }
        let endpoint = self.endpoint();
        if !endpoint.starts_with("http://") {
            return Err(format!("an endpoint is an address that starts with http://, not `{endpoint}`").into());
        }
        Ok(local_client(&endpoint))
    }

    /// A client for the streams of the place.
    pub async fn connect_streams(&self) -> Result<aws_sdk_dynamodbstreams::Client, Box<dyn Error>> {
        if !self.aws {
            return Ok(threadline::stream::local_streams_client(&self.endpoint()));
        }
        Ok(aws_sdk_dynamodbstreams::Client::new(&aws_settings().await?))
    }

    fn endpoint(&self) -> String {
        let given = self.endpoint.clone().or_else(|| std::env::var("DYNAMODB_ENDPOINT").ok());
        given.unwrap_or_else(|| "http://localhost:8000".to_owned())
    }

    /// `at http://localhost:8000`
    pub fn place(&self) -> String {
        if self.aws { "on AWS".to_owned() } else { format!("at {}", self.endpoint()) }
    }

    /// What to do about an error, where that can be said.
    fn hint(&self, error: &(dyn Error + 'static)) -> Option<&'static str> {
        let of_list = error.downcast_ref::<SdkError<ListTablesError>>();
        let of_crate = error.downcast_ref::<threadline::Error>();
        let unreachable = matches!(of_list, Some(SdkError::DispatchFailure(_)))
            || of_crate.is_some_and(|error| error.kind() == ErrorKind::Unavailable);
        if unreachable && !self.aws {
            return Some("is DynamoDB Local running? `scripts/dynamodb-local` starts it, --endpoint says where it is");
        }
        if let Some(error) = of_crate.filter(|error| error.kind() == ErrorKind::Misconfigured) {
            let is_missing = error.to_string().contains("does not exist");
            return Some(match is_missing {
                true => "`table create` makes the table; --table says which one",
                false => "`table verify` says where the table differs from what is needed",
            });
        }
        let protected = |error: &threadline::Error| error.kind() == ErrorKind::Denied && error.service().is_none();
        if of_crate.is_some_and(|error| error.operation() == Some("delete_table") && protected(error)) {
            return Some("`drop --unprotect` removes the protection first");
        }
        None
    }
}

/// `table `threadline` at http://localhost:8000`
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table `{}` {}", self.table, self.place())
    }
}

/// The settings of the environment: variables, profiles, single sign-on, or the role of the machine. This crate brings no TLS
/// stack; this is the place where an application chooses one.
async fn aws_settings() -> Result<aws_config::SdkConfig, Box<dyn Error>> {
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(20))
        .build();
    let config =
        aws_config::defaults(BehaviorVersion::latest()).http_client(https).timeout_config(timeouts).load().await;
    if config.region().is_none() {
        return Err("no AWS region is set up: set AWS_REGION, or AWS_PROFILE to a profile with a region".into());
    }
    // Asked for here, so that their lack is told as such.
    if let Some(provider) = config.credentials_provider() {
        provider.provide_credentials().await.map_err(|error| NoCredentials(error.into()))?;
    }
    Ok(config)
}

#[derive(Debug, thiserror::Error)]
#[error("no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
struct NoCredentials(#[source] Box<dyn Error + Send + Sync>);

/// Ends the example: an error is told with its causes, each on a line of its own.
pub fn finish(target: &Target, outcome: Result<ExitCode, Box<dyn Error>>) -> ExitCode {
    let error = match outcome {
        Ok(code) => return code,
        Err(error) => error,
    };
    warn!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        warn!("  because: {error}");
        cause = error.source();
    }
    if let Some(hint) = target.hint(&*error) {
        warn!("  hint: {hint}");
    }
    ExitCode::FAILURE
}

/// A time to the minute, for reading: `2024-01-01 00:40`, in UTC.
pub fn minute(time: Timestamp) -> String {
    time.to_string().chars().take(16).collect::<String>().replace('T', " ")
}
