//! A payer's browser without JavaScript: cookies, forms, redirects. It remembers every secret it was given, so that a test
//! can look for them where they must not be. It outlives the server it talks to.

use crate::program::http;
use scraper::{Html, Selector};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// A browser.
pub struct Payer {
    http: reqwest::Client,
    /// `http://127.0.0.1:PORT`; another one after a restart.
    pub origin: String,
    cookies: BTreeMap<String, String>,
    /// Cookies and tokens it was ever given.
    pub secrets: BTreeSet<String>,
}

/// What a request came to, redirects of the portal followed.
#[derive(Debug)]
pub struct Page {
    /// The status of the last answer.
    pub status: u16,
    /// The address it ended at.
    pub path: String,
    /// The page.
    pub html: String,
    /// Where a redirect left the portal.
    pub left_for: Option<String>,
    /// What to look for in the log.
    pub request_id: String,
}

/// The form that starts a payment, filled in.
#[derive(Clone)]
pub struct PayForm {
    /// Where it goes.
    pub path: String,
    /// The payment's id, made when the form was drawn.
    pub payment: String,
    fields: Vec<(&'static str, String)>,
}

impl PayForm {
    /// The same form with another way of paying chosen.
    pub fn by(mut self, method: &str) -> PayForm {
        self.fields.push(("method", method.to_owned()));
        self
    }
}

impl Page {
    /// The words of the page's main part.
    pub fn words(&self) -> String {
        let html = Html::parse_document(&self.html);
        let main = Selector::parse("main").expect("a selector");
        let text: String = html.select(&main).flat_map(|main| main.text()).collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Insists on words.
    pub fn says(&self, words: &str) {
        let said = self.words();
        assert!(said.contains(words), "{} ({}) does not say {words:?}: {said}", self.path, self.status);
    }

    /// The value of a hidden field of a form that posts.
    pub fn hidden(&self, name: &str) -> String {
        let html = Html::parse_document(&self.html);
        let field = Selector::parse(&format!("form[method=post] input[name={name}]")).expect("a selector");
        let found = html.select(&field).next().and_then(|field| field.value().attr("value"));
        found.unwrap_or_else(|| panic!("no field {name} in {}", self.html)).to_owned()
    }
}

impl Payer {
    /// A browser that knows nothing yet.
    pub fn new(origin: &str) -> Payer {
        Payer::at(origin, None)
    }

    /// One that comes from this address of this machine.
    pub fn at(origin: &str, from: Option<IpAddr>) -> Payer {
        let http = http().local_address(from);
        let http = http.timeout(Duration::from_secs(45)).build().expect("a client");
        Payer { http, origin: origin.to_owned(), cookies: BTreeMap::new(), secrets: BTreeSet::new() }
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Page {
        self.try_get(path).await.expect("the portal answers")
    }

    /// Opens a page of a server that may be gone.
    pub async fn try_get(&mut self, path: &str) -> reqwest::Result<Page> {
        let request = self.http.get(self.address(path));
        self.follow(request).await
    }

    /// Sends a form to a server that may be gone.
    pub async fn try_post(&mut self, path: &str, fields: &[(&str, String)]) -> reqwest::Result<Page> {
        let request = self.http.post(self.address(path)).form(fields).header("origin", &self.origin);
        self.follow(request).await
    }

    /// The form for a part of an invoice, in minor units.
    pub async fn form(&mut self, invoice_path: &str, amount_minor: i64) -> PayForm {
        self.try_form(invoice_path, amount_minor).await.expect("the portal answers").expect("a form")
    }

    /// The same of a server that may be gone; `None` where the page shows no form.
    pub async fn try_form(
        &mut self,
        invoice_path: &str,
        amount_minor: i64,
    ) -> reqwest::Result<Option<PayForm>> {
        let page = self.try_get(&format!("{invoice_path}/pay?amount={amount_minor}")).await?;
        if !page.html.contains("name=\"intent\"") {
            return Ok(None);
        }
        let (payment, csrf) = (page.hidden("intent"), page.hidden("csrf"));
        self.secrets.insert(csrf.clone());
        let fields = vec![
            ("intent", payment.clone()),
            ("csrf", csrf),
            ("amount", amount_minor.to_string()),
            ("receipt_email", "payer@acme.test".to_owned()),
            ("payer_reference", "our 77".to_owned()),
        ];
        Ok(Some(PayForm { path: format!("{invoice_path}/pay"), payment, fields }))
    }

    /// Presses "Continue to the card page".
    pub async fn press(&mut self, form: &PayForm) -> Page {
        self.try_press(form).await.expect("the portal answers")
    }

    /// The same of a server that may die meanwhile.
    pub async fn try_press(&mut self, form: &PayForm) -> reqwest::Result<Page> {
        self.try_post(&form.path, &form.fields).await
    }

    /// Presses "Cancel it and start again" on the payment's page.
    pub async fn try_cancel(&mut self, payment_path: &str) -> reqwest::Result<Page> {
        let csrf = self.try_get(payment_path).await?.hidden("csrf");
        self.try_post(&format!("{payment_path}/cancel"), &[("csrf", csrf)]).await
    }

    fn address(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin) }
    }

    async fn follow(&mut self, mut request: reqwest::RequestBuilder) -> reqwest::Result<Page> {
        for _ in 0..6 {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            if !cookies.is_empty() {
                request = request.header("cookie", cookies.join("; "));
            }
            let answer = request.send().await?;
            self.keep_cookies(&answer);
            let path = answer.url().path().to_owned();
            let id = answer.headers().get("x-request-id").and_then(|id| id.to_str().ok());
            let request_id = id.unwrap_or_default().to_owned();
            let Some(location) = answer.headers().get("location") else {
                let status = answer.status().as_u16();
                let html = answer.text().await?;
                return Ok(Page { status, path, html, left_for: None, request_id });
            };
            let to = location.to_str().expect("an address").to_owned();
            if to.starts_with("http") && !to.starts_with(&self.origin) {
                let status = answer.status().as_u16();
                return Ok(Page { status, path, html: String::new(), left_for: Some(to), request_id });
            }
            request = self.http.get(self.address(&to));
        }
        panic!("the portal redirects in a circle");
    }

    fn keep_cookies(&mut self, answer: &reqwest::Response) {
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie is text");
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a pair");
            if !value.is_empty() {
                self.secrets.insert(value.to_owned());
            }
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
