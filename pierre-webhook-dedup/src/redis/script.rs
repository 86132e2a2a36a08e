//! The Lua scripts, each of which the server runs atomically.

use std::sync::LazyLock;

use super::command::Command;

/// A script, called by its hash, and by its text if the server doesn't have it.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }

    pub(super) fn call<'a>(
        &'static self,
        key: &'a str,
        owner: &'a str,
        milliseconds: u64,
    ) -> Command<'a> {
        Command::Script { text: self.text, hash: &self.hash, key, owner, milliseconds }
    }
}

/// Returns a kind and a number: 0 and the fencing token if the owner holds the key now, 1 and what is left of the lease
/// if another holds it, 2 if it is completed.
///
/// The token is the server's time in microseconds. The script runs at one instant, so a key that has expired has done
/// so before it.
///
/// A key without an expiry was made so by hand. The script sets one, or the delivery would never be handled.
pub(super) static CLAIM: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local held = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'GET', 'PX', ARGV[2]) \
         if not held or held == ARGV[1] then \
             local time = redis.call('TIME') \
             return {0, time[1] * 1000000 + time[2]} \
         end \
         if string.sub(held, 1, 5) == 'done:' then return {2, 0} end \
         local rest = redis.call('PTTL', KEYS[1]) \
         if rest >= 0 then return {1, rest} end \
         redis.call('PEXPIRE', KEYS[1], ARGV[2]) \
         return {1, tonumber(ARGV[2])}",
    )
});

/// Returns 1 if the owner holds the key for another lease, and 0 if another holds it or it is completed.
pub(super) static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local held = redis.call('GET', KEYS[1]) \
         if held and held ~= ARGV[1] then return 0 end \
         redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) \
         return 1",
    )
});

/// Returns 1 if the owner's completion is recorded, now or earlier, and 0 if another holds or completed the key.
pub(super) static COMPLETE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local done = 'done:' .. ARGV[1] \
         local held = redis.call('GET', KEYS[1]) \
         if held == done then return 1 end \
         if held and held ~= ARGV[1] then return 0 end \
         redis.call('SET', KEYS[1], done, 'PX', ARGV[2]) \
         return 1",
    )
});

/// Removes the key if it is in progress under the owner.
pub(super) static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
         return redis.call('DEL', KEYS[1])",
    )
});
