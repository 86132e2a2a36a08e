//! The statements that take deliveries, and put those aside that have to wait.

/// Takes up to $2 rows for $3 milliseconds. By `ctid`, so that no plan scans the table, however wrong its statistics.
pub(crate) const TAKE: &str = "
UPDATE pierre_delivery
SET state = 'running', attempt = attempt + 1, tries = tries + 1,
    due = statement_timestamp() + $3::bigint * interval '1 millisecond'
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM pierre_delivery
    WHERE scope = $1 AND ended_at IS NULL AND due <= statement_timestamp()
    ORDER BY due, seq LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING seq, id, tenant, event_type, signed_at, matched_secret, attempt, tries, body";

/// Locks the first $2 rows that are due.
pub(crate) const LOCK_DUE: &str = "
SELECT ctid::text FROM pierre_delivery
WHERE scope = $1 AND ended_at IS NULL AND due <= statement_timestamp()
ORDER BY due, seq LIMIT $2 FOR UPDATE SKIP LOCKED";

/// Takes up to $2 of the locked rows for $3 milliseconds, and puts those aside that have another one of their lane in
/// the way: one that runs, an earlier one that is ready, or an earlier one that is dead, if $4. 7 is where the locked rows are.
///
/// The end of a delivery wakes the next one, so rows are put aside for long, $5 milliseconds. Only one case could miss
/// that: the row was stored after the statement that ends the one before it had begun, and that isn't committed yet.
/// It is seen as running then. So the row behind a running one is put aside for $6 milliseconds, which are few.
///
/// This must be a statement of its own, after the rows are locked: a statement that wakes one of them and is
/// committed by then is seen, and one that isn't waits for the lock and wakes the row after it was put aside.
pub(crate) const TAKE_LOCKED: &str = "
WITH locked AS (
    SELECT d.ctid AS place_of, d.due, d.seq,
        EXISTS (
            SELECT 1 FROM pierre_delivery earlier
            WHERE earlier.scope = d.scope AND earlier.tenant = d.tenant AND earlier.lane = d.lane
                AND earlier.state = 'ready' AND earlier.seq < d.seq)
        OR $4 AND EXISTS (
            SELECT 1 FROM pierre_delivery earlier
            WHERE earlier.scope = d.scope AND earlier.tenant = d.tenant AND earlier.lane = d.lane
                AND earlier.state = 'dead' AND earlier.seq < d.seq) AS is_in_queue,
        EXISTS (
            SELECT 1 FROM pierre_delivery other
            WHERE other.scope = d.scope AND other.tenant = d.tenant AND other.lane = d.lane
                AND other.state = 'running' AND other.seq <> d.seq) AS is_behind_running
    FROM pierre_delivery d WHERE d.scope = $1 AND d.ctid = ANY ($7::text[]::tid[])),
ranked AS (
    SELECT place_of, is_in_queue, is_in_queue OR is_behind_running AS is_blocked,
        row_number() OVER (PARTITION BY is_in_queue OR is_behind_running ORDER BY due, seq) AS place
    FROM locked)
UPDATE pierre_delivery d
SET state = CASE WHEN is_blocked THEN 'ready' ELSE 'running' END,
    attempt = d.attempt + CASE WHEN is_blocked THEN 0 ELSE 1 END,
    tries = d.tries + CASE WHEN is_blocked THEN 0 ELSE 1 END,
    due = statement_timestamp() + interval '1 millisecond'
        * CASE WHEN is_in_queue THEN $5::bigint WHEN is_blocked THEN $6::bigint ELSE $3::bigint END
FROM ranked
WHERE d.ctid = ranked.place_of
    AND (is_blocked OR place <= $2)
RETURNING d.seq, d.id, d.tenant, d.event_type, d.signed_at, d.matched_secret, d.attempt, d.tries,
    CASE WHEN is_blocked THEN NULL ELSE d.body END, is_blocked";

/// Up to $3 rows that were stored more than a second in the future become due: at once if they are ready, in $2 milliseconds if they run.
pub(crate) const CLOCK_SET_BACK: &str = "
UPDATE pierre_delivery
SET received_at = statement_timestamp(),
    due = statement_timestamp()
        + CASE state WHEN 'running' THEN $2::bigint ELSE 0 END * interval '1 millisecond'
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM pierre_delivery
    WHERE scope = $1 AND ended_at IS NULL AND due > statement_timestamp()
        AND received_at > statement_timestamp() + interval '1 second'
    ORDER BY due, seq LIMIT $3 FOR UPDATE SKIP LOCKED))";
