//! The built function, run like Lambda by a server of the [runtime
//! API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use crate::http::{Message, serve};

/// The maximum duration of an invocation, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running function.
pub(crate) struct Function {
    program: Child,
    logs: Option<JoinHandle<Vec<String>>>,
    events: Sender<Value>,
    answers: Receiver<Answer>,
}

/// The outcome of an invocation.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(Value),
    Error(Value),
}

impl Answer {
    #[track_caller]
    pub(crate) fn response(self) -> String {
        match self {
            Self::Response(response) => response.to_string(),
            Self::Error(error) => panic!("the invocation failed: {error}"),
        }
    }
}

/// Returns the built program, without this process's environment.
pub(crate) fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_threadline-lambda"));
    program
        .env_clear()
        .env("AWS_LAMBDA_FUNCTION_NAME", "threadline-projector")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
}

impl Function {
    /// Starts the function on this table.
    pub(crate) fn start(table: &str, dynamodb: &str) -> Self {
        let (events, open_events) = channel();
        let (done, answers) = channel();
        let mut program = program()
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api(open_events, done))
            .env("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)
            .env("TABLE_NAME", table)
            .spawn()
            .expect("the program can be run");
        let output = program.stdout.take().expect("its output is piped");
        let mut errors = program.stderr.take().expect("its errors are piped");
        let logs = thread::spawn(move || {
            let mut lines: Vec<_> = BufReader::new(output).lines().map_while(Result::ok).collect();
            let mut rest = String::new();
            let _ = errors.read_to_string(&mut rest);
            lines.extend(rest.lines().map(str::to_owned));
            lines
        });
        Self { program, logs: Some(logs), events, answers }
    }

    /// Invokes the function, and waits until it is done.
    #[track_caller]
    pub(crate) fn invoke(&mut self, event: Value) -> Answer {
        self.events.send(event).expect("the runtime API runs");
        match self.answers.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(_) => panic!("the function does not answer: {:#?}", self.stop()),
        }
    }

    /// Stops the function, and returns the lines of its log.
    pub(crate) fn stop(&mut self) -> Vec<String> {
        let _ = self.program.kill();
        let _ = self.program.wait();
        self.logs.take().map(|logs| logs.join().expect("the log can be read")).unwrap_or_default()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Serves the runtime API for one function at a time, with these events in order.
fn runtime_api(events: Receiver<Value>, answers: Sender<Answer>) -> String {
    let events = Arc::new(Mutex::new(events));
    serve(move || {
        let (events, answers) = (events.clone(), answers.clone());
        move |request| {
            let mut words = request.head[0].split(' ');
            let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let answer = match (method, path) {
                ("GET", "/2018-06-01/runtime/invocation/next") => match events.lock().unwrap().recv() {
                    Ok(event) => return invocation(&event),
                    // The test is over.
                    Err(_) => return Message::answer(500, &[], String::new()),
                },
                ("POST", "/2018-06-01/runtime/invocation/invocation-1/response") => Answer::Response,
                ("POST", "/2018-06-01/runtime/invocation/invocation-1/error") => Answer::Error,
                _ => return Message::answer(404, &[], format!("{method} {path} is no part of the runtime API")),
            };
            let body = serde_json::from_str(request.text()).expect("an answer is JSON");
            let _ = answers.send(answer(body));
            Message::answer(202, &[("content-type", "application/json")], r#"{"status":"OK"}"#.to_owned())
        }
    })
}

fn invocation(event: &Value) -> Message {
    let headers = [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", "invocation-1"),
        // The year 2100: nothing here depends on time.
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:threadline-projector"),
    ];
    Message::answer(200, &headers, event.to_string())
}
