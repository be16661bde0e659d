//! `paydown refund`: money that goes back to who paid it.

use super::ListArgs;
use super::payments::read_id as payment_id;
use super::rules::{amount_of, customer_of};
use super::world::{At, Exit, stop, table};
use crate::actions::approve_refund::{CannotJudge, JudgeRefund, approve_refund, refuse_refund};
use crate::actions::mark_refund_paid::{CannotMark, MarkRefundPaid, mark_refund_paid};
use crate::actions::once::Ran;
use crate::actions::request_refund::{CannotRefund, RefundOf, RequestRefund, Requested, request_refund};
use crate::actions::set_refund_limit::{SetRefundLimit, limit_json, set_refund_limit};
use crate::actions::submit_refund::submit_refund;
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::chart::Channel;
use billing::ids::{MerchantId, RefundId};
use billing::refund::{RefundMeaning, RefundState};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use ledger::{Currency, Money};
use serde_json::{Value, json};
use store::db::{Store, Tx};
use store::refunds::{self, Approval, Refund, RefundPart, RefundPlace, RefundStep};
use store::{payments, refund_limits};

#[derive(Debug, Subcommand)]
pub(super) enum RefundCommand {
    /// Refund a payment, one of its invoices, or credit of a customer
    Create(Box<NewRefundArgs>),
    /// List refunds in the order in which they were asked for
    List {
        /// Only those that wait for a person: to be approved, or to be paid from the bank
        #[arg(long)]
        waiting: bool,
        #[command(flatten)]
        page: ListArgs,
    },
    /// Show a refund with its history
    Show {
        /// Id of the refund, rfd_…
        id: String,
    },
    /// Approve a refund that somebody else asked for; it is sent at once
    Approve {
        /// Id of the refund, rfd_…
        id: String,
    },
    /// Refuse or withdraw a refund of which nothing was sent; what it took becomes the customer's credit
    Refuse {
        /// Id of the refund, rfd_…
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Say that a refund was paid from your bank
    Paid {
        /// Id of the refund, rfd_…
        id: String,
        /// The day it was paid, such as 2026-11-30
        #[arg(long, value_name = "DATE")]
        on: Date,
        /// What your books know it by
        #[arg(long)]
        reference: Option<String>,
    },
    /// Above which amount a second person has to approve refunds
    #[command(subcommand)]
    Limit(LimitCommand),
}

#[derive(Debug, Args)]
pub(super) struct NewRefundArgs {
    /// Id or reference of the payment, pay_… or PAY-…
    #[arg(required_unless_present = "credit_of")]
    payment: Option<String>,
    /// Only what the payment has set against this invoice, by number or id
    #[arg(long, value_name = "NUMBER", requires = "payment")]
    invoice: Option<String>,
    /// Refund credit of this customer: its name, the address of a contact, or cus_…
    #[arg(long, value_name = "CUSTOMER", conflicts_with = "payment")]
    credit_of: Option<String>,
    /// Currency of the credit [default: the merchant's]
    #[arg(long, value_name = "CODE", requires = "credit_of")]
    currency: Option<String>,
    /// How much, such as 25.00 [default: all that is left]
    #[arg(long)]
    amount: Option<String>,
    /// What it means for invoices: they are owed again, or the price is given back with a credit note
    #[arg(long, value_enum, default_value = "owed-again")]
    meaning: MeaningWord,
    /// Why
    #[arg(long)]
    reason: String,
}

/// What a refund means for the invoices it is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum MeaningWord {
    /// They are owed again
    OwedAgain,
    /// The price is given back: a credit note is issued with it
    PriceGivenBack,
}

#[derive(Debug, Subcommand)]
pub(super) enum LimitCommand {
    /// Show the limits that are set
    Show,
    /// Set it for a currency
    Set {
        /// The most that one person may refund, such as 500.00, or none
        amount: String,
        /// For refunds in this currency [default: the merchant's]
        #[arg(long, value_name = "CODE")]
        currency: Option<String>,
    },
}

pub(super) async fn run(at: &mut At<'_>, command: RefundCommand) -> Result<Exit> {
    match command {
        RefundCommand::Create(args) => create(at, *args).await,
        RefundCommand::List { waiting, page } => list(at, waiting, page).await,
        RefundCommand::Show { id } => show(at, &id).await,
        RefundCommand::Approve { id } => approve(at, &id).await,
        RefundCommand::Refuse { id, reason } => refuse(at, &id, reason).await,
        RefundCommand::Paid { id, on, reference } => paid(at, &id, (on, reference)).await,
        RefundCommand::Limit(command) => limit(at, command).await,
    }
}

