//! Hands deliveries over to apalis on PostgreSQL: for those who have its workers already, or want its middleware and board.
//!
//! The receiver answers once the delivery is committed. A worker then stores the task in the transaction that completes
//! the delivery: it is in one of the two, and never in both. Apalis uses sqlx, so the statement that completes a delivery is
//! executed by sqlx. Apalis keeps no order of a repository.
//!
//! ```sh
//! DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c \
//!     cargo run --manifest-path examples/integrations/Cargo.toml --bin apalis
//! ```

use std::{env, error::Error, io};

use apalis::prelude::*;
use apalis_postgres::{Config, PgPool, PostgresStorage, queries::push_tasks};
use axum::{Router, routing::post};
use pierre_webhook_inbox::{
    Inbox, Job, Worker,
    deadpool_postgres::{Manager, Pool},
    sql,
    tokio_postgres::NoTls,
};
use pierre_webhook_integrations::{Deploy, deploy, told_to_end};
use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer};
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

const QUEUE: &str = "deploy";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let secret = Secret::from_env("PIERRE_WEBHOOK_SECRET")?;
    let database = env::var("DATABASE_URL")?;
    let address = env::var("BIND_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8787".to_owned());
    let told_to_end = told_to_end()?;
    let pool = PgPool::connect(&database).await?;

    // It creates its tables, so it starts before anything is handed over.
    PostgresStorage::setup(&pool).await?;
    let tasks = PostgresStorage::new(&pool).with_config(Config::default().queue(QUEUE));
    let engine = WorkerBuilder::new("deploy-1").backend(tasks).build(run);
    let told = told_to_end();
    let engine = tokio::spawn(engine.run_until(async move {
        told.await;
        Ok::<_, io::Error>(())
    }));

    let inboxes = Pool::builder(Manager::new(database.parse()?, NoTls)).max_size(16).build()?;
    let inbox = Inbox::postgres(inboxes).await?;
    let handed_over = Worker::new(inbox.clone(), move |job| hand_over(pool.clone(), job));
    let handed_over = tokio::spawn(handed_over.run(told_to_end()));

    let verify = VerifyWebhookLayer::new(Verifier::new(secret));
    let app = Router::new().route("/webhooks", post(inbox.receiver()).route_layer(verify));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}/webhooks", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(told_to_end()).await?;
    handed_over.await??;
    engine.await??;
    Ok(())
}

/// The task. An error is tried again by apalis.
async fn run(task: Deploy) -> Result<(), BoxDynError> {
    deploy(&task.delivery()?);
    Ok(())
}

async fn hand_over(pool: PgPool, job: Job) -> Result<(), Failure> {
    let task = TaskBuilder::new(serde_json::to_vec(&Deploy::of(&job))?).build();
    let mut transaction = pool.begin().await?;
    push_tasks(&mut *transaction, QUEUE, vec![task]).await?;
    let completed: i64 = sqlx::query_scalar(sql::postgres::COMPLETE)
        .bind("") // the scope of the inbox
        .bind(job.id().as_bytes().as_slice())
        .bind(job.tenant.as_deref().unwrap_or_default())
        .bind(i64::try_from(job.attempt())?)
        .bind(false) // not in order
        .fetch_one(&mut *transaction)
        .await?;
    if completed > 0 {
        transaction.commit().await?;
    } // Otherwise another attempt has taken over, and the dropped transaction rolls back.
    Ok(())
}
