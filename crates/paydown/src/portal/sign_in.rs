//! S2 to S4 and leaving. Known and unknown addresses get the same pages at each step.

use crate::actions::request_code::{CodeRequest, RESEND_AFTER, request_code};
use crate::actions::sign_in::{self, Browser, SignedIn};
use crate::csrf::Posted;
use crate::pages::sign_in::{
    CodePage, CodeProblem, CodeWay, CompaniesPage, Company, EmailProblem, SignInLinkPage, SignInPage,
};
use crate::portal::context::Ctx;
use crate::portal::fail::Fail;
use crate::portal::links::Nothing;
use crate::portal::next::Next;
use crate::secrets::token_hash;
use crate::session;
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use billing::contact::comparable_email;
use billing::ids::CustomerId;
use data_encoding::BASE64URL_NOPAD;
use ledger::Money;
use serde::Deserialize;
use store::contacts;
use store::db::Tx;
use store::{invoices, signins};

/// `/sign-in`'s field.
#[derive(Deserialize)]
pub struct Email {
    #[serde(default)]
    email: String,
}

/// `/sign-in/code`'s field.
#[derive(Deserialize)]
pub struct Code {
    /// As it was typed.
    #[serde(default)]
    pub code: String,
}

/// The mailed link's secret, with the code where the browser is another one.
#[derive(Deserialize)]
pub struct Token {
    #[serde(default)]
    token: String,
    code: Option<String>,
}

