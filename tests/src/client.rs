//! A client that writes exactly the bytes it is given and reads whole responses, like a sender or an attacker.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use actix_web::test::TestRequest;
use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};
use socket2::SockRef;

use crate::server::Server;

/// Longer than any response takes on a busy machine. A test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A request, to be sent whole or in parts.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: &'static str,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self { path: "/webhooks", headers: Vec::new(), body: body.into() }
    }

    /// A delivery of this event, with this value of the signature header.
    pub fn delivery(event_type: &str, signature: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(body).header(SIGNATURE_HEADER, signature).header(EVENT_HEADER, event_type)
    }

    pub fn path(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    /// Returns the request line and the headers, with these additional header lines.
    pub fn head(&self, more: &str) -> Vec<u8> {
        let mut head = format!("POST {} HTTP/1.1\r\nHost: test\r\n", self.path).into_bytes();
        for (name, value) in &self.headers {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        head.extend(more.as_bytes());
        head.extend(b"\r\n");
        head
    }

    /// Returns the request for a tower service, with this body.
    pub fn to_http<B>(&self, body: B) -> http::Request<B> {
        let request = http::Request::post(self.path);
        let request = self
            .headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value.as_slice()));
        request.body(body).expect("a request")
    }

    /// Returns the head of the request for actix.
    pub fn to_actix(&self) -> TestRequest {
        let request = TestRequest::post().uri(self.path);
        self.headers.iter().fold(request, |request, (name, value)| {
            request.append_header((name.as_str(), value.as_slice()))
        })
    }

    pub fn with_content_length(&self) -> Vec<u8> {
        let length = format!("Content-Length: {}\r\n", self.body.len());
        [self.head(&length), self.body.clone()].concat()
    }

    pub fn chunked(&self, size: usize) -> Vec<u8> {
        let mut bytes = self.head("Transfer-Encoding: chunked\r\n");
        for chunk in self.body.chunks(size) {
            bytes.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        }
        bytes.extend(b"0\r\n\r\n");
        bytes
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub status: u16,
    /// With lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.body.escape_ascii()))
    }

    /// Checks that it is a rejection with this status and text.
    pub fn assert_problem(&self, status: u16, text: &str) {
        assert_eq!((self.status, &*self.detail()), (status, text));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.json()["status"], status);
    }

    /// Returns the text of a rejection.
    pub fn detail(&self) -> String {
        self.json()["detail"].as_str().expect("problem details").to_owned()
    }
}

pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a listening server");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        Self { stream: BufReader::new(stream) }
    }

    /// Writes all bytes. Ignores errors: a server that has already responded may close the connection before it has
    /// read them.
    pub fn send(&mut self, bytes: &[u8]) -> &mut Self {
        match self.try_send(bytes) {
            Err(error) if !is_closed(&error) => panic!("{error}"),
            _ => self,
        }
    }

    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Closes the sending side, which tells the server that nothing more will come.
    pub fn end(&mut self) -> &mut Self {
        match self.stream.get_mut().shutdown(Shutdown::Write) {
            Err(error) if error.kind() != ErrorKind::NotConnected => panic!("{error}"),
            _ => self,
        }
    }

    /// Resets the connection: the server's next read or write fails.
    pub fn reset(self) {
        let socket = SockRef::from(self.stream.get_ref());
        socket.set_linger(Some(Duration::ZERO)).expect("a socket");
    }

    /// Waits up to this long for the server to respond or to close the connection. Returns whether it did.
    pub fn is_answered_within(&mut self, time: Duration) -> bool {
        self.stream.get_ref().set_read_timeout(Some(time)).expect("a timeout");
        let answered = match self.stream.fill_buf() {
            Ok(_) => true,
            Err(error) if is_closed(&error) => true,
            Err(error) => {
                let waited = [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind());
                assert!(waited, "{error}");
                false
            }
        };
        self.stream.get_ref().set_read_timeout(Some(PATIENCE)).expect("a timeout");
        answered
    }

    /// Returns the next response, which must come.
    pub fn receive(&mut self) -> Response {
        self.receive_or_close().expect("an answer, not a closed connection")
    }

    /// Returns the next response, or `None` if the server has closed the connection.
    pub fn receive_or_close(&mut self) -> Option<Response> {
        match self.try_next() {
            Ok(response) => response,
            Err(error) if is_closed(&error) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends endless chunks until the server closes the connection, which it must do within 10 seconds. Actix reads on
    /// for a second (its client_disconnect_timeout), so that the response arrives.
    pub fn assert_is_closed_by(mut self, server: &Server) {
        let chunk = [b"10000\r\n", &[b'x'; 0x10000][..], b"\r\n"].concat();
        let start = Instant::now();
        while self.try_send(&chunk).is_ok() {
            assert!(start.elapsed() < Duration::from_secs(10), "{} reads forever", server.name);
        }
    }

    fn try_next(&mut self) -> io::Result<Option<Response>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not a status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut response = Response { status, headers, body: Vec::new() };
        match response.header("content-length").map(|length| length.parse().expect("a length")) {
            Some(length) => {
                response.body.resize(length, 0);
                self.stream.read_exact(&mut response.body)?;
            }
            None if response.header("transfer-encoding") == Some("chunked") => {
                self.read_chunks(&mut response.body)?;
            }
            None => {}
        }
        Ok(Some(response))
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim_end(), 16).expect("a chunk's length");
            let start = body.len();
            body.resize(start + length, 0);
            self.stream.read_exact(&mut body[start..])?;
            self.stream.read_line(&mut line)?;
            if length == 0 {
                return Ok(());
            }
        }
    }
}

/// Sends bytes on a new connection, and reads the response.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Response {
    Connection::open(address).send(bytes).receive()
}

fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
    )
}
