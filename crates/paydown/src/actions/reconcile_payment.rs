//! Asks the processor where a payment stands, and applies what it says. Every path that is not sure comes here: the
//! return page, a webhook, a restart after a crash, the clock.
//!
//! Nothing is guessed from silence. A hold goes only when the processor says failed, canceled or expired, or when its
//! own list, long after the longest life of a page, has none of ours.

mod charge;

use crate::actions::cancel_payment::{end_charge, end_page};
use crate::actions::record_outcome::{Outcome, Recorded, record_outcome};
use crate::actions::start_payment::abandoned_at;
use crate::actions::submit_attempt::{
    SERVER_ERRORS_ARE_FINAL, Submitted, Unsent, latest, record_unmade, refused, send_once,
};
use crate::actions::verification;
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::ids::{AnomalyId, MerchantId, PaymentId};
use billing::payment::{Hold, PaymentState};
use gateway::{CallError, PaymentFacts, Processor};
use jiff::{SignedDuration, Timestamp};
use store::anomalies::{self, Anomaly};
use store::attempts::{self, Attempt};
use store::db::Tx;
use store::merchants::{self, Merchant};
use store::payments::{self, Ending, Payment};
use store::resolutions;

/// After so long without an answer a person owns it.
const A_PERSON_OWNS_IT_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);
/// A debit that the bank has not answered after so long is a riddle too; slow ones take nine banking days.
const A_DEBIT_TAKES_AT_MOST: SignedDuration = SignedDuration::from_hours(15 * 24);
/// What a payer proves or does not is asked for so long after its time is over.
const PROOF_IS_ASKED_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// A fee that is not known after so long is left to the processor's event.
const FEE_IS_AWAITED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A call is sent again within this time: the processor keeps a key's first answer for a day.
const KEY_IS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(23);
/// After this the page's end is too near for the processor to make it: a refusal then is no news about the payment.
const PAGE_CAN_BE_MADE_FOR: SignedDuration = SignedDuration::from_mins(25);

/// What looking came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It is settled as far as we ask.
    Done(PaymentState),
    /// Ask again then.
    Again(PaymentState, Timestamp),
    /// The processor could not be asked, so nothing is known that was not known before. Ask again then.
    Unanswered(PaymentState, Timestamp),
}

impl Looked {
    /// The payment's state.
    pub const fn state(self) -> PaymentState {
        match self {
            Looked::Done(state) | Looked::Again(state, _) | Looked::Unanswered(state, _) => state,
        }
    }
}

struct Case {
    payment: Payment,
    attempt: Attempt,
    merchant: Merchant,
    /// True where a person said how it ended, and the processor has not said so yet.
    said_by_hand: bool,
}

impl Case {
    /// True where a saved method is charged, without a page.
    const fn is_charge(&self) -> bool {
        self.payment.payment_method_id.is_some()
    }

    /// Why it ends, where we end it.
    const fn ending(&self) -> Ending {
        if self.payment.cancel_asked_at.is_some() { Ending::PayerCanceled } else { Ending::Abandoned }
    }
}

/// Looks after a payment once. `None`: there is no such payment.
pub async fn reconcile_payment(
    app: &App,
    merchant: MerchantId,
    payment: PaymentId,
    source: &'static str,
) -> Result<Option<Looked>> {
    let Some(mut case) = load(app, merchant, payment).await? else { return Ok(None) };
    if case.payment.state == PaymentState::Created {
        match charge::release_held(app, &case).await? {
            Some(send_at) => return Ok(Some(Looked::Again(PaymentState::Created, send_at))),
            None => case = load(app, merchant, payment).await?.context("a payment is never deleted")?,
        }
    }
    let state = case.payment.state;
    if settled(&case) && !may_have_paid_late(&case) && !may_have_come_back(&case) {
        return Ok(Some(Looked::Done(state)));
    }
    if let Some(recorded) = given_up_unsent(app, &case).await? {
        return after(app, &case, recorded.state().unwrap_or(state)).await.map(Some);
    }
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let recorded = match ask(app, &*processor, &case).await {
        Ok(answer) => record(app, &*processor, &case, answer, source).await?.0,
        // Nobody else looks after a payment that has ended, so who brought the hint has to come again.
        Err(error) if state.hold() == Hold::Released && !case.said_by_hand => return Err(error.into()),
        Err(error) => return unanswered(app, &case, &error).await.map(Some),
    };
    after(app, &case, recorded.state().unwrap_or(state)).await.map(Some)
}

