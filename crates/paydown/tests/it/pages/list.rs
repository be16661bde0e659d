//! S5: tabs, counts, sums, search, orders and pages of the invoice list.

use super::{New, Tells as _, attribute, sign_in, texts};
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use jiff::civil::date;
use ledger::Currency;
use paydown::actions::create_customer::{NewCustomer, create_customer};
use paydown::actions::void_invoice::{VoidInvoice, void_invoice};

const LIST: &str = "/p/northwind/invoices";

fn numbers(page: &Page) -> Vec<String> {
    texts(page, "tbody th")
}

fn tabs(page: &Page) -> Vec<String> {
    texts(page, ".tabs a")
}

/// Every number of a tab in an order, by pressing Next to the end; then back by Previous, seeing the same pages.
async fn walk(browser: &mut Browser, address: &str) -> Vec<String> {
    let mut page = browser.get(address).await;
    assert_eq!(attribute(&page, "a[rel=prev]", "href"), None, "nothing is before the first page");
    let mut seen = vec![numbers(&page)];
    while let Some(next) = attribute(&page, "a[rel=next]", "href") {
        assert_eq!(texts(&page, "a[rel=next]"), ["Next"]);
        page = browser.get(&next).await;
        seen.push(numbers(&page));
    }
    for before in seen.iter().rev().skip(1) {
        let previous = attribute(&page, "a[rel=prev]", "href").expect("a page before");
        page = browser.get(&previous).await;
        assert_eq!(&numbers(&page), before);
    }
    assert_eq!(attribute(&page, "a[rel=prev]", "href"), None, "back at the first page");
    seen.concat()
}

/// Which of [`many`] it is.
fn made_as(number: &str) -> i64 {
    number["INV-".len()..].parse::<i64>().expect("a number") - 970
}

/// 60 open invoices over three due dates, numbers crossing from three to four digits.
async fn many(app: &TestApp) {
    for n in 0..60_i64 {
        let number = format!("INV-{}", 970 + n);
        let due_on = date(2026, 12, 1 + i8::try_from(n % 3).expect("a day"));
        let new = New { due_on, ..New::usd(app, &number, 10_000 + 100 * (n % 4)) };
        new.issue(app).await;
    }
}

on_both_engines!(every_order_has_pages_that_lead_on_and_back, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    sign_in(app, &mut browser).await;
    many(app).await;
    let by_number = walk(&mut browser, &format!("{LIST}?sort=number")).await;
    let expected: Vec<String> = (970..1030).rev().map(|n| format!("INV-{n}")).collect();
    assert_eq!(by_number, expected, "1000 comes before 999");
    let by_left = walk(&mut browser, &format!("{LIST}?tab=all&sort=left")).await;
    assert!(
        by_left[..15].iter().all(|number| made_as(number) % 4 == 3),
        "the most is left first: {by_left:?}"
    );
    let by_due = walk(&mut browser, LIST).await;
    assert!(by_due[..20].iter().all(|number| made_as(number) % 3 == 0), "the earliest first: {by_due:?}");
    for mut order in [by_left, by_due] {
        order.sort_unstable_by_key(|number| std::cmp::Reverse(made_as(number)));
        assert_eq!(order, expected);
    }
    let page = browser.get(LIST).await;
    assert_eq!(tabs(&page), ["To pay (60)", "In progress (0)", "Paid", "All"]);
    assert_eq!(texts(&page, "caption"), ["Invoices to pay, 60, sorted by due date"]);
    page.tells("Left to pay to Northwind");
    page.tells("$6,090.00");
    let found = browser.get(&format!("{LIST}?q=inv-10")).await;
    assert_eq!(texts(&found, "caption"), ["Invoices to pay, 30, sorted by due date"]);
    assert_eq!(walk(&mut browser, &format!("{LIST}?q=inv-10&sort=number")).await.len(), 30);
});

on_both_engines!(a_page_that_is_gone_leads_to_the_first, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    sign_in(app, &mut browser).await;
    let invoice = New::usd(app, "INV-1042", 125_000).issue(app).await;
    for place in ["after=2030-01-01~", "before=2020-01-01~"] {
        let page = browser.get(&format!("{LIST}?{place}{invoice}")).await;
        assert_eq!(numbers(&page), ["INV-1042"], "{place}");
        assert_eq!(attribute(&page, ".pages a", "href"), None, "{place}");
    }
    for nonsense in ["after=x", "before=~", "after=2026-13-01~inv_0", "tab=none&sort=none&q=%00"] {
        assert_eq!(browser.get(&format!("{LIST}?{nonsense}")).await.status, 200, "{nonsense}");
    }
});

