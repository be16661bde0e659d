//! A person says how a payment ended, where the processor cannot: the supervised way out of a payment that would hold its amount
//! for ever. The processor is asked at this very moment; whatever it answers counts, and then nobody's word is needed.
//!
//! One person alone settles nothing: the first word is noted, and booked once a second person says the same. Only a word that the
//! processor contradicts is taken back by one.
//!
//! A word is booked as the processor's would be, with the same postings, and stands in the audit trail and among what a person
//! has to look at. The processor is asked on: money it turns out to have is booked, and a word it contradicts is named.

mod afterwards;

pub(super) use afterwards::compare;

use crate::actions::once::{self, Once, Ran};
use crate::actions::reconcile_payment::ask_now;
use crate::actions::record_outcome::{self, Outcome, Recorded};
use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use crate::secrets::SecretKey;
use anyhow::Result;
use billing::ids::{AnomalyId, AuditId, JobId, MerchantId, PaymentId};
use billing::payment::resolve::{self, Known, may_resolve};
use billing::payment::{Ending, Hold, PaymentState};
use gateway::{PaymentFacts, ReturnFacts};
use jiff::SignedDuration;
use ledger::Money;
use serde_json::json;
use std::sync::Arc;
use store::anomalies::{self, Anomaly};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::payments::{self, Of, Payment};
use store::receipts::{self, Placed};
use store::resolution_proposals::{self as proposals, Proposal};
use store::resolutions::{self, Resolution};
use store::verify::holds_card_number;
use store::{attempts, customers, jobs};

/// Longest reason, characters.
pub const REASON_LIMIT: usize = 2_000;
/// When the processor is asked again after a person spoke.
const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// How a payment ended, as a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It was given up: no money moved.
    Canceled,
    /// It was refused: no money moved.
    Failed,
    /// The money was captured.
    Succeeded {
        /// The processor's name of the charge.
        charge_id: String,
        /// What was captured, surcharge included.
        captured: Money,
    },
    /// It was said to have succeeded, and the processor says by now that no money came.
    TakenBack,
}

impl Word {
    /// The state that it makes.
    pub const fn state(&self) -> PaymentState {
        match self {
            Word::Canceled => PaymentState::Canceled,
            Word::Failed => PaymentState::Failed,
            Word::Succeeded { .. } => PaymentState::Succeeded,
            Word::TakenBack => PaymentState::Returned,
        }
    }

    /// True if a proposal says the same.
    fn is_of(&self, proposal: &Proposal) -> bool {
        let charge = match self {
            Word::Succeeded { charge_id, captured } => Some((charge_id, captured)),
            _ => None,
        };
        let proposed = proposal.charge.as_ref().map(|(id, captured)| (id, captured));
        self.state() == proposal.state && charge == proposed
    }
}

/// Who says what of which payment.
#[derive(Clone, Debug)]
pub struct ResolvePayment {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub payment: PaymentId,
    /// How it ended.
    pub word: Word,
    /// Why they are sure.
    pub reason: String,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// A payment of which a person spoke, as it is now.
#[derive(Debug)]
pub struct Resolved {
    /// The word that waits for a second person; `None` where the payment is settled.
    pub waits: Option<Proposal>,
    /// The payment.
    pub payment: Payment,
    /// Where its money went.
    pub placed: Placed,
}

/// Why a word was not taken. Nothing of it was done; what the processor answered is applied all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotResolve {
    /// There is no such payment.
    #[error("there is no such payment")]
    NoSuchPayment,
    /// A rule says no.
    #[error("{0}")]
    Rule(#[from] resolve::CannotResolve),
    /// Nobody would know later what it rested on.
    #[error("the reason is empty: say what you know and from whom")]
    NoReason,
    /// Longer than [`REASON_LIMIT`].
    #[error("the reason has more than {REASON_LIMIT} characters")]
    LongReason,
    /// It would stay for ever.
    #[error("the reason or the charge holds a card number, which must not be kept")]
    CardNumber,
    /// Whoever said it first cannot be the second person.
    #[error("who says how a payment ended cannot confirm it; a second person has to say the same")]
    SamePerson,
    /// The charge is the one of another payment.
    #[error("the charge is the one of {0}")]
    ChargeTaken(PaymentId),
}

/// Takes a person's word, if the processor has none: notes it, or books it where a second person says the same. With `once`, the same request does nothing twice.
pub async fn resolve_payment(
    app: &App,
    input: ResolvePayment,
    once: Option<Once<Resolved>>,
) -> Result<Ran<Resolved, CannotResolve>> {
    let (merchant, payment) = (input.merchant, input.payment);
    let _turn = app.processors.turn(payment).await;
    let there = app.store.read(async move |tx: &mut Tx| payments::find(tx, merchant, payment).await).await?;
    // Of a payment for later nothing was sent, and asking would send it.
    let asks = there.is_some_and(|payment| match payment.state {
        PaymentState::Created => false,
        PaymentState::Succeeded => input.word == Word::TakenBack,
        state => state.hold() == Hold::Held,
    });
    let asked = if asks { ask_now(app, merchant, payment).await? } else { None };
    let saying = Saying { mint: app.mint(), secrets: Arc::clone(&app.secrets), input, asked, once };
    app.store.write(async move |tx: &mut Tx| saying.in_tx(tx).await).await
}

/// A word on its way into the books.
struct Saying {
    mint: Mint,
    secrets: Arc<SecretKey>,
    input: ResolvePayment,
    /// What the processor answered just now, or why it did not.
    asked: Option<Result<PaymentState, String>>,
    once: Option<Once<Resolved>>,
}

impl Saying {
    async fn in_tx(&self, tx: &mut Tx) -> Result<Ran<Resolved, CannotResolve>> {
        let merchant = self.input.merchant;
        if let Some(before) = once::begin(tx, &self.mint, merchant, self.once.as_ref()).await? {
            return Ok(before);
        }
        let outcome = self.decide(tx).await?;
        once::end(tx, merchant, self.once.as_ref(), outcome).await
    }

