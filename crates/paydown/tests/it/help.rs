//! The help over HTTP: both forms, both places, questions; nobody's data, no cookie, kept by caches.

use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page, linked};
use paydown::actions::set_merchant_links::{SetMerchantLinks, set_merchant_links};
use paydown::help::answer::LONGEST_QUESTION;
use paydown::help::{Audience, all};
use store::audit::{self, acts};
use store::db::Tx;
use store::merchant_links::MerchantLink;

const FIRST: &str = "making-a-partial-invoice-payment";

fn header<'a>(page: &'a Page, name: &str) -> &'a str {
    page.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

on_both_engines!(every_page_has_both_forms_at_both_places, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    for page in all() {
        for base in ["/help", "/p/northwind/help"] {
            let html = browser.get(&format!("{base}/{}", page.name)).await;
            let text = browser.get(&format!("{base}/{}.md", page.name)).await;
            if base != "/help" && page.audience == Audience::Operators {
                assert_eq!((html.status, text.status), (404, 404), "{} is not for payers", page.name);
                continue;
            }
            assert_eq!((html.status, text.status), (200, 200), "{base}/{}", page.name);
            html.says(&page.title);
            html.says(&page.summary);
            assert_eq!(header(&text, "content-type"), "text/markdown; charset=utf-8");
            assert!(text.html.starts_with(&format!("# {}", page.title)), "{}", text.html);
            for kept in [&html, &text] {
                assert_eq!(header(kept, "cache-control"), "public, max-age=300");
                assert!(kept.headers.get("set-cookie").is_none(), "nobody is known here");
            }
        }
    }
    for path in
        ["/help", "/help.md", "/p/northwind/help", "/p/northwind/help.md", "/llms.txt", "/llms-full.txt"]
    {
        let page = browser.get(path).await;
        assert_eq!((page.status, header(&page, "cache-control")), (200, "public, max-age=300"), "{path}");
        assert!(page.headers.get("set-cookie").is_none(), "{path}");
    }
});

on_both_engines!(a_question_is_answered_in_the_form_it_was_asked_in, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    for base in ["/help", "/p/northwind/help"] {
        let asked = "?ask=What+stays+on+the+invoice%3F";
        let source = format!("{base}/{FIRST}#what-stays-on-the-invoice");
        for path in [base.to_owned(), format!("{base}/{FIRST}")] {
            let page = browser.get(&format!("{path}{asked}")).await;
            assert_eq!(page.status, 200);
            page.says("The rest stays on the same invoice, with the same due date.");
            assert!(page.links().contains(&source), "{:?}", page.links());
            let text = browser.get(&format!("{path}.md{asked}")).await;
            assert_eq!(header(&text, "content-type"), "text/markdown; charset=utf-8");
            assert!(text.html.starts_with("# Answer\n"), "{}", text.html);
            assert!(text.html.contains("\n> The rest stays on the same invoice"), "{}", text.html);
            assert!(text.html.contains(&format!("]({source})")), "{}", text.html);
            assert_eq!(
                header(&text, "cache-control"),
                "private, max-age=300",
                "a question is somebody's own"
            );
            for empty in ["?ask=", "?ask=%20%20", "?goal=x", "?"] {
                let same = browser.get(&format!("{path}.md{empty}")).await;
                assert_eq!(same.html, browser.get(&format!("{path}.md")).await.html, "{empty}");
            }
        }
    }
});

on_both_engines!(what_no_page_says_is_not_found, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let asked = "?ask=recipe+for+banana+bread";
    for base in ["/help", "/p/northwind/help"] {
        let page = browser.get(&format!("{base}{asked}")).await;
        page.says("The help does not say");
        assert!(page.links().contains(&format!("{base}/{FIRST}")), "the contents are offered");
        let text = browser.get(&format!("{base}/{FIRST}.md{asked}")).await;
        assert!(text.html.starts_with("# Not found\n"), "{}", text.html);
        assert!(text.html.contains(&format!("({base}/{FIRST}.md)")), "{}", text.html);
    }
    for (path, status) in
        [("/help/nothing", 404), ("/help/nothing.md", 404), ("/p/northwind/help/nothing", 404)]
    {
        assert_eq!(browser.get(path).await.status, status, "{path}");
    }
    browser.get("/help/nothing").await.says("There is no such page");
});

