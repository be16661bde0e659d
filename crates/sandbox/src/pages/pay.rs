//! The hosted card page. It stays open after a decline, takes money once, and forgets the number as soon as it has found the card it belongs to.

use std::time::Duration;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};

use super::{failure, form, message, page, see_other, with_fault};
use crate::app::App;
use crate::cards::{CardSummary, TestCard};
use crate::charging::{self, Manner, Tried};
use crate::currency;
use crate::error::{ApiError, Failure};
use crate::faults::FaultKind;
use crate::objects::{FieldProblem, Intent, IntentStatus, PageState, Session, SessionStatus};
use crate::server;
use crate::work::{Cause, Work};

const MAX_NAME_CHARACTERS: usize = 100;
const MAX_EXPIRY_CHARACTERS: usize = 12;

/// What a payer typed.
pub(crate) struct Typed {
    /// A test card's number, or its `pm_card_…` id from a scripted payer.
    pub(crate) number: String,
    pub(crate) expiry: String,
    /// Absent when a scripted payer left it out.
    pub(crate) code: Option<String>,
    pub(crate) name: String,
}

/// Where the payer goes next.
enum Next {
    Page,
    Bank(String),
    Merchant(String),
    /// The charge takes a while; this is its payment intent.
    Wait(String),
}

#[derive(Template)]
#[template(path = "pay.html")]
struct PayPage<'a> {
    session: &'a Session,
    amount: String,
    card_number: String,
    problems: &'a [FieldProblem],
    decline: Option<&'a str>,
    bank_address: Option<String>,
}

impl PayPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        self.problems.iter().find(|problem| problem.field == field).map(|problem| problem.message.as_str())
    }
}

/// Shows the page, or how it ended.
pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    let found = app.work(Cause::default(), |work| {
        let session: Session = work.get(&id, "session")?;
        let intent = session.payment_intent.as_ref().map(|id| work.own::<Intent>(id)).transpose()?;
        Ok((session, intent))
    });
    match found {
        Ok((session, intent)) => draw(&session, intent.as_ref()),
        Err(error) => failure(error),
    }
}

fn draw(session: &Session, intent: Option<&Intent>) -> Response<Body> {
    let amount = currency::display(&session.currency, session.amount_minor);
    match session.status {
        SessionStatus::Complete => {
            let text = format!("{amount} was paid with practice money. There is nothing more to do here.");
            let address = session.success_address();
            return message(StatusCode::OK, "This payment is complete", &text, Some((&address, "Continue")));
        }
        SessionStatus::Expired => {
            let text =
                if session.is_paid { "It takes no more payments." } else { "No money has been taken." };
            let link = session.cancel_url.as_deref().map(|address| (address, "Go back"));
            return message(StatusCode::OK, "This page has expired", text, link);
        }
        SessionStatus::Open => {}
    }
    if intent.is_some_and(|intent| intent.status == IntentStatus::Processing) {
        let text = format!("Your payment of {amount} is on its way. Do not pay again.");
        let address = format!("/c/pay/{}", session.id);
        return message(StatusCode::OK, "We are waiting for your bank", &text, Some((&address, "Check now")));
    }
    let last_error =
        intent.and_then(|intent| intent.last_error.as_ref()).filter(|_| session.page.problems.is_empty());
    let waiting = intent
        .filter(|intent| intent.status == IntentStatus::RequiresAction && session.page.problems.is_empty());
    let card = session.page.card_token.as_deref().and_then(TestCard::by_token);
    let pay_page = PayPage {
        session,
        amount,
        card_number: card.map(TestCard::grouped_number).unwrap_or_default(),
        problems: &session.page.problems,
        decline: last_error.map(|error| error.message.as_str()),
        bank_address: waiting.map(|intent| format!("/c/challenge/{}", intent.id)),
    };
    page(StatusCode::OK, &pay_page, Some(&session.success_url))
}

/// Takes what was typed.
pub(crate) async fn submit(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Response<Body> {
    let mut fields = match form(&body) {
        Ok(fields) => fields,
        Err(error) => return failure(error.into()),
    };
    let mut field = |name: &str| fields.take_raw(name).unwrap_or_default();
    let token = field("token");
    let typed = Typed {
        number: field("card-number"),
        expiry: field("expiry"),
        code: Some(field("code")),
        name: field("name"),
    };
    let fault = app.faults.take("POST", &format!("/c/pay/{id}"));
    let for_task = app.clone();
    with_fault(&app, fault, move |slowness| async move {
        // In a task of its own: a payer who closes the browser now has still pressed Pay.
        let tasks = for_task.tasks.clone();
        let task = tasks.spawn(async move { take(&for_task, &id, Some(token), typed, slowness).await });
        match task.await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => failure(error),
            Err(error) => failure(anyhow::Error::from(error).into()),
        }
    })
    .await
}

