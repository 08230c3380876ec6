//! A local server with scripted answers, and clients that record their sleeps instead of sleeping.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    AsyncSleep, BehaviorVersion, Builder, IdentityCache, Sleep, StalledStreamProtectionConfig,
};
use serde_json::{Value, json};
use threadline::store::dynamodb::local_client;

/// The server's reaction to a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Sends an answer.
    Answer { status: u16, body: String },
    /// Closes the connection without an answer.
    HangUp,
}

/// Returns a success.
pub(crate) fn ok(body: Value) -> Reply {
    Reply::Answer { status: 200, body: body.to_string() }
}

/// Returns an error with this code.
pub(crate) fn fault(status: u16, code: &str) -> Reply {
    fault_with(status, code, json!({}))
}

/// Returns an error with this code and these further fields.
pub(crate) fn fault_with(status: u16, code: &str, mut body: Value) -> Reply {
    body["__type"] = format!("com.amazonaws.dynamodb.v20120810#{code}").into();
    body["message"] = "said by the service".into();
    Reply::Answer { status, body: body.to_string() }
}

/// A server that sends these replies, one per request. A request after the last one gets an error that no test expects.
#[derive(Debug)]
pub(crate) struct Server {
    endpoint: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Server {
    pub(crate) fn answering(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies = Vec::from_iter(replies).into_iter();
        Self::serving(move |_, _| replies.next().unwrap_or_else(|| fault(418, "AfterTheScript")))
    }

    /// Starts a server whose replies this function makes from an operation and its body.
    pub(crate) fn serving(mut reply: impl FnMut(&str, &Value) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        // The thread ends with the process.
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let (operation, body) = read_request(&connection);
                let reply = reply(&operation, &body);
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push((operation, body));
                    seen.len()
                };
                if let Reply::Answer { status, body } = reply {
                    let length = body.len();
                    let head = format!(
                        "HTTP/1.1 {status} canned\r\nconnection: close\r\nx-amzn-requestid: request-{number}\r\n\
                         content-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n"
                    );
                    connection.write_all((head + &body).as_bytes()).unwrap();
                }
            }
        });
        Self { endpoint, requests }
    }

    /// Returns the address.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the operations and bodies of the requests, in order.
    pub(crate) fn requests(&self) -> Vec<(String, Value)> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns the bodies of the requests, in order.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.requests().into_iter().map(|(_, body)| body).collect()
    }

    /// Returns a client that sends each request once.
    pub(crate) fn client(&self, sleeps: &Sleeps) -> Client {
        Client::from_conf(self.config(sleeps).build())
    }

    /// Returns a client that sends a request up to three times, by the SDK's retries.
    pub(crate) fn retrying_client(&self) -> Client {
        let retries = RetryConfig::standard().with_max_attempts(3);
        Client::from_conf(self.config(&Sleeps::default()).retry_config(retries).build())
    }

    /// Returns a client whose attempts time out at once.
    pub(crate) fn impatient_client(&self) -> Client {
        let limits = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(1)).build();
        Client::from_conf(self.config(&Sleeps::default()).timeout_config(limits).build())
    }

    /// Returns a client whose connection attempts time out at once.
    pub(crate) fn client_that_cannot_wait_to_connect(&self) -> Client {
        let limits = TimeoutConfig::builder().connect_timeout(Duration::from_secs(1)).build();
        Client::from_conf(self.config(&Sleeps::default()).timeout_config(limits).build())
    }

    /// Returns a client without credentials.
    pub(crate) fn client_without_credentials(&self) -> Client {
        let complete = self.config(&Sleeps::default()).build();
        let mut config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(complete.region().cloned())
            .endpoint_url(&self.endpoint);
        config.set_http_client(complete.http_client());
        Client::from_conf(config.build())
    }

    /// Returns a client with this credentials provider.
    pub(crate) fn client_with_credentials(&self, provider: impl ProvideCredentials + 'static) -> Client {
        Client::from_conf(self.config(&Sleeps::default()).credentials_provider(provider).build())
    }

    fn config(&self, sleeps: &Sleeps) -> Builder {
        config(self.endpoint(), sleeps)
    }
}

/// Returns a client for an address without a server.
pub(crate) fn client_without_server() -> Client {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Client::from_conf(config(&format!("http://{free}"), &Sleeps::default()).build())
}

/// Returns the configuration of a client that never sleeps and does not depend on time.
fn config(endpoint: &str, sleeps: &Sleeps) -> Builder {
    local_client(endpoint)
        .config()
        .to_builder()
        .sleep_impl(sleeps.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        // The cache has its own time limit.
        .identity_cache(IdentityCache::no_cache())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

/// The requested pauses, none of which was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sleeps(Arc<Mutex<Vec<Duration>>>);

impl Sleeps {
    pub(crate) fn millis(&self) -> Vec<u128> {
        self.0.lock().unwrap().iter().map(Duration::as_millis).collect()
    }
}

impl AsyncSleep for Sleeps {
    fn sleep(&self, duration: Duration) -> Sleep {
        self.0.lock().unwrap().push(duration);
        Sleep::new(std::future::ready(()))
    }
}

fn read_request(connection: &TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(connection);
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else {
            // The request line has no colon; an empty line ends the head.
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => operation = value.rsplit('.').next().unwrap().to_owned(),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (operation, serde_json::from_slice(&body).unwrap_or(Value::Null))
}
