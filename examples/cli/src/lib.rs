//! The code that the example programs share: the table options, the client, printing, and error reports.

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
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use clap::Args;
use threadline::Timestamp;
use threadline::store::dynamodb::local_client;
use threadline::table::TableSpec;
use threadline_catalogue::table::advice;

/// The options that select a table.
#[derive(Debug, Args)]
pub struct Target {
    /// The name of the table
    #[arg(long, global = true, value_name = "NAME", default_value = "threadline")]
    pub table: String,

    /// The address of DynamoDB Local or another emulator [default: DYNAMODB_ENDPOINT, or http://localhost:8000]
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,

    /// Use AWS, with this machine's region and credentials
    #[arg(long, global = true)]
    pub aws: bool,
}

impl Target {
    /// Returns a client of the selected service.
    pub async fn connect(&self) -> Result<Client, Box<dyn Error>> {
        if self.aws {
            return match self.endpoint {
                Some(_) => Err("--endpoint and --aws exclude each other: pass only one".into()),
                None => Ok(Client::new(&aws_settings().await?)),
            };
        }
        let endpoint = self.endpoint();
        if !endpoint.starts_with("http://") {
            return Err(format!("invalid endpoint `{endpoint}`: it must start with http://").into());
        }
        Ok(local_client(&endpoint))
    }

    /// Returns a streams client of the selected service.
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

    /// Returns a text such as `at http://localhost:8000`.
    pub fn place(&self) -> String {
        if self.aws { "on AWS".to_owned() } else { format!("at {}", self.endpoint()) }
    }

    /// Returns the target of the catalogue's commands. On AWS, they protect the table.
    pub fn of_catalogue(&self, client: Client) -> threadline_catalogue::table::Target {
        let (definition, place) = (TableSpec::new(&self.table), self.place());
        threadline_catalogue::table::Target { client, definition, place, protect: self.aws }
    }
}

/// Shows a text such as: table `threadline` at http://localhost:8000
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table `{}` {}", self.table, self.place())
    }
}

/// Loads the settings of the environment: variables, profiles, single sign-on, or the machine's role. The library has
/// no TLS stack, so the application chooses one here.
async fn aws_settings() -> Result<aws_config::SdkConfig, Box<dyn Error>> {
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(20))
        .build();
    let config =
        aws_config::defaults(BehaviorVersion::latest()).http_client(https).timeout_config(timeouts).load().await;
    if config.region().is_none() {
        return Err("no AWS region is configured: set AWS_REGION, or AWS_PROFILE to a profile with a region".into());
    }
    // Requested here, so that missing credentials are reported as such.
    if let Some(provider) = config.credentials_provider() {
        provider.provide_credentials().await.map_err(|error| NoCredentials(error.into()))?;
    }
    Ok(config)
}

#[derive(Debug, thiserror::Error)]
#[error("no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
struct NoCredentials(#[source] Box<dyn Error + Send + Sync>);

/// Ends the program. An error is printed with its causes, each on its own line.
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
    if let Some(hint) = advice(&*error, "table", !target.aws) {
        warn!("  hint: {hint}");
    }
    ExitCode::FAILURE
}

/// Formats a time to the minute, in UTC: `2024-01-01 00:40`.
pub fn minute(time: Timestamp) -> String {
    time.to_string().chars().take(16).collect::<String>().replace('T', " ")
}
