//! Effects exactly once, with axum and PostgreSQL: the delivery is completed in the same transaction as the work's own
//! writes, so either both are stored or neither.
//!
//! ```sh
//! initdb --auth trust --username postgres --pgdata pgdata && postgres -D pgdata -k '' -h 127.0.0.1    # not as root
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-axum-postgres
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh    # twice: the second is not handled
//! ```
//!
//! `DATABASE_URL` is the address of the database (default: postgres://postgres@127.0.0.1:5432/postgres).

mod shutdown;

use std::{env, error::Error, iter, process::ExitCode, time::Duration};

use axum::{
    Extension, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use deadpool_postgres::{Config, Pool, PoolError, Runtime};
use pierre_webhook_dedup::{Dedup, DedupLayer, LeaseHandle, PostgresStore, StoreError};
use pierre_webhook_tower::{Event, Secret, Verifier, VerifyWebhookLayer, Webhook};
use tokio::net::TcpListener;
use tokio_postgres::NoTls;
use tower_http::timeout::TimeoutLayer;
use tracing::{error, info, warn};

/// The table of the work. That of the deliveries is the store's.
const PUSHES: &str = "
    SELECT pg_advisory_xact_lock(7044613229);   -- `IF NOT EXISTS` alone fails if processes start together
    CREATE TABLE IF NOT EXISTS pushes (
        repository text NOT NULL,
        git_ref text NOT NULL,
        after text NOT NULL
    );
";

/// How long a request may take from its head to its response, including the body and the handler.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How long handlers may take to end once the server has been told to.
const GRACE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt::init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let secret = Secret::from_env("PIERRE_WEBHOOK_SECRET")?;
    let address = env::var("BIND_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8787".to_owned());
    let database = env::var("DATABASE_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let told_to_end = shutdown::signal()?;

    let config = Config { url: Some(database), ..Config::new() };
    let pool = config.create_pool(Some(Runtime::Tokio1), NoTls)?;
    // The error doesn't name the URL, which may contain a password.
    let client = pool
        .get()
        .await
        .map_err(|error| format!("cannot use the database of DATABASE_URL: {}", root(&error)))?;
    client.batch_execute(PUSHES).await?;
    drop(client);

    let verify = VerifyWebhookLayer::new(Verifier::new(secret));
    let dedup = Dedup::new(PostgresStore::open(pool.clone()).await?);
    let once = DedupLayer::new(dedup.clone());
    // The timeout is outermost, to bound how long the layer waits for a body. It doesn't stop a handler that has begun.
    let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT);
    let route = post(receive).route_layer((timeout, verify, once));
    let app = Router::new().route("/webhooks", route).with_state(pool);
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    info!("listening on http://{}/webhooks", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(told_to_end).await?;
    // What doesn't finish in time is handed to the next process.
    let unfinished = dedup.shutdown(GRACE).await;
    if !unfinished.is_empty() {
        warn!("{unfinished}");
    }
    Ok(())
}

async fn receive(
    State(pool): State<Pool>,
    Extension(lease): Extension<LeaseHandle>,
    webhook: Webhook,
) -> Result<StatusCode, Failure> {
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    if let Event::Push(push) = &webhook.event {
        let insert = "INSERT INTO pushes (repository, git_ref, after) VALUES ($1, $2, $3)";
        transaction.execute(insert, &[&push.repository.url, &push.git_ref, &push.after]).await?;
    }
    if !lease.complete_in(&transaction).await? {
        // This process paused for longer than its lease, so another one handles the delivery. Dropped, the transaction
        // rolls back.
        warn!(id = %webhook.id(), "taken over");
        return Ok(StatusCode::SERVICE_UNAVAILABLE);
    }
    transaction.commit().await?;
    info!(id = %webhook.id(), event_type = webhook.event_type(), "handled");
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the innermost cause, since the outer errors only say what failed.
fn root(error: &dyn Error) -> &dyn Error {
    iter::successors(Some(error), |error| (*error).source()).last().unwrap_or(error)
}

/// A failure of the database. Nothing was written, and the sender's retry runs the handler again.
enum Failure {
    Pool(PoolError),
    Database(tokio_postgres::Error),
    Store(StoreError),
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Pool(error) => error!("no connection to the database: {}", root(&error)),
            Self::Database(error) => error!("the database failed: {}", root(&error)),
            Self::Store(error) => error!("the delivery could not be completed: {}", root(&error)),
        }
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}
