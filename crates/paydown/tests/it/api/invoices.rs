//! Invoices by API: written, issued, quoted, linked, voided.

use super::client::Client;
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::Browser;
use billing::policy::{Minimum, PolicyLayer};
use ledger::{Currency, Money};
use serde_json::json;
use store::policies::Scope;

on_both_engines!(a_draft_is_owed_only_when_it_is_issued, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let body = json!({
        "customer": customer, "currency": "EUR", "due_on": "2026-12-30", "memo": "Thank you\nSee you",
        "purchase_order": "PO 7",
        "lines": [
            { "description": "Support", "quantity": "1.5", "unit_amount": 10_001, "tax_rate": 19 },
            { "description": "Discount", "quantity": 1, "unit_amount": -1_000, "tax_rate": "19.0" },
        ],
    });
    let draft = client.post("/v1/invoices", body).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    // 15 001.5 and -1 000; tax 2 850.38 and -190, each half up.
    for (name, value) in [
        ("number", json!(null)),
        ("status", json!("draft")),
        ("progress", json!("draft")),
        ("currency", json!("eur")),
        ("total", json!(16_662)),
        ("tax", json!(2_660)),
        ("paid", json!(0)),
        ("pending", json!(0)),
        ("open", json!(0)),
        ("payable_now", json!(0)),
        ("due_on", json!("2026-12-30")),
    ] {
        assert_eq!(draft.json[name], value, "{name} in {}", draft.text);
    }
    let id = draft.text_of("id");
    client
        .post_once("k", "/v1/payments", {
            let mut body = Client::wire(&id, 1);
            body["currency"] = json!("eur");
            body
        })
        .await
        .is(409, "not_open");
    client.post(&format!("/v1/invoices/{id}/links"), json!({})).await.is(409, "not_open");
    client.post(&format!("/v1/invoices/{id}/quotes"), json!({ "amount": 1 })).await.is(409, "not_open");
    let issued = client.send("POST", &format!("/v1/invoices/{id}/finalize"), &[], None).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    for (name, value) in [
        ("number", json!("INV-0001")),
        ("status", json!("open")),
        ("progress", json!("unpaid")),
        ("total", json!(16_662)),
        ("open", json!(16_662)),
        ("payable_now", json!(16_662)),
        ("issued_on", json!("2026-11-16")),
    ] {
        assert_eq!(issued.json[name], value, "{name} in {}", issued.text);
    }
    assert_eq!(client.get(&format!("/v1/invoices/{id}")).await.text, issued.text);
    client.send("POST", &format!("/v1/invoices/{id}/finalize"), &[], None).await.is(409, "not_draft");
});

on_both_engines!(numbers_are_given_in_order_and_pass_over_those_taken, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let write = async |number: Option<&str>| {
        let body = json!({
            "customer": customer, "currency": "usd", "due_on": "2026-12-30", "number": number,
            "lines": [{ "description": "Support", "quantity": 1, "unit_amount": 100 }],
        });
        client.post("/v1/invoices", body).await
    };
    let issue = async |id: String| {
        let issued = client.send("POST", &format!("/v1/invoices/{id}/finalize"), &[], None).await;
        issued.text_of("number")
    };
    let [first, second, third] =
        [write(None).await.text_of("id"), write(None).await.text_of("id"), write(None).await.text_of("id")];
    let own = write(Some("INV-0002")).await;
    assert_eq!(own.json["number"], "INV-0002");
    write(Some("INV-0002")).await.is(409, "number_taken");
    assert_eq!(issue(third).await, "INV-0001");
    assert_eq!(issue(first).await, "INV-0003");
    assert_eq!(issue(own.text_of("id")).await, "INV-0002");
    assert_eq!(issue(second).await, "INV-0004");
});

on_both_engines!(lines_that_make_no_invoice_are_refused, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let line = |quantity: serde_json::Value, unit: i64| json!({ "description": "Support", "quantity": quantity, "unit_amount": unit });
    let write = async |lines: serde_json::Value| {
        let body = json!({ "customer": customer, "currency": "usd", "due_on": "2026-12-30", "lines": lines });
        client.post("/v1/invoices", body).await
    };
    write(json!([line(json!(1), -1)])).await.is(422, "invalid_lines");
    write(json!([line(json!(99_999_999), 999_999_999_999_999)])).await.is(422, "invalid_lines");
    for (quantity, param) in [
        (json!(1.5), "lines[0].quantity"),
        (json!("1.0000001"), "lines[0].quantity"),
        (json!("1e3"), "lines[0].quantity"),
        (json!("-1"), "lines[0].quantity"),
        (json!(-1), "lines[0].quantity"),
        (json!("01"), "lines[0].quantity"),
        (json!(null), "lines[0].quantity"),
    ] {
        let refused = write(json!([line(quantity.clone(), 1)])).await;
        assert_eq!(refused.is(422, "invalid_request").json["param"], param, "{quantity}: {}", refused.text);
    }
    assert_eq!(write(json!([])).await.is(422, "invalid_request").json["param"], "lines");
});

