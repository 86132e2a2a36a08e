//! A Cloudflare Worker that verifies webhooks, queues each delivery before it answers, and handles what it queued.
//!
//! The secret is `PIERRE_WEBHOOK_SECRET` (`wrangler secret put`). The queue is bound as `EVENTS`, and this Worker is its
//! consumer too.

use std::sync::{Arc, OnceLock};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use pierre_webhook_tower::{Delivery, Event, Secret, Verifier, VerifyWebhookLayer, Webhook};
use serde::{Deserialize, Serialize};
use tower_service::Service;
use worker::{Context, Env, Error, HttpRequest, MessageBatch, MessageExt as _, Result, event};

/// A message takes at most 128 KB. As JSON in JSON, a body takes up to twice its size.
const BODY_LIMIT: usize = 48 * 1024;

#[derive(Serialize, Deserialize)]
struct Queued {
    event_type: String,
    body: String,
    signed_at: u64,
}

#[event(fetch)]
async fn fetch(
    request: HttpRequest,
    env: Env,
    _: Context,
) -> Result<http::Response<axum::body::Body>> {
    // An isolate answers many requests.
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    let verifier = match VERIFIER.get() {
        Some(verifier) => verifier.clone(),
        None => {
            let secret = env.secret("PIERRE_WEBHOOK_SECRET")?.to_string();
            let secret =
                Secret::new(secret).map_err(|error| Error::RustError(error.to_string()))?;
            VERIFIER.get_or_init(|| Verifier::new(secret).body_limit(BODY_LIMIT)).clone()
        }
    };
    let mut router = Router::new()
        .route("/webhooks", post(receive))
        .route_layer(VerifyWebhookLayer::new(verifier))
        .with_state(Arc::new(env));
    Ok(router.call(request).await?)
}

/// Answers 200 once the queue has the delivery. After any other answer the sender tries again.
#[worker::send]
async fn receive(State(env): State<Arc<Env>>, webhook: Webhook) -> StatusCode {
    match enqueue(&env, &webhook).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            worker::console_error!("a delivery could not be queued: {error}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn enqueue(env: &Env, delivery: &Delivery) -> Result<()> {
    let queued = Queued {
        event_type: delivery.event_type().to_owned(),
        // Always UTF-8: the verifier rejects what isn't.
        body: String::from_utf8_lossy(&delivery.body).into_owned(),
        signed_at: delivery.signed_at,
    };
    env.queue("EVENTS")?.send(queued).await
}

/// Handles what was queued. A message whose handling fails comes again, and in the end to the dead letter queue.
#[event(queue)]
async fn queue(batch: MessageBatch<Queued>, _: Env, _: Context) -> Result<()> {
    for message in batch.messages()? {
        let Queued { event_type, body, signed_at } = message.body();
        match Delivery::from_stored(event_type, body.clone().into(), *signed_at) {
            Ok(delivery) => {
                handle(&delivery);
                message.ack();
            }
            Err(error) => {
                worker::console_error!("a message is not a delivery: {error}");
                message.retry();
            }
        }
    }
    Ok(())
}

/// Your work. A delivery can come twice: `Delivery::id` is the same then.
fn handle(delivery: &Delivery) {
    match &delivery.event {
        Event::Push(push) => {
            worker::console_log!("{}: {} is at {}", push.repository.id, push.git_ref, push.after)
        }
        event => worker::console_log!("{}", event.event_type()),
    }
}
