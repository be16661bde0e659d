//! `/v1/surcharges`: what is passed on of what a payment costs, per method and currency, to everybody or to one customer.

use super::answers::{CannotPass, Common};
use super::caller::{May, SurchargesRead, SurchargesWrite};
use super::extract::Body;
use super::fields::{self, AmountFromZero, CurrencyCode, Millionths};
use super::problem::{Code, Problem};
use crate::actions::set_surcharge::{CannotSet, SetSurcharge, set_surcharge};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use billing::payment::Method as By;
use billing::surcharge::Surcharge as Stored;
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::surcharges::{self, Passed};
use utoipa::ToSchema;

/// By what means a payer pays.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By card.
    Card,
    /// A debit of an account in the United States.
    UsBankAccount,
    /// A debit of an account in the single euro payments area.
    SepaDebit,
}

/// What is passed on: percent of the amount paid, plus a fixed sum, up to a cap. Off where all is 0.
#[derive(Debug, Serialize, ToSchema)]
pub struct Surcharge {
    /// Id of the customer to whom it is passed on; null for every customer who has none of their own.
    customer: Option<String>,
    /// For payments by this method.
    method: Way,
    /// In this currency. ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// Millionths of the amount paid: 29000 is 2.9 %.
    #[schema(example = 29_000)]
    rate_millionths: i64,
    /// Added once, minor units.
    #[schema(example = 30)]
    fixed: i64,
    /// Never more than this, minor units; null: no cap.
    #[schema(example = 1_000)]
    cap: Option<i64>,
}

/// All that was set.
#[derive(Debug, Serialize, ToSchema)]
pub struct Surcharges {
    /// The merchant's first, then by customer, method and currency.
    pub data: Vec<Surcharge>,
}

/// A surcharge to set.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "method": "card", "currency": "usd", "rate_millionths": 29000, "fixed": 30, "cap": 1000 }))]
pub struct NewSurcharge {
    /// To whom it is passed on; without it, to every customer who has none of their own.
    #[schema(inline)]
    customer: Option<fields::CustomerId>,
    /// For payments by this method.
    #[schema(inline)]
    method: Way,
    /// In this currency. ISO 4217.
    #[schema(inline)]
    currency: CurrencyCode,
    /// Millionths of the amount paid: 29000 is 2.9 %. Without it 0.
    #[schema(inline)]
    rate_millionths: Option<Millionths>,
    /// Added once, minor units. Without it 0.
    #[schema(inline)]
    fixed: Option<AmountFromZero>,
    /// Never more than this, minor units; without it there is no cap.
    #[schema(inline)]
    cap: Option<AmountFromZero>,
    /// True takes back what was set for the customer: the merchant's holds again, and the figures are not looked at.
    #[serde(default)]
    inherit: bool,
}

impl Way {
    const fn by(self) -> By {
        match self {
            Way::Card => By::Card,
            Way::UsBankAccount => By::UsBankAccount,
            Way::SepaDebit => By::SepaDebit,
        }
    }
}

impl Surcharge {
    fn of(passed: &Passed) -> Surcharge {
        let Stored { rate_millionths, fixed_minor, cap_minor } = passed.surcharge;
        Surcharge {
            customer: passed.customer.map(|customer| customer.to_string()),
            method: match passed.method {
                By::UsBankAccount => Way::UsBankAccount,
                By::SepaDebit => Way::SepaDebit,
                _ => Way::Card,
            },
            currency: passed.currency.code().to_ascii_lowercase(),
            rate_millionths,
            fixed: fixed_minor,
            cap: cap_minor,
        }
    }
}

/// List what is passed on
///
/// Everything that was set; without a row nothing is passed on. A customer's own takes the place of the merchant's for its method and
/// currency.
#[utoipa::path(
    get, path = "/v1/surcharges", tag = "Surcharges", operation_id = "listSurcharges",
    responses((status = 200, description = "All of them", body = Surcharges), Common),
    security(("key" = ["surcharges:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<SurchargesRead>,
) -> Result<Json<Surcharges>, Problem> {
    let merchant = caller.merchant;
    let all = app.store.read(async move |tx: &mut Tx| surcharges::list(tx, merchant).await).await?;
    Ok(Json(Surcharges { data: all.iter().map(Surcharge::of).collect() }))
}

/// Set what is passed on
///
/// From now on; payments that have been started keep theirs, and whoever has the page open is told both figures first. Whether you may
/// pass a fee on depends on the law and on the rules of the card networks.
#[utoipa::path(
    put, path = "/v1/surcharges", tag = "Surcharges", operation_id = "setSurcharge", request_body = NewSurcharge,
    responses((status = 200, description = "In force", body = Surcharge), Common, CannotPass),
    security(("key" = ["surcharges:write"]))
)]
pub async fn set(
    State(app): State<App>,
    May(caller, _): May<SurchargesWrite>,
    Body(new): Body<NewSurcharge>,
) -> Result<Json<Surcharge>, Problem> {
    if new.inherit && new.customer.is_none() {
        let detail = "Only what was set for a customer can be taken back; set the merchant's to 0 instead.";
        return Err(Problem::new(Code::InvalidRequest, detail).at("customer"));
    }
    let surcharge = Stored {
        rate_millionths: new.rate_millionths.map_or(0, |rate| rate.0),
        fixed_minor: new.fixed.map_or(0, |fixed| fixed.0),
        cap_minor: new.cap.map(|cap| cap.0),
    };
    let input = SetSurcharge {
        merchant: caller.merchant,
        customer: new.customer.map(|id| id.0),
        method: new.method.by(),
        currency: new.currency.0,
        surcharge: (!new.inherit).then_some(surcharge),
        actor: caller.actor(),
    };
    match set_surcharge(&app, input).await? {
        Ok(passed) => Ok(Json(Surcharge::of(&passed))),
        Err(CannotSet::NoSuchCustomer) => Err(Problem::not_found().at("customer")),
        Err(why @ (CannotSet::NotASurcharge | CannotSet::NotAWay)) => {
            Err(Problem::new(Code::InvalidRequest, super::invoices::sentence(&why)).at("rate_millionths"))
        }
    }
}
