//! The operations that write.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Client, GenericClient};
use pierre_webhook_core::DeliveryId;
use tokio_postgres::Row;

use super::{read::delivery_id, sql};
use crate::{
    entry::{Inserted, Pruned},
    error::InboxError,
    row::{NewRow, TakenRow},
    store::{ASIDE, NEXT_ASIDE, Outcome, Prune, ROWS_AT_ONCE, Take, Ticket, Window, milliseconds},
};

pub(super) async fn insert(
    client: &impl GenericClient,
    row: &NewRow,
) -> Result<Inserted, InboxError> {
    let statement = client.prepare_cached(sql::INSERT).await?;
    let inserted = client
        .execute(
            &statement,
            &[
                &&*row.scope,
                &row.id.as_bytes().as_slice(),
                &&*row.tenant,
                &row.event_type,
                &row.lane,
                &row.signed_at,
                &row.matched_secret,
                &&*row.body,
            ],
        )
        .await?;
    Ok(if inserted == 0 { Inserted::Known } else { Inserted::New })
}

pub(super) async fn take(
    client: &Client,
    scope: &str,
    take: Take,
) -> Result<Vec<TakenRow>, InboxError> {
    let statement = client.prepare_cached(sql::TAKE).await?;
    let lease = milliseconds(take.lease);
    let rows = client.query(&statement, &[&scope, &take.limit, &lease]).await?;
    rows.iter().map(taken_row).collect()
}

pub(super) async fn take_in_order(
    client: &mut Client,
    scope: &str,
    take: Take,
    dead_holds: bool,
) -> Result<Vec<TakenRow>, InboxError> {
    let mut window = Window::new(take.limit);
    let (lease, aside) = (milliseconds(take.lease), milliseconds(ASIDE));
    let next_aside = milliseconds(NEXT_ASIDE);
    // If all of a window is blocked, the free ones may be behind it.
    loop {
        let transaction = client.transaction().await?;
        let statement = transaction.prepare_cached(sql::LOCK_DUE).await?;
        let locked = transaction.query(&statement, &[&scope, &window.rows()]).await?;
        if locked.is_empty() {
            return Ok(Vec::new());
        }
        let mut places: Vec<&str> = Vec::new();
        for row in &locked {
            places.push(row.try_get(0)?);
        }
        let statement = transaction.prepare_cached(sql::TAKE_LOCKED).await?;
        let rows = transaction
            .query(
                &statement,
                &[&scope, &take.limit, &lease, &dead_holds, &aside, &next_aside, &places],
            )
            .await?;
        transaction.commit().await?;
        let mut taken = Vec::new();
        for row in &rows {
            if !row.try_get::<_, bool>(9)? {
                taken.push(taken_row(row)?);
            }
        }
        let is_last = i64::try_from(locked.len()).is_ok_and(|locked| locked < window.rows());
        if is_last || !taken.is_empty() {
            return Ok(taken);
        }
        window = window.wider();
    }
}

pub(super) async fn clock_set_back(
    client: &Client,
    scope: &str,
    lease: Duration,
) -> Result<u64, InboxError> {
    let statement = client.prepare_cached(sql::CLOCK_SET_BACK).await?;
    Ok(client.execute(&statement, &[&scope, &milliseconds(lease), &ROWS_AT_ONCE]).await?)
}

pub(super) async fn renew(
    client: &Client,
    ticket: &Ticket,
    lease: Duration,
) -> Result<bool, InboxError> {
    let statement = client.prepare_cached(sql::RENEW).await?;
    let (scope, id, tenant, attempt) = key(ticket);
    let changed =
        client.execute(&statement, &[&scope, &id, &tenant, &attempt, &milliseconds(lease)]).await?;
    Ok(changed > 0)
}

pub(super) async fn settle(
    client: &Client,
    ticket: &Ticket,
    outcome: &Outcome,
) -> Result<bool, InboxError> {
    let (scope, id, tenant, attempt) = key(ticket);
    let changed = match outcome {
        Outcome::Done => return complete(client, ticket).await,
        Outcome::Dead { error } => {
            let statement = client.prepare_cached(sql::BURY).await?;
            let wakes_next = ticket.wakes_next(true);
            let row = client
                .query_one(&statement, &[&scope, &id, &tenant, &attempt, &wakes_next, error])
                .await?;
            return Ok(row.try_get::<_, i64>(0)? > 0);
        }
        Outcome::Again { after, error } => {
            let statement = client.prepare_cached(sql::AGAIN).await?;
            let after = milliseconds(*after);
            client.execute(&statement, &[&scope, &id, &tenant, &attempt, error, &after]).await?
        }
        Outcome::NotRun => {
            let statement = client.prepare_cached(sql::GIVE_BACK).await?;
            client.execute(&statement, &[&scope, &id, &tenant, &attempt]).await?
        }
    };
    Ok(changed > 0)
}

pub(super) async fn complete(
    client: &impl GenericClient,
    ticket: &Ticket,
) -> Result<bool, InboxError> {
    let (scope, id, tenant, attempt) = key(ticket);
    if !ticket.wakes_next(false) {
        let statement = client.prepare_cached(sql::COMPLETE_ALONE).await?;
        return Ok(client.execute(&statement, &[&scope, &id, &tenant, &attempt]).await? > 0);
    }
    let statement = client.prepare_cached(sql::COMPLETE).await?;
    let row = client.query_one(&statement, &[&scope, &id, &tenant, &attempt, &true]).await?;
    Ok(row.try_get::<_, i64>(0)? > 0)
}

pub(super) async fn retry(
    client: &Client,
    scope: &str,
    id: DeliveryId,
) -> Result<bool, InboxError> {
    let retried = client.execute(sql::RETRY, &[&scope, &id.as_bytes().as_slice()]).await?;
    Ok(retried > 0)
}

pub(super) async fn discard(
    client: &Client,
    scope: &str,
    id: DeliveryId,
) -> Result<bool, InboxError> {
    let row = client.query_one(sql::DISCARD, &[&scope, &id.as_bytes().as_slice()]).await?;
    Ok(row.try_get::<_, i64>(0)? > 0)
}

pub(super) async fn prune(
    client: &Client,
    scope: &str,
    prune: Prune,
) -> Result<Pruned, InboxError> {
    let (entry_after, body_after) =
        (milliseconds(prune.entry_after), milliseconds(prune.body_after));
    let entries =
        client.execute(sql::PRUNE_ENTRIES, &[&scope, &entry_after, &ROWS_AT_ONCE]).await?;
    let bodies = client.execute(sql::PRUNE_BODIES, &[&scope, &body_after, &ROWS_AT_ONCE]).await?;
    Ok(Pruned { bodies, entries })
}

fn key(ticket: &Ticket) -> (&str, &[u8], &str, i64) {
    (&ticket.scope, ticket.id.as_bytes(), &ticket.tenant, ticket.attempt)
}

fn taken_row(row: &Row) -> Result<TakenRow, InboxError> {
    // A row that waits has its body.
    let body: Option<Vec<u8>> = row.try_get(8)?;
    Ok(TakenRow {
        seq: row.try_get(0)?,
        id: delivery_id(row.try_get(1)?)?,
        tenant: Arc::from(row.try_get::<_, &str>(2)?),
        event_type: row.try_get(3)?,
        signed_at: row.try_get(4)?,
        matched_secret: row.try_get(5)?,
        attempt: row.try_get(6)?,
        tries: row.try_get(7)?,
        body: body.unwrap_or_default().into(),
    })
}
