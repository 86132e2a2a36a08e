use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::UNIX_EPOCH,
};

use super::*;
use crate::headers::{EVENT_HEADER, SIGNATURE_HEADER};

const NOW: u64 = 1_790_000_000;

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap()
}

fn verifier() -> Verifier {
    Verifier::new(secret("s")).clock(|| at(NOW))
}

/// Verifies a body signed at this time, and checks that all three functions agree.
fn signed_at(verifier: &Verifier, timestamp: u64) -> Result<u64, Error> {
    let signature = secret("s").sign(timestamp, b"1");
    let outcome = verifier.verify_signature(&signature, b"1");
    let headers =
        DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")]).unwrap();
    let whole = verifier.verify(&headers, "1".into());
    let streamed = verifier.begin(&headers).and_then(|mut pending| {
        pending.push("1".into())?;
        pending.finish()
    });
    assert_eq!(whole.map(|delivery| delivery.signed_at), outcome);
    assert_eq!(streamed.map(|delivery| delivery.signed_at), outcome);
    outcome
}

#[test]
fn both_ends_of_the_window_are_inclusive() {
    let verifier = verifier();
    for timestamp in [NOW - 300, NOW, NOW + 60] {
        assert_eq!(signed_at(&verifier, timestamp), Ok(timestamp));
    }
    assert_eq!(signed_at(&verifier, NOW - 301), Err(Error::TimestampTooOld { age: 301 }));
    assert_eq!(signed_at(&verifier, 0), Err(Error::TimestampTooOld { age: NOW }));
    assert_eq!(signed_at(&verifier, NOW + 61), Err(Error::TimestampInFuture));
    assert_eq!(signed_at(&verifier, i64::MAX as u64), Err(Error::TimestampInFuture));
}

#[test]
fn a_window_of_zero_seconds_does_not_disable_the_check() {
    let verifier = verifier().max_age(Duration::ZERO).future_tolerance(Duration::ZERO);
    assert_eq!(signed_at(&verifier, NOW), Ok(NOW));
    assert_eq!(signed_at(&verifier, NOW - 1), Err(Error::TimestampTooOld { age: 1 }));
    assert_eq!(signed_at(&verifier, NOW + 1), Err(Error::TimestampInFuture));
}

#[test]
fn extreme_settings_do_not_overflow() {
    let verifier = verifier().max_age(Duration::MAX).future_tolerance(Duration::MAX);
    for timestamp in [0, NOW, i64::MAX as u64] {
        assert_eq!(signed_at(&verifier, timestamp), Ok(timestamp));
    }
}

#[test]
fn any_age_disables_both_checks_and_max_age_enables_them_again() {
    let verifier = verifier().any_age();
    assert_eq!(signed_at(&verifier, 0), Ok(0));
    assert_eq!(signed_at(&verifier, i64::MAX as u64), Ok(i64::MAX as u64));
    let verifier = verifier.max_age(Duration::from_secs(1));
    assert_eq!(signed_at(&verifier, 0), Err(Error::TimestampTooOld { age: NOW }));
}

#[test]
fn the_clock_is_rounded_down_before_the_epoch_too() {
    let half = Duration::from_millis(500);
    let late = Verifier::new(secret("s")).clock(move || at(NOW) + half).max_age(Duration::ZERO);
    assert_eq!(signed_at(&late, NOW), Ok(NOW));
    // Half a second before the epoch is second -1, which is 1 second before 0.
    let early = Verifier::new(secret("s")).clock(move || UNIX_EPOCH - half);
    assert_eq!(signed_at(&early.clone().future_tolerance(Duration::from_secs(1)), 0), Ok(0));
    assert_eq!(
        signed_at(&early.future_tolerance(Duration::ZERO), 0),
        Err(Error::TimestampInFuture)
    );
}

#[test]
fn a_clock_a_whole_second_before_the_epoch_is_not_rounded_further() {
    let second = Duration::from_secs(1);
    let early = Verifier::new(secret("s")).clock(move || UNIX_EPOCH - second);
    assert_eq!(signed_at(&early.future_tolerance(second), 0), Ok(0));
}

#[test]
fn the_clock_is_read_once_and_again_when_the_body_is_complete() {
    let reads = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&reads);
    let verifier =
        Verifier::new(secret("s")).or_secret_until(secret("t"), at(NOW)).clock(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            at(NOW)
        });
    signed_at(&verifier, NOW).unwrap();
    assert_eq!(reads.load(Ordering::Relaxed), 4, "verify_signature, verify, begin, finish");
}

