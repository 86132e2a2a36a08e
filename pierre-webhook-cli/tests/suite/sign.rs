//! `sign`.

use std::time::{SystemTime, UNIX_EPOCH};

use pierre_webhook_core::{Secret, Verifier};

use crate::command::{SECRET, run_with_stdin};

#[test]
fn it_prints_the_value_that_the_service_would_send_and_a_newline() {
    let body = b"{\"a\":1}\n";
    let expected = format!("{}\n", Secret::new(SECRET).unwrap().sign(1_790_000_000, body));
    for at in ["1790000000", "2026-09-21T14:13:20Z", "2026-09-21T16:13:20+02:00"] {
        assert_eq!(run_with_stdin(&["sign", "--at", at], body).is(0).stdout, expected);
    }
}

#[test]
fn without_a_time_it_signs_now() {
    let signed = run_with_stdin(&["sign"], b"\xff\0").is(0).stdout;
    let verifier = Verifier::new(Secret::new(SECRET).unwrap());
    let signed_at = verifier.verify_signature(signed.trim_end(), b"\xff\0").unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now - signed_at <= 60);
}

#[test]
fn as_json_it_is_one_record() {
    let ended = run_with_stdin(&["sign", "--at", "5", "--json"], b"").is(0);
    let [record] = &ended.records()[..] else { panic!("{ended:?}") };
    assert_eq!(record["signed_at"], 5);
    assert!(record["signature"].as_str().unwrap().starts_with("t=5,sha256="));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_wait_for_standard_input() {
    // The first warning says that it runs, and that Ctrl-C is heard is a matter of polling it.
    let folder = crate::folder::Folder::new();
    let file = folder.write("secret", "s\n");
    let mut running =
        crate::command::Running::start(crate::command::command(&["sign", "--secret-file", &file]));
    assert!(running.stderr_line().contains("white space"));
    running.interrupt();
    let ended = running.end_by_itself();
    // Before the handler stood, the signal itself ended it: what a shell reports is 130 either way.
    assert!(ended.code.is_none_or(|code| code == 130), "{ended:?}");
}
