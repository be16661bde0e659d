//! The portal over HTTP, as a browser without JavaScript uses it: links, forms, redirects, cookies.

use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, linked};
use billing::ids::PaymentId;
use paydown::actions::create_link::revoke_links;
use serde_json::json;

on_both_engines!(a_part_is_paid_from_the_link_and_the_rest_stays, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let page = browser.get(&link).await;
    page.says("$1,250.00");
    let invoice_path = page.path;
    browser.get(&format!("{invoice_path}/amount?typed=1,250.01")).await.says("must be $1,250.00 or less");
    browser.get(&format!("{invoice_path}/amount?typed=")).await.says("Enter the amount to pay now");
    browser.get(&format!("{invoice_path}/amount?typed=500")).await.says("Pay partial amount: $500.00");
    let pay = browser.get(&format!("{invoice_path}/pay?amount=50000")).await;
    pay.says("Continue to the card page");
    let (intent, csrf) = (pay.hidden("intent"), pay.hidden("csrf"));
    let form = [
        ("intent", intent.as_str()),
        ("csrf", csrf.as_str()),
        ("amount", "50000"),
        ("receipt_email", "payer@acme.test"),
        ("payer_reference", "our 77"),
    ];
    let pay_path = format!("{invoice_path}/pay");
    let card_page = browser.post(&pay_path, &form).await.left_for.expect("the payer goes to the card page");
    let again = browser.post(&pay_path, &form).await.left_for.expect("a second press leads to the same page");
    assert_eq!(card_page, again);
    let payment: PaymentId = intent.parse().expect("the form carries the payment's id");
    app.card_page(payment, json!({ "card": "4242424242424242" })).await;
    let result = browser.get(&format!("{}/return", payment_path(&invoice_path, payment))).await;
    result.says("Payment received");
    result.says("$750.00 is left on");
    browser.get(&format!("{}/receipt", payment_path(&invoice_path, payment))).await.says("our 77");
    let page = browser.get(&invoice_path).await;
    page.says("Partly paid");
    page.says("Pay $750.00");
    assert_eq!(app.figures(invoice).await.0, 75_000);
    app.settle().await;
});

on_both_engines!(nobody_else_sees_an_invoice_or_its_payment, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let path = browser.get(&link).await.path;
    let payment = app.pay_with_visa(invoice, 10_000).await;
    let mut stranger = Browser::another(&browser.origin);
    let unknown = stranger.get(&path.replace("inv_", "inv_0")).await;
    for hidden in [path.clone(), format!("{path}/pay"), payment_path(&path, payment)] {
        let page = stranger.get(&hidden).await;
        assert_eq!(page.status, 404, "{hidden}");
        assert_eq!(page.words(), unknown.words(), "nothing tells that it is there");
    }
    assert_eq!(browser.get(&path).await.status, 200);
});

on_both_engines!(a_form_without_its_token_moves_nothing, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let path = browser.get(&link).await.path;
    let pay = browser.get(&format!("{path}/pay?amount=50000")).await;
    let intent = pay.hidden("intent");
    for csrf in ["", "0000000000000000000000000000000000000000"] {
        let form = [
            ("intent", intent.as_str()),
            ("csrf", csrf),
            ("amount", "50000"),
            ("receipt_email", "payer@acme.test"),
            ("payer_reference", ""),
        ];
        assert_eq!(browser.post(&format!("{path}/pay"), &form).await.status, 403, "{csrf:?}");
    }
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
});

on_both_engines!(a_revoked_link_opens_nothing_any_more, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let path = browser.get(&link).await.path;
    revoke_links(&app.app, app.merchant, invoice, "cli:test".to_owned()).await.expect("revoked");
    assert_ne!(browser.get(&path).await.status, 200);
    let mut other = Browser::another(&browser.origin);
    assert_ne!(other.get(&link).await.status, 200);
});

fn payment_path(invoice_path: &str, payment: PaymentId) -> String {
    let (portal, _) = invoice_path.split_once("/invoices/").expect("a page of an invoice");
    format!("{portal}/payments/{payment}")
}
