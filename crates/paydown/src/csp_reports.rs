//! Where browsers report that a page broke its content policy. What they say is counted and logged, a few lines a minute,
//! and never stored; anybody can send anything here, so it decides nothing and no line holds more than an address without
//! its secrets.

use crate::app::App;
use crate::metrics;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// The path reports are sent to.
pub const PATH: &str = "/csp-reports";
/// The largest body that is read, bytes.
pub const LARGEST_BODY: usize = 16 * 1024;
/// So many lines are logged within a stretch.
const LINES: u32 = 30;
/// The stretch.
const STRETCH: SignedDuration = SignedDuration::from_mins(1);
/// So many violations of one body are looked at.
const PER_BODY: usize = 20;
/// So much of an address is logged, characters.
const LONGEST: usize = 200;

/// How many lines were logged lately. One per process: it guards the log, nothing else.
#[derive(Clone, Debug, Default)]
pub struct Brake(Arc<Mutex<Option<(Timestamp, u32)>>>);

impl Brake {
    /// True while one more line may be logged.
    fn lets_pass(&self, now: Timestamp) -> bool {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A stretch that begins in the time to come is over: the clock was set back.
        let is_on = |began_at: Timestamp| began_at <= now && began_at.duration_until(now) < STRETCH;
        let (began_at, lines) = window.filter(|(began_at, _)| is_on(*began_at)).unwrap_or((now, 0));
        *window = Some((began_at, lines.saturating_add(1)));
        lines < LINES
    }
}

/// What a browser says was broken, in the words of either kind of report.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Violation {
    #[serde(alias = "document-uri", alias = "documentURL")]
    document: Option<String>,
    #[serde(alias = "effective-directive", alias = "effectiveDirective")]
    directive: Option<String>,
    #[serde(alias = "blocked-uri", alias = "blockedURL")]
    blocked: Option<String>,
    #[serde(alias = "source-file", alias = "sourceFile")]
    source: Option<String>,
    #[serde(alias = "line-number", alias = "lineNumber")]
    line: Option<u64>,
}

/// `application/csp-report`.
#[derive(Deserialize)]
struct Single {
    #[serde(rename = "csp-report")]
    report: Violation,
}

/// One of `application/reports+json`, which may be of other kinds.
#[derive(Deserialize)]
struct OfMany {
    #[serde(rename = "type")]
    kind: String,
    body: Value,
}

/// `POST /csp-reports`.
///
/// 204 once it is counted; 400, 413 and 415 for what is no report, or no list of them. It takes no form token: a browser sends it by itself,
/// without the page's help and mostly without cookies, and it changes nothing that a forger could want changed.
pub async fn receive(
    State(app): State<App>,
    Extension(brake): Extension<Brake>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let violations = match kind.split(';').next().unwrap_or_default().trim() {
        "application/csp-report" => single(&body),
        "application/reports+json" => many(&body),
        _ => {
            metrics::csp_report("refused");
            return StatusCode::UNSUPPORTED_MEDIA_TYPE;
        }
    };
    let Some(violations) = violations else {
        metrics::csp_report("refused");
        return StatusCode::BAD_REQUEST;
    };
    for violation in violations.iter().take(PER_BODY) {
        if brake.lets_pass(app.clock.now()) {
            log(violation, &app.public_url);
            metrics::csp_report("logged");
        } else {
            metrics::csp_report("not logged");
        }
    }
    StatusCode::NO_CONTENT
}

fn single(body: &[u8]) -> Option<Vec<Violation>> {
    serde_json::from_slice::<Single>(body).ok().map(|single| vec![single.report])
}

/// The violations of a list. One that cannot be read is passed over: it must not take the others along.
fn many(body: &[u8]) -> Option<Vec<Violation>> {
    let reports: Vec<Value> = serde_json::from_slice(body).ok()?;
    let reports = reports.into_iter().filter_map(|report| OfMany::deserialize(report).ok());
    let ours = reports.filter(|report| report.kind == "csp-violation");
    Some(ours.filter_map(|report| Violation::deserialize(report.body).ok()).collect())
}

fn log(violation: &Violation, public_url: &str) {
    let address = |text: &Option<String>| cleaned(text.as_deref().unwrap_or_default(), public_url);
    tracing::warn!(
        directive = word(violation.directive.as_deref().unwrap_or_default()),
        blocked = address(&violation.blocked),
        document = address(&violation.document),
        source = address(&violation.source),
        line = violation.line.unwrap_or(0),
        "a page broke its content policy"
    );
}

