//! The code of six digits: right, wrong, old, used, replaced, and asked for too often.

use super::{CODE, DANA, SIGN_IN, another, ask, asked, signed_in, type_code};
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::Browser;
use billing::contact::comparable_email;
use jiff::SignedDuration;
use paydown::actions::create_customer::{NewCustomer, create_customer};
use paydown::actions::request_code::{CodeRequest, request_code};
use store::anomalies;
use store::db::Tx;

on_both_engines!(the_code_of_the_mail_signs_in, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    app.invoice(125_000).await;
    let (page, letter) = asked(app, &mut browser).await;
    page.says("If we know dana@acme.example, a code is on its way. It works for 10 minutes.");
    assert_eq!(letter.to, DANA);
    let code = letter.code();
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let list = type_code(&mut browser, &page, &spaced).await;
    assert_eq!(list.path, "/p/northwind/invoices");
    list.says("$1,250.00");
    assert!(list.html.contains("Sign out"));
});

on_both_engines!(a_wrong_code_counts_down_and_ends_after_five, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (page, letter) = asked(app, &mut browser).await;
    let (right, wrong) = (letter.code(), another(&letter.code()));
    for blank in ["", "  ", "12345", "abcdef", "1234567"] {
        let answer = type_code(&mut browser, &page, blank).await;
        assert_eq!((answer.status, answer.address.as_str()), (200, CODE));
        answer.says("Enter the code from the e-mail");
    }
    for left in ["4 tries", "3 tries", "2 tries", "1 try"] {
        let answer = type_code(&mut browser, &page, &wrong).await;
        assert_eq!((answer.status, answer.address.as_str()), (200, CODE));
        answer.says(&format!("That code is not the one we sent. {left} left."));
    }
    for _ in 0..2 {
        let answer = type_code(&mut browser, &page, &wrong).await;
        answer.says("Too many tries with this code. Your invoice links still work.");
    }
    type_code(&mut browser, &page, &right).await.says("Too many tries");
    assert_eq!(browser.get("/p/northwind/invoices").await.path, SIGN_IN);
});

on_both_engines!(reloading_after_a_wrong_code_costs_no_try, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (page, letter) = asked(app, &mut browser).await;
    let wrong = another(&letter.code());
    let typed = format!(" {wrong}");
    let answer = type_code(&mut browser, &page, &typed).await;
    answer.says("That code is not the one we sent. 4 tries left.");
    assert!(answer.html.contains("<title>Error: "), "{}", answer.html);
    assert!(answer.html.contains(&format!("value=\"{typed}\"")), "what was typed is kept: {}", answer.html);
    for _ in 0..10 {
        let again = browser.get(&answer.address).await;
        assert_eq!(again.status, 200);
        assert!(!again.html.contains(&wrong), "it is shown once: {}", again.html);
        assert!(!again.html.contains("There is a problem"), "{}", again.html);
    }
    type_code(&mut browser, &page, &wrong).await.says("3 tries left.");
    // A page that another tab opens meanwhile does not show it, nor takes it away.
    let csrf = page.hidden("csrf");
    let form = [("code", wrong.as_str()), ("csrf", csrf.as_str())];
    let body = serde_urlencoded::to_string(form).expect("a form").into_bytes();
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let sent = browser.send("POST", CODE, &kind, body).await;
    assert_eq!(sent.status, 303);
    assert_eq!(sent.headers["location"], CODE);
    let sign_in = browser.get(SIGN_IN).await;
    assert!(
        !sign_in.html.contains(&wrong) && !sign_in.html.contains("There is a problem"),
        "{}",
        sign_in.html
    );
    browser.get(CODE).await.says("2 tries left.");
    let list = type_code(&mut browser, &page, &letter.code()).await;
    assert_eq!(list.path, "/p/northwind/invoices");
});

