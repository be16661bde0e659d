//! The portal over HTTP, as a browser without JavaScript uses it: links, forms, redirects, cookies.

use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::ids::{InvoiceId, PaymentId};
use paydown::actions::create_link::{create_link, link_url, revoke_links};
use paydown::router::router;
use reqwest::redirect::Policy;
use scraper::{Html, Selector};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A browser with its cookies, in front of a portal that serves.
struct Browser {
    http: reqwest::Client,
    origin: String,
    cookies: BTreeMap<String, String>,
}

/// What a page load came to, redirects of the portal followed.
struct Page {
    status: u16,
    path: String,
    html: String,
    /// Where a redirect left the portal.
    left_for: Option<String>,
}

impl Page {
    fn words(&self) -> String {
        let html = Html::parse_document(&self.html);
        let main = Selector::parse("main").expect("a selector");
        let text: String = html.select(&main).flat_map(|main| main.text()).collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn hidden(&self, name: &str) -> String {
        let html = Html::parse_document(&self.html);
        let field = Selector::parse(&format!("form[method=post] input[name={name}]")).expect("a selector");
        let found = html.select(&field).next().and_then(|field| field.value().attr("value"));
        found.unwrap_or_else(|| panic!("no field {name} in {}", self.html)).to_owned()
    }

    fn says(&self, words: &str) {
        assert!(self.words().contains(words), "{} does not say {words:?}: {}", self.path, self.words());
    }
}

impl Browser {
    /// Serves the portal on a free port and opens a browser in front of it.
    async fn open(app: &mut TestApp) -> Browser {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        app.app.public_url = Arc::from(origin.as_str());
        let service = router(app.app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Browser::another(&origin)
    }

    /// A browser that knows nothing yet.
    fn another(origin: &str) -> Browser {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
        Browser { http, origin: origin.to_owned(), cookies: BTreeMap::new() }
    }

    async fn get(&mut self, path: &str) -> Page {
        let request = self.http.get(self.address(path));
        self.follow(request).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let request = self.http.post(self.address(path)).form(form).header("origin", &self.origin);
        self.follow(request).await
    }

    fn address(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin) }
    }

    async fn follow(&mut self, mut request: reqwest::RequestBuilder) -> Page {
        for _ in 0..6 {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            if !cookies.is_empty() {
                request = request.header("cookie", cookies.join("; "));
            }
            let answer = request.send().await.expect("the portal answers");
            self.keep_cookies(&answer);
            for name in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
                assert!(answer.headers().contains_key(name), "{} has no {name}", answer.url());
            }
            let path = answer.url().path().to_owned();
            let Some(location) = answer.headers().get("location") else {
                let status = answer.status().as_u16();
                return Page { status, path, html: answer.text().await.expect("a page"), left_for: None };
            };
            assert_eq!(answer.status().as_u16(), 303, "a form ends in a page that can be reloaded");
            let to = location.to_str().expect("an address").to_owned();
            if to.starts_with("http") && !to.starts_with(&self.origin) {
                return Page { status: 303, path, html: String::new(), left_for: Some(to) };
            }
            request = self.http.get(self.address(&to));
        }
        panic!("the portal redirects in a circle");
    }

    fn keep_cookies(&mut self, answer: &reqwest::Response) {
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie is text");
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// A link to an invoice of 1,250.00 and the path its page has.
async fn linked(app: &TestApp) -> (InvoiceId, String) {
    let invoice = app.invoice(125_000).await;
    let link = create_link(&app.app, app.merchant, invoice, None).await.expect("stored").expect("there");
    (invoice, link_url(&app.app, app.merchant, link))
}

on_both_engines!(a_part_is_paid_from_the_link_and_the_rest_stays, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let page = browser.get(&link).await;
    page.says("$1,250.00");
    let invoice_path = page.path;
    browser.get(&format!("{invoice_path}/amount?typed=1,250.01")).await.says("must be $1,250.00 or less");
    browser.get(&format!("{invoice_path}/amount?typed=")).await.says("Enter the amount to pay now");
    browser.get(&format!("{invoice_path}/amount?typed=500")).await.says("Pay partial amount: $500.00");
    let pay = browser.get(&format!("{invoice_path}/pay?amount=50000")).await;
    pay.says("Continue to the card page");
    let (intent, csrf) = (pay.hidden("intent"), pay.hidden("csrf"));
    let form = [
        ("intent", intent.as_str()),
        ("csrf", csrf.as_str()),
        ("amount", "50000"),
        ("receipt_email", "payer@acme.test"),
        ("payer_reference", "our 77"),
    ];
    let pay_path = format!("{invoice_path}/pay");
    let card_page = browser.post(&pay_path, &form).await.left_for.expect("the payer goes to the card page");
    let again = browser.post(&pay_path, &form).await.left_for.expect("a second press leads to the same page");
    assert_eq!(card_page, again);
    let payment: PaymentId = intent.parse().expect("the form carries the payment's id");
    app.card_page(payment, json!({ "card": "4242424242424242" })).await;
    let result = browser.get(&format!("{}/return", payment_path(&invoice_path, payment))).await;
    result.says("Payment received");
    result.says("$750.00 is left on");
    browser.get(&format!("{}/receipt", payment_path(&invoice_path, payment))).await.says("our 77");
    let page = browser.get(&invoice_path).await;
    page.says("Partly paid");
    page.says("Pay $750.00");
    assert_eq!(app.figures(invoice).await.0, 75_000);
    app.settle().await;
});

on_both_engines!(nobody_else_sees_an_invoice_or_its_payment, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let path = browser.get(&link).await.path;
    let payment = app.pay_with_visa(invoice, 10_000).await;
    let mut stranger = Browser::another(&browser.origin);
    let unknown = stranger.get(&path.replace("inv_", "inv_0")).await;
    for hidden in [path.clone(), format!("{path}/pay"), payment_path(&path, payment)] {
        let page = stranger.get(&hidden).await;
        assert_eq!(page.status, 404, "{hidden}");
        assert_eq!(page.words(), unknown.words(), "nothing tells that it is there");
    }
    assert_eq!(browser.get(&path).await.status, 200);
});

on_both_engines!(a_form_without_its_token_moves_nothing, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let path = browser.get(&link).await.path;
    let pay = browser.get(&format!("{path}/pay?amount=50000")).await;
    let intent = pay.hidden("intent");
    for csrf in ["", "0000000000000000000000000000000000000000"] {
        let form = [
            ("intent", intent.as_str()),
            ("csrf", csrf),
            ("amount", "50000"),
            ("receipt_email", "payer@acme.test"),
            ("payer_reference", ""),
        ];
        assert_eq!(browser.post(&format!("{path}/pay"), &form).await.status, 403, "{csrf:?}");
    }
    assert_eq!(app.figures(invoice).await, (125_000, 0, 0));
});

on_both_engines!(a_revoked_link_opens_nothing_any_more, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let path = browser.get(&link).await.path;
    revoke_links(&app.app, app.merchant, invoice, "cli:test".to_owned()).await.expect("revoked");
    assert_ne!(browser.get(&path).await.status, 200);
    let mut other = Browser::another(&browser.origin);
    assert_ne!(other.get(&link).await.status, 200);
});

fn payment_path(invoice_path: &str, payment: PaymentId) -> String {
    let (portal, _) = invoice_path.split_once("/invoices/").expect("a page of an invoice");
    format!("{portal}/payments/{payment}")
}