async fn create(at: &mut At<'_>, args: NewRefundArgs) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let (of, currency) = wanted(&store, merchant.id, merchant.currency, &args).await?;
    let amount_minor = args.amount.map(|text| amount_of(&text, currency)).transpose()?;
    let input = RequestRefund {
        merchant: merchant.id,
        of,
        amount_minor,
        meaning: match args.meaning {
            MeaningWord::OwedAgain => RefundMeaning::OwedAgain,
            MeaningWord::PriceGivenBack => RefundMeaning::PriceGivenBack,
        },
        reason: args.reason,
        actor: at.actor(),
    };
    let app = at.app(&config, store)?;
    let requested = ran(request_refund(&app, input, None).await?).map_err(|why| {
        let exit = match why {
            CannotRefund::NoSuchPayment | CannotRefund::NoSuchCustomer => Exit::NotFound,
            CannotRefund::NotPositive | CannotRefund::Reason => Exit::Usage,
            _ => Exit::Refused,
        };
        stop(exit, why.to_string())
    })?;
    send_and_tell(at, &app, requested).await
}

/// What is to be refunded, and the currency of an amount.
async fn wanted(
    store: &Store,
    merchant: MerchantId,
    usual: Currency,
    args: &NewRefundArgs,
) -> Result<(RefundOf, Currency)> {
    if let Some(text) = &args.credit_of {
        let currency = currency_of(args.currency.as_deref(), usual)?;
        return Ok((RefundOf::Credit(customer_of(store, merchant, text).await?, currency), currency));
    }
    let text = args.payment.as_deref().context("a payment or a customer is named")?;
    let id = payment_id(store, merchant, text).await?;
    let found = store.read(async move |tx: &mut Tx| payments::find(tx, merchant, id).await).await?;
    let Some(payment) = found else {
        return Err(stop(Exit::NotFound, format!("there is no payment {text}")));
    };
    let of = match &args.invoice {
        Some(number) => RefundOf::Allocation(id, super::invoices::find(store, merchant, number).await?.id),
        None => RefundOf::Payment(id),
    };
    Ok((of, payment.captured.map_or(payment.currency, |captured| captured.currency())))
}

fn currency_of(code: Option<&str>, usual: Currency) -> Result<Currency> {
    code.map_or(Ok(usual), |code| {
        Currency::try_new(code).map_err(|error| stop(Exit::Usage, error.to_string()))
    })
}

/// A command carries no key of its own, so nothing is repeated.
fn ran<T, E>(ran: Ran<T, E>) -> Result<T, E>
where
    E: std::fmt::Debug,
{
    match ran {
        Ran::New(made) => Ok(made),
        Ran::Refused(why) => Err(why),
        Ran::Repeated(_) | Ran::OtherRequest => unreachable!("a command asks without a key"),
    }
}

/// Sends what may be sent, and tells how it stands then.
async fn send_and_tell(at: &mut At<'_>, app: &App, requested: Requested) -> Result<Exit> {
    let refund = &requested.refund;
    if refund.channel != Channel::Bank && refund.approval != Approval::Waiting {
        let (own, merchant, id) = (app.clone(), refund.merchant, refund.id);
        let sent = app.undisturbed(async move { submit_refund(&own, merchant, id).await }).await;
        if let Err(error) = sent {
            writeln!(at.world.err, "It is stored and not sent yet: {error:#}. A running server sends it.")?;
        }
    }
    tell(at, &app.store, refund.merchant, refund.id).await
}

async fn list(at: &mut At<'_>, waiting: bool, args: ListArgs) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let after = args.after.map(|text| read_id(&text)).transpose()?;
    let (id, limit) = (merchant.id, i64::from(args.limit));
    let found =
        store.read(async move |tx: &mut Tx| refunds::list(tx, id, after, (waiting, limit)).await).await?;
    let json = Value::Array(found.iter().map(|refund| refund_json(refund, &[])).collect());
    at.tell(&json, || {
        let row = |refund: &Refund| {
            let payment = refund.payment_id.map(|id| id.reference()).unwrap_or_default();
            vec![
                refund.id.to_string(),
                word(refund),
                refund.channel.as_str().to_owned(),
                refund.created_at.to_string(),
                refund.amount.to_string(),
                payment,
            ]
        };
        let rows: Vec<Vec<String>> = found.iter().map(row).collect();
        table(&["ID", "STATE", "BY", "ASKED", "AMOUNT>", "PAYMENT"], &rows)
    })?;
    Ok(Exit::Done)
}

