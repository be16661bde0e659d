//! S2 to S4 and leaving. Known and unknown addresses get the same pages at each step.

use crate::actions::request_code::{CodeRequest, RESEND_AFTER, TRIES, request_code};
use crate::actions::sign_in::{self, Browser, SignedIn};
use crate::csrf::Posted;
use crate::pages::sign_in::{
    CodePage, CodeProblem, CodeWay, CompaniesPage, Company, EmailProblem, SignInLinkPage, SignInPage,
};
use crate::portal::context::Ctx;
use crate::portal::fail::Fail;
use crate::portal::links::{Nothing, urlencoded};
use crate::portal::next::Next;
use crate::portal::typed::Field;
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
use store::invoices;
use store::signins::{self, Signin};

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
    let typed = ctx.typed_into(Field::Email);
    let problem = typed.map(|email| match email.trim() {
        "" => EmailProblem::Empty,
        _ => EmailProblem::NotAnAddress,
    });
    let onward = onward.next.as_deref().and_then(Next::parse);
    // Whoever is signed in still, and wants to change what can be debited, does it again.
    let next = onward.as_ref().or(ctx.next.as_ref());
    let again = ctx.contact.as_ref().filter(|_| next.is_some_and(Next::wants_fresh_sign_in));
    let email = typed.or(again.map(|contact| contact.email.as_str())).unwrap_or_default().to_owned();
    let page = SignInPage { chrome: ctx.chrome(), email, problem, again: again.is_some() };
    let mut response = ctx.page(StatusCode::OK, &page)?;
    let (app, merchant) = (&ctx.app, ctx.merchant.id);
    match onward {
        Some(next) => add_cookie(&mut response, next.keep(app, merchant)),
        None if ctx.next.is_some() => add_cookie(&mut response, Next::forget(app, merchant)),
        None => {}
    }
    Ok(if typed.is_some() { ctx.typed_is_shown(response) } else { response })
}

