//! Where the merchant wants to know who pays, a link alone shows the invoice and pays nothing.

use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, linked};
use billing::policy::{Identify, PolicyLayer};
use ledger::{Currency, Money};
use paydown::actions::create_link::{create_link, link_url};
use store::contacts;
use store::db::Tx;
use store::policies::Scope;

/// A code is demanded from this customer for more than 1,000.00.
async fn demand(app: &TestApp) {
    let above = Identify::Above(Money::new(100_000, Currency::USD));
    let layer = PolicyLayer { identify: Some(above), ..PolicyLayer::default() };
    app.set_policy(Scope::Customer(app.customer), layer).await;
}

on_both_engines!(a_large_payment_by_link_needs_the_code_of_its_contact, async |app: &mut TestApp| {
    demand(app).await;
    let mut browser = Browser::open(app).await;
    let invoice = app.invoice(125_000).await;
    let (merchant, customer) = (app.merchant, app.customer);
    let read = async move |tx: &mut Tx| contacts::list(tx, merchant, customer).await;
    let dana = app.app.store.read(read).await.expect("contacts can be read")[0].id;
    let link =
        create_link(&app.app, merchant, invoice, Some(dana), "test").await.expect("stored").expect("there");
    let path = browser.get(&link_url(&app.app, merchant, link)).await.path;
    browser.get(&format!("{path}/pay?amount=100000")).await.says("Continue to the card page");
    let pay = format!("{path}/pay?amount=125000");
    let asked = browser.get(&pay).await;
    assert_eq!(asked.address, format!("{path}/identify?amount=125000"));
    asked.says("To pay $1,250.00 we first send a code to d…@acme.example.");
    assert!(!asked.html.contains("dana@"), "whoever has the link does not learn the address");
    let code = browser.submit(&asked, &asked.address, &[]).await;
    assert_eq!(code.address, format!("{path}/identify/code?amount=125000"));
    assert!(!code.html.contains("dana@") && code.html.contains("data-wait=\"30\""));
    let letter = app.letter().await;
    assert_eq!(letter.to, "dana@acme.example");
    let wrong = if letter.code() == "111111" { "222222" } else { "111111" };
    let refused = browser.submit(&code, &code.address, &[("code", wrong)]).await;
    assert_eq!((refused.status, &refused.address), (200, &code.address));
    refused.says("That code is not the one we sent. 4 tries left.");
    assert!(refused.html.contains(&format!("value=\"{wrong}\"")), "what was typed is kept");
    browser.get(&code.address).await;
    browser.submit(&code, &code.address, &[("code", wrong)]).await.says("3 tries left.");
    let paying = browser.submit(&code, &code.address, &[("code", &letter.code())]).await;
    assert_eq!(paying.address, pay);
    paying.says("Continue to the card page");
    assert!(paying.html.contains("Sign out"), "the code signed Dana in");
});

on_both_engines!(the_demand_holds_in_the_transaction_too, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let path = browser.get(&link).await.path;
    let form = browser.get(&format!("{path}/pay?amount=125000")).await;
    demand(app).await;
    let intent = form.hidden("intent");
    let fields = [("intent", intent.as_str()), ("amount", "125000"), ("receipt_email", "d@acme.example")];
    let answer = browser.submit(&form, &format!("{path}/pay"), &fields).await;
    assert_eq!(answer.left_for, None, "a form that was drawn before pays nothing");
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
    assert_eq!(answer.path, "/p/northwind/sign-in", "this link was sent to nobody: any contact may sign in");
    let bad = browser.submit(&answer, "/p/northwind/sign-in", &[("email", "dana@")]).await;
    bad.says("Enter an e-mail address like name@company.com");
    let bad = browser.get(&bad.address).await;
    let page = browser.submit(&bad, "/p/northwind/sign-in", &[("email", "dana@acme.example")]).await;
    let code = app.letter().await.code();
    let paying = browser.submit(&page, "/p/northwind/sign-in/code", &[("code", &code)]).await;
    assert_eq!(paying.address, format!("{path}/pay?amount=125000"));
});
