//! The hosted page in a payer's browser: every test card, what it refuses, and that it takes money once.

use serde_json::json;

use crate::bench::{Bench, Page, id, session_form};

const SUCCEEDING: &[(&str, &str, &str, &str, &str)] = &[
    ("4242 4242 4242 4242", "123", "visa", "4242", "credit"),
    ("5555555555554444", "123", "mastercard", "4444", "credit"),
    ("3782 822463 10005", "1234", "amex", "0005", "credit"),
    ("6011111111111117", "123", "discover", "1117", "credit"),
    ("3056930009020004", "123", "diners", "0004", "credit"),
    ("3566002020360505", "123", "jcb", "0505", "credit"),
    ("4000-0566-5566-5556", "123", "visa", "5556", "debit"),
];

const DECLINED: &[(&str, &str, &str)] = &[
    ("4000000000000002", "card_declined", "generic_decline"),
    ("4000000000009995", "card_declined", "insufficient_funds"),
    ("4000000000009987", "card_declined", "lost_card"),
    ("4000000000009979", "card_declined", "stolen_card"),
    ("4000000000000069", "expired_card", "expired_card"),
    ("4000000000000127", "incorrect_cvc", "incorrect_cvc"),
    ("4000000000000119", "processing_error", "processing_error"),
    ("4000000000006975", "card_declined", "card_velocity_exceeded"),
];

async fn open_page(bench: &Bench) -> (serde_json::Value, Page) {
    let session = bench.open_session().await;
    let page = bench.browse(session["url"].as_str().expect("an address")).await;
    (session, page)
}

#[tokio::test]
async fn the_page_says_what_it_is_and_guards_itself() {
    let bench = Bench::start().await;
    let (_, page) = open_page(&bench).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.texts("h1"), ["Invoice INV-1042, Northwind IT"]);
    assert_eq!(page.texts(".practice span"), ["Practice page. No real money moves. Test cards only."]);
    assert_eq!(page.texts("button"), ["Pay $500.00"]);
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("en"));
    for (name, purpose) in
        [("card-number", "cc-number"), ("expiry", "cc-exp"), ("code", "cc-csc"), ("name", "cc-name")]
    {
        assert_eq!(page.attribute(&format!("input#{name}"), "autocomplete").as_deref(), Some(purpose));
        assert_eq!(page.texts(&format!("label[for='{name}']")).len(), 1);
    }
    assert_eq!(page.attribute(".links a", "href").as_deref(), Some("http://127.0.0.1:9/cancel"));
    let header = |name: &str| page.headers[name].to_str().expect("a text").to_owned();
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("x-robots-tag"), "noindex, nofollow");
    assert_eq!(
        header("content-security-policy"),
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' http://127.0.0.1:9; frame-ancestors 'none'; base-uri 'none'"
    );
    assert!(
        !page.html.contains("<script") && !page.html.contains("style="),
        "nothing that the policy forbids"
    );
    let style = bench.browse(&bench.url("/assets/sandbox.css")).await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert_eq!(bench.browse(&bench.url("/c/pay/cs_test_none")).await.status, 404);
}

#[tokio::test]
async fn amounts_read_in_their_currency() {
    let bench = Bench::start().await;
    for (amount, currency, button) in
        [("125000", "usd", "Pay $1,250.00"), ("5000", "jpy", "Pay ¥5,000"), ("1230", "kwd", "Pay KWD 1.230")]
    {
        let session = bench.post("/v1/checkout/sessions", &session_form(amount, currency)).await.ok();
        let page = bench.browse(session["url"].as_str().expect("an address")).await;
        assert_eq!(page.texts("button"), [button]);
    }
}

