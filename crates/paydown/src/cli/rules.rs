//! `paydown policy` and `paydown surcharge`: what payers may pay, and what they pay on top.

use super::world::{At, Exit, stop};
use super::{PartialWord, PolicyCommand, PolicyScope, invoices, offered_methods};
use crate::actions::set_policy::{CannotSetPolicy, SetPolicy, layer_json, set_policy};
use crate::actions::set_surcharge::{CannotSet, SetSurcharge, set_surcharge, surcharge_json};
use anyhow::Result;
use billing::amount::{NumberMarks, Typed, parse_text};
use billing::contact::comparable_email;
use billing::ids::{CustomerId, MerchantId};
use billing::payment::Method;
use billing::policy::{Identify, Minimum, Partial, PolicyLayer};
use billing::surcharge::Surcharge;
use clap::Subcommand;
use ledger::{Currency, Money};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use store::db::{Store, Tx};
use store::policies::{self, Scope};
use store::surcharges::{self, Passed};
use store::{contacts, customers};

pub(super) async fn policy(at: &mut At<'_>, command: PolicyCommand) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let (scope, change) = match command {
        PolicyCommand::Show(scope) => (scope, None),
        PolicyCommand::Set { scope, partial, minimum, identify } => {
            (scope, Some((partial, minimum, identify)))
        }
    };
    let (scope, currency) = scope_of(&store, merchant.id, &scope, merchant.currency).await?;
    let id = merchant.id;
    let layer = match change {
        None => store
            .read(async move |tx: &mut Tx| policies::find(tx, id, scope).await)
            .await?
            .unwrap_or_default(),
        Some((None, None, None)) => {
            return Err(stop(Exit::Usage, "nothing to set; give --partial, --minimum or --identify"));
        }
        Some((partial, minimum, identify)) => {
            let partial = partial.map(|word| match word {
                PartialWord::Always => Partial::Always,
                PartialWord::Never => Partial::Never,
            });
            let minimum = minimum.map(|text| minimum_of(&text, currency)).transpose()?;
            let identify = identify.map(|text| identify_of(&text, currency)).transpose()?;
            let input = SetPolicy { merchant: id, scope, partial, minimum, identify, actor: at.actor() };
            let app = at.app(&config, store)?;
            set_policy(&app, input).await?.map_err(|why| {
                let exit =
                    if matches!(why, CannotSetPolicy::NoSuch(_)) { Exit::NotFound } else { Exit::Usage };
                stop(exit, why.to_string())
            })?
        }
    };
    at.tell(&layer_json(&layer), || layer_text(&layer, scope))?;
    Ok(Exit::Done)
}

/// Whom the rule is for, and the currency of an amount that names none.
async fn scope_of(
    store: &Store,
    merchant: MerchantId,
    scope: &PolicyScope,
    currency: Currency,
) -> Result<(Scope, Currency)> {
    if let Some(text) = &scope.customer {
        return Ok((Scope::Customer(customer_of(store, merchant, text).await?), currency));
    }
    match &scope.invoice {
        Some(number) => {
            let invoice = invoices::find(store, merchant, number).await?;
            Ok((Scope::Invoice(invoice.id), invoice.figures.currency))
        }
        None => Ok((Scope::Merchant, currency)),
    }
}

/// A customer by id, by name or by the address of a contact. Several of them are named, none is guessed.
pub(super) async fn customer_of(store: &Store, merchant: MerchantId, text: &str) -> Result<CustomerId> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let wanted = text.to_owned();
    let mut found = store
        .read(async move |tx: &mut Tx| {
            let named = customers::find_by_name(tx, merchant, &wanted).await?;
            let mut found: Vec<CustomerId> = named.into_iter().map(|customer| customer.id).collect();
            if let Some(key) = comparable_email(&wanted) {
                let people = contacts::find_by_email(tx, merchant, &key).await?;
                found.extend(people.into_iter().map(|contact| contact.customer_id));
            }
            Ok(found)
        })
        .await?;
    found.sort_unstable();
    found.dedup();
    match found[..] {
        [one] => Ok(one),
        [] => Err(stop(
            Exit::NotFound,
            format!(
                "there is no customer {text:?}; give its name, the address of a contact, or the cus_… of `paydown invoice show`"
            ),
        )),
        _ => {
            let ids: Vec<String> = found.iter().map(CustomerId::to_string).collect();
            Err(stop(Exit::Usage, format!("{text:?} is several customers; choose one: {}", ids.join(", "))))
        }
    }
}

