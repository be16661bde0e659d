//! `/v1/payments/{id}/retry`: a debit that came back for want of money is presented again.

use super::answers::{CannotRetry, Common, RequiredKey};
use super::caller::{May, PaymentsWrite};
use super::charges;
use super::extract::{At, Named, Repeatable};
use super::payments::Payment;
use super::problem::{Code, Problem};
use crate::actions::retry_debit::{Retried, RetryDebit, retry_debit};
use crate::app::App;
use axum::extract::State;
use axum::response::Response;
use billing::ids::PaymentId;

/// Present a debit again
///
/// For a debit that came back for want of money (`R01`, `R09`, `AM04`) and whose account is saved: the same amount is debited once more
/// from the same account for the same invoice, as a new payment whose `retry_of` is the first one. At most twice, within 180 days of the
/// first, and never while one of them is on its way; the answer says which day is the last. It is held until your cut-off, and until then
/// its payer can stop it.
#[utoipa::path(
    post, path = "/v1/payments/{id}/retry", tag = "Payments", operation_id = "retryPayment",
    params(
        ("id" = String, Path, description = "Id of the payment that came back", example = "pay_06a8q2m0000000000000000000"),
        RequiredKey
    ),
    responses((status = 201, description = "The new payment", body = Payment), Common, CannotRetry),
    security(("key" = ["payments:write"]))
)]
pub async fn retry(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
    key: Repeatable,
) -> Result<Response, Problem> {
    let payment: PaymentId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/payments/{id}/retry", of: &id, body: &() };
    let request = Some(key.request(&caller, &named)?);
    let input = RetryDebit { merchant: caller.merchant, payment, request, actor: caller.actor() };
    // In a task of its own: a caller who leaves stops nothing half-way.
    let acting = app.clone();
    let retried = app.undisturbed(async move { retry_debit(&acting, input).await }).await?;
    match retried {
        None => Err(Problem::not_found()),
        Some(Retried::Charged(charged)) => charges::answer(&app, &caller, charged).await,
        Some(Retried::NoDebit(method)) => {
            let detail =
                format!("It came by {}: only a debit of a bank account is presented again.", method.as_str());
            Err(Problem::new(Code::NotRetryable, detail))
        }
        Some(Retried::NotSaved) => {
            let detail =
                "Its account is not saved here, so only its owner can debit it again: send the payer a link.";
            Err(Problem::new(Code::NotRetryable, detail))
        }
    }
}
