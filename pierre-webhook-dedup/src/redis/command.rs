//! What a client sends: a command or a call of a script, each with one answer.

use redis::Cmd;

pub(super) enum Command<'a> {
    Plain(Cmd),
    Script {
        text: &'static str,
        hash: &'static str,
        key: &'a str,
        owner: &'a str,
        milliseconds: u64,
    },
}
