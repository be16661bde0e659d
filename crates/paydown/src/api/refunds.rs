//! `/v1/refunds`: money that goes back to who paid it, asked for, approved, refused and marked as paid.

use super::answers::{
    CannotApprove, CannotMarkPaid, CannotRefund, CannotRefuse, Common, NotFound, OptionalKey, RequiredKey,
    Unclear, done, made,
};
use super::caller::{May, RefundsApprove, RefundsRead, RefundsWrite};
use super::extract::{Asked, At, Body, MayRepeat, Named, Repeatable};
use super::fields::{self, Amount, CurrencyCode, Day, Line};
use super::invoices::sentence;
use super::page::{Limit, List, no_such_row};
use super::problem::{Code, More, Problem};
use crate::actions::approve_refund::{self, JudgeRefund, approve_refund, refuse_refund};
use crate::actions::mark_refund_paid::{self, MarkRefundPaid, mark_refund_paid};
use crate::actions::request_refund::{self, RefundOf, RequestRefund, Requested, request_refund};
use crate::actions::submit_refund::send_in_background;
use crate::app::App;
use anyhow::Result as Outcome;
use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use billing::chart::Channel as Way;
use billing::ids::RefundId;
use billing::refund::{RefundMeaning, RefundState};
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::refunds::{
    self, Approval as Stored, RefundOrigin, RefundPart, RefundPlace, RefundSource, RefundsOf,
};
use utoipa::{IntoParams, ToSchema};

/// How a refund stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Asked for; nothing was sent.
    Requested,
    /// On its way to the processor.
    Submitting,
    /// The processor or the bank works on it.
    Pending,
    /// The processor has not said yet what became of it. It is neither sent nor failed.
    Unknown,
    /// The money is gone to the payer.
    Succeeded,
    /// It could not be paid: it is the customer's credit, also where it failed after it had succeeded.
    Failed,
    /// Withdrawn before it was sent: it is the customer's credit.
    Canceled,
}

/// What a refund means for the invoices it is taken from.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// They are owed again.
    #[default]
    OwedAgain,
    /// The price is given back: a credit note is issued with it.
    PriceGivenBack,
}

/// What is refunded.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A payment, or a part of it.
    Payment,
    /// Credit of a customer.
    Credit,
}

/// How a refund is paid.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// To the card or account it was paid with.
    Stripe,
    /// From the merchant's bank: a person pays it and says so.
    Bank,
}

/// Whether a second person has to approve a refund.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Nobody has to.
    NotNeeded,
    /// Somebody has to, and nothing is sent before.
    Waiting,
    /// Somebody has.
    Given,
}

/// Where a refund began.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It was asked for here.
    Asked,
    /// It was made in the processor's dashboard, and found there.
    Adopted,
}

/// Money that goes back. Minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refund {
    /// Its id.
    #[schema(example = "rfd_06a8q2m0000000000000000000")]
    id: String,
    /// Id of the customer who gets it.
    #[schema(example = "cus_06a8q2m0000000000000000000")]
    customer: String,
    /// Id of the payment it is of, or whose charge carries it; null for credit that is paid from the bank.
    #[schema(example = "pay_06a8q2m0000000000000000000")]
    payment: Option<String>,
    /// What is refunded.
    source: Source,
    /// How it is paid.
    channel: Channel,
    /// How it stands.
    status: RefundStatus,
    /// Whether a second person has to approve it.
    approval: Approval,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// What the payer gets.
    #[schema(example = 20_000)]
    amount: i64,
    /// How much of it is surcharge.
    surcharge: i64,
    /// What of it was taken from invoices.
    invoices: Vec<TakenFrom>,
    /// What it means for those invoices; null for credit.
    meaning: Option<Meaning>,
    /// Why, in the words of who asked for it.
    reason: String,
    /// Where it began.
    origin: Origin,
    /// Who asked for it, as the audit trail calls them.
    requested_by: String,
    /// Who approved it.
    approved_by: Option<String>,
    /// Why it failed, in the processor's words.
    failure_reason: Option<String>,
    /// What the payer's bank can find it by.
    bank_reference: Option<String>,
    /// The day it was paid from the bank.
    #[schema(format = Date)]
    paid_on: Option<String>,
    /// What the merchant's books know that by.
    paid_reference: Option<String>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
}

