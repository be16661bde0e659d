//! `kill -9` at each step of taking money, then a start. The server is the one that people run; it is held at the step from
//! outside, by a processor that does not answer or a database that refuses one change, and killed there.
//!
//! After each: exactly one payment or a clear refusal, the page opened again is right, and [`Place::finish`].

mod before_the_card;
mod cancel;
mod load;
mod paid;

use crate::payer::{Page, PayForm, Payer};
use crate::place::Place;
use billing::payment::PaymentState;
use tokio::task::JoinHandle;

/// Makes one body into two tests, `name::sqlite` and `name::postgres`, over a database that is still empty.
macro_rules! on_both_engines {
    ($name:ident, $body:expr $(,)?) => {
        store::both_engines!($name, &[], async |database: store::testing::TestDatabase| {
            let body = $body;
            body(Place::open(database).await).await;
        });
    };
}
use on_both_engines;

/// The call that makes a card page.
const MAKE: &str = "POST /v1/checkout/sessions";
/// The call that reads it.
const READ: &str = "GET /v1/checkout/sessions/{id}";
/// The call that ends it.
const END: &str = "POST /v1/checkout/sessions/{id}/expire";

/// The invoice of these tests, 1,250.00, and the part that is paid.
const INVOICE: &str = "INV-1";
const PART: i64 = 40_000;

/// A payer with the form for a part, before it is sent.
async fn about_to_pay(place: &mut Place) -> (Payer, String, PayForm) {
    let (mut payer, invoice_path) = place.payer(INVOICE).await;
    let form = payer.form(&invoice_path, PART).await;
    (payer, invoice_path, form)
}

/// Sends the form and does not wait for an answer. The payer is back when it has come, or when the server is gone.
fn press(mut payer: Payer, form: &PayForm) -> JoinHandle<(Payer, reqwest::Result<Page>)> {
    let form = form.clone();
    tokio::spawn(async move {
        let page = payer.try_press(&form).await;
        (payer, page)
    })
}

/// The payer after the server died under the request.
async fn left_alone(pressed: JoinHandle<(Payer, reqwest::Result<Page>)>, place: &Place) -> Payer {
    let (mut payer, page) = pressed.await.expect("nobody panics");
    assert!(page.is_err(), "no answer comes from a dead server: {page:?}");
    payer.origin.clone_from(&place.origin);
    payer
}

/// The payer went on to the card page and paid: the part is paid, once, and the rest stays.
async fn goes_on_and_pays(place: Place, mut payer: Payer, invoice_path: &str, payment: &str) {
    place.state(payment, PaymentState::RequiresAction).await;
    assert_eq!(place.figures(INVOICE).await, (125_000, PART, 0));
    let (portal, _) = invoice_path.split_once("/invoices/").expect("a page of an invoice");
    let invoice = payer.get(invoice_path).await;
    invoice.says("$850.00");
    let card_page = payer.get(&format!("{portal}/payments/{payment}/continue")).await.left_for;
    let attempt = place.attempt(payment).await.expect("an attempt");
    assert_eq!(card_page, attempt.session_url, "the page that was made is the one to go to");
    place.pay(payment).await;
    payer.get(&format!("{portal}/payments/{payment}/return")).await.says("Payment received");
    is_paid_once(place, payer, invoice_path, payment).await;
}

/// One payment, one page at the processor, the part paid, the rest left.
async fn is_paid_once(place: Place, mut payer: Payer, invoice_path: &str, payment: &str) {
    place.state(payment, PaymentState::Succeeded).await;
    let (portal, _) = invoice_path.split_once("/invoices/").expect("a page of an invoice");
    let page = payer.get(&format!("{portal}/payments/{payment}")).await;
    page.says("Payment received");
    page.says("$850.00 is left on");
    payer.get(invoice_path).await.says("Pay $850.00");
    assert_eq!(place.figures(INVOICE).await, (125_000 - PART, 0, PART));
    assert_eq!((place.count_payments().await, place.sessions().await.len()), (1, 1));
    place.finish(&[&payer]).await;
}
