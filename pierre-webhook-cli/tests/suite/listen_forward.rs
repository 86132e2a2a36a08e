//! The options of `listen` that choose events, forward them, and hold them while the application is down.

use pierre_webhook_core::{DeliveryHeaders, Secret, Verifier};
use serde_json::{Value, json};

use crate::{
    command::{Running, SECRET, record, run},
    stub_server::{Request, Server, answer, closed},
};

fn event(request: &Request) -> &str {
    request.header("x-pierre-event").unwrap()
}

#[test]
fn only_the_events_that_are_named_are_shown_forwarded_and_counted() {
    let app = Server::answering(&[&answer("200 OK", "")]);
    let args = ["--count", "2", "--events", "branch.created,repo.sync.*", "--json"];
    let (listen, url) = Running::listen(&[&args[..], &["--forward-to", &app.url]].concat());
    run(&["send", "push", &url]).is(0);
    // The others are still verified.
    run(&["send", "push", &url, "--age", "1h", "--expect", "401"]).is(0);
    run(&["send", "repo.sync.failed", &url]).is(0);
    // Without a valid event type, it is no other event.
    run(&["send", "push", &url, "--header", "X-Pierre-Event:", "--expect", "2xx"]).is(0);
    let ended = listen.end().is(1);
    let events: Vec<_> = ended.records().iter().map(|record| record["event"].clone()).collect();
    assert_eq!(events, [json!("repo.sync.failed"), Value::Null]);
    assert!(ended.stderr.contains("1 verified, 1 refused, 2 of other events"), "{ended:?}");
    assert_eq!(event(&app.request()), "repo.sync.failed");
    assert_eq!(app.request().header("x-pierre-event"), None);
}

#[test]
fn an_event_or_a_path_can_have_a_url_of_its_own() {
    let apps = ["201 Created", "202 Accepted", "203 Non-Authoritative Information"]
        .map(|status| Server::answering(&[&answer(status, "")]));
    let [syncs, deploys, rest] = &apps;
    let (syncs_to, deploys_to) =
        (format!("repo.sync.*={}?a=b", syncs.url), format!("/deploy/*={}", deploys.url));
    let (listen, url) = Running::listen(&[
        "--count",
        "4",
        "--forward",
        &syncs_to,
        "--forward",
        &deploys_to,
        "--forward-to",
        &rest.url,
    ]);
    let deploy = format!("{url}/deploy/a");
    run(&["send", "repo.sync.failed", &url, "--expect", "201"]).is(0);
    run(&["send", "push", &deploy, "--expect", "202"]).is(0);
    // The first that matches is used.
    run(&["send", "repo.sync.started", &deploy, "--expect", "201"]).is(0);
    run(&["send", "push", &url, "--expect", "203"]).is(0);
    listen.end().is(0);
    assert_eq!(syncs.request().head[0], "POST /hooks?a=b HTTP/1.1");
    assert_eq!(event(&deploys.request()), "push");

    // Without --forward-to, the command answers the rest itself.
    let (listen, url) = Running::listen(&["--count", "1", "--forward", &syncs_to, "--json"]);
    run(&["send", "push", &url, "--expect", "200"]).is(0);
    assert_eq!(listen.end().is(0).records()[0]["forward"], Value::Null);
}

#[test]
fn a_wrong_route_or_pattern_is_an_error_of_the_command_line() {
    for (args, why) in [
        (&["--forward", "push"][..], "not of the form push=URL"),
        (&["--forward", "push=localhost"], "not a URL"),
        (&["--forward", "=http://127.0.0.1:1/"], "an event type or a path is missing"),
        (&["--events", "repo.*.failed"], "a * may only be at the end"),
        (&["--hold"], "--forward-to <URL>"),
        (&["--show-answer"], "--forward-to <URL>"),
        (&["--only-verified"], "--forward-to <URL>"),
    ] {
        let ended = run(&[&["listen"], args].concat()).is(2);
        assert!(ended.stderr.contains(why), "{args:?}: {ended:?}");
    }
}

