//! The delivery table through the real loop of `lambda_http`, against a Runtime API on loopback, in the form of each kind
//! of event that AWS sends for an HTTP request.

use std::{process::Stdio, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use pierre_webhook_tests::vectors::{Answer, Vector, answer, deliveries};
use pierre_webhook_tower::DeliveryHeaders;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, process::Command, sync::mpsc, time::timeout};

/// Longer than any invocation takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What sends the event.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Gateway {
    /// A function URL or an HTTP API: payload format 2.0, which joins repeated headers with commas.
    Http,
    /// A REST API: payload format 1.0. It has every value of a header, but `lambda_http` lets the last one win.
    Rest,
    /// An Application Load Balancer, which by default passes on the last value of a header.
    LoadBalancer,
    /// An Application Load Balancer with multi-value headers enabled.
    LoadBalancerMulti,
}

impl Gateway {
    const ALL: [Self; 4] = [Self::Http, Self::Rest, Self::LoadBalancer, Self::LoadBalancerMulti];

    /// The header lines that the function sees.
    fn lines(self, vector: &Vector) -> Vec<(&'static str, String)> {
        let mut lines: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in text_lines(vector) {
            let earlier = lines.iter_mut().find(|(earlier, _)| *earlier == name);
            match (self, earlier) {
                (Self::Http, Some((_, earlier))) => *earlier = format!("{earlier},{value}"),
                (Self::Rest | Self::LoadBalancer, Some((_, earlier))) => *earlier = value,
                _ => lines.push((name, value)),
            }
        }
        lines
    }

    fn event(self, index: usize, vector: &Vector, is_base64: bool) -> Value {
        let path = format!("/webhooks/{index}");
        let (mut headers, mut multi) = (Map::new(), Map::new());
        headers.insert("host".into(), "example.com".into());
        multi.insert("host".into(), json!(["example.com"]));
        for (name, value) in self.lines(vector) {
            headers.insert(name.into(), value.into());
        }
        for (name, value) in text_lines(vector) {
            let values = multi.entry(name).or_insert_with(|| json!([]));
            values.as_array_mut().expect("a list").push(value.into());
        }
        let body = if is_base64 {
            STANDARD.encode(&vector.body)
        } else {
            String::from_utf8(vector.body.to_vec()).expect("text")
        };
        let mut event = match self {
            Self::Http => json!({
                "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
                "headers": headers,
                "requestContext": {
                    "accountId": "anonymous", "apiId": "api", "domainName": "example.com",
                    "domainPrefix": "api", "requestId": "1", "routeKey": "$default", "stage": "$default",
                    "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 0,
                    "http": {
                        "method": "POST", "path": path, "protocol": "HTTP/1.1",
                        "sourceIp": "127.0.0.1", "userAgent": "Pierre-Webhook/1.0",
                    },
                },
            }),
            Self::Rest => json!({
                "resource": "/webhooks/{n}", "path": path, "httpMethod": "POST",
                "headers": headers, "multiValueHeaders": multi,
                "queryStringParameters": null, "multiValueQueryStringParameters": null,
                "pathParameters": {"n": index.to_string()}, "stageVariables": null,
                "requestContext": {
                    "resourceId": "r", "resourcePath": "/webhooks/{n}", "httpMethod": "POST",
                    "path": path, "accountId": "1", "protocol": "HTTP/1.1", "stage": "$default",
                    "requestId": "1", "identity": {"sourceIp": "127.0.0.1"}, "apiId": "api",
                },
            }),
            Self::LoadBalancer | Self::LoadBalancerMulti => json!({
                "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:x"}},
                "httpMethod": "POST", "path": path,
            }),
        };
        match self {
            Self::LoadBalancer => {
                event["queryStringParameters"] = json!({});
                event["headers"] = headers.into();
            }
            Self::LoadBalancerMulti => {
                event["multiValueQueryStringParameters"] = json!({});
                event["multiValueHeaders"] = multi.into();
            }
            Self::Http | Self::Rest => {}
        }
        event["body"] = body.into();
        event["isBase64Encoded"] = is_base64.into();
        event
    }
}

fn text_lines(vector: &Vector) -> impl Iterator<Item = (&'static str, String)> {
    let text = |value: &Vec<u8>| String::from_utf8(value.clone()).expect("ASCII: `is_expressible`");
    vector.headers.iter().map(move |(name, value)| (*name, text(value)))
}

