//! `/v1/invoices/{id}/links`: payment links, the secret addresses of single invoices. An address is told when it is made, and
//! never again.

use super::answers::{CannotLink, Common, NotFound, OptionalKey, made};
use super::caller::{LinksRead, LinksWrite, May};
use super::extract::{At, Body, MayRepeat, Named};
use super::fields;
use super::invoices::sentence;
use super::page::List;
use super::problem::{Code, Problem};
use crate::actions::create_link::{self, create_link_once, link_url, revoke_links};
use crate::actions::once::Ran;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use billing::ids::{InvoiceId, LinkId, MerchantId};
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::invoices;
use store::links::{self, Link};
use utoipa::ToSchema;

/// A payment link.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentLink {
    /// Its id, no secret.
    #[schema(example = "lnk_06a8q2m0000000000000000000")]
    id: String,
    /// Id of the invoice it opens.
    #[schema(example = "inv_06a8q2m0000000000000000000")]
    invoice: String,
    /// Id of the contact it was made for.
    contact: Option<String>,
    /// The address. Told when the link is made only: whoever has it sees the invoice and may pay it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "https://pay.example.com/l/1.g8sj1137q4c19lvd6ugdc4ggd9uqo5j4")]
    url: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was taken back.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

/// A link as it is asked for.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "contact": "con_06a8q2m0000000000000000000" }))]
pub struct NewLink {
    /// Id of the contact it is for, one of the invoice's customer.
    #[schema(inline)]
    contact: Option<fields::ContactId>,
}

/// How many links were taken back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revoked {
    /// So many opened the invoice until now.
    revoked: u64,
}

impl PaymentLink {
    fn of(link: &Link) -> PaymentLink {
        PaymentLink {
            id: link.id.to_string(),
            invoice: link.invoice_id.to_string(),
            contact: link.contact_id.map(|id| id.to_string()),
            url: None,
            created_at: link.created_at.to_string(),
            revoked_at: link.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// Make a payment link
///
/// Earlier links keep working. Nothing is mailed: send the address yourself.
#[utoipa::path(
    post, path = "/v1/invoices/{id}/links", tag = "Payment links", operation_id = "createPaymentLink",
    params(
        ("id" = String, Path, description = "Id of the invoice", example = "inv_06a8q2m0000000000000000000"),
        OptionalKey
    ),
    request_body = NewLink,
    responses((status = 201, description = "The link", body = PaymentLink), Common, CannotLink),
    security(("key" = ["links:write"]))
)]
pub async fn create(
    State(app): State<App>,
    May(caller, _): May<LinksWrite>,
    At(id): At,
    key: MayRepeat,
    Body(new): Body<NewLink>,
) -> Result<Response, Problem> {
    let invoice: InvoiceId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/invoices/{id}/links", of: &id, body: &new };
    // The secret is not kept: what is kept for repeats is the link without its address, which is made again from its id.
    let once = key.once(&caller, &named, told)?;
    let contact = new.contact.map(|id| id.0);
    let ran = create_link_once(&app, (caller.merchant, invoice), contact, (caller.actor(), once)).await?;
    let tell = |answer: &str| with_url(&app, caller.merchant, answer);
    let ran = match ran {
        Ran::New(link) => Ran::New(tell(&told(&link)?.1)?),
        Ran::Repeated(before) => Ran::Repeated(tell(&before)?),
        Ran::Refused(why) => Ran::Refused(why),
        Ran::OtherRequest => Ran::OtherRequest,
    };
    made(
        ran,
        |answer: &String| Ok((String::new(), answer.clone())),
        |why| match why {
            create_link::CannotLink::NoSuchInvoice => Problem::not_found(),
            create_link::CannotLink::NoSuchContact => Problem::not_found().at("contact"),
            create_link::CannotLink::NotOpen(_) => Problem::new(Code::NotOpen, sentence(&why)),
        },
    )
}

fn told(link: &Link) -> anyhow::Result<(String, String)> {
    Ok((link.id.to_string(), serde_json::to_string(&PaymentLink::of(link))?))
}

/// The answer with the address, which is derived from the link's id and kept nowhere.
fn with_url(app: &App, merchant: MerchantId, answer: &str) -> anyhow::Result<String> {
    let mut link: serde_json::Map<String, serde_json::Value> = serde_json::from_str(answer)?;
    let id: LinkId = link.get("id").and_then(serde_json::Value::as_str).unwrap_or_default().parse()?;
    link.insert("url".to_owned(), link_url(app, merchant, id).into());
    Ok(serde_json::to_string(&link)?)
}

/// List the payment links of an invoice, oldest first
///
/// Without their addresses.
#[utoipa::path(
    get, path = "/v1/invoices/{id}/links", tag = "Payment links", operation_id = "listPaymentLinks",
    params(("id" = String, Path, description = "Id of the invoice", example = "inv_06a8q2m0000000000000000000")),
    responses((status = 200, description = "All of them", body = List<PaymentLink>), Common, NotFound),
    security(("key" = ["links:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<LinksRead>,
    At(id): At,
) -> Result<Json<List<PaymentLink>>, Problem> {
    let id: InvoiceId = id.parse().map_err(|_| Problem::not_found())?;
    let found = app
        .store
        .read(async move |tx: &mut Tx| {
            let invoice = invoices::find(tx, caller.merchant, id).await?;
            Ok(invoice.zip(Some(links::list_by_invoice(tx, caller.merchant, id).await?)))
        })
        .await?;
    let (_, links) = found.ok_or_else(Problem::not_found)?;
    Ok(Json(List { data: links.iter().map(PaymentLink::of).collect(), has_more: false }))
}

/// Take back every payment link of an invoice
///
/// None of them opens it any more, at once. Repeating it takes nothing more back.
#[utoipa::path(
    delete, path = "/v1/invoices/{id}/links", tag = "Payment links", operation_id = "revokePaymentLinks",
    params(("id" = String, Path, description = "Id of the invoice", example = "inv_06a8q2m0000000000000000000")),
    responses((status = 200, description = "They are taken back", body = Revoked), Common, NotFound),
    security(("key" = ["links:write"]))
)]
pub async fn revoke(
    State(app): State<App>,
    May(caller, _): May<LinksWrite>,
    At(id): At,
) -> Result<Json<Revoked>, Problem> {
    let id: InvoiceId = id.parse().map_err(|_| Problem::not_found())?;
    let merchant = caller.merchant;
    let found = app.store.read(async move |tx: &mut Tx| invoices::find(tx, merchant, id).await).await?;
    if found.is_none() {
        return Err(Problem::not_found());
    }
    let revoked = revoke_links(&app, merchant, id, caller.actor()).await?;
    Ok(Json(Revoked { revoked }))
}
