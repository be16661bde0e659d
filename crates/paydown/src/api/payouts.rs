//! `/v1/payouts`: what the processor transferred to the bank, or took from it, and what each payout is made of. Read only: the
//! processor makes them.

use super::answers::{Common, NotFound, Unclear};
use super::caller::{May, PayoutsRead};
use super::extract::{Asked, At};
use super::fields;
use super::page::{Limit, List, no_such_row};
use super::problem::Problem;
use crate::app::App;
use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use billing::ids::PayoutId;
use billing::payout::PayoutState;
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::payouts::items::{self, About, Item as StoredItem};
use store::payouts::{self, Payout as Stored, PayoutStep};
use utoipa::{IntoParams, ToSchema};

/// How a payout stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayoutStatus {
    /// Made; not with the bank yet.
    Pending,
    /// With the bank.
    InTransit,
    /// Booked at the bank.
    Paid,
    /// The bank would not take it, or sent it back. What it was is an item of a later payout.
    Failed,
    /// Called off before it was sent.
    Canceled,
}

/// What of yours an item belongs to.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemAbout {
    /// A payment came in, or did not after all.
    Payment,
    /// Money went back to a payer, or the refund did not arrive.
    Refund,
    /// A bank withdrew or gave back what a card payment had brought.
    Dispute,
    /// A bank took a debit back.
    Return,
    /// The processor's fee for something that is no payment.
    Fee,
    /// A payout that came back.
    Payout,
}

/// What the processor transfers to the bank, or takes from it. Minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payout {
    /// Its id.
    #[schema(example = "pyt_06a8q2m0000000000000000000")]
    id: String,
    /// The processor's name of it.
    #[schema(example = "po_1NVqTyLkdIwHu7ixLFgT1pfT")]
    processor_payout: String,
    /// How it stands.
    status: PayoutStatus,
    /// ISO 4217, lower case: the currency of the bank account.
    #[schema(example = "usd")]
    currency: String,
    /// What goes to the bank; below 0 where the processor takes from the bank.
    #[schema(example = 38_810)]
    amount: i64,
    /// What leaves the processor's books for it: the amount, unless the processor converts.
    #[schema(example = 38_810)]
    balance_amount: i64,
    /// In which currency that is.
    #[schema(example = "usd")]
    balance_currency: String,
    /// True if the processor chose its items and lists them. One that a person asked for lists none and cannot be reconciled.
    automatic: bool,
    /// When every item was known and they came to the payout; null before, and of one that a person asked for.
    #[schema(format = DateTime)]
    reconciled_at: Option<String>,
    /// Why it is not reconciled, for people: it names the item that belongs to nothing in the books.
    unreconciled_because: Option<String>,
    /// The day it arrives or has arrived.
    #[schema(format = Date, example = "2026-11-20")]
    arrives_on: String,
    /// What the bank's statement says, where the processor tells.
    statement: Option<String>,
    /// Why it failed: the processor's own name.
    #[schema(example = "account_closed")]
    failure_code: Option<String>,
    /// The same for people.
    failure_message: Option<String>,
    /// When the processor made it.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A payout with what it is made of and how it went.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayoutWithItems {
    /// The payout.
    #[serde(flatten)]
    payout: Payout,
    /// The lines of the processor's books that it is made of, the oldest first. Of a reconciled payout their nets come to
    /// `balance_amount`.
    items: Vec<PayoutItem>,
    /// The states it went through, first to last.
    history: Vec<Step>,
}

/// A line of the processor's books in a payout. Minor units; below 0 what went out.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayoutItem {
    /// The processor's name of the line.
    #[schema(example = "txn_1MiN3gLkdIwHu7ixxapQrznl")]
    line: String,
    /// What kind of movement it is: `charge`, `charge_failure`, `refund`, `refund_failure`, `dispute`, `dispute_reversal`,
    /// `payout_reversal`, `fee`, `other`.
    #[schema(example = "charge")]
    kind: String,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    currency: String,
    /// Before the fee.
    #[schema(example = 40_000)]
    amount: i64,
    /// What the processor keeps of it.
    #[schema(example = 1_190)]
    fee: i64,
    /// After the fee.
    #[schema(example = 38_810)]
    net: i64,
    /// What of yours it belongs to; null while nobody knows it.
    #[schema(nullable)]
    about: Option<ItemAbout>,
    /// The id of that.
    #[schema(example = "pay_06a8q2m0000000000000000000")]
    subject: Option<String>,
    /// Id of the payment behind it.
    payment: Option<String>,
    /// The processor's name of what caused it.
    #[schema(example = "ch_3MmlLrLkdIwHu7ix0snN0B15")]
    source: Option<String>,
    /// When the processor booked it.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A step of a payout.
#[derive(Debug, Serialize, ToSchema)]
pub struct Step {
    /// The state it came to.
    status: PayoutStatus,
    /// When we learned of it.
    #[schema(format = DateTime)]
    at: String,
}

