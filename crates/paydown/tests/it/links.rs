//! Payment links over HTTP: what each state of a link shows, two links in one browser, what a token never gets into.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, linked};
use billing::ids::{ContactId, CustomerId, InvoiceId};
use jiff::SignedDuration;
use jiff::civil::date;
use ledger::Currency;
use paydown::actions::create_customer::{NewCustomer, create_customer};
use paydown::actions::create_link::{create_link, link_url, revoke_links, send_invoice};
use paydown::actions::issue_invoice::{Issued, NewInvoice, issue_invoice};
use paydown::actions::start_payment::{Payer, StartPayment};
use paydown::actions::void_invoice::{VoidInvoice, void_invoice};
use std::io::Write;
use std::sync::{Arc, Mutex};
use store::contacts;
use store::db::Tx;
use tracing_subscriber::fmt::MakeWriter;

/// The contact every test has.
async fn dana(app: &TestApp) -> ContactId {
    let (merchant, customer) = (app.merchant, app.customer);
    let read = async move |tx: &mut Tx| contacts::list(tx, merchant, customer).await;
    app.app.store.read(read).await.expect("contacts can be read")[0].id
}

async fn link_to(app: &TestApp, invoice: InvoiceId, contact: Option<ContactId>) -> String {
    let link =
        create_link(&app.app, app.merchant, invoice, contact, "test").await.expect("stored").expect("there");
    link_url(&app.app, app.merchant, link)
}

async fn sign_in(app: &TestApp, browser: &mut Browser, email: &str) {
    let page = browser.get("/p/northwind/sign-in").await;
    let page = browser.submit(&page, "/p/northwind/sign-in", &[("email", email)]).await;
    let letters = app.letters().await;
    let letter = letters.iter().find(|letter| letter.to == email && letter.subject.contains("is your code"));
    let code = letter.expect("a code is mailed").code();
    browser.submit(&page, "/p/northwind/sign-in/code", &[("code", &code)]).await.says("");
}

/// An invoice of another customer of the same merchant.
async fn others_invoice(app: &TestApp, customer_id: CustomerId) -> InvoiceId {
    let line = billing::line::Line {
        description: "Work".to_owned(),
        quantity: 1.into(),
        unit_amount_minor: 30_000,
        tax_rate: None,
    };
    let new = NewInvoice {
        merchant: app.merchant,
        customer_id,
        number: "INV-BETA".to_owned(),
        currency: Currency::USD,
        issued_on: date(2026, 11, 16),
        due_on: date(2026, 12, 16),
        purchase_order: None,
        memo: None,
        lines: vec![line],
    };
    match issue_invoice(&app.app, new).await.expect("the invoice is written") {
        Ok(Issued::New(id)) => id,
        other => panic!("the invoice was not issued: {other:?}"),
    }
}

on_both_engines!(two_links_work_side_by_side_in_one_browser, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let ((_, first), (_, second)) = (linked(app).await, linked(app).await);
    let (one, two) = (browser.get(&first).await.path, browser.get(&second).await.path);
    assert_ne!(one, two);
    for path in [&one, &two, &one] {
        assert_eq!(browser.get(path).await.status, 200);
    }
    app.advance(SignedDuration::from_mins(20));
    assert_eq!(browser.get(&one).await.status, 200);
    app.advance(SignedDuration::from_mins(20));
    assert_eq!(browser.get(&one).await.status, 200, "each has its own half hour");
    assert_eq!(browser.get(&two).await.status, 403);
    assert_eq!(
        browser.get("/p/northwind/invoices").await.path,
        "/p/northwind/sign-in",
        "links are no sign-in"
    );
});

on_both_engines!(fetching_a_link_consumes_nothing, async |app: &mut TestApp| {
    let mut human = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    for method in ["GET", "HEAD"] {
        for _ in 0..25 {
            let mut scanner = Browser::another(&human.origin);
            assert_eq!(scanner.send(method, &link, &[], Vec::new()).await.status, 303);
        }
    }
    assert_eq!(human.get(&link).await.status, 200);
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
});

