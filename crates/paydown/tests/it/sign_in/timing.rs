//! Whether an address is known is not told by the time an answer takes. Measured in the long tier; the answers themselves
//! are compared always.

use super::{DANA, SIGN_IN};
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use jiff::SignedDuration;
use std::time::{Duration, Instant};

const NOBODY: &str = "dora@acme.example";
const PAIRS: usize = 5;
const LONG_PAIRS: usize = 2_000;

#[expect(clippy::disallowed_methods, reason = "the time of an answer is what is measured")]
async fn timed(origin: &str, email: &str) -> (Duration, Page) {
    let mut browser = Browser::another(origin);
    let page = browser.get(SIGN_IN).await;
    let form = [("email", email), ("csrf", &page.hidden("csrf"))];
    let body = serde_urlencoded::to_string(form).expect("a form").into_bytes();
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let begun = Instant::now();
    let answer = browser.send("POST", SIGN_IN, &kind, body).await;
    (begun.elapsed(), answer)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

on_both_engines!(an_unknown_address_is_answered_alike_and_as_fast, async |app: &mut TestApp| {
    let origin = Browser::open(app).await.origin;
    let long = std::env::var_os("PAYDOWN_TEST_LONG").is_some();
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for pair in 0..if long { LONG_PAIRS } else { PAIRS } {
        // No limit is reached, and neither is always the first.
        app.advance(SignedDuration::from_hours(25));
        let order = if pair % 2 == 0 { [DANA, NOBODY] } else { [NOBODY, DANA] };
        let mut answers = Vec::new();
        for email in order {
            let (time, answer) = timed(&origin, email).await;
            let times = if email == DANA { &mut known } else { &mut unknown };
            times.push(time);
            let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            answers.push((answer.status, answer.headers["location"].clone(), names, answer.html));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(app.letters().await.len(), 1, "only the known one hears of it");
    }
    if long {
        let (known, unknown) = (median(known), median(unknown));
        let difference = (known - unknown).abs() / known.max(unknown);
        assert!(difference < 0.05, "{known} s for a known address, {unknown} s for an unknown one");
    }
});
