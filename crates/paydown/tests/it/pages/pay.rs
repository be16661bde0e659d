//! S9: the check page, its form and everything that can be wrong with it. Nothing that is refused loses what was typed.

use super::{
    New, Tells as _, attribute, filled, open_by_link, payment_path, press, sign_in, start, texts, with,
};
use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use billing::payment::{Method, PaymentState};
use billing::surcharge::Surcharge;
use jiff::SignedDuration;
use ledger::{Currency, Money};

const FEE: Surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };

fn summary(page: &Page) -> Vec<String> {
    texts(page, ".check > div")
}

fn value(page: &Page, field: &str) -> Option<String> {
    attribute(page, &format!("#{field}"), "value")
}

on_both_engines!(the_check_page_says_who_is_paid_what_and_where, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let page = browser.get(&format!("{path}/pay?amount=50000")).await;
    assert_eq!(texts(&page, "h1"), ["Check and pay"]);
    assert_eq!(
        summary(&page),
        [
            "Paying now $500.00, 500 US dollars Change the amount",
            "Left to pay $750.00",
            "For INV-1042",
            "To Northwind (statement line NORTHWIND)",
            "How Card",
        ]
    );
    assert_eq!(texts(&page, ".pay"), ["Continue to the card page"]);
    page.tells(
        "You type your card on the practice processor’s page and come back here. You have 30 minutes. Nothing is \
         taken before you press Pay there.",
    );
    assert_eq!(value(&page, "receipt_email").as_deref(), Some(""), "asked of people with a link");
    let policy = page.headers["content-security-policy"].to_str().expect("text").to_owned();
    let processor = app.sandbox.base_url();
    assert!(policy.contains(&format!("form-action 'self' {processor}")), "{policy}");
    let change = attribute(&page, ".change a", "href").expect("a link");
    let amount = browser.get(&change).await;
    assert_eq!(value(&amount, "amount").as_deref(), Some("500.00"));
    sign_in(app, &mut browser).await;
    let known = browser.get(&format!("{path}/pay")).await;
    assert_eq!(value(&known, "receipt_email").as_deref(), Some("dana@acme.example"));
});

on_both_engines!(a_field_that_is_wrong_keeps_what_was_typed, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let form = filled(&browser.get(&format!("{path}/pay?amount=50000")).await);
    let form = with(&form, "payer_reference", "Run 118");
    let long = "x".repeat(61);
    for (field, typed, words) in [
        ("receipt_email", "", "Enter the e-mail address for the receipt"),
        ("receipt_email", "payer@", "Enter an e-mail address like name@company.com"),
        ("payer_reference", long.as_str(), "Your reference must have no more than 60 characters"),
    ] {
        let page = press(&mut browser, &path, &with(&form, field, typed)).await;
        assert_eq!(page.status, 422, "{words}");
        assert_eq!(texts(&page, "#why"), [words]);
        assert_eq!(texts(&page, &format!(".summary a[href='#{field}']")), [words]);
        assert_eq!(value(&page, field).as_deref(), Some(typed));
        assert_eq!(summary(&page)[0], "Paying now $500.00, 500 US dollars Change the amount");
        assert_eq!(page.hidden("intent"), form.iter().find(|(name, _)| *name == "intent").expect("an id").1);
    }
    let page = press(&mut browser, &path, &with(&form, "payer_reference", "4242 4242 4242 4242")).await;
    assert_eq!(page.status, 422);
    page.tells("Your reference must not hold a card number. The card is typed on the card page");
    assert!(!page.html.contains("4242"), "it is not sent back");
    let beyond = with(&with(&form, "amount", "125001"), "receipt_email", "");
    let page = press(&mut browser, &path, &beyond).await;
    assert_eq!(page.status, 409, "an amount that is not legal is never shown as one");
    page.tells("No money has been taken.");
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
});

