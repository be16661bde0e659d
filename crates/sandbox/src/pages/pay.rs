//! The hosted page, and its part for cards. It stays open after a decline, takes money once, and forgets the number as soon as it has found the card it belongs to.

use std::time::Duration;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

use super::{bank, failure, form, message, page, see_other, with_fault};
use crate::app::App;
use crate::books::{self, CaptureOverride};
use crate::cards::{CardSummary, TestCard};
use crate::charging::{self, Manner, Tried};
use crate::currency;
use crate::error::{ApiError, Failure};
use crate::faults::FaultKind;
use crate::methods;
use crate::objects::{
    FieldProblem, Instrument, Intent, IntentStatus, PageState, PaymentError, Session, SessionStatus,
    SetupIntent,
};
use crate::server::{self, Peer};
use crate::setting_up;
use crate::webhooks::WebhookMode;
use crate::work::{Cause, Work};

const MAX_NAME_CHARACTERS: usize = 100;
const MAX_EXPIRY_CHARACTERS: usize = 12;

/// What the page says about the practice cards, and about names that are wishes.
const EXAMPLES: &[(&str, &str)] = &[
    ("4242 4242 4242 4242", "pays"),
    ("4000 0000 0000 9995", "is declined: not enough money"),
    ("4000 0000 0000 3220", "its bank asks first"),
    ("4000 0000 0000 0259", "pays, and is disputed as fraud"),
    ("4000 0000 0000 2685", "pays, and is disputed: not received"),
    ("4000 0000 0000 1976", "pays, and its bank asks about it"),
    ("4000 0000 0000 7726", "pays; refunds take a day"),
    ("4000 0000 0000 5126", "pays; refunds fail after three days"),
    ("4000 0000 0000 0341", "can be kept, but not charged"),
    ("Name: Lost Webhook, Late Webhook or Double Webhook", "what happens to the news of this payment"),
    ("Name: Wrong Amount", "a little less is taken than was asked"),
];

/// What a payer typed, in the part of the page they chose.
pub(crate) enum Input {
    Card(Typed),
    Bank(bank::Typed),
}

/// What a payer typed about a card.
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

/// A way of paying that the page offers.
pub(super) struct MethodLink {
    pub(super) kind: String,
    pub(super) name: &'static str,
    pub(super) is_chosen: bool,
}

#[derive(Template)]
#[template(path = "pay.html")]
struct PayPage<'a> {
    session: &'a Session,
    amount: String,
    methods: Vec<MethodLink>,
    card_number: String,
    problems: &'a [FieldProblem],
    decline: Option<&'a str>,
    bank_address: Option<String>,
    examples: &'static [(&'static str, &'static str)],
}

impl PayPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        self.problems.iter().find(|problem| problem.field == field).map(|problem| problem.message.as_str())
    }
}

/// What the page's address may say.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    method: Option<String>,
}

/// Shows the page, or how it ended.
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response<Body> {
    let found = app.work(Cause::default(), |work| {
        let session: Session = work.get(&id, "session")?;
        let intent = session.payment_intent.as_ref().map(|id| work.own::<Intent>(id)).transpose()?;
        let setup = session.setup_intent.as_ref().map(|id| work.own::<SetupIntent>(id)).transpose()?;
        Ok((session, Behind { intent, setup }, work.now))
    });
    match found {
        Ok((session, behind, now)) => draw(&session, &behind, wanted.method.as_deref(), now),
        Err(error) => failure(error),
    }
}

/// The chosen way of paying: the address says it, else what was typed last, else the first that the merchant named.
fn chosen<'a>(session: &'a Session, wanted: Option<&'a str>) -> &'a str {
    let is_offered = |kind: &&str| session.payment_method_types.iter().any(|offered| offered == kind);
    let first = session.payment_method_types.first().map_or("card", String::as_str);
    wanted.or(session.page.method.as_deref()).filter(is_offered).unwrap_or(first)
}

fn method_links(session: &Session, chosen: &str) -> Vec<MethodLink> {
    let link = |kind: &String| MethodLink {
        name: match kind.as_str() {
            "us_bank_account" => "US bank account",
            "sepa_debit" => "SEPA debit",
            _ => "Card",
        },
        is_chosen: kind == chosen,
        kind: kind.clone(),
    };
    session.payment_method_types.iter().map(link).collect()
}

/// What stands behind a page: a payment, or a method that is to be kept.
#[derive(Default)]
struct Behind {
    intent: Option<Intent>,
    setup: Option<SetupIntent>,
}

impl Behind {
    /// Why the last try did not work.
    fn last_error(&self) -> Option<&PaymentError> {
        let of_payment = self.intent.as_ref().and_then(|intent| intent.last_error.as_ref());
        of_payment.or_else(|| self.setup.as_ref().and_then(|setup| setup.last_error.as_ref()))
    }

