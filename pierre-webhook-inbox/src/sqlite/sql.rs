//! The statements of the inbox in SQLite.
//!
//! Use them if you reach the database with something other than `rusqlite`, to store or complete a delivery in a
//! transaction of your own. Times are milliseconds since 1970, by SQLite's clock.

use crate::entry::State;

/// Creates the table that holds the schema's version.
pub(crate) const CREATE_VERSION: &str =
    "CREATE TABLE IF NOT EXISTS pierre_delivery_schema (version INTEGER NOT NULL) STRICT";

pub(crate) const SELECT_VERSION: &str = "SELECT max(version) FROM pierre_delivery_schema";

pub(crate) const WRITE_VERSION: &str = "INSERT INTO pierre_delivery_schema (version) SELECT ?1
     WHERE NOT EXISTS (SELECT 1 FROM pierre_delivery_schema WHERE version = ?1)";

/// The steps from an empty database to the newest schema, in order. [`Inbox::sqlite`](crate::Inbox::sqlite) executes
/// those that are missing.
pub const MIGRATIONS: &[&str] = &["
CREATE TABLE pierre_delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,      -- the order in which deliveries were stored
    scope TEXT NOT NULL,
    id BLOB NOT NULL,                           -- DeliveryId: 32 bytes
    tenant TEXT NOT NULL,                       -- '' for none
    event_type TEXT NOT NULL,
    lane TEXT,                                  -- the repository
    signed_at INTEGER NOT NULL,                 -- in seconds
    matched_secret INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'done', 'dead')),
    attempt INTEGER NOT NULL DEFAULT 0,         -- the fencing number: only grows
    tries INTEGER NOT NULL DEFAULT 0,           -- attempts since the last retry by hand
    due INTEGER NOT NULL,                       -- while it runs, the end of its lease
    ended_at INTEGER,
    error TEXT,
    body BLOB,                                  -- NULL once it is pruned
    UNIQUE (scope, id, tenant)
) STRICT;
CREATE INDEX pierre_delivery_due ON pierre_delivery (scope, due, seq) WHERE ended_at IS NULL;
CREATE INDEX pierre_delivery_ready ON pierre_delivery (scope, tenant, lane, seq) WHERE state = 'ready';
CREATE INDEX pierre_delivery_running ON pierre_delivery (scope, tenant, lane, seq) WHERE state = 'running';
CREATE INDEX pierre_delivery_dead ON pierre_delivery (scope, tenant, lane, seq) WHERE state = 'dead';
CREATE INDEX pierre_delivery_ended ON pierre_delivery (scope, ended_at) WHERE state = 'done';
"];

/// Stores a delivery: one changed row if it is new, none if it is known.
///
/// 1 the scope, 2 [`Delivery::id`](pierre_webhook_core::Delivery::id), 3 the tenant or `''`, 4 the event type,
/// 5 the repository's id (NULL for an unknown event; a hash if it has over 256 bytes or a NUL), 6 `signed_at`,
/// 7 `matched_secret`, 8 the body.
pub const INSERT: &str = "
INSERT INTO pierre_delivery
    (scope, id, tenant, event_type, lane, signed_at, matched_secret, body, received_at, due)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, now, now
FROM (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now)
WHERE true
ON CONFLICT (scope, id, tenant) DO NOTHING";

/// Takes up to ?2 rows for ?3 milliseconds.
pub(crate) const TAKE: &str = "
UPDATE pierre_delivery
SET state = 'running', attempt = attempt + 1, tries = tries + 1,
    due = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3
WHERE seq IN (
    SELECT seq FROM pierre_delivery
    WHERE scope = ?1 AND ended_at IS NULL AND due <= CAST(unixepoch('subsec') * 1000 AS INTEGER)
    ORDER BY due, seq LIMIT ?2)
RETURNING seq, id, tenant, event_type, signed_at, matched_secret, attempt, tries, body";

/// The first ?2 rows that are due, and what is in their way: an earlier one of the lane that is ready, or dead if ?3;
/// another one that runs.
pub(crate) const DUE: &str = "
SELECT seq,
    EXISTS (
        SELECT 1 FROM pierre_delivery earlier
        WHERE earlier.scope = d.scope AND earlier.tenant = d.tenant AND earlier.lane = d.lane
            AND earlier.state = 'ready' AND earlier.seq < d.seq)
    OR ?3 AND EXISTS (
        SELECT 1 FROM pierre_delivery earlier
        WHERE earlier.scope = d.scope AND earlier.tenant = d.tenant AND earlier.lane = d.lane
            AND earlier.state = 'dead' AND earlier.seq < d.seq),
    EXISTS (
        SELECT 1 FROM pierre_delivery other
        WHERE other.scope = d.scope AND other.tenant = d.tenant AND other.lane = d.lane
            AND other.state = 'running' AND other.seq <> d.seq)
FROM pierre_delivery d
WHERE scope = ?1 AND ended_at IS NULL AND due <= CAST(unixepoch('subsec') * 1000 AS INTEGER)
ORDER BY due, seq LIMIT ?2";

pub(crate) const TAKE_ONE: &str = "
UPDATE pierre_delivery
SET state = 'running', attempt = attempt + 1, tries = tries + 1,
    due = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?2
WHERE seq = ?1
RETURNING seq, id, tenant, event_type, signed_at, matched_secret, attempt, tries, body";

pub(crate) const PUT_ASIDE: &str = "
UPDATE pierre_delivery
SET state = 'ready', due = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?2
WHERE seq = ?1";

