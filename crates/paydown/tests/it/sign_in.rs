//! Signing in over HTTP: codes, mailed links in this and in another browser, companies, staying and leaving.

mod codes;
mod fresh;
mod links;
mod sessions;
mod timing;

use crate::mailbox::Letter;
use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use billing::ids::CustomerId;
use paydown::actions::create_customer::{NewCustomer, create_customer};

/// The contact every test has.
const DANA: &str = "dana@acme.example";
const SIGN_IN: &str = "/p/northwind/sign-in";
const CODE: &str = "/p/northwind/sign-in/code";

/// Asks for a code on the sign-in page.
async fn ask(browser: &mut Browser, email: &str) -> Page {
    let page = browser.get(SIGN_IN).await;
    browser.submit(&page, SIGN_IN, &[("email", email)]).await
}

/// Types a code into the page that is open.
async fn type_code(browser: &mut Browser, page: &Page, code: &str) -> Page {
    browser.submit(page, CODE, &[("code", code)]).await
}

/// Asks for a code and reads the mail.
async fn asked(app: &TestApp, browser: &mut Browser) -> (Page, Letter) {
    let page = ask(browser, DANA).await;
    assert_eq!((page.status, page.path.as_str()), (200, CODE));
    (page, app.letter().await)
}

/// Signs in with a code; answers the page it leads to.
async fn signed_in(app: &TestApp, browser: &mut Browser) -> Page {
    let (page, letter) = asked(app, browser).await;
    type_code(browser, &page, &letter.code()).await
}

/// Dana works for another company too.
async fn second_company(app: &TestApp) -> CustomerId {
    let new = NewCustomer {
        merchant: app.merchant,
        name: "Beta Ltd".to_owned(),
        address: String::new(),
        contacts: vec![("Dana".to_owned(), DANA.to_owned())],
    };
    create_customer(&app.app, "cli:test", new).await.expect("the customer is written")
}

/// Six digits that are another code.
fn another(code: &str) -> String {
    let first = if code.starts_with('1') { '2' } else { '1' };
    format!("{first}{}", &code[1..])
}
