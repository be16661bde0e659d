//! The proof of an agreement, for the contact who gave it and signed in; and taking it back.

use crate::actions::end_mandate::{Revoker, end_mandate};
use crate::csrf::Posted;
use crate::mandate_proof::Proof;
use crate::pages::agreement::AgreementPage;
use crate::portal::context::Ctx;
use crate::portal::fail::Fail;
use crate::processors::STRIPE;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use billing::ids::{ContactId, MandateId};
use billing::payment::PaymentState;
use serde::Deserialize;
use std::str::FromStr as _;
use store::db::Tx;
use store::mandates::{self, Mandate, Rule};
use store::{payment_methods, payments, processor_accounts};

/// A form of one button.
#[derive(Deserialize)]
pub struct Nothing {}

/// The reader's own mandate of an address, and how many debits on it are on their way.
async fn own(ctx: &Ctx, contact: ContactId, id: &str) -> Result<(Mandate, u32), Fail> {
    let id = MandateId::from_str(id).map_err(|_| Fail::NotFound)?;
    let merchant = ctx.merchant.id;
    let found = ctx.app.store.read(async move |tx: &mut Tx| {
        let Some(mandate) = mandates::find_by_id(tx, merchant, id).await? else { return Ok(None) };
        let mut pending = 0;
        if let (Some(token), Some(at)) =
            (&mandate.account.processor_method_id, processor_accounts::find(tx, merchant, STRIPE).await?)
            && let Some(saved) = payment_methods::find_by_token(tx, &at, token).await?
        {
            for payment in payments::in_flight_of_method(tx, merchant, saved.id).await? {
                let sent = payments::find(tx, merchant, payment).await?;
                pending += u32::from(sent.is_some_and(|payment| payment.state != PaymentState::Created));
            }
        }
        Ok(Some((mandate, pending)))
    });
    let found = found.await?.filter(|(mandate, _)| mandate.contact_id == Some(contact));
    found.ok_or(Fail::NotFound)
}

/// `GET /agreements/{id}`.
pub async fn show(ctx: Ctx, Path((_, id)): Path<(String, String)>) -> Result<Response, Fail> {
    let Some(contact) = &ctx.contact else { return Ok(ctx.go("/sign-in")) };
    let (mandate, pending) = own(&ctx, contact.id, &id).await?;
    let page = AgreementPage {
        chrome: ctx.chrome(),
        proof: Proof::of(&mandate, Some(contact), &ctx.merchant),
        may_revoke: mandate.rule == Rule::Standing && mandate.ended.is_none() && ctx.is_writable(),
        pending: if mandate.ended.is_some() { pending } else { 0 },
    };
    ctx.page(StatusCode::OK, &page)
}

/// `POST /agreements/{id}/revoke`.
pub async fn revoke(
    Path((_, id)): Path<(String, String)>,
    Posted { ctx, .. }: Posted<Nothing>,
) -> Result<Response, Fail> {
    let Some(contact) = &ctx.contact else { return Ok(ctx.go("/sign-in")) };
    let (mandate, _) = own(&ctx, contact.id, &id).await?;
    let (app, merchant, revoker) = (ctx.app.clone(), ctx.merchant.id, Revoker::Giver(contact.id));
    let ended = ctx.app.undisturbed(async move { end_mandate(&app, merchant, mandate.id, revoker).await });
    match ended.await? {
        Ok(_) => Ok(ctx.go(&format!("/agreements/{id}"))),
        Err(_) => Err(Fail::NotFound),
    }
}