async fn take(
    app: &App,
    id: &str,
    token: Option<String>,
    typed: Typed,
    slowness: Option<Duration>,
) -> Result<Response<Body>, Failure> {
    let next =
        app.work(Cause::default(), |work| pay(work, id, token.as_deref(), typed, slowness.is_some()))?;
    let page_address = format!("/c/pay/{id}");
    Ok(match next {
        Next::Page => see_other(&page_address),
        Next::Bank(intent_id) => see_other(&format!("/c/challenge/{intent_id}")),
        Next::Merchant(address) => see_other(&address),
        Next::Wait(intent_id) => {
            settle_after(app, &intent_id, slowness.unwrap_or_default()).await;
            let session: Session = app.read(|work| work.own(id))?;
            if session.status == SessionStatus::Complete {
                see_other(&session.success_address())
            } else {
                see_other(&page_address)
            }
        }
    })
}

/// Lets a slow try take its time, then ends it. When the sandbox stops first, it is ended at the next start.
async fn settle_after(app: &App, intent_id: &str, slowness: Duration) {
    server::hold(app, slowness).await;
    if app.stopping.is_cancelled() {
        return;
    }
    if let Err(error) = app.settle(intent_id) {
        tracing::error!(%error, intent_id, "a slow charge could not be ended");
    }
}

/// A scripted payer: the same path without the page. A slow charge goes on in the background.
pub(crate) async fn submit_scripted(app: &App, id: &str, typed: Typed) -> Result<(), Failure> {
    let slowness = match app.faults.take("POST", &format!("/c/pay/{id}")) {
        Some(fault) if fault.fault == FaultKind::Slow => Some(fault.delay()),
        Some(fault) => {
            let message = format!(
                "The fault armed for the page ({:?}) needs a browser; a scripted payer knows `slow`.",
                fault.fault
            );
            return Err(ApiError::invalid(message).into());
        }
        None => None,
    };
    let next = app.work(Cause::default(), |work| {
        let session: Session = work.get(id, "session")?;
        if session.status != SessionStatus::Open {
            let message = format!("This Checkout Session has a status of {}.", session.status.word());
            return Err(ApiError::state(None, message).into());
        }
        pay(work, id, None, typed, slowness.is_some())
    })?;
    if let Next::Wait(intent_id) = next {
        let app_of_task = app.clone();
        app.tasks
            .spawn(async move { settle_after(&app_of_task, &intent_id, slowness.unwrap_or_default()).await });
    }
    Ok(())
}

/// One press of Pay. A token that was used before changes nothing.
fn pay(work: &Work<'_>, id: &str, token: Option<&str>, typed: Typed, is_slow: bool) -> Result<Next, Failure> {
    let mut session: Session = work.get(id, "session")?;
    match session.status {
        SessionStatus::Open => {}
        SessionStatus::Complete => return Ok(Next::Merchant(session.success_address())),
        SessionStatus::Expired => return Ok(Next::Page),
    }
    if token.is_some_and(|token| token != session.form_token) {
        return next_of_stale(work, &session);
    }
    let (state, card) = read_typed(typed, work.now);
    session.form_token = work.next_id("tok_")?;
    session.page = state;
    work.update(&session)?;
    let Some(card) = card else { return Ok(Next::Page) };
    let mut intent = charging::intent_of_session(work, &mut session)?;
    if intent.status == IntentStatus::Processing {
        return Ok(Next::Page);
    }
    Ok(match charging::try_card(work, &mut intent, card, Manner { is_off_session: false, is_slow })? {
        Tried::Succeeded => Next::Merchant(session.success_address()),
        Tried::Declined => Next::Page,
        Tried::NeedsAction => Next::Bank(intent.id),
        Tried::Processing => Next::Wait(intent.id),
    })
}

/// Where the second press of a double press goes: where the first one went.
fn next_of_stale(work: &Work<'_>, session: &Session) -> Result<Next, Failure> {
    let Some(id) = &session.payment_intent else { return Ok(Next::Page) };
    let intent: Intent = work.own(id)?;
    Ok(if intent.status == IntentStatus::RequiresAction { Next::Bank(intent.id) } else { Next::Page })
}