on_both_engines!(a_link_leads_where_its_mail_says, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let payment = app.pay_with_visa(invoice, 10_000).await;
    let path = browser.get(&link).await.path;
    assert_eq!(browser.get(&format!("{link}?to=amount")).await.path, format!("{path}/amount"));
    let receipt = browser.get(&format!("{link}?to=receipt/{payment}")).await;
    assert_eq!(receipt.path, format!("/p/northwind/payments/{payment}/receipt"));
    for evil in ["//evil.example", "https:evil.example", "receipt/../../sign-in", "%2F%2Fevil.example"] {
        let page = browser.get(&format!("{link}?to={evil}")).await;
        assert_eq!((page.path, page.left_for), (path.clone(), None), "{evil}");
    }
});

on_both_engines!(the_link_of_a_paid_invoice_opens_its_newest_receipt, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    app.pay_with_visa(invoice, 100_000).await;
    let path = browser.get(&link).await.path;
    assert_eq!(path, format!("/p/northwind/invoices/{invoice}"), "something is left");
    app.advance(SignedDuration::from_mins(1));
    let newest = app.pay_with_visa(invoice, 25_000).await;
    let receipt = format!("/p/northwind/payments/{newest}/receipt");
    let fresh = Browser::another(&browser.origin);
    for mut browser in [browser, fresh] {
        let page = browser.get(&link).await;
        assert_eq!((page.status, &page.path), (200, &receipt));
        page.says(&format!(
            "With this payment {} is paid in full.",
            app.stored_invoice(invoice).await.number
        ));
        assert!(page.links().contains(&path), "the other receipts are there: {:?}", page.links());
        assert_eq!(browser.get(&path).await.path, path, "the invoice can still be read");
        assert_eq!(browser.get(&format!("{link}?to=receipt/{newest}")).await.path, receipt);
    }
});

on_both_engines!(an_old_link_of_a_paid_invoice_is_sent_anew, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let invoice = app.invoice(125_000).await;
    let contact = dana(app).await;
    let (link, bare) = (link_to(app, invoice, Some(contact)).await, link_to(app, invoice, None).await);
    app.pay_with_visa(invoice, 125_000).await;
    app.letters().await;
    app.settle_after(SignedDuration::from_hours(24 * 89)).await;
    assert_eq!(browser.get(&link).await.status, 200, "90 days after its end");
    app.settle_after(SignedDuration::from_hours(24 * 2)).await;
    let mut later = Browser::another(&browser.origin);
    let expired = later.get(&link).await;
    assert_eq!(expired.status, 410);
    expired.says("This link stopped working on 14 February 2027.");
    expired.says("We can send a new one to d…@acme.example.");
    let new = format!("{}/new", expired.path);
    assert_eq!(later.get(&new).await.path, expired.path, "nothing is on its way before it is asked for");
    for _ in 0..5 {
        let sent = later.submit(&expired, &new, &[]).await;
        sent.says("A new link is on its way to d…@acme.example.");
        assert_eq!((sent.status, &sent.path), (200, &new));
    }
    for _ in 0..5 {
        later.get(&new).await.says("A new link is on its way to d…@acme.example.");
    }
    let letters = app.letters().await;
    assert_eq!(letters.len(), 3, "so many a day");
    assert_eq!(letters[0].to, "dana@acme.example");
    assert!(letters[0].subject.starts_with("Your link to invoice"), "{}", letters[0].subject);
    let page = later.get(&letters[0].address("/l/")).await;
    assert_eq!(page.status, 200, "the new one works");
    page.says("is paid in full.");
    let alone = later.get(&bare).await;
    assert_eq!(alone.status, 410);
    alone.says("This link stopped working on 14 February 2027. Sign in, or ask for a new one.");
    assert!(!alone.html.contains("Send a new link"), "nobody to send it to");
});

