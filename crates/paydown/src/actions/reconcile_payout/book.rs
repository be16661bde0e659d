//! Books where a payout stands: its row, its history, and the postings of each step, each once.

use super::RECONCILE_PAYOUT_JOB;
use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::chart::{self, Processor};
use billing::ids::{EventId, JobId, MerchantId, PayoutId, PostingId};
use billing::payment::Step;
use billing::payout::{PayoutPosting, PayoutState};
use gateway::{BalanceLine, PayoutFacts};
use jiff::SignedDuration;
use ledger::{Money, Posting};
use serde_json::json;
use store::db::Tx;
use store::events::{self, Event};
use store::jobs;
use store::payouts::{self, Payout};
use store::postings::{self, CauseKind, NewPosting};

/// The clock looks after a payout for the first time so long after we learned of it.
const FIRST_LOOK_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What the processor told of a payout.
pub(super) struct Told {
    /// Whose.
    pub(super) merchant: MerchantId,
    /// Where it stands.
    pub(super) facts: PayoutFacts,
    /// Its own line in the processor's books, read where it is new to us.
    pub(super) own_line: Option<BalanceLine>,
    /// How we learned it, for the history.
    pub(super) source: &'static str,
}

/// Books it; answers the payout as it is then.
pub(super) async fn book(app: &App, told: Told) -> Result<Payout> {
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &told).await).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, told: &Told) -> Result<Payout> {
    let Told { merchant, facts, source, .. } = told;
    let new = new_payout(mint, told);
    if payouts::insert(tx, *merchant, &new, source).await? {
        begin(tx, mint, told, &new).await?;
        return Ok(new);
    }
    let payout = payouts::lock_by_processor_id(tx, *merchant, STRIPE, &facts.id).await?;
    let payout = payout.context("a payout is never deleted")?;
    if payout.arrives_at != facts.arrives_at {
        payouts::set_arrival(tx, *merchant, payout.id, facts.arrives_at).await?;
    }
    if payout.state.step(facts.state) != Step::Move {
        return Ok(Payout { arrives_at: facts.arrives_at, ..payout });
    }
    let failure = (facts.failure_code.as_deref(), facts.failure_message.as_deref());
    payouts::set_state(tx, *merchant, &payout, (facts.state, source), failure, mint.now).await?;
    for which in payout.state.postings(facts.state) {
        post_step(tx, mint, *merchant, &payout, *which).await?;
    }
    note(tx, mint, *merchant, payout.id, facts.state.as_str()).await?;
    payouts::find(tx, *merchant, payout.id).await?.context("it is locked")
}

fn new_payout(mint: &Mint, told: &Told) -> Payout {
    let facts = &told.facts;
    // Where its own line is in another currency, the processor converted it on the way out.
    let line = told.own_line.as_ref().map(|line| line.amount);
    let converted = line.filter(|line| line.currency() != facts.amount.currency());
    let balance = converted.map_or(facts.amount, |line| Money::new(-line.minor(), line.currency()));
    Payout {
        id: mint.id(PayoutId::new),
        processor: STRIPE.to_owned(),
        processor_payout_id: facts.id.clone(),
        state: facts.state,
        amount: facts.amount,
        balance,
        is_automatic: facts.is_automatic,
        made_at: facts.created_at,
        arrives_at: facts.arrives_at,
        statement: facts.statement.clone(),
        failure_code: facts.failure_code.clone(),
        failure_message: facts.failure_message.clone(),
        reconciled_at: None,
        unreconciled_because: None,
        created_at: mint.now,
        changed_at: mint.now,
    }
}