on_both_engines!(a_quote_is_the_rule_of_the_portal_and_does_nothing, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 125_000).await;
    let layer = PolicyLayer {
        minimum: Some(Minimum::Amount(Money::new(25_000, Currency::USD))),
        floor_minor: Some(1_000),
        ..PolicyLayer::default()
    };
    app.set_policy(Scope::Merchant, layer).await;
    let quote = async |amount: i64| {
        client.post(&format!("/v1/invoices/{invoice}/quotes"), json!({ "amount": amount })).await
    };
    let events = client.get("/v1/events?limit=100").await.text;
    let half = quote(50_000).await;
    assert_eq!(half.status, 200, "{}", half.text);
    for (name, value) in [
        ("amount", json!(50_000)),
        ("surcharge", json!(0)),
        ("total", json!(50_000)),
        ("left", json!(75_000)),
        ("full", json!(false)),
        ("limits", json!({ "minimum": 25_000, "maximum": 125_000 })),
    ] {
        assert_eq!(half.json[name], value, "{name} in {}", half.text);
    }
    assert_eq!(quote(125_000).await.json["full"], true);
    for (amount, code, next) in [
        (24_999, "amount_below_minimum", json!([25_000])),
        (124_500, "amount_leaves_too_little", json!([124_000, 125_000])),
        (125_001, "amount_above_payable", json!([125_000])),
        (0, "amount_not_positive", json!([25_000])),
        (-5, "amount_not_positive", json!([25_000])),
    ] {
        let refused = quote(amount).await;
        refused.is(422, code);
        assert_eq!(refused.json["limits"], json!({ "minimum": 25_000, "maximum": 125_000 }), "{amount}");
        assert_eq!(refused.json["next_legal_amounts"], next, "{amount}: {}", refused.text);
        assert_eq!(refused.json["param"], "amount");
    }
    assert_eq!(client.get("/v1/events?limit=100").await.text, events);
    assert_eq!(client.figures(&invoice).await, [0, 0, 125_000, 125_000]);
});

on_both_engines!(a_link_opens_its_invoice_until_it_is_taken_back, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 125_000).await;
    let contacts = client.get(&format!("/v1/customers/{customer}/contacts")).await;
    let contact = &contacts.json["data"][0]["id"];
    let link = client.post(&format!("/v1/invoices/{invoice}/links"), json!({ "contact": contact })).await;
    assert_eq!((link.status, &link.json["contact"]), (201, contact), "{}", link.text);
    let url = link.text_of("url");
    let mut browser = Browser::another(&client.origin);
    browser.get(&url).await.says("1,250.00");
    let listed = client.get(&format!("/v1/invoices/{invoice}/links")).await;
    assert_eq!(listed.json["data"][0]["id"], link.json["id"]);
    assert!(!listed.text.contains("/l/"), "{}", listed.text);
    let revoked = client.delete(&format!("/v1/invoices/{invoice}/links")).await;
    assert_eq!((revoked.status, &revoked.json["revoked"]), (200, &json!(1)));
    assert_eq!(client.delete(&format!("/v1/invoices/{invoice}/links")).await.json["revoked"], 0);
    let mut later = Browser::another(&client.origin);
    assert!(!later.get(&url).await.words().contains("1,250.00"));
});

on_both_engines!(an_invoice_with_money_on_it_is_not_voided, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let [paid, free] = [client.invoice(&customer, 1_000).await, client.invoice(&customer, 1_000).await];
    client.post_once("k", "/v1/payments", Client::wire(&paid, 1)).await;
    let void = async |id: &str| client.send("POST", &format!("/v1/invoices/{id}/void"), &[], None).await;
    void(&paid).await.is(409, "cannot_void");
    let voided = void(&free).await;
    assert_eq!(
        (voided.status, &voided.json["status"], &voided.json["progress"]),
        (200, &json!("void"), &json!("void"))
    );
    assert_eq!((&voided.json["total"], &voided.json["open"]), (&json!(1_000), &json!(0)));
    void(&free).await.is(409, "not_open");
});

on_both_engines!(
    the_portal_shows_what_was_recorded_and_no_more_than_its_reader_may_know,
    async |app: &mut TestApp| {
        let client = Client::open(app).await;
        let customer = client.customer("Acme").await;
        let [one, two] = [client.invoice(&customer, 100_000).await, client.invoice(&customer, 200_000).await];
        let body = json!({
            "method": "cheque", "reference": "10077", "received_on": "2026-11-13", "currency": "usd",
            "allocations": [{ "invoice": one, "amount": 40_000 }, { "invoice": two, "amount": 200_000 }],
        });
        let payment = client.post_once("k", "/v1/payments", body).await.text_of("id");
        let url = client.post(&format!("/v1/invoices/{one}/links"), json!({})).await.text_of("url");
        let mut browser = Browser::another(&client.origin);
        let page = browser.get(&url).await;
        page.says("Cheque");
        page.says("600.00");
        for hidden in ["2,400.00", "2,000.00", "INV-0002", "10077"] {
            assert!(!page.words().contains(hidden), "{hidden} in {}", page.words());
        }
        let slug = page.path.split('/').nth(2).expect("the merchant").to_owned();
        for path in [format!("/p/{slug}/payments/{payment}"), format!("/p/{slug}/payments/{payment}/receipt")]
        {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            page.says("400.00");
            for hidden in ["2,400.00", "2,000.00", "INV-0002", "10077"] {
                assert!(!page.words().contains(hidden), "{hidden} in {path}: {}", page.words());
            }
        }
        let alone = json!({
            "method": "cheque", "reference": "10078", "received_on": "2026-11-13", "currency": "usd",
            "allocations": [{ "invoice": one, "amount": 1_000 }],
        });
        let payment = client.post_once("k-2", "/v1/payments", alone).await.text_of("id");
        let receipt = browser.get(&format!("/p/{slug}/payments/{payment}/receipt")).await;
        receipt.says("Cheque 10078");
        receipt.says("13 November 2026");
    }
);