/// Up to ?3 rows that were stored more than a second in the future become due: at once if they are ready, in ?2 milliseconds if they run.
pub(crate) const CLOCK_SET_BACK: &str = "
UPDATE pierre_delivery
SET received_at = now, due = CASE state WHEN 'running' THEN now + ?2 ELSE now END
FROM (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now)
WHERE seq IN (
    SELECT seq FROM pierre_delivery
    WHERE scope = ?1 AND ended_at IS NULL AND due > CAST(unixepoch('subsec') * 1000 AS INTEGER)
        AND received_at > CAST(unixepoch('subsec') * 1000 AS INTEGER) + 1000
    ORDER BY due, seq LIMIT ?3)";

pub(crate) const RENEW: &str = "
UPDATE pierre_delivery SET due = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?5
WHERE scope = ?1 AND id = ?2 AND tenant = ?3 AND attempt = ?4 AND state = 'running'";

/// Completes a delivery: one changed row, or none if another attempt took over. Roll back then.
///
/// 1 the scope, 2 the id, 3 the tenant or `''`, 4 [`Job::attempt`](crate::Job::attempt). If the worker runs in order,
/// execute [`WAKE_NEXT`] too.
pub const COMPLETE: &str = "
UPDATE pierre_delivery
SET state = 'done', error = NULL, ended_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE scope = ?1 AND id = ?2 AND tenant = ?3 AND attempt = ?4 AND state = 'running'";

pub(crate) const BURY: &str = "
UPDATE pierre_delivery
SET state = 'dead', error = ?5, ended_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE scope = ?1 AND id = ?2 AND tenant = ?3 AND attempt = ?4 AND state = 'running'";

/// Makes the row ready again, in ?6 milliseconds.
pub(crate) const AGAIN: &str = "
UPDATE pierre_delivery
SET state = 'ready', error = ?5, due = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?6
WHERE scope = ?1 AND id = ?2 AND tenant = ?3 AND attempt = ?4 AND state = 'running'";

pub(crate) const GIVE_BACK: &str = "
UPDATE pierre_delivery
SET state = 'ready', tries = tries - 1, due = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE scope = ?1 AND id = ?2 AND tenant = ?3 AND attempt = ?4 AND state = 'running'";

/// Wakes the next delivery of the repository, which a worker in order has put aside.
///
/// 1 the scope, 2 the id, 3 the tenant or `''`.
pub const WAKE_NEXT: &str = "
UPDATE pierre_delivery SET due = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE state = 'ready' AND seq = (
    SELECT next.seq FROM pierre_delivery ended CROSS JOIN pierre_delivery next
    WHERE ended.scope = ?1 AND ended.id = ?2 AND ended.tenant = ?3 AND next.scope = ended.scope
        AND next.tenant = ended.tenant AND next.lane = ended.lane AND next.state = 'ready'
    ORDER BY next.seq LIMIT 1)";

pub(crate) const WAITING: &str = "
SELECT count(*) FROM
    (SELECT 1 FROM pierre_delivery WHERE scope = ?1 AND ended_at IS NULL LIMIT ?2)";

/// One statement for each state, so that its index is used.
pub(crate) const STATS: &str = "
SELECT state, count(*), CAST(unixepoch('subsec') * 1000 AS INTEGER) - min(received_at)
FROM pierre_delivery WHERE scope = ?1 AND state = 'ready' GROUP BY state
UNION ALL
SELECT state, count(*), CAST(unixepoch('subsec') * 1000 AS INTEGER) - min(received_at)
FROM pierre_delivery WHERE scope = ?1 AND state = 'running' GROUP BY state
UNION ALL
SELECT state, count(*), CAST(unixepoch('subsec') * 1000 AS INTEGER) - min(received_at)
FROM pierre_delivery WHERE scope = ?1 AND state = 'dead' GROUP BY state";

/// The oldest rows of one state, which is a literal so that its index is used. 1 the scope, 2 the limit.
macro_rules! entries {
    ($state:literal) => {
        concat!(
            "SELECT id, tenant, event_type, lane, state, attempt, tries, received_at, due, ended_at, error
             FROM pierre_delivery WHERE scope = ?1 AND state = '",
            $state,
            "' ORDER BY seq LIMIT ?2"
        )
    };
}

pub(crate) fn entries(state: State) -> &'static str {
    match state {
        State::Ready => entries!("ready"),
        State::Running => entries!("running"),
        State::Done => entries!("done"),
        State::Dead => entries!("dead"),
    }
}

pub(crate) const FIND: &str = "
SELECT id, tenant, event_type, lane, state, attempt, tries, received_at, due, ended_at, error, body
FROM pierre_delivery WHERE scope = ?1 AND id = ?2 ORDER BY seq";

pub(crate) const RETRY: &str = "
UPDATE pierre_delivery
SET state = 'ready', tries = 0, ended_at = NULL, due = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE scope = ?1 AND id = ?2 AND state = 'dead' RETURNING tenant";

pub(crate) const DISCARD: &str = "
UPDATE pierre_delivery SET state = 'done', ended_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE scope = ?1 AND id = ?2 AND state = 'dead' RETURNING tenant";

pub(crate) const PRUNE_BODIES: &str = "
UPDATE pierre_delivery SET body = NULL WHERE seq IN (
    SELECT seq FROM pierre_delivery
    WHERE scope = ?1 AND state = 'done' AND body IS NOT NULL
        AND ended_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?2
    LIMIT ?3)";

pub(crate) const PRUNE_ENTRIES: &str = "
DELETE FROM pierre_delivery WHERE seq IN (
    SELECT seq FROM pierre_delivery
    WHERE scope = ?1 AND state = 'done'
        AND ended_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?2
    LIMIT ?3)";