on_both_engines!(tabs_sums_and_overdue_say_what_is_owed, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    sign_in(app, &mut browser).await;
    let paid = New::usd(app, "INV-1", 20_000).issue(app).await;
    let late = New { due_on: date(2026, 11, 15), ..New::usd(app, "INV-2", 50_000) }.issue(app).await;
    New { currency: Currency::EUR, ..New::usd(app, "INV-3", 40_000) }.issue(app).await;
    let in_flight = New::usd(app, "INV-4", 30_000).issue(app).await;
    let void = New::usd(app, "INV-5", 70_000).issue(app).await;
    let input = VoidInvoice { merchant: app.merchant, invoice: void, actor: "cli:test".to_owned() };
    let voided = void_invoice(&app.app, input).await.expect("stored").expect("there");
    voided.expect("nothing was paid on it");
    stranger(app).await;
    app.pay_with_visa(paid, 20_000).await;
    app.pay_with_visa(late, 10_000).await;
    app.pay(in_flight, 30_000).await;
    let page = browser.get(LIST).await;
    assert_eq!(tabs(&page), ["To pay (2)", "In progress (1)", "Paid", "All"]);
    assert_eq!(numbers(&page), ["INV-2", "INV-3"]);
    assert_eq!(texts(&page, ".owed b"), ["€400.00, 400 euros", "$400.00, 400 US dollars"]);
    page.tells("$400.00 of it is overdue.");
    page.tells("Partly paid Overdue by 1 day");
    assert_eq!(texts(&page, ".go a"), ["Pay INV-2", "Pay INV-3"]);
    assert_eq!(texts(&page, "td.what"), ["Managed workplace", "Managed workplace"]);
    let progress = browser.get(&format!("{LIST}?tab=in-progress")).await;
    assert_eq!(numbers(&progress), ["INV-4"]);
    progress.tells("Payment in progress");
    assert_eq!(texts(&progress, ".go a"), [""; 0]);
    let done = browser.get(&format!("{LIST}?tab=paid")).await;
    assert_eq!(numbers(&done), ["INV-1"]);
    assert_eq!(texts(&done, "caption"), ["Paid invoices, 1, sorted by due date"]);
    let all = browser.get(&format!("{LIST}?tab=all&sort=number")).await;
    assert_eq!(numbers(&all), ["INV-5", "INV-4", "INV-3", "INV-2", "INV-1"]);
    all.tells("Void");
    assert_eq!(attribute(&all, "th[aria-sort]", "aria-sort").as_deref(), Some("descending"));
});

/// Another company's invoice, which must never be counted.
async fn stranger(app: &TestApp) {
    let new = NewCustomer {
        merchant: app.merchant,
        name: "Beta".to_owned(),
        address: String::new(),
        contacts: vec![("Bo".to_owned(), "bo@beta.example".to_owned())],
    };
    let customer = create_customer(&app.app, "cli:test", new).await.expect("the customer is written");
    New { customer, ..New::usd(app, "INV-6", 99_900) }.issue(app).await;
}

on_both_engines!(a_search_finds_numbers_orders_and_amounts, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    sign_in(app, &mut browser).await;
    New { order: Some("PO 7741"), ..New::usd(app, "INV-1042", 125_000) }.issue(app).await;
    // Of two that are due on one day chance says which comes first.
    let (currency, due_on) = (Currency::JPY, date(2026, 12, 1));
    New { currency, due_on, ..New::usd(app, "INV-1043", 125_000) }.issue(app).await;
    New::usd(app, "INV_1044%", 77_700).issue(app).await;
    for (search, expected) in [
        ("inv-104", &["INV-1042", "INV-1043"][..]),
        ("7741", &["INV-1042"]),
        ("1,250.00", &["INV-1042"]),
        ("$1250", &["INV-1042"]),
        ("125,000", &["INV-1043"]),
        ("%25", &["INV_1044%"]),
        ("_", &["INV_1044%"]),
    ] {
        let page = browser.get(&format!("{LIST}?sort=due&q={search}")).await;
        assert_eq!(numbers(&page), expected, "{search}");
        assert_eq!(tabs(&page)[0], "To pay (3)", "a search does not change what is owed");
    }
    let none = browser.get(&format!("{LIST}?q=1042x")).await;
    none.tells("No invoice matches ‘1042x’.");
    assert_eq!(texts(&none, ".empty a"), ["Clear search"]);
    assert_eq!(attribute(&none, "#q", "value").as_deref(), Some("1042x"));
});

