//! S11 to S14: coming back from the card page, the result in each of its states, the receipt.

use super::{
    New, Tells as _, attribute, filled, open, open_by_link, payment_path, press, sign_in, start, texts, with,
};
use crate::builders::{CHALLENGED, DECLINED, VISA};
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use billing::ids::{InvoiceId, PaymentId};
use billing::payment::PaymentState;
use billing::policy::{Partial, PolicyLayer};
use billing::surcharge::Surcharge;
use jiff::SignedDuration;
use jiff::civil::date;
use ledger::Currency;
use paydown::actions::start_payment::{Started, start_payment};
use paydown::actions::submit_attempt::{Submitted, submit_undisturbed};
use paydown::app::App;
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::policies::Scope;

/// A browser whose payer is on the card page with 500.00 of 1,250.00.
async fn at_the_card_page(app: &mut TestApp) -> (Browser, InvoiceId, PaymentId) {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let payment = start(&mut browser, &path, 50_000).await;
    (browser, invoice, payment)
}

async fn come_back(browser: &mut Browser, payment: PaymentId) -> Page {
    browser.get(&format!("{}/return", payment_path(payment))).await
}

async fn turn_back(browser: &mut Browser, payment: PaymentId) -> Page {
    browser.get(&format!("{}/turned-back", payment_path(payment))).await
}

fn heading(page: &Page) -> String {
    texts(page, "h1").concat()
}

fn ways(page: &Page) -> Vec<String> {
    texts(page, ".row a, .row button")
}

on_both_engines!(a_part_that_was_paid_says_what_is_left, async |app: &mut TestApp| {
    let (mut browser, invoice, payment) = at_the_card_page(app).await;
    app.card(payment, VISA).await;
    let page = come_back(&mut browser, payment).await;
    assert_eq!(page.path, payment_path(payment));
    assert_eq!(heading(&page), "Payment received");
    assert!(attribute(&page, "h1[autofocus]", "tabindex").is_some(), "the heading has the focus");
    page.tells(
        "$500.00 paid. $750.00 is left on INV-1042, due 30 Nov. It stays there until it is paid in full.",
    );
    page.tells(&payment.reference());
    assert_eq!(ways(&page), ["See the receipt", "Pay the rest now", "Back to invoice"]);
    let rest = app.pay(invoice, 75_000).await;
    let page = browser.get(&payment_path(payment)).await;
    assert_eq!(heading(&page), "Payment received", "not paid in full while the rest is on its way");
    page.tells("$500.00 paid. The other $750.00 of INV-1042 is being paid right now.");
    app.card(rest, VISA).await;
    app.settle().await;
    let page = browser.get(&payment_path(rest)).await;
    assert_eq!(heading(&page), "Paid in full");
    page.tells("$750.00 paid. Nothing is left on INV-1042. Thank you.");
    assert_eq!(ways(&page), ["See the receipt", "Back to invoice"]);
});

on_both_engines!(a_decline_says_why_and_offers_three_ways, async |app: &mut TestApp| {
    let origin = Browser::open(app).await.origin;
    let invoice = New::usd(app, "INV-1042", 125_000).issue(app).await;
    for (card, words) in [
        (DECLINED, "Your bank did not say why. Call the number on your card."),
        ("4000000000009995", "There was not enough money available."),
        ("4000000000009987", "Your bank did not say why. Call the number on your card."),
        ("4000000000009979", "Your bank did not say why. Call the number on your card."),
        ("4000000000000069", "The card has expired."),
        ("4000000000000127", "The security code did not match."),
        ("4000000000000119", "The card network had a problem."),
        ("4000000000006975", "It is over the limit on this card. Pay part of it?"),
    ] {
        let mut browser = Browser::another(&origin);
        let path = open(app, &mut browser, invoice).await;
        let payment = start(&mut browser, &path, 50_000).await;
        app.card(payment, card).await;
        let back = turn_back(&mut browser, payment).await;
        assert_eq!(heading(&back), "Your bank said no", "{card}");
        back.tells(&format!("No money has been taken. {words}"));
        back.tells("You can try again, use another way, or pay less.");
        assert_eq!(ways(&back), ["Try again", "Use another way", "Pay less"], "{card}");
        let again = attribute(&back, ".row a", "href").expect("a way on");
        browser.get(&again).await.tells("Paying now $500.00");
        let less = attribute(&back, ".row a:last-child", "href").expect("a way on");
        let less = browser.get(&less).await;
        assert_eq!(attribute(&less, "#amount", "value").as_deref(), Some("500.00"), "the amount is kept");
        assert_eq!(app.figures(invoice).await, (125_000, 0, 0), "{card}");
        // A day between them: so many declined cards at once are taken for stolen ones.
        app.settle_after(SignedDuration::from_hours(25)).await;
    }
});

