//! A browser without JavaScript in front of a portal that serves: cookies, forms, redirects, and the headers that every
//! answer must carry.

use crate::test_app::TestApp;
use billing::ids::InvoiceId;
use paydown::actions::create_link::{create_link, link_url};
use paydown::router::router;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use scraper::{Html, Selector};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What every answer carries, whatever it is.
const ALWAYS: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", ""),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=()"),
    ("x-robots-tag", "noindex"),
    ("x-request-id", ""),
];

/// A browser with its cookies.
pub struct Browser {
    http: reqwest::Client,
    /// Where the portal answers.
    pub origin: String,
    /// What it keeps, by name.
    pub cookies: BTreeMap<String, String>,
    /// What a proxy in front of the portal says about where requests come from.
    pub forwarded_for: Option<String>,
}

/// What a page load came to, redirects of the portal followed.
pub struct Page {
    /// Its status.
    pub status: u16,
    /// The path it ended at, without its query.
    pub path: String,
    /// The same with its query.
    pub address: String,
    /// Its text.
    pub html: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Where a redirect left the portal.
    pub left_for: Option<String>,
}

impl Page {
    /// The words of the page's main part.
    pub fn words(&self) -> String {
        let html = Html::parse_document(&self.html);
        let main = Selector::parse("main").expect("a selector");
        let text: String = html.select(&main).flat_map(|main| main.text()).collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        self.find_hidden(name).unwrap_or_else(|| panic!("no field {name} in {}", self.html))
    }

    /// The value of a hidden field of the main part, where there is one.
    pub fn find_hidden(&self, name: &str) -> Option<String> {
        let html = Html::parse_document(&self.html);
        let field = Selector::parse(&format!("form[method=post] input[name={name}]")).expect("a selector");
        html.select(&field).next().and_then(|field| field.value().attr("value")).map(str::to_owned)
    }

    /// Where the links of the main part lead, in order.
    pub fn links(&self) -> Vec<String> {
        let html = Html::parse_document(&self.html);
        let links = Selector::parse("main a[href]").expect("a selector");
        html.select(&links).filter_map(|link| link.value().attr("href")).map(str::to_owned).collect()
    }

    /// Asserts what the page says.
    #[track_caller]
    pub fn says(&self, words: &str) {
        assert!(self.words().contains(words), "{} does not say {words:?}: {}", self.path, self.words());
    }
}

impl Browser {
    /// Serves the portal on a free port and opens a browser in front of it.
    pub async fn open(app: &mut TestApp) -> Browser {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        app.app.public_url = Arc::from(origin.as_str());
        let service = router(app.app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Browser::another(&origin)
    }

    /// A browser that knows nothing yet.
    pub fn another(origin: &str) -> Browser {
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        Browser { http, origin: origin.to_owned(), cookies: BTreeMap::new(), forwarded_for: None }
    }

    /// Loads a page.
    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.http.get(self.address(path));
        self.follow(request).await
    }

    /// Sends a form.
    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let request = self.http.post(self.address(path)).form(form).header("origin", &self.origin);
        self.follow(request).await
    }

    /// Sends a form of a page with the page's token.
    pub async fn submit(&mut self, page: &Page, path: &str, form: &[(&str, &str)]) -> Page {
        let csrf = page.hidden("csrf");
        let fields: Vec<_> = form.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        self.post(path, &fields).await
    }

    /// Makes a request as it is, with the cookies; no redirect is followed.
    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Page {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, self.address(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.once(request).await
    }

    fn address(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin) }
    }

    async fn follow(&mut self, mut request: reqwest::RequestBuilder) -> Page {
        for _ in 0..8 {
            let page = self.once(request).await;
            let Some(location) = page.headers.get("location") else { return page };
            assert_eq!(page.status, 303, "a form ends in a page that can be reloaded");
            let to = location.to_str().expect("an address").to_owned();
            if to.starts_with("http") && !to.starts_with(&self.origin) {
                return Page { left_for: Some(to), ..page };
            }
            request = self.http.get(self.address(&to));
        }
        panic!("the portal redirects in a circle");
    }

    async fn once(&mut self, mut request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(from) = &self.forwarded_for {
            request = request.header("x-forwarded-for", from);
        }
        let answer = request.send().await.expect("the portal answers");
        self.keep_cookies(&answer);
        let page = Page {
            status: answer.status().as_u16(),
            path: answer.url().path().to_owned(),
            address: match answer.url().query() {
                Some(query) => format!("{}?{query}", answer.url().path()),
                None => answer.url().path().to_owned(),
            },
            headers: answer.headers().clone(),
            html: answer.text().await.expect("a page"),
            left_for: None,
        };
        assert_headers(&page);
        page
    }

    fn keep_cookies(&mut self, answer: &reqwest::Response) {
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie is text");
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// What every answer carries; looked at on each one that any test gets.
fn assert_headers(page: &Page) {
    let header = |name: &str| page.headers.get(name).and_then(|value| value.to_str().ok());
    for (name, part) in ALWAYS {
        let value = header(name).unwrap_or_else(|| panic!("{} {} has no {name}", page.status, page.path));
        assert!(value.contains(part), "{} {name}: {value}", page.path);
    }
    let csp = header("content-security-policy").expect("a content policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(csp.contains(part), "{} {csp}", page.path);
    }
    assert!(!csp.contains("unsafe"), "{csp}");
    assert!(csp.ends_with("; report-uri /csp-reports; report-to csp"), "{csp}");
    assert_eq!(header("reporting-endpoints"), Some("csp=\"/csp-reports\""), "{}", page.path);
    assert!(header("access-control-allow-origin").is_none(), "{}", page.path);
    let referrer = if page.path.starts_with("/l/") { "no-referrer" } else { "same-origin" };
    assert_eq!(header("referrer-policy"), Some(referrer), "{}", page.path);
    let cached = header("cache-control").expect("it says who may keep it");
    let is_help = ["/help", "/llms", "/p/northwind/help", "/v1/docs", "/v1/openapi.json"]
        .iter()
        .any(|start| page.path.starts_with(start));
    let is_public =
        is_help || ["/assets/", "/favicon", "/logo", ".css"].iter().any(|part| page.path.contains(part));
    assert!(is_public || cached == "no-store", "{} {cached}", page.path);
}

/// A link to an invoice of 1,250.00 and the path its page has.
pub async fn linked(app: &TestApp) -> (InvoiceId, String) {
    let invoice = app.invoice(125_000).await;
    let link =
        create_link(&app.app, app.merchant, invoice, None, "test").await.expect("stored").expect("there");
    (invoice, link_url(&app.app, app.merchant, link))
}