on_both_engines!(an_empty_list_says_why, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    sign_in(app, &mut browser).await;
    browser
        .get(LIST)
        .await
        .tells("Nothing here yet. When Northwind sends an invoice it appears on this page.");
    let first = New { currency: Currency::EUR, ..New::usd(app, "INV-1", 50_000) }.issue(app).await;
    let payment = app.pay(first, 50_000).await;
    let page = browser.get(LIST).await;
    page.tells("Nothing is left to pay now. What is open is being paid right now.");
    browser.get(&format!("{LIST}?tab=paid")).await.tells("No invoice is paid in full yet.");
    app.card(payment, crate::builders::VISA).await;
    app.settle().await;
    let page = browser.get(LIST).await;
    page.tells("Invoices from Northwind");
    page.tells("All paid. Your last payment was €500.00 on 16 Nov.");
    browser.get(&format!("{LIST}?tab=in-progress")).await.tells("No payment is in progress.");
});

on_both_engines!(the_list_is_for_people_who_signed_in, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let page = browser.get(LIST).await;
    assert_eq!(page.path, "/p/northwind/sign-in");
});

on_both_engines!(each_order_is_a_link_in_its_column, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    for _ in 0..3 {
        app.invoice(10_000).await;
    }
    sign_in(app, &mut browser).await;
    let page = browser.get(LIST).await;
    assert_eq!(
        attribute(&page, "th[aria-sort] a", "href").as_deref(),
        Some("/p/northwind/invoices?tab=to-pay&sort=due&q=")
    );
    for (sort, order, caption) in [
        ("number", "descending", "number"),
        ("left", "descending", "amount left"),
        ("due", "ascending", "due date"),
    ] {
        let found = browser.get(&format!("{LIST}?q=INV")).await;
        let link = found.links().into_iter().find(|link| link.contains(&format!("sort={sort}&")));
        let link = link.expect("its column has a link");
        let sorted = browser.get(&link).await;
        assert_eq!(
            texts(&sorted, "caption"),
            [format!("Invoices to pay, 3, sorted by {caption}")],
            "the search is kept"
        );
        assert_eq!(attribute(&sorted, "th[aria-sort]", "aria-sort").as_deref(), Some(order));
        let current = attribute(&sorted, "th[aria-sort] a", "href");
        assert_eq!(current, Some(link), "it stands on its own column");
    }
});

on_both_engines!(rows_asked_for_by_name_come_as_they_stand_and_only_ones_own, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (one, two) = (app.invoice(10_000).await, app.invoice(20_000).await);
    sign_in(app, &mut browser).await;
    let page = browser.get(LIST).await;
    let refresh = attribute(&page, "[data-refresh]", "data-refresh").expect("the rows can be asked for");
    let fresh = browser.get(&refresh).await;
    assert_eq!(texts(&fresh, "tbody th"), texts(&page, "tbody th"));
    assert_eq!(attribute(&fresh, "[data-paid]", "data-paid"), None);
    app.pay_with_visa(one, 10_000).await;
    let number = app.stored_invoice(one).await.number;
    let fresh = browser.get(&refresh).await;
    assert_eq!(texts(&fresh, "tbody th"), texts(&page, "tbody th"), "no row goes");
    assert_eq!(attribute(&fresh, "[data-paid]", "data-paid"), Some(format!("{number} is now paid")));
    assert_eq!(attribute(&fresh, "[data-paid]", "data-fresh"), Some(one.to_string()));
    let nobody = browser.get(&format!("{LIST}?of=inv_00000000000000000000000000,x,,{two}")).await;
    assert_eq!(texts(&nobody, "tbody th").len(), 1);
    let new = NewCustomer {
        merchant: app.merchant,
        name: "Beta Ltd".to_owned(),
        address: String::new(),
        contacts: vec![("Bo".to_owned(), "bo@beta.example".to_owned())],
    };
    let beta = create_customer(&app.app, "cli:test", new).await.expect("the customer is written");
    let theirs = New { customer: beta, ..New::usd(app, "INV-BETA", 10_000) }.issue(app).await;
    let mixed = browser.get(&format!("{LIST}?of={theirs},{two}")).await;
    assert_eq!(numbers(&mixed).len(), 1, "another company's are nobody's: {:?}", numbers(&mixed));
});
