//! `paydown payment resolve`: a person's word on how a payment ended, booked once a second person says the same. The processor is
//! asked first, and its word counts.

use super::payments::{payment_json, read_id, unknown};
use super::world::{At, Exit, stop};
use crate::actions::once::Ran;
use crate::actions::resolve_payment::{CannotResolve, ResolvePayment, Word, resolve_payment};
use anyhow::Result;
use billing::amount::{NumberMarks, Typed, parse_text};
use billing::payment::resolve::CannotResolve as Rule;
use clap::Args;
use ledger::{Currency, Money};
use store::db::Tx;
use store::payments;

/// `paydown payment resolve`.
#[derive(Debug, Args)]
pub(super) struct ResolveArgs {
    /// Id of the payment, pay_…
    id: String,
    /// How it ended
    #[arg(long = "as", value_enum, value_name = "WORD")]
    word: ResolveWord,
    /// What you know and from whom; it stays in the audit trail
    #[arg(long)]
    reason: String,
    /// The processor's name of the charge, where it succeeded
    #[arg(long, value_name = "ID", required_if_eq("word", "succeeded"))]
    charge: Option<String>,
    /// What was captured, surcharge included, where it succeeded: 411.90 or "411.90 EUR"
    #[arg(long, required_if_eq("word", "succeeded"))]
    amount: Option<String>,
}

/// How a payment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ResolveWord {
    /// It was given up; no money moved
    Canceled,
    /// It was refused; no money moved
    Failed,
    /// The money was captured; name the charge and the amount
    Succeeded,
    /// It was said to have succeeded, and the processor says that no money came
    TakenBack,
}

pub(super) async fn run(at: &mut At<'_>, args: ResolveArgs) -> Result<Exit> {
    let ResolveArgs { id: text, word, reason, charge, amount } = args;
    let (config, store, merchant) = at.merchant().await?;
    let (merchant, id) = (merchant.id, read_id(&store, merchant.id, &text).await?);
    let found = store.read(async move |tx: &mut Tx| payments::find(tx, merchant, id).await).await?;
    let payment = found.ok_or_else(|| unknown(&text))?;
    let word = match (word, charge, amount) {
        (ResolveWord::Succeeded, Some(charge_id), Some(amount)) => {
            Word::Succeeded { charge_id, captured: money_of(&amount, payment.currency)? }
        }
        (ResolveWord::Canceled, None, None) => Word::Canceled,
        (ResolveWord::Failed, None, None) => Word::Failed,
        (ResolveWord::TakenBack, None, None) => Word::TakenBack,
        _ => {
            let words = "--charge and --amount belong to --as succeeded, both of them, and to nothing else";
            return Err(stop(Exit::Usage, words));
        }
    };
    let app = at.app(&config, store)?;
    let input = ResolvePayment { merchant, payment: id, word, reason, actor: at.actor() };
    match resolve_payment(&app, input, None).await? {
        Ran::New(resolved) => {
            let mut json = payment_json(&resolved.payment);
            json["stage"] = if resolved.waits.is_some() { "proposed" } else { "settled" }.into();
            at.tell(&json, || {
                let state = resolved.payment.state.as_str();
                if let Some(said) = &resolved.waits {
                    return format!(
                        "Noted: {} says that {text} is {}. It is booked when somebody else says the same.",
                        said.actor,
                        said.state.as_str()
                    );
                }
                format!(
                    "{text} is {state} now. The processor is asked on; `paydown anomaly list` shows it until \
                     somebody has held it against the processor."
                )
            })?;
            Ok(Exit::Done)
        }
        Ran::Refused(why) => Err(stop(exit_of(&why), format!("{text} is not settled by hand: {why}"))),
        Ran::Repeated(_) | Ran::OtherRequest => {
            anyhow::bail!("a request without a key was taken for another")
        }
    }
}

fn exit_of(why: &CannotResolve) -> Exit {
    match why {
        CannotResolve::NoSuchPayment => Exit::NotFound,
        CannotResolve::Rule(Rule::Answered(_) | Rule::Ended(_)) => Exit::Conflict,
        CannotResolve::SamePerson => Exit::Conflict,
        _ => Exit::Refused,
    }
}

/// `411.90` or `411.90 EUR`.
fn money_of(text: &str, currency: Currency) -> Result<Money> {
    let named = text.split_whitespace().find_map(|word| Currency::try_new(word).ok()).unwrap_or(currency);
    match parse_text(text, named, NumberMarks::ENGLISH) {
        Ok(Typed::Minor(minor)) if minor > 0 => Ok(Money::new(minor, named)),
        _ => Err(stop(Exit::Usage, format!("{text:?} is no amount above 0 in {named}"))),
    }
}
