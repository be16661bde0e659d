//! `/v1/customers`: the companies that are billed, and their contacts, who may sign in and see every invoice of theirs.

use super::answers::{CannotAdd, Common, NotFound, OptionalKey, Unclear, Unreadable, made};
use super::caller::{CustomersRead, CustomersWrite, May};
use super::extract::{Asked, At, Body, MayRepeat, Named};
use super::fields::{self, Email, Line, Lines};
use super::page::{Limit, List, no_such_row};
use super::problem::{Code, Problem};
use crate::actions::create_customer::{
    CannotAddContact, NewContact as Adding, NewCustomer as Creating, add_contact_once, create_customer_once,
};
use crate::app::App;
use anyhow::Result as Outcome;
use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use billing::contact::comparable_email;
use billing::ids::CustomerId;
use serde::{Deserialize, Serialize};
use store::contacts::{self, Contact as StoredContact};
use store::customers::{self, Customer as Stored};
use store::db::Tx;
use utoipa::{IntoParams, ToSchema};

/// A company that is billed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Customer {
    /// Its id.
    #[schema(example = "cus_06a8q2m0000000000000000000")]
    id: String,
    /// As it calls itself.
    #[schema(example = "Acme GmbH")]
    name: String,
    /// Address of its oldest contact; null where it has none.
    #[schema(example = "dana@acme.example")]
    email: Option<String>,
    /// Postal address, lines separated by line breaks; may be empty.
    #[schema(example = "500 Harbor Way\nSeattle, WA 98101")]
    address: String,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A person at a customer, who may sign in and see every invoice of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Contact {
    /// Its id.
    #[schema(example = "con_06a8q2m0000000000000000000")]
    id: String,
    /// Id of the customer.
    #[schema(example = "cus_06a8q2m0000000000000000000")]
    customer: String,
    /// Name of the person; may be empty.
    #[schema(example = "Lee Park")]
    name: String,
    /// Address.
    #[schema(example = "lee@acme.example")]
    email: String,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A customer as it is entered.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Acme Inc.", "email": "dana@acme.example", "contact_name": "Dana Reyes", "address": "500 Harbor Way\nSeattle, WA 98101"
}))]
pub struct NewCustomer {
    /// As it calls itself.
    #[schema(inline, example = "Acme GmbH")]
    name: Line<200>,
    /// Address of its first contact, who may sign in and see every invoice of it.
    #[schema(inline)]
    email: Option<Email>,
    /// Name of that person.
    #[schema(inline)]
    contact_name: Option<Line<200>>,
    /// Postal address, lines separated by line breaks.
    #[schema(inline)]
    address: Option<Lines<500>>,
}

/// A contact as it is entered.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "lee@acme.example", "name": "Lee Park" }))]
pub struct NewContact {
    /// Address.
    #[schema(inline)]
    email: Email,
    /// Name of the person.
    #[schema(inline)]
    name: Option<Line<200>>,
}

/// Which customers are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    limit: Limit,
    /// Begin after this customer.
    #[param(inline)]
    starting_after: Option<fields::CustomerId>,
    /// Those alone of whom a contact has this address.
    #[param(inline)]
    email: Option<Email>,
}

impl Customer {
    fn of(customer: &Stored, email: Option<String>) -> Customer {
        Customer {
            id: customer.id.to_string(),
            name: customer.name.clone(),
            email,
            address: customer.address.clone(),
            created_at: customer.created_at.to_string(),
        }
    }
}

impl Contact {
    fn of(contact: &StoredContact) -> Contact {
        Contact {
            id: contact.id.to_string(),
            customer: contact.customer_id.to_string(),
            name: contact.name.clone(),
            email: contact.email.clone(),
            created_at: contact.created_at.to_string(),
        }
    }
}

/// Create a customer
#[utoipa::path(
    post, path = "/v1/customers", tag = "Customers", operation_id = "createCustomer",
    params(OptionalKey), request_body = NewCustomer,
    responses((status = 201, description = "Created", body = Customer), Common, Unreadable),
    security(("key" = ["customers:write"]))
)]
pub async fn create(
    State(app): State<App>,
    May(caller, _): May<CustomersWrite>,
    key: MayRepeat,
    Body(new): Body<NewCustomer>,
) -> Result<Response, Problem> {
    let once = key.once(&caller, &Named { route: "POST /v1/customers", of: "", body: &new }, created)?;
    let person = new.contact_name.map(|name| name.0).unwrap_or_default();
    let creating = Creating {
        merchant: caller.merchant,
        name: new.name.0,
        address: new.address.map(|lines| lines.0).unwrap_or_default(),
        contacts: new.email.map(|email| (person, email.0)).into_iter().collect(),
    };
    let ran = create_customer_once(&app, caller.actor(), creating, once).await?;
    made(ran, created, |never| match never {})
}

