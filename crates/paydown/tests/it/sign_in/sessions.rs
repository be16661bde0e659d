//! What a session is worth, for how long, and where it leads.

use super::{DANA, SIGN_IN, ask, second_company, signed_in, type_code};
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, linked};
use jiff::SignedDuration;

const LIST: &str = "/p/northwind/invoices";
const COMPANIES: &str = "/p/northwind/companies";
/// The session cookie of the first merchant.
const SESSION: &str = "paydown-1";

on_both_engines!(a_company_is_chosen_once_and_remembered, async |app: &mut TestApp| {
    let beta = second_company(app).await;
    app.invoice(125_000).await;
    let mut browser = Browser::open(app).await;
    let page = signed_in(app, &mut browser).await;
    assert_eq!(page.path, COMPANIES);
    page.says("1 open invoice, $1,250.00 left");
    page.says("Beta LtdNothing left to pay");
    assert_eq!(browser.get(LIST).await.path, COMPANIES, "nothing is shown before a choice");
    let none = browser.submit(&page, COMPANIES, &[]).await;
    assert_eq!(none.status, 200);
    none.says("Choose a company");
    browser.get(&none.address).await.says("Choose a company");
    let stranger = browser.submit(&page, COMPANIES, &[("customer", "cus_00000000000000000000000000")]).await;
    stranger.says("Choose a company");
    let list = browser.submit(&page, COMPANIES, &[("customer", &beta.to_string())]).await;
    assert_eq!(list.path, LIST);
    list.says("Nothing here yet.");
    assert!(list.html.contains("Beta Ltd"));
    browser.submit(&list, "/p/northwind/sign-out", &[]).await;
    app.advance(SignedDuration::from_mins(20));
    let list = signed_in(app, &mut Browser::another(&browser.origin)).await;
    assert_eq!(list.path, LIST, "the choice is remembered, in any browser");
    assert!(list.html.contains("Beta Ltd"));
    assert!(list.html.contains(&format!("href=\"{COMPANIES}\"")), "and can be changed in the header");
});

on_both_engines!(signing_out_ends_the_session_on_the_server, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let list = signed_in(app, &mut browser).await;
    let kept = browser.cookies.clone();
    let out = browser.submit(&list, "/p/northwind/sign-out", &[]).await;
    assert_eq!(out.path, SIGN_IN);
    assert!(!browser.cookies.contains_key(SESSION));
    browser.cookies = kept;
    assert_eq!(browser.get(LIST).await.path, SIGN_IN, "the old cookie is worth nothing");
});

on_both_engines!(a_session_planted_beforehand_is_worth_nothing, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, link) = linked(app).await;
    let invoice = browser.get(&link).await.path;
    let planted = browser.cookies[SESSION].clone();
    let list = signed_in(app, &mut browser).await;
    assert_eq!(list.path, LIST);
    assert_ne!(browser.cookies[SESSION], planted, "a new token at sign-in");
    let mut thief = Browser::another(&browser.origin);
    thief.cookies.insert(SESSION.to_owned(), planted);
    assert_eq!(thief.get(LIST).await.path, SIGN_IN);
    assert_eq!(thief.get(&invoice).await.status, 404);
    assert_eq!(browser.get(&invoice).await.status, 200, "what links had opened came along");
});

on_both_engines!(a_contact_stays_a_day_and_no_longer, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let list = signed_in(app, &mut browser).await;
    assert!(list.html.contains("You stay signed in for 24 hours."));
    assert!(!list.html.contains("action=\"/p/northwind/stay\""), "use does not make it longer");
    assert!(list.html.contains("/p/northwind/sign-in?next=/invoices"), "so the warning leads to sign-in");
    for _ in 0..23 {
        app.advance(SignedDuration::from_hours(1));
        assert_eq!(browser.get(LIST).await.path, LIST);
    }
    app.advance(SignedDuration::from_mins(61));
    assert_eq!(browser.get(LIST).await.path, SIGN_IN);
});

