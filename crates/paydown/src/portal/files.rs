//! Style sheets, scripts, icons and the merchant's own colour and logo. Public; says nothing about anybody.

use crate::app::App;
use crate::assets;
use crate::look::Brand;
use crate::portal::context::Ctx;
use crate::portal::fail::Fail;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use store::db::Tx;
use store::merchants;

/// `/assets/{name}`.
pub async fn asset(Path(name): Path<String>) -> Result<Response, Fail> {
    let asset = assets::find(&name).ok_or(Fail::NotFound)?;
    let headers =
        [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, assets::CACHE_CONTROL)];
    Ok((headers, asset.bytes.as_ref()).into_response())
}

/// `/favicon.svg` and `/favicon.ico`.
pub async fn icon() -> Response {
    let asset = assets::named("favicon.svg");
    let headers =
        [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, "public, max-age=86400")];
    (headers, asset.bytes.as_ref()).into_response()
}

/// `/p/{merchant}/{file}`: the brand's style sheet, under the name that its contents give it.
pub async fn brand(ctx: Ctx, Path((_, file)): Path<(String, String)>) -> Result<Response, Fail> {
    let brand = Brand::from_hex(&ctx.merchant.brand_color).unwrap_or_default();
    if file != brand.stylesheet_name() {
        return Err(Fail::NotFound);
    }
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, assets::CACHE_CONTROL)];
    Ok((headers, brand.stylesheet()).into_response())
}

/// `/p/{merchant}/logo`.
pub async fn logo(State(app): State<App>, ctx: Ctx) -> Result<Response, Fail> {
    let merchant = ctx.merchant.id;
    let found = app.store.read(async move |tx: &mut Tx| merchants::logo(tx, merchant).await).await?;
    let png = found.ok_or(Fail::NotFound)?;
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "public, max-age=300")];
    Ok((headers, png).into_response())
}