fn created((customer, people): &(Stored, Vec<StoredContact>)) -> Outcome<(String, String)> {
    let email = people.first().map(|contact| contact.email.clone());
    Ok((customer.id.to_string(), serde_json::to_string(&Customer::of(customer, email))?))
}

/// List customers, newest first
#[utoipa::path(
    get, path = "/v1/customers", tag = "Customers", operation_id = "listCustomers", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<Customer>), Common, Unclear),
    security(("key" = ["customers:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<CustomersRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let (before, limit) = (wanted.starting_after.map(|id| id.0), wanted.limit);
    let email_key = wanted.email.and_then(|email| comparable_email(&email.0));
    let rows = app
        .store
        .read(async move |tx: &mut Tx| {
            if let Some(id) = before
                && customers::find(tx, caller.merchant, id).await?.is_none()
            {
                return Ok(None);
            }
            customers::newest(tx, caller.merchant, before, email_key.as_deref(), limit.and_one())
                .await
                .map(Some)
        })
        .await?;
    let rows = rows.ok_or_else(no_such_row)?;
    let rows = rows.into_iter().map(|(customer, email)| Customer::of(&customer, email)).collect();
    Ok(List::of(rows, limit).answer(&uri, |row: &Customer| &row.id))
}

/// Show a customer
#[utoipa::path(
    get, path = "/v1/customers/{id}", tag = "Customers", operation_id = "showCustomer",
    params(("id" = String, Path, description = "Id of the customer", example = "cus_06a8q2m0000000000000000000")),
    responses((status = 200, description = "The customer", body = Customer), Common, NotFound),
    security(("key" = ["customers:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<CustomersRead>,
    At(id): At,
) -> Result<Json<Customer>, Problem> {
    let id: CustomerId = id.parse().map_err(|_| Problem::not_found())?;
    let read = async move |tx: &mut Tx| customers::listed(tx, caller.merchant, id).await;
    let (customer, email) = app.store.read(read).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(Customer::of(&customer, email)))
}

/// Add a contact to a customer
///
/// Whoever reads mail at this address may sign in from now on and see every invoice of the customer.
#[utoipa::path(
    post, path = "/v1/customers/{id}/contacts", tag = "Customers", operation_id = "addContact",
    params(
        ("id" = String, Path, description = "Id of the customer", example = "cus_06a8q2m0000000000000000000"),
        OptionalKey
    ),
    request_body = NewContact,
    responses(
        (status = 201, description = "Added", body = Contact), Common, CannotAdd
    ),
    security(("key" = ["customers:write"]))
)]
pub async fn add_contact(
    State(app): State<App>,
    May(caller, _): May<CustomersWrite>,
    At(id): At,
    key: MayRepeat,
    Body(new): Body<NewContact>,
) -> Result<Response, Problem> {
    let customer: CustomerId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/customers/{id}/contacts", of: &id, body: &new };
    let once = key.once(&caller, &named, added)?;
    let adding = Adding {
        merchant: caller.merchant,
        customer,
        name: new.name.map(|name| name.0).unwrap_or_default(),
        email: new.email.0,
        actor: caller.actor(),
    };
    made(add_contact_once(&app, adding, once).await?, added, |why| match why {
        CannotAddContact::NoSuchCustomer => Problem::not_found(),
        CannotAddContact::AddressTaken => {
            Problem::new(Code::AddressTaken, "This customer has a contact with that address already.")
                .at("email")
        }
    })
}

fn added(contact: &StoredContact) -> Outcome<(String, String)> {
    Ok((contact.id.to_string(), serde_json::to_string(&Contact::of(contact))?))
}

/// List the contacts of a customer, oldest first
#[utoipa::path(
    get, path = "/v1/customers/{id}/contacts", tag = "Customers", operation_id = "listContacts",
    params(("id" = String, Path, description = "Id of the customer", example = "cus_06a8q2m0000000000000000000")),
    responses((status = 200, description = "All of them, 1,000 at most", body = List<Contact>), Common, NotFound),
    security(("key" = ["customers:read"]))
)]
pub async fn contacts(
    State(app): State<App>,
    May(caller, _): May<CustomersRead>,
    At(id): At,
) -> Result<Json<List<Contact>>, Problem> {
    let id: CustomerId = id.parse().map_err(|_| Problem::not_found())?;
    let found = app
        .store
        .read(async move |tx: &mut Tx| {
            let customer = customers::find(tx, caller.merchant, id).await?;
            Ok(customer.zip(Some(contacts::list(tx, caller.merchant, id).await?)))
        })
        .await?;
    let (_, people) = found.ok_or_else(Problem::not_found)?;
    Ok(Json(List { data: people.iter().map(Contact::of).collect(), has_more: false }))
}