/// Records what the processor said; tells it as well, unless it said nothing about this payment.
async fn record(
    app: &App,
    processor: &dyn Processor,
    case: &Case,
    answer: Answer,
    source: &'static str,
) -> Result<(Recorded, Option<PaymentState>)> {
    let (merchant, payment) = (case.payment.merchant, case.payment.id);
    Ok(match answer {
        Answer::Facts(facts) => {
            let said = facts.state;
            let page = facts.session.as_ref().is_some_and(|page| page.open);
            let outcome =
                Outcome { merchant, payment, facts: *facts, source, ending: None, unmade_after_calls: None };
            let recorded = record_outcome(app, outcome).await?;
            if page && recorded.state().is_some_and(|state| state.hold() == Hold::Released) {
                // It ended while nobody knew of its page: nobody may pay there any more.
                end_page(app, &latest(app, merchant, payment).await?, case.ending()).await?;
            }
            (recorded, Some(said))
        }
        Answer::NoPage => {
            let said = proves_absence(app, processor, case).then_some(PaymentState::Canceled);
            let recorded = absent(app, processor, case).await?;
            (recorded, said.filter(|_| recorded.state().is_some_and(|state| state.hold() != Hold::Held)))
        }
        Answer::Refused(unsent) => {
            let recorded = never_made(app, case, &unsent).await?;
            (recorded, recorded.state())
        }
    })
}

