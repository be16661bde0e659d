//! Small deposits by which a payer proves to see an account: how it stands is kept, so that the page says it. The amounts are typed on
//! the processor's page; how many tries are left the processor does not tell, so only that the last one was wrong is counted.

use crate::app::App;
use anyhow::Result;
use billing::ids::{MerchantId, PaymentId};
use gateway::{VerificationFacts, VerificationKind, VerificationState};
use jiff::{SignedDuration, Timestamp};
use store::db::Tx;
use store::verifications::{self, Of, State, Verification};

/// Processors wait so long where they do not say.
const USUAL_PATIENCE: SignedDuration = SignedDuration::from_hours(10 * 24);

/// Until when the processor waits for the proof of the account that a payment debits; `None` where it waits for none.
pub(super) async fn waits_until(
    app: &App,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Option<Timestamp>> {
    let read = async move |tx: &mut Tx| verifications::find(tx, merchant, Of::Payment(payment)).await;
    let found = app.store.read(read).await?.filter(|found| found.state == State::Waiting);
    Ok(found.map(|found| found.ends_at.unwrap_or(found.changed_at + USUAL_PATIENCE)))
}

/// Keeps how it stands. Where the processor tells of none any more, one that waited is done.
pub(super) async fn note(
    tx: &mut Tx,
    merchant: MerchantId,
    of: Of,
    (facts, now): (Option<&VerificationFacts>, Timestamp),
) -> Result<()> {
    let before = verifications::find(tx, merchant, of).await?;
    let after = match (facts, &before) {
        (Some(facts), before) => learned(facts, before.as_ref(), now),
        (None, Some(before)) if before.state == State::Waiting => {
            Verification { state: State::Done, url: None, changed_at: now, ..before.clone() }
        }
        (None, _) => return Ok(()),
    };
    if before.as_ref().is_some_and(|before| Verification { changed_at: now, ..before.clone() } == after) {
        return Ok(());
    }
    verifications::put(tx, merchant, of, &Verification { changed_at: now, ..after }).await
}

fn learned(facts: &VerificationFacts, before: Option<&Verification>, now: Timestamp) -> Verification {
    let wrong_before = before.map_or(0, |before| before.wrong_tries);
    Verification {
        state: match facts.state {
            VerificationState::Waiting => State::Waiting,
            VerificationState::TooManyTries => State::TooManyTries,
            VerificationState::TimedOut => State::TimedOut,
            VerificationState::NotDelivered => State::NotDelivered,
        },
        is_code: match facts.kind {
            Some(kind) => kind == VerificationKind::Code,
            None => before.is_some_and(|before| before.is_code),
        },
        url: facts.url.clone(),
        arrives_at: facts.arrives_at.or_else(|| before.and_then(|before| before.arrives_at)),
        ends_at: facts.until.or_else(|| before.and_then(|before| before.ends_at)),
        wrong_tries: if facts.last_try_was_wrong { wrong_before.max(1) } else { wrong_before },
        changed_at: now,
    }
}
