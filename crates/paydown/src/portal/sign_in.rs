//! S2 to S4 and leaving. Known and unknown addresses get the same pages at each step.

use crate::actions::sign_in::{self, Browser, SignedIn};
use crate::csrf::Posted;
use crate::pages::sign_in::{
    CodePage, CodeProblem, CompaniesPage, Company, EmailProblem, SignInLinkPage, SignInPage,
};
use crate::portal::context::Ctx;
use crate::portal::fail::Fail;
use crate::portal::links::Nothing;
use crate::session;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use billing::contact::comparable_email;
use data_encoding::BASE64URL_NOPAD;
use ledger::Money;
use serde::Deserialize;
use store::contacts;
use store::db::Tx;
use store::invoices;

/// `/sign-in`'s field.
#[derive(Deserialize)]
pub struct Email {
    #[serde(default)]
    email: String,
}

/// `/sign-in/code`'s field.
#[derive(Deserialize)]
pub struct Code {
    #[serde(default)]
    code: String,
}

/// The mailed link's secret.
#[derive(Deserialize)]
pub struct Token {
    #[serde(default)]
    token: String,
}

/// The company that was chosen.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    customer: String,
}

/// `GET /p/{merchant}`: the billing link.
pub async fn front(ctx: Ctx) -> Response {
    if ctx.contact.is_some() { ctx.go("/invoices") } else { ctx.go("/sign-in") }
}

/// `GET /sign-in`.
pub async fn form(ctx: Ctx) -> Result<Response, Fail> {
    ctx.page(StatusCode::OK, &SignInPage { chrome: ctx.chrome(), email: String::new(), problem: None })
}

