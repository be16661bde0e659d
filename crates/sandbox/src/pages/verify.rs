//! The page on which a payer proves that a bank account is theirs, by two small amounts or the code beside them.

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};

use super::{failure, form, message, page, see_other, with_fault};
use crate::app::App;
use crate::calendar;
use crate::error::Failure;
use crate::objects::{Instrument, Intent, IntentStatus, Session, SetupIntent, SetupStatus, Verification};
use crate::setting_up;
use crate::verifying::{self, Proof};
use crate::work::{Cause, Work};

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage<'a> {
    object_id: &'a str,
    verification: &'a Verification,
    title: &'a str,
    last4: &'a str,
    is_waiting: bool,
    arrives: String,
    expires: String,
}

/// Shows the question, or how it ended.
pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    let found = app.work(Cause::default(), |work| {
        let asked = find(work, &id)?;
        let session = asked.session.as_ref().map(|id| work.own::<Session>(id)).transpose()?;
        Ok((asked, session, work.now))
    });
    let (asked, session, now) = match found {
        Ok(found) => found,
        Err(error) => return failure(error),
    };
    let bank = asked.instrument.as_ref().and_then(Instrument::bank);
    let Some(verification) = &asked.verification else { return ended(&asked, session.as_ref()) };
    let verify_page = VerifyPage {
        object_id: &id,
        verification,
        title: session.as_ref().map_or("A practice payment", Session::title),
        last4: bank.map_or("", |bank| bank.last4.as_str()),
        is_waiting: now < verification.arrives_at,
        arrives: calendar::long_date(verification.arrives_at),
        expires: calendar::long_date(verification.expires_at),
    };
    page(StatusCode::OK, &verify_page, None)
}

/// What a payment and a kept method have in common here.
struct Asked {
    instrument: Option<Instrument>,
    verification: Option<Verification>,
    session: Option<String>,
    error_code: Option<String>,
    is_verified: bool,
    is_setup: bool,
}

fn find(work: &Work<'_>, id: &str) -> Result<Asked, Failure> {
    if id.starts_with("seti_") {
        let setup: SetupIntent = work.get(id, "intent")?;
        return Ok(Asked {
            instrument: setup.instrument,
            verification: setup.verification,
            session: setup.session,
            error_code: setup.last_error.map(|error| error.code),
            is_verified: setup.status == SetupStatus::Succeeded,
            is_setup: true,
        });
    }
    let intent: Intent = work.get(id, "intent")?;
    Ok(Asked {
        instrument: intent.instrument,
        verification: intent.verification,
        session: intent.session,
        error_code: intent.last_error.map(|error| error.code),
        is_verified: matches!(intent.status, IntentStatus::Processing | IntentStatus::Succeeded),
        is_setup: false,
    })
}

fn ended(asked: &Asked, session: Option<&Session>) -> Response<Body> {
    let address = session.map(Session::success_address);
    let link = address.as_deref().map(|address| (address, "Continue"));
    let (title, text) = match (asked.is_verified, asked.error_code.as_deref()) {
        (true, _) if asked.is_setup => {
            ("Your account is verified", "It is kept for later payments. You can close this page.")
        }
        (true, _) => ("Your account is verified", "The payment has started. You can close this page."),
        (_, Some("payment_method_microdeposit_verification_attempts_exceeded")) => {
            ("Too many tries", "No money has been taken. Go back and start again, or pay another way.")
        }
        (_, Some("payment_method_microdeposit_verification_timeout")) => {
            ("You ran out of time", "No money has been taken. Go back and start again, or pay another way.")
        }
        (_, Some("payment_method_microdeposit_failed")) => (
            "We could not reach this account",
            "No money has been taken. Check the numbers with your bank, or pay another way.",
        ),
        _ => ("There is nothing to verify", "No money has been taken."),
    };
    message(StatusCode::OK, title, text, link)
}

/// Takes the payer's answer.
pub(crate) async fn submit(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Response<Body> {
    let mut fields = match form(&body) {
        Ok(fields) => fields,
        Err(error) => return failure(error.into()),
    };
    let mut field = |name: &str| fields.take_raw(name).unwrap_or_default();
    let (token, code) = (field("token"), field("descriptor-code"));
    let amounts = (field("first-amount"), field("second-amount"));
    let fault = app.faults.take("POST", &format!("/c/verify/{id}"));
    with_fault(&app, fault, |_| async {
        let outcome = app.work(Cause::default(), |work| take(work, &id, &token, &code, &amounts));
        match outcome {
            Ok(()) => see_other(&format!("/c/verify/{id}")),
            Err(error) => failure(error),
        }
    })
    .await
}

fn take(
    work: &Work<'_>,
    id: &str,
    token: &str,
    code: &str,
    (first, second): &(String, String),
) -> Result<(), Failure> {
    // A token used before has had its effect; the payer is shown where that led.
    let is_current = |verification: &Verification| verification.form_token == token;
    if !find(work, id)?.verification.as_ref().is_some_and(is_current) {
        return Ok(());
    }
    let proof = match (first.trim().parse(), second.trim().parse()) {
        _ if !code.trim().is_empty() => Proof::DescriptorCode(code.trim().to_owned()),
        (Ok(first), Ok(second)) => Proof::Amounts(first, second),
        // Not an answer yet, hence not a try.
        _ => return note_incomplete(work, id),
    };
    // What was wrong is kept with the object, and shown there.
    if id.starts_with("seti_") {
        let mut setup: SetupIntent = work.own(id)?;
        return setting_up::answer_verification(work, &mut setup, &proof).map(|_refusal| ());
    }
    let mut intent: Intent = work.own(id)?;
    verifying::answer(work, &mut intent, &proof).map(|_refusal| ())
}

fn note_incomplete(work: &Work<'_>, id: &str) -> Result<(), Failure> {
    let form_token = work.next_id("tok_")?;
    let note = |verification: Option<&mut Verification>| {
        if let Some(verification) = verification {
            verification.problem = Some("Enter both amounts in cents, or the code".to_owned());
            verification.form_token = form_token;
        }
    };
    if id.starts_with("seti_") {
        let mut setup: SetupIntent = work.own(id)?;
        note(setup.verification.as_mut());
        return work.update(&setup);
    }
    let mut intent: Intent = work.own(id)?;
    note(intent.verification.as_mut());
    work.update(&intent)
}
