//! `/v1/credit_applications`, `/v1/allocation_moves` and a customer's credit: what of the money we hold for a customer is set
//! against which invoice, and what is taken off again.

use super::answers::{CannotApply, CannotMove, Common, NotFound, RequiredKey, made};
use super::caller::{CustomersRead, May, PaymentsWrite};
use super::extract::{At, Body, Named, Repeatable};
use super::fields::{self, Amount};
use super::invoices::sentence;
use super::problem::{Code, Limits, More, Problem};
use crate::actions::apply_credit::{self, Applied, ApplyCredit, apply_credit};
use crate::actions::move_allocation::{self, MoveAllocation, Moved, Whose, move_allocation};
use crate::app::App;
use anyhow::Result as Outcome;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use ledger::Money;
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::grants::StoredGrant;
use store::{customers, grants, invoices, returned_payments};
use utoipa::ToSchema;

/// Credit that was set against an invoice. Amounts are in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditApplication {
    /// Its id.
    #[schema(example = "cap_06a8q2m0000000000000000000")]
    id: String,
    /// Id of the customer.
    #[schema(example = "cus_06a8q2m0000000000000000000")]
    customer: String,
    /// Id of the invoice.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    invoice: String,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// What was set against it.
    #[schema(example = 4_000)]
    amount: i64,
    /// From which grants, the oldest first.
    grants: Vec<CreditPart>,
    /// What of the customer's credit in this currency is left.
    #[schema(example = 1_000)]
    credit_left: i64,
    /// What is payable on the invoice now.
    #[schema(example = 71_000)]
    payable_now: i64,
    /// When.
    #[schema(format = DateTime)]
    created_at: String,
}

/// What one grant gave.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditPart {
    /// Id of the grant.
    #[schema(example = "grt_06a8q2m0000000000000000000")]
    grant: String,
    /// Minor units.
    #[schema(example = 4_000)]
    amount: i64,
}

/// Credit to be set against an invoice.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "invoice": "inv_06a8q2m0000000000000000000", "amount": 4000 }))]
pub struct NewCreditApplication {
    /// Id of the invoice.
    #[schema(inline)]
    invoice: fields::InvoiceId,
    /// Minor units of the invoice's currency; without it, as much as there is and as is payable.
    #[schema(inline)]
    amount: Option<Amount>,
}

/// What we hold for a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerCredit {
    /// Id of the customer.
    #[schema(example = "cus_06a8q2m0000000000000000000")]
    customer: String,
    /// What is left in all, an amount for each currency that has some.
    left: Vec<AmountIn>,
    /// What the customer owes of payments that were taken back after they had been spent, and was not asked for again.
    owed_of_returned_payments: Vec<AmountIn>,
    /// The grants that have something left, in the order in which they are spent; 1,000 at most.
    grants: Vec<CreditGrant>,
}

/// An amount in minor units of a currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct AmountIn {
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// Minor units.
    #[schema(example = 5_000)]
    amount: i64,
}

/// Credit of one source.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditGrant {
    /// Its id.
    #[schema(example = "grt_06a8q2m0000000000000000000")]
    id: String,
    /// Where it comes from.
    source: CreditSource,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// What it was at first, minor units.
    #[schema(example = 5_000)]
    amount: i64,
    /// What is left of it, minor units.
    #[schema(example = 5_000)]
    left: i64,
    /// Id of the payment whose money it is.
    payment: Option<String>,
    /// Id of the credit note it comes from.
    credit_note: Option<String>,
    /// Id of the invoice it goes back to by itself, as soon as something is payable there.
    born_on: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    created_at: String,
}

/// Where credit comes from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditSource {
    /// A payment was more than its invoice could take.
    Surplus,
    /// A credit note was more than its invoice could take.
    CreditNote,
    /// A refund failed.
    RefundFailed,
    /// A refund was withdrawn before it was sent.
    RefundWithdrawn,
    /// A dispute was won after it had been lost.
    DisputeWon,
    /// What had been set against an invoice was taken off it.
    TakenOff,
    /// Money of which nobody knew whose it was.
    Matched,
}

