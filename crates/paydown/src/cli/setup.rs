//! `paydown init`, `merchant`, `processor` and `config`: what is done once.

use super::world::{At, Exit, stop, table};
use super::{ConnectCommand, InitArgs, MerchantCommand, NewMerchantArgs};
use super::{ask, merchant_links, methods, offered_methods};
use crate::actions::connect_processor::{CannotConnect, ConnectProcessor, connect_processor};
use crate::actions::create_merchant::{CannotCreate, NewMerchant, create_merchant};
use crate::app::App;
use crate::look::Brand;
use crate::practice;
use anyhow::{Context as _, Result};
use billing::ids::MerchantId;
use deunicode::deunicode;
use gateway::SecretText;
use ledger::Currency;
use serde_json::{Value, json};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use store::db::{Role, Tx, migrate};
use store::merchants;
use store::migrations::MIGRATIONS;

const NO_TERMINAL: &str = "there is no terminal to ask at; give --key-file FILE";

/// A key or a secret is shorter than this.
const MOST_SECRET_BYTES: u64 = 4_096;

pub(super) async fn init(at: &mut At<'_>, args: InitArgs) -> Result<Exit> {
    let config = at.config()?;
    let asks = args.merchant.name.is_none() || args.merchant.help_email.is_none();
    let given = ask::merchant(at, args.merchant, !args.yes)?;
    let new = new_merchant(at, given)?;
    let mut key = args.processor_key_file.as_deref().map(secret_from).transpose()?;
    let mut webhook_secret = args.webhook_secret_file.as_deref().map(secret_from).transpose()?;
    if key.is_none() && asks {
        (key, webhook_secret) = asked_keys(at)?;
    }
    let store = at.open(&config, Role::Command).await?;
    migrate(&store, MIGRATIONS, at.world.clock.now().as_microsecond()).await?;
    let there = store.read(async move |tx: &mut Tx| merchants::all(tx).await).await?;
    if let Some(merchant) = there.first() {
        let message = format!(
            "{} is set up already, for {}; `paydown merchant create` adds another merchant",
            config.data_dir.display(),
            merchant.name
        );
        return Err(stop(Exit::Conflict, message));
    }
    let app = at.app(&config, store)?;
    let (slug, name, correction) = (new.slug.clone(), new.name.clone(), correction(&new));
    let merchant = created(&app, new).await?;
    let processor = match key {
        Some(secret_key) => {
            let input = ConnectProcessor {
                merchant,
                secret_key,
                webhook_secret,
                address: args.processor_address,
                actor: at.actor(),
            };
            connected(&app, input).await?
        }
        None => {
            practice::connect(&app, &config.data_dir, merchant, &at.actor()).await?;
            json!({ "mode": "practice", "webhooks": true })
        }
    };
    let told = json!({ "merchant": merchant.to_string(), "slug": slug, "processor": processor,
        "brand_color_corrected": correction });
    at.tell(&told, || {
        let connect = "  paydown processor connect stripe     takes real money; until then it is practice money\n";
        let next = if processor["mode"] == "practice" { connect } else { "" };
        let correction = correction.map(|told| format!("{told}\n")).unwrap_or_default();
        format!(
            "{correction}{name} is set up in {}. Next:\n{next}  paydown import invoices FILE …       brings your invoices\n  \
             paydown serve                        runs the portal at {}/p/{slug}",
            config.data_dir.display(),
            config.public_url
        )
    })?;
    Ok(Exit::Done)
}

