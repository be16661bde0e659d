//! `paydown key`: keys of programs that use the API. A secret is printed once, when its key is made.

use super::world::{At, Exit, stop, table};
use crate::actions::create_api_key::{NewApiKey, create_api_key, revoke_api_key, set_key_rate};
use crate::api_key::{self, Scope};
use anyhow::Result;
use billing::ids::ApiKeyId;
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::api_keys::{self, ApiKey};
use store::db::Tx;

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key; its secret is printed once
    Create(NewKeyArgs),
    /// List keys, with when each was last used
    List,
    /// Change how many requests a minute a key may make
    Set {
        /// Id of the key, key_…
        id: String,
        /// Most requests a minute; 0: no limit
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(..=6_000_000))]
        rate: u32,
    },
    /// Take a key back; it works no more
    Revoke {
        /// Id of the key, key_…
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct NewKeyArgs {
    /// What the key is for
    #[arg(long)]
    name: String,
    /// What it may do, such as invoices:read; may be repeated [default: everything]
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = scope)]
    scope: Vec<Scope>,
    /// Most requests a minute; 0: no limit
    #[arg(long, value_name = "NUMBER", default_value_t = api_key::USUAL_REQUESTS_PER_MINUTE,
        value_parser = clap::value_parser!(u32).range(..=6_000_000))]
    rate: u32,
    /// It ends by itself after so many days [default: never]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    expires_in_days: Option<u16>,
}

fn scope(word: &str) -> Result<Scope, String> {
    let all = || Scope::ALL.map(Scope::as_str).join(", ");
    Scope::parse(word).ok_or_else(|| format!("expected one of: {}", all()))
}

pub(super) async fn run(at: &mut At<'_>, command: KeyCommand) -> Result<Exit> {
    match command {
        KeyCommand::Create(args) => create(at, args).await,
        KeyCommand::List => list(at).await,
        KeyCommand::Set { id, rate } => set(at, &id, rate).await,
        KeyCommand::Revoke { id } => revoke(at, &id).await,
    }
}

async fn create(at: &mut At<'_>, args: NewKeyArgs) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let app = at.app(&config, store)?;
    let days = args.expires_in_days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
    let new = NewApiKey {
        merchant: merchant.id,
        name: args.name,
        scopes: if args.scope.is_empty() { Scope::ALL.to_vec() } else { args.scope },
        requests_per_minute: args.rate,
        expires_at: days.map(|days| app.clock.now() + days),
        actor: at.actor(),
    };
    let (key, secret) = create_api_key(&app, new).await?.map_err(|why| stop(Exit::Usage, why.to_string()))?;
    let mut json = key_json(&key);
    json["key"] = secret.reveal().into();
    at.tell(&json, || {
        format!(
            "{}\n\nThis is the only time the key is shown. Send it as: Authorization: Bearer …\n{}",
            secret.reveal(),
            key_text(&key)
        )
    })?;
    Ok(Exit::Done)
}

async fn list(at: &mut At<'_>) -> Result<Exit> {
    let (_, store, merchant) = at.merchant().await?;
    let id = merchant.id;
    let now = at.world.clock.now();
    let keys = store.read(async move |tx: &mut Tx| api_keys::list(tx, id).await).await?;
    at.tell(&keys.iter().map(key_json).collect(), || {
        let row = |key: &ApiKey| {
            let state = match (key.revoked_at, key.expires_at) {
                (Some(_), _) => "taken back",
                (None, Some(end)) if end <= now => "ended",
                (None, _) => "in force",
            };
            let used = key.used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
            let name = key.name.clone();
            vec![key.id.to_string(), name, key.shown.clone(), state.to_owned(), used, key.scopes.clone()]
        };
        if keys.is_empty() {
            return "There is no key yet; make one with: paydown key create --name NAME\n".to_owned();
        }
        table(
            &["ID", "NAME", "KEY", "STATE", "LAST USED", "SCOPES"],
            &keys.iter().map(row).collect::<Vec<_>>(),
        )
    })?;
    Ok(Exit::Done)
}

async fn set(at: &mut At<'_>, text: &str, rate: u32) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let id = key_id(text)?;
    let app = at.app(&config, store)?;
    let key = set_key_rate(&app, merchant.id, (id, rate), at.actor()).await?.ok_or_else(|| unknown(text))?;
    at.tell(&key_json(&key), || key_text(&key))?;
    Ok(Exit::Done)
}

async fn revoke(at: &mut At<'_>, text: &str) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let id = key_id(text)?;
    let app = at.app(&config, store)?;
    match revoke_api_key(&app, merchant.id, id, at.actor()).await? {
        None => Err(unknown(text)),
        Some(revoked) => {
            at.tell(&json!({ "id": id.to_string(), "revoked": revoked }), || match revoked {
                true => format!("{id} is taken back; it works no more."),
                false => format!("{id} was taken back before."),
            })?;
            Ok(Exit::Done)
        }
    }
}

fn key_id(text: &str) -> Result<ApiKeyId> {
    text.parse().map_err(|error: billing::ids::WrongId| stop(Exit::Usage, error.to_string()))
}

fn unknown(text: &str) -> anyhow::Error {
    stop(Exit::NotFound, format!("there is no key {text}; `paydown key list` shows them"))
}

fn key_text(key: &ApiKey) -> String {
    let rate = match key.requests_per_minute {
        0 => "no limit".to_owned(),
        rate => format!("{rate} requests a minute"),
    };
    let end = key.expires_at.map_or_else(|| "never".to_owned(), |end| end.to_string());
    format!(
        "Id      {}\nName    {}\nScopes  {}\nRate    {rate}\nEnds    {end}\n",
        key.id, key.name, key.scopes
    )
}

fn key_json(key: &ApiKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "name": key.name,
        "shown": key.shown,
        "scopes": key.scopes.split(' ').collect::<Vec<_>>(),
        "requests_per_minute": key.requests_per_minute,
        "created_at": key.created_at.to_string(),
        "expires_at": key.expires_at.map(|at| at.to_string()),
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
        "used_at": key.used_at.map(|at| at.to_string()),
    })
}
