//! 3-D Secure: the mock bank approves, refuses, or is left alone.

use serde_json::{Value, json};

use crate::bench::{Bench, Page, id};

const ASKING: &[&str] = &["4000002500003155", "4000000000003220"];

/// Opens a page, types the card, and follows the browser to the bank.
async fn at_the_bank(bench: &Bench, card: &str) -> (Value, Page) {
    let session = bench.open_session().await;
    let page = bench.browse(session["url"].as_str().expect("an address")).await;
    let location = bench.type_card(&page, card, "12/34", "123").await;
    assert!(location.contains("/c/challenge/pi_"), "{location}");
    (session, bench.browse(&location).await)
}

async fn answer(bench: &Bench, bank: &Page, code: &str, answer: &str) -> String {
    let form =
        [("token", bank.value("token")), ("bank-code", code.to_owned()), ("answer", answer.to_owned())];
    bench.submit(bank, &form).await
}

#[tokio::test]
async fn approving_with_the_printed_code_pays() {
    let bench = Bench::start().await;
    for card in ASKING {
        let (session, bank) = at_the_bank(&bench, card).await;
        let waiting = bench.session(&session).await;
        assert_eq!(
            (waiting["status"].as_str(), waiting["payment_intent"]["status"].as_str()),
            (Some("open"), Some("requires_action"))
        );
        assert_eq!(waiting["payment_intent"]["next_action"]["redirect_to_url"]["url"], bank.address);
        assert_eq!(bank.texts("button"), ["Approve", "Refuse"]);
        assert_eq!(bank.texts(".links a"), ["Do nothing"]);
        assert_eq!(bank.attribute("input#bank-code", "autocomplete").as_deref(), Some("one-time-code"));
        let code = bank.texts(".digits").remove(0);
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");

        let wrong = if code == "000000" { "111111" } else { "000000" };
        let location = answer(&bench, &bank, wrong, "approve").await;
        assert_eq!(location, bank.address);
        let bank = bench.browse(&location).await;
        assert_eq!(bank.texts("#bank-code-why"), ["Type the 6 digits that are shown above"]);
        assert_eq!(bench.session(&session).await["payment_intent"]["status"], "requires_action");

        let location = answer(&bench, &bank, &code, "approve").await;
        assert_eq!(location, format!("http://127.0.0.1:9/return?session={}", id(&session)));
        let paid = bench.session(&session).await;
        assert_eq!(paid["status"], "complete");
        let card = &paid["payment_intent"]["latest_charge"]["payment_method_details"]["card"];
        assert_eq!(card["three_d_secure"]["result"], "authenticated");
        let again = answer(&bench, &bank, &code, "approve").await;
        assert_eq!(again, location, "a second press leads where the first one led");
    }
    let books = bench.sandbox.books().expect("books");
    assert_eq!((books.charges, books.charges_succeeded), (2, 2));
}

#[tokio::test]
async fn refusing_leaves_the_page_open_for_another_card() {
    let bench = Bench::start().await;
    let (session, bank) = at_the_bank(&bench, ASKING[0]).await;
    let location = answer(&bench, &bank, "", "refuse").await;
    let page = bench.browse(&location).await;
    assert_eq!(page.texts(".error h2"), ["The payment did not go through"]);
    let now = bench.session(&session).await;
    assert_eq!(now["status"], "open");
    let intent = &now["payment_intent"];
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(intent["last_payment_error"]["code"], "payment_intent_authentication_failure");
    assert_eq!(intent["latest_charge"], json!(null), "the bank was never asked for money");
    let location = bench.type_card(&page, "4242424242424242", "12/34", "123").await;
    assert!(location.starts_with("http://127.0.0.1:9/return"));
    assert_eq!(
        bench.event_types().await,
        [
            "payment_intent.created",
            "payment_intent.requires_action",
            "payment_intent.payment_failed",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
        ]
    );
}

#[tokio::test]
async fn doing_nothing_leaves_everything_as_it_is_until_the_session_ends() {
    let bench = Bench::start().await;
    let (session, bank) = at_the_bank(&bench, ASKING[1]).await;
    let back = bank.attribute(".links a", "href").expect("an address");
    let page = bench.browse(&bench.url(&back)).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.attribute(".note a", "href"), Some(bank.address.replace(&bench.base_url, "")));
    assert_eq!(bench.session(&session).await["payment_intent"]["status"], "requires_action");
    let expired = bench
        .post(&format!("/v1/checkout/sessions/{}/expire", id(&session)), &[("expand[]", "payment_intent")])
        .await
        .ok();
    assert_eq!(
        (expired["status"].as_str(), expired["payment_intent"]["status"].as_str()),
        (Some("expired"), Some("canceled"))
    );
    let code = bank.texts(".digits").remove(0);
    let location = answer(&bench, &bank, &code, "approve").await;
    assert_eq!(bench.browse(&location).await.texts("h1"), ["This page has expired"]);
    assert_eq!(bench.sandbox.books().expect("books").charges, 0);
}

#[tokio::test]
async fn a_bank_may_approve_and_the_card_still_be_declined() {
    let bench = Bench::start().await;
    let (session, bank) = at_the_bank(&bench, "4000008400001629").await;
    let code = bank.texts(".digits").remove(0);
    let location = answer(&bench, &bank, &code, "approve").await;
    assert_eq!(bench.browse(&location).await.texts(".error h2"), ["The payment did not go through"]);
    let now = bench.session(&session).await;
    assert_eq!(now["status"], "open");
    assert_eq!(now["payment_intent"]["last_payment_error"]["code"], "card_declined");
}
