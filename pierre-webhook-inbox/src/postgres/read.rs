//! The operations that only read.

use std::time::Duration;

use bytes::Bytes;
use deadpool_postgres::Client;
use pierre_webhook_core::DeliveryId;
use tokio_postgres::Row;

use super::sql;
use crate::{
    entry::{Entry, State, Stats},
    error::InboxError,
};

pub(super) async fn waiting(client: &Client, scope: &str, limit: u64) -> Result<u64, InboxError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = client.prepare_cached(sql::WAITING).await?;
    number(&client.query_one(&statement, &[&scope, &limit]).await?, 0)
}

pub(super) async fn stats(client: &Client, scope: &str) -> Result<Stats, InboxError> {
    let mut stats = Stats::default();
    for row in client.query(sql::STATS, &[&scope]).await? {
        let state = State::of(row.try_get(0)?);
        let number_of_rows = number(&row, 1)?;
        match state {
            State::Running => stats.running = number_of_rows,
            State::Dead => stats.dead = number_of_rows,
            State::Ready | State::Done => stats.ready = number_of_rows,
        }
        if state != State::Dead {
            stats.oldest = stats.oldest.max(Some(Duration::from_millis(number(&row, 2)?)));
        }
    }
    Ok(stats)
}

pub(super) async fn entries(
    client: &Client,
    scope: &str,
    state: State,
    limit: i64,
) -> Result<Vec<Entry>, InboxError> {
    let rows = client.query(sql::entries(state), &[&scope, &limit]).await?;
    rows.iter().map(entry).collect()
}

pub(super) async fn find(
    client: &Client,
    scope: &str,
    id: DeliveryId,
) -> Result<Vec<(Entry, Option<Bytes>)>, InboxError> {
    let rows = client.query(sql::FIND, &[&scope, &id.as_bytes().as_slice()]).await?;
    let with_body =
        |row: &Row| Ok((entry(row)?, row.try_get::<_, Option<Vec<u8>>>(11)?.map(Bytes::from)));
    rows.iter().map(with_body).collect()
}

fn entry(row: &Row) -> Result<Entry, InboxError> {
    let tenant: String = row.try_get(1)?;
    Ok(Entry {
        id: delivery_id(row.try_get(0)?)?,
        tenant: Some(tenant).filter(|tenant| !tenant.is_empty()),
        event_type: row.try_get(2)?,
        lane: row.try_get(3)?,
        state: State::of(row.try_get(4)?),
        attempt: number(row, 5)?,
        tries: u32::try_from(row.try_get::<_, i32>(6)?).unwrap_or_default(),
        received_at: row.try_get(7)?,
        due: row.try_get(8)?,
        ended_at: row.try_get(9)?,
        error: row.try_get(10)?,
    })
}

pub(super) fn delivery_id(bytes: &[u8]) -> Result<DeliveryId, InboxError> {
    Ok(DeliveryId::from(<[u8; 32]>::try_from(bytes).map_err(InboxError::database)?))
}

fn number(row: &Row, column: usize) -> Result<u64, InboxError> {
    Ok(u64::try_from(row.try_get::<_, i64>(column)?).unwrap_or_default())
}