/// What stands on an invoice and should be elsewhere: name a payment or a grant.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "from": "inv_06a8q2m0000000000000000000", "payment": "pay_06a8q2m0000000000000000000",
    "to": "inv_06a8q2m0000000000000000010", "amount": 4000
}))]
pub struct NewAllocationMove {
    /// Id of the invoice it is taken off.
    #[schema(inline)]
    from: fields::InvoiceId,
    /// Id of the payment whose money it is. Not together with `grant`.
    #[schema(inline)]
    payment: Option<fields::PaymentId>,
    /// Id of the grant of credit that was spent there.
    #[schema(inline)]
    grant: Option<fields::GrantId>,
    /// Id of the invoice it goes to, of the same customer; without it, it becomes the customer's credit.
    #[schema(inline)]
    to: Option<fields::InvoiceId>,
    /// Minor units; without it, all that this payment or grant has there.
    #[schema(inline)]
    amount: Option<Amount>,
}

/// What was moved.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllocationMove {
    /// Id of the allocation that takes it off.
    #[schema(example = "alc_06a8q2m0000000000000000000")]
    id: String,
    /// Id of the invoice it was taken off.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    from: String,
    /// Id of the invoice it went to.
    to: Option<String>,
    /// Id of the payment whose money it is.
    payment: Option<String>,
    /// Id of the grant that holds it now, or that had been spent there.
    grant: Option<String>,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// Minor units.
    #[schema(example = 4_000)]
    amount: i64,
    /// When.
    #[schema(format = DateTime)]
    created_at: String,
}

impl AmountIn {
    fn of(money: Money) -> AmountIn {
        AmountIn { currency: lower(money), amount: money.minor() }
    }
}

impl CreditGrant {
    fn of(grant: &StoredGrant) -> CreditGrant {
        use store::grants::Source;
        let born = &grant.born;
        CreditGrant {
            id: born.id.to_string(),
            source: match born.source {
                Source::Surplus => CreditSource::Surplus,
                Source::CreditNote => CreditSource::CreditNote,
                Source::RefundFailed => CreditSource::RefundFailed,
                Source::RefundWithdrawn => CreditSource::RefundWithdrawn,
                Source::DisputeWon => CreditSource::DisputeWon,
                Source::TakenOff => CreditSource::TakenOff,
                Source::Matched => CreditSource::Matched,
            },
            currency: lower(born.amount),
            amount: born.amount.minor(),
            left: grant.left.minor(),
            payment: born.payment_id.map(|id| id.to_string()),
            credit_note: born.credit_note_id.map(|id| id.to_string()),
            born_on: born.invoice_id.map(|id| id.to_string()),
            created_at: grant.at.to_string(),
        }
    }
}

/// ISO 4217, lower case.
pub(super) fn lower(money: Money) -> String {
    money.currency().code().to_ascii_lowercase()
}