/// `POST /sign-in`.
pub async fn ask(Posted { ctx, form }: Posted<Email>) -> Result<Response, Fail> {
    let Some(key) = comparable_email(&form.email) else {
        let empty = form.email.trim().is_empty();
        let problem = Some(if empty { EmailProblem::Empty } else { EmailProblem::NotAnAddress });
        let page = SignInPage { chrome: ctx.chrome(), email: form.email, problem };
        return ctx.page(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    sign_in::request_code(&ctx.app, ctx.merchant.id, ctx.browser_hash, key, ctx.ip.clone()).await?;
    let mut response = ctx.go("/sign-in/code");
    let typed = BASE64URL_NOPAD.encode(form.email.trim().as_bytes());
    let name = session::cookie_name(&ctx.app.public_url, "address");
    response
        .headers_mut()
        .append(header::SET_COOKIE, session::set_cookie(&ctx.app.public_url, &name, &typed));
    Ok(response)
}

/// `GET /sign-in/code`.
pub async fn code_form(ctx: Ctx, headers: HeaderMap) -> Result<Response, Fail> {
    match typed_address(&ctx, &headers) {
        Some(email) => code_page(&ctx, StatusCode::OK, email, String::new(), None),
        None => Ok(ctx.go("/sign-in")),
    }
}

/// `POST /sign-in/code`.
pub async fn try_code(headers: HeaderMap, Posted { ctx, form }: Posted<Code>) -> Result<Response, Fail> {
    let Some(email) = typed_address(&ctx, &headers) else { return Ok(ctx.go("/sign-in")) };
    let code: String = form.code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.is_empty() {
        let problem = Some(CodeProblem::Empty);
        return code_page(&ctx, StatusCode::UNPROCESSABLE_ENTITY, email, String::new(), problem);
    }
    let (token, browser) = browser(&ctx);
    let outcome = sign_in::consume_code(&ctx.app, browser, code).await?;
    finish(&ctx, outcome, &token, email, form.code)
}

/// `GET /sign-in/link`: a page with a button; opening it consumes nothing.
pub async fn link_form(ctx: Ctx, Query(link): Query<Token>) -> Result<Response, Fail> {
    ctx.page(StatusCode::OK, &SignInLinkPage { chrome: ctx.chrome(), token: link.token })
}

/// `POST /sign-in/link`.
pub async fn follow_link(headers: HeaderMap, Posted { ctx, form }: Posted<Token>) -> Result<Response, Fail> {
    let (token, browser) = browser(&ctx);
    let outcome = sign_in::consume_link(&ctx.app, browser, &form.token).await?;
    if outcome == SignedIn::OtherBrowser {
        return Ok(ctx.go("/sign-in/code"));
    }
    let email = typed_address(&ctx, &headers).unwrap_or_default();
    finish(&ctx, outcome, &token, email, String::new())
}

fn browser(ctx: &Ctx) -> (String, Browser) {
    let (token, new_session) = session::new_token(&ctx.app.mint());
    let (merchant, browser_hash) = (ctx.merchant.id, ctx.browser_hash);
    (token, Browser { merchant, browser_hash, old_session: ctx.session_hash(), new_session })
}

fn finish(ctx: &Ctx, outcome: SignedIn, token: &str, email: String, code: String) -> Result<Response, Fail> {
    let problem = match outcome {
        SignedIn::Yes(chosen) => {
            let mut response = ctx.go(if chosen { "/invoices" } else { "/companies" });
            let url = &ctx.app.public_url;
            let name = session::session_name(url, ctx.merchant.id);
            let address = session::cookie_name(url, "address");
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, session::set_cookie(url, &name, token));
            headers.append(header::SET_COOKIE, session::drop_cookie(url, &address));
            return Ok(response);
        }
        SignedIn::Wrong(left) => CodeProblem::Wrong { tries_left: u8::try_from(left).unwrap_or(0) },
        SignedIn::NoTriesLeft => CodeProblem::TooManyTries,
        SignedIn::Ended | SignedIn::OtherBrowser => CodeProblem::Ended,
    };
    code_page(ctx, StatusCode::UNPROCESSABLE_ENTITY, email, code, Some(problem))
}

fn code_page(
    ctx: &Ctx,
    status: StatusCode,
    email: String,
    code: String,
    problem: Option<CodeProblem>,
) -> Result<Response, Fail> {
    ctx.page(status, &CodePage { chrome: ctx.chrome(), email, code, problem, before_paying: None })
}

fn typed_address(ctx: &Ctx, headers: &HeaderMap) -> Option<String> {
    let name = session::cookie_name(&ctx.app.public_url, "address");
    let bytes = BASE64URL_NOPAD.decode(session::cookie(headers, &name)?.as_bytes()).ok()?;
    String::from_utf8(bytes).ok()
}

/// `GET /companies`.
pub async fn companies(ctx: Ctx) -> Result<Response, Fail> {
    companies_page(&ctx, StatusCode::OK, false).await
}

/// `POST /companies`.
pub async fn choose(Posted { ctx, form }: Posted<Chosen>) -> Result<Response, Fail> {
    let (Some(hash), Some(email)) = (ctx.session_hash(), proved(&ctx)) else { return Ok(ctx.go("/sign-in")) };
    let merchant = ctx.merchant.id;
    let people = ctx
        .app
        .store
        .read(async move |tx: &mut Tx| contacts::find_by_email(tx, merchant, &email).await)
        .await?;
    let chosen = people.iter().find(|contact| contact.customer_id.to_string() == form.customer);
    let Some(contact) = chosen else {
        return companies_page(&ctx, StatusCode::UNPROCESSABLE_ENTITY, true).await;
    };
    if !sign_in::choose_company(&ctx.app, merchant, hash, contact.id).await? {
        return Err(Fail::NotFound);
    }
    Ok(ctx.go("/invoices"))
}

fn proved(ctx: &Ctx) -> Option<String> {
    ctx.session.as_ref().and_then(|session| session.email_key.clone())
}

async fn companies_page(ctx: &Ctx, status: StatusCode, nothing_chosen: bool) -> Result<Response, Fail> {
    let Some(email) = proved(ctx) else { return Ok(ctx.go("/sign-in")) };
    let (merchant, today) = (ctx.merchant.id, ctx.today());
    let acting = ctx.contact.as_ref().map(|contact| contact.id);
    let companies = ctx
        .app
        .store
        .read(async move |tx: &mut Tx| {
            let mut companies = Vec::new();
            for contact in contacts::find_by_email(tx, merchant, &email).await? {
                let owed = invoices::owed(tx, merchant, contact.customer_id, today).await?;
                let open: i64 = owed.iter().map(|row| row.invoices).sum();
                companies.push(Company {
                    id: contact.customer_id.to_string(),
                    name: contact.customer_name,
                    open_invoices: u32::try_from(open).unwrap_or(u32::MAX),
                    left: owed.iter().map(|row| Money::new(row.payable_minor, row.currency)).collect(),
                    chosen: acting == Some(contact.id),
                });
            }
            Ok(companies)
        })
        .await?;
    ctx.page(status, &CompaniesPage { chrome: ctx.chrome(), companies, nothing_chosen })
}

/// `POST /stay`: the page stays as it is.
pub async fn stay(Posted { ctx, .. }: Posted<Nothing>) -> Result<Response, Fail> {
    let hash = ctx.session_hash().ok_or(Fail::FormNotOurs)?;
    sign_in::stay(&ctx.app, ctx.merchant.id, hash).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /sign-out`.
pub async fn leave(Posted { ctx, .. }: Posted<Nothing>) -> Result<Response, Fail> {
    if let Some(hash) = ctx.session_hash() {
        sign_in::sign_out(&ctx.app, ctx.merchant.id, hash).await?;
    }
    let mut response = ctx.go("/sign-in");
    let name = session::session_name(&ctx.app.public_url, ctx.merchant.id);
    response.headers_mut().append(header::SET_COOKIE, session::drop_cookie(&ctx.app.public_url, &name));
    Ok(response)
}
