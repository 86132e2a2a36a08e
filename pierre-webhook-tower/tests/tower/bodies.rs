//! Unusual bodies, frame by frame, through the tower service.

use std::{
    convert::Infallible,
    error::Error as _,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use pierre_webhook_core::{EVENT_HEADER, Error, FindVerifier, SIGNATURE_HEADER, Verifier};
use pierre_webhook_tests::{
    client,
    sample::{BODY, NOW, delivery, secret, verifier},
    scripted::{BoxError, Scripted, Silent, Step, Stuck},
};
use pierre_webhook_tower::{Rejection, ResponseBody, VerifiedBody, VerifyWebhookLayer, Webhook};
use tower::{Layer, Service, ServiceExt, service_fn};

async fn echo(request: Request<VerifiedBody>) -> Result<Response<Full<Bytes>>, Infallible> {
    assert!(request.extensions().get::<Webhook>().is_some());
    Ok(Response::new(Full::new(request.into_body().into_bytes())))
}

/// Sends a valid delivery through the service. Returns the bytes that the inner service got, or the rejection.
async fn outcome_of<V, B>(finder: V, request: Request<B>) -> Result<Bytes, Rejection>
where
    V: FindVerifier<http::request::Parts> + Clone,
    B: Body<Error: Into<BoxError>>,
{
    let service = VerifyWebhookLayer::new(finder).layer(service_fn(echo));
    let response: Response<ResponseBody<Full<Bytes>>> = service.oneshot(request).await.unwrap();
    match response.extensions().get::<Rejection>() {
        Some(rejection) => Err(rejection.clone()),
        None => Ok(response.into_body().collect().await.unwrap().to_bytes()),
    }
}

async fn outcome<B: Body<Error: Into<BoxError>>>(body: B) -> Result<Bytes, Rejection> {
    outcome_of(verifier(), delivery().to_http(body)).await
}

fn error(outcome: Result<Bytes, Rejection>) -> Error {
    outcome.unwrap_err().error().clone()
}

#[tokio::test]
async fn a_frame_of_several_chunks_is_read_whole() {
    let (head, tail) = BODY.as_bytes().split_at(5);
    let chain = head.chain(&b""[..]).chain(tail);
    assert_eq!(outcome(Scripted::data([chain])).await.unwrap(), BODY);
}

#[tokio::test]
async fn empty_frames_waits_and_trailers_make_no_difference() {
    let steps = [
        Step::Waits,
        Step::Data(&b""[..]),
        Step::Data(&BODY.as_bytes()[..5]),
        Step::Waits,
        Step::Data(&BODY.as_bytes()[5..]),
        Step::Trailers,
    ];
    assert_eq!(outcome(Scripted::new(steps)).await.unwrap(), BODY);
}

#[tokio::test]
async fn a_frame_that_has_bytes_but_returns_none_is_unreadable() {
    assert_eq!(error(outcome(Scripted::data([Stuck])).await), Error::BodyUnreadable);
}

#[tokio::test]
async fn a_frame_that_returns_more_bytes_than_it_has_is_read_only_as_far_as_it_has_them() {
    struct Boastful(usize);
    impl Buf for Boastful {
        fn remaining(&self) -> usize {
            BODY.len() - self.0
        }
        fn chunk(&self) -> &[u8] {
            &br#"{"any":"thing"}, and more"#[self.0..]
        }
        fn advance(&mut self, count: usize) {
            self.0 += count;
            assert!(self.0 <= BODY.len(), "advanced beyond its end");
        }
    }
    assert_eq!(outcome(Scripted::data([Boastful(0)])).await.unwrap(), BODY);
}

#[tokio::test]
async fn the_error_of_a_body_is_the_source_of_the_rejection() {
    let reset = io::Error::new(io::ErrorKind::ConnectionReset, "peer went away");
    let steps = [Step::Data(BODY.as_bytes()), Step::Fails(reset.into())];
    let rejection = outcome(Scripted::new(steps)).await.unwrap_err();
    assert_eq!(rejection.to_string(), "Webhook body could not be read");
    let source = rejection.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn an_outer_body_limit_is_recognized_however_deep_in_the_error_chain() {
    let limited = Limited::new(Full::<Bytes>::from(BODY), BODY.len() - 1);
    assert_eq!(error(outcome(limited).await), Error::BodyTooLargeForServer);
    let limited = Limited::new(Scripted::data([BODY.as_bytes()]), BODY.len() - 1);
    let deep = axum::body::Body::new(limited.map_frame(|frame| frame.map_data(Bytes::from)));
    assert_eq!(error(outcome(deep).await), Error::BodyTooLargeForServer);
    let enough = Limited::new(Full::<Bytes>::from(BODY), BODY.len());
    assert_eq!(outcome(enough).await.unwrap(), BODY);
}

#[tokio::test]
async fn a_body_is_not_polled_beyond_its_limit() {
    let body = Scripted::data([BODY.as_bytes(), b" ", b" ", b" "]);
    let polls = Arc::clone(&body.polls);
    let limited = verifier().body_limit(BODY.len());
    let rejection = outcome_of(limited, delivery().to_http(body)).await;
    assert_eq!(rejection.unwrap_err().to_string(), "Webhook body larger than 15 bytes");
    assert_eq!(polls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_body_is_not_polled_if_the_headers_decide() {
    let stale = client::Request::delivery("ping", &secret().sign(0, b""), "");
    let looked_up = |_: &http::request::Parts| async { Ok::<_, Infallible>(None::<Verifier>) };
    let failed = |_: &http::request::Parts| async { Err::<Option<Verifier>, _>("no database") };
    let polls = Arc::<AtomicUsize>::default();
    let body = || {
        let mut body = Scripted::<&[u8]>::new([]);
        body.polls = Arc::clone(&polls);
        body
    };
    for (of, error) in [
        (delivery().without(SIGNATURE_HEADER), Error::MissingSignatureHeader),
        (delivery().without(EVENT_HEADER), Error::MissingEventHeader),
        (client::Request::delivery("ping", "t=1", ""), Error::InvalidSignatureHeader),
        (
            client::Request::delivery("ping", &format!("t={NOW},sha256=zz"), ""),
            Error::InvalidSignature,
        ),
    ] {
        let rejection = outcome_of(verifier(), of.to_http(body())).await;
        assert_eq!(*rejection.unwrap_err().error(), error);
    }
    let rejection = outcome_of(verifier(), stale.to_http(body())).await;
    assert_eq!(
        rejection.unwrap_err().to_string(),
        format!("Webhook timestamp too old ({NOW} seconds)")
    );
    let rejection = outcome_of(looked_up, delivery().to_http(body())).await;
    assert_eq!(*rejection.unwrap_err().error(), Error::InvalidSignature);
    let rejection = outcome_of(failed, delivery().to_http(body())).await.unwrap_err();
    assert_eq!(*rejection.error(), Error::VerifierUnavailable);
    assert_eq!(rejection.source().unwrap().to_string(), "no database");
    assert_eq!(polls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_pending_look_up_is_awaited() {
    let finder = |_: &http::request::Parts| async {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(Some(verifier()))
    };
    let outcome = outcome_of(finder, delivery().to_http(Full::<Bytes>::from(BODY))).await;
    assert_eq!(outcome.unwrap(), BODY);
}

#[test]
fn the_future_never_wakes_itself() {
    #[derive(Default)]
    struct Wakes(AtomicUsize);
    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut service = VerifyWebhookLayer::new(verifier()).layer(service_fn(echo));
    let mut future = Box::pin(service.call(delivery().to_http(Silent)));
    for _ in 0..3 {
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_service_that_was_polled_ready_is_the_one_that_is_called() {
    /// Like tower's concurrency limit: readiness belongs to one instance, and a clone has none.
    #[derive(Default)]
    struct Reserved {
        is_ready: bool,
    }
    impl Clone for Reserved {
        fn clone(&self) -> Self {
            Self::default()
        }
    }
    impl Service<Request<VerifiedBody>> for Reserved {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.is_ready = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<VerifiedBody>) -> Self::Future {
            assert!(std::mem::take(&mut self.is_ready), "called without having been ready");
            std::future::ready(Ok(Response::default()))
        }
    }
    let mut service = VerifyWebhookLayer::new(verifier()).layer(Reserved::default());
    for _ in 0..2 {
        let request = delivery().to_http(Full::<Bytes>::from(BODY));
        let service = ServiceExt::<Request<Full<Bytes>>>::ready(&mut service).await.unwrap();
        let response = service.call(request);
        assert_eq!(response.await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn the_verified_body_has_a_known_length() {
    let mut body = VerifiedBody::from(Bytes::from(BODY));
    assert_eq!(body.size_hint().exact(), Some(BODY.len() as u64));
    assert!(!body.is_end_stream());
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), BODY);
    assert!(body.is_end_stream() && body.frame().await.is_none());
    assert_eq!(body.into_bytes(), "");
}

#[tokio::test]
async fn the_response_body_has_the_length_of_what_it_holds() {
    let service = VerifyWebhookLayer::new(verifier()).layer(service_fn(echo));
    let tampered = client::Request { body: Vec::new(), ..delivery() };
    let problem = Error::InvalidSignature.problem_json();
    for (of, length) in [(delivery(), BODY.len()), (tampered, problem.len())] {
        let body = Full::<Bytes>::from(of.body.clone());
        let response = service.clone().oneshot(of.to_http(body)).await.unwrap();
        let mut body = response.into_body();
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(length as u64), false));
        let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((data.len(), body.size_hint().exact()), (length, Some(0)));
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }
    assert!(ResponseBody::<Full<Bytes>>::default().is_end_stream());
}
