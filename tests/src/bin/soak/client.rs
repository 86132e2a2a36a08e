//! One client, which does one thing after the other, some of them over the same connection.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
};

use pierre_webhook_tests::{
    client::{Connection, Response},
    table::answer,
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    report::Tally,
    streams,
    traffic::{Exchange, Traffic},
};

/// How many connections a client leaves open with a request whose last byte is missing.
const STALLED: usize = 30;
const PIPELINED: usize = 20;
const STREAMS: usize = 10;

pub(crate) struct Client<'a> {
    address: SocketAddr,
    traffic: &'a Traffic,
    random: u64,
    kept: Option<Connection>,
    stalled: VecDeque<Connection>,
    runtime: Runtime,
    tally: Tally,
}

type Outcome = Result<(), String>;
type Thing<'a> = fn(&mut Client<'a>) -> Outcome;

impl<'a> Client<'a> {
    /// What a client does, and how often out of twenty times.
    const THINGS: [(usize, Thing<'a>); 10] = [
        (6, Self::whole),
        (3, Self::vector),
        (3, Self::rejected),
        (1, Self::pipelined),
        (2, Self::gone),
        (1, Self::half_closed),
        (1, Self::trickled),
        (1, Self::stalled),
        (1, Self::endless),
        (1, Self::streams),
    ];

    pub(crate) fn new(address: SocketAddr, traffic: &'a Traffic, seed: u64) -> Self {
        Self {
            address,
            traffic,
            random: seed ^ 0x9e37_79b9_7f4a_7c15,
            kept: None,
            stalled: VecDeque::new(),
            runtime: Builder::new_current_thread().enable_all().build().expect("a runtime"),
            tally: Tally::default(),
        }
    }

    /// Does one thing, chosen at random. Common ones are more likely.
    pub(crate) fn one(&mut self) {
        let mut left = self.below(Self::THINGS.iter().map(|(times, _)| times).sum());
        for (times, thing) in Self::THINGS {
            if left < times {
                return self.try_to(thing);
            }
            left -= times;
        }
    }

    pub(crate) fn each_once(&mut self) {
        for (_, thing) in Self::THINGS {
            self.try_to(thing);
        }
    }

    pub(crate) fn wrong(&self) -> usize {
        self.tally.wrong.len()
    }

    /// Closes all connections.
    pub(crate) fn end(mut self) -> Tally {
        while !self.stalled.is_empty() {
            self.try_to(Self::finish_stalled);
        }
        self.tally
    }

    /// A panic counts as a wrong response too. (The connection panics if it has waited too long.)
    fn try_to(&mut self, thing: Thing<'a>) {
        let wrong = match catch_unwind(AssertUnwindSafe(|| thing(self))) {
            Ok(Ok(())) => return,
            Ok(Err(wrong)) => wrong,
            Err(panic) => panic.downcast().map_or_else(|_| "a panic".to_owned(), |text| *text),
        };
        self.kept = None;
        eprintln!("wrong: {wrong}");
        self.tally.wrong.push(wrong);
    }

    fn whole(&mut self) -> Outcome {
        // The large ones are last in the list, and less frequent.
        let mut index = self.below(self.traffic.whole.len());
        if self.below(4) > 0 {
            index = index.min(5);
        }
        let exchange = &self.traffic.whole[index];
        let mut connection = match self.kept.take() {
            Some(connection) => connection,
            None => Connection::open(self.address),
        };
        self.tally.requests += 1;
        let response = connection.send(&exchange.bytes).receive_or_close();
        self.judge(exchange, response)?;
        if self.below(50) > 0 {
            self.kept = Some(connection);
        }
        Ok(())
    }

    fn vector(&mut self) -> Outcome {
        let (vector, framings) = &self.traffic.vectors[self.below(self.traffic.vectors.len())];
        let bytes = &framings[self.below(2)];
        self.tally.requests += 1;
        let response = Connection::open(self.address).send(bytes).receive_or_close();
        let response = response.ok_or_else(|| format!("{}: no answer", vector.name))?;
        self.count(&response);
        vector.judge(&answer(&response)).map_or(Ok(()), Err)
    }

    fn rejected(&mut self) -> Outcome {
        let exchange = &self.traffic.rejected[self.below(self.traffic.rejected.len())];
        let mut connection = Connection::open(self.address);
        self.tally.requests += 1;
        let response = connection.send(&exchange.bytes).receive_or_close();
        let outcome = self.judge(exchange, response);
        if self.below(2) == 0 {
            connection.reset();
        }
        outcome
    }

    fn pipelined(&mut self) -> Outcome {
        let indices: Vec<_> = (0..PIPELINED).map(|_| self.below(6)).collect();
        let exchanges: Vec<_> = indices.iter().map(|index| &self.traffic.whole[*index]).collect();
        let bytes: Vec<_> = exchanges.iter().flat_map(|exchange| exchange.bytes.clone()).collect();
        let mut connection = Connection::open(self.address);
        connection.send(&bytes);
        for exchange in exchanges {
            self.tally.requests += 1;
            let response = connection.receive_or_close();
            self.judge(exchange, response)?;
        }
        Ok(())
    }

    /// Disconnects anywhere in a request. The part of the body that it may have sent has a valid signature.
    fn gone(&mut self) -> Outcome {
        let bytes = &self.traffic.unended[self.below(2)];
        let sent = self.below(bytes.len() + 1);
        let mut connection = Connection::open(self.address);
        connection.send(&bytes[..sent]);
        if self.below(2) == 0 {
            connection.reset();
        }
        self.tally.requests += 1;
        Ok(())
    }

    fn half_closed(&mut self) -> Outcome {
        let bytes = &self.traffic.unended[self.below(2)];
        let mut connection = Connection::open(self.address);
        self.tally.requests += 1;
        let response = connection.send(bytes).end().receive_or_close();
        let response = response.ok_or("half-closed: no answer")?;
        self.count(&response);
        match (response.status, &*response.detail(), connection.receive_or_close()) {
            (400, "Webhook body could not be read", None) => Ok(()),
            (_, _, next) => Err(format!("half-closed: {response:?}, {next:?}")),
        }
    }

    fn trickled(&mut self) -> Outcome {
        let exchange = &self.traffic.whole[self.below(5)];
        let mut connection = Connection::open(self.address);
        for byte in &exchange.bytes {
            connection.send(&[*byte]);
        }
        self.tally.requests += 1;
        let response = connection.receive_or_close();
        self.judge(exchange, response)
    }

    fn stalled(&mut self) -> Outcome {
        let bytes = &self.traffic.whole[0].bytes;
        let mut connection = Connection::open(self.address);
        connection.send(&bytes[..bytes.len() - 1]);
        self.stalled.push_back(connection);
        if self.stalled.len() > STALLED { self.finish_stalled() } else { Ok(()) }
    }

    fn finish_stalled(&mut self) -> Outcome {
        let exchange = &self.traffic.whole[0];
        let last = exchange.bytes.last().copied().ok_or("no bytes")?;
        let mut connection = self.stalled.pop_front().ok_or("none is stalled")?;
        self.tally.requests += 1;
        let response = connection.send(&[last]).receive_or_close();
        self.judge(exchange, response)
    }

    /// Keeps sending beyond the limit, until the server closes the connection.
    fn endless(&mut self) -> Outcome {
        let exchange = &self.traffic.endless;
        let mut connection = Connection::open(self.address);
        connection.send(&exchange.bytes);
        for _ in 0..24 {
            if connection.try_send(&self.traffic.chunk).is_err() {
                break;
            }
        }
        self.tally.requests += 1;
        let response = connection.receive_or_close();
        self.judge(exchange, response)
    }

    /// Opens an HTTP/2 connection with many streams.
    fn streams(&mut self) -> Outcome {
        let kinds: Vec<_> = (0..STREAMS).map(|_| self.below(streams::KINDS)).collect();
        self.tally.requests += kinds.len() as u64;
        let statuses =
            self.runtime.block_on(streams::statuses(self.address, self.traffic, &kinds))?;
        for status in statuses {
            *self.tally.statuses.entry(status).or_default() += 1;
        }
        Ok(())
    }

    fn judge(&mut self, exchange: &Exchange, response: Option<Response>) -> Outcome {
        let Exchange { status, text, .. } = exchange;
        let response = response.ok_or_else(|| format!("no answer, not {status} {text}"))?;
        self.count(&response);
        let body = String::from_utf8_lossy(&response.body);
        match response.status == *status && body.contains(text) {
            true => Ok(()),
            false => Err(format!("{} {body}, not {status} {text}", response.status)),
        }
    }

    fn count(&mut self, response: &Response) {
        *self.tally.statuses.entry(response.status).or_default() += 1;
    }

    /// Xorshift: each client does the same in every run, but the order among clients differs.
    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound as u64) as usize
    }
}
