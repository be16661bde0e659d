//! `/v1/refund_limits`: above which amount a second person has to approve a refund.

use super::answers::{Common, Unreadable};
use super::caller::{May, RefundsApprove, RefundsRead};
use super::extract::Body;
use super::fields::{Amount, CurrencyCode};
use super::invoices::sentence;
use super::problem::{Code, Problem};
use crate::actions::set_refund_limit::{SetRefundLimit, set_refund_limit};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use ledger::Money;
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::refund_limits;
use utoipa::ToSchema;

/// Above which amount a second person has to approve a refund.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundLimit {
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// The most that one person may refund, minor units.
    #[schema(example = 50_000)]
    amount: i64,
}

/// Every limit that is set.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundLimits {
    /// By currency.
    data: Vec<RefundLimit>,
}

/// A limit to be set.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefundLimit {
    /// ISO 4217.
    #[schema(inline)]
    currency: CurrencyCode,
    /// The most that one person may refund, minor units; null takes the limit away.
    #[schema(inline)]
    amount: Option<Amount>,
}

fn limits(all: Vec<Money>) -> Json<RefundLimits> {
    let limit = |limit: Money| RefundLimit {
        currency: limit.currency().code().to_ascii_lowercase(),
        amount: limit.minor(),
    };
    Json(RefundLimits { data: all.into_iter().map(limit).collect() })
}

/// Show above which amounts a second person has to approve refunds
#[utoipa::path(
    get, path = "/v1/refund_limits", tag = "Refunds", operation_id = "showRefundLimits",
    responses((status = 200, description = "Every limit that is set", body = RefundLimits), Common),
    security(("key" = ["refunds:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<RefundsRead>,
) -> Result<Json<RefundLimits>, Problem> {
    let merchant = caller.merchant;
    let all = app.store.read(async move |tx: &mut Tx| refund_limits::list(tx, merchant).await).await?;
    Ok(limits(all))
}

/// Set above which amount a second person has to approve refunds in a currency
///
/// It binds what is asked for from now on.
#[utoipa::path(
    post, path = "/v1/refund_limits", tag = "Refunds", operation_id = "setRefundLimit",
    request_body = NewRefundLimit,
    responses((status = 200, description = "Every limit that is set", body = RefundLimits), Common, Unreadable),
    security(("key" = ["refunds:approve"]))
)]
pub async fn set(
    State(app): State<App>,
    May(caller, _): May<RefundsApprove>,
    Body(new): Body<NewRefundLimit>,
) -> Result<Json<RefundLimits>, Problem> {
    let input = SetRefundLimit {
        merchant: caller.merchant,
        currency: new.currency.0,
        amount_minor: new.amount.map(|amount| amount.0),
        actor: caller.actor(),
    };
    let set = set_refund_limit(&app, input).await?;
    set.map(limits).map_err(|why| Problem::new(Code::InvalidRequest, sentence(&why)).at("amount"))
}
