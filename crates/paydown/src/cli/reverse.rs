//! `paydown payment reverse`: money that was recorded as received is taken out of the books again.

use super::payments::{read_id, unknown};
use super::world::{At, Exit, stop};
use crate::actions::once::Ran;
use crate::actions::reverse_receipt::{CannotReverse, ReverseReceipt, Reversed, reverse_receipt};
use anyhow::Result;
use billing::ids::PaymentId;
use billing::reversal::{CannotReverse as Rule, ReversalKind};
use clap::Args;
use ledger::Money;
use serde_json::{Value, json};

/// `paydown payment reverse`.
#[derive(Debug, Args)]
pub(super) struct ReverseArgs {
    /// Id or reference of the payment, pay_… or PAY-…; or id of a receipt without a payer
    id: String,
    /// Why it does not count
    #[arg(long = "as", value_enum, value_name = "WORD")]
    word: ReverseWord,
    /// What you know and from whom; it stays in the audit trail
    #[arg(long)]
    reason: String,
}

/// Why a recorded receipt does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ReverseWord {
    /// The bank sent it back
    Bounced,
    /// It never came so: the wrong amount, the wrong customer, entered twice
    EnteredWrongly,
}

pub(super) async fn run(at: &mut At<'_>, args: ReverseArgs) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let receipt: PaymentId = read_id(&store, merchant.id, &args.id).await?;
    let kind = match args.word {
        ReverseWord::Bounced => ReversalKind::Bounced,
        ReverseWord::EnteredWrongly => ReversalKind::EnteredWrongly,
    };
    let app = at.app(&config, store)?;
    let input =
        ReverseReceipt { merchant: merchant.id, receipt, kind, reason: args.reason, actor: at.actor() };
    match reverse_receipt(&app, input, None).await? {
        Ran::New(reversed) => {
            at.tell(&reversed_json(&reversed), || told(&reversed))?;
            Ok(Exit::Done)
        }
        Ran::Refused(CannotReverse::NoSuchPayment) => Err(unknown(&args.id)),
        Ran::Refused(why) => {
            let exit = match why {
                CannotReverse::Rule(Rule::Already) => Exit::Conflict,
                _ => Exit::Refused,
            };
            Err(stop(exit, format!("{} is not reversed: {why}{}", args.id, instead(&why, receipt))))
        }
        Ran::Repeated(_) | Ran::OtherRequest => {
            anyhow::bail!("a request without a key was taken for another")
        }
    }
}

/// The command that does what was probably meant.
fn instead(why: &CannotReverse, payment: PaymentId) -> String {
    match why {
        CannotReverse::Rule(Rule::ThroughProcessor(_)) => {
            format!(": paydown refund create {payment} --reason …")
        }
        _ => String::new(),
    }
}

fn told(reversed: &Reversed) -> String {
    let Reversed { reversal, amount, back } = reversed;
    let money = |minor| Money::new(minor, amount.currency());
    let mut text = format!("{amount} of {} does not count any more.\n", reversal.id);
    for part in &back.taken.allocated {
        text.push_str(&format!("  {} is owed again on {}\n", money(part.amount_minor), part.invoice));
    }
    let credit: i64 = back.taken.grants.iter().map(|grant| grant.amount_minor).sum();
    if credit > 0 {
        text.push_str(&format!("  {} came out of the customer's credit\n", money(credit)));
    }
    if back.taken.unapplied_minor > 0 {
        text.push_str(&format!("  {} had no place yet\n", money(back.taken.unapplied_minor)));
    }
    if back.rest_minor > 0 {
        text.push_str(&format!(
            "  {} had been spent or refunded, so the customer owes it: `paydown returned-payment demand` asks for it\n",
            money(back.rest_minor)
        ));
    }
    text
}

fn reversed_json(reversed: &Reversed) -> Value {
    let Reversed { reversal, amount, back } = reversed;
    let parts = back.taken.allocated.iter();
    let parts = parts.map(|part| json!({ "invoice": part.invoice.to_string(), "amount": part.amount_minor }));
    json!({
        "payment": reversal.id.to_string(),
        "kind": reversal.kind.as_str(),
        "reason": reversal.reason,
        "currency": amount.currency().code(),
        "amount": amount.minor(),
        "invoices": parts.collect::<Vec<_>>(),
        "customer_credit": back.taken.grants.iter().map(|grant| grant.amount_minor).sum::<i64>(),
        "unapplied": back.taken.unapplied_minor,
        "owed": back.rest_minor,
        "reversed_at": reversal.at.to_string(),
    })
}
