//! The checks of these tests can fail: a page that breaks every rule is noticed by each of them.

use crate::visitor::{Script, Visitor};
use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::Html;
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;

const POLICY: &str = "default-src 'none'; script-src 'self'; img-src http:";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_breaks_every_rule_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let elsewhere = format!("http://localhost:{port}/picture");
    let page = format!(
        "<!doctype html><html lang=en><title>Wrong – everything</title><h1>Wrong</h1><div style='width: 2000px'>wide</div>\
         <script>document.title = 'ran'</script><script src=/unlisted.js></script><img src='{elsewhere}'>\
         <table width=2000><tr><td>wide</table>"
    );
    let script = "console.error('a complaint')";
    let router = Router::new()
        .route("/", get(async move || ([(CONTENT_SECURITY_POLICY, POLICY)], Html(page))))
        .route("/unlisted.js", get(async move || ([(CONTENT_TYPE, "text/javascript")], script)))
        .route("/picture", get(async || ""))
        .route("/favicon.ico", get(async || ""));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let visitor = Visitor::open(Script::On, &[format!("http://127.0.0.1:{port}")]).await;
    visitor.go("/").await;
    visitor.sees("Wrong").await;
    assert_eq!(visitor.title().await, "Wrong – everything", "the policy stands while we look");
    visitor.brings_axe().await;
    let found = visitor.violations().await.to_string();
    assert!(found.contains("image-alt"), "{found}");
    assert_ne!(visitor.too_wide().await, json!(null));
    let complaints = visitor.close().await;
    for expected in [
        "Executing inline script violates the following Content Security Policy",
        "a complaint",
        "request to another host: http://localhost",
        "script that is not in the inventory: http://127.0.0.1",
    ] {
        assert!(complaints.iter().any(|one| one.contains(expected)), "{expected}: {complaints:#?}");
    }
}
