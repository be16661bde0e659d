//! `paydown unmatched`: money at the bank of which nobody knows yet whose it is.

use super::ListArgs;
use super::credit::{amount_in, ended, kept};
use super::invoices::find;
use super::rules::customer_of;
use super::world::{At, Exit, stop, table};
use crate::actions::match_receipt::{MatchReceipt, match_receipt};
use crate::actions::record_unmatched::{RecordUnmatched, record_unmatched};
use anyhow::Result;
use billing::ids::PaymentId;
use billing::payment::Method;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use ledger::{Currency, Money};
use serde_json::{Value, json};
use store::db::Tx;
use store::unmatched_receipts::{self, UnmatchedReceipt};

#[derive(Debug, Subcommand)]
pub(super) enum UnmatchedCommand {
    /// List what has no place yet, in the order in which it was recorded
    List(ListArgs),
    /// Record money without a payer
    Record(RecordArgs),
    /// Say what it is for: invoices, credit, or both
    Match(MatchArgs),
}

#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// How much came, such as 400.00
    amount: String,
    /// By what means: cheque, wire or cash
    #[arg(long, value_parser = received)]
    method: Method,
    /// The day it came, such as 2026-11-02
    #[arg(long, value_name = "DATE")]
    received_on: Date,
    /// Currency [default: the merchant's]
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Who paid, as the bank says it
    #[arg(long)]
    payer: Option<String>,
    /// What your books know it by
    #[arg(long)]
    reference: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct MatchArgs {
    /// Id of the receipt, pay_…
    id: PaymentId,
    /// An invoice with what is meant for it, as in INV-1042=250.00; may be repeated
    #[arg(long, value_name = "NUMBER=AMOUNT")]
    invoice: Vec<String>,
    /// What becomes the customer's credit
    #[arg(long, value_name = "AMOUNT")]
    credit: Option<String>,
    /// Whose it is, where no invoice says so: name, the address of a contact, or cus_…
    #[arg(long)]
    customer: Option<String>,
}

fn received(word: &str) -> Result<Method, String> {
    Method::parse(word)
        .filter(|method| method.is_received())
        .ok_or_else(|| "expected cheque, wire or cash".to_owned())
}

pub(super) async fn run(at: &mut At<'_>, command: UnmatchedCommand) -> Result<Exit> {
    match command {
        UnmatchedCommand::List(args) => list(at, args).await,
        UnmatchedCommand::Record(args) => record(at, args).await,
        UnmatchedCommand::Match(args) => match_it(at, args).await,
    }
}

async fn list(at: &mut At<'_>, args: ListArgs) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let after = args.after.map(|text| text.parse::<PaymentId>()).transpose();
    let after = after.map_err(|error| stop(Exit::Usage, error.to_string()))?;
    let after = after.unwrap_or(PaymentId::from_bytes([0; 16]));
    let (id, limit) = (merchant.id, i64::from(args.limit));
    let read = async move |tx: &mut Tx| unmatched_receipts::latest(tx, id, after, (false, limit)).await;
    let found = store.read(read).await?;
    at.tell(&found.iter().map(receipt_json).collect(), || {
        let row = |receipt: &UnmatchedReceipt| {
            vec![
                receipt.received_on.to_string(),
                receipt.method.as_str().to_owned(),
                receipt.amount.to_string(),
                receipt.left.to_string(),
                receipt.payer.clone().unwrap_or_default(),
                receipt.id.to_string(),
            ]
        };
        let rows: Vec<_> = found.iter().map(row).collect();
        table(&["RECEIVED", "BY", "AMOUNT>", "LEFT>", "PAYER", "ID"], &rows)
    })?;
    Ok(Exit::Done)
}

async fn record(at: &mut At<'_>, args: RecordArgs) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let currency = args.currency.map_or(Ok(merchant.currency), |code| {
        Currency::try_new(&code).map_err(|error| stop(Exit::Usage, error.to_string()))
    })?;
    let app = at.app(&config, store)?;
    let input = RecordUnmatched {
        merchant: merchant.id,
        method: args.method,
        amount: amount_in(&args.amount, currency)?,
        payer: args.payer.as_deref().map(kept).transpose()?,
        reference: args.reference.as_deref().map(kept).transpose()?,
        received_on: args.received_on,
        actor: at.actor(),
    };
    let receipt = ended(record_unmatched(&app, input, None).await?)?;
    at.tell(&receipt_json(&receipt), || {
        format!(
            "{} is booked as {}; `paydown unmatched match {}` says what it is for.",
            receipt.amount, receipt.id, receipt.id
        )
    })?;
    Ok(Exit::Done)
}

async fn match_it(at: &mut At<'_>, args: MatchArgs) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let (merchant_id, id) = (merchant.id, args.id);
    let read = async move |tx: &mut Tx| unmatched_receipts::find(tx, merchant_id, id).await;
    let unknown =
        || stop(Exit::NotFound, format!("there is no receipt {id}; `paydown unmatched list` shows them"));
    let receipt = store.read(read).await?.ok_or_else(unknown)?;
    let currency = receipt.amount.currency();
    let mut allocations = Vec::new();
    for part in &args.invoice {
        let Some((number, amount)) = part.rsplit_once('=') else {
            return Err(stop(Exit::Usage, format!("{part:?} is not NUMBER=AMOUNT")));
        };
        let invoice = find(&store, merchant.id, number).await?;
        allocations.push((invoice.id, amount_in(amount, currency)?.minor()));
    }
    let customer = match &args.customer {
        Some(text) => Some(customer_of(&store, merchant.id, text).await?),
        None => None,
    };
    let credit = args.credit.map(|text| amount_in(&text, currency)).transpose()?;
    let app = at.app(&config, store)?;
    let input = MatchReceipt {
        merchant: merchant.id,
        receipt: id,
        customer,
        allocations,
        credit_minor: credit.map_or(0, Money::minor),
        actor: at.actor(),
    };
    let matched = ended(match_receipt(&app, input, None).await?)?;
    let json = json!({
        "id": id.to_string(),
        "customer": matched.payment.customer_id.to_string(),
        "left": matched.left.minor(),
    });
    at.tell(&json, || {
        let left = if matched.left.is_zero() {
            "All of it has its place.".to_owned()
        } else {
            format!("{} has no place yet.", matched.left)
        };
        format!(
            "{} is a payment of {} now. {left}",
            matched.payment.id.reference(),
            matched.payment.customer_id
        )
    })?;
    Ok(Exit::Done)
}

fn receipt_json(receipt: &UnmatchedReceipt) -> Value {
    json!({
        "id": receipt.id.to_string(),
        "method": receipt.method.as_str(),
        "currency": receipt.amount.currency().code(),
        "amount": receipt.amount.minor(),
        "left": receipt.left.minor(),
        "payer": receipt.payer,
        "reference": receipt.reference,
        "received_on": receipt.received_on.to_string(),
        "customer": receipt.customer_id.map(|id| id.to_string()),
    })
}
