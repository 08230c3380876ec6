//! A proxy for DynamoDB Local that throttles some writes.

use std::io::BufReader;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use crate::http::{Message, serve};

/// Forwards requests to DynamoDB Local, except those to throttle.
pub(crate) struct Proxy {
    address: String,
    throttled: Arc<Mutex<Option<(String, String)>>>,
}

impl Proxy {
    pub(crate) fn to(endpoint: &str) -> Self {
        let server =
            endpoint.strip_prefix("http://").expect("DYNAMODB_ENDPOINT starts with http://").trim_end_matches('/');
        let (server, throttled) = (server.to_owned(), Arc::new(Mutex::new(None)));
        let shared = throttled.clone();
        let address = serve(move || {
            let upstream = TcpStream::connect(&server).expect("DynamoDB Local can be reached");
            let throttled = shared.clone();
            let mut answers = BufReader::new(upstream.try_clone().expect("a connection has two ends"));
            move |request: Message| {
                if is_throttled(&throttled, &request) {
                    return throttling();
                }
                request.write(&upstream);
                Message::read(&mut answers).expect("DynamoDB Local answers")
            }
        });
        Self { address, throttled }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Throttles each request of this operation whose body contains this text, until [`recover`](Self::recover).
    pub(crate) fn throttle(&self, operation: &str, text: impl Into<String>) {
        *self.throttled.lock().unwrap() = Some((format!("DynamoDB_20120810.{operation}"), text.into()));
    }

    pub(crate) fn recover(&self) {
        *self.throttled.lock().unwrap() = None;
    }
}

fn is_throttled(throttled: &Mutex<Option<(String, String)>>, request: &Message) -> bool {
    throttled.lock().unwrap().as_ref().is_some_and(|(operation, text)| {
        request.header("x-amz-target") == Some(operation) && request.text().contains(text)
    })
}

fn throttling() -> Message {
    let code = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
    let body = serde_json::json!({ "__type": code, "message": "slow down" });
    Message::answer(400, &[("content-type", "application/x-amz-json-1.0")], body.to_string())
}
