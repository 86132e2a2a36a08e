//! The statements of `SqliteStore`. Times are milliseconds since 1970, by SQLite's clock.

pub(super) const CREATE_VERSION: &str =
    "CREATE TABLE IF NOT EXISTS pierre_dedup_schema (version INTEGER NOT NULL) STRICT";

pub(super) const SELECT_VERSION: &str = "SELECT max(version) FROM pierre_dedup_schema";

pub(super) const WRITE_VERSION: &str = "INSERT INTO pierre_dedup_schema (version) VALUES (?1)";

/// The steps from an empty database to the newest schema, in order. A step that was released never changes.
pub(super) const MIGRATIONS: &[&str] = &["
CREATE TABLE pierre_dedup (
    scope TEXT NOT NULL,
    id BLOB NOT NULL,                   -- DeliveryId: 32 bytes
    owner BLOB NOT NULL,                -- who holds it, or has completed it
    is_completed INTEGER NOT NULL,
    until INTEGER NOT NULL,             -- the end of the lease or the retention
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX pierre_dedup_until ON pierre_dedup (until);
CREATE TABLE pierre_dedup_token (last INTEGER NOT NULL) STRICT;     -- the last fencing token
INSERT INTO pierre_dedup_token VALUES (0);
"];

/// Whether ?2 in the scope ?1 is completed, by whom it is held or completed, and what is left of that. No row if there
/// is no record, or if it has ended.
pub(super) const FIND: &str = "
SELECT is_completed, owner, until - CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM pierre_dedup
WHERE scope = ?1 AND id = ?2 AND until > CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// Writes the record of ?2 in the scope ?1: the owner ?3, whether it is completed ?4, and for how many milliseconds ?5.
pub(super) const WRITE: &str = "
INSERT INTO pierre_dedup (scope, id, owner, is_completed, until)
VALUES (?1, ?2, ?3, ?4, CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?5)
ON CONFLICT (scope, id) DO UPDATE
SET owner = excluded.owner, is_completed = excluded.is_completed, until = excluded.until";

pub(super) const NEXT_TOKEN: &str = "UPDATE pierre_dedup_token SET last = last + 1 RETURNING last";

/// Records a completion of ?2 in the scope ?1 by the owner ?3 for ?4 milliseconds, if the owner has the record. An
/// earlier completion keeps its retention.
pub(super) const COMPLETE_OWN: &str = "
UPDATE pierre_dedup
SET is_completed = 1,
    until = CASE WHEN is_completed AND until > CAST(unixepoch('subsec') * 1000 AS INTEGER) THEN until
        ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?4 END
WHERE scope = ?1 AND id = ?2 AND owner = ?3";

pub(super) const RELEASE: &str = "
DELETE FROM pierre_dedup WHERE scope = ?1 AND id = ?2 AND owner = ?3 AND NOT is_completed";

pub(super) const FORGET: &str = "
DELETE FROM pierre_dedup WHERE scope = ?1 AND id = ?2
RETURNING until > CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// Deletes up to ?1 records that have ended.
pub(super) const SWEEP: &str = "
DELETE FROM pierre_dedup WHERE (scope, id) IN (
    SELECT scope, id FROM pierre_dedup
    WHERE until <= CAST(unixepoch('subsec') * 1000 AS INTEGER) LIMIT ?1)";
