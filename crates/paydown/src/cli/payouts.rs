//! `paydown payout`: what the processor transferred to the bank, or took from it, and what each payout is made of.

use super::ListArgs;
use super::world::{At, Exit, stop, table};
use anyhow::Result;
use billing::ids::{PaymentId, PayoutId};
use clap::Subcommand;
use serde_json::{Value, json};
use store::db::Tx;
use store::payouts::items::{self, Item};
use store::payouts::{self, Payout};

/// `paydown payout`.
#[derive(Debug, Subcommand)]
pub(super) enum PayoutCommand {
    /// List payouts in the order in which they were learned of
    List(ListArgs),
    /// Show a payout with what it is made of
    Show {
        /// Id of the payout, pyt_…
        id: String,
    },
}

pub(super) async fn run(at: &mut At<'_>, command: PayoutCommand) -> Result<Exit> {
    match command {
        PayoutCommand::List(args) => list(at, args).await,
        PayoutCommand::Show { id } => show(at, &id).await,
    }
}

async fn list(at: &mut At<'_>, args: ListArgs) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let after = args.after.map(|text| read_id(&text)).transpose()?;
    let (id, limit) = (merchant.id, i64::from(args.limit));
    let found = store.read(async move |tx: &mut Tx| payouts::list(tx, id, after, limit).await).await?;
    at.tell(&found.iter().map(payout_json).collect(), || {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|payout| {
                vec![
                    day(payout),
                    payout.state.as_str().to_owned(),
                    reconciled(payout).to_owned(),
                    payout.amount.to_string(),
                    payout.id.to_string(),
                ]
            })
            .collect();
        table(&["ARRIVES", "STATE", "RECONCILED", "AMOUNT>", "ID"], &rows)
    })?;
    Ok(Exit::Done)
}

async fn show(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let (merchant, id) = (merchant.id, read_id(text)?);
    let (found, items, history) = store
        .read(async move |tx: &mut Tx| {
            let payout = payouts::find(tx, merchant, id).await?;
            let items = items::list(tx, merchant, id).await?;
            Ok((payout, items, payouts::history(tx, merchant, id).await?))
        })
        .await?;
    let Some(payout) = found else {
        let message = format!("there is no payout {text}; `paydown payout list` shows them");
        return Err(stop(Exit::NotFound, message));
    };
    let mut json = payout_json(&payout);
    json["items"] = items.iter().map(item_json).collect();
    json["history"] = history
        .iter()
        .map(|step| json!({ "state": step.state.as_str(), "reason": step.reason, "at": step.at.to_string() }))
        .collect();
    at.tell(&json, || {
        let mut text = head(&payout);
        for step in &history {
            text.push_str(&format!("  {}  {}  {}\n", step.at, step.state.as_str(), step.reason));
        }
        if !items.is_empty() {
            let rows: Vec<Vec<String>> = items.iter().map(row).collect();
            text.push('\n');
            text.push_str(&table(&["BELONGS TO", "KIND", "AMOUNT>", "FEE>", "NET>", "LINE"], &rows));
        }
        text
    })?;
    Ok(Exit::Done)
}

fn head(payout: &Payout) -> String {
    let mut text = format!(
        "Payout      {}\nProcessor   {}\nState       {}\nAmount      {}\nArrives     {}\nReconciled  {}\n",
        payout.id,
        payout.processor_payout_id,
        payout.state.as_str(),
        payout.amount,
        day(payout),
        reconciled(payout),
    );
    if payout.balance != payout.amount {
        text.push_str(&format!("Left books  {}\n", payout.balance));
    }
    if let Some(why) = &payout.unreconciled_because {
        text.push_str(&format!("Because     {why}\n"));
    }
    if let Some(code) = &payout.failure_code {
        let words = payout.failure_message.as_deref().unwrap_or_default();
        text.push_str(&format!("Failed      {code}  {words}\n"));
    }
    text
}

fn row(item: &Item) -> Vec<String> {
    let known = item.known.as_ref();
    let to = known.map_or("nothing in the books".to_owned(), |known| {
        format!("{} {}", known.about.as_str(), known.subject.as_deref().unwrap_or_default())
            .trim_end()
            .to_owned()
    });
    let fee = ledger::Money::new(item.fee_minor, item.amount.currency());
    let (amount, net) = (item.amount.to_string(), item.net().to_string());
    vec![to, item.kind.clone(), amount, fee.to_string(), net, item.line_id.clone()]
}

fn day(payout: &Payout) -> String {
    payout.arrives_at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

const fn reconciled(payout: &Payout) -> &'static str {
    match (payout.is_automatic, payout.reconciled_at.is_some()) {
        (false, _) => "lists no items",
        (true, true) => "yes",
        (true, false) => "no",
    }
}

fn read_id(text: &str) -> Result<PayoutId> {
    text.parse().map_err(|error: billing::ids::WrongId| stop(Exit::Usage, error.to_string()))
}

fn payout_json(payout: &Payout) -> Value {
    json!({
        "id": payout.id.to_string(),
        "processor_payout": payout.processor_payout_id,
        "state": payout.state.as_str(),
        "currency": payout.amount.currency().code(),
        "amount": payout.amount.minor(),
        "balance_currency": payout.balance.currency().code(),
        "balance_amount": payout.balance.minor(),
        "automatic": payout.is_automatic,
        "reconciled_at": payout.reconciled_at.map(|at| at.to_string()),
        "unreconciled_because": payout.unreconciled_because,
        "arrives_on": day(payout),
        "statement": payout.statement,
        "failure_code": payout.failure_code,
        "failure_message": payout.failure_message,
        "created_at": payout.made_at.to_string(),
    })
}

fn item_json(item: &Item) -> Value {
    let known = item.known.as_ref();
    json!({
        "line": item.line_id,
        "kind": item.kind,
        "currency": item.amount.currency().code(),
        "amount": item.amount.minor(),
        "fee": item.fee_minor,
        "net": item.net().minor(),
        "about": known.map(|known| known.about.as_str()),
        "subject": known.and_then(|known| known.subject.as_deref()),
        "payment": known.and_then(|known| known.payment_id.as_ref()).map(PaymentId::to_string),
        "source": item.source_id,
        "created_at": item.made_at.to_string(),
    })
}