#[tokio::test]
async fn every_good_card_pays_and_leads_back_to_the_merchant() {
    let bench = Bench::start().await;
    for (number, code, brand, last4, funding) in SUCCEEDING {
        let (session, page) = open_page(&bench).await;
        let location = bench.type_card(&page, number, "12 / 34", code).await;
        assert_eq!(location, format!("http://127.0.0.1:9/return?session={}", id(&session)), "{brand}");
        let paid = bench.session(&session).await;
        assert_eq!(
            (paid["status"].as_str(), paid["payment_status"].as_str()),
            (Some("complete"), Some("paid"))
        );
        assert_eq!(paid["customer_details"]["name"], "Dana Payer");
        let charge = &paid["payment_intent"]["latest_charge"];
        let card = &charge["payment_method_details"]["card"];
        assert_eq!(card["brand"], *brand);
        assert_eq!(card["last4"], *last4);
        assert_eq!(card["funding"], *funding);
        assert_eq!((card["exp_month"].as_i64(), card["exp_year"].as_i64()), (Some(12), Some(2034)));
        assert_eq!(charge["metadata"], json!({ "attempt": "att_1" }));
        let done = bench.browse(&page.address).await;
        assert_eq!(done.texts("h1"), ["This payment is complete"]);
        assert_eq!(done.attribute("main a", "href"), Some(location));
    }
}

#[tokio::test]
async fn every_declined_card_leaves_the_page_open_with_the_reason() {
    let bench = Bench::start().await;
    let (session, mut page) = open_page(&bench).await;
    for (tries, (number, code, decline_code)) in DECLINED.iter().enumerate() {
        let location = bench.type_card(&page, number, "12/34", "123").await;
        assert_eq!(location, page.address);
        page = bench.browse(&location).await;
        let now = bench.session(&session).await;
        assert_eq!((now["status"].as_str(), now["payment_status"].as_str()), (Some("open"), Some("unpaid")));
        let intent = &now["payment_intent"];
        assert_eq!(intent["status"], "requires_payment_method");
        let error = &intent["last_payment_error"];
        assert_eq!((error["type"].as_str(), error["code"].as_str()), (Some("card_error"), Some(*code)));
        assert_eq!(error["decline_code"], *decline_code);
        assert_eq!(error["charge"], intent["latest_charge"]["id"]);
        assert_eq!(intent["latest_charge"]["status"], "failed");
        assert_eq!(intent["latest_charge"]["outcome"]["reason"], *decline_code);
        let message = error["message"].as_str().expect("a text");
        assert!(page.texts(".error p")[0].starts_with(message), "{message}");
        assert!(page.texts("title")[0].starts_with("Error: "));
        assert_eq!(page.value("card-number").replace(' ', ""), *number);
        assert_eq!((page.value("expiry").as_str(), page.value("name").as_str()), ("12/34", "Dana Payer"));
        assert_eq!(page.value("code"), "", "the security code is typed anew");
        let charges = bench.get(&format!("/v1/charges?payment_intent={}", id(intent))).await.ok();
        assert_eq!(crate::bench::items(&charges).len(), tries + 1);
    }
    let location = bench.type_card(&page, "4242424242424242", "12/34", "123").await;
    assert!(location.starts_with("http://127.0.0.1:9/return"));
    let books = bench.sandbox.books().expect("books");
    assert_eq!((books.payment_intents, books.charges, books.charges_succeeded), (1, 9, 1));
}

