//! Every route and every kind of error answers with all headers (the browser of these tests looks at each answer), takes no
//! more than it should, and nothing changes by looking.

use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, linked};
use paydown::secrets::SecretKey;
use std::sync::Arc;
use store::db::Tx;
use store::verify;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The paths of the route table, as it is written.
fn routes() -> Vec<String> {
    // Those of the API are in its own tests, but for what it says of itself, which is anybody's.
    let sources = [include_str!("../../src/router.rs"), include_str!("../../src/api.rs")];
    let found = sources.iter().flat_map(|source| source.split(".route(").skip(1));
    let mut routes: Vec<String> =
        found.map(|rest| rest.split('"').nth(1).expect("a path").to_owned()).collect();
    routes.dedup();
    assert!(routes.len() > 25, "{routes:?}");
    assert!(["/v1/openapi.json", "/v1/docs"].iter().all(|route| routes.iter().any(|one| one == route)));
    routes
}

on_both_engines!(every_route_and_error_has_its_headers, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let payment = app.pay_with_visa(invoice, 10_000).await;
    let page = browser.get(&link).await;
    let token = link.rsplit_once('/').expect("a link has a token").1.to_owned();
    let brand = page.html.split("href=\"").find(|part| part.contains("/brand-")).expect("a style sheet");
    let brand = brand.split('"').next().and_then(|url| url.rsplit_once('/')).expect("its name").1.to_owned();
    let mut seen = std::collections::BTreeMap::new();
    for route in routes() {
        let id = if route.contains("/payments/") { payment.to_string() } else { invoice.to_string() };
        let path = route
            .replace("{merchant}", "northwind")
            .replace("{token}", &token)
            .replace("{name}", "portal.css")
            .replace("{file}", &brand)
            .replace("{page}", "receipts")
            .replace("{id}", &id);
        for method in ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST"] {
            let answer = browser.send(method, &path, &[FORM], b"csrf=forged".to_vec()).await;
            *seen.entry(answer.status).or_insert(0) += 1;
            assert!(answer.status < 500, "{method} {path}: {}", answer.status);
            let is_ours = path.starts_with("/p/") || path.starts_with("/l/");
            if method == "POST" && is_ours {
                assert!([403, 405].contains(&answer.status), "{path} took a forged form: {}", answer.status);
            }
            if matches!(method, "PUT" | "PATCH" | "DELETE" | "OPTIONS") {
                assert_eq!(answer.status, 405, "{method} {path}");
            }
        }
    }
    for status in [200, 303, 403, 404, 405] {
        assert!(seen.contains_key(&status), "no {status} was seen: {seen:?}");
    }
});

on_both_engines!(looking_changes_nothing, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let payment = app.pay_with_visa(invoice, 10_000).await;
    browser.get(&link).await;
    let before = (app.stored_invoice(invoice).await, app.payment(payment).await.state, counts(app).await);
    for route in routes().iter().filter(|route| route.contains("{merchant}")) {
        let id = if route.contains("/payments/") { payment.to_string() } else { invoice.to_string() };
        let path = route.replace("{merchant}", "northwind").replace("{id}", &id).replace("{file}", "x");
        let path = path.replace("{page}", "receipts");
        for query in ["", "?amount=5000", "?typed=50", "?again=1", "?ask=receipt"] {
            browser.send("GET", &format!("{path}{query}"), &[], Vec::new()).await;
        }
    }
    let after = (app.stored_invoice(invoice).await, app.payment(payment).await.state, counts(app).await);
    assert_eq!(before, after);
});

/// How many postings there are, and findings of `verify`.
async fn counts(app: &TestApp) -> (i64, usize) {
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| {
        let balances = store::postings::balances(tx, merchant, billing::chart::CLEARING).await?;
        Ok(balances.iter().map(|money| money.minor()).sum())
    };
    let sum = app.app.store.read(read).await.expect("postings can be read");
    let report =
        verify::verify(&app.app.store, &verify::Options::default()).await.expect("it can be verified");
    (sum, report.findings.len())
}

