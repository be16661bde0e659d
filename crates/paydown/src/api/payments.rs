//! `/v1/payments`: money received outside of any processor is recorded; every payment is shown, also those by card.

use super::answers::{CannotRecord, Common, NotFound, RequiredKey, Unclear, made};
use super::caller::{Caller, May, PaymentsRead, PaymentsWrite};
use super::charges::{self, NewCharge};
use super::extract::{Asked, At, Either, Named, Repeatable};
use super::fields::{self, Amount, CurrencyCode, Day, Line};
use super::invoices::sentence;
use super::page::{Limit, List, no_such_row};
use super::problem::{Code, More, Payable, Problem};
use crate::actions::record_payment::{self, RecordPayment, Recorded, record_payment};
use crate::app::App;
use anyhow::Result as Outcome;
use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use billing::allocation::Surplus as Rule;
use billing::ids::{InvoiceId, MerchantId, PaymentId};
use billing::payment::Method as By;
use billing::payout::PayoutState;
use serde::{Deserialize, Serialize};
use store::allocations::Allocation as Stored;
use store::db::Tx;
use store::payments::{self, Of};
use store::payouts::items::{self, PaidOut};
use store::receipts::{self, Placed};
use utoipa::{IntoParams, ToSchema};

/// Most invoices of one payment.
const MOST_ALLOCATIONS: usize = 100;

/// By what means money came.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// By card, through the processor.
    Card,
    /// A debit of an account in the United States, through the processor.
    UsBankAccount,
    /// A debit of an account in the single euro payments area, through the processor.
    SepaDebit,
    /// A cheque.
    Cheque,
    /// A transfer to the merchant's bank account.
    Wire,
    /// Cash.
    Cash,
}

/// By what means money was received outside of any processor.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceivedBy {
    /// A cheque.
    Cheque,
    /// A transfer to the merchant's bank account.
    Wire,
    /// Cash.
    Cash,
}

/// How a payment stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// For later; nothing was sent.
    Created,
    /// On its way to the processor.
    Submitting,
    /// The payer is at the processor's page.
    RequiresAction,
    /// The bank has it.
    Processing,
    /// The processor has not said yet what became of it. It is neither paid nor failed.
    Unknown,
    /// The money was received.
    Succeeded,
    /// It ended without money.
    Failed,
    /// It was given up.
    Canceled,
    /// The bank took it back; or it was recorded as received, and reversed.
    Returned,
    /// The dispute was lost.
    ChargedBack,
}

/// What is done with money that the invoices cannot take.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Surplus {
    /// Refuse the payment, naming it.
    #[default]
    Refuse,
    /// Keep it as the customer's credit, born on the invoice that could not take it.
    CustomerCredit,
}

/// Money of a customer: asked for, or received. Minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payment {
    /// Its id.
    #[schema(example = "pay_06a8q2m0000000000000000000")]
    pub(super) id: String,
    /// What its receipt is called: what a payer quotes on the telephone.
    #[schema(example = "PAY-7F3K-2QWM-9C")]
    receipt_number: String,
    /// Id of the customer.
    #[schema(example = "cus_06a8q2m0000000000000000000")]
    customer: String,
    /// By what means.
    method: Method,
    /// How it stands.
    status: PaymentStatus,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// What was asked for or received, without the surcharge.
    #[schema(example = 50_000)]
    amount: i64,
    /// What the payer paid on top.
    surcharge: i64,
    /// What the merchant's books know it by: the number of a cheque, the text of a transfer.
    #[schema(example = "10077")]
    reference: Option<String>,
    /// The saved method that is charged; null where none is.
    #[schema(example = "pmt_06a8q2m0000000000000000000")]
    payment_method: Option<String>,
    /// When a debit of a saved account is sent: until then it can be called off. Null for every other payment.
    #[schema(format = DateTime)]
    send_at: Option<String>,
    /// The day it was received; null for a payment by card.
    #[schema(format = Date)]
    received_on: Option<String>,
    /// The first of the debits that this one presents again; null for every other payment.
    #[schema(example = "pay_06a8q2m0000000000000000000")]
    retry_of: Option<String>,
    /// Why the bank did not pay or took it back, in its own code: `R01`, `AC04`; of recorded money, why it was reversed: `bounced` or
    /// `entered_wrongly`. Null where nothing came back.
    #[schema(example = "R01")]
    return_code: Option<String>,
    /// What was set against invoices; empty until the money is there.
    allocations: Vec<Allocation>,
    /// What became the customer's credit when it came. Parts of it may have gone to invoices since; then they are among the
    /// allocations, marked `from_credit`.
    customer_credit: i64,
    /// Id of the payout with which its money went to the bank; null before, and of money that came past the processor.
    #[schema(example = "pyt_06a8q2m0000000000000000000")]
    payout: Option<String>,
    /// True once that payout is paid: the money is at the bank.
    settled: bool,
    /// When it was started or recorded.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A part of a payment set against an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub struct Allocation {
    /// Its id.
    #[schema(example = "alc_06a8q2m0000000000000000000")]
    id: String,
    /// Id of the invoice.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    invoice: String,
    /// Minor units; below 0 where an earlier one was taken back.
    #[schema(example = 50_000)]
    amount: i64,
    /// True if it was the customer's credit before.
    from_credit: bool,
}

