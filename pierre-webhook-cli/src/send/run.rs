//! A run of deliveries, sent or printed as curl commands.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderValue, Method, header};
use jiff::{SignedDuration, Timestamp};
use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};
use serde::Serialize;
use tokio::task::JoinSet;

use super::{
    args::SendArgs,
    curl,
    header::{self as headers, Header},
    template::Bodies,
};
use crate::{
    client::{Client, Outgoing, SHORT_ANSWER},
    delivery::{AttemptReporter, Retries, RetryAs, Route, SignedRequest},
    escape,
    exit::{Exit, Failure, until_interrupted},
    output::Output,
    payload::BodyArg,
    secrets::Secrets,
    time,
};

/// A run of deliveries.
pub(super) struct Run {
    args: SendArgs,
    bodies: Bodies,
    secrets: Secrets,
    route: Route,
    output: Arc<Output>,
    reporter: AttemptReporter,
    /// How many deliveries the workers have taken on.
    started: AtomicU64,
}

/// The curl command of one delivery, as JSON.
#[derive(Serialize)]
struct DryRun<'a> {
    n: u64,
    curl: &'a str,
    delivery_id: Option<String>,
    signed_at: Option<u64>,
}

/// Returns the time of an event: a delivery is signed when its event happens.
pub(super) fn event_time(age: SignedDuration) -> Timestamp {
    let now = Timestamp::now();
    now.checked_sub(age).unwrap_or(now)
}

impl Run {
    pub(super) fn new(
        args: SendArgs,
        bodies: Bodies,
        secrets: Secrets,
        output: Arc<Output>,
    ) -> Result<Self, Failure> {
        let target = args.url.clone().ok_or_else(|| Failure::usage("no URL"))?;
        let route = Route {
            client: Client::new(args.client.timeout, &args.client.trust, &target, SHORT_ANSWER)?,
            target,
            expected: args.expect.clone(),
            retries: Retries::from(&args.retry),
        };
        // Fail before anything is sent if the payload cannot be generated.
        bodies.body(1, event_time(args.age))?;
        let total = if args.dry_run { 1 } else { args.count };
        let reporter = AttemptReporter::new(Arc::clone(&output), args.expect.clone(), total);
        Ok(Self { args, bodies, secrets, route, output, reporter, started: AtomicU64::new(0) })
    }

    pub(super) fn print_curl(&self) -> Result<Exit, Failure> {
        let file = self.args.body.as_ref().and_then(BodyArg::file);
        for n in 1..=self.args.count {
            self.print_one_curl(n, file)?;
        }
        Ok(Exit::AsExpected)
    }

    fn print_one_curl(&self, n: u64, file: Option<&Path>) -> Result<(), Failure> {
        let body = self.bodies.body(n, event_time(self.args.age))?;
        let delivery = self.sign(&body);
        let (data, written) = curl::data(&body, file)?;
        if let Some(path) = written {
            let path = escape::text(&path.display().to_string());
            self.output.note(format_args!("wrote the body to {path}"));
        }
        let curl = curl::command(&self.route.target, &delivery.request, &self.args.client, &data);
        self.output.record(&DryRun {
            n,
            curl: &curl,
            delivery_id: delivery.id.map(|id| id.to_string()),
            signed_at: delivery.signed_at,
        })?;
        self.output.data(curl)
    }

    pub(super) async fn send(self) -> Result<Exit, Failure> {
        let run = Arc::new(self);
        let finished = until_interrupted(Arc::clone(&run).send_all()).await;
        let is_interrupted = finished.is_none();
        finished.transpose()?;
        run.reporter.summary(is_interrupted)
    }

    async fn send_all(self: Arc<Self>) -> Result<(), Failure> {
        let mut workers = JoinSet::new();
        for _ in 0..self.args.count.min(self.args.concurrency.into()) {
            workers.spawn(Arc::clone(&self).work());
        }
        while let Some(ended) = workers.join_next().await {
            ended.map_err(|error| Failure::failed(format!("a worker failed: {error}")))??;
        }
        Ok(())
    }

    /// Sends one delivery after another until none is left.
    async fn work(self: Arc<Self>) -> Result<(), Failure> {
        loop {
            let n = self.started.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            if n > self.args.count {
                return Ok(());
            }
            let body = self.bodies.body(n, event_time(self.args.age))?;
            let resign = || self.sign(&body);
            let resign: Option<&(dyn Fn() -> SignedRequest + Sync)> = match self.args.retry.retry_as
            {
                RetryAs::Same => None,
                RetryAs::Resigned => Some(&resign),
            };
            let outcome = self.route.deliver(n, self.sign(&body), resign, &self.reporter).await?;
            self.reporter.ended(outcome);
        }
    }

    /// Signs a delivery with the current time minus its age.
    fn sign(&self, body: &Bytes) -> SignedRequest {
        let signature = self.secrets.signing().sign(time::signed_at(self.args.age), body);
        let headers = request_headers(&self.args.event, &signature, &self.args.header);
        SignedRequest::new(Outgoing {
            method: Method::POST,
            headers,
            body: body.clone(),
            is_chunked: self.args.chunked,
            extensions: Extensions::new(),
        })
    }
}

/// Returns the documented headers of a delivery, changed by those of the command line.
fn request_headers(event: &str, signature: &str, given: &[Header]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Pierre-Webhook/1.0"));
    for (name, value) in [(EVENT_HEADER, event), (SIGNATURE_HEADER, signature)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers::apply(&headers, given)
}
