//! A raw HTTP/2 client, which can send what a library wouldn't.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use pierre_webhook_tests::{client::Request, sample::delivery};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
/// The largest frame that a peer must take.
pub(crate) const FRAME: usize = 1 << 14;

/// A connection.
pub(crate) struct Frames {
    socket: TcpStream,
    next: u32,
    /// How many streams the server announced that it allows at once.
    pub(crate) streams: Option<usize>,
    /// How many bytes of data the server takes unread, on this connection and on each stream.
    pub(crate) windows: (usize, usize),
    /// How many streams the server reset.
    pub(crate) resets: usize,
    /// How many streams the server answered.
    pub(crate) answers: usize,
}

/// The server has closed the connection.
#[derive(Debug)]
pub(crate) struct Closed;

impl From<io::Error> for Closed {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl Frames {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let mut socket = TcpStream::connect(address).expect("a listening server");
        socket.set_nodelay(true).expect("no delay");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("a server");
        socket.write_all(&frame(SETTINGS, 0, 0, &[])).expect("a server");
        let windows = (65_535, 65_535);
        let mut frames = Self { socket, next: 1, streams: None, windows, resets: 0, answers: 0 };
        frames.settle().expect("a server of HTTP/2");
        // Both servers widen the connection's window, which may come after that.
        while frames.windows.0 == windows.0 {
            frames.read().expect("a wider window");
        }
        // A server may keep to the smaller windows of a stream until its settings are acknowledged.
        frames.socket.write_all(&frame(SETTINGS, ACK, 0, &[])).expect("a server");
        frames
    }

    /// Sends the head of a delivery with one more header of this length, and not the end of the stream.
    pub(crate) fn start(&mut self, more: usize) -> Result<u32, Closed> {
        let stream = self.next;
        self.next += 2;
        let block = header_block(&delivery(), more);
        let mut pieces = block.chunks(FRAME).peekable();
        let mut bytes = Vec::new();
        let mut kind = HEADERS;
        while let Some(piece) = pieces.next() {
            let flags = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            bytes.extend(frame(kind, flags, stream, piece));
            kind = CONTINUATION;
        }
        self.socket.write_all(&bytes)?;
        Ok(stream)
    }

    /// Sends that many frames of data of this length.
    pub(crate) fn send(&mut self, stream: u32, count: usize, length: usize) -> Result<(), Closed> {
        let frame = frame(DATA, 0, stream, &vec![b' '; length]);
        Ok(self.socket.write_all(&frame.repeat(count))?)
    }

    /// Returns once the server has read all that was sent.
    pub(crate) fn settle(&mut self) -> Result<(), Closed> {
        self.socket.write_all(&frame(PING, 0, 0, &[0; 8]))?;
        while self.read()? != (PING, ACK) {}
        Ok(())
    }

    /// Returns once the server has answered a stream.
    pub(crate) fn answer(&mut self) -> Result<(), Closed> {
        while self.read()?.0 != HEADERS {}
        Ok(())
    }

    /// The type and the flags of the next frame.
    fn read(&mut self) -> Result<(u8, u8), Closed> {
        let mut head = [0; 9];
        self.socket.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.socket.read_exact(&mut payload)?;
        match kind {
            SETTINGS if flags != ACK => {
                for setting in payload.chunks_exact(6) {
                    let value = number(&setting[2..]);
                    match setting[1] {
                        3 => self.streams = Some(value),
                        4 => self.windows.1 = value,
                        _ => {}
                    }
                }
            }
            WINDOW_UPDATE if stream == [0; 4] => self.windows.0 += number(&payload),
            RST_STREAM => self.resets += 1,
            HEADERS => self.answers += 1,
            GOAWAY => return Err(Closed),
            _ => {}
        }
        Ok((kind, flags))
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame's length").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// HPACK without a table and without Huffman's code.
fn header_block(request: &Request, more: usize) -> Vec<u8> {
    // Of the static table: `:method: POST`, `:scheme: http`; the names `:path` and `:authority`.
    let mut block = vec![0x83, 0x86, 0x04];
    block.extend(string(request.path.as_bytes()));
    block.push(0x01);
    block.extend(string(b"test"));
    let more = ("x-more".to_owned(), vec![b'x'; more]);
    for (name, value) in request.headers.iter().chain([&more]) {
        block.push(0x00);
        block.extend(string(name.to_ascii_lowercase().as_bytes()));
        block.extend(string(value));
    }
    block
}

/// Its length as an integer with a prefix of seven bits, and its bytes.
fn string(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if text.len() < 127 {
        bytes.push(text.len() as u8);
    } else {
        bytes.push(127);
        let mut rest = text.len() - 127;
        while rest >= 128 {
            bytes.push((rest % 128) as u8 | 128);
            rest /= 128;
        }
        bytes.push(rest as u8);
    }
    bytes.extend(text);
    bytes
}
