//! `Failure`: why an operation over Redis failed.

use std::fmt;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::StoreError;

/// None of its texts contains a part of the URL.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The URL is invalid, for this reason.
    Url(&'static str),
    /// There is no tokio runtime.
    NoRuntime,
    /// No connection could be made, for this reason.
    Unconnected(String),
    /// The runtime that was connecting has ended.
    Interrupted,
    /// There was no answer in time.
    Slow,
    /// The answer is an error, or the connection broke before it arrived.
    Refused(RedisError),
    /// The server is a node of a cluster.
    Cluster,
    /// The server is a sentinel.
    Sentinel,
    /// The answer has a type that Redis never returns for this command.
    Unexpected,
}

impl Failure {
    /// A failure to connect.
    ///
    /// A server that doesn't know `AUTH` or `HELLO` quotes their arguments, so its text is left out.
    pub(super) fn unconnected(error: &RedisError) -> Self {
        Self::Unconnected(match error.kind() {
            ErrorKind::Io => error.to_string(),
            ErrorKind::AuthenticationFailed => "the user or the password was refused".to_owned(),
            _ => match error.code() {
                Some(code) => format!("the server answered {code}"),
                None => error.category().to_owned(),
            },
        })
    }

    /// Whether a new connection may help: this one broke or is silent, or its server isn't the master any more or
    /// not yet.
    pub(super) fn is_of_the_connection(&self) -> bool {
        match self {
            Self::Slow | Self::Interrupted => true,
            Self::Refused(error) => matches!(
                error.kind(),
                ErrorKind::Io
                    | ErrorKind::Parse
                    | ErrorKind::Server(
                        ServerErrorKind::ReadOnly
                            | ServerErrorKind::MasterDown
                            | ServerErrorKind::BusyLoading
                    )
            ),
            Self::Url(_)
            | Self::NoRuntime
            | Self::Unconnected(_)
            | Self::Cluster
            | Self::Sentinel
            | Self::Unexpected => false,
        }
    }

    /// Whether the connection is of no more use.
    pub(super) fn ends_the_connection(&self) -> bool {
        self.is_of_the_connection() || matches!(self, Self::Cluster)
    }

    /// Whether the server is too old to know `SET` with both `NX` and `GET`.
    pub(super) fn is_of_an_old_server(&self) -> bool {
        matches!(self, Self::Refused(error)
            if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
                && error.detail().is_some_and(|detail| detail.contains("syntax error")))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(reason) => write!(f, "not a URL of Redis: {reason}"),
            Self::NoRuntime => f.write_str("Redis needs a tokio runtime"),
            Self::Unconnected(cause) => write!(f, "no connection to Redis: {cause}"),
            Self::Interrupted => {
                f.write_str("no connection to Redis: the runtime that was connecting has ended")
            }
            Self::Slow => f.write_str("Redis did not answer in time"),
            Self::Refused(error) if error.kind() == ErrorKind::Io => {
                write!(f, "the connection to Redis broke: {error}")
            }
            Self::Refused(_) if self.is_of_an_old_server() => f.write_str(
                "Redis 7.0 or later is needed: the server does not know SET with NX and GET",
            ),
            Self::Refused(error) => match (error.code(), error.detail()) {
                (Some(code), Some(detail)) => write!(f, "Redis answered {code} {detail}"),
                _ => write!(f, "Redis answered {error}"),
            },
            Self::Cluster => f.write_str(
                "Redis Cluster is not supported: connect to a server that is not part of a cluster",
            ),
            Self::Sentinel => f.write_str(
                "this is a Redis Sentinel, which stores nothing: connect to the master that it watches",
            ),
            Self::Unexpected => f.write_str("an answer that no Redis gives"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(
                ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::ClusterDown,
            ) => Self::Cluster,
            _ => Self::Refused(error),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::new(failure)
    }
}