/// An amount in the currency of an invoice of this merchant; 404 where there is none.
pub(super) async fn in_its_currency(
    app: &App,
    merchant: MerchantId,
    (invoice, param): (InvoiceId, &'static str),
    amount: Option<Amount>,
) -> Result<Option<Money>, Problem> {
    let read = async move |tx: &mut Tx| invoices::find(tx, merchant, invoice).await;
    let found = app.store.read(read).await?.ok_or_else(|| Problem::not_found().at(param))?;
    Ok(amount.map(|amount| Money::new(amount.0, found.figures.currency)))
}

/// At most so much, with the words for it.
pub(super) fn at_most(code: Code, detail: String, most: Money) -> Problem {
    let limits = Limits { minimum: most.minor().min(1), maximum: most.minor() };
    let more = More { limits: Some(limits), currency: Some(lower(most)), ..More::default() };
    Problem::new(code, detail).at("amount").with(more)
}

/// Set a customer's credit against an invoice
///
/// The oldest grant is spent first. It is bound by what is payable now, so that money on its way keeps its place, and by what the
/// customer has; more is refused with the figure named.
#[utoipa::path(
    post, path = "/v1/credit_applications", tag = "Credit", operation_id = "applyCredit",
    params(RequiredKey), request_body = NewCreditApplication,
    responses((status = 201, description = "Applied", body = CreditApplication), Common, CannotApply),
    security(("key" = ["payments:write"]))
)]
pub async fn apply(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    key: Repeatable,
    Body(new): Body<NewCreditApplication>,
) -> Result<Response, Problem> {
    let once =
        key.once(&caller, &Named { route: "POST /v1/credit_applications", of: "", body: &new }, applied)?;
    let invoice = new.invoice.0;
    let amount = in_its_currency(&app, caller.merchant, (invoice, "invoice"), new.amount).await?;
    let (merchant, actor) = (caller.merchant, caller.actor());
    let input = ApplyCredit { merchant, id: None, invoice, amount, contact: None, actor };
    // In a task of its own: a caller who leaves stops nothing half-way.
    let acting = app.clone();
    let ran = app.undisturbed(async move { apply_credit(&acting, input, Some(once)).await }).await?;
    made(ran, applied, |why| {
        use apply_credit::CannotApply as Why;
        let detail = sentence(&why);
        match why {
            Why::NoSuchInvoice => Problem::not_found().at("invoice"),
            Why::NotOpen(_) => Problem::new(Code::NotOpen, detail).at("invoice"),
            Why::OtherCurrency(_) => Problem::new(Code::CurrencyMismatch, detail).at("amount"),
            Why::NotPositive => Problem::new(Code::AmountNotPositive, detail).at("amount"),
            Why::NothingPayable => Problem::new(Code::NothingPayable, detail).at("invoice"),
            Why::NoCredit => Problem::new(Code::NoCredit, detail).at("invoice"),
            Why::AbovePayable(most) => at_most(Code::AmountAbovePayable, detail, most),
            Why::AboveCredit(most) => at_most(Code::AmountAboveCredit, detail, most),
        }
    })
}

fn applied(applied: &Applied) -> Outcome<(String, String)> {
    let Applied { application, parts, credit_left, invoice } = applied;
    let parts = parts
        .iter()
        .filter_map(|part| Some(CreditPart { grant: part.grant_id?.to_string(), amount: part.amount_minor }));
    let shown = CreditApplication {
        id: application.id.to_string(),
        customer: application.customer_id.to_string(),
        invoice: application.invoice_id.to_string(),
        currency: lower(application.amount),
        amount: application.amount.minor(),
        grants: parts.collect(),
        credit_left: credit_left.minor(),
        payable_now: invoice.figures.payable_now().minor(),
        created_at: application.at.to_string(),
    };
    Ok((shown.id.clone(), serde_json::to_string(&shown)?))
}

