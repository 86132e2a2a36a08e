//! The statements of the inbox in PostgreSQL.
//!
//! Use them if you reach the database with something other than `tokio-postgres`, to store or complete a delivery in a
//! transaction of your own.

mod take;

pub(crate) use self::take::{CLOCK_SET_BACK, LOCK_DUE, TAKE, TAKE_LOCKED};
use crate::entry::State;

pub(crate) const CREATE_VERSION: &str =
    "CREATE TABLE IF NOT EXISTS pierre_delivery_schema (version integer NOT NULL)";

pub(crate) const SELECT_VERSION: &str = "SELECT max(version) FROM pierre_delivery_schema";

pub(crate) const WRITE_VERSION: &str = "INSERT INTO pierre_delivery_schema (version) SELECT $1
     WHERE NOT EXISTS (SELECT 1 FROM pierre_delivery_schema WHERE version = $1)";

/// The steps from an empty database to the newest schema, in order. [`Inbox::postgres`](crate::Inbox::postgres)
/// executes those that are missing, under an advisory lock.
pub const MIGRATIONS: &[&str] = &["
CREATE TABLE pierre_delivery (
    seq bigint GENERATED ALWAYS AS IDENTITY,    -- the order in which deliveries were stored
    scope text NOT NULL,
    id bytea NOT NULL,                          -- DeliveryId: 32 bytes
    tenant text NOT NULL,                       -- '' for none
    event_type text NOT NULL,
    lane text,                                  -- the repository
    signed_at bigint NOT NULL,                  -- in seconds since 1970
    matched_secret integer NOT NULL,
    received_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'done', 'dead')),
    attempt bigint NOT NULL DEFAULT 0,          -- the fencing number: only grows
    tries integer NOT NULL DEFAULT 0,           -- attempts since the last retry by hand
    due timestamptz NOT NULL DEFAULT statement_timestamp(),   -- while it runs, the end of its lease
    ended_at timestamptz,
    error text,
    body bytea,                                 -- NULL once it is pruned
    PRIMARY KEY (scope, id, tenant)
);
CREATE INDEX pierre_delivery_due ON pierre_delivery (scope, due, seq) WHERE ended_at IS NULL;
CREATE INDEX pierre_delivery_ready ON pierre_delivery (scope, tenant, lane, seq) WHERE state = 'ready';
CREATE INDEX pierre_delivery_running ON pierre_delivery (scope, tenant, lane, seq) WHERE state = 'running';
CREATE INDEX pierre_delivery_dead ON pierre_delivery (scope, tenant, lane, seq) WHERE state = 'dead';
CREATE INDEX pierre_delivery_ended ON pierre_delivery (scope, ended_at) WHERE state = 'done';
"];

