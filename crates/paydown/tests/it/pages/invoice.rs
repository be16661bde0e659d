//! S6 and S15: the notices of the invoice page in their order, who made a payment, the running balance, the bar.

use super::{
    New, Tells as _, attribute, filled, open, open_by_link, payment_path, press, sign_in, start, texts,
};
use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use jiff::civil::date;
use paydown::actions::start_payment::{Payer, StartPayment};
use sandbox::{Fault, FaultKind};
use serde_json::json;

fn notices(page: &Page) -> Vec<String> {
    texts(page, ".note > p:first-child")
}

fn figures(page: &Page) -> Vec<String> {
    texts(page, ".figures div")
}

on_both_engines!(an_open_invoice_says_what_it_asks_for, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let new = New { order: Some("PO 7741"), ..New::usd(app, "INV-1042", 125_000) };
    let (_, path) = open_by_link(app, &mut browser, new).await;
    let page = browser.get(&path).await;
    assert_eq!(
        texts(&page, "title"),
        ["Invoice INV-1042 – $1,250.00 left to pay, due 30 November 2026 – Northwind"]
    );
    for words in ["Amount due", "by 30 November 2026", "Due in 14 days", "PO 7741", "Managed workplace"] {
        page.tells(words);
    }
    assert_eq!(texts(&page, ".pencil"), ["Change amount"]);
    assert_eq!(attribute(&page, ".pencil", "aria-describedby").as_deref(), Some("figure"));
    assert_eq!(texts(&page, ".act .pay"), ["Pay $1,250.00"]);
    assert!(texts(&page, "footer")[0].contains("help@northwind.example"));
    assert_eq!(attribute(&page, "svg.bar", "class"), None, "no bar before anything is paid");
    assert!(notices(&page).is_empty());
});

on_both_engines!(an_unfinished_payment_of_ones_own_is_offered_again, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let payment = start(&mut browser, &path, 50_000).await;
    let page = browser.get(&path).await;
    let own = "You started a card payment of $500.00 at 04:00 Eastern time and have not finished it. No money has \
               been taken.";
    assert_eq!(notices(&page), [own]);
    assert_eq!(
        texts(&page, ".note a, .note button"),
        ["Continue to the card page", "Cancel it and start again"]
    );
    let on = attribute(&page, ".note a", "href").expect("a way on");
    assert!(browser.get(&on).await.left_for.is_some(), "it leads to the card page");
    app.pay(invoice, 75_000).await;
    let page = browser.get(&path).await;
    let others = "A card payment of $750.00 is being made right now. If it is not finished, the $750.00 is free again.";
    assert_eq!(notices(&page), [own, others], "at most two, one's own first");
    assert_eq!(texts(&page, ".pay, .pencil"), [""; 0]);
    let csrf = page.hidden("csrf");
    let cancel = format!("{}/cancel", payment_path(payment));
    let after = browser.post(&cancel, &[("csrf", &csrf)]).await;
    assert_eq!(after.path, path, "start again");
    after.tells("Pay $500.00");
    let words = "A card payment of $750.00 is being made right now. You can pay the other $500.00. If it is not \
                 finished, the $750.00 is free again.";
    assert_eq!(notices(&after), [words]);
});

on_both_engines!(all_in_flight_offers_nothing_to_pay, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    app.pay(invoice, 50_000).await;
    app.pay(invoice, 75_000).await;
    let page = browser.get(&path).await;
    let others = "2 card payments of $1,250.00 in all are being made right now. If they are not finished, the \
                  $1,250.00 is free again.";
    let all = "All of this invoice is being paid right now. Nothing more to pay unless that payment does not go \
               through.";
    assert_eq!(notices(&page), [others, all]);
    assert_eq!(texts(&page, ".pay, .pencil"), [""; 0]);
    page.tells("Left to pay $0.00");
    page.tells("Payment in progress");
    assert_eq!(figures(&page)[2..], ["In progress $1,250.00", "Left to pay $0.00, 0 US dollars"]);
});

on_both_engines!(a_card_page_that_did_not_open_is_told_so, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let form = filled(&browser.get(&format!("{path}/pay?amount=50000")).await);
    app.sandbox.arm_fault(Fault::once("POST /v1/checkout/sessions", FaultKind::Status500After));
    let result = press(&mut browser, &path, &form).await;
    result.tells("The card page did not open");
    result.tells("No money has been taken.");
    assert_eq!(texts(&result, ".row a"), ["Try again", "Back to invoice"]);
    let page = browser.get(&path).await;
    let words = "The card page for your payment of $500.00 did not open. No money has been taken.";
    assert!(notices(&page)[0].starts_with(words), "{:?}", notices(&page));
    assert_eq!(texts(&page, ".note a"), ["See that payment"]);
    let mut colleague = Browser::another(&browser.origin);
    open(app, &mut colleague, invoice).await;
    let seen = colleague.get(&path).await;
    let words =
        "We are checking a payment of $500.00. Do not pay it again. We will e-mail you as soon as we know.";
    assert_eq!(notices(&seen), [words], "who did not see the page fail is told to wait");
    let payment = form.iter().find(|(name, _)| *name == "intent").expect("the payment's id").1.clone();
    let payment = payment_path(payment.parse().expect("an id"));
    colleague.get(&payment).await.tells("We do not know yet");
    assert!(texts(&page, ".timeline li")[0].contains("We are checking this payment, started 16 Nov"));
    assert_eq!(texts(&page, ".act .pay"), ["Pay $750.00"]);
    app.settle_after(jiff::SignedDuration::from_secs(6)).await;
    let page = browser.get(&path).await;
    let words = "You started a card payment of $500.00";
    assert!(notices(&page)[0].starts_with(words), "found again: {:?}", notices(&page));
    assert_eq!(app.figures(invoice).await, (125_000, 50_000, 0));
});