on_both_engines!(a_decline_leaves_the_card_page_open, async |app: &mut TestApp| {
    let (mut browser, invoice, payment) = at_the_card_page(app).await;
    app.card(payment, DECLINED).await;
    app.settle().await;
    let page = browser.get(&payment_path(payment)).await;
    assert_eq!(heading(&page), "Your bank said no");
    let again = attribute(&page, ".row a", "href").expect("a way on");
    assert!(browser.get(&again).await.left_for.is_some(), "another card on the same page");
    app.card(payment, VISA).await;
    come_back(&mut browser, payment).await.tells("Payment received");
    assert_eq!(app.figures(invoice).await, (75_000, 0, 50_000));
});

on_both_engines!(a_merchant_who_wants_all_offers_no_part_after_a_decline, async |app: &mut TestApp| {
    let layer = PolicyLayer { partial: Some(Partial::Never), ..PolicyLayer::default() };
    app.set_policy(Scope::Merchant, layer).await;
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let payment = start(&mut browser, &path, 125_000).await;
    app.card(payment, "4000000000006975").await;
    let back = turn_back(&mut browser, payment).await;
    back.tells("It is over the limit on this card. You can try again or use another way.");
    assert_eq!(ways(&back), ["Try again", "Use another way"]);
});

on_both_engines!(turning_back_takes_nothing_and_frees_the_amount, async |app: &mut TestApp| {
    let (mut browser, invoice, payment) = at_the_card_page(app).await;
    let page = turn_back(&mut browser, payment).await;
    assert_eq!(heading(&page), "You cancelled this payment");
    page.tells("No money has been taken. INV-1042 still shows $1,250.00 left.");
    assert_eq!(ways(&page), ["Try again", "Back to invoice"]);
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
    assert_eq!(heading(&turn_back(&mut browser, payment).await), "You cancelled this payment", "again");
    assert_eq!(app.page_status(payment).await, "expired");
    let on = browser.get(&format!("{}/continue", payment_path(payment))).await;
    assert_eq!(heading(&on), "You cancelled this payment", "what has ended is not continued");
});

on_both_engines!(somebody_else_cannot_turn_a_payment_back, async |app: &mut TestApp| {
    let (browser, invoice, payment) = at_the_card_page(app).await;
    let mut other = Browser::another(&browser.origin);
    open(app, &mut other, invoice).await;
    let page = turn_back(&mut other, payment).await;
    assert_eq!(heading(&page), "Somebody is paying this right now");
    assert_eq!(ways(&page), ["Back to invoice"]);
    assert!(!page.html.contains("/cancel"), "nor cancel it");
    assert_eq!(app.state(payment).await, PaymentState::RequiresAction);
    let on = other.get(&format!("{}/continue", payment_path(payment))).await;
    assert!(on.left_for.is_none(), "nor pay on another's card page");
});

on_both_engines!(a_payment_left_on_the_card_page_can_be_continued, async |app: &mut TestApp| {
    let (mut browser, _, payment) = at_the_card_page(app).await;
    let page = come_back(&mut browser, payment).await;
    assert_eq!(heading(&page), "Not finished yet");
    page.tells("Your card payment of $500.00 is not finished. No money has been taken.");
    assert_eq!(ways(&page), ["Continue to the card page", "Back to invoice"]);
    let state = browser.get(&format!("{}/state", payment_path(payment))).await;
    assert!(state.html.contains("\"unfinished\""), "{}", state.html);
    let on = browser.get(&format!("{}/continue", payment_path(payment))).await;
    assert!(on.left_for.is_some());
});

on_both_engines!(a_challenge_ends_well_badly_or_not_at_all, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let refused = start(&mut browser, &path, 20_000).await;
    app.card_page(refused, json!({ "card": CHALLENGED, "challenge": "refuse" })).await;
    let page = turn_back(&mut browser, refused).await;
    assert_eq!(heading(&page), "Your bank said no");
    page.tells("No money has been taken. Your bank did not confirm it was you.");
    let left = start(&mut browser, &path, 20_000).await;
    app.card_page(left, json!({ "card": CHALLENGED, "challenge": "nothing" })).await;
    let page = turn_back(&mut browser, left).await;
    assert_eq!(heading(&page), "You left before it was paid");
    page.tells(
        "No money has been taken. You left before your bank finished. You can try again, use another way",
    );
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
    let passed = start(&mut browser, &path, 20_000).await;
    app.card_page(passed, json!({ "card": CHALLENGED, "challenge": "approve" })).await;
    come_back(&mut browser, passed).await.tells("Payment received");
    assert_eq!(app.figures(invoice).await, (105_000, 0, 20_000));
    app.settle_after(SignedDuration::from_mins(5)).await;
});

