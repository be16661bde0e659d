//! `paydown payment`: what was started, and what became of it.

use super::ListArgs;
use super::anomalies::{anomaly_line, listed_json};
use super::invoices;
use super::resolve::{self, ResolveArgs};
use super::reverse::{self, ReverseArgs};
use super::world::{At, Exit, stop, table};
use crate::actions::call_off_payment::{CalledOff, call_off_payment};
use crate::actions::charge_saved::{ChargeSaved, Charged, charge_saved};
use crate::actions::retry_debit::{Retried, RetryDebit, retry_debit};
use anyhow::Result;
use billing::amount::{NumberMarks, Typed, parse_text};
use billing::ids::{MerchantId, PaymentId, PaymentMethodId};
use billing::payment::Hold;
use billing::payout::PayoutState;
use clap::Subcommand;
use ledger::Money;
use serde_json::{Value, json};
use store::anomalies;
use store::db::{Store, Tx};
use store::payments::{self, Payment};
use store::payouts::items::{self, PaidOut};
use store::resolution_proposals;

#[derive(Debug, Subcommand)]
pub(super) enum PaymentCommand {
    /// List payments in the order in which they were started
    List(ListArgs),
    /// Show a payment with its history
    Show {
        /// Id of the payment, pay_…
        id: String,
    },
    /// Charge a saved card or account for an invoice; a debit is held until the cut-off
    Charge {
        /// Id of the saved method, pmt_…
        method: String,
        /// Number or id of the invoice
        invoice: String,
        /// What is paid of it: 500.00
        #[arg(long)]
        amount: String,
    },
    /// Present a debit again that came back for want of money: the same amount, at most twice, within 180 days
    Retry {
        /// Id of the payment that came back, pay_…
        id: String,
    },
    /// Call a payment off: one that is held is stopped, of one that was sent the processor is asked
    Cancel {
        /// Id of the payment, pay_…
        id: String,
    },
    /// Say how a payment ended, where the processor is asked and has no answer; a second person has to say the same
    Resolve(ResolveArgs),
    /// Take money out of the books again that was recorded as received: a cheque that bounced, a wrong entry
    Reverse(ReverseArgs),
}

pub(super) async fn run(at: &mut At<'_>, command: PaymentCommand) -> Result<Exit> {
    match command {
        PaymentCommand::List(args) => list(at, args).await,
        PaymentCommand::Show { id } => show(at, &id).await,
        PaymentCommand::Resolve(args) => resolve::run(at, args).await,
        PaymentCommand::Reverse(args) => reverse::run(at, args).await,
        PaymentCommand::Charge { method, invoice, amount } => charge(at, (&method, &invoice, &amount)).await,
        PaymentCommand::Retry { id } => retry(at, &id).await,
        PaymentCommand::Cancel { id } => cancel(at, &id).await,
    }
}

async fn list(at: &mut At<'_>, args: ListArgs) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let after = args.after.map(|text| text.parse::<PaymentId>()).transpose();
    let after = after.map_err(|error| stop(Exit::Usage, error.to_string()))?;
    let (id, limit) = (merchant.id, i64::from(args.limit));
    let found = store.read(async move |tx: &mut Tx| payments::list(tx, id, after, limit).await).await?;
    let json = Value::Array(found.iter().map(payment_json).collect());
    at.tell(&json, || {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|payment| {
                vec![
                    payment.id.reference(),
                    payment.state.as_str().to_owned(),
                    payment.created_at.to_string(),
                    amount(payment).to_string(),
                    payment.id.to_string(),
                ]
            })
            .collect();
        table(&["REFERENCE", "STATE", "STARTED", "AMOUNT>", "ID"], &rows)
    })?;
    Ok(Exit::Done)
}

