//! S7 and S8: every row of the table of errors, the chips, the chosen amount.

use super::{
    New, Tells as _, attribute, filled, open, open_by_link, payment_path, press, sign_in, start, texts,
};
use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use billing::ids::InvoiceId;
use billing::policy::{Minimum, Partial, PolicyLayer};
use ledger::{Currency, Money};
use paydown::actions::void_invoice::{VoidInvoice, void_invoice};
use store::anomalies;
use store::db::Tx;
use store::policies::Scope;

/// Types an amount; the page says why it is refused, twice, and keeps what was typed.
async fn refused(browser: &mut Browser, path: &str, typed: &str, words: &str) -> Page {
    let query = serde_urlencoded::to_string([("typed", typed)]).expect("a query");
    let page = browser.get(&format!("{path}/amount?{query}")).await;
    assert_eq!(page.status, 422, "{typed}: {}", page.told());
    assert_eq!(texts(&page, "#why"), [words], "{typed}");
    assert_eq!(texts(&page, ".summary a[href='#amount']"), [words], "{typed}");
    assert_eq!(attribute(&page, "#amount", "value").as_deref(), Some(typed));
    assert_eq!(attribute(&page, "#amount", "aria-invalid").as_deref(), Some("true"));
    assert!(texts(&page, "title")[0].starts_with("Error: "));
    page
}

async fn policy(app: &TestApp, partial: Partial, minimum_minor: i64, floor_minor: i64) {
    let minimum = Minimum::Amount(Money::new(minimum_minor, Currency::USD));
    let layer = PolicyLayer {
        partial: Some(partial),
        minimum: (minimum_minor > 0).then_some(minimum),
        floor_minor: (floor_minor > 0).then_some(floor_minor),
        identify: None,
    };
    app.set_policy(Scope::Merchant, layer).await;
}

on_both_engines!(what_cannot_be_paid_is_refused_in_words, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    policy(app, Partial::Always, 2_500, 1_000).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let form = browser.get(&format!("{path}/amount")).await;
    form.tells("How much do you want to pay now?");
    form.tells("Between $25.00 and $1,250.00");
    assert_eq!(texts(&form, ".amount-form button"), ["Confirm amount"]);
    assert!(attribute(&form, "#amount[autofocus]", "value").is_some());
    for (typed, words) in [
        ("", "Enter the amount to pay now"),
        ("five", "Amount to pay now must be a number, like 500 or 500.00"),
        ("1e3", "Amount to pay now must be a number, like 500 or 500.00"),
        ("1,2,3", "Amount to pay now must be a number, like 500 or 500.00"),
        ("1234567890123456", "Amount to pay now must be a number, like 500 or 500.00"),
        ("500.0051", "Amount to pay now must have no more than 2 digits after the decimal point"),
        ("0", "Amount to pay now must be more than $0.00"),
        ("24.99", "Amount to pay now must be $25.00 or more"),
        ("1,250.01", "Amount to pay now must be $1,250.00 or less, which is all that is left"),
        ("1.234", "We are not sure what 1.234 means. Enter 1,234 or 1.23"),
        ("€500", "This invoice is in US dollars. Enter an amount in US dollars"),
        ("500 GBP", "This invoice is in US dollars. Enter an amount in US dollars"),
        ("1%", "Enter a percentage between 2% and 100%"),
        ("101%", "Enter a percentage between 2% and 100%"),
    ] {
        refused(&mut browser, &path, typed, words).await;
    }
    let words = "$1,249.60 would leave $0.40. Pay $1,250.00, or $1,240.00 or less";
    let crumb = refused(&mut browser, &path, "1249.60", words).await;
    assert_eq!(texts(&crumb, ".summary .chips a"), ["Pay $1,250.00", "Pay $1,240.00"]);
    let to = attribute(&crumb, ".summary .chips a:last-child", "href").expect("a way out");
    browser.get(&to).await.tells("Pay partial amount: $1,240.00");
});