on_both_engines!(a_question_may_be_anything, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let longest = "a".repeat(LONGEST_QUESTION);
    for path in ["/help", "/p/northwind/help"] {
        for (path, ending) in
            [(path.to_owned(), ""), (path.to_owned(), ".md"), (format!("{path}/{FIRST}"), "")]
        {
            let page = browser.get(&format!("{path}{ending}?ask={longest}a")).await;
            assert_eq!(page.status, 422, "{path}{ending}");
            assert!(page.html.contains("at most 500 characters"), "{}", page.html);
            assert!(!page.html.contains("aaaaa"), "it is not repeated");
            assert_eq!(browser.get(&format!("{path}{ending}?ask={longest}")).await.status, 200);
            for odd in ["%ff%fe", "%00", "a&ask=b", "%E2%80%AE", "😀", "%0d%0aSet-Cookie:x", "+%20+"] {
                let page = browser.get(&format!("{path}{ending}?ask={odd}")).await;
                assert_eq!(page.status, 200, "{path}{ending}?ask={odd}");
                assert!(page.headers.get("set-cookie").is_none());
            }
        }
        let hostile = "%3Cscript%3Ealert(1)%3C/script%3E%22%20onfocus=f()%20[x](javascript:f())";
        let page = browser.get(&format!("{path}?ask={hostile}")).await;
        assert!(!page.html.contains("<script>alert") && !page.html.contains("\" onfocus"), "{}", page.html);
        page.says("<script>alert(1)</script>\" onfocus=f() [x](javascript:f())");
        let text = browser.get(&format!("{path}.md?ask={hostile}")).await;
        assert!(!text.html.contains("<script>") && !text.html.contains("[x]("), "{}", text.html);
    }
});

on_both_engines!(the_links_of_the_merchant_stand_on_every_page, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, link) = linked(app).await;
    let url = |path: &str| format!("https://northwind.example/{path}");
    let set = async |links: &[(MerchantLink, Option<String>)]| {
        let (merchant, actor) = (app.merchant, "cli:test".to_owned());
        set_merchant_links(&app.app, SetMerchantLinks { merchant, links: links.to_vec(), actor })
            .await
            .expect("written")
    };
    let all = [
        (MerchantLink::Privacy, Some(url("privacy?a=\"b\"&c"))),
        (MerchantLink::ReviewUs, Some(url("review"))),
        (MerchantLink::ReferAFriend, Some(url("refer"))),
        (MerchantLink::Terms, Some(url("terms"))),
    ];
    assert_eq!(set(&all).await.expect("they are addresses").len(), 4);
    let bad = [(MerchantLink::Terms, Some("javascript:alert(1)".to_owned()))];
    assert!(set(&bad).await.is_err(), "nothing else is a link");
    let invoice = browser.get(&link).await.path;
    for path in [
        &*invoice,
        "/p/northwind/sign-in",
        "/p/northwind/help",
        "/p/northwind/help/receipts",
        "/p/northwind/x/y",
    ] {
        let page = browser.get(path).await;
        let footer = page.html.split("<footer>").nth(1).expect("a footer").to_owned();
        let words = ["Help", "Review us", "Refer a friend", "Terms", "Privacy"]
            .map(|words| footer.find(&format!(">{words}</a>")));
        assert!(words.iter().all(Option::is_some) && words.is_sorted(), "{path}: {footer}");
        assert!(footer.contains("href=\"https://northwind.example/privacy?a=%22b%22&#38;c\""), "{footer}");
    }
    set(&[(MerchantLink::ReviewUs, None)]).await.expect("one is taken away");
    let page = browser.get(&invoice).await;
    assert!(!page.html.contains("Review us") && page.html.contains(">Terms</a>"));
    let (merchant, object) = (app.merchant, app.merchant.to_string());
    let read = async move |tx: &mut Tx| audit::list_by_object(tx, merchant, &object, 10).await;
    let rows = app.app.store.read(read).await.expect("the trail can be read");
    let set: Vec<&str> =
        rows.iter().filter(|row| row.act == acts::MERCHANT_LINKS_SET).map(|row| &*row.after).collect();
    assert_eq!(set.len(), 2, "each change is in the trail, and what was refused is not");
    for part in ["\"review_us\":null", "northwind.example/review"] {
        assert!(set.iter().any(|after| after.contains(part)), "{part}: {set:?}");
    }
});

on_both_engines!(help_shows_nothing_of_who_reads_it, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, link) = linked(app).await;
    let stranger = Browser::another(&browser.origin).get(&format!("/p/northwind/help/{FIRST}")).await;
    browser.get(&link).await;
    let known = browser.get(&format!("/p/northwind/help/{FIRST}")).await;
    assert_eq!(known.html, stranger.html, "the same for everybody, or no cache could keep it");
    assert!(!known.html.contains("name=\"csrf\""));
    let invoices = browser.get("/p/northwind/sign-in").await;
    assert!(
        invoices.html.contains("href=\"/p/northwind/help\""),
        "every page of the portal leads to the help"
    );
});
