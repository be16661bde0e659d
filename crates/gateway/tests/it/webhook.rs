//! Which webhooks are believed. The signature of the first vector was computed with OpenSSL, not with our code.

use crate::support::at;
use data_encoding::HEXLOWER;
use gateway::stripe::{TOLERANCE_SECONDS, WebhookError, verify};
use gateway::{EventKind, ProcessorEvent, SecretText};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;

const BODY: &str = r#"{"id":"evt_1","object":"event","type":"checkout.session.completed","created":1700000000,"livemode":false,"data":{"object":{"id":"cs_test_a1","object":"checkout.session","payment_intent":"pi_1","metadata":{"paydown_attempt":"att_00"}}}}"#;
const OLD_SECRET: &str = "whsec_old";
const NEW_SECRET: &str = "whsec_new";
const SIGNED_AT: i64 = 1_700_000_000;

fn sign(secret: &str, time: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.").as_bytes());
    mac.update(body);
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

fn header(secret: &str) -> String {
    format!("t={SIGNED_AT},v1={}", sign(secret, &SIGNED_AT.to_string(), BODY.as_bytes()))
}

fn check_at(header: &str, body: &str, now: i64) -> Result<ProcessorEvent, WebhookError> {
    let secrets = [SecretText::from(NEW_SECRET), SecretText::from(OLD_SECRET)];
    verify(body.as_bytes(), header, &secrets, at(now))
}

fn check(header: &str) -> Result<ProcessorEvent, WebhookError> {
    check_at(header, BODY, SIGNED_AT)
}

#[test]
fn a_signature_made_elsewhere_holds() {
    const BY_OPENSSL: &str = "33e4ad60f4e3cba1f163759a554e53a61c56659a0891b2c805edd99b775f3d1e";
    let event = check(&format!("t={SIGNED_AT},v1={BY_OPENSSL}")).unwrap();
    assert_eq!((event.id.as_str(), event.live), ("evt_1", false));
    assert_eq!(event.kind, EventKind::Payment("checkout.session.completed"));
    assert_eq!(event.created_at, at(SIGNED_AT));
    assert_eq!(
        (event.session_id.as_deref(), event.payment_intent_id.as_deref()),
        (Some("cs_test_a1"), Some("pi_1"))
    );
    assert_eq!(event.attempt, None, "a malformed id is passed over, not refused");
}

#[test]
fn both_active_secrets_are_good_and_no_other() {
    assert!(check(&header(NEW_SECRET)).is_ok());
    assert!(check(&header(OLD_SECRET)).is_ok());
    assert_eq!(check(&header("whsec_other")), Err(WebhookError::BadSignature));
    assert_eq!(
        verify(BODY.as_bytes(), &header(NEW_SECRET), &[], at(SIGNED_AT)),
        Err(WebhookError::BadSignature)
    );
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let good = sign(NEW_SECRET, &SIGNED_AT.to_string(), BODY.as_bytes());
    let bad = "0".repeat(64);
    assert!(check(&format!("t={SIGNED_AT},v1={bad},v1={good},v0={bad}")).is_ok());
    assert!(check(&format!("v1={good}, t={SIGNED_AT}")).is_ok(), "in any order");
    assert_eq!(check(&format!("t={SIGNED_AT},v1={bad},v1={bad}")), Err(WebhookError::BadSignature));
    assert_eq!(
        check(&format!("t={SIGNED_AT},v0={good}")),
        Err(WebhookError::BadSignature),
        "v0 is for tests"
    );
    assert_eq!(check(&format!("t={SIGNED_AT},v1={}", &good[..63])), Err(WebhookError::BadSignature));
    let many = format!("v1={good},").repeat(17);
    assert_eq!(check(&format!("{many}t={SIGNED_AT}")), Err(WebhookError::Malformed));
}

#[test]
fn a_byte_more_less_or_other_is_noticed() {
    let header = header(NEW_SECRET);
    for body in [BODY.replace("evt_1", "evt_2"), format!("{BODY} "), BODY[1..].to_owned(), String::new()] {
        assert_eq!(check_at(&header, &body, SIGNED_AT), Err(WebhookError::BadSignature));
    }
    let other_time = header.replace(&SIGNED_AT.to_string(), &(SIGNED_AT + 1).to_string());
    assert_eq!(check(&other_time), Err(WebhookError::BadSignature), "the time is signed too");
}

#[test]
fn old_and_future_ones_are_refused_at_the_second() {
    let header = header(NEW_SECRET);
    for age_seconds in [TOLERANCE_SECONDS, -TOLERANCE_SECONDS, 0] {
        assert!(check_at(&header, BODY, SIGNED_AT + age_seconds).is_ok(), "{age_seconds}");
    }
    for age_seconds in [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1, 86_400] {
        let refused = check_at(&header, BODY, SIGNED_AT + age_seconds);
        assert_eq!(refused, Err(WebhookError::OutOfTime { age_seconds }));
    }
}

#[test]
fn a_malformed_header_is_called_so() {
    let good = sign(NEW_SECRET, &SIGNED_AT.to_string(), BODY.as_bytes());
    for header in [
        "".to_owned(),
        "garbage".to_owned(),
        format!("v1={good}"),
        format!("t=,v1={good}"),
        format!("t=+{SIGNED_AT},v1={good}"),
        format!("t=-1,v1={good}"),
        format!("t=soon,v1={good}"),
        format!("t={SIGNED_AT},t={SIGNED_AT},v1={good}"),
        format!("t=99999999999999999999,v1={good}"),
        format!("t={SIGNED_AT},v1={good},{}", "x=y,".repeat(2_000)),
    ] {
        assert_eq!(check(&header), Err(WebhookError::Malformed), "{header:.80}");
    }
}

#[test]
fn a_well_signed_body_may_still_be_no_event() {
    for body in
        ["", "{}", "[]", r#"{"id":1}"#, r#"{"id":"evt_1","type":"x","created":0,"livemode":false}"#, "\u{0}"]
    {
        let header =
            format!("t={SIGNED_AT},v1={}", sign(NEW_SECRET, &SIGNED_AT.to_string(), body.as_bytes()));
        let refused = check_at(&header, body, SIGNED_AT);
        assert!(matches!(refused, Err(WebhookError::Unreadable(_))), "{body}: {refused:?}");
    }
}

proptest! {
    #[test]
    fn no_header_and_no_body_makes_it_panic(header in ".{0,200}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(verify(&body, &header, &[SecretText::from(NEW_SECRET)], at(SIGNED_AT)).is_err());
    }

    #[test]
    fn nothing_that_looks_like_a_header_is_believed(
        parts in proptest::collection::vec(("(t|v1|v0| t|)", "[0-9a-f=-]{0,70}"), 0..6),
    ) {
        let header: Vec<String> = parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        prop_assert!(check(&header.join(",")).is_err());
    }

    #[test]
    fn any_signed_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300), second in 0..i64::MAX) {
        let header = format!("t={SIGNED_AT},v1={}", sign(NEW_SECRET, &SIGNED_AT.to_string(), &body));
        let now = at(second % 253_402_207_200);
        prop_assert!(verify(&body, &header, &[SecretText::from(NEW_SECRET)], now).is_err());
    }
}