on_both_engines!(a_wrong_code_is_not_held_against_the_next_request, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (page, letter) = asked(app, &mut browser).await;
    let wrong = another(&letter.code());
    let body = format!("code={wrong}&csrf={}", page.hidden("csrf")).into_bytes();
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(browser.send("POST", CODE, &kind, body).await.status, 303);
    // Before that answer is followed another tab asks for the next code: of that one no try was made.
    app.advance(SignedDuration::from_secs(31));
    let next = ask(&mut browser, DANA).await;
    assert_eq!((next.status, next.path.as_str()), (200, CODE));
    assert!(!next.html.contains("There is a problem") && !next.html.contains(&wrong), "{}", next.html);
    let list = type_code(&mut browser, &next, &app.letter().await.code()).await;
    assert_eq!(list.path, "/p/northwind/invoices");
});

on_both_engines!(a_code_works_ten_minutes_and_once, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (page, letter) = asked(app, &mut browser).await;
    app.advance(SignedDuration::from_secs(601));
    type_code(&mut browser, &page, &letter.code()).await.says("That code has ended.");
    let (page, letter) = asked(app, &mut browser).await;
    app.advance(SignedDuration::from_secs(599));
    let mut again = Browser::another(&browser.origin);
    again.cookies = browser.cookies.clone();
    let list = type_code(&mut browser, &page, &letter.code()).await;
    assert_eq!(list.path, "/p/northwind/invoices");
    type_code(&mut again, &page, &letter.code()).await.says("That code has ended.");
});

on_both_engines!(a_new_code_replaces_the_old_one, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (page, first) = asked(app, &mut browser).await;
    browser.submit(&page, SIGN_IN, &[("email", DANA)]).await;
    assert!(app.letters().await.is_empty(), "not within 30 seconds, and nothing tells");
    assert!(page.html.contains("data-wait=\"30\""), "{}", page.html);
    app.advance(SignedDuration::from_secs(31));
    assert!(!browser.get(CODE).await.html.contains("data-wait"), "now it may be pressed");
    browser.submit(&page, SIGN_IN, &[("email", DANA)]).await;
    let second = app.letter().await;
    if first.code() != second.code() {
        type_code(&mut browser, &page, &first.code()).await.says("That code is not the one we sent.");
    }
    let list = type_code(&mut browser, &page, &second.code()).await;
    assert_eq!(list.path, "/p/northwind/invoices");
    app.advance(SignedDuration::from_mins(17));
    let mut other = Browser::another(&browser.origin);
    let (page, third) = asked(app, &mut other).await;
    let mut later = Browser::another(&browser.origin);
    asked(app, &mut later).await;
    type_code(&mut other, &page, &third.code()).await.says("That code has ended.");
});

on_both_engines!(known_and_unknown_addresses_look_the_same, async |app: &mut TestApp| {
    let mut known = Browser::open(app).await;
    let mut unknown = Browser::another(&known.origin);
    let dana = ask(&mut known, DANA).await;
    let nobody = ask(&mut unknown, "nobody@acme.example").await;
    assert_eq!(app.letters().await.len(), 1, "one mail, to the one we know");
    let same = |one: &crate::web::Page, other: &crate::web::Page| {
        assert_eq!((one.status, &one.path), (other.status, &other.path));
        let plain = |page: &crate::web::Page| {
            let page_of = page.html.replace(&page.hidden("csrf"), "csrf");
            page_of.replace(DANA, "them").replace("nobody@acme.example", "them")
        };
        assert_eq!(plain(one), plain(other));
    };
    same(&dana, &nobody);
    for _ in 0..6 {
        let dana = type_code(&mut known, &dana, "000000").await;
        let nobody = type_code(&mut unknown, &nobody, "000000").await;
        assert!(dana.html.contains("There is a problem"), "{}", dana.html);
        same(&dana, &nobody);
    }
    for wrong in ["", "dana", "dana@", "a b@c.example"] {
        let page = ask(&mut known, wrong).await;
        assert_eq!((page.status, page.address.as_str()), (200, SIGN_IN));
        assert!(page.html.contains(&format!("value=\"{wrong}\"")), "what was typed is kept: {}", page.html);
        page.says(if wrong.is_empty() { "Enter your work e-mail" } else { "like name@company.com" });
    }
});

