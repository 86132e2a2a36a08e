//! Creates the table, or brings it up to date.

use deadpool_postgres::Client;

use super::sql;
use crate::error::StoreError;

/// Stores that are opened at the same time migrate one after the other.
const LOCK: i64 = 0x7069_6572_7265_6464;

pub(super) async fn migrate(client: &mut Client) -> Result<(), StoreError> {
    // A role that may not create tables can still use those that exist.
    if version(client).await.map_err(StoreError::new)? == newest() {
        return Ok(());
    }
    let version = execute(client).await.map_err(StoreError::new)?;
    if version > newest() {
        let text = format!("its schema has version {version}, which this crate doesn't know");
        return Err(StoreError::new(text));
    }
    Ok(())
}

/// Executes the steps that are missing. Returns the version that it found.
async fn execute(client: &mut Client) -> Result<i32, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    transaction.batch_execute(sql::CREATE_VERSION).await?;
    let version: Option<i32> = transaction.query_one(sql::SELECT_VERSION, &[]).await?.try_get(0)?;
    let version = version.unwrap_or(0);
    for step in sql::MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or_default()) {
        transaction.batch_execute(step).await?;
    }
    if version < newest() {
        transaction.execute(sql::WRITE_VERSION, &[&newest()]).await?;
    }
    transaction.commit().await?;
    Ok(version)
}

async fn version(client: &Client) -> Result<i32, tokio_postgres::Error> {
    let exists = "SELECT to_regclass('pierre_dedup_schema') IS NOT NULL";
    if !client.query_one(exists, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let version: Option<i32> = client.query_one(sql::SELECT_VERSION, &[]).await?.try_get(0)?;
    Ok(version.unwrap_or(0))
}

fn newest() -> i32 {
    i32::try_from(sql::MIGRATIONS.len()).unwrap_or(i32::MAX)
}