/// An event is JSON, so a header value that isn't text can't reach a function, and neither can a control character: the
/// gateway rejects it.
fn is_expressible(vector: &Vector) -> bool {
    let mut values = vector.headers.iter().map(|(_, value)| value);
    values.all(|value| value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')))
}

/// The answer that core gives to what the function sees.
fn of_core(lines: &[(&'static str, String)], vector: &Vector) -> Answer {
    let headers = lines.iter().map(|(name, value)| (name, value.as_str()));
    answer(
        DeliveryHeaders::parse(headers)
            .and_then(|headers| vector.verifier().verify(&headers, vector.body.clone())),
    )
}

#[tokio::test]
async fn every_gateway_gives_the_answers_of_core() {
    let vectors = deliveries();
    let mut function = Function::start().await;
    let mut invoked = 0;
    let mut wrong = Vec::new();
    let mut changed = Vec::new();
    for gateway in Gateway::ALL {
        for (index, vector) in vectors.iter().enumerate().filter(|(_, of)| is_expressible(of)) {
            let expected = of_core(&gateway.lines(vector), vector);
            if vector.judge(&expected).is_some() {
                changed.push(format!("{gateway:?}: {} becomes {expected:?}", vector.name));
            }
            for is_base64 in [true, false] {
                if !is_base64 && str::from_utf8(&vector.body).is_err() {
                    continue;
                }
                let response = function.invoke(&gateway.event(index, vector, is_base64)).await;
                let got = answer_of(&response, &vector.body);
                if got != expected {
                    wrong.push(format!(
                        "{gateway:?} {}: {got:?}, expected {expected:?}",
                        vector.name
                    ));
                }
                invoked += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(invoked > 1000, "only {invoked} invocations");
    assert_eq!(changed, CHANGED);
}

/// What changes before the function sees it: two lines of one header become one value.
const CHANGED: [&str; 6] = [
    "Http: header-repeated becomes Err(\"Invalid signature header format\")",
    "Http: header-repeated-one-bad becomes Err(\"Invalid signature header format\")",
    "Rest: header-repeated becomes Ok((\"push\", 1789999995))",
    "Rest: header-repeated-one-bad becomes Ok((\"push\", 1789999995))",
    "LoadBalancer: header-repeated becomes Ok((\"push\", 1789999995))",
    "LoadBalancer: header-repeated-one-bad becomes Ok((\"push\", 1789999995))",
];

/// What the function's answer says of a delivery. An accepted one must come back with the same body.
fn answer_of(response: &Value, sent: &[u8]) -> Answer {
    let body = response["body"].as_str().unwrap_or_default();
    let body = match response["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).expect("base64"),
        _ => body.as_bytes().to_vec(),
    };
    if response["statusCode"] != 200 {
        let problem: Value = serde_json::from_slice(&body).expect("problem details");
        assert_eq!(problem["status"], response["statusCode"]);
        return Err(problem["detail"].as_str().expect("a text").to_owned());
    }
    let mut parts = body.splitn(3, |byte| *byte == b' ');
    let mut text = || String::from_utf8(parts.next().expect("three parts").to_vec()).expect("text");
    let (event_type, signed_at) = (text(), text());
    assert_eq!(parts.next(), Some(sent), "the body came back");
    Ok((event_type, signed_at.parse().expect("seconds")))
}

/// The function, in a process of its own, and the Runtime API that it asks for invocations. It ends when this is dropped.
struct Function {
    events: mpsc::Sender<Value>,
    responses: mpsc::Receiver<Value>,
    _process: tokio::process::Child,
}

impl Function {
    async fn start() -> Self {
        let (events, next) = mpsc::channel(1);
        let (respond, responses) = mpsc::channel(1);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let api = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_event))
            .route("/2018-06-01/runtime/invocation/{id}/{end}", post(take_response))
            .layer(DefaultBodyLimit::disable())
            .with_state((std::sync::Arc::new(tokio::sync::Mutex::new(next)), respond));
        tokio::spawn(async move { axum::serve(listener, api).await });
        let process = Command::new(env!("CARGO_BIN_EXE_pierre-webhook-lambda-tests"))
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "receiver")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the function starts");
        Self { events, responses, _process: process }
    }

    async fn invoke(&mut self, event: &Value) -> Value {
        self.events.send(event.clone()).await.expect("the Runtime API runs");
        let response = timeout(PATIENCE, self.responses.recv()).await;
        response.expect("the function responds in time").expect("the Runtime API runs")
    }
}

type Api = (std::sync::Arc<tokio::sync::Mutex<mpsc::Receiver<Value>>>, mpsc::Sender<Value>);

async fn next_event(State((next, _)): State<Api>) -> Response {
    let Some(event) = next.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", "1"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:x:1:function:receiver"),
        ("lambda-runtime-trace-id", "Root=1-0-0"),
    ];
    let headers: HeaderMap = headers
        .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
        .into_iter()
        .collect();
    (headers, Json(event)).into_response()
}

async fn take_response(
    State((_, respond)): State<Api>,
    Path((_, end)): Path<(String, String)>,
    response: Bytes,
) -> StatusCode {
    assert_eq!(end, "response", "{response:?}");
    let _ = respond.send(serde_json::from_slice(&response).expect("JSON")).await;
    StatusCode::ACCEPTED
}
