//! A payer uses credit in the portal: in part, with a confirmation, without a script; two tabs spend it once.

use super::{credit, left};
use crate::api::client::Client;
use crate::on_both_engines;
use crate::pages::sign_in;
use crate::test_app::TestApp;
use crate::web::{Browser, linked};
use jiff::SignedDuration;
use serde_json::json;

/// A payer who is signed in, and somebody with a key, both of one server.
async fn both(app: &mut TestApp) -> (Browser, Client) {
    let client = Client::open(app).await;
    let mut browser = Browser::another(&client.origin);
    sign_in(app, &mut browser).await;
    (browser, client)
}

on_both_engines!(a_payer_uses_a_part_of_the_credit, async |app: &mut TestApp| {
    let (mut browser, client) = both(app).await;
    let customer = app.customer.to_string();
    credit(&client, &customer, 15_000).await;
    let invoice = app.invoice(125_000).await;
    let at = format!("/p/northwind/invoices/{invoice}");
    let page = browser.get(&at).await;
    page.says("You have $150.00 credit with Northwind.");
    assert!(page.html.contains(&format!("action=\"{at}/credit\"")), "the form is there");

    let refused = browser.get(&format!("{at}/credit?typed=150.01")).await;
    assert_eq!(refused.status, 409);
    refused.says("That is more than your credit. You have $150.00. Choose a smaller amount");
    let refused = browser.get(&format!("{at}/credit?typed=ten")).await;
    assert_eq!(refused.status, 422);
    let asked = browser.get(&format!("{at}/credit?typed=40")).await;
    asked.says("Use $40.00 of your credit?");
    asked.says("No card and no bank account is charged.");
    assert_eq!(left(&client, &customer).await, 15_000, "a page that is looked at uses nothing");
    let (intent, amount) = (asked.hidden("intent"), asked.hidden("amount"));
    assert_eq!(amount, "4000");
    let form = [("intent", intent.as_str()), ("amount", amount.as_str())];
    let done = browser.submit(&asked, &format!("{at}/credit"), &form).await;
    assert_eq!((done.status, done.path.as_str()), (200, at.as_str()), "{}", done.html);
    done.says("$40.00 of your credit was used.");
    done.says("Your credit was used");
    done.says("You have $110.00 credit with Northwind.");
    assert_eq!(client.figures(&invoice.to_string()).await, [4_000, 0, 121_000, 121_000]);
    // The same form again is the same application.
    let again = browser.submit(&asked, &format!("{at}/credit"), &form).await;
    again.says("$40.00 of your credit was used.");
    assert_eq!(left(&client, &customer).await, 11_000);

    // All the rest, and the page has nothing more to offer.
    let asked = browser.get(&format!("{at}/credit?typed=110.00")).await;
    let (intent, amount) = (asked.hidden("intent"), asked.hidden("amount"));
    let form = [("intent", intent.as_str()), ("amount", amount.as_str())];
    let done = browser.submit(&asked, &format!("{at}/credit"), &form).await;
    assert!(!done.words().contains("Your credit Your"), "{}", done.words());
    assert!(!done.html.contains(&format!("action=\"{at}/credit\"")), "no credit, no form");
    assert_eq!(browser.get(&format!("{at}/credit")).await.status, 409);
});

on_both_engines!(two_tabs_spend_the_same_credit_once, async |app: &mut TestApp| {
    let (mut browser, client) = both(app).await;
    let customer = app.customer.to_string();
    credit(&client, &customer, 5_000).await;
    let [one, two] = [app.invoice(10_000).await, app.invoice(10_000).await];
    let mut tabs = Vec::new();
    for invoice in [one, two] {
        tabs.push(browser.get(&format!("/p/northwind/invoices/{invoice}/credit?typed=40.00")).await);
    }
    let mut statuses = Vec::new();
    for (invoice, tab) in [one, two].into_iter().zip(&tabs) {
        let (intent, amount) = (tab.hidden("intent"), tab.hidden("amount"));
        let form = [("intent", intent.as_str()), ("amount", amount.as_str())];
        let at = format!("/p/northwind/invoices/{invoice}/credit");
        let done = browser.submit(tab, &at, &form).await;
        statuses.push(done.status);
        if done.status == 409 {
            done.says("No money has been taken, and no credit was used.");
            done.says("You have $10.00.");
        }
    }
    assert_eq!(statuses, [200, 409]);
    let paid = client.figures(&one.to_string()).await[0] + client.figures(&two.to_string()).await[0];
    assert_eq!((paid, left(&client, &customer).await), (4_000, 1_000));
});

// A link may be forwarded: what else the company has is nobody's business who holds one.
on_both_engines!(who_has_only_a_link_neither_sees_nor_uses_credit, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = app.customer.to_string();
    credit(&client, &customer, 5_000).await;
    let (invoice, link) = linked(app).await;
    let mut browser = Browser::another(&client.origin);
    let page = browser.get(&link).await;
    assert!(!page.words().contains("credit"), "{}", page.words());
    let at = format!("/p/northwind/invoices/{invoice}");
    assert_eq!(browser.get(&format!("{at}/credit?typed=40.00")).await.status, 404);
    let csrf = browser.get("/p/northwind/sign-in").await.hidden("csrf");
    let form = [("csrf", csrf.as_str()), ("intent", "cap_00000000000000000000000000"), ("amount", "4000")];
    assert_eq!(browser.post(&format!("{at}/credit"), &form).await.status, 404);
    assert_eq!(left(&client, &customer).await, 5_000);
});

on_both_engines!(the_invoice_shows_its_credit_notes_and_what_was_moved, async |app: &mut TestApp| {
    let (mut browser, client) = both(app).await;
    let invoice = app.invoice(100_000).await;
    let other = app.invoice(50_000).await;
    let (id, other) = (invoice.to_string(), other.to_string());
    let payment = crate::credit::wire(&client, "w", &id, 60_000).await.text_of("id");
    app.advance(SignedDuration::from_secs(1));
    let note = json!({ "invoice": id, "amount": 10_000, "reason": "Two days less" });
    assert_eq!(client.post_once("n", "/v1/credit_notes", note).await.status, 201);
    app.advance(SignedDuration::from_secs(1));
    let body = json!({ "from": id, "payment": payment, "to": other, "amount": 20_000 });
    assert_eq!(crate::credit::move_it(&client, "m", body).await.status, 201);
    let page = browser.get(&format!("/p/northwind/invoices/{invoice}")).await;
    for words in
        ["Credit note CN-0001", "Moved off this invoice by Northwind", "Credited", "$500.00 left after it"]
    {
        page.says(words);
    }
    let page = browser.get(&format!("/p/northwind/invoices/{other}")).await;
    page.says("Moved to this invoice by Northwind");
    page.says("$300.00 left after it");
    assert!(!page.words().contains("We are checking"), "{}", page.words());
});