async fn show(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    tell(at, &store, merchant.id, read_id(text)?).await
}

async fn approve(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let input = JudgeRefund { merchant: merchant.id, refund: read_id(text)?, actor: at.actor() };
    let app = at.app(&config, store)?;
    let approved = ran(approve_refund(&app, input, None).await?).map_err(|why| not_judged(text, &why))?;
    send_and_tell(at, &app, approved).await
}

async fn refuse(at: &mut At<'_>, text: &str, reason: String) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let input = JudgeRefund { merchant: merchant.id, refund: read_id(text)?, actor: at.actor() };
    let app = at.app(&config, store)?;
    let refused = ran(refuse_refund(&app, input, reason, None).await?);
    let refused = refused.map_err(|why| not_judged(text, &why))?;
    tell(at, &app.store, merchant.id, refused.refund.id).await
}

fn not_judged(text: &str, why: &CannotJudge) -> anyhow::Error {
    match why {
        CannotJudge::NoSuchRefund => unknown(text),
        CannotJudge::Reason => stop(Exit::Usage, why.to_string()),
        CannotJudge::NotWaiting(_) | CannotJudge::Sent(_) => stop(Exit::Conflict, why.to_string()),
        CannotJudge::SamePerson | CannotJudge::Disputed => stop(Exit::Refused, why.to_string()),
    }
}

async fn paid(at: &mut At<'_>, text: &str, (paid_on, reference): (Date, Option<String>)) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let (merchant, refund, actor) = (merchant.id, read_id(text)?, at.actor());
    let app = at.app(&config, store)?;
    let input = MarkRefundPaid { merchant, refund, paid_on, reference, actor };
    ran(mark_refund_paid(&app, input, None).await?).map_err(|why| match why {
        CannotMark::NoSuchRefund => unknown(text),
        CannotMark::NotYet(_) => stop(Exit::Usage, why.to_string()),
        CannotMark::NotRequested(_) => stop(Exit::Conflict, why.to_string()),
        CannotMark::NotFromBank | CannotMark::Unapproved => stop(Exit::Refused, why.to_string()),
    })?;
    tell(at, &app.store, merchant, refund).await
}

async fn limit(at: &mut At<'_>, command: LimitCommand) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let id = merchant.id;
    if let LimitCommand::Set { amount, currency } = command {
        let currency = currency_of(currency.as_deref(), merchant.currency)?;
        let amount_minor = match amount.as_str() {
            "none" => None,
            text => Some(amount_of(text, currency)?),
        };
        let input = SetRefundLimit { merchant: id, currency, amount_minor, actor: at.actor() };
        let app = at.app(&config, store.clone())?;
        set_refund_limit(&app, input).await?.map_err(|why| stop(Exit::Usage, why.to_string()))?;
    }
    let all = store.read(async move |tx: &mut Tx| refund_limits::list(tx, id).await).await?;
    at.tell(&Value::Array(all.iter().map(|limit| limit_json(*limit)).collect()), || match &all[..] {
        [] => "Nobody has to approve refunds of others.".to_owned(),
        all => all.iter().map(|limit| format!("Above {limit} a second person approves.\n")).collect(),
    })?;
    Ok(Exit::Done)
}

async fn tell(at: &mut At<'_>, store: &Store, merchant: MerchantId, id: RefundId) -> Result<Exit> {
    let found = store
        .read(async move |tx: &mut Tx| {
            let Some(refund) = refunds::find(tx, merchant, id).await? else { return Ok(None) };
            let parts = refunds::parts(tx, merchant, id).await?;
            Ok(Some((refund, parts, refunds::history(tx, merchant, id).await?)))
        })
        .await?;
    let Some((refund, parts, history)) = found else { return Err(unknown(&id.to_string())) };
    let mut json = refund_json(&refund, &parts);
    json["history"] = history
        .iter()
        .map(|step| json!({ "state": step.state.as_str(), "reason": step.reason, "at": step.at.to_string() }))
        .collect();
    at.tell(&json, || refund_text(&refund, &parts, &history))?;
    Ok(Exit::Done)
}

