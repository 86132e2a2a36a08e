//! The operations that write.

use std::{sync::Arc, time::Duration};

use pierre_webhook_core::DeliveryId;
use rusqlite::{Connection, Row, params};

use super::sql;
use crate::{
    entry::{Inserted, Pruned},
    row::{NewRow, TakenRow},
    store::{
        ASIDE, NEXT_ASIDE, Order, Outcome, Prune, ROWS_AT_ONCE, Take, Ticket, Window, milliseconds,
    },
};

pub(super) fn insert(connection: &Connection, row: &NewRow) -> rusqlite::Result<Inserted> {
    let inserted = connection.prepare_cached(sql::INSERT)?.execute(params![
        &*row.scope,
        row.id.as_bytes(),
        &*row.tenant,
        row.event_type,
        row.lane,
        row.signed_at,
        row.matched_secret,
        &*row.body,
    ])?;
    Ok(if inserted == 0 { Inserted::Known } else { Inserted::New })
}

pub(super) fn take(
    connection: &Connection,
    scope: &str,
    take: Take,
) -> rusqlite::Result<Vec<TakenRow>> {
    let mut taken = match take.order {
        Order::Any => connection
            .prepare_cached(sql::TAKE)?
            .query_map(params![scope, take.limit, milliseconds(take.lease)], taken_row)?
            .collect::<Result<Vec<_>, _>>()?,
        Order::ByLane { dead_holds } => take_in_order(connection, scope, take, dead_holds)?,
    };
    taken.sort_unstable_by_key(|row| row.seq);
    Ok(taken)
}

fn take_in_order(
    connection: &Connection,
    scope: &str,
    take: Take,
    dead_holds: bool,
) -> rusqlite::Result<Vec<TakenRow>> {
    let limit = usize::try_from(take.limit).unwrap_or_default();
    let mut window = Window::new(take.limit);
    let mut taken = Vec::new();
    // If all of a window is blocked, the free ones may be behind it.
    loop {
        let due = connection
            .prepare_cached(sql::DUE)?
            .query_map(params![scope, window.rows(), dead_holds], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, bool>(2)?))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        for (seq, is_in_queue, is_behind_running) in &due {
            if *is_in_queue || *is_behind_running {
                let aside = if *is_in_queue { ASIDE } else { NEXT_ASIDE };
                let put_aside = params![seq, milliseconds(aside)];
                connection.prepare_cached(sql::PUT_ASIDE)?.execute(put_aside)?;
            } else if taken.len() < limit {
                let one = params![seq, milliseconds(take.lease)];
                taken.push(connection.prepare_cached(sql::TAKE_ONE)?.query_row(one, taken_row)?);
            }
        }
        let is_last = i64::try_from(due.len()).is_ok_and(|due| due < window.rows());
        if is_last || !taken.is_empty() {
            return Ok(taken);
        }
        window = window.wider();
    }
}

pub(super) fn clock_set_back(
    connection: &Connection,
    scope: &str,
    lease: Duration,
) -> rusqlite::Result<u64> {
    let parameters = params![scope, milliseconds(lease), ROWS_AT_ONCE];
    let changed = connection.prepare_cached(sql::CLOCK_SET_BACK)?.execute(parameters)?;
    Ok(u64::try_from(changed).unwrap_or_default())
}

pub(super) fn renew(
    connection: &Connection,
    ticket: &Ticket,
    lease: Duration,
) -> rusqlite::Result<bool> {
    let (scope, id, tenant, attempt) = key(ticket);
    let parameters = params![scope, id, tenant, attempt, milliseconds(lease)];
    Ok(connection.prepare_cached(sql::RENEW)?.execute(parameters)? > 0)
}