on_both_engines!(a_void_invoice_and_a_revoked_link_say_so, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let void = VoidInvoice { merchant: app.merchant, invoice, actor: "cli:test".to_owned() };
    void_invoice(&app.app, void)
        .await
        .expect("it is judged")
        .expect("it is there")
        .expect("it may be voided");
    let page = browser.get(&link).await;
    page.says("Northwind cancelled this invoice on 16 Nov. Nothing is due.");
    assert!(!page.html.contains("class=\"pay\""), "nothing to press");
    app.advance(SignedDuration::from_hours(24 * 91));
    let (other, link) = linked(app).await;
    revoke_links(&app.app, app.merchant, other, "cli:test".to_owned()).await.expect("revoked");
    let page = browser.get(&link).await;
    assert_eq!(page.status, 410);
    page.says("Northwind has ended this link.");
    let anew = link_to(app, other, None).await;
    assert_eq!(browser.get(&anew).await.status, 200, "a later link works");
});

on_both_engines!(an_unknown_link_tells_nothing, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, link) = linked(app).await;
    let (start, token) = link.rsplit_once('/').expect("a link has a token");
    let (word, secret) = token.split_once('.').expect("a token names its merchant");
    let wrong: String = secret.chars().map(|c| if c == '0' { '1' } else { '0' }).collect();
    let known = browser.get(&format!("{start}/{word}.{wrong}")).await;
    assert_eq!(known.status, 404);
    known.says("We cannot find that page");
    assert!(known.links().iter().any(|to| to == "/p/northwind/sign-in"), "{:?}", known.links());
    for unknown in ["", "x", "1.short", &format!("7.{secret}"), &format!("{word}.{secret}x"), "%00", "1.%ff"]
    {
        let page = browser.get(&format!("{start}/{unknown}")).await;
        assert_eq!((page.status, page.words()), (404, known.words()), "{unknown:?}");
    }
    assert!(!browser.cookies.contains_key("paydown-1"), "no session came of it");
});

on_both_engines!(a_link_for_another_company_asks_first, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let new = NewCustomer {
        merchant: app.merchant,
        name: "Beta Ltd".to_owned(),
        address: String::new(),
        contacts: vec![("Bo".to_owned(), "bo@beta.example".to_owned())],
    };
    let beta = create_customer(&app.app, "cli:test", new).await.expect("the customer is written");
    let invoice = others_invoice(app, beta).await;
    let link = link_to(app, invoice, None).await;
    sign_in(app, &mut browser, "dana@acme.example").await;
    let page = browser.get(&format!("{link}?to=amount")).await;
    page.says("You are signed in as Dana at Acme. This invoice is for Beta Ltd.");
    page.says("Open as Beta Ltd");
    page.says("Cancel");
    assert!(page.links().contains(&"/p/northwind/invoices".to_owned()));
    let open = format!("{}/open?to=amount", page.path);
    let amount = browser.submit(&page, &open, &[]).await;
    assert!(amount.path.ends_with("/amount"), "{}", amount.path);
    amount.says("How much do you want to pay now?");
    assert!(browser.get("/p/northwind/invoices").await.html.contains("Acme"), "still signed in for Acme");
    let mut fresh = Browser::another(&browser.origin);
    assert!(fresh.get(&link).await.path.contains("/invoices/"), "nobody is asked who is not signed in");
    let void = VoidInvoice { merchant: app.merchant, invoice, actor: "cli:test".to_owned() };
    void_invoice(&app.app, void)
        .await
        .expect("it is judged")
        .expect("it is there")
        .expect("it may be voided");
    let cancelled = browser.submit(&page, &open, &[]).await;
    assert_eq!(cancelled.path, page.path, "pressed too late, it leads to what the link shows now");
    cancelled.says("Northwind cancelled this invoice");
});