/// What of a refund was taken from an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenFrom {
    /// Id of the invoice.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    invoice: String,
    /// Minor units.
    #[schema(example = 20_000)]
    amount: i64,
}

/// A refund to be made.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "payment": "pay_06a8q2m0000000000000000000", "amount": 20000, "meaning": "price_given_back", "reason": "two licences fewer"
}))]
pub struct NewRefund {
    /// Id of the payment to be refunded. Either this, or `customer` and `currency`.
    #[schema(inline)]
    payment: Option<fields::PaymentId>,
    /// Only what the payment has set against this invoice.
    #[schema(inline)]
    invoice: Option<fields::InvoiceId>,
    /// Id of the customer whose credit is refunded, the oldest first.
    #[schema(inline)]
    customer: Option<fields::CustomerId>,
    /// ISO 4217, of the credit.
    #[schema(inline)]
    currency: Option<CurrencyCode>,
    /// What the payer gets, minor units, the share of a surcharge included; without it, all that is left.
    #[schema(inline)]
    amount: Option<Amount>,
    /// What it means for the invoices it is taken from; without it they are owed again.
    #[schema(inline)]
    meaning: Option<Meaning>,
    /// Why. The payer reads it on a credit note that goes with it.
    #[schema(inline, example = "two licences fewer")]
    reason: Line<500>,
}

/// Why a refund is refused.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Why.
    #[schema(inline, example = "asked for by mistake")]
    reason: Line<500>,
}

/// How a refund was paid from the bank.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaidFromBank {
    /// The day it was paid, in your time zone.
    #[schema(inline, example = "2026-11-20")]
    paid_on: Day,
    /// What your books know it by.
    #[schema(inline, example = "transfer 1201")]
    reference: Option<Line<100>>,
}

/// Which refunds are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    limit: Limit,
    /// Begin after this refund.
    #[param(inline)]
    starting_after: Option<fields::RefundId>,
    /// Those of one customer. Not together with `payment`.
    #[param(inline)]
    customer: Option<fields::CustomerId>,
    /// Those of one payment.
    #[param(inline)]
    payment: Option<fields::PaymentId>,
}

impl Refund {
    fn of(refund: &refunds::Refund, parts: &[RefundPart]) -> Refund {
        let taken = |part: &RefundPart| match part.place {
            RefundPlace::Allocated(invoice) => {
                Some(TakenFrom { invoice: invoice.to_string(), amount: part.amount_minor })
            }
            _ => None,
        };
        let surcharge = parts.iter().filter(|part| part.place == RefundPlace::Surcharge);
        let approved_by = match &refund.approval {
            Stored::Given { by, .. } => Some(by.clone()),
            Stored::NotNeeded | Stored::Waiting => None,
        };
        let (paid_on, paid_reference) = refund.paid.clone().unzip();
        Refund {
            id: refund.id.to_string(),
            customer: refund.customer_id.to_string(),
            payment: refund.payment_id.map(|id| id.to_string()),
            source: match refund.source {
                RefundSource::Payment => Source::Payment,
                RefundSource::Credit => Source::Credit,
            },
            channel: match refund.channel {
                Way::Processor(_) => Channel::Stripe,
                Way::Bank => Channel::Bank,
            },
            status: status(refund.state),
            approval: match &refund.approval {
                Stored::NotNeeded => Approval::NotNeeded,
                Stored::Waiting => Approval::Waiting,
                Stored::Given { .. } => Approval::Given,
            },
            currency: refund.amount.currency().code().to_ascii_lowercase(),
            amount: refund.amount.minor(),
            surcharge: surcharge.map(|part| part.amount_minor).sum(),
            invoices: parts.iter().filter_map(taken).collect(),
            meaning: refund.meaning.map(|meaning| match meaning {
                RefundMeaning::OwedAgain => Meaning::OwedAgain,
                RefundMeaning::PriceGivenBack => Meaning::PriceGivenBack,
            }),
            reason: refund.reason.clone(),
            origin: match refund.origin {
                RefundOrigin::Asked => Origin::Asked,
                RefundOrigin::Adopted => Origin::Adopted,
            },
            requested_by: refund.requested_by.clone(),
            approved_by,
            failure_reason: refund.learned.failure_reason.clone(),
            bank_reference: refund.learned.bank_reference.clone(),
            paid_on: paid_on.map(|day| day.to_string()),
            paid_reference: paid_reference.flatten(),
            created_at: refund.created_at.to_string(),
        }
    }
}