/// Money that was received.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "method": "cheque", "reference": "10077", "received_on": "2026-11-02", "currency": "usd",
    "allocations": [{ "invoice": "inv_06a8q2m0000000000000000000", "amount": 50000 }]
}))]
pub struct NewPayment {
    /// By what means it came.
    #[schema(inline)]
    method: ReceivedBy,
    /// What your books know it by: the number of the cheque, the text of the transfer. Payers see it.
    #[schema(inline, example = "10077")]
    reference: Option<Line<100>>,
    /// The day it came, in your time zone. A day ahead of it is taken, since whoever writes may live east of you; more is not.
    #[schema(inline, example = "2026-11-20")]
    received_on: Day,
    /// ISO 4217.
    #[schema(inline)]
    currency: CurrencyCode,
    /// Invoices of one customer, each once, with what is meant for each.
    #[schema(min_items = 1, max_items = 100)]
    #[serde(deserialize_with = "allocations")]
    allocations: Vec<NewAllocation>,
    /// Who paid; without it, the invoices' one customer.
    #[schema(inline)]
    customer: Option<fields::CustomerId>,
    /// What was received, minor units; without it, the sum of the allocations.
    #[schema(inline)]
    amount: Option<Amount>,
    /// What is done with what the invoices cannot take; without it, the payment is refused.
    #[schema(inline)]
    surplus: Option<Surplus>,
}

/// What is meant for one invoice.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAllocation {
    /// Id of the invoice.
    #[schema(inline)]
    invoice: fields::InvoiceId,
    /// Minor units.
    #[schema(inline)]
    amount: Amount,
}

fn allocations<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<NewAllocation>, D::Error> {
    let list = Vec::deserialize(from)?;
    if (1..=MOST_ALLOCATIONS).contains(&list.len()) {
        Ok(list)
    } else {
        Err(serde::de::Error::custom(format_args!("1 to {MOST_ALLOCATIONS} allocations are expected")))
    }
}

/// Which payments are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    limit: Limit,
    /// Begin after this payment.
    #[param(inline)]
    starting_after: Option<fields::PaymentId>,
    /// Those of one customer. Not together with `invoice`.
    #[param(inline)]
    customer: Option<fields::CustomerId>,
    /// Those that are for an invoice, or were set against it.
    #[param(inline)]
    invoice: Option<fields::InvoiceId>,
}

impl ReceivedBy {
    pub(super) const fn means(self) -> By {
        match self {
            ReceivedBy::Cheque => By::Cheque,
            ReceivedBy::Wire => By::Wire,
            ReceivedBy::Cash => By::Cash,
        }
    }
}

impl NewAllocation {
    pub(super) fn read(&self) -> (InvoiceId, i64) {
        (self.invoice.0, self.amount.0)
    }
}

/// A payment as it is asked for: money that was received, or a saved method to charge.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum AnyPayment {
    /// Money that was received.
    Received(NewPayment),
    /// A saved method to charge.
    Charge(NewCharge),
}

impl PaymentStatus {
    const fn of(state: billing::payment::PaymentState) -> PaymentStatus {
        use billing::payment::PaymentState as State;
        match state {
            State::Created => PaymentStatus::Created,
            State::Submitting => PaymentStatus::Submitting,
            State::RequiresAction => PaymentStatus::RequiresAction,
            State::Processing => PaymentStatus::Processing,
            State::Unknown => PaymentStatus::Unknown,
            State::Succeeded => PaymentStatus::Succeeded,
            State::Failed => PaymentStatus::Failed,
            State::Canceled => PaymentStatus::Canceled,
            State::Returned => PaymentStatus::Returned,
            State::ChargedBack => PaymentStatus::ChargedBack,
        }
    }
}