/// `POST /sign-in`.
pub async fn ask(Posted { ctx, form }: Posted<Email>) -> Result<Response, Fail> {
    let Some(email_key) = comparable_email(&form.email) else {
        let onward = ctx.next.as_ref().map_or_else(String::new, |next| format!("?next={next}"));
        return Ok(ctx.go_back(&format!("/sign-in{onward}"), Field::Email, &form.email));
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
    let asked = last_asked(&ctx).await?;
    let way = CodeWay::Asked { email, wait_seconds: wait_seconds(&ctx, asked.as_ref()) };
    code_page(&ctx, way, Field::Code, asked.as_ref())
}

/// `POST /sign-in/code`.
pub async fn try_code(headers: HeaderMap, Posted { ctx, form }: Posted<Code>) -> Result<Response, Fail> {
    if typed_address(&ctx, &headers).is_none() {
        return Ok(ctx.go("/sign-in"));
    }
    Ok(match tried(&ctx, &form.code, None).await? {
        Some(signed_in) => signed_in,
        None => ctx.go_back("/sign-in/code", Field::Code, &form.code),
    })
}

/// Tries a code in this browser: on with whom it signs in. `None`: it was not the one, or none at all, which costs no try.
pub async fn tried(ctx: &Ctx, typed: &str, meant: Option<CustomerId>) -> Result<Option<Response>, Fail> {
    let Some(code) = six_digits(typed) else { return Ok(None) };
    let (token, browser) = browser(ctx, meant);
    Ok(match sign_in::consume_code(&ctx.app, browser, code).await? {
        SignedIn::Yes(chosen) => Some(signed_in(ctx, chosen, &token)),
        _ => None,
    })
}

/// The page that takes a code; right after one was not taken it says why, as the request to sign in stands now. What was
/// typed belongs to the field: for a request that no try was made of, it was meant for an earlier one and says nothing.
pub fn code_page(ctx: &Ctx, way: CodeWay, field: Field, asked: Option<&Signin>) -> Result<Response, Fail> {
    let Some(typed) = ctx.typed_into(field) else {
        let page = CodePage { chrome: ctx.chrome(), way, code: String::new(), problem: None };
        return ctx.page(StatusCode::OK, &page);
    };
    let problem = match asked.map(|signin| (sign_in::over(signin, ctx.now), signin.tries_left)) {
        _ if six_digits(typed).is_none() => Some(CodeProblem::Empty),
        Some((None, TRIES..)) => None,
        Some((None, left)) => Some(CodeProblem::Wrong { tries_left: u8::try_from(left).unwrap_or(0) }),
        Some((Some(SignedIn::NoTriesLeft), _)) => Some(CodeProblem::TooManyTries),
        Some((Some(_), _)) | None => Some(CodeProblem::Ended),
    };
    let code = if problem.is_some() { typed.to_owned() } else { String::new() };
    let page = CodePage { chrome: ctx.chrome(), way, code, problem };
    Ok(ctx.typed_is_shown(ctx.page(StatusCode::OK, &page)?))
}

/// `GET /sign-in/link`: a page with a button, or in another browser with a field for the code. Opening it consumes
/// nothing, however often.
pub async fn link_form(ctx: Ctx, Query(link): Query<Token>) -> Result<Response, Fail> {
    let (merchant, hash) = (ctx.merchant.id, token_hash(&link.token));
    let read = async move |tx: &mut Tx| signins::latest_by_link(tx, merchant, &hash).await;
    let found = ctx.app.store.read(read).await?;
    let state = found
        .as_ref()
        .map_or(Some(SignedIn::Ended), |signin| sign_in::link_state(signin, &ctx.browser_hash, ctx.now));
    let way = CodeWay::Link { token: link.token.clone() };
    let problem = match state {
        None => {
            return ctx.page(StatusCode::OK, &SignInLinkPage { chrome: ctx.chrome(), token: link.token });
        }
        Some(SignedIn::NoTriesLeft) => CodeProblem::TooManyTries,
        Some(SignedIn::Ended) => CodeProblem::Ended,
        Some(_) => return code_page(&ctx, way, Field::LinkCode, found.as_ref()),
    };
    let page = CodePage { chrome: ctx.chrome(), way, code: String::new(), problem: Some(problem) };
    let response = ctx.page(StatusCode::OK, &page)?;
    Ok(if ctx.typed_into(Field::LinkCode).is_some() { ctx.typed_is_shown(response) } else { response })
}

/// `POST /sign-in/link`.
pub async fn follow_link(Posted { ctx, form }: Posted<Token>) -> Result<Response, Fail> {
    let (token, browser) = browser(&ctx, None);
    let typed = form.code.unwrap_or_default();
    let outcome = sign_in::consume_link(&ctx.app, browser, &form.token, six_digits(&typed)).await?;
    Ok(match outcome {
        SignedIn::Yes(chosen) => signed_in(&ctx, chosen, &token),
        _ => {
            let page = format!("/sign-in/link?token={}", urlencoded(&form.token));
            ctx.go_back(&page, Field::LinkCode, &typed)
        }
    })
}

/// Spaces and dashes are how people group digits. Whatever else is no code, and trying it costs nothing.
pub fn six_digits(typed: &str) -> Option<String> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    (code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// The browser that tries to sign in, and the token its session will have.
fn browser(ctx: &Ctx, meant: Option<CustomerId>) -> (String, Browser) {
    let (token, new_session) = session::new_token(&ctx.app.mint());
    let (merchant, browser_hash) = (ctx.merchant.id, ctx.browser_hash);
    (token, Browser { merchant, browser_hash, old_session: ctx.session_hash(), new_session, meant })
}

/// The last request to sign in that came from this browser.
pub async fn last_asked(ctx: &Ctx) -> Result<Option<Signin>, Fail> {
    let (merchant, browser_hash) = (ctx.merchant.id, ctx.browser_hash);
    let read = async move |tx: &mut Tx| signins::latest_by_browser(tx, merchant, &browser_hash).await;
    Ok(ctx.app.store.read(read).await?)
}

/// Seconds until this browser may ask for another code.
pub fn wait_seconds(ctx: &Ctx, asked: Option<&Signin>) -> u32 {
    let left = asked.map_or(0, |last| (last.created_at + RESEND_AFTER).duration_since(ctx.now).as_secs());
    u32::try_from(left).unwrap_or(0)
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

/// Set when the form was sent without a choice.
#[derive(Deserialize)]
pub struct Again {
    again: Option<String>,
}

/// `GET /companies`.
pub async fn companies(ctx: Ctx, Query(again): Query<Again>) -> Result<Response, Fail> {
    companies_page(&ctx, again.again.is_some()).await
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
    let Some(contact) = chosen else { return Ok(ctx.go("/companies?again=1")) };
    if !sign_in::choose_company(&ctx.app, merchant, hash, contact.id).await? {
        return Err(Fail::NotFound);
    }
    Ok(go_on(&ctx))
}

fn proved(ctx: &Ctx) -> Option<String> {
    ctx.session.as_ref().and_then(|session| session.email_key.clone())
}

async fn companies_page(ctx: &Ctx, nothing_chosen: bool) -> Result<Response, Fail> {
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
    ctx.page(StatusCode::OK, &CompaniesPage { chrome: ctx.chrome(), companies, nothing_chosen })
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