    /// Where a bank waits for the payer.
    fn bank_address(&self) -> Option<String> {
        let of_payment =
            self.intent.as_ref().filter(|intent| intent.challenge.is_some()).map(|intent| &intent.id);
        let of_setup = self.setup.as_ref().filter(|setup| setup.challenge.is_some()).map(|setup| &setup.id);
        of_payment.or(of_setup).map(|id| format!("/c/challenge/{id}"))
    }

    /// Where an account waits to be verified.
    fn verification_address(&self) -> Option<String> {
        let of_payment =
            self.intent.as_ref().filter(|intent| intent.verification.is_some()).map(|intent| &intent.id);
        let of_setup =
            self.setup.as_ref().filter(|setup| setup.verification.is_some()).map(|setup| &setup.id);
        of_payment.or(of_setup).map(|id| format!("/c/verify/{id}"))
    }
}

/// The page of a session that the payer has done their part of.
fn completed(session: &Session, behind: &Behind, amount: &str) -> Response<Body> {
    let address = session.success_address();
    let verify = behind.verification_address();
    let on = (address.as_str(), "Continue");
    let is_processing =
        behind.intent.as_ref().is_some_and(|intent| intent.status == IntentStatus::Processing);
    let (title, text, link) = match &verify {
        Some(verify) => (
            "Your bank account is to be verified",
            "No money has been taken. Enter the amounts that we send to your account.".to_owned(),
            (verify.as_str(), "Verify your account"),
        ),
        None if session.is_setup() => {
            ("Your payment method is kept", "No money has been taken.".to_owned(), on)
        }
        None if is_processing => (
            "Your payment has started",
            format!(
                "We will take {amount} of practice money from your account. There is nothing more to do here."
            ),
            on,
        ),
        None if !session.is_paid => {
            ("This payment did not go through", "No money has been taken.".to_owned(), on)
        }
        None => (
            "This payment is complete",
            format!("{amount} was paid with practice money. There is nothing more to do here."),
            on,
        ),
    };
    message(StatusCode::OK, title, &text, Some(link))
}

fn draw(session: &Session, behind: &Behind, wanted: Option<&str>, now: i64) -> Response<Body> {
    let amount = currency::display(&session.currency, session.amount_minor);
    match session.status {
        SessionStatus::Complete => return completed(session, behind, &amount),
        SessionStatus::Expired => {
            let text =
                if session.is_paid { "It takes no more payments." } else { "No money has been taken." };
            let link = session.cancel_url.as_deref().map(|address| (address, "Go back"));
            return message(StatusCode::OK, "This page has expired", text, link);
        }
        SessionStatus::Open => {}
    }
    if behind.intent.as_ref().is_some_and(|intent| intent.status == IntentStatus::Processing) {
        let text = format!("Your payment of {amount} is on its way. Do not pay again.");
        let address = format!("/c/pay/{}", session.id);
        return message(StatusCode::OK, "We are waiting for your bank", &text, Some((&address, "Check now")));
    }
    let chosen = chosen(session, wanted);
    let methods = method_links(session, chosen);
    if chosen != "card" {
        return bank::draw(session, chosen, methods, now);
    }
    let problems: &[FieldProblem] =
        if session.page.method.as_deref().unwrap_or("card") == "card" { &session.page.problems } else { &[] };
    let card = session.page.card_token.as_deref().and_then(TestCard::by_token);
    let pay_page = PayPage {
        session,
        amount,
        methods,
        card_number: card.map(TestCard::grouped_number).unwrap_or_default(),
        problems,
        decline: behind.last_error().filter(|_| problems.is_empty()).map(|error| error.message.as_str()),
        examples: EXAMPLES,
        bank_address: behind.bank_address().filter(|_| problems.is_empty()),
    };
    page(StatusCode::OK, &pay_page, Some(&session.success_url))
}

