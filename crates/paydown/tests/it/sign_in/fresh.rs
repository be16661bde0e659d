//! What can be debited is changed only by somebody who has just shown who they are: within five minutes of signing in.

use super::{CODE, DANA, SIGN_IN, signed_in, type_code};
use crate::builders::VISA;
use crate::on_both_engines;
use crate::pages::{Tells as _, texts};
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use jiff::SignedDuration;

const ADD: &str = "/p/northwind/methods/add";

fn asks_again(page: &Page) {
    assert_eq!((page.status, page.path.as_str()), (200, SIGN_IN));
    assert_eq!(texts(page, "h1").concat(), "Show that it is you");
    page.tells("Nothing has changed yet.");
    assert!(page.html.contains(&format!("value=\"{DANA}\"")), "whose code it will be stands there");
}

on_both_engines!(adding_and_removing_need_a_fresh_sign_in, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let saved = app.keep_card(invoice, VISA).await;
    let remove = format!("/p/northwind/methods/{}/remove", saved.id);
    let mut browser = Browser::open(app).await;
    // The receipt is no letter that brings a code.
    app.letters().await;
    signed_in(app, &mut browser).await;
    let form = browser.get(&remove).await;
    assert_eq!((form.status, form.path.as_str()), (200, remove.as_str()));
    app.advance(SignedDuration::from_secs(300));
    assert_eq!(browser.get(ADD).await.path, ADD, "the fifth minute is the last");

    app.advance(SignedDuration::from_secs(1));
    asks_again(&browser.get(ADD).await);
    asks_again(&browser.submit(&form, &remove, &[]).await);
    asks_again(&browser.get(&remove).await);
    let list = browser.get("/p/northwind/methods").await;
    assert_eq!((list.status, list.path.as_str()), (200, "/p/northwind/methods"), "looking needs nothing");
    assert_eq!(app.saved().await.len(), 1, "nothing was removed");

    // Another code leads back to where it was asked for, and the change goes through.
    let asks = browser.get(&remove).await;
    asks_again(&asks);
    let page = browser.submit(&asks, SIGN_IN, &[("email", DANA)]).await;
    assert_eq!((page.status, page.path.as_str()), (200, CODE));
    let form = type_code(&mut browser, &page, &app.letter().await.code()).await;
    assert_eq!((form.status, form.path.as_str()), (200, remove.as_str()));
    browser.submit(&form, &remove, &[]).await;
    assert_eq!(app.saved().await, []);
});