on_both_engines!(time_runs_out_without_money, async |app: &mut TestApp| {
    let (mut browser, invoice, payment) = at_the_card_page(app).await;
    for _ in 0..3 {
        app.settle_after(SignedDuration::from_mins(11)).await;
        browser.get(&payment_path(payment)).await;
    }
    let page = browser.get(&payment_path(payment)).await;
    assert_eq!(heading(&page), "You ran out of time");
    page.tells("No money has been taken. INV-1042 still shows $1,250.00 left.");
    assert_eq!(ways(&page), ["Try again", "Back to invoice"]);
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
});

on_both_engines!(what_the_processor_will_not_take_is_not_the_banks_fault, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let broken = App { public_url: "nowhere".into(), ..app.app.clone() };
    sign_in(app, &mut browser).await;
    let mut form = app.ask(invoice, 50_000);
    form.payer.contact_id = Some(app.dana().await);
    let started = start_payment(&broken, form).await.expect("it is judged");
    let Started::New(payment) = started else { panic!("{started:?}") };
    let submitted = submit_undisturbed(&broken, app.merchant, payment).await.expect("the call is made");
    assert_eq!(submitted, Submitted::State(PaymentState::Failed));
    let page = browser.get(&payment_path(payment)).await;
    assert_eq!(heading(&page), "We could not take this payment");
    let reference = payment.reference();
    page.tells(&format!(
        "No money has been taken. This is not about your bank. Ask Northwind: quote {reference}."
    ));
    assert_eq!(ways(&page), ["Back to invoice"]);
    browser.get(&path).await.tells("Pay $1,250.00");
    app.settle_after(SignedDuration::from_mins(5)).await;
});

on_both_engines!(waiting_is_never_called_a_failure, async |app: &mut TestApp| {
    let (mut browser, invoice, payment) = at_the_card_page(app).await;
    let slow = Fault { delay_ms: Some(2_500), ..Fault::once("POST /c/pay/{id}", FaultKind::Slow) };
    app.sandbox.arm_fault(slow);
    app.card(payment, VISA).await;
    let page = turn_back(&mut browser, payment).await;
    assert_eq!(heading(&page), "Waiting for an answer", "{}", page.told());
    page.tells("We are waiting for an answer. You can close this page; we will e-mail you.");
    assert_eq!(ways(&page), ["Check now", "Back to invoice"]);
    assert_eq!(attribute(&page, "meta[http-equiv]", "content"), None, "no refresh by itself");
    assert_eq!(app.figures(invoice).await, (125_000, 50_000, 0));
    app.advance(SignedDuration::from_secs(121));
    let page = browser.get(&payment_path(payment)).await;
    page.tells("Still waiting. Do not pay again: INV-1042 shows $500.00 as in progress.");
    app.arrived("payment_intent.succeeded").await;
    app.settle().await;
    assert_eq!(heading(&browser.get(&payment_path(payment)).await), "Payment received");
});

on_both_engines!(a_receipt_holds_what_books_need, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    sign_in(app, &mut browser).await;
    let new = New { due_on: date(2026, 10, 30), ..New::usd(app, "INV-1042", 125_000) };
    let invoice = new.issue(app).await;
    let path = format!("/p/northwind/invoices/{invoice}");
    let check = browser.get(&format!("{path}/pay?amount=50000")).await;
    let form = with(&filled(&check), "payer_reference", " Run\u{7} 118 ");
    assert!(press(&mut browser, &path, &form).await.left_for.is_some());
    let payment: PaymentId = check.hidden("intent").parse().expect("an id");
    let early = browser.get(&format!("{}/receipt", payment_path(payment))).await;
    assert_eq!(early.path, payment_path(payment), "no receipt before the money");
    app.card(payment, VISA).await;
    let result = come_back(&mut browser, payment).await;
    result.tells("$750.00 is left on INV-1042, due since 30 Oct.");
    let receipt = browser.get(&format!("{}/receipt", payment_path(payment))).await;
    assert_eq!(texts(&receipt, "title"), [format!("Receipt {} – $500.00 – Northwind", payment.reference())]);
    assert_eq!(
        texts(&receipt, "dl > div"),
        [
            "Received 16 November 2026, 04:00 Eastern time",
            "Paid by Acme",
            "Paid to Northwind 1 Main Street",
            "How Visa ending 4242",
            "Statement line NORTHWIND",
            "Your reference Run 118",
        ]
    );
    assert_eq!(texts(&receipt, "tbody td"), ["INV-1042 $1,250.00 open before, $750.00 after", "$500.00"]);
    app.settle().await;
    app.pay_with_visa(invoice, 75_000).await;
    let later = browser.get(&format!("{}/receipt", payment_path(payment))).await;
    assert_eq!(later.told(), receipt.told(), "it never changes");
    let css = browser.get(&attribute(&receipt, "link[rel=stylesheet]", "href").expect("a style sheet")).await;
    assert!(css.html.contains("@media print"), "it can be printed");
});