on_both_engines!(a_form_that_did_not_arrive_whole_takes_nothing, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let form = filled(&browser.get(&format!("{path}/pay?amount=50000")).await);
    let form = with(&form, "payer_reference", "Run 118");
    for (field, sent) in [("intent", ""), ("intent", "pay_nonsense"), ("fee", "x"), ("fee", "")] {
        let page = press(&mut browser, &path, &with(&form, field, sent)).await;
        assert_eq!(page.status, 422, "{field}={sent}");
        page.tells(
            "No money has been taken. What was sent did not arrive whole. Check this page, then go on",
        );
        assert_eq!(value(&page, "payer_reference").as_deref(), Some("Run 118"));
        assert_eq!(value(&page, "receipt_email").as_deref(), Some("payer@acme.test"));
        assert_eq!(summary(&page)[0], "Paying now $500.00, 500 US dollars Change the amount");
        let again = press(&mut browser, &path, &[filled(&page), vec![]].concat()).await;
        assert_ne!(again.status, 500);
        let payment = page.hidden("intent").parse().expect("a fresh form has an id");
        browser.get(&format!("{}/turned-back", payment_path(payment))).await;
    }
    for sent in ["", "500.00", "99999999999999999999", "x"] {
        let page = press(&mut browser, &path, &with(&form, "amount", sent)).await;
        assert_eq!(page.status, 422, "amount={sent}");
        page.tells("No money has been taken. Enter the amount to pay now");
        assert_eq!(value(&page, "amount").as_deref(), Some(""), "nothing is read as all");
    }
    let missing: Vec<_> = form.iter().filter(|(name, _)| *name == "csrf").cloned().collect();
    let page = press(&mut browser, &path, &missing).await;
    assert_eq!(page.status, 422);
    page.tells("No money has been taken.");
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
});

on_both_engines!(a_fee_is_shown_posted_and_charged, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    app.set_surcharge(Currency::USD, FEE).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let page = browser.get(&format!("{path}/pay?amount=40000")).await;
    assert_eq!(summary(&page)[1], "Fee $11.90 · Charged to your card $411.90");
    let form = filled(&page);
    assert!(press(&mut browser, &path, &form).await.left_for.is_some());
    let payment = page.hidden("intent").parse().expect("the form carries the payment's id");
    app.card(payment, VISA).await;
    let result = browser.get(&format!("{}/return", payment_path(payment))).await;
    result.tells("$400.00 paid. $850.00 is left on INV-1042, due 30 Nov.");
    let receipt = browser.get(&format!("{}/receipt", payment_path(payment))).await;
    receipt.tells("Fee $11.90");
    receipt.tells("Charged to your card $411.90");
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (85_000, 0, 40_000), "the fee never touches the invoice");
    assert_eq!(app.payment(payment).await.captured, Some(Money::new(41_190, Currency::USD)));
});

on_both_engines!(a_fee_of_nothing_is_said_where_fees_are_passed_on, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let euros = New { currency: Currency::EUR, ..New::usd(app, "INV-1", 50_000) };
    let (_, path) = open_by_link(app, &mut browser, euros).await;
    let page = browser.get(&format!("{path}/pay")).await;
    assert!(!page.told().contains("fee") && !page.told().contains("Fee"), "nobody passes one on");
    app.set_surcharge(Currency::USD, FEE).await;
    let page = browser.get(&format!("{path}/pay")).await;
    assert_eq!(summary(&page)[1], "Fee No fee");
    assert_eq!(attribute(&page, "[name=fee]", "value").as_deref(), Some("0"));
    let left = press(&mut browser, &path, &filled(&page)).await;
    assert!(left.left_for.is_some(), "{}", left.told());
});

on_both_engines!(a_fee_that_changed_is_said_before_anything_is_taken, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    app.set_surcharge(Currency::USD, FEE).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let form =
        with(&filled(&browser.get(&format!("{path}/pay?amount=40000")).await), "payer_reference", "Run 9");
    app.set_surcharge(Currency::USD, Surcharge { fixed_minor: 130, ..FEE }).await;
    let page = press(&mut browser, &path, &form).await;
    assert_eq!(page.status, 409);
    page.tells(
        "There is a problem No money has been taken. The fee is now $12.90, it was $11.90. Check what you will be \
         charged, then go on",
    );
    assert!(texts(&page, "title")[0].starts_with("Error: "));
    assert_eq!(summary(&page)[1], "Fee $12.90 · Charged to your card $412.90");
    assert_eq!(value(&page, "payer_reference").as_deref(), Some("Run 9"));
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0), "nothing was reserved");
    let left = press(&mut browser, &path, &filled(&page)).await;
    assert!(left.left_for.is_some(), "the same form goes on: {}", left.told());
    app.set_surcharge(Currency::USD, Surcharge::NONE).await;
    let again = press(&mut browser, &path, &filled(&page)).await;
    assert_eq!(
        again.left_for, left.left_for,
        "a repeat leads to the same card page, whatever the fee is now"
    );
});

