//! The operations that only read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pierre_webhook_core::DeliveryId;
use rusqlite::{Connection, Row, params};

use super::sql;
use crate::entry::{Entry, State, Stats};

pub(super) fn waiting(connection: &Connection, scope: &str, limit: u64) -> rusqlite::Result<u64> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection.prepare_cached(sql::WAITING)?.query_row(params![scope, limit], count(0))
}

pub(super) fn stats(connection: &Connection, scope: &str) -> rusqlite::Result<Stats> {
    let mut stats = Stats::default();
    let mut statement = connection.prepare_cached(sql::STATS)?;
    let mut rows = statement.query([scope])?;
    while let Some(row) = rows.next()? {
        let state = State::of(&row.get::<_, String>(0)?);
        let number = count(1)(row)?;
        match state {
            State::Running => stats.running = number,
            State::Dead => stats.dead = number,
            State::Ready | State::Done => stats.ready = number,
        }
        if state != State::Dead {
            let age = u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
            stats.oldest = stats.oldest.max(Some(Duration::from_millis(age)));
        }
    }
    Ok(stats)
}

pub(super) fn entries(
    connection: &Connection,
    scope: &str,
    state: State,
    limit: i64,
) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = connection.prepare_cached(sql::entries(state))?;
    statement.query_map(params![scope, limit], entry)?.collect()
}

pub(super) fn find(
    connection: &Connection,
    scope: &str,
    id: DeliveryId,
) -> rusqlite::Result<Vec<(Entry, Option<Bytes>)>> {
    let mut statement = connection.prepare_cached(sql::FIND)?;
    let with_body =
        |row: &Row<'_>| Ok((entry(row)?, row.get::<_, Option<Vec<u8>>>(11)?.map(Bytes::from)));
    statement.query_map(params![scope, id.as_bytes()], with_body)?.collect()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let tenant: String = row.get(1)?;
    Ok(Entry {
        id: DeliveryId::from(row.get::<_, [u8; 32]>(0)?),
        tenant: Some(tenant).filter(|tenant| !tenant.is_empty()),
        event_type: row.get(2)?,
        lane: row.get(3)?,
        state: State::of(&row.get::<_, String>(4)?),
        attempt: count(5)(row)?,
        tries: row.get(6)?,
        received_at: time(row.get(7)?),
        due: time(row.get(8)?),
        ended_at: row.get::<_, Option<i64>>(9)?.map(time),
        error: row.get(10)?,
    })
}

fn count(column: usize) -> impl Fn(&Row<'_>) -> rusqlite::Result<u64> {
    move |row| Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

fn time(milliseconds: i64) -> SystemTime {
    let since = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}
