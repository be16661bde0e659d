//! S1, where the merchant wants to know who pays: before the payment a code goes to the contact the link was sent to.
//! Whoever types it is signed in and comes back to the amount. It never shows that contact's address in full.

use crate::actions::request_code::request_code;
use crate::csrf::Posted;
use crate::pages::link::LinkState;
use crate::pages::sign_in::CodeWay;
use crate::portal::context::{Access, Ctx};
use crate::portal::fail::Instead;
use crate::portal::invoice::{self, Amount};
use crate::portal::links::{self, Nothing};
use crate::portal::load::{self, Loaded};
use crate::portal::next::Next;
use crate::portal::refusals::Asked;
use crate::portal::sign_in::{Code, code_page, code_request, last_asked, tried, wait_seconds};
use crate::portal::typed::Field;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use billing::contact::masked_email;
use ledger::Money;
use store::contacts::{self, Contact};
use store::db::Tx;

/// True when this reader must first say who they are.
pub fn is_needed(loaded: &Loaded, amount: Money) -> bool {
    matches!(loaded.access, Access::Link(_)) && loaded.terms.policy.identify.is_demanded_for(amount)
}

/// The page that asks for it, under the portal.
pub fn page_of(loaded: &Loaded, amount: Money) -> String {
    format!("/invoices/{}/identify?amount={}", loaded.invoice.id, amount.minor())
}

/// What is paid, and whose mailbox proves who pays.
struct Payer {
    loaded: Loaded,
    amount: Money,
    contact: Contact,
}

/// `GET /invoices/{id}/identify`.
pub async fn ask(
    ctx: Ctx,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<Amount>,
) -> Result<Response, Instead> {
    let asked = find(&ctx, &id, &query).await?;
    let state = LinkState::Identify {
        amount: asked.amount,
        masked_email: masked_email(&asked.contact.email),
        send_url: format!("{}{}", ctx.base(), page_of(&asked.loaded, asked.amount)),
    };
    Ok(links::page(&ctx, StatusCode::OK, state)?)
}

/// `POST /invoices/{id}/identify`: sends the code.
pub async fn send(
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<Amount>,
    Posted { ctx, .. }: Posted<Nothing>,
) -> Result<Response, Instead> {
    let asked = find(&ctx, &id, &query).await?;
    request_code(&ctx.app, code_request(&ctx, asked.contact.email_key.clone())).await?;
    Ok(ctx.go(&code_page_of(&asked)))
}

/// `GET /invoices/{id}/identify/code`.
pub async fn code_form(
    ctx: Ctx,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<Amount>,
) -> Result<Response, Instead> {
    let asked = find(&ctx, &id, &query).await?;
    let signin = last_asked(&ctx).await?;
    let way = CodeWay::BeforePaying {
        amount: asked.amount,
        masked_email: masked_email(&asked.contact.email),
        invoice_id: asked.loaded.invoice.id.to_string(),
        wait_seconds: wait_seconds(&ctx, signin.as_ref()),
    };
    Ok(code_page(&ctx, way, Field::PayerCode, signin.as_ref())?)
}

/// `POST /invoices/{id}/identify/code`.
pub async fn try_code(
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<Amount>,
    Posted { mut ctx, form }: Posted<Code>,
) -> Result<Response, Instead> {
    let asked = find(&ctx, &id, &query).await?;
    ctx.next = Next::parse(&pay_page(&asked.loaded, asked.amount));
    Ok(match tried(&ctx, &form.code, Some(asked.loaded.invoice.customer_id)).await? {
        Some(signed_in) => signed_in,
        None => ctx.go_back(&code_page_of(&asked), Field::PayerCode, &form.code),
    })
}

fn code_page_of(asked: &Payer) -> String {
    format!("/invoices/{}/identify/code?amount={}", asked.loaded.invoice.id, asked.amount.minor())
}

fn pay_page(loaded: &Loaded, amount: Money) -> String {
    format!("/invoices/{}/pay?amount={}", loaded.invoice.id, amount.minor())
}

/// Who is asked, or the page that is shown instead: on to paying where nobody need be asked, to sign-in where the link was
/// sent to nobody.
async fn find(ctx: &Ctx, id: &str, query: &Amount) -> Result<Payer, Instead> {
    let loaded = load::load(ctx, id).await?;
    let minor = query.minor().unwrap_or(loaded.invoice.figures.payable_now().minor());
    let amount = match loaded.terms.decide(minor) {
        Ok(accepted) => accepted.amount,
        Err(refusal) => {
            let page = invoice::refused(ctx, &loaded, Asked::Drawn(minor), &refusal)?;
            return Err(Instead::page(page));
        }
    };
    let grant = match &loaded.access {
        Access::Link(grant) if is_needed(&loaded, amount) => grant,
        _ => return Err(Instead::page(ctx.go(&pay_page(&loaded, amount)))),
    };
    let (merchant, sent_to) = (ctx.merchant.id, grant.contact_id);
    let read = async move |tx: &mut Tx| match sent_to {
        Some(contact) => contacts::find(tx, merchant, contact).await,
        None => Ok(None),
    };
    match ctx.app.store.read(read).await? {
        Some(contact) => Ok(Payer { loaded, amount, contact }),
        None => Err(Instead::page(ctx.go(&format!("/sign-in?next={}", pay_page(&loaded, amount))))),
    }
}
