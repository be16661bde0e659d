//! `/v1/unmatched_receipts`: money at the bank of which nobody knows yet whose it is, and what it turns out to be for.

use super::answers::{CannotMatch, CannotReceive, Common, NotFound, RequiredKey, Unclear, made};
use super::caller::{May, PaymentsRead, PaymentsWrite};
use super::credit::lower;
use super::extract::{Asked, At, Body, Named, Repeatable};
use super::fields::{self, Amount, CurrencyCode, Day, Line};
use super::invoices::sentence;
use super::page::{Limit, List, no_such_row};
use super::payments::{NewAllocation, Payment, ReceivedBy};
use super::problem::{Code, Limits, More, Problem};
use crate::actions::match_receipt::{self, MatchReceipt, Matched, match_receipt};
use crate::actions::record_unmatched::{self, RecordUnmatched, record_unmatched};
use crate::app::App;
use anyhow::Result as Outcome;
use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use billing::ids::PaymentId;
use ledger::Money;
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::unmatched_receipts::{self, UnmatchedReceipt as Stored};
use utoipa::{IntoParams, ToSchema};

/// Most invoices of one match.
const MOST_ALLOCATIONS: usize = 100;

/// Money of which nobody knew whose it was when it came. Amounts are in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnmatchedReceipt {
    /// Its id. As soon as somebody knows whose it is, it is a payment of the same id.
    #[schema(example = "pay_06a8q2m0000000000000000000")]
    id: String,
    /// By what means it came.
    method: ReceivedBy,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// What came.
    #[schema(example = 40_000)]
    amount: i64,
    /// What has no place yet.
    #[schema(example = 40_000)]
    left: i64,
    /// Who paid, as the bank says it.
    #[schema(example = "ACME INC SEATTLE")]
    payer: Option<String>,
    /// What the merchant's books know it by.
    #[schema(example = "10077")]
    reference: Option<String>,
    /// The day it came.
    #[schema(format = Date)]
    received_on: String,
    /// Id of the customer, as soon as somebody knows.
    customer: Option<String>,
    /// When it was recorded.
    #[schema(format = DateTime)]
    created_at: String,
}

/// Money without a payer, as it is entered.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "method": "wire", "amount": 40000, "currency": "usd", "received_on": "2026-11-02", "payer": "ACME INC SEATTLE"
}))]
pub struct NewUnmatchedReceipt {
    /// By what means it came.
    #[schema(inline)]
    method: ReceivedBy,
    /// What came, minor units.
    #[schema(inline)]
    amount: Amount,
    /// ISO 4217.
    #[schema(inline)]
    currency: CurrencyCode,
    /// The day it came, in your time zone.
    #[schema(inline, example = "2026-11-02")]
    received_on: Day,
    /// Who paid, as the bank says it.
    #[schema(inline, example = "ACME INC SEATTLE")]
    payer: Option<Line<200>>,
    /// What your books know it by. Payers see it once they are found.
    #[schema(inline, example = "10077")]
    reference: Option<Line<100>>,
}

/// What a receipt is for.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "allocations": [{ "invoice": "inv_06a8q2m0000000000000000000", "amount": 30000 }], "customer_credit": 10000
}))]
pub struct NewMatch {
    /// Invoices of one customer, each once, with what is meant for each; at most what each can take.
    #[schema(max_items = 100)]
    #[serde(default, deserialize_with = "allocations")]
    allocations: Vec<NewAllocation>,
    /// What becomes the customer's credit, minor units.
    #[schema(inline)]
    customer_credit: Option<Amount>,
    /// Who paid; needed only where there is no invoice that says so.
    #[schema(inline)]
    customer: Option<fields::CustomerId>,
}

fn allocations<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<NewAllocation>, D::Error> {
    let list = Vec::deserialize(from)?;
    if list.len() <= MOST_ALLOCATIONS {
        Ok(list)
    } else {
        Err(serde::de::Error::custom(format_args!("at most {MOST_ALLOCATIONS} allocations are expected")))
    }
}