/// Posts to the payment's `/cancel`, as its buttons do.
async fn give_up(browser: &mut Browser, page: &Page, payment: PaymentId, next: Option<&str>) -> Page {
    let csrf = page.hidden("csrf");
    let fields: Vec<_> =
        [("csrf", csrf.as_str())].into_iter().chain(next.map(|next| ("next", next))).collect();
    browser.post(&format!("{}/cancel", payment_path(payment)), &fields).await
}

// Another payment afterwards does not change what this one did.
on_both_engines!(a_result_tells_of_its_own_payment_for_ever, async |app: &mut TestApp| {
    let (mut browser, invoice, payment) = at_the_card_page(app).await;
    app.card(payment, VISA).await;
    come_back(&mut browser, payment).await.tells("$750.00 is left on INV-1042");
    app.pay_with_visa(invoice, 25_000).await;
    let page = browser.get(&payment_path(payment)).await;
    page.tells(
        "$750.00 is left on INV-1042, due 30 Nov. More happened since: $500.00 is left on INV-1042 now.",
    );
    app.pay_with_visa(invoice, 50_000).await;
    let page = browser.get(&payment_path(payment)).await;
    assert_eq!(heading(&page), "Payment received");
    page.tells("More happened since: nothing is left on INV-1042 now.");
    assert_eq!(ways(&page), ["See the receipt", "Back to invoice"]);
});

// The declined card's page could still be paid on, and holds all that is left: it is ended before less is asked for.
on_both_engines!(paying_less_after_a_decline_ends_the_card_page_first, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let payment = start(&mut browser, &path, 125_000).await;
    app.card(payment, "4000000000006975").await;
    app.settle().await;
    let page = browser.get(&payment_path(payment)).await;
    page.tells("It is over the limit on this card. Pay part of it?");
    assert_eq!(ways(&page), ["Try again", "Use another way", "Pay less"]);
    assert_eq!(app.figures(invoice).await, (125_000, 125_000, 0));
    let less = give_up(&mut browser, &page, payment, Some("less")).await;
    assert_eq!(attribute(&less, "#amount", "value").as_deref(), Some("1,250.00"), "{}", less.told());
    assert_eq!(
        (app.page_status(payment).await.as_str(), app.figures(invoice).await),
        ("expired", (125_000, 0, 0))
    );
});

// While the payer reads that the bank said no, somebody pays on the open page: it is booked, not cancelled.
on_both_engines!(giving_up_what_was_paid_meanwhile_shows_the_payment, async |app: &mut TestApp| {
    let (mut browser, invoice, payment) = at_the_card_page(app).await;
    app.card(payment, DECLINED).await;
    app.settle().await;
    let page = browser.get(&payment_path(payment)).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    app.card(payment, VISA).await;
    let after = give_up(&mut browser, &page, payment, Some("invoice")).await;
    assert_eq!(
        (after.path.as_str(), heading(&after)),
        (&*payment_path(payment), "Payment received".to_owned())
    );
    assert_eq!(app.figures(invoice).await, (75_000, 0, 50_000));
});

on_both_engines!(a_fee_stands_with_what_the_card_was_charged, async |app: &mut TestApp| {
    let surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
    app.set_surcharge(Currency::USD, surcharge).await;
    let (mut browser, _, payment) = at_the_card_page(app).await;
    browser.get(&payment_path(payment)).await.tells("Fee $14.80");
    app.card(payment, VISA).await;
    let page = come_back(&mut browser, payment).await;
    page.tells("$500.00 paid. $750.00 is left");
    page.tells("Charged to your card $514.80");
});