async fn show(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let merchant_id = merchant.id;
    let id = read_id(&store, merchant_id, text).await?;
    let found = store
        .read(async move |tx: &mut Tx| {
            let payment = payments::find(tx, merchant_id, id).await?;
            let noted = anomalies::list_by_payment(tx, merchant_id, id).await?;
            let paid_out = items::of_payments(tx, merchant_id, (id, id)).await?.remove(&id);
            let proposed = resolution_proposals::latest(tx, merchant_id, id).await?;
            Ok((payment, payments::history(tx, merchant_id, id).await?, (noted, paid_out, proposed)))
        })
        .await?;
    let (Some(payment), history, (noted, paid_out, proposed)) = found else {
        return Err(unknown(text));
    };
    let proposed = proposed.filter(|_| payment.state.hold() == Hold::Held);
    let mut json = payment_json(&payment);
    json["history"] = history
        .iter()
        .map(|step| json!({ "state": step.state.as_str(), "reason": step.reason, "at": step.at.to_string() }))
        .collect();
    json["payout"] = json!(paid_out.map(|paid_out| paid_out.payout.to_string()));
    json["settled"] = json!(paid_out.is_some_and(|paid_out| paid_out.state == PayoutState::Paid));
    json["proposed"] = proposed.as_ref().map_or(Value::Null, |said| {
        json!({ "state": said.state.as_str(), "reason": said.reason, "by": said.actor, "at": said.at.to_string() })
    });
    json["anomalies"] = noted.iter().map(listed_json).collect();
    at.tell(&json, || {
        let mut text = format!(
            "Payment    {}\nReference  {}\nState      {}\nAmount     {}\nSurcharge  {}\nStarted    {}\n",
            payment.id,
            payment.id.reference(),
            payment.state.as_str(),
            amount(&payment),
            Money::new(payment.surcharge_minor, payment.currency),
            payment.created_at,
        );
        if let Some(PaidOut { payout, state }) = paid_out {
            text.push_str(&format!("Payout     {payout}, {}\n", state.as_str()));
        }
        if let Some(said) = &proposed {
            let state = said.state.as_str();
            text.push_str(&format!(
                "Proposed   {state}, by {} at {}: {}\n",
                said.actor, said.at, said.reason
            ));
        }
        for step in &history {
            text.push_str(&format!("  {}  {}  {}\n", step.at, step.state.as_str(), step.reason));
        }
        for listed in noted.iter().filter(|listed| listed.closing.is_none()) {
            text.push_str(&anomaly_line(&listed.anomaly));
        }
        text
    })?;
    Ok(Exit::Done)
}

/// The payment by its id, or as its payer names it.
pub(super) async fn read_id(store: &Store, merchant: MerchantId, text: &str) -> Result<PaymentId> {
    match text.to_ascii_uppercase().starts_with("PAY-") {
        true => by_reference(store, merchant, text).await,
        false => text.parse::<PaymentId>().map_err(|error| stop(Exit::Usage, error.to_string())),
    }
}

pub(super) fn unknown(text: &str) -> anyhow::Error {
    stop(Exit::NotFound, format!("there is no payment {text}; `paydown payment list` shows them"))
}

/// Charges a saved method, with the surcharge that is in force.
async fn charge(at: &mut At<'_>, (method, number, amount): (&str, &str, &str)) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let saved: PaymentMethodId = method.parse().map_err(|error| stop(Exit::Usage, format!("{error}")))?;
    let invoice = invoices::find(&store, merchant.id, number).await?;
    let minor = match parse_text(amount, invoice.figures.currency, NumberMarks::ENGLISH) {
        Ok(Typed::Minor(minor)) => minor,
        _ => return Err(stop(Exit::Usage, format!("{amount:?} is no amount such as 500.00"))),
    };
    let app = at.app(&config, store)?;
    let mut input = ChargeSaved {
        merchant: merchant.id,
        invoice: invoice.id,
        saved,
        amount_minor: minor,
        surcharge_minor: 0,
        retries: None,
        request: None,
        actor: at.actor(),
    };
    let mut charged = charge_saved(&app, input.clone()).await?;
    if let Charged::SurchargeIs(now) = &charged {
        input.surcharge_minor = now.minor();
        charged = charge_saved(&app, input).await?;
    }
    let payment = charged_as(charged, saved)?;
    show(at, &payment.to_string()).await
}