/// Asks the processor at this moment, records what it says and answers with that, or with why there was no answer about this
/// payment. `None`: the payment is none that a processor was asked for.
pub(super) async fn ask_now(
    app: &App,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Option<Result<PaymentState, String>>> {
    let Some(case) = load(app, merchant, payment).await? else { return Ok(None) };
    let Some(processor) = app.processors.of(&app.store, &app.secrets, merchant).await? else {
        return Ok(Some(Err("no processor is connected".to_owned())));
    };
    let answer = match ask(app, &*processor, &case).await {
        Ok(answer) => answer,
        Err(error) => return Ok(Some(Err(error.to_string()))),
    };
    let (_, said) = record(app, &*processor, &case, answer, "a person asked").await?;
    Ok(Some(said.ok_or_else(|| "the processor's list has no page of this payment".to_owned())))
}

/// What the processor said.
enum Answer {
    /// This is how things stand.
    Facts(Box<PaymentFacts>),
    /// Its list has no page of ours.
    NoPage,
    /// It refuses to make the page, and no earlier sending made it.
    Refused(Unsent),
}

/// What the processor knows: by the page it made, else by sending the same call again, else by its list. The answer to
/// a call that was sent before is the first answer, so the page it names is read anew.
async fn ask(app: &App, processor: &dyn Processor, case: &Case) -> Result<Answer, CallError> {
    let attempt = &case.attempt;
    if case.is_charge() {
        return charge::ask(app, processor, case).await;
    }
    if let Some(session) = &attempt.session_id {
        return processor.read_session(session).await.map(|facts| Answer::Facts(Box::new(facts)));
    }
    let dead_key = attempt.server_errors >= SERVER_ERRORS_ARE_FINAL;
    let ended = case.payment.state.hold() != Hold::Held;
    if dead_key || ended || app.clock.now() > attempt.created_at + KEY_IS_KEPT_FOR {
        let last_sent_at = attempt.called_at.unwrap_or(attempt.created_at);
        // Somebody hints at a page that was not there when it ended: perhaps a call arrived late.
        let made_by = if ended { app.clock.now() } else { last_sent_at };
        let found = processor.find_attempt(attempt.id, attempt.created_at, made_by).await?;
        return Ok(found.map_or(Answer::NoPage, |facts| Answer::Facts(Box::new(facts))));
    }
    match send_once(app, processor, attempt).await {
        Ok(page) => processor.read_session(&page.id).await.map(|facts| Answer::Facts(Box::new(facts))),
        Err(unsent) if unsent.proves_that_nothing_was_made() => Ok(Answer::Refused(unsent)),
        Err(unsent) => Err(unsent.error),
    }
}

/// The payer gave it up before anything was sent: then nothing needs to be sent.
async fn given_up_unsent(app: &App, case: &Case) -> Result<Option<Recorded>> {
    let attempt = &case.attempt;
    if case.payment.cancel_asked_at.is_none() || attempt.calls > 0 || attempt.session_id.is_some() {
        return Ok(None);
    }
    let end = (PaymentState::Canceled, Ending::PayerCanceled);
    record_unmade(app, attempt, 0, end, "given up before anything was sent").await.map(Some)
}

/// The call was refused. At first that is the processor's no; long after, it only says that the page's time is over
/// and that no page was made while there was time.
async fn never_made(app: &App, case: &Case, unsent: &Unsent) -> Result<Recorded> {
    let attempt = &case.attempt;
    if case.is_charge() || app.clock.now() <= attempt.created_at + PAGE_CAN_BE_MADE_FOR {
        let state = match refused(app, attempt, unsent).await? {
            Submitted::State(state) => state,
            Submitted::CardPage(_) => PaymentState::RequiresAction,
        };
        return Ok(Recorded::AlreadyThere(state));
    }
    let end = (PaymentState::Canceled, case.ending());
    record_unmade(app, attempt, unsent.calls, end, "the processor never made its page").await
}

/// True if a list without a page of ours proves that there never will be one.
fn proves_absence(app: &App, processor: &dyn Processor, case: &Case) -> bool {
    let attempt = &case.attempt;
    let proven_at = match attempt.called_at.filter(|_| case.is_charge()) {
        Some(called_at) => called_at + SignedDuration::from_hours(1),
        None => attempt.created_at + processor.session_life() + SignedDuration::from_hours(1),
    };
    attempt.calls == 0 || app.clock.now() >= proven_at
}

/// The list has no page of ours. Proof that there is none only where nothing was ever sent, or after the longest life
/// of a page.
async fn absent(app: &App, processor: &dyn Processor, case: &Case) -> Result<Recorded> {
    let attempt = &case.attempt;
    let is_said = case.payment.state.hold() != Hold::Held && !case.said_by_hand;
    if is_said || !proves_absence(app, processor, case) {
        return Ok(Recorded::AlreadyThere(case.payment.state));
    }
    let end = (PaymentState::Canceled, case.ending());
    record_unmade(app, attempt, attempt.calls, end, "the processor's list does not have it").await
}

/// Nothing is known that was not known before; after five days of that a person owns the payment.
async fn unanswered(app: &App, case: &Case, error: &CallError) -> Result<Looked> {
    let (now, payment) = (app.clock.now(), &case.payment);
    tracing::warn!(payment = %payment.id, %error, "the processor could not be asked");
    let waited = now.duration_since(payment.created_at);
    if payment.state.hold() == Hold::Held && waited > a_person_owns_it_after(payment) {
        hand_to_person(app, case).await?;
    }
    let asked_to_wait = match error {
        CallError::RateLimited { retry_after_seconds } => {
            SignedDuration::from_secs(i64::from(*retry_after_seconds))
        }
        _ => SignedDuration::ZERO,
    };
    Ok(Looked::Unanswered(payment.state, now + pause(waited).max(asked_to_wait)))
}

/// Decides when to look again, and ends a page whose payer has left.
async fn after(app: &App, before: &Case, state: PaymentState) -> Result<Looked> {
    let (merchant, payment) = (before.payment.merchant, before.payment.id);
    let case = load(app, merchant, payment).await?.context("a payment is never deleted")?;
    let now = app.clock.now();
    if settled(&case) {
        return Ok(Looked::Done(case.payment.state));
    }
    if case.payment.state.hold() != Hold::Held {
        let waited = now.duration_since(case.payment.changed_at);
        let gives_up = waited > FEE_IS_AWAITED_FOR && !case.said_by_hand;
        return Ok(if gives_up { Looked::Done(state) } else { Looked::Again(state, now + pause(waited)) });
    }
    let waited = now.duration_since(case.payment.created_at);
    let proof_until = match case.payment.state {
        PaymentState::RequiresAction => verification::waits_until(app, merchant, payment).await?,
        _ => None,
    };
    if let Some(until) = proof_until
        .filter(|until| case.payment.cancel_asked_at.is_none() && now < *until + PROOF_IS_ASKED_AFTER)
    {
        // The payer has days for it, and its end comes as an event; the clock only looks whether one was lost.
        return Ok(Looked::Again(
            state,
            (until + PROOF_IS_ASKED_AFTER).min(now + SignedDuration::from_hours(24)),
        ));
    }
    if waited > a_person_owns_it_after(&case.payment) {
        hand_to_person(app, &case).await?;
    }
    let waits_for_payer = case.payment.state == PaymentState::RequiresAction
        && (case.attempt.session_id.is_some() || case.attempt.payment_intent_id.is_some());
    if !waits_for_payer {
        return Ok(Looked::Again(state, now + pause(waited)));
    }
    let given_up_at = match case.is_charge() {
        true => case.payment.changed_at + charge::CHALLENGE_LASTS,
        false => abandoned_at(&case.payment, &case.merchant),
    };
    if case.payment.cancel_asked_at.is_none() && now < given_up_at {
        return Ok(Looked::Again(state, given_up_at));
    }
    let ended = match case.is_charge() || proof_until.is_some() {
        true => end_charge(app, &case.attempt, case.ending()).await,
        false => end_page(app, &case.attempt, case.ending()).await,
    };
    match ended {
        Ok(state) if state.hold() != Hold::Held && state != PaymentState::Succeeded => {
            Ok(Looked::Done(state))
        }
        Ok(state) => Ok(Looked::Again(state, now + pause(waited))),
        Err(error) => {
            tracing::warn!(%payment, error = format!("{error:#}"), "it could not be ended at the processor yet");
            Ok(Looked::Unanswered(state, now + pause(waited)))
        }
    }
}

/// A bank takes days to answer, and so does a payer who waits for small deposits: that is no riddle.
fn a_person_owns_it_after(payment: &Payment) -> SignedDuration {
    match payment.state {
        PaymentState::Processing | PaymentState::RequiresAction if payment.method.is_bank_debit() => {
            A_DEBIT_TAKES_AT_MOST
        }
        _ => A_PERSON_OWNS_IT_AFTER,
    }
}

/// 5 s, 1 min, 5 min, 1 h, then daily.
fn pause(waited: SignedDuration) -> SignedDuration {
    match waited.as_secs() {
        ..60 => SignedDuration::from_secs(5),
        60..300 => SignedDuration::from_mins(1),
        300..3_600 => SignedDuration::from_mins(5),
        3_600..86_400 => SignedDuration::from_hours(1),
        _ => SignedDuration::from_hours(24),
    }
}

fn settled(case: &Case) -> bool {
    match case.payment.state {
        _ if case.said_by_hand => false,
        PaymentState::Succeeded | PaymentState::ChargedBack => case.attempt.balance_transaction_id.is_some(),
        state => state.hold() != Hold::Held,
    }
}

/// What ended is asked for all the same where anything was ever sent: what was captured after the end, or without our knowing of
/// its page, is booked too.
fn may_have_paid_late(case: &Case) -> bool {
    let attempt = &case.attempt;
    let may_be_there =
        attempt.calls > 0 || attempt.session_id.is_some() || attempt.payment_intent_id.is_some();
    case.payment.state.hold() == Hold::Released && may_be_there
}

/// A bank may take a debit back for weeks after it has paid, and what that costs is known later still: whoever hints at it makes
/// us look.
fn may_have_come_back(case: &Case) -> bool {
    let state = case.payment.state;
    case.payment.method.is_bank_debit() && matches!(state, PaymentState::Succeeded | PaymentState::Returned)
}

async fn load(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<Option<Case>> {
    app.store
        .read(async move |tx: &mut Tx| {
            let Some(payment) = payments::find(tx, merchant, payment).await? else { return Ok(None) };
            let Some(attempt) = attempts::latest(tx, merchant, payment.id).await? else { return Ok(None) };
            let merchant = merchants::find(tx, merchant).await?.context("a payment has a merchant")?;
            let said = match payment.state.hold() {
                Hold::Held => None,
                _ => resolutions::latest(tx, merchant.id, payment.id).await?,
            };
            let said_by_hand = said.is_some_and(|said| said.answered_at.is_none());
            Ok(Some(Case { payment, attempt, merchant, said_by_hand }))
        })
        .await
}

async fn hand_to_person(app: &App, case: &Case) -> Result<()> {
    let (mint, merchant, payment) = (app.mint(), case.payment.merchant, case.payment.id);
    app.store
        .write(async move |tx: &mut Tx| {
            let anomaly = Anomaly {
                id: mint.id(AnomalyId::new),
                kind: "unresolved".to_owned(),
                payment_id: Some(payment),
                detail: format!(
                    "the processor has not said for days how {payment} ended. Its amount stays held. When you know how it \
                     ended: paydown payment resolve {payment} --as … --reason …"
                ),
                at: mint.now,
            };
            anomalies::insert_once(tx, merchant, &anomaly).await.map(drop)
        })
        .await
}
