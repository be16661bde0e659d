//! The brake on card testing over HTTP: per link, per place on the network, per merchant.

use crate::builders::{DECLINED, VISA};
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page, linked};
use billing::ids::PaymentId;
use billing::payment::PaymentState;
use jiff::SignedDuration;
use store::db::Tx;
use store::payments::{self, Ending};

/// Opens a link and presses "Continue to the card page" for an amount; the payment, or the page that says why not.
async fn start(browser: &mut Browser, link: &str, minor: i64) -> Result<PaymentId, Page> {
    let invoice = browser.get(link).await.path;
    let form = browser.get(&format!("{invoice}/pay?amount={minor}")).await;
    let (intent, amount) = (form.hidden("intent"), minor.to_string());
    let fields = [("intent", intent.as_str()), ("amount", &amount), ("receipt_email", "d@acme.example")];
    let answer = browser.submit(&form, &format!("{invoice}/pay"), &fields).await;
    match answer.left_for {
        Some(_) => Ok(intent.parse().expect("the form carries the payment's id")),
        None => Err(answer),
    }
}

async fn started(browser: &mut Browser, link: &str, minor: i64) -> PaymentId {
    match start(browser, link, minor).await {
        Ok(payment) => payment,
        Err(page) => panic!("{} {}", page.status, page.words()),
    }
}

on_both_engines!(one_card_pays_as_often_as_it_likes, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    for _ in 0..12 {
        let payment = started(&mut browser, &link, 10_000).await;
        app.card(payment, VISA).await;
        app.settle().await;
    }
    assert_eq!(app.figures(invoice).await, (5_000, 0, 120_000));
});

on_both_engines!(five_cards_a_day_by_one_link, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let cards = [VISA, "5555555555554444", "378282246310005", "6011111111111117", "4000056655665556"];
    for card in cards {
        let payment = started(&mut browser, &link, 10_000).await;
        app.card(payment, card).await;
        app.settle().await;
    }
    let page = start(&mut browser, &link, 10_000).await.expect_err("a sixth card could be tried");
    assert_eq!(page.status, 429);
    page.says("Nothing was taken. Try again on 17 November 2026 at 04:15");
    let wait: i64 = page.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert_eq!(wait, 24 * 3_600 + 900);
    assert_eq!(app.figures(invoice).await, (75_000, 0, 50_000), "nothing is reserved");
    app.advance(SignedDuration::from_secs(wait));
    started(&mut Browser::another(&browser.origin), &link, 10_000).await;
    app.settle_after(SignedDuration::from_hours(2)).await;
});

on_both_engines!(ten_declines_a_day_close_the_card_page, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let payment = started(&mut browser, &link, 10_000).await;
    for _ in 0..9 {
        app.card(payment, DECLINED).await;
        app.settle().await;
    }
    assert_eq!(app.state(payment).await, PaymentState::RequiresAction, "honest people mistype");
    app.card(payment, DECLINED).await;
    app.settle().await;
    assert_eq!(app.page_status(payment).await, "expired");
    assert_eq!(app.payment(payment).await.ending, Some(Ending::Refused));
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
    let result = browser.get(&format!("/p/northwind/payments/{payment}")).await;
    result.says("We could not take this payment");
    result.says("No money has been taken.");
    let page = start(&mut browser, &link, 10_000).await.expect_err("an eleventh could be tried");
    assert_eq!(page.status, 429);
    let mut colleague = Browser::another(&browser.origin);
    let (_, other) = linked(app).await;
    let payment = started(&mut colleague, &other, 10_000).await;
    app.card(payment, VISA).await;
    app.settle().await;
});

on_both_engines!(twenty_declines_an_hour_from_one_place, async |app: &mut TestApp| {
    app.app.trusted_proxies = ["127.0.0.1".parse().expect("a network")].into();
    let mut browser = Browser::open(app).await;
    browser.forwarded_for = Some("192.0.2.66".to_owned());
    // So that the merchant's own brake stays off.
    for _ in 0..20 {
        let invoice = app.invoice(1_000).await;
        app.pay_with_visa(invoice, 1_000).await;
    }
    for declines in [9, 9, 2] {
        let (_, link) = linked(app).await;
        let payment = started(&mut browser, &link, 10_000).await;
        for _ in 0..declines {
            app.card(payment, DECLINED).await;
            app.settle().await;
        }
        let (merchant, noted) = (app.merchant, payment);
        let read = async move |tx: &mut Tx| payments::client(tx, merchant, noted).await;
        let client = app.app.store.read(read).await.expect("payments can be read");
        assert_eq!(client.as_deref(), Some("192.0.2.66"), "for whoever looks into it");
    }
    let (_, link) = linked(app).await;
    let mut spoofer = Browser::another(&browser.origin);
    spoofer.forwarded_for = Some("203.0.113.1, 192.0.2.66".to_owned());
    let page = start(&mut spoofer, &link, 10_000).await.expect_err("an honest header could be forged");
    assert_eq!(page.status, 429);
    spoofer.forwarded_for = Some("192.0.2.67".to_owned());
    started(&mut spoofer, &link, 10_000).await;
    app.settle_after(SignedDuration::from_hours(2)).await;
});

on_both_engines!(a_burst_of_declines_pauses_the_merchant, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    for number in 0..20 {
        let invoice = app.invoice(10_000).await;
        let payment = app.pay(invoice, 10_000).await;
        app.card(payment, if number < 11 { DECLINED } else { VISA }).await;
        app.settle().await;
    }
    let (invoice, link) = linked(app).await;
    let page = start(&mut browser, &link, 10_000).await.expect_err("payments went on");
    assert_eq!(page.status, 503);
    page.says("Payments are not available right now");
    page.says("Nothing was taken.");
    page.says("Payments are back at about 04:11");
    assert!(page.headers.contains_key("retry-after"));
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
    let back =
        page.links().into_iter().find(|to| to.contains("/invoices/")).expect("a way back to the invoice");
    assert_eq!(browser.get(&back).await.status, 200, "invoices can still be seen");
    let told = app.anomalies_of_merchant().await;
    assert_eq!(told, ["decline_burst"], "one alert, not one for each");
    app.advance(SignedDuration::from_mins(12));
    let payment = started(&mut browser, &link, 10_000).await;
    app.card(payment, VISA).await;
    app.settle().await;
    app.settle_after(SignedDuration::from_hours(2)).await;
});

on_both_engines!(half_of_the_cards_may_be_declined, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    for number in 0..20 {
        let invoice = app.invoice(10_000).await;
        let payment = app.pay(invoice, 10_000).await;
        app.card(payment, if number % 2 == 0 { VISA } else { DECLINED }).await;
        app.settle().await;
    }
    let (_, link) = linked(app).await;
    started(&mut browser, &link, 10_000).await;
    assert!(app.anomalies_of_merchant().await.is_empty());
    app.settle_after(SignedDuration::from_hours(2)).await;
});

on_both_engines!(twenty_starts_an_hour_in_one_session, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    for _ in 0..20 {
        started(&mut browser, &link, 5_000).await;
    }
    let page = start(&mut browser, &link, 5_000).await.expect_err("a twenty-first");
    assert_eq!(page.status, 429);
    page.says("Try again at 05:05");
    assert_eq!(app.figures(invoice).await, (125_000, 100_000, 0), "the refused one holds nothing");
    app.settle_after(SignedDuration::from_hours(2)).await;
});
