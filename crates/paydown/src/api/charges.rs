//! Charging a saved method by `POST /v1/payments`, and `/v1/payments/{id}/cancel`.

use super::answers::{CannotCallOff, Common};
use super::caller::{Caller, May, PaymentsWrite};
use super::extract::{At, HasField, Named, Repeatable};
use super::fields::{self, Amount};
use super::invoices::sentence;
use super::payments::{Payment, shown};
use super::problem::{Code, Problem};
use super::quotes;
use crate::actions::call_off_payment::{CalledOff, call_off_payment};
use crate::actions::charge_saved::{ChargeSaved, Charged, charge_saved};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use billing::ids::PaymentId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A saved method to charge.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "payment_method": "pmt_06a8q2m0000000000000000000", "invoice": "inv_06a8q2m0000000000000000000", "amount": 50000
}))]
pub struct NewCharge {
    /// Id of the saved method, one of the invoice's customer.
    #[schema(inline)]
    payment_method: fields::PaymentMethodId,
    /// Id of the invoice.
    #[schema(inline)]
    invoice: fields::InvoiceId,
    /// What is paid of it, minor units of its currency.
    #[schema(inline)]
    amount: Amount,
    /// The surcharge that the payer was told, minor units; without it, none.
    #[schema(minimum = 0, maximum = 999_999_999_999_999_i64)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    surcharge: Option<u64>,
}

impl HasField for NewCharge {
    const FIELD: &'static str = "payment_method";
}

/// Charges it; a repeat is answered with the payment as it is now.
pub(super) async fn charge(
    app: &App,
    caller: &Caller,
    key: Repeatable,
    new: NewCharge,
) -> Result<Response, Problem> {
    let request = key.request(caller, &Named { route: "POST /v1/payments", of: "", body: &new })?;
    let out_of_range =
        || Problem::new(Code::InvalidRequest, "The surcharge has too many digits.").at("surcharge");
    let input = ChargeSaved {
        merchant: caller.merchant,
        invoice: new.invoice.0,
        saved: new.payment_method.0,
        amount_minor: new.amount.0,
        surcharge_minor: i64::try_from(new.surcharge.unwrap_or(0)).map_err(|_| out_of_range())?,
        retries: None,
        request: Some(request),
        actor: caller.actor(),
    };
    let acting = app.clone();
    let charged = app.undisturbed(async move { charge_saved(&acting, input).await }).await?;
    answer(app, caller, charged).await
}

/// What is answered to a charge; a repeat with the payment as it is now.
pub(super) async fn answer(app: &App, caller: &Caller, charged: Charged) -> Result<Response, Problem> {
    match charged {
        Charged::New(payment) => {
            let payment = shown(app, caller.merchant, payment).await?;
            Ok((StatusCode::CREATED, Json(payment)).into_response())
        }
        Charged::Repeated(payment) => {
            let payment = shown(app, caller.merchant, payment).await?;
            let replayed = [(header::HeaderName::from_static("idempotent-replayed"), "true")];
            Ok((StatusCode::CREATED, replayed, Json(payment)).into_response())
        }
        Charged::OtherRequest => {
            let detail =
                "This Idempotency-Key was used for another request within the last 30 days; make a new one.";
            Err(Problem::new(Code::IdempotencyKeyReused, detail).at("Idempotency-Key"))
        }
        Charged::Refused(refusal, currency) => Err(quotes::refused(&refusal, currency)),
        Charged::SurchargeIs(now) => {
            let detail = format!("The surcharge is {now} now.");
            Err(Problem::new(Code::SurchargeChanged, detail).at("surcharge"))
        }
        Charged::NotAgain(why) => Err(Problem::new(Code::NotRetryable, sentence(&*why))),
        Charged::NotFound => Err(Problem::not_found()),
        Charged::Unusable => {
            let detail = "The saved method cannot be charged for this invoice any more.";
            Err(Problem::new(Code::PaymentMethodUnusable, detail).at("payment_method"))
        }
        Charged::NotYet => {
            let detail = "What the processor knows is being looked through; repeat it in a moment.";
            Err(Problem::new(Code::Unavailable, detail))
        }
    }
}

/// Call a payment off
///
/// One that is held for later is stopped. One whose payer is at the processor's page is ended there. Of a debit that was sent the
/// processor is asked to call it off, and only its answer counts: the payment is answered as it is then, or with 409 where it goes on.
#[utoipa::path(
    post, path = "/v1/payments/{id}/cancel", tag = "Payments", operation_id = "cancelPayment",
    params(("id" = String, Path, description = "Id of the payment", example = "pay_06a8q2m0000000000000000000")),
    responses((status = 200, description = "It was called off", body = Payment), Common, CannotCallOff),
    security(("key" = ["payments:write"]))
)]
pub async fn cancel(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
) -> Result<Json<Payment>, Problem> {
    let id: PaymentId = id.parse().map_err(|_| Problem::not_found())?;
    let (acting, merchant, actor) = (app.clone(), caller.merchant, caller.actor());
    let asked = app.undisturbed(async move { call_off_payment(&acting, merchant, id, actor).await });
    match asked.await? {
        None => Err(Problem::not_found()),
        Some(CalledOff::Done) => shown(&app, merchant, id).await.map(Json),
        Some(CalledOff::Not(state)) => {
            let detail = format!("The payment is {}.", state.as_str());
            Err(Problem::new(Code::CannotCancel, detail))
        }
    }
}