pub(super) async fn merchant(at: &mut At<'_>, command: MerchantCommand) -> Result<Exit> {
    let config = at.config()?;
    let store = at.store(&config).await?;
    match command {
        MerchantCommand::Create(args) => {
            let given = ask::merchant(at, *args, true)?;
            let new = new_merchant(at, given)?;
            let (slug, correction) = (new.slug.clone(), correction(&new));
            let app = at.app(&config, store)?;
            let id = created(&app, new).await?;
            let told =
                json!({ "merchant": id.to_string(), "slug": slug, "brand_color_corrected": correction });
            at.tell(&told, || {
                let correction = correction.map(|told| format!("{told}\n")).unwrap_or_default();
                format!("{correction}Added {slug} ({id}). Next: paydown processor connect stripe --merchant {slug}")
            })?;
        }
        MerchantCommand::Links(command) => return merchant_links::run(at, command).await,
        MerchantCommand::Methods(command) => return offered_methods::run(at, command).await,
        MerchantCommand::CutOff(command) => return methods::cut_off(at, command).await,
        MerchantCommand::List => {
            let all = store.read(async move |tx: &mut Tx| merchants::all(tx).await).await?;
            let json: Vec<Value> = all
                .iter()
                .map(|merchant| json!({ "id": merchant.id.to_string(), "slug": merchant.slug, "name": merchant.name }))
                .collect();
            at.tell(&Value::Array(json), || {
                let rows: Vec<Vec<String>> = all
                    .iter()
                    .map(|merchant| {
                        vec![merchant.slug.clone(), merchant.name.clone(), merchant.id.to_string()]
                    })
                    .collect();
                table(&["SLUG", "NAME", "ID"], &rows)
            })?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn connect(at: &mut At<'_>, command: ConnectCommand) -> Result<Exit> {
    let ConnectCommand::Stripe { key_file, webhook_secret_file, address } = command;
    let (config, store, merchant) = at.merchant().await?;
    let asks = key_file.is_none();
    let secret_key = match key_file {
        Some(path) => secret_from(&path)?,
        None => {
            let asked = ask::secret(at, "Secret key (sk_… or rk_…)", NO_TERMINAL)?;
            asked.ok_or_else(|| stop(Exit::Usage, "no key was typed; nothing was changed"))?
        }
    };
    let webhook_secret = match webhook_secret_file {
        Some(path) => Some(secret_from(&path)?),
        None if asks => ask::secret(at, "Webhook secret (whsec_…), or nothing to keep it", NO_TERMINAL)?,
        None => None,
    };
    let app = at.app(&config, store)?;
    let input =
        ConnectProcessor { merchant: merchant.id, secret_key, webhook_secret, address, actor: at.actor() };
    let told = connected(&app, input).await?;
    let webhook_url = format!("{}/hooks/stripe/{}", config.public_url, merchant.slug);
    at.tell(&told, || {
        let word = |key: &str| told[key].as_str().unwrap_or("?").to_owned();
        let webhooks = if told["webhooks"] == true {
            let old = told["old_webhook_secret_until"].as_str().map_or_else(String::new, |until| {
                format!(" Those signed with the secret before this one are taken until {until}.")
            });
            format!("Webhooks arrive at {webhook_url}.{old}")
        } else {
            let dropped = match told["webhook_secret_dropped"] == true {
                true => "The webhook secret that was kept is of another account and was dropped: webhooks are refused until \
                     the new one is given. ",
                false => "",
            };
            format!(
                "{dropped}Next: add the webhook address {webhook_url} at the processor, then run this command again with \
                 --webhook-secret-file."
            )
        };
        format!("{} is connected to {} ({} mode). {webhooks}", merchant.name, word("account"), word("mode"))
    })?;
    Ok(Exit::Done)
}

pub(super) fn config(at: &mut At<'_>, origin: bool) -> Result<Exit> {
    let config = at.config()?;
    let json: serde_json::Map<String, Value> = config
        .shown()
        .iter()
        .map(|shown| {
            let value = match origin {
                true => json!({ "value": shown.value, "origin": shown.origin.to_string() }),
                false => json!(shown.value),
            };
            (shown.key.to_owned(), value)
        })
        .collect();
    at.tell(&Value::Object(json), || {
        let rows: Vec<Vec<String>> = config
            .shown()
            .iter()
            .map(|shown| vec![shown.key.to_owned(), shown.value.clone(), shown.origin.to_string()])
            .collect();
        let without: Vec<Vec<String>> = rows.iter().map(|row| row[..2].to_vec()).collect();
        if origin {
            table(&["SETTING", "VALUE", "FROM"], &rows)
        } else {
            table(&["SETTING", "VALUE"], &without)
        }
    })?;
    Ok(Exit::Done)
}

/// What became of the colour, if it was changed. One that is none is refused when the merchant is made.
fn correction(new: &NewMerchant) -> Option<String> {
    Brand::from_hex(&new.brand_color).ok()?.corrections()
}

async fn created(app: &App, new: NewMerchant) -> Result<MerchantId> {
    create_merchant(app, new).await?.map_err(|why| {
        let exit = if matches!(why, CannotCreate::SlugTaken(_)) { Exit::Conflict } else { Exit::Usage };
        stop(exit, why.to_string())
    })
}

async fn connected(app: &App, input: ConnectProcessor) -> Result<Value> {
    let connected = connect_processor(app, input).await?.map_err(|why| {
        let exit = match why {
            CannotConnect::Unusable(_) | CannotConnect::NotAWebhookSecret => Exit::Usage,
            CannotConnect::NotAnswered(_) => Exit::Unavailable,
            CannotConnect::OtherMode { .. }
            | CannotConnect::OtherAccount(_)
            | CannotConnect::TakenAccount { .. } => Exit::Refused,
        };
        stop(exit, why.to_string())
    })?;
    Ok(json!({
        "account": connected.account.id,
        "name": connected.account.name,
        "mode": connected.mode.as_str(),
        "charges_enabled": connected.account.charges_enabled,
        "webhooks": connected.webhooks,
        "webhook_secret_dropped": connected.webhook_secret_dropped,
        "old_webhook_secret_until": connected.old_secret_until.map(|until| until.to_string()),
    }))
}

fn new_merchant(at: &At<'_>, args: NewMerchantArgs) -> Result<NewMerchant> {
    let (name, help_email) = (args.name.unwrap_or_default(), args.help_email.unwrap_or_default());
    let code = args.currency.as_deref().unwrap_or("USD");
    let currency = Currency::try_new(code).map_err(|error| stop(Exit::Usage, error.to_string()))?;
    let logo = args.logo.map(|path: PathBuf| {
        fs::read(&path).with_context(|| format!("cannot read the logo {}", path.display()))
    });
    Ok(NewMerchant {
        slug: args.slug.unwrap_or_else(|| slug_of(&name)),
        address: args.address.unwrap_or_default().replace("\\n", "\n"),
        sender: args.sender.unwrap_or_else(|| help_email.clone()),
        help_email,
        help_phone: args.help_phone,
        currency,
        time_zone: args.time_zone.unwrap_or_else(|| "Etc/UTC".to_owned()),
        brand_color: args.brand_color.unwrap_or_else(|| "#1f5eff".to_owned()),
        logo: logo.transpose()?,
        statement_line: args.statement_line.unwrap_or_else(|| statement_line_of(&name)),
        name,
        actor: at.actor(),
    })
}

/// `Northwind IT, Inc.` becomes `northwind-it-inc`.
fn slug_of(name: &str) -> String {
    let words = deunicode(name).to_lowercase();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join("-");
    slug.chars().take(40).collect::<String>().trim_end_matches('-').to_owned()
}

/// What of the name a card statement can show.
fn statement_line_of(name: &str) -> String {
    let line: String =
        deunicode(name).chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').take(22).collect();
    line.trim().to_ascii_uppercase()
}

/// A secret from a file, or from standard input for `-`. Never from a flag, which every user of the machine can read.
fn secret_from(path: &Path) -> Result<SecretText> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_SECRET_BYTES).read_to_string(&mut text)?;
    } else {
        let file = fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.take(MOST_SECRET_BYTES).read_to_string(&mut text)?;
    }
    Ok(SecretText::from(text.trim()))
}

/// The keys of a person at the terminal; none for practice money.
fn asked_keys(at: &mut At<'_>) -> Result<(Option<SecretText>, Option<SecretText>)> {
    let question = "Stripe secret key (sk_… or rk_…), or nothing for practice money";
    let Some(key) = ask::secret(at, question, NO_TERMINAL)? else { return Ok((None, None)) };
    let secret = ask::secret(at, "Webhook secret (whsec_…), or nothing for now", NO_TERMINAL)?;
    Ok((Some(key), secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_statement_lines_come_from_the_name() {
        assert_eq!(slug_of("Northwind IT, Inc."), "northwind-it-inc");
        assert_eq!(slug_of("Müller & Söhne"), "muller-sohne");
        assert_eq!(statement_line_of("Gesellschaft für Außergewöhnliches"), "GESELLSCHAFT FUR AUSSE");
        assert!(!slug_of("株式会社").is_empty(), "a name in other letters has a short name too");
        assert!(slug_of(&"ab ".repeat(40)).len() <= 40);
        assert_eq!(statement_line_of("Northwind IT, Inc."), "NORTHWIND IT INC");
        assert!(statement_line_of("A very long name of a company").len() <= 22);
    }
}