/// A payout that is new to us, whatever state it has come to by now.
async fn begin(tx: &mut Tx, mint: &Mint, told: &Told, payout: &Payout) -> Result<()> {
    let merchant = told.merchant;
    for which in payout.state.postings_when_first_seen() {
        post_step(tx, mint, merchant, payout, *which).await?;
    }
    if let Some(line) = told.own_line.as_ref().filter(|line| !line.fee.is_zero()) {
        let fee = chart::account_fee_charged(payout.id, Processor::Stripe, line.fee)?;
        post(tx, mint, merchant, (CauseKind::AccountFee, &line.id, None), fee).await?;
    }
    note(tx, mint, merchant, payout.id, "created").await?;
    if !matches!(payout.state, PayoutState::Pending | PayoutState::InTransit) {
        note(tx, mint, merchant, payout.id, payout.state.as_str()).await?;
    }
    let (job, at) = (mint.id(JobId::new), mint.now + FIRST_LOOK_AFTER);
    let name = &payout.processor_payout_id;
    jobs::enqueue(tx, merchant, job, RECONCILE_PAYOUT_JOB, name, at, mint.now).await
}

async fn post_step(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    payout: &Payout,
    which: PayoutPosting,
) -> Result<()> {
    let (id, amount, balance) = (payout.id, payout.amount, payout.balance);
    let name = id.to_string();
    let is_converted = balance.currency() != amount.currency();
    match which {
        PayoutPosting::Created if is_converted => {
            let out = chart::payout_converted_out(id, Processor::Stripe, balance)?;
            post(tx, mint, merchant, (CauseKind::PayoutConvertedOut, &name, None), out).await?;
            let into = chart::payout_converted_in(id, amount)?;
            post(tx, mint, merchant, (CauseKind::PayoutConvertedIn, &name, None), into).await
        }
        PayoutPosting::Created => {
            let created = chart::payout_created(id, Processor::Stripe, amount)?;
            post(tx, mint, merchant, (CauseKind::PayoutCreated, &name, None), created).await
        }
        PayoutPosting::Paid => {
            let paid = chart::payout_paid(id, amount)?;
            post(tx, mint, merchant, (CauseKind::PayoutPaid, &name, None), paid).await
        }
        PayoutPosting::PaidReversed => {
            let of = (CauseKind::PayoutPaid, CauseKind::PayoutPaidReversed);
            reverse(tx, mint, merchant, &name, of).await
        }
        PayoutPosting::CreatedReversed if is_converted => {
            let back = (CauseKind::PayoutConvertedIn, CauseKind::PayoutConvertedInReversed);
            reverse(tx, mint, merchant, &name, back).await?;
            let out = (CauseKind::PayoutConvertedOut, CauseKind::PayoutConvertedOutReversed);
            reverse(tx, mint, merchant, &name, out).await
        }
        PayoutPosting::CreatedReversed => {
            let of = (CauseKind::PayoutCreated, CauseKind::PayoutCreatedReversed);
            reverse(tx, mint, merchant, &name, of).await
        }
    }
}

/// Posts the mirror of an earlier step; one that had no posting, of a payout of 0, has no mirror.
async fn reverse(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    name: &str,
    (before, now): (CauseKind, CauseKind),
) -> Result<()> {
    let Some((reversed, posting, _)) = postings::find_by_cause(tx, merchant, before, name).await? else {
        return Ok(());
    };
    post(tx, mint, merchant, (now, name, Some(reversed)), Some(posting.reversed())).await
}

/// Posts it, once; nothing for nothing.
pub(super) async fn post(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    (cause, cause_id, reverses): (CauseKind, &str, Option<PostingId>),
    posting: Option<Posting>,
) -> Result<()> {
    let Some(posting) = posting else { return Ok(()) };
    let id = mint.id(PostingId::new);
    let new = NewPosting { id, cause, cause_id, reverses, posting: &posting, at: mint.now };
    postings::insert(tx, merchant, &new).await.map(drop)
}

/// For whoever follows the feed.
pub(super) async fn note(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    payout: PayoutId,
    what: &str,
) -> Result<()> {
    let event = Event {
        id: mint.id(EventId::new),
        kind: format!("payout.{what}"),
        invoice_id: None,
        payment_id: None,
        data: json!({ "payout": payout.to_string() }).to_string(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, merchant, &event).await
}
