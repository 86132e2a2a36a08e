//! HTTP as a client, without what a general client adds: no redirect is followed, no proxy is asked, nothing is
//! decompressed, and each exchange has a connection of its own.

mod body;
mod client;
mod connector;
mod outgoing;
mod patient;
mod target;
#[cfg(feature = "tls")]
mod tls;

pub(crate) use self::{
    client::{Answer, Client, ClientArgs, NoAnswer},
    connector::{Connector, TrustArgs},
    outgoing::{Outgoing, only, without_connection_headers},
    target::Target,
};

/// How much of an answer is read where only its reason is of interest.
pub(crate) const MOST_ANSWER: usize = 64 << 10;
