//! Creates the table, or brings it up to date.

use deadpool_postgres::Client;

use super::sql;
use crate::error::InboxError;

/// Inboxes that are opened at the same time migrate one after the other.
const LOCK: i64 = 0x7069_6572_7265_6462;

pub(super) async fn migrate(client: &mut Client) -> Result<(), InboxError> {
    // A role that may not create tables can still use those that exist.
    if version(client).await? == newest() {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    transaction.batch_execute(sql::CREATE_VERSION).await?;
    let version: Option<i32> = transaction.query_one(sql::SELECT_VERSION, &[]).await?.try_get(0)?;
    let version = version.unwrap_or(0);
    if version > newest() {
        let text = format!("its schema has version {version}, which this crate doesn't know");
        return Err(InboxError::database(text));
    }
    for step in sql::MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or_default()) {
        transaction.batch_execute(step).await?;
    }
    transaction.execute(sql::WRITE_VERSION, &[&newest()]).await?;
    Ok(transaction.commit().await?)
}

async fn version(client: &Client) -> Result<i32, InboxError> {
    let exists = "SELECT to_regclass('pierre_delivery_schema') IS NOT NULL";
    if !client.query_one(exists, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let version: Option<i32> = client.query_one(sql::SELECT_VERSION, &[]).await?.try_get(0)?;
    Ok(version.unwrap_or(0))
}

fn newest() -> i32 {
    i32::try_from(sql::MIGRATIONS.len()).unwrap_or(i32::MAX)
}
