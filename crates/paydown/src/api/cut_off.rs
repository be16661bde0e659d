//! `/v1/debit_cut_off`: until when on a day debits of saved accounts are held.

use super::answers::{CannotSet, Common};
use super::caller::{May, PaymentsRead, PaymentsWrite};
use super::extract::Body;
use super::problem::{Code, Problem};
use crate::actions::set_cut_off::{parse, set_cut_off, shown};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::cut_offs;
use store::db::Tx;
use utoipa::ToSchema;

/// A time of day in the merchant's zone.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CutOff {
    /// Hours and minutes, 00:00 to 23:59.
    #[schema(example = "16:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    time: String,
}

/// Show until when debits of saved accounts are held
#[utoipa::path(
    get, path = "/v1/debit_cut_off", tag = "Payments", operation_id = "showDebitCutOff",
    responses((status = 200, description = "The time", body = CutOff), Common),
    security(("key" = ["payments:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
) -> Result<Json<CutOff>, Problem> {
    let merchant = caller.merchant;
    let minutes = app.store.read(async move |tx: &mut Tx| cut_offs::find(tx, merchant).await).await?;
    Ok(Json(CutOff { time: shown(minutes) }))
}

/// Set until when debits of saved accounts are held
///
/// What is held already keeps the time its payer was told.
#[utoipa::path(
    put, path = "/v1/debit_cut_off", tag = "Payments", operation_id = "setDebitCutOff", request_body = CutOff,
    responses((status = 200, description = "The time", body = CutOff), Common, CannotSet),
    security(("key" = ["payments:write"]))
)]
pub async fn set(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    Body(new): Body<CutOff>,
) -> Result<Json<CutOff>, Problem> {
    let is_plain = new.time.len() == 5;
    let time = parse(&new.time).filter(|_| is_plain).ok_or_else(|| {
        Problem::new(Code::InvalidRequest, "A time of day such as 16:00 is expected.").at("time")
    })?;
    set_cut_off(&app, caller.merchant, time, caller.actor()).await?;
    Ok(Json(new))
}