/// Which payouts are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    limit: Limit,
    /// Begin after this payout.
    #[param(inline)]
    starting_after: Option<fields::PayoutId>,
}

impl PayoutStatus {
    pub(super) const fn of(state: PayoutState) -> PayoutStatus {
        match state {
            PayoutState::Pending => PayoutStatus::Pending,
            PayoutState::InTransit => PayoutStatus::InTransit,
            PayoutState::Paid => PayoutStatus::Paid,
            PayoutState::Failed => PayoutStatus::Failed,
            PayoutState::Canceled => PayoutStatus::Canceled,
        }
    }
}

impl ItemAbout {
    const fn of(about: About) -> ItemAbout {
        match about {
            About::Payment => ItemAbout::Payment,
            About::Refund => ItemAbout::Refund,
            About::Dispute => ItemAbout::Dispute,
            About::Return => ItemAbout::Return,
            About::Fee => ItemAbout::Fee,
            About::Payout => ItemAbout::Payout,
        }
    }
}

impl Payout {
    fn of(payout: &Stored) -> Payout {
        Payout {
            id: payout.id.to_string(),
            processor_payout: payout.processor_payout_id.clone(),
            status: PayoutStatus::of(payout.state),
            currency: payout.amount.currency().code().to_ascii_lowercase(),
            amount: payout.amount.minor(),
            balance_amount: payout.balance.minor(),
            balance_currency: payout.balance.currency().code().to_ascii_lowercase(),
            automatic: payout.is_automatic,
            reconciled_at: payout.reconciled_at.map(|at| at.to_string()),
            unreconciled_because: payout.unreconciled_because.clone(),
            arrives_on: payout.arrives_at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
            statement: payout.statement.clone(),
            failure_code: payout.failure_code.clone(),
            failure_message: payout.failure_message.clone(),
            created_at: payout.made_at.to_string(),
        }
    }
}

impl PayoutItem {
    fn of(item: &StoredItem) -> PayoutItem {
        let known = item.known.as_ref();
        PayoutItem {
            line: item.line_id.clone(),
            kind: item.kind.clone(),
            currency: item.amount.currency().code().to_ascii_lowercase(),
            amount: item.amount.minor(),
            fee: item.fee_minor,
            net: item.net().minor(),
            about: known.map(|known| ItemAbout::of(known.about)),
            subject: known.and_then(|known| known.subject.clone()),
            payment: known.and_then(|known| known.payment_id).map(|id| id.to_string()),
            source: item.source_id.clone(),
            created_at: item.made_at.to_string(),
        }
    }
}

impl Step {
    fn of(step: &PayoutStep) -> Step {
        Step { status: PayoutStatus::of(step.state), at: step.at.to_string() }
    }
}

/// List payouts, newest first
///
/// What the processor transferred to your bank account, or took from it, in the order in which it was learned of.
#[utoipa::path(
    get, path = "/v1/payouts", tag = "Payouts", operation_id = "listPayouts", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<Payout>), Common, Unclear),
    security(("key" = ["payouts:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<PayoutsRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let (before, limit) = (wanted.starting_after.map(|id| id.0), wanted.limit);
    let found = app
        .store
        .read(async move |tx: &mut Tx| {
            if let Some(id) = before
                && payouts::find(tx, caller.merchant, id).await?.is_none()
            {
                return Ok(None);
            }
            payouts::newest(tx, caller.merchant, before, limit.and_one()).await.map(Some)
        })
        .await?;
    let rows = found.ok_or_else(no_such_row)?.iter().map(Payout::of).collect();
    Ok(List::of(rows, limit).answer(&uri, |row: &Payout| &row.id))
}

/// Show a payout with its items
///
/// Each item is matched with the payment, refund, dispute, return, fee or failed payout that it belongs to, and its fee is posted
/// exactly. An item that belongs to nothing in the books has no `about`, and keeps the payout from being reconciled.
#[utoipa::path(
    get, path = "/v1/payouts/{id}", tag = "Payouts", operation_id = "showPayout",
    params(("id" = String, Path, description = "Id of the payout", example = "pyt_06a8q2m0000000000000000000")),
    responses((status = 200, description = "The payout", body = PayoutWithItems), Common, NotFound),
    security(("key" = ["payouts:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<PayoutsRead>,
    At(id): At,
) -> Result<Json<PayoutWithItems>, Problem> {
    let id: PayoutId = id.parse().map_err(|_| Problem::not_found())?;
    let found = app
        .store
        .read(async move |tx: &mut Tx| {
            let Some(payout) = payouts::find(tx, caller.merchant, id).await? else { return Ok(None) };
            let items = items::list(tx, caller.merchant, id).await?;
            Ok(Some((payout, items, payouts::history(tx, caller.merchant, id).await?)))
        })
        .await?;
    let (payout, items, history) = found.ok_or_else(Problem::not_found)?;
    Ok(Json(PayoutWithItems {
        payout: Payout::of(&payout),
        items: items.iter().map(PayoutItem::of).collect(),
        history: history.iter().map(Step::of).collect(),
    }))
}