on_both_engines!(an_invoice_by_link_closes_after_half_an_hour_without_use, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, link) = linked(app).await;
    let page = browser.get(&link).await;
    let invoice = page.path.clone();
    assert!(page.html.contains("closes after 30 minutes without use"));
    for _ in 0..4 {
        app.advance(SignedDuration::from_mins(29));
        assert_eq!(browser.get(&invoice).await.status, 200, "use keeps it open");
    }
    app.advance(SignedDuration::from_mins(29));
    let stay = browser.submit(&page, "/p/northwind/stay", &[]).await;
    assert_eq!(stay.status, 204);
    app.advance(SignedDuration::from_mins(29));
    assert_eq!(browser.get(&invoice).await.status, 200, "so does staying");
    app.advance(SignedDuration::from_mins(31));
    let ended = browser.get(&invoice).await;
    assert_eq!(ended.status, 403);
    ended.says("Open the link in your e-mail again");
    ended.says("Nothing was taken.");
    browser.submit(&page, "/p/northwind/stay", &[]).await;
    assert_eq!(browser.get(&invoice).await.status, 403, "what is over stays over");
    assert_eq!(browser.get(&link).await.path, invoice);
});

on_both_engines!(a_chosen_amount_survives_the_end_of_the_session, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, link) = linked(app).await;
    let invoice = browser.get(&link).await.path;
    let pay = browser.get(&format!("{invoice}/pay?amount=50000")).await;
    app.advance(SignedDuration::from_mins(31));
    let intent = pay.hidden("intent");
    let form = [("intent", intent.as_str()), ("amount", "50000"), ("receipt_email", "d@acme.example")];
    let ended = browser.submit(&pay, &format!("{invoice}/pay"), &form).await;
    assert_eq!(ended.status, 403);
    ended.says("Nothing was taken.");
    let again = browser.get(&link).await;
    assert_eq!(
        again.address,
        format!("{invoice}/pay?amount=50000"),
        "the link leads back to the same amount"
    );
    again.says("$500.00");
    assert_eq!(browser.get(&link).await.path, invoice, "once");
    app.advance(SignedDuration::from_mins(31));
    let ended = browser.submit(&pay, &format!("{invoice}/pay"), &form).await;
    let instead = ended.links().into_iter().find(|to| to.contains("sign-in")).expect("Sign in instead");
    let page = browser.get(&instead).await;
    let code = browser.submit(&page, SIGN_IN, &[("email", DANA)]).await;
    let back = type_code(&mut browser, &code, &app.letter().await.code()).await;
    assert_eq!(back.address, format!("{invoice}/pay?amount=50000"));
    let contact_form = browser.get(&back.address).await;
    app.advance(SignedDuration::from_hours(25));
    let over = browser.submit(&contact_form, &format!("{invoice}/pay"), &form).await;
    assert_eq!(over.status, 403);
    over.says("Nothing was taken.");
    let instead = over.links().into_iter().find(|to| to.contains("sign-in")).expect("Sign in instead");
    assert!(instead.ends_with("/pay?amount=50000"), "{instead}");
});

on_both_engines!(signing_in_leads_nowhere_else, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    for evil in
        ["//evil.example", "\\\\evil.example", "https:evil.example", "https://evil.example", "/sign-out"]
    {
        browser.cookies.clear();
        let page = browser.get(&format!("{SIGN_IN}?next={evil}")).await;
        assert!(!page.html.contains("evil"), "{evil}");
        browser.cookies.insert("paydown-next-1".to_owned(), evil.to_owned());
        app.advance(SignedDuration::from_hours(3));
        let code = ask_with(&mut browser, &page).await;
        let list = type_code(&mut browser, &code, &app.letter().await.code()).await;
        assert_eq!((list.path.as_str(), list.left_for), (LIST, None), "{evil}");
    }
    let mut other = Browser::another(&browser.origin);
    app.advance(SignedDuration::from_hours(3));
    other.get(&format!("{SIGN_IN}?next=/invoices")).await;
    let page = ask(&mut other, DANA).await;
    assert_eq!(type_code(&mut other, &page, &app.letter().await.code()).await.path, LIST);
});

async fn ask_with(browser: &mut Browser, page: &crate::web::Page) -> crate::web::Page {
    browser.submit(page, SIGN_IN, &[("email", DANA)]).await
}
