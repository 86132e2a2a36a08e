//! Deliveries that the table lacks, so that no rule is far from a seed.

use crate::{
    delivery::Delivery,
    oracle::{self, Accepted},
    time::SECOND,
};

/// Made of a delivery that is accepted.
pub(crate) fn variants(base: &Delivery) -> Vec<Delivery> {
    let mut variants = Vec::new();
    let mut add = |change: &dyn Fn(&mut Delivery)| {
        let mut variant = base.clone();
        change(&mut variant);
        variants.push(variant);
    };
    for (event_type, body) in BODIES {
        add(&|delivery| {
            delivery.body = (*body).into();
            sign(delivery, event_type);
        });
    }
    for time in TIMES {
        add(&|delivery| {
            delivery.body = STARTED.replace("2026-03-17T10:00:00Z", time).into();
            sign(delivery, "repo.sync.started");
        });
    }
    add(&|delivery| delivery.headers[0].1.make_ascii_uppercase());
    add(&|delivery| {
        let value = String::from_utf8_lossy(&delivery.headers[0].1).to_uppercase();
        delivery.headers[0].1 = value.replace("T=", "t=").replace("SHA", "sha").into();
    });
    // Lengths, declared and arrived.
    for excess in [0, 1] {
        let length = base.body.len();
        add(&|delivery| delivery.settings.limit = length - excess);
        add(&|delivery| {
            delivery.settings.limit = length - excess;
            delivery.headers.push((b"content-length".into(), length.to_string().into()));
        });
        add(&|delivery| {
            delivery.settings.limit = length - excess;
            for length in [0, length, 1] {
                delivery.headers.push((b"Content-Length".into(), length.to_string().into()));
            }
        });
    }
    // A secret that ends now, or a moment later.
    for moment in [0, 1] {
        add(&|delivery| {
            let until = Some(delivery.settings.now + moment);
            let old = delivery.settings.secrets[0].secret.clone();
            delivery.settings.secrets = vec![
                Accepted { secret: b"new".into(), until: None },
                Accepted { secret: old, until },
            ];
        });
    }
    // Half a second before the epoch is in second -1.
    for tolerance in [0, 1] {
        add(&|delivery| {
            delivery.settings.now = -SECOND / 2;
            delivery.settings.tolerance = tolerance * SECOND;
            delivery.timestamp = b"0".into();
            sign(delivery, "push");
        });
    }
    variants
}

fn sign(delivery: &mut Delivery, event_type: &str) {
    let message = [&*delivery.timestamp, b".", &*delivery.body].concat();
    let digits = oracle::hex(&oracle::mac(&delivery.settings.secrets[0].secret, &message));
    let value = [b"t=", &*delivery.timestamp, b",sha256=", digits.as_bytes()].concat();
    delivery.headers =
        vec![(b"x-pierre-signature".into(), value), (b"x-pierre-event".into(), event_type.into())];
}

const STARTED: &str = r#"{"type":"repo.sync.started","repository":{"id":"r","url":"u"},"run_count":1,"is_first_sync":true,"started_at":"2026-03-17T10:00:00Z"}"#;

const BODIES: &[(&str, &str)] = &[
    ("ping", r#"{"type":"push","type":"x"}"#),
    ("ping", r#"{"type":"x","type":"push"}"#),
    ("ping", r#"{"type":5,"ty\u0070e":"\u0070ush"}"#),
    ("ping", r#"{"type":"push","type":"repo.sync.failed"}"#),
    ("ping", r#"{"type":["push"],"x":{"type":"push"}}"#),
    ("ping", r#"[{"type":"push"}]"#),
    ("ping", r#"{"\ud800":{},"type":"\udc00"}"#),
    ("push", r#"{"type":"\ud800"}"#),
    ("push", r#"{"type":"a b"}"#),
    (
        "push",
        r#"{"\u0074ype":null,"repository":{"id":"r","url":"u","repo_name":null},"org":null,"ref":"refs/heads/","before":"","after":"0","customer_id":"c","pushed_at":"2024-01-20T10:30:00Z"}"#,
    ),
    (
        "push",
        r#"{"repository":{"id":"r","url":"u"},"ref":"HEAD","before":"0","after":"","customer_id":"","pushed_at":"2024-01-20T10:30:00Z","x":{"\ud800":1e999}}"#,
    ),
    (
        "push",
        r#"{"repository":{"id":"r","url":"u"},"ref":"refs/tags/v1","before":"\ud83d\ude00","after":"\u0000","customer_id":"","pushed_at":"2024-01-20T10:30:00Z","\ud800":0}"#,
    ),
    (
        "repo.sync.started",
        r#"{"type":"repo.sync.started","repository":{"id":"r","url":"u"},"is_first_sync":false,"started_at":"2026-03-17T10:00:00Z","org":5}"#,
    ),
    ("repo.sync.started", r#"{"type":"repo.sync.started","run_count":1e999}"#),
    (
        "repo.sync.started",
        r#"["repo.sync.started",{"id":"r","url":"u"},1,true,"2026-03-17T10:00:00Z"]"#,
    ),
];

const TIMES: &[&str] = &[
    "2026-03-17T10:00:00.123456789-00:00",
    "0000-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59Z",
    "2024-02-29t23:59:60z",
    "2024-01-20 10:30:00Z",
    "20240120T1030Z",
    "2024-01-20T10:30:00+25:00",
    "2024-01-20T10:30:00Z[UTC]",
    "2024-01-20T10:30:00.1234567891Z",
];
