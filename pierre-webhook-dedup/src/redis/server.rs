//! What a server says about itself: whether the store can use it, and whether it may forget deliveries.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU8, Ordering},
};

use redis::{Cmd, ErrorKind, FromRedisValue, cmd, from_redis_value};

use super::{command::Command, connection::Connection, failure::Failure};
use crate::trace::warn_of_server;

const EVICTS: u8 = 1;
const KEEPS_NOTHING: u8 = 2;

/// The warnings that were logged. Each is logged once for a store.
#[derive(Default)]
pub(super) struct Warned(AtomicU8);

/// Refuses a node of a cluster and a sentinel, and warns of settings that lose deliveries.
///
/// What the user of the server may not ask is not checked.
pub(super) async fn inspect(connection: &mut Connection, warned: &Warned) -> Result<(), Failure> {
    let Some(info) = ask::<String>(connection, cmd("INFO")).await? else { return Ok(()) };
    check_mode(&info)?;
    if field(&info, "maxmemory_policy").is_some_and(|policy| policy != "noeviction") {
        warned.warn(
            EVICTS,
            "Redis may evict completed deliveries, which are then handled again: set maxmemory-policy noeviction",
        );
    }
    if field(&info, "aof_enabled") == Some("0") {
        let mut save = cmd("CONFIG");
        save.arg("GET").arg("save");
        let settings = ask::<HashMap<String, String>>(connection, save).await?;
        if settings.is_some_and(|settings| settings.get("save").is_some_and(String::is_empty)) {
            warned.warn(
                KEEPS_NOTHING,
                "Redis keeps nothing on disk, so completed deliveries are handled again after it restarts: set appendonly yes",
            );
        }
    }
    Ok(())
}

impl Warned {
    fn warn(&self, warning: u8, text: &'static str) {
        if self.0.fetch_or(warning, Ordering::Relaxed) & warning == 0 {
            warn_of_server(text);
        }
    }
}

/// Returns the answer, or `None` if the server doesn't give one of this type.
async fn ask<T: FromRedisValue>(
    connection: &mut Connection,
    command: Cmd,
) -> Result<Option<T>, Failure> {
    match connection.send(&Command::Plain(command)).await {
        Ok(answer) => Ok(from_redis_value(answer).ok()),
        Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Parse) => {
            Err(Failure::unconnected(&error))
        }
        Err(_) => Ok(None),
    }
}

fn check_mode(info: &str) -> Result<(), Failure> {
    // Valkey calls it `server_mode`.
    let mode = field(info, "redis_mode").or_else(|| field(info, "server_mode"));
    match mode {
        Some("sentinel") => Err(Failure::Sentinel),
        Some("cluster") => Err(Failure::Cluster),
        _ if field(info, "cluster_enabled") == Some("1") => Err(Failure::Cluster),
        _ => Ok(()),
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_and_a_sentinel_are_refused_by_what_they_say() {
        for (info, refused) in [
            ("", None),
            ("# Server\r\nredis_mode:standalone\r\n# Cluster\r\ncluster_enabled:0\r\n", None),
            ("server_mode:standalone\r\n", None),
            ("redis_mode:cluster\r\n", Some(Failure::Cluster)),
            ("server_mode:cluster\r\n", Some(Failure::Cluster)),
            ("redis_mode:standalone\r\ncluster_enabled:1\r\n", Some(Failure::Cluster)),
            ("redis_mode:sentinel\r\n", Some(Failure::Sentinel)),
        ] {
            let failure = check_mode(info).err().map(|failure| failure.to_string());
            assert_eq!(failure, refused.map(|failure| failure.to_string()), "{info}");
        }
    }
}
