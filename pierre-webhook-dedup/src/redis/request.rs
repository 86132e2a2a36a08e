//! What Redis is asked, each time with one answer.

use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection, cmd};

use super::script::Script;

pub(super) enum Request<'a> {
    Command(Cmd),
    Script { script: &'static Script, key: &'a str, owner: &'a str, milliseconds: u64 },
}

impl Request<'_> {
    pub(super) async fn send(&self, connection: &mut MultiplexedConnection) -> RedisResult<Value> {
        match self {
            Self::Command(command) => answer(connection, command).await,
            Self::Script { script, key, owner, milliseconds } => {
                let call = |verb, script: &str| {
                    let mut command = cmd(verb);
                    command.arg(script).arg(1).arg(*key).arg(*owner).arg(*milliseconds);
                    command
                };
                match answer(connection, &call("EVALSHA", &script.hash)).await {
                    // Never `SCRIPT LOAD` and the hash again, which a flush in between undoes.
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                        answer(connection, &call("EVAL", script.text)).await
                    }
                    answered => answered,
                }
            }
        }
    }
}

async fn answer(connection: &mut MultiplexedConnection, command: &Cmd) -> RedisResult<Value> {
    connection.send_packed_command(command).await?.extract_error()
}
