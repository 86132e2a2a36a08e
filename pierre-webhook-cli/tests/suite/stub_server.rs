//! A server with canned answers, which records the requests.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

use crate::command::PATIENCE;

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Request {
    /// The request line and the header lines.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.iter().filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Gives each request the next answer, and repeats the last one.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Receiver<Request>,
}

impl Server {
    /// An empty answer keeps the connection open without a response.
    pub(crate) fn answering(answers: &[&str]) -> Self {
        Self::listening_at("127.0.0.1:0".parse().unwrap(), answers)
    }

    /// Like `answering`, at this address.
    pub(crate) fn listening_at(address: SocketAddr, answers: &[&str]) -> Self {
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        // The thread ends with the test process.
        thread::spawn(move || {
            let mut held = Vec::new();
            let mut n = 0;
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                let Some(request) = read(&stream) else { continue };
                let answer = &answers[n.min(answers.len() - 1)];
                n += 1;
                let _ = stream.write_all(answer.as_bytes());
                if answer.is_empty() {
                    held.push(stream);
                }
                if sender.send(request).is_err() {
                    break;
                }
            }
        });
        Self { url, requests }
    }

    pub(crate) fn request(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).expect("a request")
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        match String::from_utf8_lossy(&line).trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut request = Request { head, body: Vec::new() };
    if let Some(length) = request.header("content-length") {
        request.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut request.body).ok()?;
    } else if request.header("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let mut chunk = vec![0; usize::from_str_radix(line.trim(), 16).ok()?];
            stream.read_exact(&mut chunk).ok()?;
            request.body.extend(&chunk);
            stream.read_line(&mut line).ok()?;
            if chunk.is_empty() {
                break;
            }
        }
    }
    Some(request)
}

/// Returns an address that nobody listens on.
pub(crate) fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Returns an answer with this status and these headers, and an empty body.
pub(crate) fn answer(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n")
}
