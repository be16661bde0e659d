//! A person has seen to an anomaly and says what came of it. The record stays: closing it takes it off the lists, never out
//! of the books, and moves no money.

use crate::app::App;
use crate::clock::Mint;
use anyhow::Result;
use billing::ids::{AnomalyId, AuditId, MerchantId};
use serde_json::json;
use store::anomalies::{self, Closing, Listed};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::verify::holds_card_number;

/// Longest note, characters.
pub const NOTE_LIMIT: usize = 2_000;

/// Which anomaly is closed, and why.
#[derive(Debug, Clone)]
pub struct CloseAnomaly {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub anomaly: AnomalyId,
    /// What came of it.
    pub note: String,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// Why it was not closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotClose {
    /// Nobody would know later what came of it.
    #[error("the note is empty: say what came of it")]
    NoNote,
    /// Longer than [`NOTE_LIMIT`].
    #[error("the note has more than {NOTE_LIMIT} characters")]
    LongNote,
    /// It would stay for ever.
    #[error("the note holds a card number, which must not be kept")]
    CardNumber,
    /// Somebody did already.
    #[error("it was closed by {} at {}: {}", .0.actor, .0.at, .0.note)]
    Closed(Closing),
}

/// Closes an anomaly and answers what it says now. `None`: there is none.
pub async fn close_anomaly(app: &App, input: CloseAnomaly) -> Result<Option<Result<Listed, CannotClose>>> {
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &input).await).await
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    input: &CloseAnomaly,
) -> Result<Option<Result<Listed, CannotClose>>> {
    let CloseAnomaly { merchant, anomaly: id, note, actor } = input;
    let Some(there) = anomalies::find(tx, *merchant, *id).await? else { return Ok(None) };
    if let Some(closing) = there.closing {
        return Ok(Some(Err(CannotClose::Closed(closing))));
    }
    let note = match checked(note) {
        Ok(note) => note,
        Err(why) => return Ok(Some(Err(why))),
    };
    let closing = Closing { actor: actor.clone(), note, at: mint.now };
    if !anomalies::close(tx, *merchant, *id, &closing).await? {
        // Somebody was faster since it was read.
        let there = anomalies::find(tx, *merchant, *id).await?.and_then(|there| there.closing);
        return Ok(Some(Err(CannotClose::Closed(there.unwrap_or(closing)))));
    }
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.clone(),
        act: acts::ANOMALY_CLOSE.to_owned(),
        object: id.to_string(),
        before: "\"open\"".to_owned(),
        after: json!({ "note": closing.note }).to_string(),
        at: mint.now,
    };
    audit::append(tx, *merchant, &row).await?;
    Ok(Some(Ok(Listed { closing: Some(closing), ..there })))
}

fn checked(note: &str) -> Result<String, CannotClose> {
    let note = note.trim();
    if note.is_empty() {
        return Err(CannotClose::NoNote);
    }
    if note.chars().nth(NOTE_LIMIT).is_some() {
        return Err(CannotClose::LongNote);
    }
    if holds_card_number(note) {
        return Err(CannotClose::CardNumber);
    }
    Ok(note.to_owned())
}