/// Show a customer's credit
#[utoipa::path(
    get, path = "/v1/customers/{id}/credit", tag = "Credit", operation_id = "showCredit",
    params(("id" = String, Path, description = "Id of the customer", example = "cus_06a8q2m0000000000000000000")),
    responses((status = 200, description = "What we hold for it", body = CustomerCredit), Common, NotFound),
    security(("key" = ["customers:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<CustomersRead>,
    At(id): At,
) -> Result<Json<CustomerCredit>, Problem> {
    let id: CustomerId = id.parse().map_err(|_| Problem::not_found())?;
    let merchant = caller.merchant;
    let found = app
        .store
        .read(async move |tx: &mut Tx| {
            if customers::find(tx, merchant, id).await?.is_none() {
                return Ok(None);
            }
            let left = grants::left(tx, merchant, id).await?;
            let owed = returned_payments::owed(tx, merchant, id).await?;
            Ok(Some((left, owed, grants::list_by_customer(tx, merchant, id, false).await?)))
        })
        .await?;
    let (left, owed, list) = found.ok_or_else(Problem::not_found)?;
    Ok(Json(CustomerCredit {
        customer: id.to_string(),
        left: left.into_iter().map(AmountIn::of).collect(),
        owed_of_returned_payments: owed.into_iter().map(AmountIn::of).collect(),
        grants: list.iter().map(CreditGrant::of).collect(),
    }))
}

/// Move what stands on an invoice
///
/// To another invoice of the same customer, at most what is payable there, or off to the customer's credit. No money moves: only
/// what it is for. Credit that had been spent is the same grant's again; a payment's money becomes a new one that goes back to no
/// invoice by itself.
#[utoipa::path(
    post, path = "/v1/allocation_moves", tag = "Credit", operation_id = "moveAllocation",
    params(RequiredKey), request_body = NewAllocationMove,
    responses((status = 201, description = "Moved", body = AllocationMove), Common, CannotMove),
    security(("key" = ["payments:write"]))
)]
pub async fn move_it(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    key: Repeatable,
    Body(new): Body<NewAllocationMove>,
) -> Result<Response, Problem> {
    let once = key.once(&caller, &Named { route: "POST /v1/allocation_moves", of: "", body: &new }, moved)?;
    let whose = match (new.payment, new.grant) {
        (Some(id), None) => Whose::Payment(id.0),
        (None, Some(id)) => Whose::Grant(id.0),
        _ => {
            let detail = "Name the payment or the grant whose money it is, one of the two.";
            return Err(Problem::new(Code::InvalidRequest, detail).at("payment"));
        }
    };
    let amount = in_its_currency(&app, caller.merchant, (new.from.0, "from"), new.amount).await?;
    let input = MoveAllocation {
        merchant: caller.merchant,
        from: new.from.0,
        whose,
        to: new.to.map(|id| id.0),
        amount,
        actor: caller.actor(),
    };
    let acting = app.clone();
    let ran = app.undisturbed(async move { move_allocation(&acting, input, Some(once)).await }).await?;
    made(ran, moved, |why| {
        use move_allocation::CannotMove as Why;
        let detail = sentence(&why);
        match why {
            Why::NoSuchInvoice => Problem::not_found().at("from"),
            Why::NoSuchSource => {
                Problem::not_found().at(if matches!(whose, Whose::Payment(_)) { "payment" } else { "grant" })
            }
            Why::NoSuchTarget => Problem::not_found().at("to"),
            Why::SameInvoice => Problem::new(Code::InvalidRequest, detail).at("to"),
            Why::OtherCustomer => Problem::new(Code::CustomerMismatch, detail).at("to"),
            Why::OtherCurrency(_) => Problem::new(Code::CurrencyMismatch, detail).at("to"),
            Why::NotOpen(_) => Problem::new(Code::NotOpen, detail).at("to"),
            Why::NotPositive => Problem::new(Code::AmountNotPositive, detail).at("amount"),
            Why::AboveAllocated(most) => at_most(Code::AmountAboveAllocated, detail, most),
            Why::AbovePayable(most) => at_most(Code::AmountAbovePayable, detail, most),
        }
    })
}

fn moved(moved: &Moved) -> Outcome<(String, String)> {
    let Moved { off, on, grant, amount } = moved;
    let shown = AllocationMove {
        id: off.id.to_string(),
        from: off.invoice_id.to_string(),
        to: on.map(|on| on.invoice_id.to_string()),
        payment: off.payment_id.map(|id| id.to_string()),
        grant: grant.or(off.grant_id).map(|id| id.to_string()),
        currency: lower(*amount),
        amount: amount.minor(),
        created_at: off.at.to_string(),
    };
    Ok((shown.id.clone(), serde_json::to_string(&shown)?))
}
