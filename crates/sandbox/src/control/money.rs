//! What the control API does to money that is under way: debits, refunds, disputes and payouts end as a test wants them to.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, read};
use crate::api::{disputes, payment_intents, payouts, refunds};
use crate::app::App;
use crate::banks;
use crate::currency;
use crate::error::{ApiError, Failure};
use crate::objects::{Charge, Intent, Payout, Refund};
use crate::paying_out::{self, PayoutManner, Schedule};
use crate::returns;
use crate::work::Cause;
use crate::{debits, disputing, refunding, store, verifying};

pub(super) const HELP: &str = "
GET    /control/bank_accounts?code=R01&days=2&after=false
                                      the number to type for a debit that fails with the code after so many days,
                                      or with after=true succeeds and is taken back so many days later
POST   /control/payment_intents/{id}/debit
                                      {} or {\"code\": \"R01\"}: a debit under way succeeds or fails now
POST   /control/verification         {\"us_bank_account\": \"instant\" | \"microdeposits\"}: how an account is proved where that is left to the
                                      processor; at first at once, and the account ending 6661 by small deposits always
POST   /control/charges/{id}/return   {\"code\": \"R10\"}: a debit that succeeded is taken back now
POST   /control/charges/{id}/dispute  {\"reason\": \"fraudulent\", \"inquiry\": false, \"amount\": minor units or all}
POST   /control/disputes/{id}         {\"outcome\": \"won\" | \"lost\" | \"escalated\"}; a lost one may be won after all
POST   /control/refunds/{id}/fail     a refund comes back, even after it succeeded
POST   /control/payouts               {\"schedule\": \"daily\" | \"manual\", \"next_fails_with\": \"account_closed\" or null,
                                      \"converts_to\": [\"eur\", 925000] or null: the bank account's currency, and a rate in millionths}
POST   /control/payouts/{id}/fail     {\"code\": \"account_closed\"}: a payout comes back, even after it was paid
";

/// The routes.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/bank_accounts", get(magic_number))
        .route("/payment_intents/{id}/debit", post(end_debit))
        .route("/verification", post(set_verification))
        .route("/charges/{id}/return", post(take_back))
        .route("/charges/{id}/dispute", post(open_dispute))
        .route("/disputes/{id}", post(end_dispute))
        .route("/refunds/{id}/fail", post(fail_refund))
        .route("/payouts", post(set_payouts))
        .route("/payouts/{id}/fail", post(fail_payout))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerificationRequest {
    us_bank_account: verifying::Automatic,
}

async fn set_verification(State(app): State<App>, body: Bytes) -> Answer {
    let request: VerificationRequest = read(&body)?;
    app.read(|work| store::set_setting(work.connection, verifying::AUTOMATIC, &request.us_bank_account))?;
    Ok(Json(json!({ "us_bank_account": request.us_bank_account })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MagicRequest {
    code: String,
    days: u32,
    #[serde(default)]
    after: bool,
}

async fn magic_number(Query(request): Query<MagicRequest>) -> Answer {
    let number = banks::magic_number(request.after, &request.code, request.days)
        .ok_or_else(|| ApiError::invalid("A code of NACHA or SEPA and at most 9999 days are needed."))?;
    Ok(Json(json!({ "number": number, "routing_number": banks::TEST_ROUTING })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    code: Option<String>,
}

async fn end_debit(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Answer {
    let request: CodeRequest = read(&body)?;
    let view = app.work(Cause::default(), |work| {
        debits::end_now(work, &id, request.code.as_deref())?;
        Ok(payment_intents::view(work, &work.own::<Intent>(&id)?))
    })?;
    Ok(Json(view))
}

async fn take_back(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Answer {
    let request: CodeRequest = read(&body)?;
    let code = request.code.unwrap_or_else(|| "R01".to_owned());
    let view = app.work(Cause::default(), |work| {
        let charge: Charge = work.get(&id, "charge")?;
        let is_debit = charge.instrument.bank().is_some();
        if !returns::exists(&code) || !is_debit || charge.is_disputed {
            let message = "A debit that succeeded can be taken back once, with a code of NACHA or SEPA.";
            return Err(ApiError::invalid(message).into());
        }
        debits::take_back(work, &id, &code)?;
        Ok(crate::api::charges::view(&work.own(&id)?))
    })?;
    Ok(Json(view))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeRequest {
    #[serde(default = "fraudulent")]
    reason: String,
    #[serde(default)]
    inquiry: bool,
    amount: Option<i64>,
}

fn fraudulent() -> String {
    "fraudulent".to_owned()
}

async fn open_dispute(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Answer {
    let request: DisputeRequest = read(&body)?;
    let view = app.work(Cause::default(), |work| {
        let dispute = disputing::open(work, &id, &request.reason, request.inquiry, request.amount)?;
        Ok(disputes::view(work, &dispute))
    })?;
    Ok(Json(view))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutcomeRequest {
    outcome: String,
    /// What an inquiry that is escalated is about now.
    amount: Option<i64>,
}

async fn end_dispute(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Answer {
    let OutcomeRequest { outcome, amount } = read(&body)?;
    Ok(Json(app.work(Cause::default(), |work| disputes::end(work, &id, &outcome, amount))?))
}

async fn fail_refund(State(app): State<App>, Path(id): Path<String>) -> Answer {
    let view = app.work(Cause::default(), |work| {
        refunding::fail(work, &id)?;
        Ok(refunds::view(&work.own::<Refund>(&id)?))
    })?;
    Ok(Json(view))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayoutsRequest {
    schedule: Option<Schedule>,
    next_fails_with: Option<String>,
    converts_to: Option<(String, i64)>,
}

async fn set_payouts(State(app): State<App>, body: Bytes) -> Answer {
    let request: PayoutsRequest = read(&body)?;
    let manner = app.work(Cause::default(), |work| {
        let schedule = request.schedule.unwrap_or(paying_out::manner(work)?.schedule);
        let converts_to = request
            .converts_to
            .map(|(code, rate_millionths)| Ok::<_, ApiError>((currency::parse(&code)?, rate_millionths)))
            .transpose()?;
        let manner = PayoutManner { schedule, next_fails_with: request.next_fails_with, converts_to };
        paying_out::set_manner(work, &manner)?;
        Ok(manner)
    })?;
    Ok(Json(serde_json::to_value(manner)?))
}

async fn fail_payout(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Answer {
    let request: CodeRequest = read(&body)?;
    let code = request.code.unwrap_or_else(|| "could_not_process".to_owned());
    let view = app.work(Cause::default(), |work| -> Result<_, Failure> {
        let mut payout: Payout = work.get(&id, "payout")?;
        paying_out::fail(work, &mut payout, &code)?;
        Ok(payouts::view(&payout))
    })?;
    Ok(Json(view))
}