/// Verifies a delivery whose headers are checked at one time and whose body is complete at another.
fn held_open(
    verifier: Verifier,
    signature: &str,
    [head, end]: [u64; 2],
) -> Result<(u64, usize), Error> {
    let now = Arc::new(AtomicU64::new(head));
    let clock = Arc::clone(&now);
    let verifier = verifier.clock(move || at(clock.load(Ordering::Relaxed)));
    let headers = [(SIGNATURE_HEADER, signature), (EVENT_HEADER, "ping")];
    let mut pending = verifier.begin(&DeliveryHeaders::parse(headers)?)?;
    pending.push("1".into())?;
    now.store(end, Ordering::Relaxed);
    pending.finish().map(|delivery| (delivery.signed_at, delivery.matched_secret))
}

#[test]
fn a_delivery_that_is_too_old_when_its_body_is_complete_is_rejected() {
    let signature = secret("s").sign(NOW, b"1");
    let held_until = |end| held_open(verifier(), &signature, [NOW, end]);
    assert_eq!(held_until(NOW + 300), Ok((NOW, 0)));
    assert_eq!(held_until(NOW + 301), Err(Error::TimestampTooOld { age: 301 }));
    let seven_days = 7 * 86_400;
    assert_eq!(held_until(NOW + seven_days), Err(Error::TimestampTooOld { age: seven_days }));
}

#[test]
fn the_age_of_a_complete_body_is_checked_before_its_signature() {
    let forged = secret("other").sign(NOW, b"1");
    let late = held_open(verifier(), &forged, [NOW, NOW + 301]);
    assert_eq!(late, Err(Error::TimestampTooOld { age: 301 }));
    let in_time = held_open(verifier(), &forged, [NOW, NOW + 300]);
    assert_eq!(in_time, Err(Error::InvalidSignature));
}

#[test]
fn future_tolerance_is_checked_only_at_the_head_so_a_clock_set_back_rejects_nothing() {
    let signature = secret("s").sign(NOW, b"1");
    assert_eq!(held_open(verifier(), &signature, [NOW, NOW - 3600]), Ok((NOW, 0)));
    let early = held_open(verifier(), &signature, [NOW - 61, NOW]);
    assert_eq!(early, Err(Error::TimestampInFuture));
}

#[test]
fn with_any_age_a_body_may_take_any_time() {
    let signature = secret("s").sign(NOW, b"1");
    let held = held_open(verifier().any_age(), &signature, [NOW, NOW + 86_400]);
    assert_eq!(held, Ok((NOW, 0)));
}

#[test]
fn a_secret_that_expires_while_the_body_arrives_no_longer_counts() {
    let rotating = || {
        Verifier::new(secret("new"))
            .or_secret_until(secret("old"), at(NOW + 10))
            .or_secret_until(secret("older"), at(NOW + 20))
    };
    let held_until =
        |signer, end| held_open(rotating(), &secret(signer).sign(NOW, b"1"), [NOW, end]);
    assert_eq!(held_until("old", NOW + 9), Ok((NOW, 1)));
    assert_eq!(held_until("old", NOW + 10), Err(Error::InvalidSignature));
    assert_eq!(held_until("older", NOW + 10), Ok((NOW, 2)));
    assert_eq!(held_until("older", NOW + 20), Err(Error::InvalidSignature));
    assert_eq!(held_until("new", NOW + 20), Ok((NOW, 0)));
}

#[test]
fn a_secret_that_had_expired_at_the_head_does_not_count_if_the_clock_is_set_back() {
    let rotating = Verifier::new(secret("new")).or_secret_until(secret("old"), at(NOW));
    let held = held_open(rotating, &secret("old").sign(NOW, b"1"), [NOW, NOW - 1]);
    assert_eq!(held, Err(Error::InvalidSignature));
}

#[test]
fn a_delivery_names_the_tenant_of_its_verifier() {
    let signature = secret("s").sign(NOW, b"1");
    let headers =
        DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")]).unwrap();
    for tenant in [None, Some("acme")] {
        let verifier = tenant.map_or_else(verifier, |name| verifier().tenant(name));
        assert_eq!(verifier.tenant_name().map(|name| &**name), tenant);
        let whole = verifier.verify(&headers, "1".into()).unwrap();
        let mut pending = verifier.begin(&headers).unwrap();
        assert_eq!(pending.tenant_name().map(|name| &**name), tenant);
        pending.push("1".into()).unwrap();
        assert_eq!(whole.tenant.as_deref(), tenant);
        assert_eq!(pending.finish(), Ok(whole));
    }
}

/// Returns the index of the secret that matches, under a clock that reads `now`.
fn matched(verifier: Verifier, signer: &str, now: SystemTime) -> Result<usize, Error> {
    let verifier = verifier.any_age().clock(move || now);
    let signature = secret(signer).sign(NOW, b"1");
    let headers =
        DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")]).unwrap();
    let whole = verifier.verify(&headers, "1".into()).map(|delivery| delivery.matched_secret);
    let mut pending = verifier.begin(&headers).unwrap();
    pending.push("1".into()).unwrap();
    assert_eq!(pending.finish().map(|delivery| delivery.matched_secret), whole);
    whole
}

