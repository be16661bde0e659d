//! The reference of the API as it is served: to anybody, from here alone, and true: its first steps are taken as they are
//! printed.

use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use paydown::actions::create_api_key::{NewApiKey, create_api_key};
use paydown::api_key::Scope;
use paydown::pages::reference::WALK;
use serde_json::Value;
use std::collections::BTreeMap;

fn header<'a>(page: &'a Page, name: &str) -> &'a str {
    page.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn bearer(app: &TestApp) -> String {
    let new = NewApiKey {
        merchant: app.merchant,
        name: "reader".to_owned(),
        scopes: Scope::ALL.to_vec(),
        requests_per_minute: 0,
        expires_at: None,
        actor: "cli:test".to_owned(),
    };
    let (_, secret) = create_api_key(&app.app, new).await.expect("a key is written").expect("it may be made");
    format!("Bearer {}", secret.reveal())
}

on_both_engines!(the_reference_is_anybodys_and_runs_nothing, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    for (path, kind) in [("/v1/docs", "text/html; charset=utf-8"), ("/v1/openapi.json", "application/json")] {
        let page = browser.get(path).await;
        assert_eq!((page.status, header(&page, "content-type")), (200, kind));
        assert_eq!(header(&page, "cache-control"), "public, max-age=300");
        assert!(page.headers.get("set-cookie").is_none(), "nobody is known here");
        let post = browser.send("POST", path, &[], Vec::new()).await;
        assert_eq!((post.status, header(&post, "content-type")), (405, "application/problem+json"));
        assert_eq!(header(&post, "allow"), "GET,HEAD", "{path}");
    }
    let page = browser.get("/v1/docs").await;
    assert!(!page.html.contains("<script") && !page.html.contains("style="));
    page.says(&format!("PAYDOWN={}", browser.origin));
});

on_both_engines!(the_first_steps_do_what_they_promise, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let page = browser.get("/v1/docs").await;
    let bearer = bearer(app).await;
    let mut kept: BTreeMap<&str, String> = BTreeMap::new();
    for step in &WALK {
        page.says(&one_line(&step.command()));
        let fill = |text: &str| kept.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id));
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(step.body.map(|_| ("content-type", "application/json")));
        headers.extend(step.key.map(|key| ("idempotency-key", key)));
        let body = fill(step.body.unwrap_or_default()).replace('$', "");
        let path = fill(step.path).replace('$', "");
        let answer = browser.send(step.method, &path, &headers, body.into_bytes()).await;
        assert_eq!(answer.status, step.status, "{}: {}", step.title, answer.html);
        let answer: Value = serde_json::from_str(&answer.html).expect("an answer is JSON");
        if let Some(name) = step.keeps {
            kept.insert(name, answer["id"].as_str().expect("it has an id").to_owned());
        }
        let fill = |text: &str| kept.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id));
        let promised: Value = serde_json::from_str(&fill(step.answer).replace('$', "")).expect("JSON");
        for (name, value) in promised.as_object().expect("an object") {
            assert_eq!(&answer[name], value, "{}: {name}", step.title);
        }
    }
});