impl Payment {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn of(
        payment: &payments::Payment,
        allocations: &[Stored],
        credit_minor: i64,
        paid_out: Option<&PaidOut>,
    ) -> Payment {
        Payment {
            id: payment.id.to_string(),
            receipt_number: payment.id.reference(),
            customer: payment.customer_id.to_string(),
            method: match payment.method {
                By::Card => Method::Card,
                By::UsBankAccount => Method::UsBankAccount,
                By::SepaDebit => Method::SepaDebit,
                By::Cheque => Method::Cheque,
                By::Wire => Method::Wire,
                By::Cash => Method::Cash,
            },
            status: PaymentStatus::of(payment.state),
            currency: payment.currency.code().to_ascii_lowercase(),
            amount: payment.amount_minor,
            surcharge: payment.surcharge_minor,
            reference: payment.reference.clone(),
            payment_method: payment.payment_method_id.map(|id| id.to_string()),
            send_at: payment.send_at.map(|at| at.to_string()),
            received_on: payment.received_on.map(|day| day.to_string()),
            retry_of: payment.retry_of.map(|first| first.to_string()),
            return_code: payment.return_code.clone(),
            allocations: allocations.iter().map(Allocation::of).collect(),
            customer_credit: credit_minor,
            payout: paid_out.map(|paid_out| paid_out.payout.to_string()),
            settled: paid_out.is_some_and(|paid_out| paid_out.state == PayoutState::Paid),
            created_at: payment.created_at.to_string(),
        }
    }
}

impl Allocation {
    fn of(allocation: &Stored) -> Allocation {
        Allocation {
            id: allocation.id.to_string(),
            invoice: allocation.invoice_id.to_string(),
            amount: allocation.amount_minor,
            from_credit: allocation.grant_id.is_some(),
        }
    }
}

impl NewPayment {
    fn recorded_by(self, caller: &Caller) -> RecordPayment {
        RecordPayment {
            merchant: caller.merchant,
            customer: self.customer.map(|id| id.0),
            method: self.method.means(),
            reference: self.reference.map(|text| text.0),
            received_on: self.received_on.0,
            currency: self.currency.0,
            amount_minor: self.amount.map(|amount| amount.0),
            allocations: self.allocations.iter().map(NewAllocation::read).collect(),
            surplus: match self.surplus.unwrap_or_default() {
                Surplus::Refuse => Rule::Refuse,
                Surplus::CustomerCredit => Rule::CustomerCredit,
            },
            actor: caller.actor(),
        }
    }
}

/// Record money that was received, or charge a saved method
///
/// With `payment_method` the saved card or account is charged for an invoice, without its owner being there: by the amount rule of the
/// portal, and only with the surcharge that you name. A card is answered with what became of it; a debit of an account is held until
/// your cut-off. A decline is a payment that `failed`; one that was not answered is `unknown` and never charged again by itself.
///
/// Otherwise money is recorded: a cheque, a transfer or cash, set against one invoice or several of a customer. What was received is never bound by what the
/// merchant asks payers for: only what is payable on each invoice is its bound. What is above that is refused with the surplus
/// named, unless `surplus` is `customer_credit`: then it is kept as credit that is born on that invoice, and goes back to it by
/// itself as soon as something is payable there. What is above all allocations together is refused in the same way, or goes to
/// the first invoice and, as far as that cannot take it, to credit.
#[utoipa::path(
    post, path = "/v1/payments", tag = "Payments", operation_id = "recordPayment",
    params(RequiredKey), request_body = AnyPayment,
    responses((status = 201, description = "Recorded", body = Payment), Common, CannotRecord),
    security(("key" = ["payments:write"]))
)]
pub async fn record(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    key: Repeatable,
    new: Either<NewCharge, NewPayment>,
) -> Result<Response, Problem> {
    let new = match new {
        Either::First(charge) => return charges::charge(&app, &caller, key, charge).await,
        Either::Second(new) => new,
    };
    let once = key.once(&caller, &Named { route: "POST /v1/payments", of: "", body: &new }, told)?;
    let input = new.recorded_by(&caller);
    // In a task of its own: a caller who leaves stops nothing half-way.
    let acting = app.clone();
    let ran = app.undisturbed(async move { record_payment(&acting, input, Some(once)).await }).await?;
    made(ran, told, refused)
}

fn told(recorded: &Recorded) -> Outcome<(String, String)> {
    let Recorded { payment, receipt, allocations } = recorded;
    let shown = Payment::of(payment, allocations, receipt.credit_minor, None);
    let json = serde_json::to_string(&shown)?;
    Ok((shown.id, json))
}

