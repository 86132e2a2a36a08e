//! The deliveries that are sent, and their expected outcomes.

use std::time::{Duration, UNIX_EPOCH};

use pierre_webhook_tower::{EVENT_HEADER, EmptySecret, SIGNATURE_HEADER, Secret, Verifier};

use crate::outcome::Outcome;

pub(crate) struct Delivery {
    /// A description for the output.
    pub(crate) name: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) expected: Outcome,
}

/// The servers' clock always reads this time, so that every run prints the same ages.
const NOW: u64 = 1_790_000_000;

const MAX_AGE: u64 = 300;
const FUTURE_TOLERANCE: u64 = 60;
const BODY_LIMIT: usize = 4096;

const SECRET: &str = "whsec_k3yForDocsOnly_2f6c";

/// Returns the verifier of both servers.
pub(crate) fn verifier() -> Result<Verifier, EmptySecret> {
    Ok(Verifier::new(Secret::new(SECRET)?)
        .max_age(Duration::from_secs(MAX_AGE))
        .future_tolerance(Duration::from_secs(FUTURE_TOLERANCE))
        .body_limit(BODY_LIMIT)
        .clock(|| UNIX_EPOCH + Duration::from_secs(NOW)))
}

const PUSH: &str = r#"{
  "repository": {"id": "repo_01HZXE4K6YZ1Q2ABCD3EFG45H6", "url": "team/project-alpha", "repo_name": "owner/repo"},
  "org": "acme",
  "ref": "refs/heads/main",
  "before": "4f9d2c1b7a6e5f4d3c2b1a09f8e7d6c5b4a39281",
  "after": "9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b",
  "customer_id": "your-customer-id",
  "pushed_at": "2024-01-20T10:30:00Z"
}"#;

const STARTED: &str = r#"{
  "type": "repo.sync.started",
  "repository": {"id": "repo_01HZXE4K6YZ1Q2ABCD3EFG45H6", "url": "team/project-alpha"},
  "run_count": 0, "is_first_sync": true,
  "started_at": "2026-03-17T10:00:00Z"
}"#;

const SUCCEEDED: &str = r#"{
  "type": "repo.sync.succeeded",
  "repository": {"id": "repo_01HZXE4K6YZ1Q2ABCD3EFG45H6", "url": "team/project-alpha"},
  "run_count": 1, "is_first_sync": true,
  "started_at": "2026-03-17T10:00:00Z", "completed_at": "2026-03-17T10:02:30Z"
}"#;

const FAILED: &str = r#"{
  "type": "repo.sync.failed",
  "repository": {"id": "repo_01HZXE4K6YZ1Q2ABCD3EFG45H6", "url": "team/project-alpha"},
  "run_count": 2, "is_first_sync": false,
  "started_at": "2026-03-17T11:00:00Z", "completed_at": "2026-03-17T11:00:05Z",
  "error": "authentication failed"
}"#;

/// Returns all deliveries, the accepted ones first.
pub(crate) fn all() -> Result<Vec<Delivery>, EmptySecret> {
    let secret = Secret::new(SECRET)?;
    let another_secret = Secret::new("whsec_another")?;
    let too_large = format!("{:>length$}", "{}", length = BODY_LIMIT + 1);

    Ok(vec![
        Delivery::new("a push, as documented", "push", PUSH).signed(&secret, NOW).expect(
            Outcome::handled("push to branch main of team/project-alpha, 4f9d2c1 to 9a8b7c6"),
        ),
        Delivery::new("a sync that started", "repo.sync.started", STARTED)
            .signed(&secret, NOW)
            .expect(Outcome::handled("first sync of team/project-alpha started, after 0 runs")),
        Delivery::new("a sync that succeeded", "repo.sync.succeeded", SUCCEEDED)
            .signed(&secret, NOW)
            .expect(Outcome::handled(
                "sync of team/project-alpha succeeded, run 1, in 150 seconds",
            )),
        Delivery::new("a sync that failed", "repo.sync.failed", FAILED)
            .signed(&secret, NOW)
            .expect(Outcome::handled(
                "sync of team/project-alpha failed, run 2: authentication failed",
            )),
        Delivery::new("an event of an unknown type", "branch.created", r#"{"branch":"main"}"#)
            .signed(&secret, NOW)
            .expect(Outcome::handled("unknown event, branch.created, 17 bytes")),
        Delivery::new("a push changed after it was signed", "push", PUSH)
            .signed(&secret, NOW)
            .with_body(PUSH.replace("refs/heads/main", "refs/heads/mine"))
            .expect(Outcome::rejected(401, "Invalid signature")),
        Delivery::new("a push signed with another secret", "push", PUSH)
            .signed(&another_secret, NOW)
            .expect(Outcome::rejected(401, "Invalid signature")),
        Delivery::new("a push signed 301 seconds ago", "push", PUSH)
            .signed(&secret, NOW - MAX_AGE - 1)
            .expect(Outcome::rejected(401, "Webhook timestamp too old (301 seconds)")),
        Delivery::new("a push signed 61 seconds ahead", "push", PUSH)
            .signed(&secret, NOW + FUTURE_TOLERANCE + 1)
            .expect(Outcome::rejected(401, "Webhook timestamp is in the future")),
        Delivery::new("a push that is not signed", "push", PUSH)
            .expect(Outcome::rejected(400, "Missing or invalid X-Pierre-Signature header")),
        // The event header isn't signed, so anyone who captures a delivery can change it.
        Delivery::new("a failed sync relabeled as succeeded", "repo.sync.succeeded", FAILED)
            .signed(&secret, NOW)
            .expect(Outcome::rejected(
                400,
                "Event type mismatch: header says repo.sync.succeeded, body says repo.sync.failed",
            )),
        Delivery::new("a body of 4097 bytes", "push", &too_large)
            .signed(&secret, NOW)
            .expect(Outcome::rejected(413, "Webhook body larger than 4096 bytes")),
        Delivery::new("a body that is not JSON", "push", "ref=refs/heads/main")
            .signed(&secret, NOW)
            .expect(Outcome::rejected(400, "Invalid JSON payload")),
    ])
}

impl Delivery {
    /// Makes a delivery that isn't signed yet.
    fn new(name: &'static str, event_type: &str, body: &str) -> Self {
        Self {
            name,
            headers: vec![(EVENT_HEADER, event_type.to_owned())],
            body: body.to_owned(),
            expected: Outcome::handled(""),
        }
    }

    fn signed(mut self, secret: &Secret, at: u64) -> Self {
        self.headers.push((SIGNATURE_HEADER, secret.sign(at, self.body.as_bytes())));
        self
    }

    fn with_body(self, body: String) -> Self {
        Self { body, ..self }
    }

    fn expect(self, expected: Outcome) -> Self {
        Self { expected, ..self }
    }
}