    async fn decide(&self, tx: &mut Tx) -> Result<Result<Resolved, CannotResolve>> {
        let ResolvePayment { merchant, payment: id, word, reason, .. } = &self.input;
        let Some(found) = payments::find(tx, *merchant, *id).await? else {
            return Ok(Err(CannotResolve::NoSuchPayment));
        };
        customers::lock(tx, *merchant, found.customer_id).await?;
        let Some(payment) = payments::lock(tx, *merchant, *id).await? else {
            return Ok(Err(CannotResolve::NoSuchPayment));
        };
        let said = resolutions::latest(tx, *merchant, *id).await?;
        let known = Known {
            state: payment.state,
            unchanged_seconds: self.mint.now.duration_since(payment.changed_at).as_secs(),
            answer: self.asked.as_ref().and_then(|asked| asked.as_ref().ok().copied()),
            said: said.map(|said| said.state),
        };
        if let Err(why) = may_resolve(&known, word.state()) {
            return Ok(Err(why.into()));
        }
        let reason = match checked(reason, word) {
            Ok(reason) => reason,
            Err(why) => return Ok(Err(why)),
        };
        if let Word::Succeeded { charge_id, .. } = word
            && let Some(other) = attempts::payment_of_charge(tx, *merchant, STRIPE, charge_id).await?
            && other != *id
        {
            return Ok(Err(CannotResolve::ChargeTaken(other)));
        }
        if *word == Word::TakenBack {
            return self.book(tx, &payment, (reason, None)).await.map(Ok);
        }
        let before = proposals::latest(tx, *merchant, *id).await?.filter(|before| word.is_of(before));
        match before {
            None => self.propose(tx, payment, reason).await.map(Ok),
            Some(before) if before.actor == self.input.actor => Ok(Err(CannotResolve::SamePerson)),
            Some(before) => self.book(tx, &payment, (reason, Some(before.actor))).await.map(Ok),
        }
    }

    /// The first person's word, which counts once a second one says the same. Another word takes its place.
    async fn propose(&self, tx: &mut Tx, payment: Payment, reason: String) -> Result<Resolved> {
        let (merchant, id, mint) = (payment.merchant, payment.id, &self.mint);
        let charge = match &self.input.word {
            Word::Succeeded { charge_id, captured } => Some((charge_id.clone(), *captured)),
            _ => None,
        };
        let proposal = Proposal {
            payment_id: id,
            state: self.input.word.state(),
            charge,
            reason,
            actor: self.input.actor.clone(),
            at: mint.now,
        };
        proposals::insert(tx, merchant, &proposal).await?;
        let row = AuditRow {
            id: mint.id(AuditId::new),
            actor: proposal.actor.clone(),
            act: acts::PAYMENT_PROPOSE.to_owned(),
            object: id.to_string(),
            before: json!({ "state": payment.state.as_str() }).to_string(),
            after: json!({
                "state": proposal.state.as_str(),
                "reason": proposal.reason,
                "charge": self.charge(),
                "unanswered": self.unanswered(),
            })
            .to_string(),
            at: mint.now,
        };
        audit::append(tx, merchant, &row).await?;
        let mut placed = receipts::placed(tx, merchant, Of::Merchant, (id, id)).await?;
        Ok(Resolved { waits: Some(proposal), payment, placed: placed.remove(&id).unwrap_or_default() })
    }

