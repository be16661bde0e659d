//! `/v1/customers/{id}/payment_methods` and `/v1/payment_methods/{id}`: what the people of a customer saved, as far as it may be told.

use super::answers::{Common, NotFound};
use super::caller::{May, PaymentsRead, PaymentsWrite};
use super::extract::At;
use super::page::List;
use super::problem::Problem;
use crate::actions::remove_method::{Remover, remove_method};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use billing::ids::{CustomerId, PaymentMethodId};
use billing::payment::Method;
use serde::Serialize;
use store::customers;
use store::db::Tx;
use store::payment_methods::{self, SavedMethod};
use utoipa::ToSchema;

/// What a saved method is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SavedKind {
    /// A card.
    Card,
    /// An account in the United States.
    UsBankAccount,
    /// An account in the single euro payments area.
    SepaDebit,
}

/// A card or bank account that the processor keeps for a contact. Never its number.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentMethod {
    /// Its id.
    #[schema(example = "pmt_06a8q2m0000000000000000000")]
    id: String,
    /// Id of the customer.
    #[schema(example = "cus_06a8q2m0000000000000000000")]
    customer: String,
    /// Id of the contact whose it is. Nobody else sees or uses it on the portal.
    #[schema(example = "con_06a8q2m0000000000000000000")]
    contact: String,
    /// What it is.
    kind: SavedKind,
    /// Brand of the card or name of the bank, as the processor words it.
    #[schema(example = "visa")]
    name: String,
    /// The last four digits.
    #[schema(example = "4242")]
    last4: String,
    /// Year and month in which a card ends.
    #[schema(example = "2028-04")]
    expires: Option<String>,
    /// Id of the mandate that lets an account be debited.
    #[schema(example = "man_06a8q2m0000000000000000000")]
    mandate: Option<String>,
    /// True for the one its owner is offered first.
    default: bool,
    /// When it was saved.
    #[schema(format = DateTime)]
    created_at: String,
}

/// What removing came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedMethod {
    /// Ids of payments that were held and are stopped.
    stopped: Vec<String>,
    /// Ids of payments that were sent before and may still arrive.
    pending: Vec<String>,
}

impl PaymentMethod {
    fn of(saved: &SavedMethod) -> PaymentMethod {
        PaymentMethod {
            id: saved.id.to_string(),
            customer: saved.customer_id.to_string(),
            contact: saved.contact_id.to_string(),
            kind: match saved.method {
                Method::UsBankAccount => SavedKind::UsBankAccount,
                Method::SepaDebit => SavedKind::SepaDebit,
                Method::Card | Method::Cheque | Method::Wire | Method::Cash => SavedKind::Card,
            },
            name: saved.name.clone(),
            last4: saved.last4.clone(),
            expires: saved.expires.map(|(year, month)| format!("{year}-{month:02}")),
            mandate: saved.mandate_id.map(|id| id.to_string()),
            default: saved.default_since.is_some(),
            created_at: saved.created_at.to_string(),
        }
    }
}

/// List what the people of a customer saved, newest first
#[utoipa::path(
    get, path = "/v1/customers/{id}/payment_methods", tag = "Payments", operation_id = "listPaymentMethods",
    params(("id" = String, Path, description = "Id of the customer", example = "cus_06a8q2m0000000000000000000")),
    responses((status = 200, description = "All of them", body = List<PaymentMethod>), Common, NotFound),
    security(("key" = ["payments:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
    At(id): At,
) -> Result<Json<List<PaymentMethod>>, Problem> {
    let id: CustomerId = id.parse().map_err(|_| Problem::not_found())?;
    let found = app.store.read(async move |tx: &mut Tx| {
        let customer = customers::find(tx, caller.merchant, id).await?;
        Ok(customer.zip(Some(payment_methods::list_of_customer(tx, caller.merchant, id).await?)))
    });
    let (_, saved) = found.await?.ok_or_else(Problem::not_found)?;
    Ok(Json(List { data: saved.iter().map(PaymentMethod::of).collect(), has_more: false }))
}

/// Remove a saved method
///
/// It is charged no more, from now on; its mandate ends; debits of it that are held are stopped. What was sent before is named.
/// Repeating it does nothing more.
#[utoipa::path(
    delete, path = "/v1/payment_methods/{id}", tag = "Payments", operation_id = "removePaymentMethod",
    params(("id" = String, Path, description = "Id of the saved method", example = "pmt_06a8q2m0000000000000000000")),
    responses((status = 200, description = "It is removed", body = RemovedMethod), Common, NotFound),
    security(("key" = ["payments:write"]))
)]
pub async fn remove(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
) -> Result<Json<RemovedMethod>, Problem> {
    let id: PaymentMethodId = id.parse().map_err(|_| Problem::not_found())?;
    let (acting, merchant, remover) = (app.clone(), caller.merchant, Remover::Staff(caller.actor()));
    let removed = app.undisturbed(async move { remove_method(&acting, merchant, id, remover).await }).await?;
    let removed = removed.ok_or_else(Problem::not_found)?;
    let ids = |list: &[billing::ids::PaymentId]| list.iter().map(ToString::to_string).collect();
    Ok(Json(RemovedMethod { stopped: ids(&removed.stopped), pending: ids(&removed.pending) }))
}
