//! The statements of `PostgresStore`. Each is atomic by itself, and all times are the database's.

pub(super) const CREATE_VERSION: &str =
    "CREATE TABLE IF NOT EXISTS pierre_dedup_schema (version integer NOT NULL)";

pub(super) const SELECT_VERSION: &str = "SELECT max(version) FROM pierre_dedup_schema";

pub(super) const WRITE_VERSION: &str = "INSERT INTO pierre_dedup_schema (version) SELECT $1
     WHERE NOT EXISTS (SELECT 1 FROM pierre_dedup_schema WHERE version = $1)";

/// The steps from an empty database to the newest schema, in order. A step that was released never changes.
pub(super) const MIGRATIONS: &[&str] = &["
CREATE SEQUENCE pierre_dedup_token;
CREATE TABLE pierre_dedup (
    scope text NOT NULL,
    id bytea NOT NULL,                  -- DeliveryId: 32 bytes
    owner bytea NOT NULL,               -- who holds it, or has completed it
    token bigint NOT NULL,              -- the fencing token of the claim
    is_completed boolean NOT NULL,
    until timestamptz NOT NULL,         -- the end of the lease or the retention
    PRIMARY KEY (scope, id)
);
CREATE INDEX pierre_dedup_until ON pierre_dedup (until);
"];

/// Claims $2 in the scope $1 for the owner $3 and for $4 milliseconds. The only row is the fencing token if the owner
/// holds it now; otherwise whether it is completed, and the rest of the lease in milliseconds. There is no row if
/// another claim was committed after this statement began: ask again.
///
/// A duplicate writes nothing and waits for no lock, not even that of a transaction which completes the delivery. The
/// token is drawn again under the row's lock, so that it is larger than those of claims that this one waited for.
pub(super) const CLAIM: &str = "
WITH found AS (
    SELECT is_completed, until FROM pierre_dedup
    WHERE scope = $1 AND id = $2 AND until > statement_timestamp() AND (is_completed OR owner <> $3)),
claimed AS (
    INSERT INTO pierre_dedup AS d (scope, id, owner, token, is_completed, until)
    SELECT $1, $2, $3, nextval('pierre_dedup_token'), false,
        statement_timestamp() + $4::bigint * interval '1 millisecond'
    WHERE NOT EXISTS (SELECT 1 FROM found)
    ON CONFLICT (scope, id) DO UPDATE
    SET owner = excluded.owner, is_completed = false, until = excluded.until,
        token = CASE WHEN d.owner = excluded.owner THEN d.token ELSE nextval('pierre_dedup_token') END
    WHERE d.until <= statement_timestamp() OR d.owner = excluded.owner AND NOT d.is_completed
    RETURNING token)
SELECT token, NULL::boolean, NULL::bigint FROM claimed
UNION ALL
SELECT NULL, is_completed, (extract(epoch FROM until - statement_timestamp()) * 1000)::bigint FROM found";

/// Records the completion of $2 in the scope $1 by the owner $3 for $4 milliseconds: one row, or none if another
/// holds or has completed it.
pub(super) const COMPLETE: &str = "
INSERT INTO pierre_dedup AS d (scope, id, owner, token, is_completed, until)
VALUES ($1, $2, $3, nextval('pierre_dedup_token'), true,
    statement_timestamp() + $4::bigint * interval '1 millisecond')
ON CONFLICT (scope, id) DO UPDATE
SET owner = excluded.owner, is_completed = true,
    until = CASE WHEN d.is_completed AND d.until > statement_timestamp() THEN d.until ELSE excluded.until END
WHERE d.until <= statement_timestamp() OR d.owner = excluded.owner
RETURNING true";

/// The same in a transaction of the user's, and only if the claim is in this database.
pub(super) const COMPLETE_IN: &str = "
UPDATE pierre_dedup
SET is_completed = true,
    until = CASE WHEN is_completed THEN until
        ELSE statement_timestamp() + $4::bigint * interval '1 millisecond' END
WHERE scope = $1 AND id = $2 AND owner = $3";

/// Records are ended here and deleted later. If they were deleted at once, a claim that began before could bring an
/// old token.
pub(super) const RELEASE: &str = "
UPDATE pierre_dedup SET until = statement_timestamp()
WHERE scope = $1 AND id = $2 AND owner = $3 AND NOT is_completed AND until > statement_timestamp()
RETURNING true";

pub(super) const FORGET: &str = "
UPDATE pierre_dedup SET until = statement_timestamp(), is_completed = false
WHERE scope = $1 AND id = $2 AND until > statement_timestamp()
RETURNING true";

/// Deletes up to $1 records that ended an hour ago or earlier. By then no statement that saw them is left.
pub(super) const SWEEP: &str = "
DELETE FROM pierre_dedup WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM pierre_dedup WHERE until <= statement_timestamp() - interval '1 hour'
    LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING true";