on_both_engines!(money_in_another_currency_is_not_called_paid, async |app: &mut TestApp| {
    let (mut browser, invoice, payment) = at_the_card_page(app).await;
    let session = app.session(payment).await;
    let taken = json!({ "session": session, "amount": 46_000, "currency": "eur" });
    app.control("/capture_override", taken).await;
    app.card(payment, VISA).await;
    let page = come_back(&mut browser, payment).await;
    page.tells("Your card was charged €460.00, where $500.00 was asked for. INV-1042 is unchanged for now.");
    page.tells("Do not pay it again.");
    assert_eq!(ways(&page), ["Back to invoice"]);
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
});

// Nobody had the card page's address, so nobody can have paid: the page says so, and lets the payer go.
on_both_engines!(a_card_page_that_did_not_open_took_nothing, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    app.sandbox.arm_fault(Fault::once("POST /v1/checkout/sessions", FaultKind::Status500After));
    let check = browser.get(&format!("{path}/pay?amount=50000")).await;
    let page = press(&mut browser, &path, &filled(&check)).await;
    let payment: PaymentId = check.hidden("intent").parse().expect("an id");
    assert_eq!(
        (page.path.as_str(), heading(&page)),
        (&*payment_path(payment), "The card page did not open".to_owned())
    );
    page.tells("No money has been taken.");
    assert_eq!(ways(&page), ["Try again", "Back to invoice"]);
    let gone = give_up(&mut browser, &page, payment, None).await;
    assert_eq!(heading(&gone), "You cancelled this payment");
    gone.tells(
        "No money has been taken. $500.00 is free again as soon as the card page is closed, within minutes.",
    );
    app.settle_after(SignedDuration::from_secs(6)).await;
    assert_eq!(
        (app.page_status(payment).await.as_str(), app.figures(invoice).await),
        ("expired", (125_000, 0, 0))
    );
    browser.get(&payment_path(payment)).await.tells("INV-1042 still shows $1,250.00 left.");
});

on_both_engines!(trying_again_finds_the_card_page_that_was_made, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    app.sandbox.arm_fault(Fault::once("POST /v1/checkout/sessions", FaultKind::Status500After));
    let check = browser.get(&format!("{path}/pay?amount=50000")).await;
    let page = press(&mut browser, &path, &filled(&check)).await;
    let again = browser.get(&attribute(&page, ".row a", "href").expect("a way on")).await;
    assert_eq!(heading(&again), "Not finished yet");
    let on = browser.get(&attribute(&again, ".row a", "href").expect("a way on")).await;
    assert!(on.left_for.is_some(), "the one card page that was made");
    assert_eq!(app.pages_made(), 1);
});

on_both_engines!(a_contested_payment_is_told_without_blame, async |app: &mut TestApp| {
    let (mut browser, invoice, payment) = at_the_card_page(app).await;
    app.card(payment, VISA).await;
    come_back(&mut browser, payment).await;
    app.settle().await;
    let charge = app.attempt(payment).await.charge_id.expect("it was captured");
    let told = app.control(&format!("/charges/{charge}/dispute"), json!({})).await;
    app.settle().await;
    let page = browser.get(&payment_path(payment)).await;
    assert_eq!(heading(&page), "Payment received");
    page.tells("The card’s bank is looking into this payment. Nothing has to be done here.");
    let path = format!("/p/northwind/invoices/{invoice}");
    browser.get(&path).await.tells("The card’s bank is looking into it.");
    let name = told["id"].as_str().expect("an id");
    app.control(&format!("/disputes/{name}"), json!({ "outcome": "lost" })).await;
    app.settle().await;
    let page = browser.get(&payment_path(payment)).await;
    assert_eq!(heading(&page), "The bank gave it back");
    page.tells("$500.00 was paid for INV-1042 by card and given back by the card’s bank.");
    page.tells("$1,250.00 is left on INV-1042.");
    assert_eq!(ways(&page), ["Pay the rest now", "See the receipt"]);
    let page = browser.get(&path).await;
    page.tells("It was asked back at the card’s bank.");
    page.tells("taken back by the bank");
    app.control(&format!("/disputes/{name}"), json!({ "outcome": "won" })).await;
    app.settle().await;
    let page = browser.get(&payment_path(payment)).await;
    assert_eq!(heading(&page), "Payment received");
    assert!(!page.words().contains("bank"), "{}", page.words());
});
