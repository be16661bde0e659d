//! The help at every width and in every scheme, with and without JavaScript; and the pictures in it, which are made here
//! of our own pages. They are renewed in the sources only when `PAYDOWN_UPDATE_PICTURES` is set.

use crate::stage::{Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor, pictures};
use paydown::actions::set_merchant_links::{SetMerchantLinks, set_merchant_links};
use paydown::assets;
use serde_json::json;
use std::path::Path;
use store::merchant_links::MerchantLink;

/// A telephone, in CSS pixels, and how fine its screen is.
const PHONE_WIDTH: u32 = 390;
const FINENESS: u32 = 2;
/// The largest picture, bytes.
const LARGEST: usize = 60 * 1024;

const FIRST: &str = "making-a-partial-invoice-payment";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_help() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        set_links(stage).await;
        let portal = "/p/northwind/help";
        visitor.examine_at("help-contents", portal, "Ask in your own words").await;
        visitor.examine_at("help-page", &format!("{portal}/{FIRST}"), "Pay a part of an invoice").await;
        let asked = format!("{portal}?ask=my+visa+was+rejected");
        visitor.examine_at("help-answer", &asked, "What the help says").await;
        let asked = format!("{portal}?ask=recipe+for+banana+bread");
        visitor.examine_at("help-not-found", &asked, "The help does not say").await;
        visitor.examine_at("help-program-contents", "/help", "For people who run Paydown").await;
        visitor.examine_at("help-program-settings", "/help/settings", "All settings").await;
        let asked = "/help/proxies?ask=nginx+in+front";
        visitor.examine_at("help-program-answer", asked, "What the help says").await;
        visitor.examine_at("help-no-such-page", "/help/nothing", "There is no such page").await;
        let long = format!("/help?ask={}", "a".repeat(501));
        visitor.examine_at("help-too-long", &long, "That question is too long").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_without_javascript() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        set_links(stage).await;
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.press("Help").await;
        visitor.press("Pay a part of an invoice").await;
        visitor.sees("What stays on the invoice").await;
        visitor.fill("Ask in your own words", "how long does a link work").await;
        visitor.press("Find an answer").await;
        visitor.sees("What the help says").await;
        visitor.sees("for 90 days after the invoice is paid").await;
        visitor.press("Links to an invoice: How long a link works").await;
        visitor.sees("The page closes after 30 minutes").await;
        assert_eq!(visitor.path().await, "/p/northwind/help/payment-links");
        visitor.fill("Ask in your own words", "banana bread").await;
        visitor.press("Find an answer").await;
        visitor.sees("The help does not say").await;
        visitor.press("Sign in with a code").await;
        visitor.sees("There is no password.").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pictures() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        let size =
            json!({ "width": PHONE_WIDTH, "height": 844, "deviceScaleFactor": FINENESS, "mobile": false });
        visitor.devtools("Emulation.setDeviceMetricsOverride", size).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.sees("Amount due $1,250.00").await;
        photograph(visitor, "help-invoice", "main .card").await;
        visitor.press("Change amount").await;
        visitor.fill("Amount to pay now, in US dollars", "500").await;
        visitor.sees("Left to pay after this: $750.00").await;
        photograph(visitor, "help-amount", "main .card").await;
        visitor.press("Confirm amount").await;
        visitor.sees("You are paying $500.00").await;
        photograph(visitor, "help-chosen", "main .card").await;
        visitor.press("Pay partial amount: $500.00").await;
        visitor.sees("Check and pay").await;
        visitor.fill("E-mail for the receipt", "dana@acme.example").await;
        photograph(visitor, "help-check", "main .card").await;
        visitor.go_to_card_page().await;
        visitor.pay_by(VISA, "$500.00").await;
        visitor.sees("Payment received").await;
        photograph(visitor, "help-received", "main .card").await;
        visitor.press("Back to invoice").await;
        visitor.sees("Left to pay $750.00").await;
        photograph(visitor, "help-left", "main .card").await;
        visitor.go("/p/northwind/sign-in").await;
        visitor.sees("See your invoices").await;
        visitor.fill("Work e-mail", "dana@acme.example").await;
        photograph(visitor, "help-sign-in", "main .card").await;
    })
    .await;
}

/// A picture of a part of the page. The one in the sources must be there, whatever this one looks like: browsers of other
/// versions draw letters a little otherwise.
async fn photograph(visitor: &Visitor, name: &str, part: &str) {
    let script = "const at = document.querySelector(arguments[0]).getBoundingClientRect(); \
        return [Math.max(0, at.x + scrollX - 8), Math.max(0, at.y + scrollY - 8), at.width + 16, at.height + 16]";
    let place = visitor.ask(script, vec![json!(part)]).await;
    let clip = json!({ "x": place[0], "y": place[1], "width": place[2], "height": place[3], "scale": 1 });
    let wish = json!({ "format": "webp", "quality": 70, "captureBeyondViewport": true, "clip": clip });
    let picture = visitor.devtools("Page.captureScreenshot", wish).await;
    let encoded = picture["data"].as_str().expect("a picture");
    let bytes = data_encoding::BASE64.decode(encoded.as_bytes()).expect("base64");
    let (wide, high) = paydown::help::render::webp_size(&bytes).expect("a WebP picture");
    assert!(wide <= PHONE_WIDTH * FINENESS && high > 100, "{name} is {wide} by {high}");
    assert!(bytes.len() < LARGEST, "{name} has {} bytes", bytes.len());
    let file = format!("{name}.webp");
    std::fs::write(pictures().join(&file), &bytes).expect("the target folder takes a file");
    if std::env::var_os("PAYDOWN_UPDATE_PICTURES").is_some() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/help");
        std::fs::write(sources.join(&file), &bytes).expect("the sources take a picture");
    } else {
        assert!(!assets::named(&file).bytes.is_empty());
    }
}

async fn set_links(stage: &Stage) {
    let links = MerchantLink::ALL
        .map(|link| (link, Some(format!("https://northwind.example/{}", link.as_str()))))
        .to_vec();
    let input = SetMerchantLinks { merchant: stage.app.merchant, links, actor: "cli:test".to_owned() };
    set_merchant_links(&stage.app.app, input).await.expect("written").expect("they are addresses");
}