/// Which receipts are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    limit: Limit,
    /// Begin after this receipt.
    #[param(inline)]
    starting_after: Option<fields::PaymentId>,
}

impl UnmatchedReceipt {
    fn of(receipt: &Stored) -> UnmatchedReceipt {
        use billing::payment::Method as By;
        UnmatchedReceipt {
            id: receipt.id.to_string(),
            method: match receipt.method {
                By::Cheque => ReceivedBy::Cheque,
                By::Cash => ReceivedBy::Cash,
                By::Wire | By::Card | By::UsBankAccount | By::SepaDebit => ReceivedBy::Wire,
            },
            currency: lower(receipt.amount),
            amount: receipt.amount.minor(),
            left: receipt.left.minor(),
            payer: receipt.payer.clone(),
            reference: receipt.reference.clone(),
            received_on: receipt.received_on.to_string(),
            customer: receipt.customer_id.map(|id| id.to_string()),
            created_at: receipt.created_at.to_string(),
        }
    }
}

/// Record money without a payer
#[utoipa::path(
    post, path = "/v1/unmatched_receipts", tag = "Payments", operation_id = "recordUnmatchedReceipt",
    params(RequiredKey), request_body = NewUnmatchedReceipt,
    responses((status = 201, description = "Recorded", body = UnmatchedReceipt), Common, CannotReceive),
    security(("key" = ["payments:write"]))
)]
pub async fn record(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    key: Repeatable,
    Body(new): Body<NewUnmatchedReceipt>,
) -> Result<Response, Problem> {
    let once =
        key.once(&caller, &Named { route: "POST /v1/unmatched_receipts", of: "", body: &new }, told)?;
    let input = RecordUnmatched {
        merchant: caller.merchant,
        method: new.method.means(),
        amount: Money::new(new.amount.0, new.currency.0),
        payer: new.payer.map(|line| line.0),
        reference: new.reference.map(|line| line.0),
        received_on: new.received_on.0,
        actor: caller.actor(),
    };
    let acting = app.clone();
    let ran = app.undisturbed(async move { record_unmatched(&acting, input, Some(once)).await }).await?;
    made(ran, told, |why| match why {
        record_unmatched::CannotRecord::NotYet(_) => {
            Problem::new(Code::DateInFuture, sentence(&why)).at("received_on")
        }
    })
}

fn told(receipt: &Stored) -> Outcome<(String, String)> {
    let shown = UnmatchedReceipt::of(receipt);
    Ok((shown.id.clone(), serde_json::to_string(&shown)?))
}

