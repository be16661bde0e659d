//! The bank account's part of the hosted page, in a payer's browser.

use crate::bench::{Bench, Page, id};

async fn open_page(bench: &Bench, types: &[&str], method: &str) -> (serde_json::Value, Page) {
    let session = bench.open_session_for(types, &[]).await;
    let address = format!("{}?method={method}", session["url"].as_str().expect("an address"));
    let mut page = bench.browse(&address).await;
    // Forms are sent to the address without the choice.
    page.address = session["url"].as_str().expect("an address").to_owned();
    (session, page)
}

fn form(page: &Page, routing: &str, account: &str, agree: bool) -> Vec<(&'static str, String)> {
    let mut form = vec![
        ("token", page.value("token")),
        ("method", page.value("method")),
        ("account-name", "Dana Payer".to_owned()),
        ("routing", routing.to_owned()),
        ("account", account.to_owned()),
        ("iban", account.to_owned()),
        ("account-type", "savings".to_owned()),
        ("holder-type", "individual".to_owned()),
    ];
    if agree {
        form.push(("agree", "yes".to_owned()));
    }
    form
}

#[tokio::test]
async fn the_page_offers_each_way_and_shows_the_agreement() {
    let bench = Bench::start().await;
    let (_, page) = open_page(&bench, &["card", "us_bank_account"], "us_bank_account").await;
    assert_eq!(page.texts(".methods a"), ["Card", "US bank account"]);
    assert_eq!(page.texts(".methods a[aria-current]"), ["US bank account"]);
    assert_eq!(page.texts("button"), ["Agree and pay $500.00"]);
    assert_eq!(page.texts("h2"), ["Your agreement"]);
    let agreement = page.texts(".mandate p").join(" ");
    assert!(
        agreement.contains("$500.00 from this account on or after 22 November 2026, once"),
        "{agreement}"
    );
    assert_eq!(page.texts(".practice span"), ["Practice page. No real money moves. Practice accounts only."]);
    for name in ["account-name", "routing", "account"] {
        assert_eq!(page.texts(&format!("label[for='{name}']")).len(), 1, "{name}");
    }
    assert!(!page.html.contains("<script") && !page.html.contains("style="));
    let (_, page) = open_page(&bench, &["sepa_debit"], "sepa_debit").await;
    assert!(page.texts(".methods a").is_empty(), "one way needs no choice");
    assert!(page.texts(".mandate p")[0].contains("within 8 weeks"));
    let (_, page) = open_page(&bench, &["card", "us_bank_account"], "nonsense").await;
    assert_eq!(page.texts("button"), ["Pay $500.00"], "an unknown way shows the first");
}

#[tokio::test]
async fn what_is_wrong_is_named_at_its_field_and_no_number_is_shown_again() {
    let bench = Bench::start().await;
    let (session, page) = open_page(&bench, &["us_bank_account"], "us_bank_account").await;
    let mut page = page;
    for (routing, account, agree, field, message) in [
        ("11000000", "000123456789", true, "routing", "Routing number must be 9 digits"),
        (
            "110000001",
            "000123456789",
            true,
            "routing",
            "That routing number does not exist. Check the bottom left of a cheque",
        ),
        (
            "021000021",
            "000123456789",
            true,
            "routing",
            "This is a practice page. Use routing number 110000000",
        ),
        ("110000000", "123", true, "account", "Account number must be 4 to 17 digits"),
        ("110000000", "123456789012345678", true, "account", "Account number must be 4 to 17 digits"),
        (
            "110000000",
            "77665544",
            true,
            "account",
            "This is a practice page. Use account number 000123456789",
        ),
        (
            "110000000",
            "000123456789",
            false,
            "agree",
            "Tick the box to agree, or go back and pay another way",
        ),
    ] {
        let location = bench.submit(&page, &form(&page, routing, account, agree)).await;
        page = bench.browse(&location).await;
        assert_eq!(page.texts(&format!("#{field}-why")), [message]);
        assert_eq!(page.texts(".error li"), [message]);
        assert_eq!(page.attribute(".error li a", "href"), Some(format!("#{field}")));
        assert!(!page.html.contains("77665544"));
    }
    assert_eq!(page.value("account"), "000123456789", "a practice account is filled in again");
    assert_eq!(page.value("account-name"), "Dana Payer");
    let location = bench.submit(&page, &form(&page, "110000000", "000123456789", true)).await;
    assert_eq!(location, format!("http://127.0.0.1:9/return?session={}", id(&session)));
    let again = bench.submit(&page, &form(&page, "110000000", "000123456789", true)).await;
    assert_eq!(again, location, "a second press leads where the first one led");
    let done = bench.browse(&page.address).await;
    assert_eq!(done.texts("h1"), ["Your payment has started"]);
    let account = &bench.session(&session).await["payment_intent"]["latest_charge"]["payment_method_details"];
    assert_eq!(account["us_bank_account"]["account_type"], "savings");
    assert_eq!(account["us_bank_account"]["account_holder_type"], "individual");
    assert_eq!(bench.assert_books().charges, 1);
}

#[tokio::test]
async fn an_iban_is_checked_before_it_is_looked_up() {
    let bench = Bench::start().await;
    let (session, mut page) = open_page(&bench, &["sepa_debit"], "sepa_debit").await;
    for (iban, message) in [
        ("AT61", "An IBAN has 15 to 34 letters and digits, as in AT61 1904 3002 3457 3201"),
        ("AT611904300234573210", "Check digits do not match: look for a swapped or missing character"),
        ("GB82 WEST 1234 5698 7654 32", "This is a practice page. Use AT61 1904 3002 3457 3201"),
    ] {
        let location = bench.submit(&page, &form(&page, "", iban, true)).await;
        page = bench.browse(&location).await;
        assert_eq!(page.texts("#iban-why"), [message]);
    }
    let location = bench.submit(&page, &form(&page, "", "at61 1904 3002 3457 3201", true)).await;
    assert!(location.starts_with("http://127.0.0.1:9/return"), "{location}");
    let intent = &bench.session(&session).await["payment_intent"];
    assert_eq!(intent["status"], "processing");
    assert_eq!(intent["latest_charge"]["payment_method_details"]["sepa_debit"]["last4"], "3201");
}

#[tokio::test]
async fn a_way_that_the_session_does_not_offer_takes_nothing() {
    let bench = Bench::start().await;
    let session = bench.open_session().await;
    let page = bench.browse(session["url"].as_str().expect("an address")).await;
    let mut form = form(&page, "110000000", "000123456789", true);
    form.retain(|(name, _)| *name != "method");
    form.push(("method", "us_bank_account".to_owned()));
    bench.submit(&page, &form).await;
    assert_eq!(bench.session(&session).await["payment_intent"], serde_json::json!(null));
}