const fn status(state: RefundState) -> RefundStatus {
    match state {
        RefundState::Requested => RefundStatus::Requested,
        RefundState::Submitting => RefundStatus::Submitting,
        RefundState::Pending => RefundStatus::Pending,
        RefundState::Unknown => RefundStatus::Unknown,
        RefundState::Succeeded => RefundStatus::Succeeded,
        RefundState::Failed => RefundStatus::Failed,
        RefundState::Canceled => RefundStatus::Canceled,
    }
}

fn told(requested: &Requested) -> Outcome<(String, String)> {
    let shown = Refund::of(&requested.refund, &requested.parts);
    let json = serde_json::to_string(&shown)?;
    Ok((shown.id, json))
}

impl NewRefund {
    fn of(&self) -> Result<RefundOf, Problem> {
        let unclear = |at: &'static str| {
            let detail = "Name a payment, with one of its invoices if you like; or a customer and the currency of its credit.";
            Err(Problem::new(Code::InvalidRequest, detail).at(at))
        };
        match (&self.payment, &self.invoice, &self.customer, &self.currency) {
            (Some(payment), None, None, None) => Ok(RefundOf::Payment(payment.0)),
            (Some(payment), Some(invoice), None, None) => Ok(RefundOf::Allocation(payment.0, invoice.0)),
            (None, None, Some(customer), Some(currency)) => Ok(RefundOf::Credit(customer.0, currency.0)),
            (None, None, Some(_), None) => unclear("currency"),
            (Some(_), _, Some(_), _) => unclear("customer"),
            _ => unclear("payment"),
        }
    }
}

/// Refund a payment, or credit of a customer
///
/// A payment goes back to the card or account it came from: money without a place first, then credit of it that is not spent, then
/// what was set against invoices, with the surcharge in its share. What was recorded as received, and credit without a charge that
/// could carry it, you pay from your bank and say so. The answer tells what was asked for; what becomes of it is told by the refund
/// and by events of type `refund.…`.
#[utoipa::path(
    post, path = "/v1/refunds", tag = "Refunds", operation_id = "requestRefund",
    params(RequiredKey), request_body = NewRefund,
    responses((status = 201, description = "Asked for", body = Refund), Common, CannotRefund),
    security(("key" = ["refunds:write"]))
)]
pub async fn request(
    State(app): State<App>,
    May(caller, _): May<RefundsWrite>,
    key: Repeatable,
    Body(new): Body<NewRefund>,
) -> Result<Response, Problem> {
    let once = key.once(&caller, &Named { route: "POST /v1/refunds", of: "", body: &new }, told)?;
    let input = RequestRefund {
        merchant: caller.merchant,
        of: new.of()?,
        amount_minor: new.amount.map(|amount| amount.0),
        meaning: match new.meaning.unwrap_or_default() {
            Meaning::OwedAgain => RefundMeaning::OwedAgain,
            Meaning::PriceGivenBack => RefundMeaning::PriceGivenBack,
        },
        reason: new.reason.0,
        actor: caller.actor(),
    };
    let acting = app.clone();
    let requesting = async move {
        let ran = request_refund(&acting, input, Some(once)).await?;
        if let crate::actions::once::Ran::New(made) = &ran {
            send_in_background(&acting, &made.refund);
        }
        Ok(ran)
    };
    made(app.undisturbed(requesting).await?, told, refused)
}

