//! Any frames through the tower service: always an answer and the right one, and the inner service once and
//! only with what was verified.

#![no_main]

use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response, StatusCode, request::Parts};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use pierre_webhook_fuzz::{
    drive::{drive, drive_future},
    exchange::{Exchange, Expected, Reach},
    inner::{ANSWER, Failed, Inner, Inside, finder},
    observed, oracle,
    script::{ScriptedBody, Trace},
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
    let mut request = Request::new(());
    for (name, value) in &input.delivery.headers {
        let name = http::HeaderName::from_bytes(name).expect("it was judged");
        request.headers_mut().append(name, value.as_slice().try_into().expect("it was judged"));
    }
    let trace = Rc::new(Trace::default());
    let body = ScriptedBody::new(&input.frames, &input.delivery.body, Rc::clone(&trace));
    let pendings = || inside.pendings.get() + trace.pendings.get();

    let mut service = layer.layer(Inner::new(input.inner.clone(), Rc::clone(inside)));
    let ready =
        drive(|cx| Service::<Request<ScriptedBody>>::poll_ready(&mut service, cx), pendings);
    assert!(ready.is_ok());
    let answer = drive_future(service.call(request.map(|()| body)), pendings);

    let expected = input.expected();
    assert_eq!(inside.look_ups.get(), usize::from(expected.reach >= Reach::LookUp));
    assert_eq!(trace.polls.get(), expected.polls);
    match inside.calls.get() {
        0 => refused(input, &expected, answer),
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

fn refused(input: &Exchange, expected: &Expected, answer: Answer) {
    let Ok(response) = answer else { panic!("an error of nobody's") };
    let rejection = response.extensions().get::<Rejection>().expect("the reason").clone();
    let refusal = rejection.to_string();
    let is_allowed = expected.verdict.refusals.contains(&refusal);
    assert!(is_allowed, "{refusal:?}, expected {:?}", expected.verdict);
    let status = oracle::status(&refusal);
    assert_eq!(rejection.status(), status);
    if input.inner.contains(&b'O') {
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        return assert_eq!(&*bytes(response), refusal.as_bytes());
    }
    assert_eq!(response.status(), status);
    let header = |name: &str| response.headers().get(name).map(|value| value.as_bytes());
    assert_eq!(header("content-type"), Some(&b"application/problem+json"[..]));
    let challenge = (status == 401).then_some(&b"X-Pierre-Signature"[..]);
    assert_eq!(header("www-authenticate"), challenge);
    assert_eq!(header("retry-after"), (status == 503).then_some(&b"5"[..]));
    let problem: serde_json::Value = serde_json::from_slice(&bytes(response)).expect("JSON");
    assert_eq!((&problem["status"], &problem["detail"]), (&status.into(), &refusal.into()));
}

fn bytes(response: Response<ResponseBody<Full<Bytes>>>) -> Bytes {
    let Ok(collected) = drive_future(response.into_body().collect(), || 0);
    collected.to_bytes()
}