/// Where to go on afterwards.
#[derive(Deserialize)]
pub struct Onward {
    next: Option<String>,
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
pub async fn form(ctx: Ctx, Query(onward): Query<Onward>) -> Result<Response, Fail> {
    let page = SignInPage { chrome: ctx.chrome(), email: String::new(), problem: None };
    let mut response = ctx.page(StatusCode::OK, &page)?;
    let (app, merchant) = (&ctx.app, ctx.merchant.id);
    match onward.next.as_deref().and_then(Next::parse) {
        Some(next) => add_cookie(&mut response, next.keep(app, merchant)),
        None if ctx.next.is_some() => add_cookie(&mut response, Next::forget(app, merchant)),
        None => {}
    }
    Ok(response)
}

/// `POST /sign-in`.
pub async fn ask(Posted { ctx, form }: Posted<Email>) -> Result<Response, Fail> {
    let Some(email_key) = comparable_email(&form.email) else {
        let empty = form.email.trim().is_empty();
        let problem = Some(if empty { EmailProblem::Empty } else { EmailProblem::NotAnAddress });
        let page = SignInPage { chrome: ctx.chrome(), email: form.email, problem };
        return ctx.page(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    request_code(&ctx.app, code_request(&ctx, email_key)).await?;
    let mut response = ctx.go("/sign-in/code");
    let typed = BASE64URL_NOPAD.encode(form.email.trim().as_bytes());
    let name = session::cookie_name(&ctx.app.public_url, "address");
    add_cookie(&mut response, session::set_cookie(&ctx.app.public_url, &name, &typed));
    Ok(response)
}

/// What is asked for with an address in its comparable form.
pub fn code_request(ctx: &Ctx, email_key: String) -> CodeRequest {
    let (merchant, browser_hash) = (ctx.merchant.id, ctx.browser_hash);
    CodeRequest { merchant, browser_hash, email_key, source: ctx.client.network() }
}

/// `GET /sign-in/code`.
pub async fn code_form(ctx: Ctx, headers: HeaderMap) -> Result<Response, Fail> {
    let Some(email) = typed_address(&ctx, &headers) else { return Ok(ctx.go("/sign-in")) };
    let way = CodeWay::Asked { email, wait_seconds: wait_seconds(&ctx).await? };
    ctx.page(StatusCode::OK, &CodePage { chrome: ctx.chrome(), way, code: String::new(), problem: None })
}

/// `POST /sign-in/code`.
pub async fn try_code(headers: HeaderMap, Posted { ctx, form }: Posted<Code>) -> Result<Response, Fail> {
    let Some(email) = typed_address(&ctx, &headers) else { return Ok(ctx.go("/sign-in")) };
    let (token, browser) = browser(&ctx, None);
    let outcome = match six_digits(&form.code) {
        Some(code) => Ok(sign_in::consume_code(&ctx.app, browser, code).await?),
        None => Err(CodeProblem::Empty),
    };
    let way = CodeWay::Asked { email, wait_seconds: wait_seconds(&ctx).await? };
    finish(&ctx, outcome, &token, (way, form.code))
}

/// `GET /sign-in/link`: a page with a button, or in another browser with a field for the code. Opening it consumes
/// nothing, however often.
pub async fn link_form(ctx: Ctx, Query(link): Query<Token>) -> Result<Response, Fail> {
    let (merchant, hash) = (ctx.merchant.id, token_hash(&link.token));
    let read = async move |tx: &mut Tx| signins::latest_by_link(tx, merchant, &hash).await;
    let found = ctx.app.store.read(read).await?;
    let state = found
        .map_or(Some(SignedIn::Ended), |signin| sign_in::link_state(&signin, &ctx.browser_hash, ctx.now));
    let problem = match state {
        None => {
            return ctx.page(StatusCode::OK, &SignInLinkPage { chrome: ctx.chrome(), token: link.token });
        }
        Some(SignedIn::NoTriesLeft) => Some(CodeProblem::TooManyTries),
        Some(SignedIn::Ended) => Some(CodeProblem::Ended),
        Some(_) => None,
    };
    let way = CodeWay::Link { token: link.token };
    ctx.page(StatusCode::OK, &CodePage { chrome: ctx.chrome(), way, code: String::new(), problem })
}

/// `POST /sign-in/link`.
pub async fn follow_link(Posted { ctx, form }: Posted<Token>) -> Result<Response, Fail> {
    let (token, browser) = browser(&ctx, None);
    let typed = form.code.unwrap_or_default();
    let outcome = sign_in::consume_link(&ctx.app, browser, &form.token, six_digits(&typed)).await?;
    let outcome = if outcome == SignedIn::OtherBrowser { Err(CodeProblem::Empty) } else { Ok(outcome) };
    finish(&ctx, outcome, &token, (CodeWay::Link { token: form.token }, typed))
}

/// Spaces and dashes are how people group digits. Whatever else is no code, and trying it costs nothing.
pub fn six_digits(typed: &str) -> Option<String> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    (code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// The browser that tries to sign in, and the token its session will have.
pub fn browser(ctx: &Ctx, meant: Option<CustomerId>) -> (String, Browser) {
    let (token, new_session) = session::new_token(&ctx.app.mint());
    let (merchant, browser_hash) = (ctx.merchant.id, ctx.browser_hash);
    (token, Browser { merchant, browser_hash, old_session: ctx.session_hash(), new_session, meant })
}

/// Seconds until this browser may ask for another code.
pub async fn wait_seconds(ctx: &Ctx) -> Result<u32, Fail> {
    let (merchant, browser_hash) = (ctx.merchant.id, ctx.browser_hash);
    let read = async move |tx: &mut Tx| signins::latest_by_browser(tx, merchant, &browser_hash).await;
    let last = ctx.app.store.read(read).await?;
    let left = last.map_or(0, |last| (last.created_at + RESEND_AFTER).duration_since(ctx.now).as_secs());
    Ok(u32::try_from(left).unwrap_or(0))
}

/// Signed in: on with it. Else the same page again, with what is wrong.
pub fn finish(
    ctx: &Ctx,
    outcome: Result<SignedIn, CodeProblem>,
    token: &str,
    (way, code): (CodeWay, String),
) -> Result<Response, Fail> {
    let problem = match outcome {
        Ok(SignedIn::Yes(chosen)) => return Ok(signed_in(ctx, chosen, token)),
        Ok(SignedIn::Wrong(left)) => CodeProblem::Wrong { tries_left: u8::try_from(left).unwrap_or(0) },
        Ok(SignedIn::NoTriesLeft) => CodeProblem::TooManyTries,
        Ok(SignedIn::Ended | SignedIn::OtherBrowser) => CodeProblem::Ended,
        Err(problem) => problem,
    };
    let page = CodePage { chrome: ctx.chrome(), way, code, problem: Some(problem) };
    ctx.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn signed_in(ctx: &Ctx, chosen: bool, token: &str) -> Response {
    let mut response = if chosen { go_on(ctx) } else { ctx.go("/companies") };
    let url = &ctx.app.public_url;
    let (name, address) = (session::session_name(url, ctx.merchant.id), session::cookie_name(url, "address"));
    add_cookie(&mut response, session::set_cookie(url, &name, token));
    add_cookie(&mut response, session::drop_cookie(url, &address));
    response
}

/// To where somebody was before they had to sign in, else to the list.
fn go_on(ctx: &Ctx) -> Response {
    let Some(next) = &ctx.next else { return ctx.go("/invoices") };
    let mut response = ctx.go(next.as_str());
    add_cookie(&mut response, Next::forget(&ctx.app, ctx.merchant.id));
    response
}

fn add_cookie(response: &mut Response, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
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
    Ok(go_on(&ctx))
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
