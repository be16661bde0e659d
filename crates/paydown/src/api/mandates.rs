//! `/v1/mandates`: what payers agreed to before an account is debited, as proofs; and ending one.

use super::answers::{CannotEndMandate, Common, NotFound, Unclear};
use super::caller::{May, PaymentsRead, PaymentsWrite};
use super::extract::{Asked, At};
use super::fields;
use super::page::{Limit, List, no_such_row};
use super::problem::{Code, Problem};
use crate::actions::end_mandate::{CannotEnd, Revoker, end_mandate};
use crate::app::App;
use crate::mandate_proof::Proof;
use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use billing::ids::{MandateId, MerchantId};
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::mandates;
use store::{contacts, merchants};
use utoipa::{IntoParams, ToSchema};

/// The proof of what a payer agreed to. Never a number of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Mandate {
    /// Its id.
    #[schema(example = "man_06a8q2m0000000000000000000")]
    id: String,
    /// What is debited.
    #[schema(example = "us_bank_account")]
    method: String,
    /// `once`: one debit; `standing`: every debit that its owner asks for, until it is ended.
    #[schema(example = "standing")]
    rule: String,
    /// The one amount that was agreed to.
    #[schema(example = "500.00 USD")]
    amount: Option<String>,
    /// The exact text.
    wording: String,
    /// Its SHA-256 as it was kept, in hexadecimal.
    wording_sha256: String,
    /// True if the text is still the one of that hash.
    intact: bool,
    /// The account's bank.
    bank_name: Option<String>,
    /// The account's last four digits.
    last4: Option<String>,
    /// `business` or `personal`.
    holder: Option<String>,
    /// How long a debit can be taken back as not allowed.
    unauthorized_window: Option<String>,
    /// Who agreed.
    name: Option<String>,
    /// Their address.
    email: Option<String>,
    /// How they were identified.
    identified: String,
    /// From which network address.
    client: Option<String>,
    /// With what browser.
    user_agent: Option<String>,
    /// Language tag of the text.
    language: String,
    /// When it was shown and agreed to.
    #[schema(format = DateTime)]
    agreed_at: String,
    /// When the bank page was submitted.
    #[schema(format = DateTime)]
    accepted_at: Option<String>,
    /// Id of the payment, or of the page without a payment, that it was given for.
    given_for: String,
    /// The processor's name of it.
    processor_mandate: Option<String>,
    /// How its owner takes it back.
    revoke: String,
    /// When it ended.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// Why.
    ended_why: Option<String>,
    /// `payer`, `staff`, `bank` or `processor`.
    ended_by: Option<String>,
}

/// What ending came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedMandate {
    /// The mandate as it is now.
    mandate: Mandate,
    /// Ids of payments that were held and are stopped.
    stopped: Vec<String>,
    /// Ids of payments that were sent before and may still arrive.
    pending: Vec<String>,
}

/// Which mandates are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    limit: Limit,
    /// Begin after this mandate.
    #[param(inline)]
    starting_after: Option<fields::MandateId>,
    /// Those of one customer.
    #[param(inline)]
    customer: Option<fields::CustomerId>,
}

impl Mandate {
    fn of(proof: Proof) -> Mandate {
        let (ended_at, ended_why, ended_by) = match proof.ended {
            Some((at, why, by)) => (Some(at.to_string()), Some(why), Some(by.to_owned())),
            None => (None, None, None),
        };
        Mandate {
            id: proof.id,
            method: proof.method.to_owned(),
            rule: proof.rule.to_owned(),
            amount: proof.amount,
            wording: proof.wording,
            wording_sha256: proof.wording_hash,
            intact: proof.is_intact,
            bank_name: proof.bank_name,
            last4: proof.last4,
            holder: proof.holder,
            unauthorized_window: proof.unauthorized_window.map(str::to_owned),
            name: proof.name,
            email: proof.email,
            identified: proof.identified.to_owned(),
            client: proof.client,
            user_agent: proof.user_agent,
            language: proof.language,
            agreed_at: proof.agreed_at.to_string(),
            accepted_at: proof.accepted_at.map(|at| at.to_string()),
            given_for: proof.given_for,
            processor_mandate: proof.processor_mandate_id,
            revoke: proof.revoke,
            ended_at,
            ended_why,
            ended_by,
        }
    }
}