on_both_engines!(nobody_is_buried_in_codes, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let mut sent = 0;
    for _ in 0..5 {
        let page = ask(&mut browser, DANA).await;
        assert_eq!(page.status, 200, "the answer stays the same");
        page.says("If we know");
        sent += app.letters().await.len();
        app.advance(SignedDuration::from_secs(31));
    }
    assert_eq!(sent, 3, "three in a quarter of an hour");
    app.advance(SignedDuration::from_hours(26));
    let mut sent = 0;
    for round in 0..1_000 {
        let ask = CodeRequest {
            merchant: app.merchant,
            browser_hash: [9; 32],
            email_key: DANA.to_owned(),
            source: format!("192.0.{}.{}", round / 250, round % 250),
        };
        request_code(&app.app, ask).await.expect("it is judged");
        sent += app.letters().await.len();
        app.advance(SignedDuration::from_secs(86));
    }
    assert_eq!(sent, 10, "of a thousand requests in a day");
});

on_both_engines!(one_place_asks_for_twenty_codes_an_hour, async |app: &mut TestApp| {
    let mut addresses: Vec<(String, String)> = Vec::new();
    for number in 0..25 {
        addresses.push((String::new(), format!("p{number}@acme.example")));
    }
    let new = NewCustomer {
        merchant: app.merchant,
        name: "Gamma".to_owned(),
        address: String::new(),
        contacts: addresses.clone(),
    };
    create_customer(&app.app, "cli:test", new).await.expect("the customer is written");
    app.app.trusted_proxies = ["127.0.0.1".parse().expect("a network")].into();
    let mut browser = Browser::open(app).await;
    let page = browser.get(SIGN_IN).await;
    for (number, (_, email)) in addresses.iter().enumerate() {
        // What the payer's side writes into the header comes before what the proxy adds.
        browser.forwarded_for = Some(format!("203.0.113.{number}, 192.0.2.1"));
        browser.submit(&page, SIGN_IN, &[("email", email)]).await.says("If we know");
    }
    assert_eq!(app.letters().await.len(), 20);
    browser.forwarded_for = Some("192.0.2.2".to_owned());
    browser.submit(&page, SIGN_IN, &[("email", "p24@acme.example")]).await;
    assert_eq!(app.letters().await.len(), 1, "another place is not kept out");
});

on_both_engines!(a_merchant_mails_no_flood_and_somebody_is_told, async |app: &mut TestApp| {
    let address = |number: usize| format!("p{number}@flood.example");
    let contacts = (0..610).map(|number| (String::new(), address(number))).collect();
    let new =
        NewCustomer { merchant: app.merchant, name: "Flood".to_owned(), address: String::new(), contacts };
    create_customer(&app.app, "cli:test", new).await.expect("the customer is written");
    for number in 0..610 {
        let email_key = comparable_email(&address(number)).expect("an address");
        let ask = CodeRequest {
            merchant: app.merchant,
            browser_hash: [3; 32],
            email_key,
            source: format!("198.51.{}.{}", number / 250, number % 250),
        };
        request_code(&app.app, ask).await.expect("it is judged");
    }
    assert_eq!(app.letters().await.len(), 600);
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| anomalies::list(tx, merchant, 10).await;
    let told = app.app.store.read(read).await.expect("anomalies can be read");
    assert_eq!(told.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["sign_in_code_ceiling"]);
});

on_both_engines!(a_code_of_one_browser_is_nothing_in_another, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, letter) = asked(app, &mut browser).await;
    let mut thief = Browser::another(&browser.origin);
    let page = ask(&mut thief, "nobody@acme.example").await;
    type_code(&mut thief, &page, &letter.code()).await.says("That code is not the one we sent.");
    signed_in(app, &mut Browser::another(&browser.origin)).await;
});
