//! An HTTP client that adds nothing of its own.
//!
//! It follows no redirect, uses no proxy and decompresses nothing. Each exchange has its own connection.

mod body;
mod connector;
mod exchange;
mod outgoing;
mod patient;
mod stream;
mod target;
#[cfg(feature = "tls")]
mod tls;

pub(crate) use self::{
    connector::{Connector, TrustArgs},
    exchange::{Answer, Client, ClientArgs, NoAnswer, NoAnswerKind, SHORT_ANSWER},
    outgoing::{Outgoing, retain, without_connection_headers},
    target::Target,
};