on_both_engines!(errors_say_what_happened_first, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, link) = linked(app).await;
    let invoice = browser.get(&link).await.path;
    let pay = format!("{invoice}/pay");
    let large = browser.send("POST", &pay, &[FORM], vec![b'a'; 64 * 1024 + 1]).await;
    assert_eq!(large.status, 413);
    large.says("Nothing was taken. Send less than 64 KB.");
    let fits = browser.send("POST", &pay, &[FORM], vec![b'a'; 64 * 1024]).await;
    assert_eq!(fits.status, 403, "so much is read, and then refused for its token");
    for kind in ["application/json", "multipart/form-data; boundary=x", "text/plain"] {
        let wrong = browser.send("POST", &pay, &[("content-type", kind)], b"{}".to_vec()).await;
        assert_eq!(wrong.status, 415, "{kind}");
        wrong.says("Nothing was taken.");
    }
    let put = browser.send("PUT", &pay, &[], Vec::new()).await;
    assert_eq!(put.status, 405);
    put.says("This address does something else Nothing was taken.");
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let forged = browser.send("POST", &pay, &[FORM, (header, value)], Vec::new()).await;
        assert_eq!(forged.status, 403);
        forged.says("Nothing was taken.");
    }
    for odd in ["?amount=1&amount=2", "?amount=%ff", "/%ff", "?amount=-1", "?amount=99999999999999999999"] {
        let page = browser.send("GET", &format!("{invoice}{odd}"), &[], Vec::new()).await;
        assert!((200..500).contains(&page.status), "{odd}: {}", page.status);
        assert!(page.html.contains("</html>"), "{odd} gets a page: {}", page.html);
    }
    for path in
        ["/", "/nothing", "/p/nobody/invoices", "/p/northwind/nothing", "/assets/nothing.css", "/p/%ff/x"]
    {
        let page = browser.send("GET", path, &[], Vec::new()).await;
        assert_eq!(page.status, 404, "{path}");
    }
    let hook = browser.send("POST", "/hooks/stripe/northwind", &[], vec![b'a'; 1024 * 1024 + 1]).await;
    assert_eq!(hook.status, 413);
    let hook = browser.send("POST", "/hooks/stripe/northwind", &[], b"{}".to_vec()).await;
    assert_eq!(hook.status, 400, "an unsigned event");
});

on_both_engines!(reports_of_a_broken_policy_are_taken_and_bounded, async |app: &mut TestApp| {
    const HERE: &str = "/csp-reports";
    let old: &[u8] =
        br#"{"csp-report": {"document-uri": "http://127.0.0.1/l/1.secret", "blocked-uri": "inline"}}"#;
    let new: &[u8] = br#"[{"type": "csp-violation", "body": {"blockedURL": "https://evil.example/x"}}]"#;
    let mut browser = Browser::open(app).await;
    let before = counts(app).await;
    for (kind, body, status) in [
        ("application/csp-report", old, 204),
        ("application/csp-report; charset=utf-8", old, 204),
        ("application/reports+json", new, 204),
        ("application/reports+json", b"[]", 204),
        ("application/reports+json", old, 400),
        ("application/csp-report", b"{", 400),
        ("application/json", old, 415),
        ("application/x-www-form-urlencoded", b"csrf=forged", 415),
    ] {
        let answer = browser.send("POST", HERE, &[("content-type", kind)], body.to_vec()).await;
        assert_eq!(answer.status, status, "{kind} {:?}", String::from_utf8_lossy(body));
        assert!(answer.headers.get("set-cookie").is_none(), "it is no page");
    }
    // Of another site, as browsers send it where a page was framed or saved; still it costs nothing and says nothing.
    let headers = [("content-type", "application/csp-report"), ("sec-fetch-site", "cross-site")];
    assert_eq!(browser.send("POST", HERE, &headers, old.to_vec()).await.status, 204);
    let large = [b"[".as_slice(), &vec![b' '; 16 * 1024], b"]"].concat();
    let kind = [("content-type", "application/reports+json")];
    assert_eq!(browser.send("POST", HERE, &kind, large).await.status, 413);
    for _ in 0..200 {
        assert_eq!(browser.send("POST", HERE, &kind, new.to_vec()).await.status, 204);
    }
    assert_eq!(counts(app).await, before);
    assert_eq!(browser.send("GET", HERE, &[], Vec::new()).await.status, 405);
});

on_both_engines!(our_own_mistake_names_the_invoice_to_check, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (_, link) = linked(app).await;
    let invoice = browser.get(&link).await.path;
    let (secrets, processors) = (Arc::clone(&app.app.secrets), Arc::clone(&app.app.processors));
    // A server whose key is another one cannot open the processor's key.
    app.app.secrets = Arc::new(SecretKey::from_bytes([8; 32]));
    app.app.processors = Arc::default();
    let mut broken = Browser::open(app).await;
    broken.cookies = browser.cookies.clone();
    let page = broken.get(&invoice).await;
    assert_eq!(page.status, 500);
    page.says(
        "Something went wrong at our end If you were paying, do not pay again until you have checked INV-",
    );
    let id = page.headers["x-request-id"].to_str().expect("text").to_owned();
    page.says(&format!("Reference {}.", &id[..4]));
    assert!(page.links().contains(&invoice), "{:?}", page.links());
    for inside in ["anyhow", "panicked", "sealed", "secret", "crates/"] {
        assert!(!page.html.contains(inside), "{inside}");
    }
    (app.app.secrets, app.app.processors) = (secrets, processors);
});