on_both_engines!(amounts_are_read_as_people_write_them, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    browser.get(&format!("{path}/amount")).await.tells("Between $0.50 and $1,250.00");
    for (typed, figure) in [
        ("500", "$500.00"),
        (" 500.5 ", "$500.50"),
        ("$1,000.00", "$1,000.00"),
        ("1.000,50", "$1,000.50"),
        ("USD 400", "$400.00"),
        ("٣٠٠", "$300.00"),
        ("1 000", "$1,000.00"),
        ("50%", "$625.00"),
    ] {
        let query = serde_urlencoded::to_string([("typed", typed)]).expect("a query");
        let page = browser.get(&format!("{path}/amount?{query}")).await;
        page.tells(&format!("Pay partial amount: {figure}"));
    }
    let all = browser.get(&format!("{path}/amount?typed=1250")).await;
    all.tells("Pay $1,250.00");
    assert!(!all.html.contains("partial"), "all that is left is no part");
    let cents = "A card payment must be $0.50 or more";
    refused(&mut browser, &path, "0.49", cents).await;
});

on_both_engines!(a_chosen_amount_is_shown_with_what_stays, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let chosen = browser.get(&format!("{path}?amount=50000")).await;
    chosen.tells("You are paying");
    chosen.tells("of $1,250.00");
    chosen.tells("Left after this $750.00");
    chosen.tells("Pay the full $1,250.00 instead");
    assert!(texts(&chosen, "title")[0].starts_with("Paying $500.00 of $1,250.00"));
    let amount = attribute(&chosen, "form.act input[name=amount]", "value");
    assert_eq!(amount.as_deref(), Some("50000"), "the button carries what is shown");
    let full = browser.get(&format!("{path}?amount=125000")).await;
    assert!(!full.html.contains("partial"));
    browser.get(&format!("{path}/amount?amount=50000")).await;
    let other_tab = browser.get(&format!("{path}?amount=30000")).await;
    other_tab.tells("Pay partial amount: $300.00");
    browser.get(&format!("{path}?amount=50000")).await.tells("Pay partial amount: $500.00");
    assert_eq!(browser.get(&format!("{path}?amount=nonsense")).await.status, 409);
});

on_both_engines!(chips_are_legal_amounts_and_the_readers_own_last_one, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    sign_in(app, &mut browser).await;
    let first = New::usd(app, "INV-1", 50_000).issue(app).await;
    let first_path = format!("/p/northwind/invoices/{first}");
    let paid = start(&mut browser, &first_path, 20_000).await;
    app.card(paid, VISA).await;
    app.settle().await;
    let second = New::usd(app, "INV-2", 125_000).issue(app).await;
    let path = format!("/p/northwind/invoices/{second}");
    let chips = |page: &Page| texts(page, ".amount-form .chips a");
    let own = browser.get(&format!("{path}/amount")).await;
    assert_eq!(chips(&own), ["Half $625.00", "All $1,250.00", "Same as last time $200.00"]);
    let half = attribute(&own, ".amount-form .chips a", "href").expect("a link");
    browser.get(&half).await.tells("Pay partial amount: $625.00");
    let mut other = Browser::another(&browser.origin);
    let path = open(app, &mut other, second).await;
    let others = other.get(&format!("{path}/amount")).await;
    assert_eq!(chips(&others), ["Half $625.00", "All $1,250.00"], "that was somebody else");
    policy(app, Partial::Always, 70_000, 0).await;
    let fewer = other.get(&format!("{path}/amount")).await;
    assert_eq!(chips(&fewer), ["All $1,250.00"], "only legal ones");
});

/// An amount by address that is not legal now: 409 with fresh figures, whatever its page showed.
async fn stale(browser: &mut Browser, path: &str, minor: i64, words: &str) -> Page {
    for address in [format!("{path}?amount={minor}"), format!("{path}/pay?amount={minor}")] {
        let page = browser.get(&address).await;
        assert_eq!(page.status, 409, "{address}: {}", page.told());
        page.tells(words);
    }
    browser.get(&format!("{path}?amount={minor}")).await
}

