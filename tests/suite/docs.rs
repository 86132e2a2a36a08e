//! Checks that the documents match the code.

use std::{fs, path::PathBuf};

use pierre_webhook_core::Error;
use pierre_webhook_tests::vectors::deliveries;

fn read(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_security_md_names_exists() {
    let security = read("SECURITY.md");
    let unit_tests: String = [
        "pierre-webhook-core/src/signature.rs",
        "pierre-webhook-core/src/event/read/tests.rs",
        "pierre-webhook-core/src/verifier/tests.rs",
    ]
    .map(read)
    .concat();
    let vectors = deliveries();
    let mut named = 0;
    for row in security.lines().filter(|line| line.starts_with("| ")) {
        let Some((_, held_by)) = row.trim_end_matches(" |").rsplit_once(" | ") else { continue };
        for span in code_spans(held_by) {
            let is_there = match span.split_once("::") {
                Some((module, test)) if module.chars().all(char::is_lowercase) => {
                    read(&format!("tests/suite/{module}.rs")).contains(&format!("fn {test}()"))
                }
                _ if span.contains('/') => continue, // A program, not a test.
                _ if span.contains('-') => vectors.iter().any(|vector| vector.name == span),
                _ if span.contains('_') && !span.contains(".rs") => {
                    unit_tests.contains(&format!("fn {span}()"))
                }
                _ => continue,
            };
            assert!(is_there, "{span} in: {row}");
            named += 1;
        }
    }
    assert!(named > 30, "only {named} tests were found in SECURITY.md");
}

#[test]
fn the_readme_lists_every_text_with_its_status() {
    let readme = read("README.md");
    for (status, text) in WITH_FIELDS {
        assert!(readme.contains(&format!("| {status} | `{text}` |")), "{status} {text}");
    }
    for error in [
        Error::MissingSignatureHeader,
        Error::MissingEventHeader,
        Error::InvalidSignatureHeader,
        Error::InvalidTimestamp,
        Error::VerifierUnavailable,
        Error::TimestampInFuture,
        Error::BodyTooLargeForServer,
        Error::BodyUnreadable,
        Error::InvalidSignature,
    ] {
        let row = format!("| {} | `{error}` |", error.status_code());
        assert!(readme.contains(&row), "{row}");
    }
}

/// Errors that can't be constructed outside of core.
const WITH_FIELDS: [(u16, &str); 5] = [
    (401, "Webhook timestamp too old (<age> seconds)"),
    (413, "Webhook body larger than <limit> bytes"),
    (400, "Invalid JSON payload"),
    (400, "Event type mismatch: header says <h>, body says <b>"),
    (422, "Invalid <event type> payload"),
];
