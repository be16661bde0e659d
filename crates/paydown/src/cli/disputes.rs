//! `paydown dispute`: card payments that are contested, what is said against them, and what a loss means. What is said is told to
//! the processor before the command ends, if it answers; else the running server goes on.

use super::ListArgs;
use super::world::{At, Exit, stop, table};
use crate::actions::accept_dispute::{AcceptDispute, CannotAccept, accept_dispute};
use crate::actions::answer_dispute::answer_dispute;
use crate::actions::dispute_words::reason_words;
use crate::actions::once::Ran;
use crate::actions::set_when_lost::{CannotChoose, SetWhenLost, set_when_lost};
use crate::actions::submit_evidence::{
    CannotSubmit, NewFile, PURPOSES, SubmitEvidence, Submitted, TEXTS, submit_evidence, told,
};
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::dispute::{DisputeState, LossMeaning};
use billing::ids::{DisputeId, MerchantId};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use store::db::{Store, Tx};
use store::disputes::{self, Dispute, Of};

/// What is done about disputes.
#[derive(Debug, Subcommand)]
pub(super) enum DisputeCommand {
    /// List disputes, newest first
    List {
        /// Those alone that stand so: inquiry, needs_response, under_review, won, lost, accepted
        #[arg(long, value_name = "STATE", value_parser = state)]
        state: Option<DisputeState>,
        #[command(flatten)]
        page: ListArgs,
    },
    /// Show a dispute with its history and what was said against it
    Show {
        /// Id of the dispute, dsp_…
        id: String,
    },
    /// Hand in evidence; the bank takes it once
    Evidence(EvidenceArgs),
    /// Let a dispute be: the payer gets the money
    Accept {
        /// Id of the dispute, dsp_…
        id: String,
    },
    /// Say what a lost dispute means; without an id, for all that say nothing else
    Set {
        /// Id of the dispute, dsp_…
        id: Option<String>,
        /// owed_again: the invoice is owed again; absorbed: you bear it [default: show what is set, or for one dispute what is usual]
        #[arg(long, value_name = "MEANING", value_parser = meaning)]
        when_lost: Option<LossMeaning>,
    },
}

/// What is handed in.
#[derive(Debug, Args)]
pub(super) struct EvidenceArgs {
    /// Id of the dispute, dsp_…
    id: String,
    /// A text, as in "other=Dana signed for it"; may be repeated
    #[arg(long, value_name = "KIND=TEXT", value_parser = text)]
    text: Vec<(String, String)>,
    /// A PDF, JPEG or PNG of at most 4 MiB, as in receipt=receipt.pdf; may be repeated
    #[arg(long, value_name = "PURPOSE=FILE", value_parser = file)]
    file: Vec<(String, PathBuf)>,
    /// Keep it ready at the processor, and do not send it to the bank yet
    #[arg(long)]
    keep: bool,
}

pub(super) async fn run(at: &mut At<'_>, command: DisputeCommand) -> Result<Exit> {
    match command {
        DisputeCommand::List { state, page } => list(at, state, page).await,
        DisputeCommand::Show { id } => show(at, &id).await,
        DisputeCommand::Evidence(args) => evidence(at, args).await,
        DisputeCommand::Accept { id } => accept(at, &id).await,
        DisputeCommand::Set { id, when_lost } => set(at, id.as_deref(), when_lost).await,
    }
}

async fn list(at: &mut At<'_>, state: Option<DisputeState>, args: ListArgs) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let before = args.after.map(|text| read_id(&text)).transpose()?;
    let (id, limit) = (merchant.id, i64::from(args.limit));
    let of = state.map_or(Of::Merchant, Of::State);
    let found =
        store.read(async move |tx: &mut Tx| disputes::newest(tx, id, of, before, limit).await).await?;
    at.tell(&found.iter().map(dispute_json).collect(), || {
        if found.is_empty() {
            return "There are no disputes.\n".to_owned();
        }
        let row = |dispute: &Dispute| {
            let due = dispute.due_at.filter(|_| dispute.state.is_open());
            vec![
                dispute.id.to_string(),
                dispute.state.as_str().to_owned(),
                due.map_or_else(|| "-".to_owned(), |at| at.to_string()),
                dispute.amount.to_string(),
                reason_words(&dispute.reason),
            ]
        };
        table(
            &["ID", "STATE", "ANSWER BEFORE", "AMOUNT>", "REASON"],
            &found.iter().map(row).collect::<Vec<_>>(),
        )
    })?;
    Ok(Exit::Done)
}

async fn show(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    tell(at, &store, merchant.id, read_id(text)?).await
}

