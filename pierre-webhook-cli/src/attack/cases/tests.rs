//! What core says of each case under the usual settings: a change of either shows.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicU32, Ordering},
};

use clap::Parser;

use super::*;
use crate::{secrets::SecretArgs, verifier::VerifierArgs};

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    verifier: VerifierArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

fn maker(args: &[&str]) -> Maker {
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
    Maker::new(&settings.verifier, &secrets).unwrap()
}

fn all() -> impl Iterator<Item = &'static Case> {
    CASES.iter().flat_map(|cases| *cases)
}

#[test]
fn names_are_unique() {
    let names: HashSet<_> = all().map(|case| case.name).collect();
    assert_eq!(names.len(), all().count());
}

#[test]
fn legal_cases_are_accepted_and_the_others_refused_by_the_rule_they_are_about() {
    let maker = maker(&[]);
    for case in all() {
        let request = (case.make)(&maker).unwrap_or_else(|| panic!("{} is not made", case.name));
        let expected = case.expected.clone().unwrap_or_else(|| maker.expected(&request));
        let text = match &expected {
            Expected::Accepted => "accepted".to_owned(),
            Expected::NotAccepted => "not accepted".to_owned(),
            Expected::Refused(error) => error.to_string(),
        };
        let legal = [
            "push",
            "sync-started",
            "sync-succeeded",
            "sync-failed",
            "header-names-upper-case",
            "event-spaces-around",
            "other-secret",
            "age-within",
            "ahead-within",
            "timestamp-leading-zeros",
            "signature-spaces",
            "signature-reversed",
            "signature-unknown-elements",
            "signature-two-right-first",
            "signature-two-right-last",
            "signature-empty-one",
            "signature-upper-case",
            "signature-4k-junk",
            "body-newline",
            "body-spaced",
            "body-not-ascii",
            "body-big-numbers",
            "body-deep",
            "body-deep-field",
            "body-largest",
            "unknown-event",
            "unknown-event-array",
            "unknown-event-longest",
            "wire-chunked",
            "wire-bytewise",
            "wire-slow",
            "wire-split-character",
            "wire-split-character-chunked",
        ];
        let beginning = match case.name {
            name if legal.contains(&name) => "accepted",
            "wire-truncated" => "not accepted",
            "wire-oversized-forged" => "Webhook timestamp too old",
            "relabelled-push-as-sync" | "type-number" => "Invalid repo.sync.started payload",
            name => match name.split('-').next().unwrap() {
                "signature" => "Missing or invalid X-Pierre-Signature header",
                "event" => "Missing or invalid X-Pierre-Event header",
                "format" => "Invalid signature header format",
                "wrong" => "Invalid signature",
                "timestamp" => "Invalid timestamp in signature",
                "age" => "Webhook timestamp too old (",
                "ahead" => "Webhook timestamp is in the future",
                "json" => "Invalid JSON payload",
                "relabelled" => "Event type mismatch: header says ",
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
fn the_settings_decide_what_is_expected() {
    let any_age = maker(&["--any-age"]);
    let old = all().find(|case| case.name == "age-a-day").unwrap();
    assert_eq!(any_age.expected(&(old.make)(&any_age).unwrap()), Expected::Accepted);
    let short = maker(&["--max-age", "5s"]);
    let nearly = all().find(|case| case.name == "age-within").unwrap();
    assert!((nearly.make)(&short).is_none());
}