on_both_engines!(a_stale_page_is_told_what_changed, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let stale_form = filled(&browser.get(&format!("{path}/pay?amount=100000")).await);
    let whole_form = filled(&browser.get(&format!("{path}/pay")).await);
    let payment = app.pay(invoice, 30_000).await;
    stale(&mut browser, &path, 100_000, "must be $950.00 or less. $300.00 is already on its way").await;
    app.card(payment, VISA).await;
    app.settle().await;
    let words = "$300.00 was paid on this invoice a moment ago, so $950.00 is left. Check your amount";
    let page = stale(&mut browser, &path, 100_000, words).await;
    assert_eq!(attribute(&page, "#amount", "value").as_deref(), Some("1,000.00"));
    let pressed = press(&mut browser, &path, &stale_form).await;
    assert_eq!(pressed.status, 409);
    pressed
        .tells("There is a problem No money has been taken. $300.00 was paid on this invoice a moment ago");
    app.pay_with_visa(invoice, 95_000).await;
    stale(&mut browser, &path, 50_000, "INV-1042 was paid in full a moment ago. Nothing is left to pay")
        .await;
    let pressed = press(&mut browser, &path, &whole_form).await;
    assert_eq!(pressed.status, 409);
    pressed.tells("No money has been taken. INV-1042 was paid in full a moment ago.");
    app.settle_after(jiff::SignedDuration::from_mins(29)).await;
    browser.get(&path).await;
    app.advance(jiff::SignedDuration::from_mins(2));
    let later = browser.get(&format!("{path}/pay?amount=50000")).await;
    assert_eq!(later.path, path, "long done with: the invoice says so itself");
    later.tells("Paid in full on 16 Nov");
});

async fn void(app: &TestApp, invoice: InvoiceId) {
    let input = VoidInvoice { merchant: app.merchant, invoice, actor: "cli:test".to_owned() };
    let voided = void_invoice(&app.app, input).await.expect("stored").expect("there");
    voided.expect("nothing was paid on it");
}

on_both_engines!(an_invoice_that_was_cancelled_takes_no_amount, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let form = filled(&browser.get(&format!("{path}/pay?amount=50000")).await);
    void(app, invoice).await;
    let words = "Northwind cancelled this invoice on 16 Nov. Nothing is due.";
    for address in ["?amount=50000", "/amount", "/amount?typed=5", "/pay", ""] {
        let page = browser.get(&format!("{path}{address}")).await;
        assert_eq!((page.status, page.path.as_str()), (200, path.as_str()), "{address}");
        page.tells(words);
        assert_eq!(texts(&page, ".pay, .pencil"), [""; 0], "{address}");
    }
    let pressed = press(&mut browser, &path, &form).await;
    assert_eq!(pressed.status, 409);
    pressed.tells(&format!("No money has been taken. {words}"));
});

on_both_engines!(an_invoice_to_be_paid_in_full_has_no_pencil, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    policy(app, Partial::Never, 0, 0).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let words = "Northwind asks for this invoice to be paid in full.";
    let page = browser.get(&path).await;
    page.tells(words);
    assert_eq!(texts(&page, ".pencil"), [""; 0]);
    for address in ["/amount", "/amount?typed=500", "?amount=50000", "/pay?amount=50000"] {
        let page = browser.get(&format!("{path}{address}")).await;
        assert_eq!(page.status, 409, "{address}");
        page.tells(words);
        assert_eq!(texts(&page, ".summary .chips a"), ["Pay $1,250.00"], "{address}");
    }
    let pay = browser.get(&format!("{path}/pay")).await;
    assert_eq!(attribute(&pay, ".check .change a", "href"), None, "there is nothing to change");
});

