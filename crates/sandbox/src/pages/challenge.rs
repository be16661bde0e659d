//! The mock bank of a 3-D Secure card: a full page with Approve, Refuse and a way out that answers nothing.

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};

use super::{failure, form, message, page, see_other, with_fault};
use crate::app::App;
use crate::charging::{self, Tried};
use crate::currency;
use crate::error::Failure;
use crate::objects::{Challenge, Intent, Session};
use crate::work::{Cause, Work};

#[derive(Template)]
#[template(path = "challenge.html")]
struct ChallengePage<'a> {
    intent_id: &'a str,
    challenge: &'a Challenge,
    amount: String,
    merchant: String,
    last4: &'a str,
    back: Option<String>,
}

/// Shows the bank's question, or goes on when there is none.
pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    let found = app.work(Cause::default(), |work| {
        let intent: Intent = work.get(&id, "intent")?;
        let session = intent.session.as_ref().map(|id| work.own::<Session>(id)).transpose()?;
        Ok((intent, session))
    });
    let (intent, session) = match found {
        Ok(found) => found,
        Err(error) => return failure(error),
    };
    let Some(challenge) = &intent.challenge else { return leave(&intent, session.as_ref()) };
    let challenge_page = ChallengePage {
        intent_id: &intent.id,
        challenge,
        amount: currency::display(&intent.currency, intent.amount_minor),
        merchant: session
            .as_ref()
            .map_or_else(|| "a practice payment".to_owned(), |session| session.title().to_owned()),
        last4: intent.card.as_ref().map_or("", |card| card.last4.as_str()),
        back: session
            .as_ref()
            .map(|session| format!("/c/pay/{}", session.id))
            .or_else(|| intent.return_url.clone()),
    };
    let leads_to =
        session.as_ref().map(|session| session.success_url.as_str()).or(intent.return_url.as_deref());
    page(StatusCode::OK, &challenge_page, leads_to)
}

/// Takes the payer's answer to the bank.
pub(crate) async fn submit(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Response<Body> {
    let mut fields = match form(&body) {
        Ok(fields) => fields,
        Err(error) => return failure(error.into()),
    };
    let mut field = |name: &str| fields.take_raw(name).unwrap_or_default();
    let (token, code, answer) = (field("token"), field("bank-code"), field("answer"));
    let fault = app.faults.take("POST", &format!("/c/challenge/{id}"));
    with_fault(&app, fault, |_| async {
        let outcome = app.work(Cause::default(), |work| take_answer(work, &id, &token, &code, &answer));
        match outcome {
            Ok(response) => response,
            Err(error) => failure(error),
        }
    })
    .await
}

fn take_answer(
    work: &Work<'_>,
    id: &str,
    token: &str,
    code: &str,
    answer: &str,
) -> Result<Response<Body>, Failure> {
    let mut intent: Intent = work.get(id, "intent")?;
    if let Some(challenge) = intent.challenge.as_mut().filter(|challenge| challenge.form_token == token) {
        let digits: String = code.chars().filter(|character| !character.is_whitespace()).collect();
        let is_approved = answer == "approve";
        if is_approved && digits != challenge.code {
            challenge.problem = Some("Type the 6 digits that are shown above".to_owned());
            challenge.form_token = work.next_id("tok_")?;
            work.update(&intent)?;
        } else {
            let _tried: Tried = charging::answer_challenge(work, &mut intent, is_approved)?;
        }
    }
    // A token used before has had its effect; the payer is shown where that led.
    if intent.challenge.is_some() {
        return Ok(see_other(&format!("/c/challenge/{id}")));
    }
    let session = intent.session.as_ref().map(|id| work.own::<Session>(id)).transpose()?;
    Ok(leave(&intent, session.as_ref()))
}

/// Away from the bank: to the merchant when paid, else to the card page, else to where the API caller said.
fn leave(intent: &Intent, session: Option<&Session>) -> Response<Body> {
    use crate::objects::IntentStatus::Succeeded;
    let is_paid = intent.status == Succeeded;
    match (session, &intent.return_url) {
        (Some(session), _) if is_paid => see_other(&session.success_address()),
        (Some(session), _) => see_other(&format!("/c/pay/{}", session.id)),
        (None, Some(address)) => see_other(&with_outcome(address, intent, is_paid)),
        (None, None) => {
            let text = if is_paid { "The payment went through." } else { "No money has been taken." };
            message(StatusCode::OK, "Your bank is done", text, None)
        }
    }
}

fn with_outcome(address: &str, intent: &Intent, is_paid: bool) -> String {
    let Ok(mut url) = url::Url::parse(address) else { return address.to_owned() };
    url.query_pairs_mut()
        .append_pair("payment_intent", &intent.id)
        .append_pair("payment_intent_client_secret", &intent.client_secret)
        .append_pair("redirect_status", if is_paid { "succeeded" } else { "failed" });
    url.into()
}