#[test]
fn the_answer_of_the_application_is_shown() {
    let body = format!("first\nsecond \x1b[31m{}", "x".repeat(2_000));
    let answer = format!(
        "HTTP/1.1 500 Internal Server Error\r\nx-app: a\u{9b}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let app = Server::answering(&[&answer]);
    let (listen, url) =
        Running::listen(&["--count", "1", "--forward-to", &app.url, "--show-answer"]);
    run(&["send", "push", &url, "--expect", "500"]).is(0);
    let ended = listen.end().is(0);
    let lines: Vec<_> = ended.stdout.lines().skip(1).collect();
    assert_eq!(lines[0], r"    < x-app: a\u{9b}", "{ended:?}");
    let body = lines.iter().position(|line| *line == "    < first").expect("the body");
    assert!(lines[body + 1].starts_with(r"    < second \u{1b}[31mxxx"), "{ended:?}");
    assert_eq!(lines.last(), Some(&"    < …"));

    let (listen, url) =
        Running::listen(&["--count", "1", "--forward-to", &app.url, "--show-answer", "--json"]);
    run(&["send", "push", &url, "--expect", "500"]).is(0);
    let records = listen.end().is(0).records();
    let answer = &records[0]["forward"]["answer"];
    assert_eq!(answer["headers"][0], json!(["x-app", "a\u{9b}"]));
    assert_eq!(answer["body_bytes"], 2_018);
    let body = answer["body"].as_str().unwrap();
    assert!(body.starts_with("first\nsecond \x1b[31mx") && body.len() == 1_024, "{body}");
}

#[test]
fn listen_says_once_that_the_application_is_down_and_when_it_is_back() {
    let address = closed();
    let to = format!("http://{address}/hooks");
    let (mut listen, url) = Running::listen(&["--count", "3", "--forward-to", &to]);
    for _ in 0..2 {
        run(&["send", "push", &url, "--expect", "502"]).is(0);
    }
    let _app = Server::listening_at(address, &[&answer("200 OK", "")]);
    assert_eq!(listen.stderr_line(), format!("warning: {to} is down: Connection refused"));
    // Without another delivery.
    assert_eq!(listen.stderr_line(), format!("{to} is back"));
    run(&["send", "push", &url]).is(0);
    assert_eq!(listen.end().is(3).stderr.matches("is down").count(), 1);
}

#[cfg(unix)]
#[test]
fn what_comes_while_the_application_is_down_is_held_and_delivered_in_order() {
    let address = closed();
    let to = format!("http://{address}/hooks");
    let (mut listen, url) = Running::listen(&["--forward-to", &to, "--hold", "--json"]);
    for (name, age) in [("push", "200s"), ("repo.sync.started", "0s"), ("repo.sync.failed", "0s")] {
        run(&["send", name, &url, "--age", age, "--expect", "202"]).is(0);
        let forward = &record(&listen.stdout_line())["forward"];
        assert_eq!((&forward["status"], &forward["held"]), (&Value::Null, &json!(true)));
    }
    // It doesn't verify, so it arrives as it came.
    run(&["send", "push", &url, "--age", "1h", "--expect", "202"]).is(0);
    listen.stdout_line();
    let app = Server::listening_at(address, &[&answer("200 OK", ""), &answer("500 Oh", "")]);
    let verifier = Verifier::new(Secret::new(SECRET).unwrap());
    for (n, name, status, is_fresh) in [
        (1, "push", 200, true),
        (2, "repo.sync.started", 500, true),
        (3, "repo.sync.failed", 500, true),
        (4, "push", 500, false),
    ] {
        let redelivery = record(&listen.stdout_line());
        assert_eq!(
            (&redelivery["n"], &redelivery["redelivered"]["status"]),
            (&json!(n), &json!(status))
        );
        assert!(redelivery["held_ms"].as_f64().is_some(), "{redelivery}");
        let request = app.request();
        assert_eq!(event(&request), name);
        let body = request.body.clone().into();
        let (event, signature) = (event(&request), request.header("x-pierre-signature").unwrap());
        let headers: http::HeaderMap =
            [("x-pierre-event", event), ("x-pierre-signature", signature)]
                .into_iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
        let headers = DeliveryHeaders::parse(&headers).unwrap();
        assert_eq!(verifier.verify(&headers, body).is_ok(), is_fresh);
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        assert_eq!(now - headers.timestamp() < 100, is_fresh, "signed again");
    }
    // From then on, deliveries are forwarded at once.
    run(&["send", "push", &url, "--expect", "500"]).is(0);
    assert_eq!(record(&listen.stdout_line())["forward"]["status"], 500);
    listen.interrupt();
    listen.end().is(130);
}

#[test]
fn what_is_still_held_at_the_end_is_counted_as_failed() {
    let to = format!("http://{}/", closed());
    let (listen, url) = Running::listen(&["--count", "1", "--forward-to", &to, "--hold"]);
    run(&["send", "push", &url, "--expect", "202"]).is(0);
    let ended = listen.end().is(3);
    assert!(ended.stdout.contains("answered 202  held: Connection refused"), "{ended:?}");
    assert!(ended.stderr.contains("1 held and not delivered"), "{ended:?}");
}