async fn proof(tx: &mut Tx, merchant: MerchantId, mandate: &mandates::Mandate) -> anyhow::Result<Proof> {
    let person = match mandate.contact_id {
        Some(id) => contacts::find(tx, merchant, id).await?,
        None => None,
    };
    let merchant = merchants::find(tx, merchant).await?;
    let merchant = merchant.ok_or_else(|| anyhow::anyhow!("a mandate has a merchant"))?;
    Ok(Proof::of(mandate, person.as_ref(), &merchant))
}

/// List what payers agreed to, newest first
#[utoipa::path(
    get, path = "/v1/mandates", tag = "Payments", operation_id = "listMandates", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<Mandate>), Common, Unclear),
    security(("key" = ["payments:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let (before, limit) = (wanted.starting_after.map(|id| id.0), wanted.limit);
    let (of, merchant) = (wanted.customer.map(|id| id.0), caller.merchant);
    let rows = app.store.read(async move |tx: &mut Tx| {
        if let Some(id) = before
            && mandates::find_by_id(tx, merchant, id).await?.is_none()
        {
            return Ok(None);
        }
        let mut rows = Vec::new();
        for mandate in mandates::newest(tx, merchant, of, before, limit.and_one()).await? {
            rows.push(Mandate::of(proof(tx, merchant, &mandate).await?));
        }
        Ok(Some(rows))
    });
    let rows = rows.await?.ok_or_else(no_such_row)?;
    Ok(List::of(rows, limit).answer(&uri, |row: &Mandate| &row.id))
}

/// Show the proof of a mandate
#[utoipa::path(
    get, path = "/v1/mandates/{id}", tag = "Payments", operation_id = "showMandate",
    params(("id" = String, Path, description = "Id of the mandate", example = "man_06a8q2m0000000000000000000")),
    responses((status = 200, description = "The proof", body = Mandate), Common, NotFound),
    security(("key" = ["payments:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
    At(id): At,
) -> Result<Json<Mandate>, Problem> {
    let id: MandateId = id.parse().map_err(|_| Problem::not_found())?;
    find(&app, caller.merchant, id).await.map(Json)
}

async fn find(app: &App, merchant: MerchantId, id: MandateId) -> Result<Mandate, Problem> {
    let found = app.store.read(async move |tx: &mut Tx| {
        let Some(mandate) = mandates::find_by_id(tx, merchant, id).await? else { return Ok(None) };
        proof(tx, merchant, &mandate).await.map(Some)
    });
    Ok(Mandate::of(found.await?.ok_or_else(Problem::not_found)?))
}

/// End a standing mandate
///
/// Nothing is debited on it any more. Debits that are held are stopped; what was sent before is named. Repeating it does nothing more.
#[utoipa::path(
    post, path = "/v1/mandates/{id}/end", tag = "Payments", operation_id = "endMandate",
    params(("id" = String, Path, description = "Id of the mandate", example = "man_06a8q2m0000000000000000000")),
    responses((status = 200, description = "It has ended", body = EndedMandate), Common, CannotEndMandate),
    security(("key" = ["payments:write"]))
)]
pub async fn end(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
) -> Result<Json<EndedMandate>, Problem> {
    let id: MandateId = id.parse().map_err(|_| Problem::not_found())?;
    let (acting, merchant, revoker) = (app.clone(), caller.merchant, Revoker::Staff(caller.actor()));
    let ended = app.undisturbed(async move { end_mandate(&acting, merchant, id, revoker).await }).await?;
    let ended = ended.map_err(|why| match why {
        CannotEnd::NotFound => Problem::not_found(),
        CannotEnd::ForOneDebit => Problem::new(Code::ForOneDebit, super::invoices::sentence(&why)),
    })?;
    let ids = |list: &[billing::ids::PaymentId]| list.iter().map(ToString::to_string).collect();
    Ok(Json(EndedMandate {
        mandate: find(&app, merchant, id).await?,
        stopped: ids(&ended.stopped),
        pending: ids(&ended.pending),
    }))
}
