//! What a payout is made of: every line is matched with what it belongs to, its fee is made exact, and together they must come
//! to the payout.

use super::book::{note, post};
use super::lines::{Identified, Match, identify};
use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::chart::{self, Fee, Processor as Of};
use billing::ids::{AnomalyId, MerchantId, PaymentId, PayoutId};
use billing::payout::reconcile as adds_up;
use gateway::{BalanceLine, LineKind, Processor};
use ledger::Money;
use std::sync::Arc;
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::payouts::items::{self, About, Item};
use store::payouts::{self, Payout};
use store::postings::{self, CauseKind, NewPosting};

/// Every line of a payout, and what is known of it.
struct Found {
    merchant: MerchantId,
    name: String,
    lines: Vec<(BalanceLine, Identified)>,
}

/// Reads the items of an automatic payout, finds out what each belongs to, and records it.
pub(super) async fn reconcile(
    app: &App,
    merchant: MerchantId,
    processor: Arc<dyn Processor>,
    payout: &Payout,
) -> Result<()> {
    let mut lines = Vec::new();
    for line in processor.payout_items(&payout.processor_payout_id).await? {
        let identified = identify(app, merchant, &processor, &line).await?;
        lines.push((line, identified));
    }
    let found = Found { merchant, name: payout.processor_payout_id.clone(), lines };
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &found).await).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, found: &Found) -> Result<()> {
    let Found { merchant, name, lines } = found;
    let payout = payouts::lock_by_processor_id(tx, *merchant, STRIPE, name).await?;
    let payout = payout.context("a payout is never deleted")?;
    if payout.reconciled_at.is_some() {
        return Ok(());
    }
    let mut problems = Vec::new();
    for (line, identified) in lines {
        if let Some(problem) = record(tx, mint, *merchant, &payout, (line, identified)).await? {
            problems.push(problem);
        }
    }
    let sum = sum(&payout, lines);
    // The processor may still be writing the list down while the payout is on its way.
    let is_told = !problems.is_empty() || !payout.state.is_in_flight();
    if problems.is_empty() && sum.is_ok() {
        payouts::set_reconciled(tx, *merchant, payout.id, Ok(mint.now)).await?;
        return note(tx, mint, *merchant, payout.id, "reconciled").await;
    }
    problems.extend(sum.err().map(|what| ("payout_differs", what)));
    let first = problems.first().map_or("", |(_, what)| what.as_str());
    payouts::set_reconciled(tx, *merchant, payout.id, Err(first)).await?;
    for (kind, what) in problems.into_iter().filter(|_| is_told) {
        let anomaly = Anomaly {
            id: mint.id(AnomalyId::new),
            kind: kind.to_owned(),
            payment_id: None,
            detail: format!("payout {name}: {what}"),
            at: mint.now,
        };
        anomalies::insert_once(tx, *merchant, &anomaly).await?;
    }
    Ok(())
}

/// Puts a line into the payout, with what it belongs to. Answers what is wrong with it: the kind of the anomaly, and words.
async fn record(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    payout: &Payout,
    (line, identified): (&BalanceLine, &Identified),
) -> Result<Option<(&'static str, String)>> {
    let known = match identified {
        Identified::Known(found) => Some(found.known.clone()),
        Identified::Nobodys(_) => None,
    };
    let item = Item {
        line_id: line.id.clone(),
        kind: kind(line.kind).to_owned(),
        word: line.word.clone(),
        amount: line.amount,
        fee_minor: line.fee.minor(),
        source_id: line.source_id.clone(),
        known,
        made_at: line.created_at,
    };
    if !items::put(tx, merchant, payout.id, &item).await? {
        let what = format!("{} is in another payout too, or was told with another sum", named(line));
        return Ok(Some(("payout_item_twice", what)));
    }
    match identified {
        Identified::Known(found) => {
            settle(tx, mint, merchant, payout.id, (line, found)).await?;
            Ok(None)
        }
        Identified::Nobodys(why) => {
            Ok(Some(("payout_item_unknown", format!("{} is not in the books: {why}", named(line)))))
        }
    }
}