pub(super) fn settle(
    connection: &Connection,
    ticket: &Ticket,
    outcome: &Outcome,
) -> rusqlite::Result<bool> {
    let (scope, id, tenant, attempt) = key(ticket);
    let changed = match outcome {
        Outcome::Done => return complete(connection, ticket),
        Outcome::Again { after, error } => connection
            .prepare_cached(sql::AGAIN)?
            .execute(params![scope, id, tenant, attempt, error, milliseconds(*after)])?,
        Outcome::Dead { error } => connection
            .prepare_cached(sql::BURY)?
            .execute(params![scope, id, tenant, attempt, error])?,
        Outcome::NotRun => connection
            .prepare_cached(sql::GIVE_BACK)?
            .execute(params![scope, id, tenant, attempt])?,
    };
    let is_dead = matches!(outcome, Outcome::Dead { .. });
    if is_dead && changed > 0 && ticket.wakes_next(true) {
        wake_next(connection, scope, ticket.id, tenant)?;
    }
    Ok(changed > 0)
}

pub(super) fn complete(connection: &Connection, ticket: &Ticket) -> rusqlite::Result<bool> {
    let (scope, id, tenant, attempt) = key(ticket);
    let parameters = params![scope, id, tenant, attempt];
    let changed = connection.prepare_cached(sql::COMPLETE)?.execute(parameters)?;
    if changed > 0 && ticket.wakes_next(false) {
        wake_next(connection, scope, ticket.id, tenant)?;
    }
    Ok(changed > 0)
}

pub(super) fn retry(
    connection: &Connection,
    scope: &str,
    id: DeliveryId,
) -> rusqlite::Result<bool> {
    Ok(!revive(connection, sql::RETRY, scope, id)?.is_empty())
}

pub(super) fn discard(
    connection: &Connection,
    scope: &str,
    id: DeliveryId,
) -> rusqlite::Result<bool> {
    let tenants = revive(connection, sql::DISCARD, scope, id)?;
    for tenant in &tenants {
        wake_next(connection, scope, id, tenant)?;
    }
    Ok(!tenants.is_empty())
}

fn revive(
    connection: &Connection,
    sql: &str,
    scope: &str,
    id: DeliveryId,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params![scope, id.as_bytes()], |row| row.get(0))?.collect()
}

pub(super) fn prune(
    connection: &Connection,
    scope: &str,
    prune: Prune,
) -> rusqlite::Result<Pruned> {
    let step = |sql, after| {
        let parameters = params![scope, milliseconds(after), ROWS_AT_ONCE];
        let changed = connection.prepare_cached(sql)?.execute(parameters)?;
        Ok::<_, rusqlite::Error>(u64::try_from(changed).unwrap_or_default())
    };
    let entries = step(sql::PRUNE_ENTRIES, prune.entry_after)?;
    Ok(Pruned { bodies: step(sql::PRUNE_BODIES, prune.body_after)?, entries })
}

fn wake_next(
    connection: &Connection,
    scope: &str,
    id: DeliveryId,
    tenant: &str,
) -> rusqlite::Result<()> {
    let parameters = params![scope, id.as_bytes(), tenant];
    connection.prepare_cached(sql::WAKE_NEXT)?.execute(parameters).map(drop)
}

fn key(ticket: &Ticket) -> (&str, &[u8; 32], &str, i64) {
    (&ticket.scope, ticket.id.as_bytes(), &ticket.tenant, ticket.attempt)
}

fn taken_row(row: &Row<'_>) -> rusqlite::Result<TakenRow> {
    let tenant: String = row.get(2)?;
    // A row that waits has its body.
    let body: Option<Vec<u8>> = row.get(8)?;
    Ok(TakenRow {
        seq: row.get(0)?,
        id: DeliveryId::from(row.get::<_, [u8; 32]>(1)?),
        tenant: Arc::from(tenant),
        event_type: row.get(3)?,
        signed_at: row.get(4)?,
        matched_secret: row.get(5)?,
        attempt: row.get(6)?,
        tries: row.get(7)?,
        body: body.unwrap_or_default().into(),
    })
}