async fn evidence(at: &mut At<'_>, args: EvidenceArgs) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let input = SubmitEvidence {
        merchant: merchant.id,
        dispute: read_id(&args.id)?,
        texts: args.text,
        files: args.file.iter().map(|(purpose, path)| read_file(purpose, path)).collect::<Result<_>>()?,
        to_bank: !args.keep,
        actor: at.actor(),
    };
    let (app, dispute) = (at.app(&config, store.clone())?, input.dispute);
    match submit_evidence(&app, input, None).await? {
        Ran::Refused(CannotSubmit::NoSuchDispute) => return Err(unknown(&args.id)),
        Ran::Refused(why @ CannotSubmit::NotNow(_)) => return Err(stop(Exit::Conflict, why.to_string())),
        Ran::Refused(why) => return Err(stop(Exit::Refused, why.to_string())),
        Ran::New(_) | Ran::Repeated(_) | Ran::OtherRequest => {}
    }
    say(&app, merchant.id, dispute).await;
    tell(at, &store, merchant.id, dispute).await
}

async fn accept(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let dispute = read_id(text)?;
    let app = at.app(&config, store.clone())?;
    let input = AcceptDispute { merchant: merchant.id, dispute, actor: at.actor() };
    match accept_dispute(&app, input, None).await? {
        Ran::Refused(CannotAccept::NoSuchDispute) => return Err(unknown(text)),
        Ran::Refused(why @ CannotAccept::NotNow(_)) => return Err(stop(Exit::Conflict, why.to_string())),
        Ran::New(_) | Ran::Repeated(_) | Ran::OtherRequest => {}
    }
    say(&app, merchant.id, dispute).await;
    tell(at, &store, merchant.id, dispute).await
}

/// What is stored is told to the processor at once, if it can be; the job that waits goes on with it otherwise.
async fn say(app: &App, merchant: MerchantId, dispute: DisputeId) {
    if let Err(error) = answer_dispute(app, merchant, dispute).await {
        tracing::warn!(%dispute, error = format!("{error:#}"), "the processor could not be told yet");
    }
}

async fn set(at: &mut At<'_>, id: Option<&str>, when_lost: Option<LossMeaning>) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let dispute = id.map(read_id).transpose()?;
    if dispute.is_none() && when_lost.is_none() {
        let usual = {
            let id = merchant.id;
            store.read(async move |tx: &mut Tx| disputes::when_lost(tx, id).await).await?
        };
        at.tell(&json!({ "when_lost": usual.as_str() }), || format!("A lost dispute is: {}", words(usual)))?;
        return Ok(Exit::Done);
    }
    let app = at.app(&config, store)?;
    let input = SetWhenLost { merchant: merchant.id, dispute, when_lost, actor: at.actor() };
    match set_when_lost(&app, input).await? {
        Ok(meaning) => {
            at.tell(&json!({ "when_lost": meaning.as_str() }), || {
                format!("A lost dispute is: {}", words(meaning))
            })?;
            Ok(Exit::Done)
        }
        Err(CannotChoose::NoSuchDispute) => Err(unknown(id.unwrap_or_default())),
        Err(why @ CannotChoose::Ended(_)) => Err(stop(Exit::Conflict, why.to_string())),
    }
}

async fn tell(at: &mut At<'_>, store: &Store, merchant: MerchantId, id: DisputeId) -> Result<Exit> {
    let found = store
        .read(async move |tx: &mut Tx| {
            let Some(dispute) = disputes::find(tx, merchant, id).await? else { return Ok(None) };
            let history = disputes::history(tx, merchant, id).await?;
            Ok(Some((Submitted { evidence: told(tx, merchant, id).await?, dispute }, history)))
        })
        .await?;
    let Some((Submitted { dispute, evidence }, history)) = found else {
        return Err(unknown(&id.to_string()));
    };
    let mut json = dispute_json(&dispute);
    json["evidence"] = evidence
        .iter()
        .map(|(said, files)| {
            let files: Vec<Value> = files
                .iter()
                .map(|file| json!({ "purpose": file.purpose, "kind": file.kind, "name": file.name, "size": file.size }))
                .collect();
            json!({
                "number": said.number, "status": said.state.as_str(), "submit": said.to_bank,
                "texts": serde_json::from_str::<Value>(&said.texts).unwrap_or_default(), "files": files,
                "refusal": said.refusal,
            })
        })
        .collect();
    json["history"] = history
        .iter()
        .map(|step| json!({ "state": step.state.as_str(), "reason": step.reason, "at": step.at.to_string() }))
        .collect();
    at.tell(&json, || {
        let mut text = format!(
            "Dispute  {}\nPayment  {}\nState    {}\nAmount   {}\nReason   {}\n",
            dispute.id,
            dispute.payment_id,
            dispute.state.as_str(),
            dispute.amount,
            reason_words(&dispute.reason),
        );
        for (name, line) in [
            ("Fee      ", dispute.fee.map(|fee| fee.to_string())),
            ("Answer before ", dispute.due_at.filter(|_| dispute.state.is_open()).map(|at| at.to_string())),
            ("Accepted ", dispute.accept_asked_at.map(|at| at.to_string())),
            ("Lost as  ", dispute.lost_as.map(|meaning| words(meaning).to_owned())),
        ] {
            if let Some(line) = line {
                text.push_str(&format!("{name}{line}\n"));
            }
        }
        for step in &history {
            text.push_str(&format!("  {}  {}  {}\n", step.at, step.state.as_str(), step.reason));
        }
        for (said, files) in &evidence {
            let refusal = said.refusal.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            let state = said.state.as_str();
            text.push_str(&format!("Evidence {}  {state}{refusal}, {} files\n", said.number, files.len()));
        }
        text
    })?;
    Ok(Exit::Done)
}

