//! What core says about each case under the default settings, so that a change of either shows.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicU32, Ordering},
};

use clap::Parser;

use super::*;
use crate::{
    attack::{request_maker::RequestMaker, verdict::Expectation},
    secrets::SecretArgs,
    verifier::VerifierArgs,
};

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    verifier: VerifierArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

fn maker(args: &[&str]) -> RequestMaker {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("pierre-webhook-attack-{}-{count}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, "s3cret").unwrap();
    let file = path.to_str().unwrap();
    let secrets = ["x", "--secret-file", file, "--secret-file", file];
    let settings = Settings::parse_from(secrets.iter().chain(args));
    let secrets = settings.secret.read().unwrap();
    std::fs::remove_file(&path).unwrap();
    RequestMaker::new(&settings.verifier, &secrets).unwrap()
}

#[test]
fn case_names_are_unique() {
    let names: HashSet<_> = all().map(|case| case.name).collect();
    assert_eq!(names.len(), all().count());
}

#[test]
fn core_accepts_legal_cases_and_rejects_the_others_by_the_rule_they_break() {
    let maker = maker(&[]);
    let legal: HashSet<_> =
        legal::CASES.iter().chain(wire::LEGAL_CASES).map(|case| case.name).collect();
    for case in all() {
        let request = (case.make)(&maker).unwrap_or_else(|| panic!("{} does not apply", case.name));
        let expected = case.expected.clone().unwrap_or_else(|| maker.expected(&request));
        let text = match &expected {
            Expectation::Accepted => "accepted".to_owned(),
            Expectation::NotAccepted => "not accepted".to_owned(),
            Expectation::Rejected(error) => error.to_string(),
        };
        let beginning = match case.name {
            name if legal.contains(name) => "accepted",
            "wire-truncated" => "not accepted",
            "wire-oversized-forged" => "Webhook timestamp too old",
            "relabeled-push-as-sync" | "type-number" => "Invalid repo.sync.started payload",
            name => match name.split('-').next().unwrap() {
                "signature" => "Missing or invalid X-Pierre-Signature header",
                "event" => "Missing or invalid X-Pierre-Event header",
                "format" => "Invalid signature header format",
                "wrong" => "Invalid signature",
                "timestamp" => "Invalid timestamp in signature",
                "age" => "Webhook timestamp too old (",
                "ahead" => "Webhook timestamp is in the future",
                "json" => "Invalid JSON payload",
                "relabeled" => "Event type mismatch: header says ",
                "push" => "Invalid push payload",
                "sync" => "Invalid repo.sync.",
                "wire" => "Webhook body larger than 1048576 bytes",
                _ => "?",
            },
        };
        assert!(text.starts_with(beginning), "{}: {text}, not {beginning}", case.name);
    }
}

#[test]
fn the_expected_verdict_depends_on_the_settings() {
    let any_age = maker(&["--any-age"]);
    let old = all().find(|case| case.name == "age-a-day").unwrap();
    assert_eq!(any_age.expected(&(old.make)(&any_age).unwrap()), Expectation::Accepted);
    let short = maker(&["--max-age", "5s"]);
    let nearly = all().find(|case| case.name == "age-within").unwrap();
    assert!((nearly.make)(&short).is_none());
}