/// List receipts of which something has no place yet, newest first
#[utoipa::path(
    get, path = "/v1/unmatched_receipts", tag = "Payments", operation_id = "listUnmatchedReceipts", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<UnmatchedReceipt>), Common, Unclear),
    security(("key" = ["payments:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let (merchant, limit) = (caller.merchant, wanted.limit);
    let before = wanted.starting_after.map(|id| id.0);
    let rows = app
        .store
        .read(async move |tx: &mut Tx| {
            if let Some(id) = before
                && unmatched_receipts::find(tx, merchant, id).await?.is_none()
            {
                return Ok(None);
            }
            let before = before.unwrap_or(PaymentId::from_bytes([0xff; 16]));
            unmatched_receipts::newest(tx, merchant, before, (false, limit.and_one())).await.map(Some)
        })
        .await?;
    let rows = rows.ok_or_else(no_such_row)?.iter().map(UnmatchedReceipt::of).collect();
    Ok(List::of(rows, limit).answer(&uri, |row: &UnmatchedReceipt| &row.id))
}

/// Show a receipt that came without a payer
#[utoipa::path(
    get, path = "/v1/unmatched_receipts/{id}", tag = "Payments", operation_id = "showUnmatchedReceipt",
    params(("id" = String, Path, description = "Id of the receipt", example = "pay_06a8q2m0000000000000000000")),
    responses((status = 200, description = "The receipt", body = UnmatchedReceipt), Common, NotFound),
    security(("key" = ["payments:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
    At(id): At,
) -> Result<Json<UnmatchedReceipt>, Problem> {
    let id: PaymentId = id.parse().map_err(|_| Problem::not_found())?;
    let read = async move |tx: &mut Tx| unmatched_receipts::find(tx, caller.merchant, id).await;
    let found = app.store.read(read).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(UnmatchedReceipt::of(&found)))
}

/// Say what a receipt is for
///
/// Invoices of one customer, that customer's credit, or both; all of it or a part, as often as something is left. From the first
/// time on it is a payment of that customer.
#[utoipa::path(
    post, path = "/v1/unmatched_receipts/{id}/matches", tag = "Payments", operation_id = "matchReceipt",
    params(
        ("id" = String, Path, description = "Id of the receipt", example = "pay_06a8q2m0000000000000000000"),
        RequiredKey
    ),
    request_body = NewMatch,
    responses((status = 201, description = "The payment that it is now", body = Payment), Common, CannotMatch),
    security(("key" = ["payments:write"]))
)]
pub async fn match_it(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
    key: Repeatable,
    Body(new): Body<NewMatch>,
) -> Result<Response, Problem> {
    let receipt: PaymentId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/unmatched_receipts/{id}/matches", of: &id, body: &new };
    let once = key.once(&caller, &named, matched)?;
    let input = MatchReceipt {
        merchant: caller.merchant,
        receipt,
        customer: new.customer.map(|id| id.0),
        allocations: new.allocations.iter().map(NewAllocation::read).collect(),
        credit_minor: new.customer_credit.map_or(0, |amount| amount.0),
        actor: caller.actor(),
    };
    let acting = app.clone();
    let ran = app.undisturbed(async move { match_receipt(&acting, input, Some(once)).await }).await?;
    made(ran, matched, refused)
}

fn matched(matched: &Matched) -> Outcome<(String, String)> {
    let shown = Payment::of(&matched.payment, &matched.allocations, matched.receipt.credit_minor, None);
    Ok((shown.id().to_owned(), serde_json::to_string(&shown)?))
}

fn refused(why: match_receipt::CannotMatch) -> Problem {
    use match_receipt::CannotMatch as Why;
    let detail = sentence(&why);
    let at = |n: usize| format!("allocations[{n}].invoice");
    let most = |money: Money| More {
        limits: Some(Limits { minimum: money.minor().min(1), maximum: money.minor() }),
        currency: Some(lower(money)),
        ..More::default()
    };
    match why {
        Why::NoSuchReceipt => Problem::not_found(),
        Why::NoSuchCustomer => Problem::not_found().at("customer"),
        Why::NoSuchInvoice(n) => Problem::not_found().at(at(n)),
        Why::InvoiceTwice(n) => Problem::new(Code::InvalidRequest, detail).at(at(n)),
        Why::Nothing => Problem::new(Code::InvalidRequest, detail).at("allocations"),
        Why::NobodysCredit => Problem::new(Code::InvalidRequest, detail).at("customer"),
        Why::OtherCustomer(n) => {
            Problem::new(Code::CustomerMismatch, detail).at(n.map_or_else(|| "customer".to_owned(), at))
        }
        Why::OtherCurrency(n, _) => Problem::new(Code::CurrencyMismatch, detail).at(at(n)),
        Why::NotOpen { at: n, .. } => Problem::new(Code::NotOpen, detail).at(at(n)),
        Why::AbovePayable { at: n, payable } => {
            let param = format!("allocations[{n}].amount");
            Problem::new(Code::AmountAbovePayable, detail).at(param).with(most(payable))
        }
        Why::AboveLeft(left) => {
            Problem::new(Code::AllocationsAboveAmount, detail).at("allocations").with(most(left))
        }
    }
}
