//! Deliveries for tests.

use std::{error, fmt, time::UNIX_EPOCH};

use bytes::Bytes;
use serde::Serialize;

use crate::{
    clock,
    delivery::Delivery,
    event::{
        EventType, PushEvent, RepoSyncFailedEvent, RepoSyncStartedEvent, RepoSyncSucceededEvent,
        example,
    },
    headers::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER},
    secret::Secret,
    verifier::Verifier,
};

/// A delivery for a test: an event that you can change, and when it is signed.
///
/// The four documented events start with the values that the Code Storage webhook guide shows.
/// [`with`](Self::with) changes any of them.
///
/// ```
/// use pierre_webhook_core::{Event, TestDelivery};
///
/// let delivery = TestDelivery::push()
///     .branch("dev")
///     .with(|push| push.repository.id = "repo_2".into())
///     .delivery();
/// let Event::Push(push) = &delivery.event else { unreachable!() };
/// assert_eq!((push.branch(), &*push.repository.id), (Some("dev"), "repo_2"));
/// ```
///
/// To send it through a server's verification, sign it with that server's secret:
///
/// ```
/// use pierre_webhook_core::{DeliveryHeaders, Secret, TestDelivery, Verifier};
///
/// let secret = Secret::new("test")?;
/// let request = TestDelivery::sync_failed().request("/webhooks", &secret);
///
/// let headers = DeliveryHeaders::parse(request.headers())?;
/// let delivery = Verifier::new(secret).verify(&headers, request.body().clone())?;
/// assert_eq!(delivery.event_type(), "repo.sync.failed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct TestDelivery<E> {
    event_type: String,
    event: E,
    write: fn(&E) -> Bytes,
    signed_at: Option<u64>,
}

impl TestDelivery<PushEvent> {
    /// Makes a push to the branch `main`.
    pub fn push() -> Self {
        let write = |push: &PushEvent| json(&example::SentPush::from(push));
        Self::of(EventType::PUSH, example::push(), write)
    }

    /// Sets the ref that was pushed to this branch, such as `dev`.
    pub fn branch(self, name: &str) -> Self {
        self.with(|push| push.git_ref = format!("refs/heads/{name}"))
    }
}

impl TestDelivery<RepoSyncStartedEvent> {
    /// Makes the start of a repository's first sync.
    pub fn sync_started() -> Self {
        Self::of(EventType::REPO_SYNC_STARTED, example::sync_started(), json)
    }
}

impl TestDelivery<RepoSyncSucceededEvent> {
    /// Makes the success of a repository's first sync.
    pub fn sync_succeeded() -> Self {
        Self::of(EventType::REPO_SYNC_SUCCEEDED, example::sync_succeeded(), json)
    }
}

impl TestDelivery<RepoSyncFailedEvent> {
    /// Makes the failure of a repository's first sync: `authentication failed`.
    pub fn sync_failed() -> Self {
        Self::of(EventType::REPO_SYNC_FAILED, example::sync_failed(), json)
    }
}

impl TestDelivery<Bytes> {
    /// Makes a delivery of any event type with any body, even one that verification rejects.
    ///
    /// ```
    /// use pierre_webhook_core::{Event, TestDelivery};
    ///
    /// let delivery = TestDelivery::new("branch.created", r#"{"branch":"main"}"#).delivery();
    /// assert!(matches!(delivery.event, Event::Unknown(_)));
    /// ```
    pub fn new(event_type: &str, body: impl Into<Bytes>) -> Self {
        Self::of(event_type, body.into(), Bytes::clone)
    }
}

impl<E> TestDelivery<E> {
    fn of(event_type: &str, event: E, write: fn(&E) -> Bytes) -> Self {
        Self { event_type: event_type.to_owned(), event, write, signed_at: None }
    }

    /// Changes the event: any of its fields, or the body given to [`new`](TestDelivery::new).
    ///
    /// ```
    /// use pierre_webhook_core::{SyncFailure, TestDelivery};
    ///
    /// let third_failure = TestDelivery::sync_failed().with(|sync| {
    ///     sync.run_count = 3;
    ///     sync.is_first_sync = false;
    ///     sync.error = SyncFailure::UpstreamUnreachable;
    /// });
    /// ```
    pub fn with(mut self, change: impl FnOnce(&mut E)) -> Self {
        change(&mut self.event);
        self
    }

    /// Sets when the delivery is signed, in Unix seconds. By default, that is when it is made into a
    /// [`Delivery`], headers or a request.
    pub fn signed_at(self, unix_seconds: u64) -> Self {
        Self { signed_at: Some(unix_seconds), ..self }
    }

    /// Returns the body.
    pub fn body(&self) -> Bytes {
        (self.write)(&self.event)
    }

    /// Returns the two headers of the delivery, signed with this secret.
    pub fn headers(&self, secret: &Secret) -> [(&'static str, String); 2] {
        let signature = secret.sign(self.signing_time(), &self.body());
        [(EVENT_HEADER, self.event_type.clone()), (SIGNATURE_HEADER, signature)]
    }

    /// Returns the delivery as a handler gets it. It is signed with a secret of its own, and verified.
    ///
    /// # Panics
    ///
    /// If the event type or the body given to [`new`](TestDelivery::new) isn't valid. The message is the
    /// verifier's.
    #[track_caller]
    pub fn delivery(&self) -> Delivery {
        self.verified().unwrap_or_else(|error| fail(&*error))
    }

    /// Returns the delivery as a POST request, signed with this secret.
    ///
    /// # Panics
    ///
    /// If `uri` isn't a URI, or the event type given to [`new`](TestDelivery::new) can't be a header value.
    #[track_caller]
    pub fn request(&self, uri: &str, secret: &Secret) -> http::Request<Bytes> {
        let [event_type, signature] = self.headers(secret);
        http::Request::post(uri)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(event_type.0, event_type.1)
            .header(signature.0, signature.1)
            .body(self.body())
            .unwrap_or_else(|error| fail(&error))
    }

    fn verified(&self) -> Result<Delivery, Box<dyn error::Error>> {
        let secret = Secret::new("signs deliveries of tests")?;
        let headers = self.headers(&secret);
        let headers = DeliveryHeaders::parse(headers.iter().map(|(name, value)| (name, value)))?;
        let verifier = Verifier::new(secret).any_age().body_limit(usize::MAX);
        Ok(verifier.verify(&headers, self.body())?)
    }

    fn signing_time(&self) -> u64 {
        let now = || clock::system_time().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.signed_at.unwrap_or_else(now)
    }
}

impl<E: fmt::Debug> fmt::Debug for TestDelivery<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDelivery")
            .field("event_type", &self.event_type)
            .field("event", &self.event)
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::expect_used, reason = "texts, numbers and times are always JSON")]
fn json(payload: &impl Serialize) -> Bytes {
    serde_json::to_vec(payload).expect("texts, numbers and times").into()
}

#[expect(clippy::panic, reason = "a mistake in a test fails the test")]
#[track_caller]
fn fail<T>(error: &dyn error::Error) -> T {
    panic!("not a test delivery: {error}")
}

#[cfg(test)]
mod tests;