fn read_file(purpose: &str, path: &Path) -> Result<NewFile> {
    let content = std::fs::read(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(|error| stop(Exit::NotFound, format!("{error:#}")))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(NewFile { purpose: purpose.to_owned(), name, content })
}

fn read_id(text: &str) -> Result<DisputeId> {
    text.parse().map_err(|error: billing::ids::WrongId| stop(Exit::Usage, error.to_string()))
}

fn unknown(text: &str) -> anyhow::Error {
    stop(Exit::NotFound, format!("there is no dispute {text}; `paydown dispute list` shows them"))
}

const fn words(meaning: LossMeaning) -> &'static str {
    match meaning {
        LossMeaning::OwedAgain => "owed again (owed_again)",
        LossMeaning::Absorbed => "borne by the merchant (absorbed)",
    }
}

fn dispute_json(dispute: &Dispute) -> Value {
    json!({
        "id": dispute.id.to_string(),
        "payment": dispute.payment_id.to_string(),
        "processor_dispute": dispute.processor_dispute_id,
        "status": dispute.state.as_str(),
        "currency": dispute.amount.currency().code(),
        "amount": dispute.amount.minor(),
        "fee": dispute.fee.map(|fee| fee.minor()),
        "reason": dispute.reason,
        "network_code": dispute.network_code,
        "due_at": dispute.due_at.map(|at| at.to_string()),
        "when_lost": dispute.when_lost.map(LossMeaning::as_str),
        "lost_as": dispute.lost_as.map(LossMeaning::as_str),
        "accept_asked_at": dispute.accept_asked_at.map(|at| at.to_string()),
        "opened_at": dispute.opened_at.to_string(),
    })
}

/// A text of a kind, as it is typed: `KIND=TEXT`.
pub(super) fn text(typed: &str) -> Result<(String, String), String> {
    let known = || TEXTS.map(|(word, _)| word).join(", ");
    let (kind, text) = typed.split_once('=').ok_or("expected KIND=TEXT")?;
    if !TEXTS.iter().any(|(word, _)| *word == kind) {
        return Err(format!("{kind:?} is no kind of text; expected one of: {}", known()));
    }
    Ok((kind.to_owned(), text.to_owned()))
}

/// A file for a purpose, as it is typed: `PURPOSE=PATH`.
pub(super) fn file(typed: &str) -> Result<(String, PathBuf), String> {
    let known = || PURPOSES.map(|(word, _)| word).join(", ");
    let (purpose, path) = typed.split_once('=').ok_or("expected PURPOSE=PATH")?;
    if !PURPOSES.iter().any(|(word, _)| *word == purpose) {
        return Err(format!("{purpose:?} is no purpose of a file; expected one of: {}", known()));
    }
    Ok((purpose.to_owned(), path.into()))
}

/// A state, as it is typed.
pub(super) fn state(typed: &str) -> Result<DisputeState, String> {
    let known = || DisputeState::ALL.map(DisputeState::as_str).join(", ");
    DisputeState::parse(typed).ok_or_else(|| format!("expected one of: {}", known()))
}

/// What a loss means, as it is typed.
pub(super) fn meaning(typed: &str) -> Result<LossMeaning, String> {
    LossMeaning::parse(typed).ok_or_else(|| "expected owed_again or absorbed".to_owned())
}
