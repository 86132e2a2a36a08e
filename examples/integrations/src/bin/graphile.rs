//! Hands deliveries over to graphile_worker: for those who have its queue already, want its cron, or share it with Node.js.
//!
//! The receiver answers once the delivery is committed. A worker then adds the job in the transaction that completes the
//! delivery: it is in one of the two, and never in both. Graphile runs the jobs of a repository one after the other,
//! since the repository is the name of their queue.
//!
//! ```sh
//! DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c \
//!     cargo run --manifest-path examples/integrations/Cargo.toml --bin graphile
//! ```

use std::{env, error::Error};

use axum::{Router, routing::post};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext, WorkerOptions};
use pierre_webhook_inbox::{
    Inbox, Job, Worker,
    deadpool_postgres::{Manager, Pool},
    tokio_postgres::NoTls,
};
use pierre_webhook_integrations::{Deploy, deploy, told_to_end};
use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Deserialize, Serialize)]
struct DeployTask(Deploy);

impl TaskHandler for DeployTask {
    const IDENTIFIER: &'static str = "deploy";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        // An error is tried again by graphile, 25 times, ever more slowly.
        self.0.delivery().map(|delivery| deploy(&delivery)).map_err(|error| error.to_string())
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let secret = Secret::from_env("PIERRE_WEBHOOK_SECRET")?;
    let database = env::var("DATABASE_URL")?;
    let address = env::var("BIND_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8787".to_owned());
    let told_to_end = told_to_end()?;
    let pool = Pool::builder(Manager::new(database.parse()?, NoTls)).max_size(16).build()?;

    // It creates its tables, so it starts before anything is handed over.
    let engine = WorkerOptions::default()
        .database_url(&database)
        .define_job::<DeployTask>()
        .shutdown_signal(told_to_end())
        .listen_os_shutdown_signals(false)
        .init()
        .await?;
    let engine = tokio::spawn(async move { engine.run().await });

    let inbox = Inbox::postgres(pool.clone()).await?;
    let handed_over = Worker::new(inbox.clone(), move |job| hand_over(pool.clone(), job));
    let handed_over = tokio::spawn(handed_over.ordered_by_repository().run(told_to_end()));

    let verify = VerifyWebhookLayer::new(Verifier::new(secret));
    let app = Router::new().route("/webhooks", post(inbox.receiver()).route_layer(verify));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}/webhooks", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(told_to_end()).await?;
    handed_over.await??;
    Ok(engine.await??)
}

async fn hand_over(pool: Pool, job: Job) -> Result<(), Failure> {
    let payload = serde_json::to_string(&DeployTask(Deploy::of(&job)))?;
    let repository = job.event.repository().map(|repository| repository.id.as_str());
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    let add_job = "SELECT graphile_worker.add_job('deploy', payload => $1::text::json, queue_name => $2::text)";
    transaction.execute(add_job, &[&payload, &repository]).await?;
    if job.complete_in(&transaction).await? {
        transaction.commit().await?;
    } // Otherwise another attempt has taken over, and the dropped transaction rolls back.
    Ok(())
}
