//! Verifying an account by small deposits, by API and on the page.

use serde_json::{Value, json};

use crate::bench::{Bench, Page, id};

const OPTION: (&str, &str) =
    ("payment_method_options[us_bank_account][verification_method]", "microdeposits");

async fn waiting(bench: &Bench, account: &str) -> (Value, String) {
    let session = bench.open_session_for(&["us_bank_account"], &[OPTION]).await;
    bench.pay(&session, json!({ "account": account })).await;
    let session = bench.session(&session).await;
    let path = format!("/v1/payment_intents/{}", id(&session["payment_intent"]));
    (session, path)
}

async fn verification_page(bench: &Bench, session: &Value) -> Page {
    let action = &session["payment_intent"]["next_action"]["verify_with_microdeposits"];
    bench.browse(action["hosted_verification_url"].as_str().expect("an address")).await
}

async fn answer(bench: &Bench, page: &Page, first: &str, second: &str, code: &str) -> Page {
    let form = [
        ("token", page.value("token")),
        ("first-amount", first.to_owned()),
        ("second-amount", second.to_owned()),
        ("descriptor-code", code.to_owned()),
    ];
    let location = bench.submit(page, &form).await;
    bench.browse(&location).await
}

#[tokio::test]
async fn nothing_is_debited_before_the_account_is_verified() {
    let bench = Bench::start().await;
    let (session, path) = waiting(&bench, "000123456789").await;
    assert_eq!(
        (session["status"].as_str(), session["payment_status"].as_str()),
        (Some("complete"), Some("unpaid"))
    );
    let intent = &session["payment_intent"];
    assert_eq!(intent["status"], "requires_action");
    let action = &intent["next_action"];
    assert_eq!(action["type"], "verify_with_microdeposits");
    assert_eq!(action["verify_with_microdeposits"]["microdeposit_type"], "amounts");
    assert_eq!(intent["latest_charge"], json!(null));
    bench.advance_days(1).await;
    let wrong = [("amounts[]", "1"), ("amounts[]", "2")];
    let error = bench.post(&format!("{path}/verify_microdeposits"), &wrong).await.refused(400);
    assert_eq!(error["code"], "payment_method_microdeposit_verification_amounts_mismatch");
    let right = [("amounts[]", "45"), ("amounts[]", "32")];
    let verified = bench.post(&format!("{path}/verify_microdeposits"), &right).await.ok();
    assert_eq!(verified["status"], "processing");
    bench.advance_days(6).await;
    assert_eq!(bench.session(&session).await["payment_status"], "paid");
    bench.assert_books();
}

#[tokio::test]
async fn the_page_says_what_is_wrong_and_how_it_ended() {
    let bench = Bench::start().await;
    let (session, path) = waiting(&bench, "000123456789").await;
    let page = verification_page(&bench, &session).await;
    assert!(page.texts(".text")[0].contains("ending 6789 by 23 November 2026"), "{:?}", page.texts(".text"));
    let page = answer(&bench, &page, "", "", "").await;
    assert_eq!(page.texts(".error li"), ["Enter both amounts in cents, or the code"]);
    let page = answer(&bench, &page, "1", "2", "").await;
    assert_eq!(page.texts(".error li"), ["That is not what we sent. You have 2 tries left"]);
    let page = answer(&bench, &page, "", "", "SM99ZZ").await;
    assert_eq!(page.texts(".error li"), ["That is not what we sent. You have 1 try left"]);
    let stale = Page {
        html: page.html.clone(),
        address: page.address.clone(),
        status: page.status,
        headers: page.headers.clone(),
    };
    let ended = answer(&bench, &page, "3", "4", "").await;
    assert_eq!(ended.texts("h1"), ["Too many tries"]);
    let again = answer(&bench, &stale, "32", "45", "").await;
    assert_eq!(again.texts("h1"), ["Too many tries"], "a page that was sent before changes nothing");
    let intent = bench.get(&path).await.ok();
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(
        intent["last_payment_error"]["code"],
        "payment_method_microdeposit_verification_attempts_exceeded"
    );
    bench.last_event("checkout.session.async_payment_failed").await;

    let (session, _) = waiting(&bench, "000123456789").await;
    let page = verification_page(&bench, &session).await;
    let done = answer(&bench, &page, "", "", "sm11aa").await;
    assert_eq!(done.texts("h1"), ["Your account is verified"]);
}

#[tokio::test]
async fn it_is_too_late_after_ten_days_and_published_answers_say_so_at_once() {
    let bench = Bench::start().await;
    let (session, path) = waiting(&bench, "000123456789").await;
    bench.advance_days(10).await;
    let intent = bench.get(&path).await.ok();
    assert_eq!(intent["last_payment_error"]["code"], "payment_method_microdeposit_verification_timeout");
    let page = bench.browse(&bench.url(&format!("/c/verify/{}", id(&session["payment_intent"])))).await;
    assert_eq!(page.texts("h1"), ["You ran out of time"]);
    for (code, expected) in [("SM33CC", "attempts_exceeded"), ("SM44DD", "timeout")] {
        let (_, path) = waiting(&bench, "000123456789").await;
        let answer = [("descriptor_code", code)];
        let error = bench.post(&format!("{path}/verify_microdeposits"), &answer).await.refused(400);
        assert_eq!(error["code"], format!("payment_method_microdeposit_verification_{expected}"));
    }
    let (_, path) = waiting(&bench, "000666666661").await;
    bench.advance_days(1).await;
    let intent = bench.get(&path).await.ok();
    assert_eq!(intent["last_payment_error"]["code"], "payment_method_microdeposit_failed");
    bench.assert_books();
}