fn read_id(text: &str) -> Result<RefundId> {
    text.parse().map_err(|error: billing::ids::WrongId| stop(Exit::Usage, error.to_string()))
}

fn unknown(text: &str) -> anyhow::Error {
    stop(Exit::NotFound, format!("there is no refund {text}; `paydown refund list` shows them"))
}

/// Its state, and for whom it waits.
fn word(refund: &Refund) -> String {
    match (refund.state, &refund.approval, refund.channel) {
        (RefundState::Requested, Approval::Waiting, _) => "to be approved".to_owned(),
        (RefundState::Requested, _, Channel::Bank) => "to be paid".to_owned(),
        (state, ..) => state.as_str().to_owned(),
    }
}

fn refund_text(refund: &Refund, parts: &[RefundPart], history: &[RefundStep]) -> String {
    let id = refund.id;
    let mut text = format!(
        "Refund     {id}\nState      {}\nAmount     {}\nPaid by    {}\nReason     {}\nAsked by   {}\n",
        word(refund),
        refund.amount,
        refund.channel.as_str(),
        refund.reason,
        refund.requested_by,
    );
    if let Some(payment) = refund.payment_id {
        text.push_str(&format!("Payment    {payment}\n"));
    }
    if let Some(meaning) = refund.meaning {
        text.push_str(&format!("Meaning    {}\n", meaning.as_str().replace('_', " ")));
    }
    for part in parts {
        let amount = Money::new(part.amount_minor, refund.amount.currency());
        text.push_str(&format!("  {amount} of {}\n", place(part)));
    }
    if let Some(why) = &refund.learned.failure_reason {
        text.push_str(&format!("Failed     {why}\n"));
    }
    match word(refund).as_str() {
        "to be approved" => text.push_str(&format!(
            "A second person approves it: `paydown refund approve {id}`, or refuses it: `paydown refund refuse {id} --reason …`\n"
        )),
        "to be paid" => text.push_str(&format!(
            "Pay it from your bank, then: `paydown refund paid {id} --on DATE --reference …`\n"
        )),
        _ => {}
    }
    for step in history {
        text.push_str(&format!("  {}  {}  {}\n", step.at, step.state.as_str(), step.reason));
    }
    text
}

fn place(part: &RefundPart) -> String {
    match part.place {
        RefundPlace::Surcharge => "the surcharge".to_owned(),
        RefundPlace::Allocated(invoice) => format!("invoice {invoice}"),
        RefundPlace::Grant { grant, .. } => format!("credit {grant}"),
        RefundPlace::Unapplied => "money without a place".to_owned(),
        RefundPlace::Owed => "what the customer owes for it".to_owned(),
    }
}

fn refund_json(refund: &Refund, parts: &[RefundPart]) -> Value {
    let approved_by = match &refund.approval {
        Approval::Given { by, .. } => Some(by.as_str()),
        Approval::NotNeeded | Approval::Waiting => None,
    };
    json!({
        "id": refund.id.to_string(),
        "customer": refund.customer_id.to_string(),
        "payment": refund.payment_id.map(|id| id.to_string()),
        "source": refund.source.as_str(),
        "channel": refund.channel.as_str(),
        "origin": refund.origin.as_str(),
        "state": refund.state.as_str(),
        "approval": refund.approval.as_str(),
        "approved_by": approved_by,
        "requested_by": refund.requested_by,
        "currency": refund.amount.currency().code(),
        "amount": refund.amount.minor(),
        "meaning": refund.meaning.map(RefundMeaning::as_str),
        "reason": refund.reason,
        "failure_reason": refund.learned.failure_reason,
        "bank_reference": refund.learned.bank_reference,
        "paid_on": refund.paid.as_ref().map(|(on, _)| on.to_string()),
        "paid_reference": refund.paid.as_ref().and_then(|(_, reference)| reference.clone()),
        "parts": parts
            .iter()
            .map(|part| json!({ "of": place(part), "amount": part.amount_minor }))
            .collect::<Vec<_>>(),
        "created_at": refund.created_at.to_string(),
    })
}
