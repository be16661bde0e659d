//! The link in the mail: harmless to fetch, a press in the browser that asked, the code in any other.

use super::{CODE, another, asked, type_code};
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::Browser;
use jiff::SignedDuration;

const LINK: &str = "/p/northwind/sign-in/link";

on_both_engines!(the_link_signs_in_the_browser_that_asked, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, letter) = asked(app, &mut browser).await;
    let page = browser.get(&letter.address("/sign-in/link")).await;
    assert_eq!(page.status, 200);
    page.says("Sign in to Northwind");
    let token = page.hidden("token");
    let list = browser.submit(&page, LINK, &[("token", &token)]).await;
    assert_eq!(list.path, "/p/northwind/invoices");
    let mut again = Browser::another(&browser.origin);
    again.cookies.extend(browser.cookies.iter().filter(|(name, _)| *name == "paydown-browser").map(own));
    again.get(&letter.address("/sign-in/link")).await.says("That code has ended.");
});

on_both_engines!(another_browser_is_asked_for_the_code, async |app: &mut TestApp| {
    let mut asking = Browser::open(app).await;
    let (_, letter) = asked(app, &mut asking).await;
    let mut phone = Browser::another(&asking.origin);
    let page = phone.get(&letter.address("/sign-in/link")).await;
    assert_eq!(page.status, 200);
    page.says("You asked for a code in another browser.");
    let token = page.hidden("token");
    for blank in [vec![("token", token.as_str())], vec![("token", &token), ("code", "")]] {
        let refused = phone.submit(&page, LINK, &blank).await;
        assert_eq!((refused.status, refused.path.as_str()), (200, LINK));
        refused.says("Enter the code from the e-mail");
    }
    let wrong = phone.submit(&page, LINK, &[("token", &token), ("code", &another(&letter.code()))]).await;
    wrong.says("That code is not the one we sent. 4 tries left.");
    for _ in 0..5 {
        let again = phone.get(&wrong.address).await;
        again.says("You asked for a code in another browser.");
        assert_eq!(again.hidden("token"), token);
    }
    let wrong = phone.submit(&page, LINK, &[("token", &token), ("code", &another(&letter.code()))]).await;
    wrong.says("3 tries left.");
    let list = phone.submit(&page, LINK, &[("token", &token), ("code", &letter.code())]).await;
    assert_eq!(list.path, "/p/northwind/invoices");
    let used = phone.submit(&page, LINK, &[("token", &token), ("code", &letter.code())]).await;
    assert_eq!(used.status, 403, "its page was drawn before the session");
    assert_eq!(
        asking.get("/p/northwind/invoices").await.path,
        "/p/northwind/sign-in",
        "only the phone is in"
    );
});

on_both_engines!(what_was_typed_is_forgotten_once_no_code_helps, async |app: &mut TestApp| {
    const KEPT: &str = "paydown-typed-1";
    let mut asking = Browser::open(app).await;
    let (_, letter) = asked(app, &mut asking).await;
    let mut phone = Browser::another(&asking.origin);
    let page = phone.get(&letter.address("/sign-in/link")).await;
    let (token, wrong) = (page.hidden("token"), another(&letter.code()));
    for left in ["4 tries", "3 tries", "2 tries", "1 try"] {
        let answer = phone.submit(&page, LINK, &[("token", &token), ("code", &wrong)]).await;
        answer.says(&format!("{left} left."));
        assert!(!phone.cookies.contains_key(KEPT));
    }
    let answer = phone.submit(&page, LINK, &[("token", &token), ("code", &wrong)]).await;
    answer.says("Too many tries with this code.");
    assert!(!phone.cookies.contains_key(KEPT), "{:?}", phone.cookies);
    app.advance(SignedDuration::from_secs(601));
    let answer = phone.submit(&page, LINK, &[("token", &token), ("code", &wrong)]).await;
    answer.says("That code has ended.");
    assert!(!phone.cookies.contains_key(KEPT), "{:?}", phone.cookies);
});

on_both_engines!(mail_scanners_consume_nothing, async |app: &mut TestApp| {
    let mut human = Browser::open(app).await;
    let (page, letter) = asked(app, &mut human).await;
    let link = letter.address("/sign-in/link");
    for round in 0..50 {
        let mut scanner = Browser::another(&human.origin);
        let method = if round % 2 == 0 { "GET" } else { "HEAD" };
        assert_eq!(scanner.send(method, &link, &[], Vec::new()).await.status, 200);
    }
    // One that runs scripts and presses every button, with a browser's own cookies.
    let mut presser = Browser::another(&human.origin);
    for _ in 0..10 {
        let form = presser.get(&link).await;
        let token = form.hidden("token");
        let pressed = presser.submit(&form, LINK, &[("token", &token), ("code", "")]).await;
        pressed.says("Enter the code from the e-mail");
        assert!(!presser.cookies.contains_key("paydown-1"), "no session");
    }
    // One that sends the form without having loaded anything.
    let mut blind = Browser::another(&human.origin);
    let sent = blind.post(LINK, &[("token", &page_token(&link)), ("csrf", "")]).await;
    assert_eq!(sent.status, 403);
    let list = type_code(&mut human, &page, &letter.code()).await;
    assert_eq!((list.status, list.path.as_str()), (200, "/p/northwind/invoices"));
});

on_both_engines!(an_old_or_made_up_link_says_that_it_ended, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, letter) = asked(app, &mut browser).await;
    let link = letter.address("/sign-in/link");
    let made_up = browser.get(&format!("{LINK}?token=1.{}", "0".repeat(32))).await;
    made_up.says("That code has ended.");
    assert_eq!(browser.get(LINK).await.status, 200);
    app.advance(SignedDuration::from_secs(601));
    let old = browser.get(&link).await;
    old.says("That code has ended.");
    assert_eq!(old.words(), made_up.words(), "nothing tells which");
    assert_eq!(browser.get(CODE).await.status, 200);
});

fn own((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

fn page_token(link: &str) -> String {
    link.split_once("token=").expect("the link carries a token").1.to_owned()
}
