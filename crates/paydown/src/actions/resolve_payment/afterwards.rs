//! What the processor says of a payment after a person has spoken for it. Where both agree the matter is closed. Money that a
//! person had given up is booked by `record_outcome` as any that comes late; a word that was wrong is named for a person.

use crate::actions::record_outcome::Outcome;
use crate::clock::Mint;
use anyhow::Result;
use billing::ids::AnomalyId;
use billing::payment::{Hold, PaymentState};
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::payments::Payment;
use store::resolutions;

/// Holds a final word of the processor against a person's. `payment` is the locked row as it was before the word was applied.
pub async fn compare(tx: &mut Tx, mint: &Mint, payment: &Payment, outcome: &Outcome) -> Result<()> {
    let (merchant, id, facts) = (payment.merchant, payment.id, &outcome.facts);
    if facts.state.hold() == Hold::Held {
        return Ok(());
    }
    let Some(said) = resolutions::latest(tx, merchant, id).await? else { return Ok(()) };
    if said.answered_at.is_some() {
        return Ok(());
    }
    let wrong = match (payment.state, facts.state.hold()) {
        (PaymentState::Succeeded, Hold::Released) => Some(format!(
            "{} booked {id} as received, and the processor says that it is {}: no money came. If that is so, take it \
             back: paydown payment resolve {id} --as taken-back --reason …",
            said.actor,
            facts.state.as_str()
        )),
        (PaymentState::Succeeded, _) if facts.captured.is_some() && facts.captured != payment.captured => {
            Some(format!(
                "{} booked {} of {id} as received, and the processor captured {}: account 1200 shows the difference",
                said.actor,
                payment.captured.map(|money| money.to_string()).unwrap_or_default(),
                facts.captured.map(|money| money.to_string()).unwrap_or_default(),
            ))
        }
        _ => None,
    };
    if let Some(detail) = wrong {
        let anomaly = Anomaly {
            id: mint.id(AnomalyId::new),
            kind: "resolution_contradicted".to_owned(),
            payment_id: Some(id),
            detail,
            at: mint.now,
        };
        anomalies::insert_once(tx, merchant, &anomaly).await?;
    }
    resolutions::note_answer(tx, merchant, id, mint.now).await
}
