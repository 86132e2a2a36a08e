//! The command `listen`.

#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
};

use pierre_webhook_core::Secret;
use serde_json::{Value, json};

use crate::{
    command::{Running, SECRET, command, record, run, run_with_stdin, without_secret},
    folder::Folder,
    stub_server::{Server, answer, closed},
};

/// Sends bytes on a new connection, closes its write half, and reads the whole answer.
fn exchange(url: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn signed(event: &str, body: &[u8], more: &str) -> Vec<u8> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let signature = Secret::new(SECRET).unwrap().sign(now, body);
    let head = format!(
        "POST /any/path?x=1 HTTP/1.1\r\nHost: h\r\nX-Pierre-Event: {event}\r\nX-Pierre-Signature: {signature}\r\n{more}\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn listen_verifies_a_delivery_and_answers_200() {
    let (listen, url) = Running::listen(&["--count", "1", "--json"]);
    let body = "{}";
    let answer = exchange(&url, &signed("ping", body.as_bytes(), "Content-Length: 2\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let ended = listen.end().is(0);
    let [record] = &ended.records()[..] else { panic!("{ended:?}") };
    assert!(record["at"].as_str().unwrap().ends_with('Z'));
    assert!(record["signed_at"].is_u64() && record["age_s"].as_i64().unwrap() <= 60);
    assert_eq!(
        record["delivery_id"],
        "2c831df594c5af4eaa2c5cf87cf0045b0e2b9c33357617f8b0723254c3479fe7"
    );
    for (field, value) in [
        ("n", json!(1)),
        ("verdict", json!("verified")),
        ("error", Value::Null),
        ("status", json!(200)),
        ("event", json!("ping")),
        ("body_bytes", json!(2)),
        ("duplicate_of", Value::Null),
        ("resigned", Value::Null),
        ("forward", Value::Null),
        ("saved", Value::Null),
    ] {
        assert_eq!(record[field], value, "{field}");
    }
}

#[test]
fn a_rejected_delivery_gets_the_text_and_answer_of_core() {
    let (listen, url) = Running::listen(&["--count", "2", "--body-limit", "300", "--json"]);
    run(&["send", "push", &url, "--age", "6m"]).is(1);
    let answer = exchange(&url, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(
        answer
            .starts_with("HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n"),
        "{answer}"
    );
    assert!(
        answer.ends_with(
            r#""detail":"Missing or invalid X-Pierre-Signature header","code":"missing_signature_header"}"#
        ),
        "{answer}"
    );
    let records = listen.end().is(1).records();
    assert!(records[0]["error"].as_str().unwrap().starts_with("Webhook timestamp too old (3"));
    assert_eq!((&records[0]["verdict"], &records[0]["status"]), (&json!("refused"), &json!(401)));
    assert_eq!(records[1]["event"], Value::Null);
}

#[test]
fn listen_passes_its_settings_to_the_verifier() {
    let folder = Folder::new();
    let (first, second) = (folder.write("first", "s1"), folder.write("second", SECRET));
    let files = ["--secret-file", &first, "--secret-file", &second];
    let (listen, url) = Running::listen(&[&files[..], &["--count", "2", "--any-age"]].concat());
    run(&["send", "push", &url, "--age", "365d"]).is(2);
    run(&["send", "push", &url, "--age", "8760h"]).is(0);
    run(&["send", "push", &url, "--secret-file", &first]).is(0);
    let ended = listen.end().is(0);
    assert!(ended.stdout.contains("verified by secret 2"), "{ended:?}");
    let (listen, url) = Running::listen(&["--count", "1", "--max-age", "10"]);
    run(&["send", "push", &url, "--age", "20s"]).is(1);
    listen.end().is(1);
}

#[test]
fn a_body_over_the_limit_is_neither_saved_nor_forwarded() {
    let folder = Folder::new();
    let app = Server::answering(&[&answer("200 OK", "")]);
    let saved = folder.path("saved");
    let (listen, url) = Running::listen(&[
        "--count",
        "3",
        "--body-limit",
        "10",
        "--save",
        &saved,
        "--forward-to",
        &app.url,
        "--json",
    ]);
    let body = [b' '; 11];
    let declared = exchange(&url, &signed("e", &body, "Content-Length: 11\r\n"));
    assert!(declared.starts_with("HTTP/1.1 413 "), "{declared}");
    let chunked = [
        &signed("e", b"", "Transfer-Encoding: chunked\r\n"),
        &b"b\r\n           \r\n0\r\n\r\n"[..],
    ]
    .concat();
    let chunked = exchange(&url, &chunked);
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
    // The headers are rejected first, but the body is too large as well.
    let unsigned =
        exchange(&url, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n           ");
    assert!(unsigned.starts_with("HTTP/1.1 400 "), "{unsigned}");
    let records = listen.end().is(1).records();
    for record in &records {
        assert_eq!((&record["forward"], &record["saved"]), (&Value::Null, &Value::Null));
        assert_eq!(record["body_bytes"], Value::Null);
    }
    assert_eq!(records[0]["error"], "Webhook body larger than 10 bytes");
    assert_eq!(folder.names("saved"), Vec::<String>::new());
}

#[test]
fn an_incomplete_body_is_reported() {
    let (listen, url) = Running::listen(&["--count", "1", "--json"]);
    exchange(&url, &signed("e", b"[", "Content-Length: 2\r\n"));
    let record = &listen.end().is(1).records()[0];
    assert_eq!(
        (&record["error"], &record["status"]),
        (&json!("Webhook body could not be read"), &json!(400))
    );
}

#[test]
fn deliveries_are_forwarded_unchanged_and_the_answer_is_returned() {
    let app = Server::answering(&[&answer("418 I'm a teapot", "x-app: yes\r\n")]);
    let (listen, url) = Running::listen(&["--count", "2", "--forward-to", &app.url, "--json"]);
    let sent = signed(
        "e",
        b"\xff\0",
        "Content-Length: 2\r\nX-ODD-case: a\r\nX-ODD-case: b\r\nConnection: x-hop\r\nX-Hop: 1\r\n",
    );
    let answered = exchange(&url, &sent);
    assert!(answered.starts_with("HTTP/1.1 418 I'm a teapot\r\nx-app: yes\r\n"), "{answered}");
    let request = app.request();
    assert_eq!(request.head[0], "POST /hooks HTTP/1.1");
    assert_eq!(request.body, b"\xff\0");
    assert_eq!(
        request.head.iter().filter(|line| line.starts_with("X-ODD-case: ")).count(),
        2,
        "{request:?}"
    );
    assert_eq!(request.header("x-hop"), None);
    assert!(request.header("host").unwrap().starts_with("127.0.0.1:"));

    run(&["send", "push", &url, "--chunked", "--expect", "418"]).is(0);
    let request = app.request();
    assert_eq!(request.header("transfer-encoding"), Some("chunked"));
    let records = listen.end().is(1).records();
    assert_eq!((&records[0]["verdict"], &records[0]["status"]), (&json!("refused"), &json!(418)));
    assert_eq!(records[1]["forward"]["status"], 418);
    assert!(records[1]["forward"]["ms"].is_f64() || records[1]["forward"]["ms"].is_u64());
}

#[test]
fn only_verified_does_not_forward_rejected_deliveries() {
    let app = Server::answering(&[&answer("200 OK", "")]);
    let (listen, url) =
        Running::listen(&["--count", "2", "--forward-to", &app.url, "--only-verified", "--json"]);
    run(&["send", "push", &url, "--age", "1h", "--expect", "401"]).is(0);
    run(&["send", "push", &url]).is(0);
    let records = listen.end().is(1).records();
    assert_eq!(records[0]["forward"], Value::Null);
    assert_eq!(records[1]["forward"]["status"], 200);
}

#[test]
fn a_failed_forward_is_answered_with_502_and_exit_code_3() {
    let to = format!("http://{}/", closed());
    let (listen, url) = Running::listen(&["--count", "1", "--forward-to", &to]);
    let ended = run(&["send", "push", &url, "--expect", "502"]).is(0);
    assert!(ended.stdout.contains("The forward failed: Connection refused"), "{ended:?}");
    let ended = listen.end().is(3);
    assert!(ended.stdout.contains("forward failed"), "{ended:?}");
}

#[test]
fn listen_fails_the_first_attempts_and_recognizes_retries() {
    let (listen, url) = Running::listen(&["--count", "4", "--fail", "2"]);
    run(&["send", "push", &url, "--retries", "1", "--backoff", "1ms", "--expect", "503,200"]).is(0);
    let ended = run(&["send", "push", &url, "--retries", "2", "--backoff", "1ms", "--json"]).is(0);
    assert_eq!(ended.records()[2]["status"], 200);
    let ended = listen.end().is(0);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines[0].contains("answered 503") && !lines[1].contains("duplicate"), "{ended:?}");
    assert!(
        lines[2].ends_with("duplicate of #2") && lines[3].ends_with("duplicate of #2"),
        "{ended:?}"
    );
    assert!(lines[3].contains("push  verified") && lines[3].contains("answered 200"), "{ended:?}");
}

#[test]
fn a_re_signed_delivery_is_still_a_duplicate() {
    let (listen, url) = Running::listen(&["--count", "2", "--json"]);
    for age in ["1s", "5s"] {
        run_with_stdin(&["send", "e", &url, "--body", "-", "--age", age], b"{}").is(0);
    }
    let records = listen.end().is(0).records();
    assert_eq!((&records[1]["duplicate_of"], &records[1]["resigned"]), (&json!(1), &json!(true)));
}

#[test]
fn a_delivery_is_reported_before_the_delay_of_its_answer() {
    let (mut listen, url) = Running::listen(&["--count", "1", "--delay", "1h", "--json"]);
    let sending =
        Running::start(command(&["send", "push", &url, "--timeout", "5s", "--expect", "200"]));
    assert_eq!(record(&listen.stdout_line())["verdict"], "verified");
    sending.end().is(3);
}

#[test]
fn the_last_delivery_is_still_answered_after_its_delay() {
    let (listen, url) = Running::listen(&["--count", "1", "--delay", "2500ms"]);
    run(&["send", "push", &url]).is(0);
    listen.end().is(0);
}

#[test]
fn listen_ends_after_its_timeout() {
    let (listen, _) = Running::listen(&["--count", "1", "--timeout", "50ms"]);
    let ended = listen.end().is(1);
    assert!(ended.stderr.contains("0 verified, 0 refused"), "{ended:?}");
    Running::listen(&["--timeout", "50ms"]).0.end().is(0);
}

#[test]
fn listen_exits_with_3_if_the_port_is_in_use() {
    let (_listen, url) = Running::listen(&[]);
    let port = url.rsplit(':').next().unwrap();
    let ended = run(&["listen", "--port", port]).is(3);
    assert!(ended.stderr.contains("cannot listen on 127.0.0.1"), "{ended:?}");
}

#[test]
fn listen_prints_its_address_first_even_with_quiet() {
    let folder = Folder::new();
    let file = folder.write("secret", "s\n");
    for quiet in [&["--timeout", "10ms"][..], &["--timeout", "10ms", "-q"]] {
        let mut running = Running::start(without_secret(
            &[&["listen", "--port", "0", "--secret-file", &file], quiet].concat(),
        ));
        assert!(running.stderr_line().starts_with("listening on http://127.0.0.1:"));
        let ended = running.end().is(0);
        assert_eq!(ended.stderr.lines().count() == 1, quiet.contains(&"-q"), "{ended:?}");
    }
}

#[test]
fn listen_escapes_everything_it_received() {
    let hostile = b"\x1b[2J\x07\x9b31m\xc2\x9b\x7f\r\n\xe2\x80\xae#9  verified";
    for args in [&["-v", "--color", "never"][..], &["--json"]] {
        let (listen, url) = Running::listen(&[&["--count", "2"], args].concat());
        // HTTP allows no control bytes in a header, so this is not a delivery.
        exchange(&url, &signed("a\x1b[31mb", b"", "Content-Length: 0\r\n"));
        let evil = signed("e", hostile, &format!("Content-Length: {}\r\n", hostile.len()));
        exchange(&url, &evil);
        exchange(&url, &signed("caf\u{e9}\u{9b}", b"{}", "Content-Length: 2\r\nX: \u{9b}\r\n"));
        let ended = listen.end().is(1);
        let printed = ended.stdout + &ended.stderr;
        assert!(
            printed.chars().all(|character| character == '\n' || !character.is_control()),
            "{printed:?}"
        );
        assert!(!printed.contains('\u{202e}'), "{printed:?}");
        // No line of a body can be mistaken for the report of a delivery.
        assert!(!printed.lines().any(|line| line.starts_with("#9")), "{printed:?}");
    }
}

#[test]
fn listen_prints_no_control_bytes_except_colors() {
    let (listen, url) = Running::listen(&["--count", "1", "-v", "--color", "always"]);
    let hostile = b"\x1b[2J\x1b]0;title\x07\x9b31m";
    exchange(&url, &signed("e", hostile, &format!("Content-Length: {}\r\n", hostile.len())));
    let text = without_colors(&listen.end().is(1).stdout);
    assert!(text.contains(r"\u{1b}[2J\u{1b}]0;title\u{7}\x9b31m"), "{text}");
}

/// `script` provides the terminal.
#[cfg(target_os = "linux")]
#[test]
fn listen_prints_no_control_bytes_except_colors_on_a_terminal() {
    let is_there =
        |output: std::process::Output| output.stdout.starts_with(b"script from util-linux");
    if !Command::new("script").arg("--version").output().is_ok_and(is_there) {
        return;
    }
    let binary = env!("CARGO_BIN_EXE_pierre-webhook");
    let listen = format!("{binary} listen --port 0 --count 2 -v");
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &listen, "/dev/null"]).env("PIERRE_WEBHOOK_SECRET", SECRET);
    terminal.env("TERM", "xterm").env_remove("NO_COLOR");
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut listen = Running::start(terminal);
    let line = listen.stdout_line();
    let url = line.trim_end().strip_prefix("listening on ").unwrap();
    let hostile = "\x1b[2J\x1b]0;title\x07\u{9b}31m\r";
    let length = format!("Content-Length: {}\r\n", hostile.len());
    exchange(url, &signed("e\u{9b}31m", hostile.as_bytes(), &length));
    exchange(url, &signed("e", hostile.as_bytes(), &length));
    let printed = listen.end_by_itself().is(1).stdout.replace("\r\n", "\n");
    assert!(printed.contains("\x1b["), "no terminal: {printed:?}");
    without_colors(&printed);
}

/// Removes the colors, and asserts that no other control character is left.
#[track_caller]
fn without_colors(printed: &str) -> String {
    let mut parts = printed.split('\x1b');
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('m').unwrap();
        assert!(
            code.strip_prefix('[').unwrap().bytes().all(|byte| byte.is_ascii_digit()),
            "{code}"
        );
        text.push_str(rest);
    }
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
    text
}

#[cfg(unix)]
#[test]
fn deliveries_in_progress_are_answered_after_ctrl_c() {
    let (mut listen, url) = Running::listen(&["--delay", "200ms"]);
    let sending = Running::start(command(&["send", "push", &url]));
    listen.stdout_line();
    listen.interrupt();
    sending.end().is(0);
    listen.end().is(130);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_listen_with_130() {
    let (mut listen, url) = Running::listen(&["--json"]);
    run(&["send", "push", &url]).is(0);
    assert_eq!(record(&listen.stdout_line())["n"], 1);
    listen.interrupt();
    let ended = listen.end().is(130);
    assert!(ended.stderr.contains("1 verified, 0 refused"), "{ended:?}");
}
