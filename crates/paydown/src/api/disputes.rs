//! `/v1/disputes`: card payments that their holders contest, what is said against them, and what a loss means. What is asked for
//! here is stored and told to the processor afterwards; only what the processor then says changes a dispute.

mod shapes;

pub use shapes::{
    Content, Dispute, DisputeSettings, DisputeStatus, Evidence, EvidenceFile, EvidenceStatus, Fee,
    LARGEST_EVIDENCE, NewChoice, NewEvidence, NewEvidenceFile, NewTexts, Purpose, Wanted, WhenLost,
};

use super::answers::{
    CannotAcceptDispute, CannotChooseLoss, CannotSetDisputes, CannotSubmitEvidence, Common, NotFound,
    RequiredKey, Unclear, done,
};
use super::caller::{May, PaymentsRead, PaymentsWrite};
use super::extract::{Asked, At, Body, Named, Repeatable};
use super::invoices::sentence;
use super::page::{List, no_such_row};
use super::problem::{Code, Problem};
use crate::actions::accept_dispute::{AcceptDispute, CannotAccept, accept_dispute};
use crate::actions::set_when_lost::{CannotChoose, SetWhenLost, set_when_lost};
use crate::actions::submit_evidence::{CannotSubmit, SubmitEvidence, Submitted, submit_evidence, told};
use crate::app::App;
use anyhow::Result as Outcome;
use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use billing::evidence::WhyNotNow;
use billing::ids::DisputeId;
use store::db::Tx;
use store::disputes::{self, Of};

/// List disputes, newest first
#[utoipa::path(
    get, path = "/v1/disputes", tag = "Disputes", operation_id = "listDisputes", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<Dispute>), Common, Unclear),
    security(("key" = ["payments:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let of = match (wanted.payment, wanted.status) {
        (Some(_), Some(_)) => {
            let detail = "Ask for the disputes of a payment or for those of a status, not for both.";
            return Err(Problem::new(Code::InvalidRequest, detail).at("status"));
        }
        (Some(id), None) => Of::Payment(id.0),
        (None, Some(status)) => Of::State(status.state()),
        (None, None) => Of::Merchant,
    };
    let (before, limit) = (wanted.starting_after.map(|id| id.0), wanted.limit);
    let rows = app
        .store
        .read(async move |tx: &mut Tx| {
            if let Some(id) = before
                && disputes::find(tx, caller.merchant, id).await?.is_none()
            {
                return Ok(None);
            }
            disputes::newest(tx, caller.merchant, of, before, limit.and_one()).await.map(Some)
        })
        .await?;
    let rows = rows.ok_or_else(no_such_row)?;
    let rows: Vec<Dispute> = rows.iter().map(|dispute| Dispute::of(dispute, None)).collect();
    Ok(List::of(rows, limit).answer(&uri, |row: &Dispute| &row.id))
}

/// Show a dispute
#[utoipa::path(
    get, path = "/v1/disputes/{id}", tag = "Disputes", operation_id = "showDispute",
    params(("id" = String, Path, description = "Id of the dispute", example = "dsp_06a8q2m0000000000000000000")),
    responses((status = 200, description = "The dispute", body = Dispute), Common, NotFound),
    security(("key" = ["payments:read"]))
)]
pub async fn show(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
    At(id): At,
) -> Result<Json<Dispute>, Problem> {
    let id: DisputeId = id.parse().map_err(|_| Problem::not_found())?;
    let found = app
        .store
        .read(async move |tx: &mut Tx| {
            let Some(dispute) = disputes::find(tx, caller.merchant, id).await? else { return Ok(None) };
            Ok(Some(Submitted { evidence: told(tx, caller.merchant, id).await?, dispute }))
        })
        .await?;
    Ok(Json(Dispute::with(&found.ok_or_else(Problem::not_found)?)?))
}

/// Hand in evidence
///
/// Texts and files say why the payment was right. They are stored and sent to the processor at once, in the background: the answer
/// shows them as `sending`, the dispute or the event `dispute.evidence_sent` tells when they are there. With `submit` they go to
/// the bank, which takes them once. Files are PDF, JPEG or PNG of at most 4 MiB; what they are is decided by their content.
/// A body may be 12 MiB: send more files in several requests with `"submit": false`, and submit with the last.
#[utoipa::path(
    post, path = "/v1/disputes/{id}/evidence", tag = "Disputes", operation_id = "submitEvidence",
    params(
        ("id" = String, Path, description = "Id of the dispute", example = "dsp_06a8q2m0000000000000000000"),
        RequiredKey
    ),
    request_body = NewEvidence,
    responses((status = 200, description = "The dispute, with what was handed in", body = Dispute), Common, CannotSubmitEvidence),
    security(("key" = ["payments:write"]))
)]
pub async fn evidence(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
    key: Repeatable,
    Body(new): Body<NewEvidence, LARGEST_EVIDENCE>,
) -> Result<Response, Problem> {
    let dispute: DisputeId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/disputes/{id}/evidence", of: &id, body: &new };
    let once = key.once(&caller, &named, answer)?;
    let (texts, files, to_bank) = new.read()?;
    let actor = caller.actor();
    let input = SubmitEvidence { merchant: caller.merchant, dispute, texts, files, to_bank, actor };
    let acting = app.clone();
    let ran = app.undisturbed(async move { submit_evidence(&acting, input, Some(once)).await }).await?;
    done(ran, answer, refused)
}

fn answer(submitted: &Submitted) -> Outcome<(String, String)> {
    let shown = Dispute::with(submitted)?;
    let json = serde_json::to_string(&shown)?;
    Ok((shown.id, json))
}