#[tokio::test]
async fn a_number_that_is_no_test_card_is_refused_and_never_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sandbox.db");
    let bench = Bench::start_with(sandbox::SandboxData::File(file.clone()), None).await;
    let (session, page) = open_page(&bench).await;
    for number in ["4111 1111 1111 1111", "4111111111111111", "4242"] {
        let page = bench.browse(&page.address).await;
        let location = bench.type_card(&page, number, "12/34", "123").await;
        let refused = bench.browse(&location).await;
        assert_eq!(refused.texts("#card-number-why"), ["This is a practice page. Use 4242 4242 4242 4242"]);
        assert_eq!(refused.texts(".error a"), ["This is a practice page. Use 4242 4242 4242 4242"]);
        assert_eq!(refused.attribute("input#card-number", "aria-invalid").as_deref(), Some("true"));
        assert_eq!(
            refused.attribute("input#card-number", "aria-describedby").as_deref(),
            Some("card-number-hint card-number-why")
        );
        assert_eq!(refused.value("card-number"), "");
    }
    assert_eq!(bench.session(&session).await["payment_intent"], json!(null), "no try was made");
    let page = bench.browse(&page.address).await;
    bench.type_card(&page, "4242 4242 4242 4242", "12/34", "123").await;
    bench.sandbox.shutdown().await;
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains("41111111")
                && !text.contains("4111 1111")
                && !text.contains("424242424242")
                && !text.contains("4242 4242")
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field() {
    let bench = Bench::start().await;
    let (session, page) = open_page(&bench).await;
    let table: &[(&str, &str, &str, &str, &str)] = &[
        (
            "",
            "12/34",
            "123",
            "#card-number-why",
            "Enter a card number. This is a practice page. Use 4242 4242 4242 4242",
        ),
        ("4242424242424242", "", "123", "#expiry-why", "Enter the expiry date, as in 12/34"),
        (
            "4242424242424242",
            "13/34",
            "123",
            "#expiry-why",
            "The expiry date must be a month and a year, as in 12/34",
        ),
        ("4242424242424242", "10/26", "123", "#expiry-why", "The expiry date is in the past"),
        ("4242424242424242", "12/34", "", "#code-why", "Enter the security code"),
        (
            "4242424242424242",
            "12/34",
            "1234",
            "#code-why",
            "The security code must be 3 digits, on the back of the card",
        ),
        (
            "378282246310005",
            "12/34",
            "123",
            "#code-why",
            "The security code must be 4 digits, on the front of the card",
        ),
    ];
    for (number, expiry, code, place, message) in table {
        let page = bench.browse(&page.address).await;
        let location = bench.type_card(&page, number, expiry, code).await;
        let refused = bench.browse(&location).await;
        assert_eq!(refused.texts(place), [*message]);
        assert_eq!(refused.texts(".why").len(), 1);
        assert_eq!(refused.value("code"), "");
    }
    assert_eq!(bench.session(&session).await["payment_intent"], json!(null));
}

#[tokio::test]
async fn a_double_press_takes_the_money_once() {
    let bench = Bench::start().await;
    let (session, page) = open_page(&bench).await;
    let presses = (0..8).map(|_| bench.type_card(&page, "4242424242424242", "12/34", "123"));
    let locations = futures::future::join_all(presses).await;
    assert!(locations.iter().all(|location| location == &locations[0]), "{locations:?}");
    assert_eq!(bench.sandbox.books().expect("books").charges, 1);
    assert_eq!(bench.session(&session).await["status"], "complete");

    let (_, page) = open_page(&bench).await;
    let presses = (0..8).map(|_| bench.type_card(&page, "4000000000000002", "12/34", "123"));
    futures::future::join_all(presses).await;
    assert_eq!(bench.sandbox.books().expect("books").charges, 2, "a declined try is made once too");
}

#[tokio::test]
async fn a_running_charge_cannot_be_expired_and_the_payer_waits_for_it() {
    let bench = Bench::start().await;
    let (session, page) = open_page(&bench).await;
    bench
        .control("/faults", json!({ "route": "POST /c/pay/{id}", "fault": "slow", "delay_ms": 60_000 }))
        .await;
    bench.pay(&session, json!({ "card": "4242424242424242" })).await;
    assert_eq!(bench.session(&session).await["payment_intent"]["status"], "processing");
    let error = bench.post(&format!("/v1/checkout/sessions/{}/expire", id(&session)), &[]).await.refused(400);
    assert!(error["message"].as_str().expect("a text").contains("being processed"), "{error}");
    bench.control("/clock", json!({ "advance_seconds": 25 * 60 * 60 })).await;
    assert_eq!(bench.session(&session).await["status"], "open", "time alone does not end a charge under way");
    let waiting = bench.browse(&page.address).await;
    assert_eq!(waiting.texts("h1"), ["We are waiting for your bank"]);
    assert_eq!(waiting.texts("main a"), ["Check now"]);

    let (session, page) = open_page(&bench).await;
    bench.control("/faults", json!({ "route": "POST /c/pay/{id}", "fault": "slow", "delay_ms": 50 })).await;
    let location = bench.type_card(&page, "4242424242424242", "12/34", "123").await;
    assert!(location.starts_with("http://127.0.0.1:9/return"), "{location}");
    assert_eq!(bench.session(&session).await["status"], "complete");
    assert!(bench.event_types().await.contains(&"payment_intent.processing".to_owned()));
}
