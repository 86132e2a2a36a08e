//! The operations, each within a transaction that no other writer interrupts.

use std::time::Duration;

use pierre_webhook_core::DeliveryId;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::sql;
use crate::{duration::milliseconds, owner::Owner, store::Claimed};

/// One in this many claims sweeps.
pub(super) const CLAIMS_PER_SWEEP: u32 = 32;

/// A key that can be sent to the thread.
pub(super) struct RecordKey {
    pub(super) scope: String,
    pub(super) id: DeliveryId,
}

struct Record {
    is_completed: bool,
    owner: Vec<u8>,
    rest: Duration,
}

pub(super) fn claim(
    transaction: &Transaction<'_>,
    key: &RecordKey,
    owner: Owner,
    lease: Duration,
) -> rusqlite::Result<Claimed> {
    match find(transaction, key)? {
        Some(record) if record.is_completed => return Ok(Claimed::Completed),
        Some(record) if record.owner != owner.as_bytes() => {
            return Ok(Claimed::InProgress { retry_after: record.rest });
        }
        _ => {}
    }
    write(transaction, key, owner, false, lease)?;
    let token =
        transaction.prepare_cached(sql::NEXT_TOKEN)?.query_row([], |row| row.get::<_, i64>(0))?;
    Ok(Claimed::Yours { fencing_token: u64::try_from(token).unwrap_or_default() })
}

pub(super) fn complete(
    transaction: &Transaction<'_>,
    key: &RecordKey,
    owner: Owner,
    retention: Duration,
) -> rusqlite::Result<bool> {
    let parameters =
        params![key.scope, key.id.as_bytes(), owner.as_bytes(), milliseconds(retention)];
    if transaction.prepare_cached(sql::COMPLETE_OWN)?.execute(parameters)? > 0 {
        return Ok(true);
    }
    // Without a record of this owner, there is one of another, or none.
    let is_free = find(transaction, key)?.is_none();
    if is_free {
        write(transaction, key, owner, true, retention)?;
    }
    Ok(is_free)
}

pub(super) fn release(
    transaction: &Transaction<'_>,
    key: &RecordKey,
    owner: Owner,
) -> rusqlite::Result<()> {
    let parameters = params![key.scope, key.id.as_bytes(), owner.as_bytes()];
    transaction.prepare_cached(sql::RELEASE)?.execute(parameters).map(drop)
}

pub(super) fn forget(transaction: &Transaction<'_>, key: &RecordKey) -> rusqlite::Result<bool> {
    let parameters = params![key.scope, key.id.as_bytes()];
    let was_there: Option<bool> = transaction
        .prepare_cached(sql::FORGET)?
        .query_row(parameters, |row| row.get(0))
        .optional()?;
    Ok(was_there.unwrap_or(false))
}

/// Deletes records that have ended: two for each claim, so that they all go in time and nobody waits for it.
pub(super) fn sweep(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let at_once = CLAIMS_PER_SWEEP.saturating_mul(2);
    transaction.prepare_cached(sql::SWEEP)?.execute([at_once]).map(drop)
}

fn find(transaction: &Transaction<'_>, key: &RecordKey) -> rusqlite::Result<Option<Record>> {
    let parameters = params![key.scope, key.id.as_bytes()];
    transaction
        .prepare_cached(sql::FIND)?
        .query_row(parameters, |row| {
            let rest = u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
            Ok(Record {
                is_completed: row.get(0)?,
                owner: row.get(1)?,
                rest: Duration::from_millis(rest),
            })
        })
        .optional()
}

fn write(
    transaction: &Transaction<'_>,
    key: &RecordKey,
    owner: Owner,
    is_completed: bool,
    time: Duration,
) -> rusqlite::Result<()> {
    let (id, owner) = (key.id.as_bytes(), owner.as_bytes());
    let parameters = params![key.scope, id, owner, is_completed, milliseconds(time)];
    transaction.prepare_cached(sql::WRITE)?.execute(parameters).map(drop)
}
