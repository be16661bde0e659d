//! `/v1/payments/{id}/reverse`: money that was recorded as received is taken out of the books again.

use super::answers::{CannotReverse, Common, RequiredKey, done};
use super::caller::{May, PaymentsWrite};
use super::extract::{At, Body, Named, Repeatable};
use super::fields::Line;
use super::invoices::sentence;
use super::problem::{Code, Problem};
use crate::actions::reverse_receipt::{self, ReverseReceipt, Reversed, reverse_receipt};
use crate::app::App;
use anyhow::Result as Outcome;
use axum::extract::State;
use axum::response::Response;
use billing::ids::PaymentId;
use billing::reversal::{CannotReverse as Rule, ReversalKind as Kind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a recorded receipt is reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReversalKind {
    /// The bank sent it back: a cheque without cover, a transfer that was recalled.
    Bounced,
    /// It never came so: the wrong amount, the wrong customer, entered twice.
    EnteredWrongly,
}

/// What is said of a receipt that is reversed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "kind": "bounced", "reason": "Cheque 10077 came back unpaid on 18 November" }))]
pub struct NewReversal {
    /// Why, in a word. The payer reads it.
    #[schema(inline)]
    kind: ReversalKind,
    /// Why, in your words. It stays in the audit trail; the payer does not read it.
    #[schema(inline)]
    reason: Line<500>,
}

/// A receipt that was reversed, and where its money was. Minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reversal {
    /// Id of the payment, or of the receipt that was nobody's yet.
    #[schema(example = "pay_06a8q2m0000000000000000000")]
    payment: String,
    /// Why, in a word.
    kind: ReversalKind,
    /// Why, in somebody's words.
    reason: String,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// All that had been received.
    #[schema(example = 40_000)]
    amount: i64,
    /// What it had set against invoices, which are owed again.
    invoices: Vec<OwedAgain>,
    /// What of its surplus was left as the customer's credit.
    customer_credit: i64,
    /// What of it had found no place.
    unapplied: i64,
    /// What had been spent or refunded of it meanwhile: the customer owes it. Ask for it with `/v1/returned_payment_demands`.
    owed: i64,
    /// When.
    #[schema(format = DateTime)]
    reversed_at: String,
}

/// An invoice that is owed again.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwedAgain {
    /// Its id.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    invoice: String,
    /// What of it is owed again.
    amount: i64,
}

/// Reverse a recorded receipt
///
/// For a cheque that bounced, or money that was entered wrongly: what is left of this payment is taken from its invoices, which are owed
/// again by their own dates, then from what is unspent of its credit, then from what had no place. What was spent or refunded of it
/// meanwhile is owed by the customer. Refunds of it that were not paid yet are withdrawn. The payment is `returned` for good; if the money
/// comes after all, record it anew. A receipt that was nobody's yet is reversed under its id in the same way. A payment through the
/// processor is refunded instead.
#[utoipa::path(
    post, path = "/v1/payments/{id}/reverse", tag = "Payments", operation_id = "reversePayment",
    params(
        ("id" = String, Path, description = "Id of the payment or receipt", example = "pay_06a8q2m0000000000000000000"),
        RequiredKey
    ),
    request_body = NewReversal,
    responses((status = 200, description = "It was reversed", body = Reversal), Common, CannotReverse),
    security(("key" = ["payments:write"]))
)]
pub async fn reverse(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
    key: Repeatable,
    Body(new): Body<NewReversal>,
) -> Result<Response, Problem> {
    let receipt: PaymentId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/payments/{id}/reverse", of: &id, body: &new };
    let once = key.once(&caller, &named, told)?;
    let kind = match new.kind {
        ReversalKind::Bounced => Kind::Bounced,
        ReversalKind::EnteredWrongly => Kind::EnteredWrongly,
    };
    let (merchant, actor) = (caller.merchant, caller.actor());
    let input = ReverseReceipt { merchant, receipt, kind, reason: new.reason.0, actor };
    // In a task of its own: a caller who leaves stops nothing half-way.
    let acting = app.clone();
    let ran = app.undisturbed(async move { reverse_receipt(&acting, input, Some(once)).await }).await?;
    done(ran, told, refused)
}

fn told(reversed: &Reversed) -> Outcome<(String, String)> {
    let Reversed { reversal, amount, back } = reversed;
    let taken = &back.taken;
    let shown = Reversal {
        payment: reversal.id.to_string(),
        kind: match reversal.kind {
            Kind::Bounced => ReversalKind::Bounced,
            Kind::EnteredWrongly => ReversalKind::EnteredWrongly,
        },
        reason: reversal.reason.clone(),
        currency: amount.currency().code().to_ascii_lowercase(),
        amount: amount.minor(),
        invoices: taken
            .allocated
            .iter()
            .map(|part| OwedAgain { invoice: part.invoice.to_string(), amount: part.amount_minor })
            .collect(),
        customer_credit: taken.grants.iter().map(|grant| grant.amount_minor).sum(),
        unapplied: taken.unapplied_minor,
        owed: back.rest_minor,
        reversed_at: reversal.at.to_string(),
    };
    let json = serde_json::to_string(&shown)?;
    Ok((shown.payment, json))
}

fn refused(why: reverse_receipt::CannotReverse) -> Problem {
    use reverse_receipt::CannotReverse as Why;
    let detail = sentence(&why);
    match why {
        Why::NoSuchPayment => Problem::not_found(),
        Why::Rule(Rule::Already) => Problem::new(Code::AlreadyReversed, detail),
        Why::Rule(Rule::ThroughProcessor(_) | Rule::NotReceived(_)) => {
            Problem::new(Code::NotReversible, detail)
        }
        Why::Reason => Problem::new(Code::InvalidRequest, detail).at("reason"),
    }
}
