//! A connection, which sends commands.

use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection, cmd};

use super::command::Command;
#[cfg(feature = "redis-tls")]
use super::tls::Driver;

/// A multiplexed connection, closed when its last clone is dropped.
#[derive(Clone)]
pub(super) struct Connection {
    /// The number of the attempt that made it.
    pub(super) number: u64,
    multiplexed: MultiplexedConnection,
    #[cfg(feature = "redis-tls")]
    _driver: Option<Driver>,
}

impl Connection {
    pub(super) fn new(number: u64, multiplexed: MultiplexedConnection) -> Self {
        Self {
            number,
            multiplexed,
            #[cfg(feature = "redis-tls")]
            _driver: None,
        }
    }

    /// A connection over TLS, whose driver is a task of ours.
    #[cfg(feature = "redis-tls")]
    pub(super) fn with_driver(
        number: u64,
        multiplexed: MultiplexedConnection,
        driver: Driver,
    ) -> Self {
        Self { number, multiplexed, _driver: Some(driver) }
    }

    pub(super) async fn send(&mut self, command: &Command<'_>) -> RedisResult<Value> {
        match command {
            Command::Plain(command) => self.answer(command).await,
            Command::Script { text, hash, key, owner, milliseconds } => {
                let call = |verb, script: &str| {
                    let mut command = cmd(verb);
                    command.arg(script).arg(1).arg(*key).arg(*owner).arg(*milliseconds);
                    command
                };
                match self.answer(&call("EVALSHA", hash)).await {
                    // Not `SCRIPT LOAD` and `EVALSHA` again: a flush in between would undo it.
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                        self.answer(&call("EVAL", text)).await
                    }
                    answer => answer,
                }
            }
        }
    }

    async fn answer(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.multiplexed.send_packed_command(command).await?.extract_error()
    }
}
