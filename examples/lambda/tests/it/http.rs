//! The part of HTTP/1.1 that these tests need: messages of a stated length, on reused connections.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A request or an answer.
pub(crate) struct Message {
    /// The first line and the headers.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: String) -> Self {
        let mut head = vec![format!("HTTP/1.1 {status} said"), format!("content-length: {}", body.len())];
        head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        Self { head, body: body.into_bytes() }
    }

    /// Reads the next message; `None` if the peer has closed the connection.
    pub(crate) fn read(from: &mut impl BufRead) -> Option<Self> {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            let line = match from.read_line(&mut line) {
                Ok(0) | Err(_) => return None,
                Ok(_) => line.trim_end(),
            };
            match line {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let message = Self { head, body: Vec::new() };
        let length = message.header("content-length").map_or(0, |length| length.parse().expect("it is a length"));
        assert_eq!(message.header("transfer-encoding"), None, "chunks are more HTTP than this reads");
        let mut body = vec![0; length];
        from.read_exact(&mut body).ok()?;
        Some(Self { body, ..message })
    }

    pub(crate) fn write(&self, mut to: impl Write) {
        let bytes = [self.head.join("\r\n").as_bytes(), b"\r\n\r\n", &self.body].concat();
        // The function under test may have ended.
        let _ = to.write_all(&bytes);
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.iter().filter_map(|line| line.split_once(':'));
        headers.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}

/// Starts a local server that ends with the process, and returns its address. Each connection has its own service.
pub(crate) fn serve<S>(connect: impl Fn() -> S + Send + 'static) -> String
where
    S: FnMut(Message) -> Message + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address").to_string();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let connection: TcpStream = connection.expect("a connection is accepted");
            let mut service = connect();
            thread::spawn(move || {
                let mut requests = BufReader::new(&connection);
                while let Some(request) = Message::read(&mut requests) {
                    service(request).write(&connection);
                }
            });
        }
    });
    address
}
