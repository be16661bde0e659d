//! What was stored to be said about a dispute goes to the processor: files, then texts, then that it is let be; each under the
//! key it was stored with, as often as it takes. What the processor answers to that is not believed either: the dispute is read.

use crate::actions::reconcile_dispute::reconcile_dispute;
use crate::actions::record_dispute::note;
use crate::actions::submit_evidence::{PURPOSES, TEXTS};
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::evidence::{FileKind, Standing};
use billing::ids::{AnomalyId, DisputeId, MerchantId};
use gateway::{CallError, EvidenceUpload, Processor, UploadKind};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::disputes::{self, Dispute};
use store::evidence::{self, Evidence, EvidenceState};

/// The job that says it.
pub const ANSWER_JOB: &str = "answer_dispute";

/// How a dispute stands, as far as answering it goes.
pub(super) fn standing(dispute: &Dispute, said: &[Evidence]) -> Standing {
    Standing {
        state: dispute.state,
        due_at: dispute.due_at,
        is_with_bank: said.iter().any(|said| said.to_bank && said.state != EvidenceState::Refused),
        is_accepting: dispute.accept_asked_at.is_some(),
    }
}

/// Says all that waits to be said. An error says that it could not be told now: come again.
pub async fn answer_dispute(app: &App, merchant: MerchantId, id: DisputeId) -> Result<()> {
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let mut has_spoken = false;
    while let Some((dispute, said)) = next(app, merchant, id).await? {
        send(app, &processor, &dispute, &said).await?;
        has_spoken = true;
    }
    let Some(dispute) = find(app, merchant, id).await? else { return Ok(()) };
    let mut told = Ok(());
    if dispute.accept_asked_at.is_some() && dispute.state.is_open() {
        told = let_be(app, &processor, &dispute).await;
        has_spoken = true;
    }
    if has_spoken {
        reconcile_dispute(app, merchant, &dispute.processor_dispute_id, "our answer").await?;
    }
    told
}

async fn find(app: &App, merchant: MerchantId, id: DisputeId) -> Result<Option<Dispute>> {
    app.store.read(async move |tx: &mut Tx| disputes::find(tx, merchant, id).await).await
}

/// The oldest submission that the processor has not answered.
async fn next(app: &App, merchant: MerchantId, id: DisputeId) -> Result<Option<(Dispute, Evidence)>> {
    app.store
        .read(async move |tx: &mut Tx| {
            let Some(dispute) = disputes::find(tx, merchant, id).await? else { return Ok(None) };
            let said = evidence::next_to_send(tx, merchant, id).await?;
            Ok(said.map(|said| (dispute, said)))
        })
        .await
}