on_both_engines!(a_late_invoice_says_that_any_part_helps, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let new = New { due_on: date(2026, 10, 30), ..New::usd(app, "INV-1042", 125_000) };
    let (_, path) = open_by_link(app, &mut browser, new).await;
    let page = browser.get(&path).await;
    let words =
        "This was due on 30 Oct. Paying any part now is still useful: reminders count only what is left.";
    assert_eq!(notices(&page), [words]);
    page.tells("Overdue by 17 days");
});

on_both_engines!(payments_are_listed_with_what_was_left_after_each, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    sign_in(app, &mut browser).await;
    let invoice = New::usd(app, "INV-1042", 125_000).issue(app).await;
    let path = format!("/p/northwind/invoices/{invoice}");
    let own = start(&mut browser, &path, 50_000).await;
    app.card(own, VISA).await;
    app.settle_after(jiff::SignedDuration::from_secs(60)).await;
    let mut payer = Browser::another(&browser.origin);
    open(app, &mut payer, invoice).await;
    let theirs = start(&mut payer, &path, 25_000).await;
    app.card(theirs, "5555555555554444").await;
    app.settle_after(jiff::SignedDuration::from_secs(60)).await;
    let dropped = start(&mut payer, &path, 10_000).await;
    let turned = payer.get(&format!("{}/turned-back", payment_path(dropped))).await;
    turned.tells("You cancelled this payment");
    let page = browser.get(&path).await;
    let rows = texts(&page, ".timeline li");
    assert_eq!(rows.len(), 3);
    assert!(rows[0].starts_with("Mastercard ending 4444"), "{rows:?}");
    assert!(rows[0].contains("$500.00 left after it"), "{rows:?}");
    assert!(rows[1].contains("Received 16 Nov, from Dana"), "{rows:?}");
    assert!(rows[1].contains("$750.00 left after it"), "{rows:?}");
    assert_eq!(texts(&page, ".tries summary"), ["1 try not completed"]);
    assert!(
        rows[2].starts_with("Card payment"),
        "tries that took no money come after, folded away: {rows:?}"
    );
    assert!(rows[2].contains("Started 16 Nov, not completed. No money was taken"), "{rows:?}");
    assert_eq!(figures(&page)[..2], ["Total $1,250.00", "Paid so far $750.00"]);
    page.tells("Partly paid");
    assert_eq!(texts(&page, "svg.bar rect").len(), 2);
    let seen_by_link = texts(&payer.get(&path).await, ".timeline li");
    assert!(seen_by_link[1].contains("from someone at Acme"), "{seen_by_link:?}");
    assert!(!seen_by_link[0].contains("from"), "one's own payment names nobody: {seen_by_link:?}");
    assert!(!seen_by_link.join(" ").contains("Dana"), "names are for people of the company");
});

on_both_engines!(credit_that_came_back_is_listed_like_a_payment, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let other = start(&mut browser, &path, 100_000).await;
    let payment = app.pay(invoice, 25_000).await;
    let more = json!({ "session": app.session(payment).await, "amount": 40_000, "currency": "usd" });
    app.control("/capture_override", more).await;
    app.card(payment, VISA).await;
    app.settle_after(jiff::SignedDuration::from_mins(1)).await;
    let receipt = browser.get(&format!("{}/receipt", payment_path(payment))).await;
    receipt.tells("Kept as credit for your next invoice");
    receipt.tells("$150.00");
    let turned = browser.get(&format!("{}/turned-back", payment_path(other))).await;
    turned.tells("INV-1042 still shows $850.00 left.");
    let rows = texts(&browser.get(&path).await, ".timeline li");
    assert!(rows[0].starts_with("Customer credit Applied 16 Nov $850.00 left after it"), "{rows:?}");
    assert!(rows[0].ends_with("$150.00"), "{rows:?}");
    assert!(rows[1].contains("$1,000.00 left after it") && rows[1].ends_with("$250.00"), "{rows:?}");
    assert_eq!(app.figures(invoice).await, (85_000, 0, 40_000));
});

on_both_engines!(a_paid_invoice_says_when_and_keeps_its_receipts, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    app.pay_with_visa(invoice, 125_000).await;
    let page = browser.get(&path).await;
    page.tells("Paid in full on 16 Nov");
    assert_eq!(texts(&page, ".pay, .pencil"), [""; 0]);
    assert!(texts(&page, ".timeline a")[0].starts_with("Receipt"));
    assert_eq!(texts(&page, "title"), ["Invoice INV-1042 – Paid – Northwind"]);
});

on_both_engines!(somebody_who_came_by_another_link_is_told_apart, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    sign_in(app, &mut browser).await;
    let invoice = New::usd(app, "INV-1042", 125_000).issue(app).await;
    let payment = app.payment_id();
    let form = StartPayment {
        payment,
        payer: Payer { session_hash: [9; 32], contact_id: None, link_id: None, client: None },
        ..app.ask(invoice, 20_000)
    };
    app.pay_as(form).await;
    let page = browser.get(&format!("/p/northwind/invoices/{invoice}")).await;
    assert_eq!(texts(&page, ".note form button"), [""; 0], "nobody cancels another's payment");
    let csrf = page.hidden("csrf");
    let refused = browser.post(&format!("{}/cancel", payment_path(payment)), &[("csrf", &csrf)]).await;
    assert_eq!(refused.status, 404);
    assert_eq!(app.figures(invoice).await, (125_000, 20_000, 0));
});