/// `25.00`, `25.00 EUR`, `10%` or `none`.
fn minimum_of(text: &str, currency: Currency) -> Result<Minimum> {
    if text == "none" {
        return Ok(Minimum::None);
    }
    let named = text.split_whitespace().find_map(|word| Currency::try_new(word).ok()).unwrap_or(currency);
    match parse_text(text, named, NumberMarks::ENGLISH) {
        Ok(Typed::Minor(minor)) => Ok(Minimum::Amount(Money::new(minor, named))),
        Ok(Typed::Percent(hundredths)) => Ok(Minimum::Percent(hundredths)),
        Err(_) => {
            let message = format!("{text:?} is no minimum; expected: 25.00, \"25.00 EUR\", 10% or none");
            Err(stop(Exit::Usage, message))
        }
    }
}

/// `never`, `always`, `1000.00` or `1000.00 EUR`.
fn identify_of(text: &str, currency: Currency) -> Result<Identify> {
    match text {
        "never" => return Ok(Identify::Never),
        "always" => return Ok(Identify::Always),
        _ => {}
    }
    let named = text.split_whitespace().find_map(|word| Currency::try_new(word).ok()).unwrap_or(currency);
    match parse_text(text, named, NumberMarks::ENGLISH) {
        Ok(Typed::Minor(minor)) if minor >= 0 => Ok(Identify::Above(Money::new(minor, named))),
        _ => {
            let message = format!("{text:?} is none of: never, always, 1000.00, \"1000.00 EUR\"");
            Err(stop(Exit::Usage, message))
        }
    }
}

fn layer_text(layer: &PolicyLayer, scope: Scope) -> String {
    let unset = if scope == Scope::Merchant { "not set" } else { "as above it" };
    let partial = match layer.partial {
        None if scope == Scope::Merchant => "not set: always",
        None => unset,
        Some(Partial::Always) => "always",
        Some(Partial::Never) => "never",
    };
    let minimum = match layer.minimum {
        None => unset.to_owned(),
        Some(Minimum::None) => "none".to_owned(),
        Some(Minimum::Amount(money)) => money.to_string(),
        Some(Minimum::Percent(hundredths)) => {
            format!("{}% of what is left", Decimal::new(hundredths, 2).normalize())
        }
    };
    let identify = match layer.identify {
        None if scope == Scope::Merchant => "not set: never".to_owned(),
        None => unset.to_owned(),
        Some(Identify::Never) => "never".to_owned(),
        Some(Identify::Always) => "always".to_owned(),
        Some(Identify::Above(money)) => format!("for more than {money}"),
    };
    format!("Partial payments  {partial}\nMinimum           {minimum}\nCode by link      {identify}\n")
}

/// `paydown surcharge`.
#[derive(Debug, Subcommand)]
pub(super) enum SurchargeCommand {
    /// Show what is passed on
    Show,
    /// Set it for a currency; without figures nothing is passed on
    Set {
        /// Percent of the amount paid, such as 2.9
        #[arg(long, default_value = "0")]
        percent: String,
        /// Added once, such as 0.30
        #[arg(long, default_value = "0")]
        fixed: String,
        /// Never more than this
        #[arg(long)]
        cap: Option<String>,
        /// For payments in this currency [default: the merchant's]
        #[arg(long, value_name = "CODE")]
        currency: Option<String>,
        /// For payments by this method
        #[arg(long, default_value = "card", value_parser = offered_methods::method)]
        method: Method,
        /// For this customer alone: its name, the address of a contact, or cus_…
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
        /// Take back what was set for the customer: the merchant's holds again
        #[arg(long, requires = "customer", conflicts_with_all = ["percent", "fixed", "cap"])]
        inherit: bool,
    },
}