async fn send(app: &App, processor: &Arc<dyn Processor>, dispute: &Dispute, said: &Evidence) -> Result<()> {
    if !dispute.state.is_open() {
        let why = format!("the dispute was {} before this was sent", dispute.state.as_str());
        return end(app, dispute, said, Some(why)).await;
    }
    let files = match hand_over(app, processor, dispute, said).await? {
        Ok(files) => files,
        Err(refusal) => return end(app, dispute, said, Some(refusal)).await,
    };
    let texts: BTreeMap<String, String> = serde_json::from_str(&said.texts)?;
    let texts = texts.into_iter().map(|(word, text)| Ok((kind_of(&TEXTS, &word)?, text)));
    let whole = gateway::Evidence { texts: texts.collect::<Result<_>>()?, files, submit: said.to_bank };
    let name = &dispute.processor_dispute_id;
    match processor.submit_evidence(name, &whole, &said.processor_key).await {
        Ok(_) => end(app, dispute, said, None).await,
        // A call that was answered and whose answer was lost is refused once its key is forgotten, or fails for ever.
        Err(error) if error.may_have_happened() || error.is_definitive() => {
            let there = processor.read_dispute(name).await?;
            if said.to_bank && there.submissions > 0 {
                return end(app, dispute, said, None).await;
            }
            if error.is_definitive() {
                return end(app, dispute, said, Some(error.to_string())).await;
            }
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The processor's names of the files of a submission; the inner error is a refusal.
async fn hand_over(
    app: &App,
    processor: &Arc<dyn Processor>,
    dispute: &Dispute,
    said: &Evidence,
) -> Result<Result<Vec<(gateway::EvidenceFile, String)>, String>> {
    let (merchant, of) = (dispute.merchant, (dispute.id, said.number));
    let files = app.store.read(async move |tx: &mut Tx| evidence::files(tx, merchant, of).await).await?;
    let mut handed_over = Vec::new();
    for file in files {
        let purpose = kind_of(&PURPOSES, &file.purpose)?;
        if let Some(name) = file.processor_file_id {
            handed_over.push((purpose, name));
            continue;
        }
        let word = file.purpose.clone();
        let read = async move |tx: &mut Tx| evidence::content(tx, merchant, of, &word).await;
        let content = app.store.read(read).await?.context("a file is kept until it is handed over")?;
        let upload = EvidenceUpload { kind: upload_kind(&file.kind)?, content };
        let name = match processor.upload_evidence(&upload, &file.processor_key).await {
            Ok(name) => name,
            Err(refusal @ CallError::Refused { .. }) => {
                return Ok(Err(format!("{}: {refusal}", file.purpose)));
            }
            Err(error) => return Err(error.into()),
        };
        let (word, noted) = (file.purpose, name.clone());
        app.store
            .write(async move |tx: &mut Tx| {
                evidence::set_handed_over(tx, merchant, of, (&word, &noted)).await
            })
            .await?;
        handed_over.push((purpose, name));
    }
    Ok(Ok(handed_over))
}

/// What a stored word stands for.
fn kind_of<T: Copy>(table: &[(&str, T)], word: &str) -> Result<T> {
    let found = table.iter().find(|(known, _)| *known == word);
    found.map(|(_, kind)| *kind).with_context(|| format!("{word:?} is no kind of evidence"))
}

fn upload_kind(word: &str) -> Result<UploadKind> {
    Ok(match FileKind::parse(word).with_context(|| format!("{word:?} is no kind of file"))? {
        FileKind::Pdf => UploadKind::Pdf,
        FileKind::Jpeg => UploadKind::Jpeg,
        FileKind::Png => UploadKind::Png,
    })
}

/// Notes what the processor answered. What it did not take is a person's: the time may run out.
async fn end(app: &App, dispute: &Dispute, said: &Evidence, refusal: Option<String>) -> Result<()> {
    let (mint, dispute, number) = (app.mint(), dispute.clone(), said.number);
    app.store
        .write(async move |tx: &mut Tx| {
            let of = (dispute.id, number);
            if !evidence::end(tx, dispute.merchant, of, refusal.as_deref(), mint.now).await? {
                return Ok(());
            }
            let Some(refusal) = &refusal else {
                return note(tx, &mint, &dispute, "dispute.evidence_sent", dispute.state).await;
            };
            note(tx, &mint, &dispute, "dispute.evidence_refused", dispute.state).await?;
            let detail = format!("{}: evidence {number} was not taken: {refusal}", dispute.id);
            let anomaly = Anomaly {
                id: mint.id(AnomalyId::new),
                kind: "evidence_refused".to_owned(),
                payment_id: Some(dispute.payment_id),
                detail,
                at: mint.now,
            };
            anomalies::insert_once(tx, dispute.merchant, &anomaly).await.map(drop)
        })
        .await
}

/// Tells the processor that a dispute is let be. One that refuses is a person's, and may be asked again.
async fn let_be(app: &App, processor: &Arc<dyn Processor>, dispute: &Dispute) -> Result<()> {
    // A key of its own for each wish: a refusal that was true of one need not be true of the next.
    let wished_at = dispute.accept_asked_at.context("somebody wished it")?;
    let key = format!("paydown-accept-{}-{}", dispute.id, wished_at.as_microsecond());
    let refusal = match processor.accept_dispute(&dispute.processor_dispute_id, &key).await {
        Ok(_) => return Ok(()),
        Err(refusal @ CallError::Refused { .. }) => refusal,
        Err(error) => return Err(error.into()),
    };
    let (mint, dispute) = (app.mint(), dispute.clone());
    app.store
        .write(async move |tx: &mut Tx| {
            disputes::drop_accept(tx, dispute.merchant, dispute.id).await?;
            let detail = format!("{}: the processor does not let it be: {refusal}", dispute.id);
            let anomaly = Anomaly {
                id: mint.id(AnomalyId::new),
                kind: "accept_refused".to_owned(),
                payment_id: Some(dispute.payment_id),
                detail,
                at: mint.now,
            };
            anomalies::insert_once(tx, dispute.merchant, &anomaly).await.map(drop)
        })
        .await
}