fn refused(why: record_payment::CannotRecord) -> Problem {
    use record_payment::CannotRecord as Why;
    let detail = sentence(&why);
    let at = |n: usize| format!("allocations[{n}].invoice");
    match why {
        Why::NoSuchInvoice(n) => Problem::not_found().at(at(n)),
        Why::NoSuchCustomer => Problem::not_found().at("customer"),
        Why::InvoiceTwice(n) => Problem::new(Code::InvalidRequest, detail).at(at(n)),
        Why::OtherCustomer(n) => Problem::new(Code::CustomerMismatch, detail).at(at(n)),
        Why::OtherCurrency(n, _) => Problem::new(Code::CurrencyMismatch, detail).at(at(n)),
        Why::NotOpen { at: n, .. } => Problem::new(Code::NotOpen, detail).at(at(n)),
        Why::MoreThanReceived { .. } => Problem::new(Code::AllocationsAboveAmount, detail).at("amount"),
        Why::TooLarge => Problem::new(Code::InvalidRequest, detail).at("allocations"),
        Why::NotYet(_) => Problem::new(Code::DateInFuture, detail).at("received_on"),
        Why::Surplus { surplus, payable } => {
            let payable = payable
                .into_iter()
                .map(|(invoice, money)| Payable { invoice: invoice.to_string(), payable_now: money.minor() });
            let more = More {
                surplus: Some(surplus.minor()),
                payable: Some(payable.collect()),
                currency: Some(surplus.currency().code().to_ascii_lowercase()),
                ..More::default()
            };
            Problem::new(Code::Surplus, detail).at("allocations").with(more)
        }
    }
}

/// List payments, newest first
#[utoipa::path(
    get, path = "/v1/payments", tag = "Payments", operation_id = "listPayments", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<Payment>), Common, Unclear),
    security(("key" = ["payments:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let of = match (wanted.customer, wanted.invoice) {
        (Some(_), Some(_)) => {
            let detail = "Ask for the payments of a customer or of an invoice, not of both.";
            return Err(Problem::new(Code::InvalidRequest, detail).at("invoice"));
        }
        (Some(id), None) => Of::Customer(id.0),
        (None, Some(id)) => Of::Invoice(id.0),
        (None, None) => Of::Merchant,
    };
    let (before, limit) = (wanted.starting_after.map(|id| id.0), wanted.limit);
    let rows = app
        .store
        .read(async move |tx: &mut Tx| {
            if let Some(id) = before
                && payments::find(tx, caller.merchant, id).await?.is_none()
            {
                return Ok(None);
            }
            let found = payments::newest(tx, caller.merchant, of, before, limit.and_one()).await?;
            let (Some(newest), Some(oldest)) = (found.first(), found.last()) else {
                return Ok(Some(Vec::new()));
            };
            let placed = receipts::placed(tx, caller.merchant, of, (oldest.id, newest.id)).await?;
            let paid_out = items::of_payments(tx, caller.merchant, (oldest.id, newest.id)).await?;
            let none = Placed::default();
            let rows = found.iter().map(|payment| {
                let placed = placed.get(&payment.id).unwrap_or(&none);
                let paid_out = paid_out.get(&payment.id);
                Payment::of(payment, &placed.allocations, placed.credit_minor, paid_out)
            });
            Ok(Some(rows.collect()))
        })
        .await?;
    let rows: Vec<Payment> = rows.ok_or_else(no_such_row)?;
    Ok(List::of(rows, limit).answer(&uri, |row: &Payment| &row.id))
}

/// Show a payment
#[utoipa::path(
    get, path = "/v1/payments/{id}", tag = "Payments", operation_id = "showPayment",
    params(("id" = String, Path, description = "Id of the payment", example = "pay_06a8q2m0000000000000000000")),
    responses((status = 200, description = "The payment", body = Payment), Common, NotFound),
    security(("key" = ["payments:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
    At(id): At,
) -> Result<Json<Payment>, Problem> {
    let id: PaymentId = id.parse().map_err(|_| Problem::not_found())?;
    shown(&app, caller.merchant, id).await.map(Json)
}

/// A payment as it is now.
pub(super) async fn shown(app: &App, merchant: MerchantId, id: PaymentId) -> Result<Payment, Problem> {
    let found = app.store.read(async move |tx: &mut Tx| {
        let Some(payment) = payments::find(tx, merchant, id).await? else { return Ok(None) };
        let mut placed = receipts::placed(tx, merchant, Of::Merchant, (id, id)).await?;
        let paid_out = items::of_payments(tx, merchant, (id, id)).await?.remove(&id);
        Ok(Some((payment, placed.remove(&id).unwrap_or_default(), paid_out)))
    });
    let (payment, placed, paid_out) = found.await?.ok_or_else(Problem::not_found)?;
    Ok(Payment::of(&payment, &placed.allocations, placed.credit_minor, paid_out.as_ref()))
}