/// Stores a delivery: one changed row if it is new, none if it is known.
///
/// 1 the scope, 2 [`Delivery::id`](pierre_webhook_core::Delivery::id) (`bytea`), 3 the tenant or `''`, 4 the event
/// type, 5 the repository's id (NULL for an unknown event; a hash if it has over 256 bytes or a NUL), 6 `signed_at`
/// (`bigint`), 7 `matched_secret` (`integer`), 8 the body (`bytea`).
pub const INSERT: &str = "
INSERT INTO pierre_delivery (scope, id, tenant, event_type, lane, signed_at, matched_secret, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (scope, id, tenant) DO NOTHING";

/// The channel of `NOTIFY`. The payload is the scope.
pub const CHANNEL: &str = "pierre_delivery";

/// Wakes the workers that listen. 1 the scope.
pub const NOTIFY: &str = "SELECT pg_notify('pierre_delivery', $1)";

pub(crate) const RENEW: &str = "
UPDATE pierre_delivery SET due = statement_timestamp() + $5::bigint * interval '1 millisecond'
WHERE scope = $1 AND id = $2 AND tenant = $3 AND attempt = $4 AND state = 'running'";

/// Completes a delivery, and wakes the next one of its repository if 5 is true. The only row and column is the number
/// of completed deliveries: 0 if another attempt took over. Roll back then.
///
/// `state || ''` keeps the planner from the index of ready rows, of which it would scan all; the row is found by its key.
///
/// 1 the scope, 2 the id (`bytea`), 3 the tenant or `''`, 4 [`Job::attempt`](crate::Job::attempt) (`bigint`), 5 whether
/// the worker runs in order (`boolean`).
pub const COMPLETE: &str = "
WITH ended AS (
    UPDATE pierre_delivery SET state = 'done', error = NULL, ended_at = statement_timestamp()
    WHERE scope = $1 AND id = $2 AND tenant = $3 AND attempt = $4 AND state = 'running'
    RETURNING scope, tenant, lane, seq),
woken AS (
    UPDATE pierre_delivery d SET due = statement_timestamp()
    FROM ended CROSS JOIN LATERAL (
        SELECT next.id FROM pierre_delivery next
        WHERE next.scope = ended.scope AND next.tenant = ended.tenant AND next.lane = ended.lane
            AND next.state = 'ready'
        ORDER BY next.seq LIMIT 1) next
    WHERE $5 AND d.scope = ended.scope AND d.id = next.id AND d.tenant = ended.tenant
        AND d.state || '' = 'ready')
SELECT count(*) FROM ended";

/// Completes a delivery whose worker takes deliveries in any order, so that no other one waits for it. Takes 1 to 4 of
/// [`COMPLETE`].
pub(crate) const COMPLETE_ALONE: &str = "
UPDATE pierre_delivery SET state = 'done', error = NULL, ended_at = statement_timestamp()
WHERE scope = $1 AND id = $2 AND tenant = $3 AND attempt = $4 AND state = 'running'";

/// [`COMPLETE`] for the last failure, with the error as 6.
pub(crate) const BURY: &str = "
WITH ended AS (
    UPDATE pierre_delivery SET state = 'dead', error = $6, ended_at = statement_timestamp()
    WHERE scope = $1 AND id = $2 AND tenant = $3 AND attempt = $4 AND state = 'running'
    RETURNING scope, tenant, lane, seq),
woken AS (
    UPDATE pierre_delivery d SET due = statement_timestamp()
    FROM ended CROSS JOIN LATERAL (
        SELECT next.id FROM pierre_delivery next
        WHERE next.scope = ended.scope AND next.tenant = ended.tenant AND next.lane = ended.lane
            AND next.state = 'ready'
        ORDER BY next.seq LIMIT 1) next
    WHERE $5 AND d.scope = ended.scope AND d.id = next.id AND d.tenant = ended.tenant
        AND d.state || '' = 'ready')
SELECT count(*) FROM ended";

/// Makes the row ready again, in $6 milliseconds.
pub(crate) const AGAIN: &str = "
UPDATE pierre_delivery
SET state = 'ready', error = $5,
    due = statement_timestamp() + $6::bigint * interval '1 millisecond'
WHERE scope = $1 AND id = $2 AND tenant = $3 AND attempt = $4 AND state = 'running'";

pub(crate) const GIVE_BACK: &str = "
UPDATE pierre_delivery SET state = 'ready', tries = tries - 1, due = statement_timestamp()
WHERE scope = $1 AND id = $2 AND tenant = $3 AND attempt = $4 AND state = 'running'";

pub(crate) const WAITING: &str = "
SELECT count(*) FROM
    (SELECT 1 FROM pierre_delivery WHERE scope = $1 AND ended_at IS NULL LIMIT $2) waiting";

/// One statement for each state, so that its index is used.
pub(crate) const STATS: &str = "
SELECT state, count(*), (extract(epoch FROM statement_timestamp() - min(received_at)) * 1000)::bigint
FROM pierre_delivery WHERE scope = $1 AND state = 'ready' GROUP BY state
UNION ALL
SELECT state, count(*), (extract(epoch FROM statement_timestamp() - min(received_at)) * 1000)::bigint
FROM pierre_delivery WHERE scope = $1 AND state = 'running' GROUP BY state
UNION ALL
SELECT state, count(*), (extract(epoch FROM statement_timestamp() - min(received_at)) * 1000)::bigint
FROM pierre_delivery WHERE scope = $1 AND state = 'dead' GROUP BY state";

/// The oldest rows of one state, which is a literal so that its index is used. 1 the scope, 2 the limit.
macro_rules! entries {
    ($state:literal) => {
        concat!(
            "SELECT id, tenant, event_type, lane, state, attempt, tries, received_at, due, ended_at, error
             FROM pierre_delivery WHERE scope = $1 AND state = '",
            $state,
            "' ORDER BY seq LIMIT $2"
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
FROM pierre_delivery WHERE scope = $1 AND id = $2 ORDER BY seq";

pub(crate) const RETRY: &str = "
UPDATE pierre_delivery
SET state = 'ready', tries = 0, ended_at = NULL, due = statement_timestamp()
WHERE scope = $1 AND id = $2 AND state = 'dead'";

pub(crate) const DISCARD: &str = "
WITH ended AS (
    UPDATE pierre_delivery SET state = 'done', ended_at = statement_timestamp()
    WHERE scope = $1 AND id = $2 AND state = 'dead'
    RETURNING scope, tenant, lane, seq),
woken AS (
    UPDATE pierre_delivery d SET due = statement_timestamp()
    FROM ended CROSS JOIN LATERAL (
        SELECT next.id FROM pierre_delivery next
        WHERE next.scope = ended.scope AND next.tenant = ended.tenant AND next.lane = ended.lane
            AND next.state = 'ready'
        ORDER BY next.seq LIMIT 1) next
    WHERE d.scope = ended.scope AND d.id = next.id AND d.tenant = ended.tenant
        AND d.state || '' = 'ready')
SELECT count(*) FROM ended";

pub(crate) const PRUNE_BODIES: &str = "
UPDATE pierre_delivery SET body = NULL
WHERE state = 'done' AND ctid = ANY (ARRAY(
    SELECT ctid FROM pierre_delivery
    WHERE scope = $1 AND state = 'done' AND body IS NOT NULL
        AND ended_at <= statement_timestamp() - $2::bigint * interval '1 millisecond'
    LIMIT $3))";

pub(crate) const PRUNE_ENTRIES: &str = "
DELETE FROM pierre_delivery
WHERE state = 'done' AND ctid = ANY (ARRAY(
    SELECT ctid FROM pierre_delivery
    WHERE scope = $1 AND state = 'done'
        AND ended_at <= statement_timestamp() - $2::bigint * interval '1 millisecond'
    LIMIT $3))";
