//! The mailbox asked as a browser does, over a folder that the folder transport wrote.

use super::*;
use crate::mail::transport::{Folder, Outgoing, Transport as _};
use axum::body::Body;
use billing::ids::MailId;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use lettre::Message;
use lettre::message::MultiPart;
use tower::ServiceExt as _;

async fn put(folder: &Folder, second: i64, subject: &str) -> String {
    let queued_at = Timestamp::from_second(1_763_458_200 + second).unwrap();
    let id = MailId::new(queued_at, [7; 10]);
    let text = "Pay <now>: https://pay.example/l/1.abc?to=amount\nno javascript:alert(1) link";
    let html = "<html><head></head><body><script>alert(1)</script><a href=\"https://pay.example\">Pay</a></body></html>";
    let message = Message::builder()
        .date(queued_at.into())
        .from("\"Northwind <IT>\" <billing@northwind.example>".parse().unwrap())
        .to("dana@acme.test".parse().unwrap())
        .subject(subject)
        .multipart(MultiPart::alternative_plain_html(text.to_owned(), html.to_owned()))
        .unwrap();
    folder.send(&Outgoing { id, queued_at, message }).await.unwrap();
    format!("{}-{id}.eml", queued_at.strftime("%Y%m%dT%H%M%SZ"))
}

async fn get_from(folder: &Folder, host: &str, path: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder().uri(path).header(HOST, host).body(Body::empty()).unwrap();
    let response = router(folder.path().to_owned()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

fn folder(home: &tempfile::TempDir) -> Folder {
    Folder::try_new(&home.path().join("mail")).unwrap()
}

#[tokio::test]
async fn the_list_shows_the_newest_first() {
    let home = tempfile::tempdir().unwrap();
    let folder = folder(&home);
    let (status, _, empty) = get_from(&folder, "localhost:8026", "/").await;
    assert!(status.is_success() && empty.contains("No mail yet"));
    put(&folder, 0, "The first").await;
    put(&folder, 5, "The <second>").await;
    std::fs::write(folder.path().join("notes.txt"), "none of ours").unwrap();
    let (status, _, list) = get_from(&folder, "127.0.0.1:8026", "/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(list.contains("Practice mailbox: nothing was really sent"));
    let (first, second) = (list.find("The first").unwrap(), list.find("The &#60;second&#62;").unwrap());
    assert!(
        second < first && list.contains("dana@acme.test") && list.contains("2025-11-18 09:30:05 UTC"),
        "{list}"
    );
    assert!(!list.contains("notes.txt"));
}

#[tokio::test]
async fn a_mail_shows_its_text_with_links_and_its_page_in_a_sandbox() {
    let home = tempfile::tempdir().unwrap();
    let folder = folder(&home);
    let name = put(&folder, 0, "An invoice").await;
    let (status, headers, page) = get_from(&folder, "[::1]:8026", &format!("/mail/{name}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("<a href=\"https://pay.example/l/1.abc?to=amount\">https://pay.example"), "{page}");
    assert!(
        !page.contains("href=\"javascript") && !page.contains("<script") && page.contains("&#60;now&#62;")
    );
    assert!(headers[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
    let (_, headers, html) = get_from(&folder, "localhost", &format!("/mail/{name}/html")).await;
    assert!(html.contains("<base target=\"_top\">") && html.contains("href=\"https://pay.example\""));
    let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("sandbox ") && !policy.contains("allow-scripts"), "{policy}");
    assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
    let (status, _, _) = get_from(&folder, "localhost", css_url()).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn nothing_but_mails_of_the_folder_is_shown() {
    let home = tempfile::tempdir().unwrap();
    let folder = folder(&home);
    std::fs::write(home.path().join("secret.eml"), "Subject: secret\r\n\r\nsecret").unwrap();
    for path in
        ["/mail/none.eml", "/mail/..%2Fsecret.eml", "/mail/..%2Fsecret.eml/html", "/mail/%2e%2e", "/assets/x"]
    {
        let (status, _, body) = get_from(&folder, "localhost", path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(!body.contains("secret"), "{path}");
    }
}

#[tokio::test]
async fn other_hosts_names_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let folder = folder(&home);
    let name = put(&folder, 0, "An invoice").await;
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1:8026", "0.0.0.0", "", "a b"] {
        let (status, _, body) = get_from(&folder, host, &format!("/mail/{name}")).await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{host:?}");
        assert!(!body.contains("An invoice"));
    }
}

#[test]
fn a_line_is_cut_at_addresses_and_nothing_is_lost() {
    for line in
        ["", "a  b ", "see https://pay.example/l/1?to=x now", "http:// HTTPS://X.example mailto:a@b.example"]
    {
        let all: String = pieces(line).into_iter().map(|piece| piece.words).collect();
        assert_eq!(all, line);
    }
    let links: Vec<_> = pieces("a https://pay.example/x ftp://y data:z http://q").into_iter().collect();
    let links: Vec<_> = links.iter().filter(|piece| piece.link).map(|piece| piece.words.as_str()).collect();
    assert_eq!(links, ["https://pay.example/x", "http://q"]);
}