#[test]
fn a_previous_secret_is_accepted_until_it_expires() {
    let rotating = || {
        Verifier::new(secret("new"))
            .or_secret_until(secret("old"), at(NOW))
            .or_secret(secret("older"))
    };
    let before = at(NOW) - Duration::from_nanos(1);
    assert_eq!(matched(rotating(), "new", before), Ok(0));
    assert_eq!(matched(rotating(), "old", before), Ok(1));
    assert_eq!(matched(rotating(), "old", at(NOW)), Err(Error::InvalidSignature));
    assert_eq!(matched(rotating(), "older", at(NOW)), Ok(2), "expired ones keep their index");
}

#[test]
fn the_lowest_index_that_matches_is_returned() {
    let twice = Verifier::new(secret("a")).or_secret(secret("b")).or_secret(secret("b"));
    assert_eq!(matched(twice, "b", at(NOW)), Ok(1));
}

#[test]
fn one_of_several_signatures_is_enough() {
    let [old, new] = ["old", "new"].map(|signer| secret(signer).sign(NOW, b"1"));
    let both = format!("{old},{}", new.split_once(',').unwrap().1);
    let under = |text| Verifier::new(secret(text)).any_age().verify_signature(&both, b"1");
    assert_eq!(under("old"), Ok(NOW));
    assert_eq!(under("new"), Ok(NOW));
    assert_eq!(under("other"), Err(Error::InvalidSignature));
}

#[test]
fn a_valid_signature_given_twice_is_accepted() {
    let signature = secret("s").sign(NOW, b"1");
    let twice = format!("{signature},{}", signature.split_once(',').unwrap().1);
    assert_eq!(verifier().verify_signature(&twice, b"1"), Ok(NOW));
}

#[test]
fn a_body_of_exactly_the_limit_passes_declared_and_received() {
    let signature = secret("s").sign(NOW, b"1234");
    let begin = |limit, length: &str| {
        let headers =
            [(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping"), ("content-length", length)];
        verifier().body_limit(limit).begin(&DeliveryHeaders::parse(headers)?).map(drop)
    };
    assert_eq!(begin(4, "4"), Ok(()));
    assert_eq!(begin(4, "5"), Err(Error::BodyTooLarge { limit: 4 }));
    assert_eq!(begin(usize::MAX, "18446744073709551615"), Ok(()));
    assert_eq!(
        begin(usize::MAX, "18446744073709551616"),
        Err(Error::BodyTooLarge { limit: usize::MAX })
    );
    let body = |limit| verifier().body_limit(limit).verify_signature(&signature, b"1234");
    assert_eq!(body(4), Ok(NOW));
    assert_eq!(body(3), Err(Error::BodyTooLarge { limit: 3 }));
}

#[test]
fn a_malformed_mac_is_rejected_after_the_declared_length_and_before_the_body() {
    let outcome = |length: &str, body: &'static str| {
        let headers = DeliveryHeaders::parse([
            (SIGNATURE_HEADER, "t=1790000000,sha256=zz"),
            (EVENT_HEADER, "ping"),
            ("content-length", length),
        ])?;
        let verifier = verifier().body_limit(1);
        let begun = verifier.begin(&headers).map(drop);
        assert_eq!(verifier.verify(&headers, body.into()).map(drop), begun);
        begun
    };
    assert_eq!(outcome("2", ""), Err(Error::BodyTooLarge { limit: 1 }));
    assert_eq!(outcome("1", "too large"), Err(Error::InvalidSignature));
    assert_eq!(
        verifier().body_limit(1).verify_signature("t=1790000000,sha256=zz", b"too large"),
        Err(Error::InvalidSignature)
    );
}

#[test]
fn verify_signature_rejects_a_blank_or_invisible_value_as_a_wrong_format() {
    for value in ["", " \t", "t=1790000000,sha256=é"] {
        assert_eq!(verifier().verify_signature(value, b""), Err(Error::InvalidSignatureHeader));
    }
}

#[test]
fn debug_prints_no_secret_and_no_signature() {
    let verifier = verifier().or_secret(secret("whsec_other"));
    let signature = secret("s").sign(NOW, b"1");
    let headers =
        DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")]).unwrap();
    let pending = verifier.begin(&headers).unwrap();
    let mac = signature.split_once("sha256=").unwrap().1;
    let debug = format!("{verifier:?} {headers:?} {pending:?} {:?}", secret("whsec_other"));
    assert!(!debug.contains("whsec") && !debug.contains(mac), "{debug}");
}