on_both_engines!(mails_and_redirects_name_no_forged_host, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let forged = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("forwarded", "host=evil.example"),
    ];
    let opened = browser.send("GET", &link, &forged, Vec::new()).await;
    let to = opened.headers["location"].to_str().expect("an address").to_owned();
    assert!(to.starts_with("/p/northwind/invoices/"), "{to}");
    let page = browser.send("GET", &to, &forged, Vec::new()).await;
    assert!(page.status == 200 && !page.html.contains("evil"));
    let sign_in = browser.send("GET", "/p/northwind/sign-in", &forged, Vec::new()).await;
    let form = format!("csrf={}&email=dana%40acme.example", sign_in.hidden("csrf"));
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let headers: Vec<_> = forged.into_iter().chain([kind]).collect();
    let asked = browser.send("POST", "/p/northwind/sign-in", &headers, form.into_bytes()).await;
    assert_eq!(asked.headers["location"], "/p/northwind/sign-in/code");
    send_invoice(&app.app, app.merchant, invoice).await.expect("it is queued");
    let letters = app.letters().await;
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|letter| !letter.text.contains("evil")), "{letters:?}");
});

/// Everything this program's tests log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics while logging").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Log;

    fn make_writer(&'w self) -> Log {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_gets_into_the_log() {
    let log = Log::default();
    let all = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false);
    let subscriber = all.with_max_level(tracing::Level::DEBUG).finish();
    tracing::subscriber::set_global_default(subscriber).expect("no other test listens to everything");
    let mut app = TestApp::start(store::testing::TestDatabase::sqlite().await).await;
    let mut browser = Browser::open(&mut app).await;
    let (_, link) = linked(&app).await;
    let token = link.rsplit_once('/').expect("a link has a token").1.to_owned();
    browser.get(&link).await;
    browser.get(&format!("/l/{token}/nothing")).await;
    browser.send("DELETE", &link, &[], Vec::new()).await;
    let page = browser.get("/p/northwind/sign-in").await;
    let code_page = browser.submit(&page, "/p/northwind/sign-in", &[("email", "dana@acme.example")]).await;
    let letter = app.letter().await;
    let sign_in = letter.address("/sign-in/link");
    let secret = sign_in.split_once("token=").expect("the link carries a token").1.to_owned();
    browser.get(&sign_in).await;
    browser.submit(&code_page, "/p/northwind/sign-in/code", &[("code", &letter.code())]).await;
    browser.get("/p/northwind/invoices").await;
    let cookies: Vec<String> = browser.cookies.values().cloned().collect();
    app.finish().await;
    let written = String::from_utf8_lossy(&log.0.lock().expect("nobody panics while logging")).into_owned();
    assert!(written.contains("answered") && written.contains("/l/…"), "the requests were logged");
    assert!(written.contains("client=127.0.0.1"));
    let secrets = [token, secret, letter.code()];
    for secret in secrets.into_iter().chain(cookies) {
        assert!(!written.contains(&secret), "a secret is in the log");
    }
}

on_both_engines!(a_payment_names_a_person_to_colleagues_only, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let invoice = app.invoice(125_000).await;
    let contact = dana(app).await;
    let link = link_to(app, invoice, Some(contact)).await;
    let pay = async |payer: Payer| {
        let form = app.ask(invoice, 10_000);
        let payment = app.pay_as(StartPayment { payer, ..form }).await;
        app.card(payment, VISA).await;
        app.settle().await;
    };
    let nobody = Payer { session_hash: [5; 32], contact_id: None, link_id: None, client: None };
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| store::links::list_by_invoice(tx, merchant, invoice).await;
    let id = app.app.store.read(read).await.expect("links can be read")[0].id;
    pay(Payer { contact_id: Some(contact), ..nobody.clone() }).await;
    pay(Payer { link_id: Some(id), ..nobody.clone() }).await;
    let path = browser.get(&link).await.path;
    let by_link = browser.get(&path).await;
    by_link.says("from someone at Acme");
    assert!(!by_link.html.contains("Dana") && !by_link.html.contains("acme.example"), "{}", by_link.words());
    sign_in(app, &mut browser, "dana@acme.example").await;
    let signed_in = browser.get(&path).await;
    signed_in.says("from Dana");
    signed_in.says("from the link sent to d…@acme.example");
});
