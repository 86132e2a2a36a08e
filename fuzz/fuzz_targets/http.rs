//! Any frames through the tower service: always an answer and the right one, and the inner service once and
//! only with what was verified.

#![no_main]

use std::{
    future::poll_fn,
    rc::Rc,
    sync::{Arc, atomic::Ordering},
};

use bytes::{Buf, Bytes};
use http::{Request, Response, StatusCode, request::Parts};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use pierre_webhook_fuzz::{
    drive::drive,
    exchange::{Exchange, Expected},
    inner::{ANSWER, Failed, Inner, Inside, finder},
    observed, oracle,
    script::steps,
    scripted::Scripted,
};
use pierre_webhook_tower::{
    FindVerifier, Rejection, RejectionResponse, ResponseBody, VerifyWebhookLayer,
};
use tower_layer::Layer;
use tower_service::Service;

type Answer = Result<Response<ResponseBody<Full<Bytes>>>, Failed>;

fuzz_target!(|input: Exchange| {
    let Ok(verifier) = input.delivery.verifier() else { return };
    let inside = Rc::new(Inside::default());
    let layer =
        VerifyWebhookLayer::new(finder(input.look_up.clone(), verifier, Rc::clone(&inside)));
    if input.inner.contains(&b'O') {
        let own = |rejection: Rejection| {
            let mut response = Response::new(Full::from(rejection.to_string()));
            *response.status_mut() = StatusCode::IM_A_TEAPOT;
            response
        };
        exchange(&input, layer.with_rejection_response(own), &inside);
    } else {
        exchange(&input, layer, &inside);
    }
});

fn exchange<V, R>(input: &Exchange, layer: VerifyWebhookLayer<V, R>, inside: &Rc<Inside>)
where
    V: FindVerifier<Parts> + Clone,
    R: RejectionResponse<Full<Bytes>> + Clone,
{
    let body = Scripted::new(steps(&input.frames, &input.delivery.body));
    let (polls, waits) = (Arc::clone(&body.polls), Arc::clone(&body.waits));
    let pendings = || inside.pendings.get() + waits.load(Ordering::Relaxed);
    let mut request = Request::new(body);
    for (name, value) in &input.delivery.headers {
        let name = http::HeaderName::from_bytes(name).expect("it was judged");
        request.headers_mut().append(name, value.as_slice().try_into().expect("it was judged"));
    }

    let mut service = layer.layer(Inner::new(input.inner.clone(), Rc::clone(inside)));
    let ready =
        poll_fn(|cx| Service::<Request<Scripted<Box<dyn Buf>>>>::poll_ready(&mut service, cx));
    let ready = drive(ready, pendings);
    assert!(ready.is_ok());
    let answer = drive(service.call(request), pendings);

    let expected = input.expected();
    assert_eq!(inside.look_ups.get(), expected.look_ups);
    assert_eq!(polls.load(Ordering::Relaxed), expected.polls);
    match inside.calls.get() {
        0 => rejected(input, &expected, answer),
        1 => handled(input, &expected, inside, answer),
        calls => panic!("the inner service was called {calls} times"),
    }
}

fn handled(input: &Exchange, expected: &Expected, inside: &Inside, answer: Answer) {
    let handled = inside.handled.take();
    let (webhook, body) = handled.expect("it was called");
    observed::check(&expected.verdict, webhook.event_type(), Ok(&webhook.event));
    assert_eq!((&*webhook.body, &*body), (&*expected.body, &*expected.body));
    let fails = input.inner.iter().any(|step| b"NF".contains(step));
    match answer {
        Ok(response) => {
            assert!(!fails && response.extensions().get::<Rejection>().is_none());
            assert_eq!((response.status(), &*bytes(response)), (StatusCode::OK, ANSWER.as_bytes()));
        }
        Err(Failed) => assert!(fails),
    }
}

fn rejected(input: &Exchange, expected: &Expected, answer: Answer) {
    let Ok(response) = answer else { panic!("an error of nobody's") };
    let rejection = response.extensions().get::<Rejection>().expect("the reason").clone();
    let text = rejection.to_string();
    let is_allowed = expected.verdict.rejections.contains(&text);
    assert!(is_allowed, "{text:?}, expected {:?}", expected.verdict);
    let status = oracle::status(&text);
    assert_eq!(rejection.status(), status);
    if input.inner.contains(&b'O') {
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        return assert_eq!(&*bytes(response), text.as_bytes());
    }
    assert_eq!(response.status(), status);
    let header = |name: &str| response.headers().get(name).map(|value| value.as_bytes());
    assert_eq!(header("content-type"), Some(&b"application/problem+json"[..]));
    let challenge = (status == 401).then_some(&b"X-Pierre-Signature"[..]);
    assert_eq!(header("www-authenticate"), challenge);
    assert_eq!(header("retry-after"), (status == 503).then_some(&b"5"[..]));
    let problem: serde_json::Value = serde_json::from_slice(&bytes(response)).expect("JSON");
    assert_eq!((&problem["status"], &problem["detail"]), (&status.into(), &text.into()));
}

fn bytes(response: Response<ResponseBody<Full<Bytes>>>) -> Bytes {
    let Ok(collected) = drive(response.into_body().collect(), || 0);
    collected.to_bytes()
}