/// What may be said of an address: of ours the path, whose secrets are cut; of any other its origin; of what is none the
/// word it is (`inline`, `eval`, `data`).
fn cleaned(text: &str, public_url: &str) -> String {
    let Ok(url) = Url::parse(text) else { return word(text) };
    if !matches!(url.scheme(), "http" | "https") {
        return word(url.scheme());
    }
    let origin = url.origin().ascii_serialization();
    let said = match url.path() {
        _ if origin != public_url => origin,
        path if path.starts_with("/l/") => "/l/…".to_owned(),
        path => path.to_owned(),
    };
    said.chars().take(LONGEST).collect()
}

/// Letters, digits and hyphens, which is all that directives and keywords are made of.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://pay.example";

    #[test]
    fn an_address_is_told_without_its_secrets() {
        for (address, said) in [
            ("https://pay.example/l/1.secret", "/l/…"),
            ("https://pay.example/l/1.secret/new?x=1", "/l/…"),
            ("https://pay.example/p/northwind/sign-in/link?token=1.secret", "/p/northwind/sign-in/link"),
            ("https://pay.example/p/northwind/invoices#secret", "/p/northwind/invoices"),
            ("https://user:secret@evil.example/secret?secret", "https://evil.example"),
            ("https://pay.example.evil.example/l/secret", "https://pay.example.evil.example"),
            ("https://pay.example/p/x\r\nINFO forged\u{1b}[31m", "/p/xINFO%20forged%1B[31m"),
            ("data:text/html,secret", "data"),
            ("blob:https://pay.example/secret", "blob"),
            ("inline", "inline"),
            ("wasm-eval", "wasm-eval"),
            ("a\r\nb\u{1b}[31m\u{202e}", "ab31m"),
            ("", ""),
        ] {
            assert_eq!(cleaned(address, OURS), said, "{address:?}");
        }
        assert_eq!(cleaned(&format!("{OURS}/{}", "a".repeat(9_000)), OURS).len(), LONGEST);
    }

    #[test]
    fn both_kinds_of_report_are_read() {
        let old = br#"{"csp-report": {"document-uri": "https://pay.example/", "violated-directive": "script-src",
            "effective-directive": "script-src-elem", "blocked-uri": "inline", "line-number": 3, "status-code": 200}}"#;
        let violation = &single(old).unwrap()[0];
        assert_eq!((violation.directive.as_deref(), violation.line), (Some("script-src-elem"), Some(3)));
        let new = br#"[{"type": "deprecation", "body": {"id": 1}}, {"type": "csp-violation", "age": 1, "body": {"documentURL":
            "https://pay.example/", "effectiveDirective": "img-src", "blockedURL": "https://evil.example/x", "sourceFile": null}}]"#;
        let found = many(new).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].blocked.as_deref(), Some("https://evil.example/x"));
        for odd in [&b"{}"[..], b"[]x", b"", b"\xff", br#"{"csp-report": 1}"#] {
            assert!(single(odd).is_none(), "{odd:?}");
        }
        assert!(many(b"{}").is_none() && many(b"[]").unwrap().is_empty());
        let one_odd = br#"[1, {"type": "csp-violation", "body": {"lineNumber": "x"}}, {"type": 2}, {"type": "csp-violation"},
            {"type": "csp-violation", "body": {"effectiveDirective": "img-src"}}]"#;
        let found = many(one_odd).unwrap();
        assert_eq!(found.len(), 1, "an odd one takes no other along: {found:?}");
        assert_eq!(found[0].directive.as_deref(), Some("img-src"));
    }

    #[test]
    fn a_flood_fills_no_log() {
        let (brake, start) = (Brake::default(), Timestamp::from_second(1_800_000_000).unwrap());
        let passed = |at: Timestamp| (0..1_000).filter(|_| brake.lets_pass(at)).count();
        assert_eq!(passed(start), 30);
        assert_eq!(passed(start + SignedDuration::from_secs(59)), 0);
        assert_eq!(passed(start + STRETCH), 30);
        assert_eq!(
            passed(start),
            30,
            "a clock that was set back does not keep it shut until it has caught up"
        );
        assert_eq!(passed(start + SignedDuration::from_secs(59)), 0);
    }
}
