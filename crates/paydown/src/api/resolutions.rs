//! `/v1/payments/{id}/resolve`: a person's word on how a payment ended, where the processor was asked and has none.

use super::answers::{CannotResolve, Common, RequiredKey, done};
use super::caller::{May, PaymentsWrite};
use super::extract::{At, Body, Named, Repeatable};
use super::fields::{Amount, CurrencyCode, Line};
use super::invoices::sentence;
use super::payments::Payment;
use super::problem::{Code, Problem};
use crate::actions::resolve_payment::{self, ResolvePayment, Resolved, Word, resolve_payment};
use crate::app::App;
use anyhow::Result as Outcome;
use axum::extract::State;
use axum::response::Response;
use billing::ids::PaymentId;
use billing::payment::resolve::CannotResolve as Rule;
use ledger::Money;
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::payments;
use utoipa::ToSchema;

/// How the payment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It was given up; no money moved. What it held is payable again.
    Canceled,
    /// It was refused; no money moved. What it held is payable again.
    Failed,
    /// The money was captured. Needs `charge` and `amount`.
    Succeeded,
    /// Takes back a `succeeded` that somebody said before, once the processor says that no money came.
    Returned,
}

/// What somebody knows of a payment that the processor cannot tell about.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "status": "succeeded", "reason": "Shown in the processor's dashboard, told by its support on the telephone",
    "charge": "ch_3PqZ2x", "amount": 50000
}))]
pub struct NewResolution {
    /// How it ended.
    #[schema(inline)]
    status: Ended,
    /// What you know and from whom. It stays in the audit trail.
    #[schema(inline)]
    reason: Line<2000>,
    /// The processor's name of the charge; with `succeeded` only.
    #[schema(inline, example = "ch_3PqZ2x")]
    charge: Option<Line<100>>,
    /// What was captured, surcharge included, minor units; with `succeeded` only.
    #[schema(inline)]
    amount: Option<Amount>,
    /// ISO 4217, where another currency was captured than was asked for; with `succeeded` only.
    #[schema(inline)]
    currency: Option<CurrencyCode>,
}

/// Whether a word was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Noted. It is booked once a second person, with another key or at the command line, says the same.
    Proposed,
    /// Booked.
    Settled,
}

/// What came of a word on a payment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Resolution {
    /// Whether it was booked.
    stage: Stage,
    /// The payment as it is now.
    payment: Payment,
}

/// Settle a payment by hand
///
/// It takes two: the first word is noted (`proposed`), and when somebody else, with another key or at the command line, says the same of the
/// payment it is booked (`settled`). Who said it first cannot be the second: `second_person_needed`. Another word takes the first one's
/// place. Only `returned`, which the processor has to confirm, takes one person.
///
/// For a payment whose outcome is `unknown`, or that has waited in `submitting` or `requires_action` for a day or in `processing`
/// for five, so that its amount is not held for ever. The processor is asked at this moment: where it answers, its word is
/// applied and the request is refused with `processor_answered`. Otherwise what you say is booked, with an audit row and a task
/// for somebody to hold it against the processor. The processor is asked on: money that it turns out to have is booked, and a
/// word that it contradicts is named.
#[utoipa::path(
    post, path = "/v1/payments/{id}/resolve", tag = "Payments", operation_id = "resolvePayment",
    params(
        ("id" = String, Path, description = "Id of the payment", example = "pay_06a8q2m0000000000000000000"),
        RequiredKey
    ),
    request_body = NewResolution,
    responses((status = 200, description = "The word was noted or booked", body = Resolution), Common, CannotResolve),
    security(("key" = ["payments:write"]))
)]
pub async fn resolve(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
    key: Repeatable,
    Body(new): Body<NewResolution>,
) -> Result<Response, Problem> {
    let payment: PaymentId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/payments/{id}/resolve", of: &id, body: &new };
    let once = key.once(&caller, &named, told)?;
    let merchant = caller.merchant;
    let read = async move |tx: &mut Tx| payments::find(tx, merchant, payment).await;
    let there = app.store.read(read).await?.ok_or_else(Problem::not_found)?;
    let word = word(&new, &there)?;
    let input = ResolvePayment { merchant, payment, word, reason: new.reason.0, actor: caller.actor() };
    // In a task of its own: a caller who leaves stops nothing half-way.
    let acting = app.clone();
    let ran = app.undisturbed(async move { resolve_payment(&acting, input, Some(once)).await }).await?;
    done(ran, told, refused)
}

/// What is needed is there, and nothing that has no meaning.
fn word(new: &NewResolution, payment: &payments::Payment) -> Result<Word, Problem> {
    let missing = |field: &'static str| {
        Problem::new(Code::InvalidRequest, "A payment that succeeded has a charge and an amount.").at(field)
    };
    let only = |field: &'static str| {
        Problem::new(Code::InvalidRequest, "Only a payment that succeeded has this.").at(field)
    };
    if new.status == Ended::Succeeded {
        let charge = new.charge.as_ref().ok_or_else(|| missing("charge"))?;
        let amount = new.amount.ok_or_else(|| missing("amount"))?;
        let currency = new.currency.as_ref().map_or(payment.currency, |code| code.0);
        return Ok(Word::Succeeded { charge_id: charge.0.clone(), captured: Money::new(amount.0, currency) });
    }
    let extra = [
        ("charge", new.charge.is_some()),
        ("amount", new.amount.is_some()),
        ("currency", new.currency.is_some()),
    ];
    if let Some((field, _)) = extra.into_iter().find(|(_, given)| *given) {
        return Err(only(field));
    }
    Ok(match new.status {
        Ended::Canceled => Word::Canceled,
        Ended::Failed => Word::Failed,
        Ended::Succeeded | Ended::Returned => Word::TakenBack,
    })
}

fn told(resolved: &Resolved) -> Outcome<(String, String)> {
    let Resolved { waits, payment, placed } = resolved;
    let stage = if waits.is_some() { Stage::Proposed } else { Stage::Settled };
    let payment = Payment::of(payment, &placed.allocations, placed.credit_minor, None);
    let shown = Resolution { stage, payment };
    let json = serde_json::to_string(&shown)?;
    Ok((shown.payment.id, json))
}

fn refused(why: resolve_payment::CannotResolve) -> Problem {
    use resolve_payment::CannotResolve as Why;
    let detail = sentence(&why);
    match why {
        Why::NoSuchPayment => Problem::not_found(),
        Why::Rule(Rule::Answered(_)) => Problem::new(Code::ProcessorAnswered, detail),
        Why::Rule(_) => Problem::new(Code::NotResolvable, detail),
        Why::SamePerson => Problem::new(Code::SecondPersonNeeded, detail),
        Why::NoReason | Why::LongReason => Problem::new(Code::InvalidRequest, detail).at("reason"),
        Why::CardNumber => Problem::new(Code::CardNumber, detail).at("reason"),
        Why::ChargeTaken(_) => Problem::new(Code::InvalidRequest, detail).at("charge"),
    }
}