pub(super) async fn surcharge(at: &mut At<'_>, command: SurchargeCommand) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let id = merchant.id;
    if let SurchargeCommand::Set { percent, fixed, cap, currency, method, customer, inherit } = command {
        let currency = currency.map_or(Ok(merchant.currency), |code| {
            Currency::try_new(&code).map_err(|error| stop(Exit::Usage, error.to_string()))
        })?;
        let surcharge = Surcharge {
            rate_millionths: rate_of(&percent)?,
            fixed_minor: amount_of(&fixed, currency)?,
            cap_minor: cap.map(|cap| amount_of(&cap, currency)).transpose()?,
        };
        let customer = match customer {
            Some(text) => Some(customer_of(&store, id, &text).await?),
            None => None,
        };
        let app = at.app(&config, store.clone())?;
        let surcharge = (!inherit).then_some(surcharge);
        let input = SetSurcharge { merchant: id, customer, method, currency, surcharge, actor: at.actor() };
        set_surcharge(&app, input).await?.map_err(|why| {
            let exit = if why == CannotSet::NoSuchCustomer { Exit::NotFound } else { Exit::Usage };
            stop(exit, why.to_string())
        })?;
    }
    let all = store.read(async move |tx: &mut Tx| surcharges::list(tx, id).await).await?;
    at.tell(&all.iter().map(surcharge_json).collect(), || match all.as_slice() {
        [] => "Nothing is passed on.".to_owned(),
        all => all.iter().map(surcharge_text).collect(),
    })?;
    Ok(Exit::Done)
}

fn surcharge_text(passed: &Passed) -> String {
    let Passed { customer, method, currency, surcharge } = passed;
    let whose = customer.map(|customer| format!("  {customer}")).unwrap_or_default();
    let head = format!("{currency}  {}", method.as_str());
    if (surcharge.rate_millionths, surcharge.fixed_minor) == (0, 0) {
        return format!("{head}  nothing{whose}\n");
    }
    let percent = Decimal::new(surcharge.rate_millionths, 4).normalize();
    let cap = surcharge
        .cap_minor
        .map_or_else(String::new, |cap| format!(", at most {}", Money::new(cap, *currency)));
    format!("{head}  {percent}% + {}{cap}{whose}\n", Money::new(surcharge.fixed_minor, *currency))
}

/// Millionths of a percentage such as `2.9` or `2.9%`.
fn rate_of(text: &str) -> Result<i64> {
    let rate = text.trim_end_matches('%').trim().parse::<Decimal>().ok();
    let rate = rate.and_then(|percent| percent.checked_mul(Decimal::from(10_000)));
    let rate = rate.filter(|rate| rate.fract().is_zero()).and_then(|rate| rate.to_i64());
    rate.ok_or_else(|| stop(Exit::Usage, format!("{text:?} is no percentage of at most four decimals")))
}

pub(super) fn amount_of(text: &str, currency: Currency) -> Result<i64> {
    match parse_text(text, currency, NumberMarks::ENGLISH) {
        Ok(Typed::Minor(minor)) => Ok(minor),
        _ => Err(stop(Exit::Usage, format!("{text:?} is no amount in {currency}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minimums_are_amounts_or_percentages() {
        let minimum = |text: &str| minimum_of(text, Currency::USD).ok();
        assert_eq!(minimum("25.00"), Some(Minimum::Amount(Money::new(2_500, Currency::USD))));
        assert_eq!(minimum("25.00 EUR"), Some(Minimum::Amount(Money::new(2_500, Currency::EUR))));
        assert_eq!(minimum("10%"), Some(Minimum::Percent(1_000)));
        assert_eq!(minimum("none"), Some(Minimum::None));
        for wrong in ["", "ten", "1.2.3", "10.001"] {
            assert_eq!(minimum(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rates_are_exact() {
        assert_eq!(rate_of("2.9").unwrap(), 29_000);
        assert_eq!(rate_of("2.9%").unwrap(), 29_000);
        assert_eq!(rate_of("0").unwrap(), 0);
        for wrong in ["", "x", "2.90001", "1e400"] {
            assert!(rate_of(wrong).is_err(), "{wrong}");
        }
    }
}