/// Checks the fields. What is kept never includes the number or the security code.
fn read_typed(typed: Typed, now: i64) -> (PageState, Option<CardSummary>) {
    let mut problems = Vec::new();
    let mut problem = |field: &str, message: &str| {
        problems.push(FieldProblem { field: field.to_owned(), message: message.to_owned() });
    };
    let card = TestCard::by_number(&typed.number).or_else(|| TestCard::by_token(&typed.number));
    if typed.number.trim().is_empty() {
        problem("card-number", "Enter a card number. This is a practice page. Use 4242 4242 4242 4242");
    } else if card.is_none() {
        problem("card-number", "This is a practice page. Use 4242 4242 4242 4242");
    }
    let expiry = match parse_expiry(&typed.expiry) {
        None if typed.expiry.trim().is_empty() => {
            problem("expiry", "Enter the expiry date, as in 12/34");
            None
        }
        None => {
            problem("expiry", "The expiry date must be a month and a year, as in 12/34");
            None
        }
        Some(expiry) if is_past(expiry, now) => {
            problem("expiry", "The expiry date is in the past");
            None
        }
        expiry => expiry,
    };
    let code_length = card.map_or(3, TestCard::security_code_length);
    if let Some(code) = typed.code.as_deref().map(str::trim) {
        if code.is_empty() {
            problem("code", "Enter the security code");
        } else if code.len() != code_length || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            let place = if code_length == 4 {
                "4 digits, on the front of the card"
            } else {
                "3 digits, on the back of the card"
            };
            problem("code", &format!("The security code must be {place}"));
        }
    }
    let name: String = typed.name.trim().chars().take(MAX_NAME_CHARACTERS).collect();
    if name.is_empty() {
        problem("name", "Enter the name on the card");
    }
    let summary = match (card, expiry) {
        (Some(card), Some((month, year))) if problems.is_empty() => {
            Some(CardSummary::of(card, month, year, Some(name.clone())))
        }
        _ => None,
    };
    // The expiry field is only given back when it is one: somebody may have typed a card number into it.
    let expiry = if parse_expiry(&typed.expiry).is_some() { typed.expiry } else { String::new() };
    let name = if name.bytes().filter(u8::is_ascii_digit).count() < 6 { name } else { String::new() };
    (PageState { card_token: card.map(|card| card.token.to_owned()), expiry, name, problems }, summary)
}

/// Month and four-digit year of `MM/YY`, `MM / YY`, `MMYY` or `MM/YYYY`.
fn parse_expiry(text: &str) -> Option<(i64, i64)> {
    if text.chars().count() > MAX_EXPIRY_CHARACTERS
        || !text.chars().all(|c| c.is_ascii_digit() || c == '/' || c == '-' || c.is_whitespace())
    {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (month, year) = match digits.len() {
        3 if text.contains(['/', '-']) => digits.split_at(1),
        4 | 6 => digits.split_at(2),
        _ => return None,
    };
    let month: i64 = month.parse().ok().filter(|month| (1..=12).contains(month))?;
    let year: i64 = year.parse().ok()?;
    Some((month, if year < 100 { 2000 + year } else { year }))
}

/// A card is good to the end of its month.
fn is_past((month, year): (i64, i64), now: i64) -> bool {
    let Ok(today) = jiff::Timestamp::from_second(now).map(|now| now.to_zoned(jiff::tz::TimeZone::UTC)) else {
        return false;
    };
    (year, month) < (i64::from(today.year()), i64::from(today.month()))
}

#[cfg(test)]
mod tests {
    use super::{Typed, is_past, parse_expiry, read_typed};

    #[test]
    fn expiry_dates_are_read_as_people_write_them() {
        for (text, expected) in [
            ("12/34", Some((12, 2034))),
            ("12 / 34", Some((12, 2034))),
            ("1234", Some((12, 2034))),
            ("1/34", Some((1, 2034))),
            ("01/2034", Some((1, 2034))),
            ("13/34", None),
            ("00/34", None),
            ("12", None),
            ("4242424242424242", None),
            ("ab/cd", None),
        ] {
            assert_eq!(parse_expiry(text), expected, "{text}");
        }
        let november_2026 = 1_795_384_800;
        assert!(is_past((10, 2026), november_2026));
        assert!(!is_past((11, 2026), november_2026));
        assert!(!is_past((1, 2027), november_2026));
    }

    #[test]
    fn a_number_in_any_field_is_not_kept() {
        let number = "4111 1111 1111 1111";
        let typed = Typed {
            number: number.into(),
            expiry: number.into(),
            code: Some(number.into()),
            name: number.into(),
        };
        let (state, card) = read_typed(typed, 1_795_384_800);
        assert!(card.is_none());
        let kept = serde_json::to_string(&state).expect("is JSON");
        assert!(!kept.contains("1111"), "{kept}");
        assert_eq!(
            state.problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(),
            ["card-number", "expiry", "code"]
        );
    }
}