/// Brings account 1200 to what the line says: its fee, and what it came to where the processor exchanged currencies.
async fn settle(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    payout: PayoutId,
    (line, found): (&BalanceLine, &Match),
) -> Result<()> {
    if found.known.about == About::Fee {
        let fee = Money::new(-line.net.minor(), line.net.currency());
        let posting = chart::account_fee_charged(payout, Of::Stripe, fee)?;
        return post(tx, mint, merchant, (CauseKind::AccountFee, &line.id, None), posting).await;
    }
    if let Some(booked) = found.booked.filter(|booked| booked.currency() != line.amount.currency()) {
        let out = chart::line_exchanged_out(payout, Of::Stripe, booked)?;
        post(tx, mint, merchant, (CauseKind::ExchangedOut, &line.id, None), out).await?;
        let into = chart::line_exchanged_in(payout, Of::Stripe, line.amount)?;
        post(tx, mint, merchant, (CauseKind::ExchangedIn, &line.id, None), into).await?;
    }
    match (found.known.payment_id, found.fee) {
        (Some(payment), Some(fee)) => make_fee_exact(tx, mint, merchant, (payment, fee), line).await,
        _ => Ok(()),
    }
}

/// What the line says is what the processor keeps. A fee that was never posted is posted as it would have been; one that was
/// posted with another amount is corrected.
async fn make_fee_exact(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    (payment, fee): (PaymentId, Fee),
    line: &BalanceLine,
) -> Result<()> {
    let posted = postings::fees_of_line(tx, merchant, &line.id).await?;
    let missing = line.fee.minor() - posted;
    if missing == 0 {
        return Ok(());
    }
    let posting = chart::fee_charged(fee, payment, Of::Stripe, Money::new(missing, line.fee.currency()))?;
    let cause = match fee {
        Fee::Processing => CauseKind::ProcessingFee,
        Fee::Return => CauseKind::ReturnFee,
        Fee::Dispute => CauseKind::DisputeFee,
    };
    let (id, corrected) =
        (mint.id(billing::ids::PostingId::new), format!("{}:{}", line.id, line.fee.minor()));
    let new = NewPosting { id, cause, cause_id: &line.id, reverses: None, posting: &posting, at: mint.now };
    if postings::insert(tx, merchant, &new).await? {
        return Ok(());
    }
    let new = NewPosting { cause: CauseKind::FeeCorrected, cause_id: &corrected, ..new };
    postings::insert(tx, merchant, &new).await.map(drop)
}

/// Whether the lines come to what leaves the processor's books.
fn sum(payout: &Payout, lines: &[(BalanceLine, Identified)]) -> Result<(), String> {
    let currency = payout.balance.currency();
    if let Some((line, _)) = lines.iter().find(|(line, _)| line.net.currency() != currency) {
        return Err(format!("{} is in another currency than the payout, {}", named(line), payout.balance));
    }
    let nets = lines.iter().map(|(line, _)| line.net.minor());
    adds_up(payout.balance.minor(), nets).map_err(|missing| {
        let missing = Money::new(missing, currency);
        format!("it is {}, and {missing} of that is in none of its items", payout.balance)
    })
}

fn named(line: &BalanceLine) -> String {
    let source = line.source_id.as_ref().map(|source| format!(" of {source}")).unwrap_or_default();
    format!("item {} ({}{source}, {})", line.id, line.word, line.net)
}

const fn kind(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Charge => "charge",
        LineKind::ChargeFailure => "charge_failure",
        LineKind::Refund => "refund",
        LineKind::RefundFailure => "refund_failure",
        LineKind::Dispute => "dispute",
        LineKind::DisputeReversal => "dispute_reversal",
        LineKind::Payout => "payout",
        LineKind::PayoutReversal => "payout_reversal",
        LineKind::Fee => "fee",
        LineKind::Other => "other",
    }
}