on_both_engines!(a_payment_of_a_short_while_ago_is_named_first, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let payment = start(&mut browser, &path, 50_000).await;
    app.advance(SignedDuration::from_mins(2));
    let page = browser.get(&format!("{path}/pay?amount=30000")).await;
    page.tells("You started a payment of $500.00 on this invoice 2 minutes ago. See that payment");
    page.tells("Continue only if you want to pay another $300.00.");
    let link = attribute(&page, ".note a", "href");
    assert_eq!(link.as_deref(), Some(payment_path(payment).as_str()));
    app.card(payment, VISA).await;
    app.settle_after(SignedDuration::from_mins(3)).await;
    let page = browser.get(&format!("{path}/pay?amount=30000")).await;
    page.tells("You paid $500.00 on this invoice 3 minutes ago.");
    for _ in 0..2 {
        app.advance(SignedDuration::from_mins(15));
        browser.get(&path).await;
    }
    let page = browser.get(&format!("{path}/pay?amount=30000")).await;
    assert_eq!(texts(&page, ".note"), [""; 0], "half an hour later it is no news");
});

on_both_engines!(the_same_form_twice_is_one_payment, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let page = browser.get(&format!("{path}/pay")).await;
    let form = filled(&page);
    let first = press(&mut browser, &path, &form).await;
    let second = press(&mut browser, &path, &form).await;
    assert!(first.left_for.is_some());
    assert_eq!(first.left_for, second.left_for, "the card page is open: there it goes on");
    let other = press(&mut browser, &path, &with(&form, "amount", "30000")).await;
    assert_eq!(other.status, 409);
    other.tells("You already started a payment of $1,250.00. Continue it, or cancel it and start again");
    assert_eq!(texts(&other, ".row a, .row button"), ["Continue it", "Cancel it and start again"]);
    assert_eq!(attribute(&other, "[name=intent]", "value"), None, "no form to pay a third time with");
    let payment = page.hidden("intent").parse().expect("an id");
    app.card(payment, VISA).await;
    app.settle().await;
    let third = press(&mut browser, &path, &form).await;
    assert_eq!(third.path, payment_path(payment));
    third.tells("Paid in full");
    third.tells("You pressed Pay twice. We only took it once.");
    assert_eq!(app.pages_made(), 1);
    assert_eq!(app.figures(invoice).await, (0, 0, 125_000));
});

on_both_engines!(two_tabs_pay_two_amounts, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let one = browser.get(&format!("{path}/pay?amount=50000")).await;
    let other = browser.get(&format!("{path}/pay?amount=80000")).await;
    assert!(press(&mut browser, &path, &filled(&one)).await.left_for.is_some());
    let refused = press(&mut browser, &path, &filled(&other)).await;
    assert_eq!(refused.status, 409);
    refused.tells(
        "No money has been taken. Amount to pay now must be $750.00 or less. $500.00 is already on its way",
    );
    let fits = with(&filled(&other), "amount", "75000");
    assert!(press(&mut browser, &path, &fits).await.left_for.is_some());
    assert_eq!(app.figures(invoice).await, (125_000, 125_000, 0));
    for page in [&one, &other] {
        let payment = page.hidden("intent").parse().expect("an id");
        assert_eq!(app.state(payment).await, PaymentState::RequiresAction);
        app.card(payment, VISA).await;
    }
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (0, 0, 125_000));
});

on_both_engines!(each_way_says_its_fee_before_it_is_chosen, async |app: &mut TestApp| {
    app.offer_debits().await;
    let mut browser = Browser::open(app).await;
    app.set_surcharge(Currency::USD, FEE).await;
    let debits = (Method::UsBankAccount, Currency::USD);
    let percent = Surcharge { rate_millionths: 10_000, fixed_minor: 0, cap_minor: None };
    app.set_surcharge_of(None, debits, percent).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let page = browser.get(&format!("{path}/pay?amount=40000")).await;
    page.tells("Fee $11.90 · Charged to your card $411.90");
    page.tells("Fee $4.00 · Taken from your account $404.00");
    assert!(page.told().contains("$404.00"), "what is allowed is what is taken");
    let fees =
        ["fee", "fee_us_bank_account"].map(|name| attribute(&page, &format!("[name={name}]"), "value"));
    assert_eq!(fees, [Some("1190".to_owned()), Some("400".to_owned())]);
    app.set_surcharge_of(None, debits, Surcharge { rate_millionths: 20_000, ..percent }).await;
    let form = [filled(&page), vec![("method", "us_bank_account".to_owned())]].concat();
    let again = press(&mut browser, &path, &form).await;
    assert_eq!(again.status, 409);
    again.tells("No money has been taken. The fee is now $8.00, it was $4.00.");
});
