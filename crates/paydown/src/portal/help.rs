//! `/help` and the same in each portal: pages and answers, as HTML and as Markdown. The same for everybody, so caches may keep
//! it; it reads no session, sets no cookie and writes nothing. What is asked is not kept and stands in no log.

use crate::app::App;
use crate::help::answer::{Asked, ask};
use crate::help::markdown;
use crate::help::page::{Page, named};
use crate::help::render::Place;
use crate::pages::help::{Body, HelpView, PlainHelp, PortalHelp};
use crate::portal::context::Ctx;
use crate::portal::fail::Fail;
use askama::Template as _;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use url::form_urlencoded;

/// Help changes with the program only. A cache of many people must not keep what one of them asked.
const OF_PAGES: &str = "public, max-age=300";
const OF_ANSWERS: &str = "private, max-age=300";

/// The form an answer is given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Html,
    Markdown,
}

/// `GET /help`.
pub async fn contents(RawQuery(query): RawQuery) -> Result<Response, Fail> {
    answer(None, &Place::of_the_program(), None, Form::Html, query.as_deref())
}

/// `GET /help.md`.
pub async fn contents_as_markdown(RawQuery(query): RawQuery) -> Result<Response, Fail> {
    answer(None, &Place::of_the_program(), None, Form::Markdown, query.as_deref())
}

/// `GET /help/{page}`, with `.md` at the end for Markdown.
pub async fn page(Path(name): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Fail> {
    let (name, form) = form_of(&name);
    let place = Place::of_the_program();
    let Some(page) = named(name, place.only) else { return no_such_page(place, form) };
    answer(None, &place, Some(page), form, query.as_deref())
}

/// `GET /p/{merchant}/help`.
pub async fn contents_in_portal(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Response, Fail> {
    let place = Place::of_merchant(&ctx.merchant.slug);
    answer(Some(&ctx), &place, None, Form::Html, query.as_deref())
}

/// `GET /p/{merchant}/help.md`.
pub async fn contents_in_portal_as_markdown(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Response, Fail> {
    let place = Place::of_merchant(&ctx.merchant.slug);
    answer(Some(&ctx), &place, None, Form::Markdown, query.as_deref())
}

/// `GET /p/{merchant}/help/{page}`.
pub async fn page_in_portal(
    ctx: Ctx,
    Path((_, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fail> {
    let (name, form) = form_of(&name);
    let place = Place::of_merchant(&ctx.merchant.slug);
    let page = named(name, place.only).ok_or(Fail::NotFound)?;
    answer(Some(&ctx), &place, Some(page), form, query.as_deref())
}

/// `GET /llms.txt`.
pub async fn llms(State(app): State<App>) -> Response {
    text(StatusCode::OK, OF_PAGES, markdown::llms(&app.public_url))
}

/// `GET /llms-full.txt`.
pub async fn llms_full(State(app): State<App>) -> Response {
    text(StatusCode::OK, OF_PAGES, markdown::llms_full(&app.public_url))
}

fn form_of(name: &str) -> (&str, Form) {
    name.strip_suffix(".md").map_or((name, Form::Html), |name| (name, Form::Markdown))
}

/// What was asked: the first `ask` of a query, whatever else is in it.
fn question(query: Option<&str>) -> String {
    let mut fields = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    fields.find(|(name, _)| name == "ask").map_or_else(String::new, |(_, asked)| asked.trim().to_owned())
}

fn answer(
    ctx: Option<&Ctx>,
    place: &Place,
    page: Option<&'static Page>,
    form: Form,
    query: Option<&str>,
) -> Result<Response, Fail> {
    let question = question(query);
    let asked = ask(&question, place, page.map(|page| page.name.as_str()));
    let status = if matches!(asked, Asked::TooLong { .. }) {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let keep = if matches!(asked, Asked::Nothing) { OF_PAGES } else { OF_ANSWERS };
    if form == Form::Markdown {
        let answered = markdown::asked(&question, &asked, place);
        let words = answered.unwrap_or_else(|| match page {
            Some(page) => markdown::page(page, place),
            None => markdown::index(place),
        });
        let kind = [(header::CONTENT_TYPE, markdown::CONTENT_TYPE), (header::CACHE_CONTROL, keep)];
        return Ok((status, kind, words).into_response());
    }
    // What is longer than is read is not repeated either.
    let question = if status == StatusCode::OK { question } else { String::new() };
    html(ctx, status, keep, HelpView::new(place.clone(), page, question, asked))
}

fn html(ctx: Option<&Ctx>, status: StatusCode, keep: &str, view: HelpView) -> Result<Response, Fail> {
    let page = match ctx {
        Some(ctx) => PortalHelp { chrome: ctx.public_chrome(), view }.render()?,
        None => PlainHelp { view }.render()?,
    };
    Ok((status, [(header::CACHE_CONTROL, keep)], Html(page)).into_response())
}

/// The program's help has no merchant's page of errors to fall back on.
fn no_such_page(place: Place, form: Form) -> Result<Response, Fail> {
    if form == Form::Markdown {
        let words = format!("# There is no such page\n\n{}", markdown::index(&place));
        let kind = [(header::CONTENT_TYPE, markdown::CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
        return Ok((StatusCode::NOT_FOUND, kind, words).into_response());
    }
    let view = HelpView { place, page: None, question: String::new(), body: Body::NoSuchPage };
    html(None, StatusCode::NOT_FOUND, "no-store", view)
}

fn text(status: StatusCode, keep: &str, words: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, keep)];
    (status, kind, words).into_response()
}