fn refused(why: CannotSubmit) -> Problem {
    let detail = sentence(&why);
    match why {
        CannotSubmit::NoSuchDispute => Problem::not_found(),
        CannotSubmit::NotNow(why) => not_now(&why),
        CannotSubmit::Nothing | CannotSubmit::LongText(_) | CannotSubmit::Text(_) => {
            Problem::new(Code::InvalidRequest, detail).at("texts")
        }
        CannotSubmit::CardNumber(_) => Problem::new(Code::CardNumber, detail).at("texts"),
        CannotSubmit::Purpose(_) => Problem::new(Code::InvalidRequest, detail).at("files"),
        CannotSubmit::File { .. } => Problem::new(Code::FileNotTaken, detail).at("files"),
    }
}

fn not_now(why: &WhyNotNow) -> Problem {
    let code = match why {
        WhyNotNow::Ended(_) | WhyNotNow::Accepting => Code::DisputeEnded,
        WhyNotNow::WithTheBank => Code::EvidenceSent,
        WhyNotNow::PastDue(_) => Code::EvidencePastDue,
    };
    Problem::new(code, sentence(why))
}

/// Accept a dispute
///
/// The payer gets the money. The wish is stored and told to the processor at once, in the background; the dispute is `accepted` as
/// soon as the processor says so.
#[utoipa::path(
    post, path = "/v1/disputes/{id}/accept", tag = "Disputes", operation_id = "acceptDispute",
    params(
        ("id" = String, Path, description = "Id of the dispute", example = "dsp_06a8q2m0000000000000000000"),
        RequiredKey
    ),
    responses((status = 200, description = "The dispute", body = Dispute), Common, CannotAcceptDispute),
    security(("key" = ["payments:write"]))
)]
pub async fn accept(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
    key: Repeatable,
) -> Result<Response, Problem> {
    let dispute: DisputeId = id.parse().map_err(|_| Problem::not_found())?;
    let named = Named { route: "POST /v1/disputes/{id}/accept", of: &id, body: &() };
    let once = key.once(&caller, &named, answer)?;
    let input = AcceptDispute { merchant: caller.merchant, dispute, actor: caller.actor() };
    let acting = app.clone();
    let ran = app.undisturbed(async move { accept_dispute(&acting, input, Some(once)).await }).await?;
    done(ran, answer, |why| match why {
        CannotAccept::NoSuchDispute => Problem::not_found(),
        CannotAccept::NotNow(why) => not_now(&why),
    })
}

/// Choose what a loss of a dispute means
///
/// Until it has ended.
#[utoipa::path(
    post, path = "/v1/disputes/{id}", tag = "Disputes", operation_id = "chooseWhenLost",
    params(("id" = String, Path, description = "Id of the dispute", example = "dsp_06a8q2m0000000000000000000")),
    request_body = NewChoice,
    responses((status = 200, description = "The dispute", body = Dispute), Common, CannotChooseLoss),
    security(("key" = ["payments:write"]))
)]
pub async fn choose(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    At(id): At,
    Body(new): Body<NewChoice>,
) -> Result<Json<Dispute>, Problem> {
    let dispute: DisputeId = id.parse().map_err(|_| Problem::not_found())?;
    let input = SetWhenLost {
        merchant: caller.merchant,
        dispute: Some(dispute),
        when_lost: new.when_lost.map(WhenLost::meaning),
        actor: caller.actor(),
    };
    match set_when_lost(&app, input).await? {
        Err(CannotChoose::NoSuchDispute) => return Err(Problem::not_found()),
        Err(why @ CannotChoose::Ended(_)) => return Err(Problem::new(Code::DisputeEnded, sentence(&why))),
        Ok(_) => {}
    }
    let read = async move |tx: &mut Tx| {
        let found = disputes::find(tx, caller.merchant, dispute).await?;
        Ok(found.zip(Some(told(tx, caller.merchant, dispute).await?)))
    };
    let (dispute, evidence) = app.store.read(read).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(Dispute::with(&Submitted { dispute, evidence })?))
}

/// Show what lost disputes usually mean
#[utoipa::path(
    get, path = "/v1/dispute_settings", tag = "Disputes", operation_id = "showDisputeSettings",
    responses((status = 200, description = "What is set", body = DisputeSettings), Common),
    security(("key" = ["payments:read"]))
)]
pub async fn settings(
    State(app): State<App>,
    May(caller, _): May<PaymentsRead>,
) -> Result<Json<DisputeSettings>, Problem> {
    let read = async move |tx: &mut Tx| disputes::when_lost(tx, caller.merchant).await;
    Ok(Json(DisputeSettings { when_lost: WhenLost::of(app.store.read(read).await?) }))
}

/// Set what lost disputes usually mean
///
/// For all that end from now on and say nothing else.
#[utoipa::path(
    post, path = "/v1/dispute_settings", tag = "Disputes", operation_id = "setDisputeSettings",
    request_body = DisputeSettings,
    responses((status = 200, description = "What is set", body = DisputeSettings), Common, CannotSetDisputes),
    security(("key" = ["payments:write"]))
)]
pub async fn set_settings(
    State(app): State<App>,
    May(caller, _): May<PaymentsWrite>,
    Body(new): Body<DisputeSettings>,
) -> Result<Json<DisputeSettings>, Problem> {
    let input = SetWhenLost {
        merchant: caller.merchant,
        dispute: None,
        when_lost: Some(new.when_lost.meaning()),
        actor: caller.actor(),
    };
    match set_when_lost(&app, input).await? {
        Ok(meaning) => Ok(Json(DisputeSettings { when_lost: WhenLost::of(meaning) })),
        Err(why) => Err(Problem::new(Code::DisputeEnded, sentence(&why))),
    }
}
