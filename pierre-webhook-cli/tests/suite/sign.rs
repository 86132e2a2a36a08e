//! The command `sign`.

use std::time::{SystemTime, UNIX_EPOCH};

use pierre_webhook_core::{Secret, Verifier};

use crate::command::{SECRET, run_with_stdin};

#[test]
fn sign_prints_the_signature_header_value_and_a_newline() {
    let body = b"{\"a\":1}\n";
    let expected = format!("{}\n", Secret::new(SECRET).unwrap().sign(1_790_000_000, body));
    for at in ["1790000000", "2026-09-21T14:13:20Z", "2026-09-21T16:13:20+02:00"] {
        assert_eq!(run_with_stdin(&["sign", "--at", at], body).is(0).stdout, expected);
    }
}

#[test]
fn sign_uses_the_current_time_by_default() {
    let signed = run_with_stdin(&["sign"], b"\xff\0").is(0).stdout;
    let verifier = Verifier::new(Secret::new(SECRET).unwrap());
    let signed_at = verifier.verify_signature(signed.trim_end(), b"\xff\0").unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now - signed_at <= 60);
}

#[test]
fn sign_prints_one_record_with_json() {
    let ended = run_with_stdin(&["sign", "--at", "5", "--json"], b"").is(0);
    let [record] = &ended.records()[..] else { panic!("{ended:?}") };
    assert_eq!(record["signed_at"], 5);
    assert!(record["signature"].as_str().unwrap().starts_with("t=5,sha256="));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_wait_of_sign_for_standard_input() {
    // The warning shows that the command is running. It handles Ctrl-C soon after.
    let folder = crate::folder::Folder::new();
    let file = folder.write("secret", "s\n");
    let mut running =
        crate::command::Running::start(crate::command::command(&["sign", "--secret-file", &file]));
    assert!(running.stderr_line().contains("white space"));
    running.interrupt();
    let ended = running.end_by_itself();
    // Before that, the signal itself ends the process. A shell reports 130 in both cases.
    assert!(ended.code.is_none_or(|code| code == 130), "{ended:?}");
}