    async fn book(
        &self,
        tx: &mut Tx,
        payment: &Payment,
        (reason, first): (String, Option<String>),
    ) -> Result<Resolved> {
        let (merchant, id, mint) = (payment.merchant, payment.id, &self.mint);
        let state = self.input.word.state();
        let outcome = Outcome {
            merchant,
            payment: id,
            facts: self.facts(payment),
            source: "a person said so",
            ending: Some(Ending::Abandoned),
            unmade_after_calls: None,
        };
        let recorded = record_outcome::in_tx(tx, mint, &self.secrets, &outcome).await?;
        anyhow::ensure!(
            recorded == Recorded::Moved(state),
            "payment {id} could not be settled: {recorded:?}"
        );
        let resolution = Resolution {
            payment_id: id,
            state,
            reason,
            actor: self.input.actor.clone(),
            unanswered: self.unanswered(),
            at: mint.now,
            answered_at: None,
        };
        resolutions::insert(tx, merchant, &resolution).await?;
        if state == PaymentState::Returned {
            resolutions::note_answer(tx, merchant, id, mint.now).await?;
        }
        self.tell(tx, payment, (&resolution, first.as_deref())).await?;
        let (job, at) = (mint.id(JobId::new), mint.now + ASK_AGAIN_AFTER);
        jobs::enqueue(tx, merchant, job, "reconcile_payment", &id.to_string(), at, mint.now).await?;
        let now = payments::find(tx, merchant, id).await?;
        let mut placed = receipts::placed(tx, merchant, Of::Merchant, (id, id)).await?;
        let payment = now.ok_or_else(|| anyhow::anyhow!("payment {id} is locked"))?;
        Ok(Resolved { waits: None, payment, placed: placed.remove(&id).unwrap_or_default() })
    }

    /// Why the processor could not be asked.
    fn unanswered(&self) -> Option<String> {
        self.asked.as_ref().and_then(|asked| asked.as_ref().err().cloned())
    }

    /// The charge that is spoken of, for the trail.
    fn charge(&self) -> serde_json::Value {
        match &self.input.word {
            Word::Succeeded { charge_id, captured } => {
                json!({ "id": charge_id, "captured": captured.to_string() })
            }
            _ => serde_json::Value::Null,
        }
    }

    fn facts(&self, payment: &Payment) -> PaymentFacts {
        let base = PaymentFacts::of_state(self.input.word.state(), false);
        match &self.input.word {
            Word::Canceled | Word::Failed => base,
            Word::Succeeded { charge_id, captured } => {
                PaymentFacts { charge_id: Some(charge_id.clone()), captured: Some(*captured), ..base }
            }
            Word::TakenBack => {
                let amount =
                    payment.captured.unwrap_or_else(|| Money::new(payment.amount_minor, payment.currency));
                let returned = ReturnFacts {
                    dispute_id: String::new(),
                    amount,
                    at: self.mint.now,
                    reason: "booked_by_mistake".to_owned(),
                    return_code: None,
                    lines: Vec::new(),
                };
                PaymentFacts { captured: Some(amount), returned: Some(returned), ..base }
            }
        }
    }

    /// The audit trail and the list of what a person has to look at: somebody else should hold it against the processor.
    async fn tell(
        &self,
        tx: &mut Tx,
        payment: &Payment,
        (said, first): (&Resolution, Option<&str>),
    ) -> Result<()> {
        let (mint, before, after) = (&self.mint, payment.state.as_str(), said.state.as_str());
        let row = AuditRow {
            id: mint.id(AuditId::new),
            actor: said.actor.clone(),
            act: acts::PAYMENT_RESOLVE.to_owned(),
            object: payment.id.to_string(),
            before: json!({ "state": before }).to_string(),
            after: json!({
                "state": after, "reason": said.reason, "charge": self.charge(), "unanswered": said.unanswered,
                "proposed_by": first,
            })
            .to_string(),
            at: mint.now,
        };
        audit::append(tx, payment.merchant, &row).await?;
        let anomaly = Anomaly {
            id: mint.id(AnomalyId::new),
            kind: "resolved_by_hand".to_owned(),
            payment_id: Some(payment.id),
            detail: format!(
                "{}{} settled {} by hand, {before} to {after}: {}",
                first.map(|first| format!("{first} and ")).unwrap_or_default(),
                said.actor,
                payment.id,
                said.reason
            ),
            at: mint.now,
        };
        anomalies::insert(tx, payment.merchant, &anomaly).await
    }
}

fn checked(reason: &str, word: &Word) -> Result<String, CannotResolve> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(CannotResolve::NoReason);
    }
    if reason.chars().nth(REASON_LIMIT).is_some() {
        return Err(CannotResolve::LongReason);
    }
    let charge = matches!(word, Word::Succeeded { charge_id, .. } if holds_card_number(charge_id));
    if charge || holds_card_number(reason) {
        return Err(CannotResolve::CardNumber);
    }
    Ok(reason.to_owned())
}