fn refused(why: request_refund::CannotRefund) -> Problem {
    use request_refund::CannotRefund as Why;
    let detail = sentence(&why);
    match why {
        Why::NoSuchPayment => Problem::not_found().at("payment"),
        Why::NoSuchCustomer => Problem::not_found().at("customer"),
        Why::NotSucceeded(_) | Why::Disputed | Why::NotConnected | Why::NameUnknown => {
            Problem::new(Code::NotRefundable, detail).at("payment")
        }
        Why::AboveLeft(left) => {
            let more = More {
                left: Some(left.minor()),
                currency: Some(left.currency().code().to_ascii_lowercase()),
                ..More::default()
            };
            Problem::new(Code::RefundAboveLeft, detail).at("amount").with(more)
        }
        Why::CannotCredit { .. } => Problem::new(Code::PriceNotGivenBack, detail).at("meaning"),
        Why::CannotCarry(_) => Problem::new(Code::AmountNotChargeable, detail).at("amount"),
        Why::NotPositive => Problem::new(Code::InvalidRequest, detail).at("amount"),
        Why::Reason => Problem::new(Code::InvalidRequest, detail).at("reason"),
    }
}

/// List refunds, newest first
#[utoipa::path(
    get, path = "/v1/refunds", tag = "Refunds", operation_id = "listRefunds", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<Refund>), Common, Unclear),
    security(("key" = ["refunds:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<RefundsRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let of = match (wanted.customer, wanted.payment) {
        (Some(_), Some(_)) => {
            let detail = "Ask for the refunds of a customer or of a payment, not of both.";
            return Err(Problem::new(Code::InvalidRequest, detail).at("payment"));
        }
        (Some(id), None) => RefundsOf::Customer(id.0),
        (None, Some(id)) => RefundsOf::Payment(id.0),
        (None, None) => RefundsOf::Merchant,
    };
    let (merchant, before, limit) = (caller.merchant, wanted.starting_after.map(|id| id.0), wanted.limit);
    let rows = app
        .store
        .read(async move |tx: &mut Tx| {
            if let Some(id) = before
                && refunds::find(tx, merchant, id).await?.is_none()
            {
                return Ok(None);
            }
            let mut rows = Vec::new();
            for refund in refunds::newest(tx, merchant, of, before, limit.and_one()).await? {
                let parts = refunds::parts(tx, merchant, refund.id).await?;
                rows.push(Refund::of(&refund, &parts));
            }
            Ok(Some(rows))
        })
        .await?;
    let rows: Vec<Refund> = rows.ok_or_else(no_such_row)?;
    Ok(List::of(rows, limit).answer(&uri, |row: &Refund| &row.id))
}

/// Show a refund
#[utoipa::path(
    get, path = "/v1/refunds/{id}", tag = "Refunds", operation_id = "showRefund",
    params(("id" = String, Path, description = "Id of the refund", example = "rfd_06a8q2m0000000000000000000")),
    responses((status = 200, description = "The refund", body = Refund), Common, NotFound),
    security(("key" = ["refunds:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<RefundsRead>,
    At(id): At,
) -> Result<Json<Refund>, Problem> {
    let id: RefundId = id.parse().map_err(|_| Problem::not_found())?;
    let merchant = caller.merchant;
    let read = async move |tx: &mut Tx| {
        let Some(refund) = refunds::find(tx, merchant, id).await? else { return Ok(None) };
        let parts = refunds::parts(tx, merchant, id).await?;
        Ok(Some(Refund::of(&refund, &parts)))
    };
    app.store.read(read).await?.map(Json).ok_or_else(Problem::not_found)
}

/// Approve a refund
///
/// Above your limit a refund waits until somebody else than who asked for it approves it; another key is somebody else.
#[utoipa::path(
    post, path = "/v1/refunds/{id}/approve", tag = "Refunds", operation_id = "approveRefund",
    params(
        ("id" = String, Path, description = "Id of the refund", example = "rfd_06a8q2m0000000000000000000"),
        OptionalKey
    ),
    responses((status = 200, description = "Approved; it is sent next", body = Refund), Common, CannotApprove),
    security(("key" = ["refunds:approve"]))
)]
pub async fn approve(
    State(app): State<App>,
    May(caller, _): May<RefundsApprove>,
    At(id): At,
    key: MayRepeat,
) -> Result<Response, Problem> {
    let refund: RefundId = id.parse().map_err(|_| Problem::not_found())?;
    let once =
        key.once(&caller, &Named { route: "POST /v1/refunds/{id}/approve", of: &id, body: &() }, told)?;
    let input = JudgeRefund { merchant: caller.merchant, refund, actor: caller.actor() };
    let acting = app.clone();
    let approving = async move {
        let ran = approve_refund(&acting, input, once).await?;
        if let crate::actions::once::Ran::New(made) = &ran {
            send_in_background(&acting, &made.refund);
        }
        Ok(ran)
    };
    done(app.undisturbed(approving).await?, told, not_judged)
}

/// Refuse or withdraw a refund
///
/// As long as nothing was sent. What it took is the customer's credit then, which goes back to its invoice by itself as soon as
/// something is payable there; a credit note that was issued with it stands.
#[utoipa::path(
    post, path = "/v1/refunds/{id}/refuse", tag = "Refunds", operation_id = "refuseRefund",
    params(
        ("id" = String, Path, description = "Id of the refund", example = "rfd_06a8q2m0000000000000000000"),
        OptionalKey
    ),
    request_body = Refusal,
    responses((status = 200, description = "Withdrawn", body = Refund), Common, CannotRefuse),
    security(("key" = ["refunds:approve"]))
)]
pub async fn refuse(
    State(app): State<App>,
    May(caller, _): May<RefundsApprove>,
    At(id): At,
    key: MayRepeat,
    Body(refusal): Body<Refusal>,
) -> Result<Response, Problem> {
    let refund: RefundId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/refunds/{id}/refuse", of: &id, body: &refusal };
    let once = key.once(&caller, &named, told)?;
    let input = JudgeRefund { merchant: caller.merchant, refund, actor: caller.actor() };
    let acting = app.clone();
    let refusing = async move { refuse_refund(&acting, input, refusal.reason.0, once).await };
    done(app.undisturbed(refusing).await?, told, not_judged)
}