/// Takes what was typed.
pub(crate) async fn submit(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut fields = match form(&body) {
        Ok(fields) => fields,
        Err(error) => return failure(error.into()),
    };
    let token = fields.take_raw("token").unwrap_or_default();
    let method = fields.take_raw("method").unwrap_or_default();
    let input = match method.as_str() {
        "us_bank_account" | "sepa_debit" => {
            let address = peer.0.ip().to_string();
            Input::Bank(bank::Typed::read(&mut fields, method == "sepa_debit", &headers, address))
        }
        _ => {
            let mut field = |name: &str| fields.take_raw(name).unwrap_or_default();
            Input::Card(Typed {
                number: field("card-number"),
                expiry: field("expiry"),
                code: Some(field("code")),
                name: field("name"),
            })
        }
    };
    let fault = app.faults.take("POST", &format!("/c/pay/{id}"));
    let for_task = app.clone();
    with_fault(&app, fault, move |slowness| async move {
        // In a task of its own: a payer who closes the browser now has still pressed Pay.
        let tasks = for_task.tasks.clone();
        let task = tasks.spawn(async move { take(&for_task, &id, Some(token), input, slowness).await });
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
    input: Input,
    slowness: Option<Duration>,
) -> Result<Response<Body>, Failure> {
    let next =
        app.work(Cause::default(), |work| pay(work, id, token.as_deref(), input, slowness.is_some()))?;
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
pub(crate) async fn submit_scripted(app: &App, id: &str, input: Input) -> Result<(), Failure> {
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
        pay(work, id, None, input, slowness.is_some())
    })?;
    if let Next::Wait(intent_id) = next {
        let app_of_task = app.clone();
        app.tasks
            .spawn(async move { settle_after(&app_of_task, &intent_id, slowness.unwrap_or_default()).await });
    }
    Ok(())
}

/// One press of Pay. A token that was used before changes nothing.
fn pay(work: &Work<'_>, id: &str, token: Option<&str>, input: Input, is_slow: bool) -> Result<Next, Failure> {
    let mut session: Session = work.get(id, "session")?;
    match session.status {
        SessionStatus::Open => {}
        SessionStatus::Complete => return Ok(Next::Merchant(session.success_address())),
        SessionStatus::Expired => return Ok(Next::Page),
    }
    if token.is_some_and(|token| token != session.form_token) {
        return next_of_stale(work, &session);
    }
    let (state, instrument, acceptance) = match input {
        Input::Card(typed) => {
            let (state, card) = read_typed(typed, work.now);
            (state, card.map(Instrument::Card), None)
        }
        Input::Bank(typed) => match typed.check() {
            (state, Some((instrument, acceptance))) => (state, Some(instrument), Some(acceptance)),
            (state, None) => (state, None, None),
        },
    };
    session.form_token = work.next_id("tok_")?;
    session.page = state;
    work.update(&session)?;
    let Some(instrument) = instrument else { return Ok(Next::Page) };
    if !session.payment_method_types.iter().any(|kind| kind == instrument.kind()) {
        return Ok(Next::Page);
    }
    let work = &as_typed(work, &session, &instrument)?;
    let method = methods::make(work, instrument, session.customer_email.clone())?;
    if let Some(setup_id) = &session.setup_intent {
        let mut setup: SetupIntent = work.own(setup_id)?;
        return Ok(match setting_up::try_method(work, &mut setup, &method, acceptance)? {
            Tried::Declined => Next::Page,
            Tried::NeedsAction => Next::Bank(setup.id),
            Tried::Succeeded | Tried::Processing | Tried::NeedsVerification => {
                Next::Merchant(session.success_address())
            }
        });
    }
    let mut intent = charging::intent_of_session(work, &mut session)?;
    if intent.status == IntentStatus::Processing {
        return Ok(Next::Page);
    }
    let manner = Manner { is_slow, acceptance, ..Manner::default() };
    Ok(match charging::try_method(work, &mut intent, &method, &manner)? {
        Tried::Declined => Next::Page,
        Tried::NeedsAction => Next::Bank(intent.id),
        Tried::Processing if intent.card().is_some() => Next::Wait(intent.id),
        Tried::Succeeded | Tried::Processing | Tried::NeedsVerification => {
            Next::Merchant(session.success_address())
        }
    })
}

/// Four names that a payer may type are not names but wishes: how the events of this payment go out, or that too little is taken.
fn as_typed<'a>(work: &Work<'a>, session: &Session, instrument: &Instrument) -> Result<Work<'a>, Failure> {
    let name = instrument.name().unwrap_or_default().to_ascii_lowercase();
    let webhook_mode = match name.as_str() {
        "lost webhook" => Some(WebhookMode::Lose),
        "late webhook" => Some(WebhookMode::Late),
        "double webhook" => Some(WebhookMode::Duplicate),
        _ => None,
    };
    if name == "wrong amount" && !session.is_setup() {
        let amount_minor = session.amount_minor - 1;
        let taken = CaptureOverride { amount_minor, currency: session.currency.clone() };
        books::set_capture_override(work, &session.id, taken)?;
    }
    Ok(Work { webhook_mode, cause: work.cause.clone(), ..*work })
}

/// Where the second press of a double press goes: where the first one went.
fn next_of_stale(work: &Work<'_>, session: &Session) -> Result<Next, Failure> {
    if let Some(id) = &session.setup_intent {
        let setup: SetupIntent = work.own(id)?;
        return Ok(if setup.challenge.is_some() { Next::Bank(setup.id) } else { Next::Page });
    }
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
    let card_token = card.map(|card| card.token.to_owned());
    (
        PageState {
            method: Some("card".to_owned()),
            card_token,
            expiry,
            name,
            problems,
            ..PageState::default()
        },
        summary,
    )
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
