//! What the server does in one step.

use std::sync::LazyLock;

/// A script, called by its hash where the server has it.
pub(super) struct Script {
    pub(super) text: &'static str,
    pub(super) hash: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }
}

/// 1: the key is the owner's for another lease. 0: it is another's, or completed.
pub(super) static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local held = redis.call('GET', KEYS[1]) \
         if held and held ~= ARGV[1] then return 0 end \
         redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) \
         return 1",
    )
});

/// 1: it is recorded that the owner completed the key, or was. 0: it is another's, or completed by another.
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

/// Removes the key where it is in progress under the owner.
pub(super) static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
         return redis.call('DEL', KEYS[1])",
    )
});

/// The rest of another's lease; 0 where it is over by now, and -1 where the key is completed by now.
///
/// One that never ends was made so by somebody's hand. It gets an end, lest the delivery is never handled.
pub(super) static REST: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local held = redis.call('GET', KEYS[1]) \
         if not held then return 0 end \
         if string.sub(held, 1, 5) == 'done:' then return -1 end \
         local rest = redis.call('PTTL', KEYS[1]) \
         if rest >= 0 then return rest end \
         redis.call('PEXPIRE', KEYS[1], ARGV[2]) \
         return tonumber(ARGV[2])",
    )
});