on_both_engines!(little_that_is_left_is_paid_whole_or_not_at_all, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1", 90)).await;
    let page = browser.get(&path).await;
    page.tells("Pay $0.90");
    assert_eq!(texts(&page, ".pencil"), [""; 0], "every part would leave too little");
    assert!(!page.told().contains("asks for this invoice to be paid in full"), "nobody asked for that");
    let by_address = browser.get(&format!("{path}/amount")).await;
    assert_eq!(by_address.status, 409);
    by_address.tells("$0.90 is the least that can be paid now");
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-2", 30)).await;
    let words = "$0.30 is left, less than a card can take.";
    let page = browser.get(&path).await;
    page.tells(words);
    assert_eq!(texts(&page, ".pay, .pencil"), [""; 0]);
    page.tells("Northwind has been told; there is nothing you need to do");
    let by_address = browser.get(&format!("{path}/pay")).await;
    assert_eq!(by_address.status, 409);
    by_address.tells(words);
    let merchant = app.merchant;
    let told = app.app.store.read(async move |tx: &mut Tx| anomalies::list(tx, merchant, 9).await);
    let told: Vec<_> = told.await.expect("read").into_iter().map(|one| (one.kind, one.detail)).collect();
    let detail = "30 minor units are left on INV-2, less than a card can take".to_owned();
    assert_eq!(told, [("too_little_left".to_owned(), detail)], "told once, however often it is looked at");
});

on_both_engines!(of_more_than_a_card_can_carry_the_most_is_offered, async |app: &mut TestApp| {
    const MOST: &str = "A card payment can be at most $999,999.99";
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1", 150_000_000)).await;
    let page = browser.get(&path).await;
    page.tells("Amount due $1,500,000.00");
    page.tells(&format!("{MOST}."));
    assert_eq!(texts(&page, ".act .pay"), ["Pay partial amount: $999,999.99"]);
    assert_eq!(attribute(&page, ".act [name=amount]", "value").as_deref(), Some("99999999"));
    assert_eq!(attribute(&page, "[data-say]", "data-say"), None, "nobody chose it");
    assert!(!page.told().contains("instead"), "all of it cannot be paid at once: {}", page.told());
    let chosen = browser.get(&format!("{path}?amount=60000000")).await;
    chosen.tells("You are paying $600,000.00");
    assert!(!chosen.told().contains("instead"), "{}", chosen.told());
    let check = browser.get(&format!("{path}/pay?amount=99999999")).await;
    assert_eq!(check.status, 200);
    check.tells("Check and pay");
    app.pay_with_visa(invoice, 99_999_999).await;
    let rest = browser.get(&path).await;
    assert_eq!(texts(&rest, ".act .pay"), ["Pay $500,000.01"]);
    assert!(!rest.told().contains(MOST), "{}", rest.told());
    policy(app, Partial::Never, 0, 0).await;
    let (_, path) = open_by_link(app, &mut browser, New::usd(app, "INV-2", 150_000_000)).await;
    let words =
        &format!("{MOST}, and Northwind takes no part of this invoice that small. Ask how to pay: help@");
    let page = browser.get(&path).await;
    page.tells(words);
    assert_eq!(texts(&page, ".pay, .pencil"), [""; 0]);
    for address in ["/amount", "/pay"] {
        let page = browser.get(&format!("{path}{address}")).await;
        assert_eq!(page.status, 409, "{address}");
        page.tells(words);
        assert_eq!(texts(&page, "#amount"), [""; 0], "{address}");
    }
});

on_both_engines!(an_amount_on_its_way_is_named, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let payment = app.pay(invoice, 50_000).await;
    let words = "Amount to pay now must be $750.00 or less. $500.00 is already on its way";
    refused(&mut browser, &path, "751", words).await;
    app.pay(invoice, 75_000).await;
    let page = browser.get(&format!("{path}/amount")).await;
    assert_eq!(page.status, 409);
    page.tells("All of this invoice is being paid right now.");
    assert_eq!(texts(&page, "#amount"), [""; 0]);
    let state = browser.get(&payment_path(payment)).await;
    assert_eq!(state.status, 200);
});