fn not_judged(why: approve_refund::CannotJudge) -> Problem {
    use approve_refund::CannotJudge as Why;
    let detail = sentence(&why);
    match why {
        Why::NoSuchRefund => Problem::not_found(),
        Why::NotWaiting(_) | Why::Sent(_) => Problem::new(Code::RefundNotWaiting, detail),
        Why::SamePerson => Problem::new(Code::SecondPersonNeeded, detail),
        Why::Disputed => Problem::new(Code::NotRefundable, detail),
        Why::Reason => Problem::new(Code::InvalidRequest, detail).at("reason"),
    }
}

/// Say that a refund was paid from your bank
#[utoipa::path(
    post, path = "/v1/refunds/{id}/paid", tag = "Refunds", operation_id = "markRefundPaid",
    params(
        ("id" = String, Path, description = "Id of the refund", example = "rfd_06a8q2m0000000000000000000"),
        OptionalKey
    ),
    request_body = PaidFromBank,
    responses((status = 200, description = "Booked as paid", body = Refund), Common, CannotMarkPaid),
    security(("key" = ["refunds:write"]))
)]
pub async fn mark_paid(
    State(app): State<App>,
    May(caller, _): May<RefundsWrite>,
    At(id): At,
    key: MayRepeat,
    Body(paid): Body<PaidFromBank>,
) -> Result<Response, Problem> {
    let refund: RefundId = id.parse().map_err(|_| Problem::not_found())?;
    let once =
        key.once(&caller, &Named { route: "POST /v1/refunds/{id}/paid", of: &id, body: &paid }, told)?;
    let input = MarkRefundPaid {
        merchant: caller.merchant,
        refund,
        paid_on: paid.paid_on.0,
        reference: paid.reference.map(|text| text.0),
        actor: caller.actor(),
    };
    let acting = app.clone();
    let ran = app.undisturbed(async move { mark_refund_paid(&acting, input, once).await }).await?;
    use mark_refund_paid::CannotMark as Why;
    done(ran, told, |why| {
        let detail = sentence(&why);
        match why {
            Why::NoSuchRefund => Problem::not_found(),
            Why::NotFromBank | Why::NotRequested(_) => Problem::new(Code::RefundNotWaiting, detail),
            Why::Unapproved => Problem::new(Code::SecondPersonNeeded, detail),
            Why::NotYet(_) => Problem::new(Code::DateInFuture, detail).at("paid_on"),
        }
    })
}
