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
use crate::objects::{Challenge, Instrument, Intent, IntentStatus, Session, SetupIntent, SetupStatus};
use crate::setting_up;
use crate::work::{Cause, Work};

#[derive(Template)]
#[template(path = "challenge.html")]
struct ChallengePage<'a> {
    intent_id: &'a str,
    challenge: &'a Challenge,
    what: &'a str,
    last4: &'a str,
    back: Option<String>,
}

/// What a payment and a kept card have in common here.
struct Asked {
    id: String,
    challenge: Option<Challenge>,
    what: String,
    last4: String,
    return_url: Option<String>,
    client_secret: String,
    is_done: bool,
    session: Option<Session>,
}

fn find(work: &Work<'_>, id: &str) -> Result<Asked, Failure> {
    let session = |id: &Option<String>| id.as_ref().map(|id| work.own::<Session>(id)).transpose();
    if id.starts_with("seti_") {
        let setup: SetupIntent = work.get(id, "intent")?;
        let card = setup.instrument.as_ref().and_then(Instrument::card);
        return Ok(Asked {
            last4: card.map(|card| card.last4.clone()).unwrap_or_default(),
            session: session(&setup.session)?,
            id: setup.id,
            challenge: setup.challenge,
            what: "A card is to be kept".to_owned(),
            return_url: setup.return_url,
            client_secret: setup.client_secret,
            is_done: setup.status == SetupStatus::Succeeded,
        });
    }
    let intent: Intent = work.get(id, "intent")?;
    let session = session(&intent.session)?;
    let merchant = session.as_ref().map_or("a practice payment", Session::title);
    let amount = currency::display(&intent.currency, intent.amount_minor);
    Ok(Asked {
        what: format!("{amount} for {merchant}"),
        last4: intent.card().map(|card| card.last4.clone()).unwrap_or_default(),
        id: intent.id,
        challenge: intent.challenge,
        return_url: intent.return_url,
        client_secret: intent.client_secret,
        is_done: intent.status == IntentStatus::Succeeded,
        session,
    })
}

/// Shows the bank's question, or goes on when there is none.
pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    let asked = match app.work(Cause::default(), |work| find(work, &id)) {
        Ok(asked) => asked,
        Err(error) => return failure(error),
    };
    let Some(challenge) = &asked.challenge else { return leave(&asked) };
    let session = asked.session.as_ref();
    let challenge_page = ChallengePage {
        intent_id: &asked.id,
        challenge,
        what: &asked.what,
        last4: &asked.last4,
        back: session.map(|session| format!("/c/pay/{}", session.id)).or_else(|| asked.return_url.clone()),
    };
    let leads_to = session.map(|session| session.success_url.as_str()).or(asked.return_url.as_deref());
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
    let asked = find(work, id)?;
    if let Some(challenge) = asked.challenge.filter(|challenge| challenge.form_token == token) {
        let digits: String = code.chars().filter(|character| !character.is_whitespace()).collect();
        let is_approved = answer == "approve";
        if is_approved && digits != challenge.code {
            let problem = Some("Type the 6 digits that are shown above".to_owned());
            ask_again(work, id, Challenge { problem, form_token: work.next_id("tok_")?, ..challenge })?;
        } else if id.starts_with("seti_") {
            let _tried: Tried = setting_up::answer_challenge(work, &mut work.own(id)?, is_approved)?;
        } else {
            let _tried: Tried = charging::answer_challenge(work, &mut work.own(id)?, is_approved)?;
        }
    }
    // A token used before has had its effect; the payer is shown where that led.
    let asked = find(work, id)?;
    if asked.challenge.is_some() {
        return Ok(see_other(&format!("/c/challenge/{id}")));
    }
    Ok(leave(&asked))
}

fn ask_again(work: &Work<'_>, id: &str, challenge: Challenge) -> Result<(), Failure> {
    if id.starts_with("seti_") {
        return work.update(&SetupIntent { challenge: Some(challenge), ..work.own(id)? });
    }
    work.update(&Intent { challenge: Some(challenge), ..work.own(id)? })
}

/// Away from the bank: to the merchant when it is done, else to the card page, else to where the API caller said.
fn leave(asked: &Asked) -> Response<Body> {
    match (&asked.session, &asked.return_url) {
        (Some(session), _) if asked.is_done => see_other(&session.success_address()),
        (Some(session), _) => see_other(&format!("/c/pay/{}", session.id)),
        (None, Some(address)) => see_other(&with_outcome(address, asked)),
        (None, None) => {
            let text = if asked.is_done { "Your bank said yes." } else { "No money has been taken." };
            message(StatusCode::OK, "Your bank is done", text, None)
        }
    }
}

fn with_outcome(address: &str, asked: &Asked) -> String {
    let Ok(mut url) = url::Url::parse(address) else { return address.to_owned() };
    let kind = if asked.id.starts_with("seti_") { "setup_intent" } else { "payment_intent" };
    url.query_pairs_mut()
        .append_pair(kind, &asked.id)
        .append_pair(&format!("{kind}_client_secret"), &asked.client_secret)
        .append_pair("redirect_status", if asked.is_done { "succeeded" } else { "failed" });
    url.into()
}
