//! Amounts in the format of the reader's language, and typed amounts read with its marks.

use super::{New, Tells as _, open_by_link, texts};
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use ledger::Currency;

async fn in_language(browser: &mut Browser, language: &str, path: &str) -> Page {
    browser.send("GET", path, &[("accept-language", language)], Vec::new()).await
}

fn button(page: &Page) -> String {
    texts(page, ".act .pay").concat()
}

on_both_engines!(amounts_follow_the_reader, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let euros = New { currency: Currency::EUR, ..New::usd(app, "INV-1", 12_500_000) };
    let (_, euros) = open_by_link(app, &mut browser, euros).await;
    let rupees = Currency::try_new("INR").expect("a currency");
    let rupees = New { currency: rupees, ..New::usd(app, "INV-2", 12_500_000) };
    let (_, rupees) = open_by_link(app, &mut browser, rupees).await;
    let yen = New { currency: Currency::JPY, ..New::usd(app, "INV-3", 125_000) };
    let (_, yen) = open_by_link(app, &mut browser, yen).await;
    let dinars = New { currency: Currency::KWD, ..New::usd(app, "INV-4", 1_250_000) };
    let (_, dinars) = open_by_link(app, &mut browser, dinars).await;
    for (language, path, words) in [
        ("de-DE,de;q=0.9,en;q=0.5", &euros, "Pay 125.000,00 €"),
        ("fr-FR", &euros, "Pay 125 000,00 €"),
        ("en-US", &euros, "Pay €125,000.00"),
        ("en-IN", &rupees, "Pay ₹1,25,000.00"),
        ("ja-JP", &yen, "Pay ￥125,000"),
        ("en-US", &dinars, "Pay KWD 1,250.000"),
        ("x-nonsense;;;", &euros, "Pay €125,000.00"),
    ] {
        let page = in_language(&mut browser, language, path).await;
        let spaces_as_blanks = button(&page).replace(['\u{a0}', '\u{202f}'], " ");
        assert_eq!(spaces_as_blanks, words, "{language}");
    }
});

on_both_engines!(typed_amounts_are_read_as_the_reader_writes_them, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let euros = New { currency: Currency::EUR, ..New::usd(app, "INV-1", 500_000) };
    let (_, path) = open_by_link(app, &mut browser, euros).await;
    for (language, typed, to) in [
        ("de", "1.234", Some(123_400)),
        ("de", "1.234,5", Some(123_450)),
        ("en", "1,234", Some(123_400)),
        ("en", "1.234", None),
        ("fr", "1%20234,50", Some(123_450)),
    ] {
        let page = in_language(&mut browser, language, &format!("{path}/amount?typed={typed}")).await;
        let location = page.headers.get("location").map(|to| to.to_str().expect("text").to_owned());
        assert_eq!(location, to.map(|minor| format!("{path}?amount={minor}")), "{language} {typed}");
    }
    let unclear = in_language(&mut browser, "de", &format!("{path}/amount?typed=1,234")).await;
    unclear.tells("We are not sure what 1,234 means. Enter 1.234 or 1,23");
});
