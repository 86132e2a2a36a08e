//! A body in pieces. A piece's size is one byte, counted from `0`. Each piece has an allocation of its own, so
//! the sanitizer sees a read past its end.

use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, Full, Limited};

use crate::scripted::{BoxError, Step, Stuck};

/// A chunk for each size, then the rest.
pub fn chunks(sizes: &[u8], mut body: &[u8]) -> Vec<Bytes> {
    let mut chunks: Vec<_> = sizes.iter().map(|size| take(&mut body, *size)).collect();
    chunks.push(Bytes::copy_from_slice(body));
    chunks
}

/// The steps of a script, one a byte, then the rest of the body in one frame:
/// `P` waits, `T` are trailers, `F` fails, `L` is the error of a limit outside, `E` ends early, `S` is stuck,
/// another capital is a frame of two buffers of one size, counted from `A`, anything else a frame of that size.
pub fn steps(script: &[u8], mut body: &[u8]) -> Vec<Step<Box<dyn Buf>>> {
    let mut steps = Vec::new();
    for byte in script {
        let step: Step<Box<dyn Buf>> = match byte {
            b'P' => Step::Waits,
            b'T' => Step::Trailers,
            b'F' => Step::Fails("the script says so".into()),
            b'L' => Step::Fails(over_limit()),
            b'E' => return steps,
            b'S' => Step::Data(Box::new(Stuck)),
            b'A'..=b'Z' => {
                let first = take(&mut body, byte - b'A' + b'0');
                Step::Data(Box::new(first.chain(take(&mut body, byte - b'A' + b'0'))))
            }
            size => Step::Data(Box::new(take(&mut body, *size))),
        };
        steps.push(step);
    }
    if !body.is_empty() {
        steps.push(Step::Data(Box::new(Bytes::copy_from_slice(body))));
    }
    steps
}

fn take(body: &mut &[u8], size: u8) -> Bytes {
    let (chunk, rest) = body.split_at(usize::from(size.wrapping_sub(b'0')).min(body.len()));
    *body = rest;
    Bytes::copy_from_slice(chunk)
}

/// Only `Limited` can make a `LengthLimitError`.
fn over_limit() -> BoxError {
    let mut limited = Limited::new(Full::new(Bytes::from_static(b"x")), 0);
    match std::pin::pin!(limited.frame()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Err(error))) => error,
        _ => unreachable!("one byte is over a limit of zero"),
    }
}
