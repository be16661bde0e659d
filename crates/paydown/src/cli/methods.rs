//! `paydown method`, `paydown mandate`, `paydown merchant cut-off`, and what staff do to payments of saved methods.

use super::world::{At, Exit, stop, table};
use crate::actions::end_mandate::{Revoker, end_mandate};
use crate::actions::remove_method::{Remover, remove_method};
use crate::actions::set_cut_off::{parse, set_cut_off, shown};
use crate::mandate_proof::Proof;
use anyhow::{Context as _, Result};
use billing::ids::{CustomerId, MandateId, PaymentId, PaymentMethodId};
use clap::Subcommand;
use serde_json::{Value, json};
use store::db::Tx;
use store::mandates::{self, Mandate};
use store::payment_methods::{self, SavedMethod};
use store::{contacts, cut_offs, merchants};

#[derive(Debug, Subcommand)]
pub(super) enum MethodCommand {
    /// List what the people of a customer saved
    List {
        /// Id of the customer, cus_…
        customer: String,
    },
    /// Remove one: it is charged no more
    Remove {
        /// Id of the saved method, pmt_…
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum MandateCommand {
    /// List them, newest first
    List {
        /// Those of one customer, cus_…
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
        /// Most rows
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// Show the proof of one: the exact text with its hash, who agreed, when and from where
    Show {
        /// Id of the mandate, man_…
        id: String,
    },
    /// End a standing one: nothing is debited on it any more
    End {
        /// Id of the mandate, man_…
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum CutOffCommand {
    /// Show it
    Show,
    /// Set it: 16:00, in the merchant's zone
    Set {
        /// Hours and minutes
        time: String,
    },
}

pub(super) async fn method(at: &mut At<'_>, command: MethodCommand) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let merchant_id = merchant.id;
    match command {
        MethodCommand::List { customer } => {
            let id: CustomerId = customer.parse().map_err(|error| stop(Exit::Usage, format!("{error}")))?;
            let read = async move |tx: &mut Tx| payment_methods::list_of_customer(tx, merchant_id, id).await;
            let found = store.read(read).await?;
            let json = Value::Array(found.iter().map(method_json).collect());
            at.tell(&json, || {
                let row = |saved: &SavedMethod| {
                    let expires = saved.expires.map(|(year, month)| format!("{year}-{month:02}"));
                    vec![
                        saved.method.as_str().to_owned(),
                        saved.name.clone(),
                        saved.last4.clone(),
                        expires.unwrap_or_default(),
                        saved.contact_id.to_string(),
                        saved.id.to_string(),
                    ]
                };
                let rows: Vec<Vec<String>> = found.iter().map(row).collect();
                table(&["KIND", "NAME", "LAST FOUR", "EXPIRES", "WHOSE", "ID"], &rows)
            })?;
        }
        MethodCommand::Remove { id } => {
            let id: PaymentMethodId = id.parse().map_err(|error| stop(Exit::Usage, format!("{error}")))?;
            let app = at.app(&config, store)?;
            let removed = remove_method(&app, merchant_id, id, Remover::Staff(at.actor())).await?;
            let words = || format!("there is no saved method {id}; `paydown method list` shows them");
            let removed = removed.ok_or_else(|| stop(Exit::NotFound, words()))?;
            tell_ended(at, "removed", &id.to_string(), (&removed.stopped, &removed.pending))?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn mandate(at: &mut At<'_>, command: MandateCommand) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let merchant_id = merchant.id;
    match command {
        MandateCommand::List { customer, limit } => {
            let of: Option<CustomerId> = customer
                .map(|text| text.parse())
                .transpose()
                .map_err(|error: billing::ids::WrongId| stop(Exit::Usage, error.to_string()))?;
            let limit = i64::from(limit);
            let read = async move |tx: &mut Tx| mandates::newest(tx, merchant_id, of, None, limit).await;
            let found = store.read(read).await?;
            let row = |mandate: &Mandate| {
                vec![
                    mandate.offered_at.to_string(),
                    mandate.rule.as_str().to_owned(),
                    mandate.account.last4.clone().unwrap_or_default(),
                    if mandate.ended.is_some() { "ended" } else { "holds" }.to_owned(),
                    mandate.id.to_string(),
                ]
            };
            let json = found.iter().map(|mandate| {
                json!({
                    "id": mandate.id.to_string(),
                    "rule": mandate.rule.as_str(),
                    "last4": mandate.account.last4,
                    "agreed_at": mandate.offered_at.to_string(),
                    "ended_at": mandate.ended.as_ref().map(|ended| ended.at.to_string()),
                })
            });
            let json = Value::Array(json.collect());
            at.tell(&json, || {
                let rows: Vec<Vec<String>> = found.iter().map(row).collect();
                table(&["AGREED", "RULE", "LAST FOUR", "STATE", "ID"], &rows)
            })?;
        }
        MandateCommand::Show { id } => {
            let id: MandateId = id.parse().map_err(|error| stop(Exit::Usage, format!("{error}")))?;
            let found = store.read(async move |tx: &mut Tx| {
                let Some(mandate) = mandates::find_by_id(tx, merchant_id, id).await? else { return Ok(None) };
                let person = match mandate.contact_id {
                    Some(id) => contacts::find(tx, merchant_id, id).await?,
                    None => None,
                };
                let merchant = merchants::find(tx, merchant_id).await?.context("it has a merchant")?;
                Ok(Some(Proof::of(&mandate, person.as_ref(), &merchant)))
            });
            let words = || format!("there is no mandate {id}; `paydown mandate list` shows them");
            let proof = found.await?.ok_or_else(|| stop(Exit::NotFound, words()))?;
            at.tell(&proof_json(&proof), || proof_text(&proof))?;
        }
        MandateCommand::End { id } => {
            let id: MandateId = id.parse().map_err(|error| stop(Exit::Usage, format!("{error}")))?;
            let app = at.app(&config, store)?;
            let ended = end_mandate(&app, merchant_id, id, Revoker::Staff(at.actor())).await?;
            let ended = ended.map_err(|why| stop(Exit::Refused, why.to_string()))?;
            tell_ended(at, "ended", &id.to_string(), (&ended.stopped, &ended.pending))?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn cut_off(at: &mut At<'_>, command: CutOffCommand) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let id = merchant.id;
    let minutes = match command {
        CutOffCommand::Show => store.read(async move |tx: &mut Tx| cut_offs::find(tx, id).await).await?,
        CutOffCommand::Set { time } => {
            let parsed = parse(&time)
                .ok_or_else(|| stop(Exit::Usage, format!("{time:?} is no time of day such as 16:00")))?;
            let app = at.app(&config, store)?;
            set_cut_off(&app, id, parsed, at.actor()).await?;
            i64::from(parsed.hour()) * 60 + i64::from(parsed.minute())
        }
    };
    let time = shown(minutes);
    at.tell(&json!({ "time": time, "zone": merchant.time_zone }), || {
        format!(
            "Debits of saved accounts are held until {time} ({}); until then their payer can stop them",
            merchant.time_zone
        )
    })?;
    Ok(Exit::Done)
}

fn tell_ended(
    at: &mut At<'_>,
    what: &str,
    id: &str,
    (stopped, pending): (&[PaymentId], &[PaymentId]),
) -> Result<()> {
    let ids = |list: &[PaymentId]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (stopped, pending) = (ids(stopped), ids(pending));
    let json = json!({ "id": id, what: true, "stopped": stopped, "pending": pending });
    at.tell(&json, || {
        let mut text = format!("{id} is {what}");
        for payment in &stopped {
            text.push_str(&format!("\nStopped before it was sent: {payment}"));
        }
        for payment in &pending {
            text.push_str(&format!("\nOn its way, and not stopped: {payment}"));
        }
        text
    })
}

fn method_json(saved: &SavedMethod) -> Value {
    json!({
        "id": saved.id.to_string(),
        "contact": saved.contact_id.to_string(),
        "kind": saved.method.as_str(),
        "name": saved.name,
        "last4": saved.last4,
        "expires": saved.expires.map(|(year, month)| format!("{year}-{month:02}")),
        "mandate": saved.mandate_id.map(|id| id.to_string()),
        "default": saved.default_since.is_some(),
        "created_at": saved.created_at.to_string(),
    })
}

fn proof_json(proof: &Proof) -> Value {
    json!({
        "id": proof.id,
        "merchant": proof.merchant,
        "rule": proof.rule,
        "amount": proof.amount,
        "wording": proof.wording,
        "wording_sha256": proof.wording_hash,
        "intact": proof.is_intact,
        "bank_name": proof.bank_name,
        "last4": proof.last4,
        "holder": proof.holder,
        "name": proof.name,
        "email": proof.email,
        "identified": proof.identified,
        "client": proof.client,
        "user_agent": proof.user_agent,
        "agreed_at": proof.agreed_at.to_string(),
        "accepted_at": proof.accepted_at.map(|at| at.to_string()),
        "given_for": proof.given_for,
        "processor_mandate": proof.processor_mandate_id,
        "revoke": proof.revoke,
        "ended_at": proof.ended.as_ref().map(|(at, ..)| at.to_string()),
        "ended_why": proof.ended.as_ref().map(|(_, why, _)| why),
    })
}

/// The proof as it is printed: one fact a line, the text last.
fn proof_text(proof: &Proof) -> String {
    let instant = |at: &jiff::Timestamp| at.to_string();
    let rows = [
        ("Mandate", Some(proof.id.clone())),
        ("May debit", Some(proof.merchant.clone())),
        ("How often", Some(proof.rule.to_owned())),
        ("Amount", proof.amount.clone()),
        ("Bank", proof.bank_name.clone()),
        ("Account ends", proof.last4.clone()),
        ("Holder", proof.holder.clone()),
        ("Can be undone", proof.unauthorized_window.map(str::to_owned)),
        ("Agreed by", proof.name.clone()),
        ("E-mail", proof.email.clone()),
        ("Identified", Some(proof.identified.to_owned())),
        ("Agreed at", Some(instant(&proof.agreed_at))),
        ("Bank page", proof.accepted_at.as_ref().map(instant)),
        ("Address", proof.client.clone()),
        ("Browser", proof.user_agent.clone()),
        ("Given for", Some(proof.given_for.clone())),
        ("Revoked", Some(proof.revoke.clone())),
        ("Ended", proof.ended.as_ref().map(|(at, why, _)| format!("{at}: {why}"))),
        ("SHA-256", Some(proof.wording_hash.clone())),
        (
            "Text",
            Some(if proof.is_intact { "as it was agreed to" } else { "NOT the one of this hash" }.to_owned()),
        ),
    ];
    let mut text = String::new();
    for (label, value) in rows.into_iter().filter_map(|(label, value)| Some((label, value?))) {
        text.push_str(&format!("{label:<14}{value}\n"));
    }
    format!("{text}\n{}", proof.wording)
}