/// Presents a debit again.
async fn retry(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let payment = read_id(&store, merchant.id, text).await?;
    let app = at.app(&config, store)?;
    let input = RetryDebit { merchant: merchant.id, payment, request: None, actor: at.actor() };
    match retry_debit(&app, input).await? {
        None => Err(unknown(text)),
        Some(Retried::Charged(charged)) => {
            let payment = charged_as(charged, payment)?;
            show(at, &payment.to_string()).await
        }
        Some(Retried::NoDebit(method)) => {
            let words = format!("{text} came by {}: only a debit is presented again", method.as_str());
            Err(stop(Exit::Refused, words))
        }
        Some(Retried::NotSaved) => {
            let words =
                "its account is not saved, so only its owner can debit it again: paydown invoice link";
            Err(stop(Exit::Refused, words))
        }
    }
}

/// The payment that a charge made, or why there is none.
fn charged_as(charged: Charged, of: impl std::fmt::Display) -> Result<PaymentId> {
    Ok(match charged {
        Charged::New(payment) | Charged::Repeated(payment) => payment,
        Charged::NotAgain(why) => return Err(stop(Exit::Refused, format!("{of}: {why}"))),
        Charged::NotFound => return Err(stop(Exit::NotFound, format!("there is no saved method {of}"))),
        Charged::Refused(refusal, _) => {
            return Err(stop(Exit::Refused, format!("this amount cannot be paid: {:?}", refusal.kind)));
        }
        Charged::Unusable | Charged::OtherRequest | Charged::SurchargeIs(_) => {
            let words = "the saved method cannot be charged for this invoice: it was removed, has expired, or its \
                         owner has to agree anew";
            return Err(stop(Exit::Refused, format!("{of}: {words}")));
        }
        Charged::NotYet => {
            let words = "what the processor knows is being looked through; try again";
            return Err(stop(Exit::Unavailable, words));
        }
    })
}

/// Calls a payment off.
async fn cancel(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let id = read_id(&store, merchant.id, text).await?;
    let app = at.app(&config, store)?;
    match call_off_payment(&app, merchant.id, id, at.actor()).await? {
        None => Err(unknown(text)),
        Some(CalledOff::Done) => {
            at.tell(&json!({ "id": id.to_string(), "state": "canceled" }), || format!("{id} is called off"))?;
            Ok(Exit::Done)
        }
        Some(CalledOff::Not(state)) => {
            let words = format!("{id} was not called off: it is {}", state.as_str());
            Err(stop(Exit::Conflict, words))
        }
    }
}

/// The payment that a payer names on the telephone. References are made from ids, so the list is read to find one.
async fn by_reference(store: &Store, merchant: MerchantId, text: &str) -> Result<PaymentId> {
    const PAGE: i64 = 1_000;
    let mut after = None;
    loop {
        let page =
            store.read(async move |tx: &mut Tx| payments::list(tx, merchant, after, PAGE).await).await?;
        if let Some(found) =
            page.iter().find(|payment| payment.id.reference().eq_ignore_ascii_case(text.trim()))
        {
            return Ok(found.id);
        }
        let Some(last) = page.last() else {
            return Err(unknown(text));
        };
        after = Some(last.id);
    }
}

fn amount(payment: &Payment) -> Money {
    Money::new(payment.amount_minor, payment.currency)
}

pub(super) fn payment_json(payment: &Payment) -> Value {
    json!({
        "id": payment.id.to_string(),
        "reference": payment.id.reference(),
        "customer": payment.customer_id.to_string(),
        "state": payment.state.as_str(),
        "currency": payment.currency.code(),
        "amount": payment.amount_minor,
        "surcharge": payment.surcharge_minor,
        "method": payment.method.as_str(),
        "received_on": payment.received_on.map(|date| date.to_string()),
        "received_as": payment.reference,
        "captured": payment.captured.map(Money::minor),
        "retry_of": payment.retry_of.map(|first| first.to_string()),
        "return_code": payment.return_code,
        "ending": payment.ending.map(|ending| ending.as_str()),
        "instrument_name": payment.instrument_name,
        "instrument_last4": payment.instrument_last4,
        "created_at": payment.created_at.to_string(),
        "changed_at": payment.changed_at.to_string(),
    })
}
