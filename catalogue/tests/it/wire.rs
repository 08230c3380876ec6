//! The explained requests are those that `DynamoDbStore` sends, byte by byte but for the order of JSON's fields.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;
use threadline::store::Store;
use threadline::store::dynamodb::local_client;
use threadline::{DynamoDbStore, MemoryStore};
use threadline_catalogue::Explain;
use threadline_testkit::scenario::{self, Recorder, Scale, World};

/// Starts a server that answers each request with an empty object. Returns its address, and the operation and body of
/// each request.
fn server() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (sender, mut stream) = (sender.clone(), stream.unwrap());
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                loop {
                    let (mut length, mut operation, mut line) = (0, String::new(), String::new());
                    while reader.read_line(&mut line).unwrap() > 2 {
                        let (name, value) = line.trim().split_once(": ").unwrap_or_default();
                        match name.to_ascii_lowercase().as_str() {
                            "content-length" => length = value.parse().unwrap(),
                            "x-amz-target" => operation = value.rsplit('.').next().unwrap().to_owned(),
                            _ => {}
                        }
                        line.clear();
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).unwrap();
                    if operation.is_empty() {
                        return;
                    }
                    sender.send((operation, serde_json::from_slice(&body).unwrap())).unwrap();
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                }
            });
        }
    });
    (address, receiver)
}

#[tokio::test]
async fn explained_requests_are_those_on_the_wire() {
    let (address, sent) = server();
    let dynamodb = DynamoDbStore::new(local_client(&address), "threadline");
    for scenario in scenario::all() {
        let (clock, scale) = (World::clock(), Scale { members: 2, message_kb: 0 });
        let memory = MemoryStore::new().clock(clock.clone());
        let stage = scenario.stage(World::new(Arc::new(memory.clone()), clock, scale)).await.unwrap();
        let recorder = Recorder::new(memory);
        let store = Explain::new(recorder.clone());
        let session = stage.enter(store.clone(), World::CALLER).await.unwrap();
        recorder.take();
        store.take();
        stage.call(&session).await.unwrap();
        for (request, explained) in recorder.take().into_iter().zip(store.take()) {
            let answer = dynamodb.execute(request).await;
            assert!(answer.is_ok(), "{scenario:?}: {answer:?}");
            let (operation, mut body) = sent.try_recv().unwrap();
            assert_eq!(operation, explained.operation);
            if explained.request.get("ClientRequestToken").is_none() {
                body.as_object_mut().unwrap().remove("ClientRequestToken");
            }
            assert_eq!(body, explained.request, "{scenario:?}");
        }
        assert!(sent.try_recv().is_err(), "{scenario:?} sent more");
    }
}
