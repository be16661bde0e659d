//! `paydown anomaly`: what a person has to look at, and the word that somebody did. The records themselves are never
//! changed.

use super::world::{At, Exit, stop, table};
use super::{AnomalyCommand, ListArgs};
use crate::actions::close_anomaly::{CannotClose, CloseAnomaly, close_anomaly};
use anyhow::Result;
use billing::ids::AnomalyId;
use serde_json::{Value, json};
use store::anomalies::{self, Anomaly, Listed};
use store::db::Tx;

pub(super) async fn run(at: &mut At<'_>, command: AnomalyCommand) -> Result<Exit> {
    match command {
        AnomalyCommand::List { all, page } => list(at, all, page).await,
        AnomalyCommand::Show { id } => show(at, &id).await,
        AnomalyCommand::Close { id, note } => close(at, &id, note).await,
    }
}

async fn list(at: &mut At<'_>, all: bool, args: ListArgs) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let after = args.after.map(|text| read_id(&text)).transpose()?;
    let (id, limit) = (merchant.id, i64::from(args.limit));
    let found =
        store.read(async move |tx: &mut Tx| anomalies::page(tx, id, after, (all, limit)).await).await?;
    at.tell(&found.iter().map(listed_json).collect(), || {
        let row = |listed: &Listed| {
            let Anomaly { id, kind, detail, at, .. } = &listed.anomaly;
            let state = if listed.closing.is_some() { "closed" } else { "open" };
            vec![id.to_string(), at.to_string(), state.to_owned(), kind.clone(), detail.clone()]
        };
        if found.is_empty() {
            let nothing = if all { "There is nothing more.\n" } else { "Nothing is open.\n" };
            return nothing.to_owned();
        }
        table(&["ID", "FOUND", "STATE", "KIND", "DETAIL"], &found.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(Exit::Done)
}

async fn show(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let (merchant, id) = (merchant.id, read_id(text)?);
    let found = store.read(async move |tx: &mut Tx| anomalies::find(tx, merchant, id).await).await?;
    let Some(found) = found else { return Err(unknown(text)) };
    at.tell(&listed_json(&found), || listed_text(&found))?;
    Ok(Exit::Done)
}

async fn close(at: &mut At<'_>, text: &str, note: String) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let input = CloseAnomaly { merchant: merchant.id, anomaly: read_id(text)?, note, actor: at.actor() };
    let app = at.app(&config, store)?;
    match close_anomaly(&app, input).await? {
        None => Err(unknown(text)),
        Some(Ok(closed)) => {
            at.tell(&listed_json(&closed), || listed_text(&closed))?;
            Ok(Exit::Done)
        }
        Some(Err(why @ CannotClose::Closed(_))) => Err(stop(Exit::Conflict, format!("{text}: {why}"))),
        Some(Err(why)) => Err(stop(Exit::Refused, why.to_string())),
    }
}

fn read_id(text: &str) -> Result<AnomalyId> {
    text.parse().map_err(|error: billing::ids::WrongId| stop(Exit::Usage, error.to_string()))
}

fn unknown(text: &str) -> anyhow::Error {
    stop(Exit::NotFound, format!("there is no anomaly {text}; `paydown anomaly list --all` shows them"))
}

fn listed_text(listed: &Listed) -> String {
    let Anomaly { id, kind, payment_id, detail, at } = &listed.anomaly;
    let payment = payment_id.map(|payment| format!("Payment  {payment}\n")).unwrap_or_default();
    let state = match &listed.closing {
        None => {
            format!("State    open; `paydown anomaly close {id} --note …` when somebody has seen to it\n")
        }
        Some(closing) => {
            format!("State    closed by {} at {}\nNote     {}\n", closing.actor, closing.at, closing.note)
        }
    };
    format!("Anomaly  {id}\nKind     {kind}\nFound    {at}\n{payment}Detail   {detail}\n{state}")
}

/// Something a person has to look at, as one line.
pub(super) fn anomaly_line(anomaly: &Anomaly) -> String {
    format!("! {}  {}  {}  {}\n", anomaly.at, anomaly.id, anomaly.kind, anomaly.detail)
}

/// The same as JSON.
pub(super) fn anomaly_json(anomaly: &Anomaly) -> Value {
    json!({
        "id": anomaly.id.to_string(),
        "kind": anomaly.kind,
        "payment": anomaly.payment_id.map(|payment| payment.to_string()),
        "detail": anomaly.detail,
        "at": anomaly.at.to_string(),
    })
}

/// The same with its closing; null where it is open.
pub(super) fn listed_json(listed: &Listed) -> Value {
    let mut json = anomaly_json(&listed.anomaly);
    json["closed"] = listed.closing.as_ref().map_or(
        Value::Null,
        |closing| json!({ "by": closing.actor, "at": closing.at.to_string(), "note": closing.note }),
    );
    json
}
