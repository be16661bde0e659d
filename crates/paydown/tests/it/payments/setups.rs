//! Leaving a card or an account without paying: on the processor's page, kept where its owner finished it.

use crate::builders::{DECLINED, VISA};
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::ids::SetupId;
use billing::payment::Method;
use jiff::SignedDuration;
use paydown::actions::apply_setup::{apply_setup, end_setup};
use paydown::actions::start_payment::{Agreement, Payer};
use paydown::actions::start_setup::{SetupStarted, StartSetup, start_setup};
use sandbox::{Fault, FaultKind};
use scraper::{Html, Selector};
use serde_json::{Value, json};
use store::db::Tx;
use store::mandates::{self, GivenFor, Rule};
use store::payment_methods::SavedMethod;
use store::setups::{self, Setup, SetupState};
use store::verifications::{self, Of, State};

impl TestApp {
    /// What Dana asks for when she adds something.
    pub async fn ask_setup(&self, method: Method) -> StartSetup {
        let agreement = Agreement { wording: "Later ones, when I ask.".to_owned(), user_agent: None };
        StartSetup {
            merchant: self.merchant,
            setup: self.app.mint().id(SetupId::new),
            method,
            payer: Payer {
                session_hash: [1; 32],
                contact_id: Some(self.dana().await),
                link_id: None,
                client: None,
            },
            agreement: method.is_bank_debit().then_some(agreement),
            language: "en".to_owned(),
        }
    }

    /// The open page of a setup.
    pub async fn open_setup(&self, method: Method) -> Setup {
        let input = self.ask_setup(method).await;
        let id = input.setup;
        let started = start_setup(&self.app, input).await.expect("it is stored");
        assert!(matches!(started, SetupStarted::Page(_)), "{started:?}");
        self.setup(id).await
    }

    /// A setup as it is stored.
    pub async fn setup(&self, id: SetupId) -> Setup {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| setups::find(tx, merchant, id).await;
        self.app.store.read(read).await.expect("it can be read").expect("it is there")
    }

    /// A scripted payer fills in the page of a setup.
    pub async fn fill_setup(&self, setup: &Setup, payer: Value) {
        let session = setup.session_id.clone().expect("its page was made");
        self.control(&format!("/sessions/{session}/pay"), payer).await;
        self.settle().await;
    }

    /// Dana leaves a card.
    pub async fn add_card(&self, number: &str) -> SavedMethod {
        let setup = self.open_setup(Method::Card).await;
        self.fill_setup(&setup, json!({ "card": number })).await;
        assert_eq!(self.setup(setup.id).await.state, SetupState::Succeeded);
        self.saved().await.pop().expect("it is kept")
    }

    /// Answers the bank's question on its page, as a person would: `approve` or `refuse`.
    pub async fn answer_bank(&self, url: &str, answer: &str) {
        let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let browser = browser.build().expect("a client");
        let page = browser.get(url).send().await.expect("it answers").text().await.expect("a page");
        let (token, code) = {
            let html = Html::parse_document(&page);
            let select = |selector: &str| Selector::parse(selector).expect("a selector");
            let token =
                html.select(&select("input[name=token]")).next().and_then(|field| field.attr("value"));
            let code: String = html.select(&select(".digits")).flat_map(|digits| digits.text()).collect();
            (token.expect("a token").to_owned(), code.trim().to_owned())
        };
        let form = [("token", token.as_str()), ("bank-code", code.as_str()), ("answer", answer)];
        let answer = browser.post(url).form(&form).send().await.expect("it answers");
        assert!(answer.status().is_redirection(), "{}", answer.status());
    }
}

on_both_engines!(a_card_is_left_without_paying, async |app: &mut TestApp| {
    let saved = app.add_card(VISA).await;
    assert_eq!((saved.last4.as_str(), saved.mandate_id), ("4242", None));
    assert!(saved.default_since.is_some());
    let invoice = app.invoice(50_000).await;
    app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (30_000, 0, 20_000));
});

on_both_engines!(an_account_is_left_with_the_leave_to_debit_it, async |app: &mut TestApp| {
    app.offer_debits().await;
    let setup = app.open_setup(Method::UsBankAccount).await;
    app.fill_setup(&setup, json!({ "account": "000123456789" })).await;
    let done = app.setup(setup.id).await;
    let saved = app.saved().await.pop().expect("it is kept");
    assert_eq!((done.state, done.payment_method_id), (SetupState::Succeeded, Some(saved.id)));
    let (merchant, id) = (app.merchant, saved.mandate_id.expect("an account has a mandate"));
    let read = async move |tx: &mut Tx| mandates::find_by_id(tx, merchant, id).await;
    let mandate = app.app.store.read(read).await.expect("it can be read").expect("it is there");
    assert_eq!((mandate.rule, mandate.given_for), (Rule::Standing, GivenFor::Setup(setup.id)));
    assert_eq!((mandate.amount, mandate.account.last4.as_deref()), (None, Some("6789")));
    assert!(mandate.accepted_at.is_some() && mandate.account.processor_mandate_id.is_some());
});

on_both_engines!(what_was_not_finished_is_not_kept, async |app: &mut TestApp| {
    let declined = app.open_setup(Method::Card).await;
    app.fill_setup(&declined, json!({ "card": DECLINED })).await;
    assert_eq!(app.setup(declined.id).await.state, SetupState::RequiresAction, "the page takes another card");
    let left = app.open_setup(Method::Card).await;
    end_setup(&app.app, app.merchant, left.id).await.expect("it is ended");
    assert_eq!(app.setup(left.id).await.state, SetupState::Canceled);
    app.settle_after(SignedDuration::from_mins(70)).await;
    assert!(app.setup(declined.id).await.state.is_over(), "its page ended by itself");
    assert_eq!(app.saved().await, []);
});

on_both_engines!(a_page_that_is_not_made_at_once_is_asked_for_again, async |app: &mut TestApp| {
    let route = "POST /v1/checkout/sessions";
    app.sandbox.arm_fault(Fault {
        times: 2,
        delay_ms: Some(20),
        ..Fault::once(route, FaultKind::TimeoutAfter)
    });
    let setup = app.open_setup(Method::Card).await;
    assert_eq!(app.pages_made(), 1);
    app.fill_setup(&setup, json!({ "card": VISA })).await;
    assert_eq!(app.saved().await.len(), 1);
    // The same form again opens no second page.
    let again = StartSetup { setup: setup.id, ..app.ask_setup(Method::Card).await };
    assert_eq!(start_setup(&app.app, again).await.expect("stored"), SetupStarted::Repeated);
});

// Two small deposits prove the account: waiting, wrong, right.
on_both_engines!(an_account_that_has_to_be_proved_is_kept_once_it_is, async |app: &mut TestApp| {
    app.offer_debits().await;
    app.control("/verification", json!({ "us_bank_account": "microdeposits" })).await;
    let setup = app.open_setup(Method::UsBankAccount).await;
    app.fill_setup(&setup, json!({ "account": "000123456789" })).await;
    let stands = app.verification(Of::Setup(setup.id)).await.expect("it waits");
    assert_eq!((stands.state, stands.wrong_tries), (State::Waiting, 0));
    assert!(stands.arrives_at.is_some() && stands.ends_at.is_some() && stands.url.is_some());
    assert_eq!(app.saved().await, []);
    app.settle_after(SignedDuration::from_hours(48)).await;
    app.prove(&stands.url.clone().expect("a page"), "1", "2").await;
    apply_setup(&app.app, app.merchant, setup.id).await.expect("it is asked");
    assert_eq!(app.verification(Of::Setup(setup.id)).await.expect("it waits").wrong_tries, 1);
    app.prove(&stands.url.expect("a page"), "32", "45").await;
    app.settle().await;
    assert_eq!(app.setup(setup.id).await.state, SetupState::Succeeded);
    assert_eq!(app.verification(Of::Setup(setup.id)).await.expect("it is done").state, State::Done);
    assert_eq!(app.saved().await.len(), 1);
});

impl TestApp {
    /// How a proof stands.
    pub async fn verification(&self, of: Of) -> Option<verifications::Verification> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| verifications::find(tx, merchant, of).await;
        self.app.store.read(read).await.expect("it can be read")
    }

    /// Types two amounts on the processor's page.
    pub async fn prove(&self, url: &str, first: &str, second: &str) {
        let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let browser = browser.build().expect("a client");
        let page = browser.get(url).send().await.expect("it answers").text().await.expect("a page");
        let token = {
            let html = Html::parse_document(&page);
            let field = Selector::parse("input[name=token]").expect("a selector");
            let token = html.select(&field).next().and_then(|field| field.attr("value").map(str::to_owned));
            token.expect("a token")
        };
        let form = [
            ("token", token.as_str()),
            ("first-amount", first),
            ("second-amount", second),
            ("descriptor-code", ""),
        ];
        let answer = browser.post(url).form(&form).send().await.expect("it answers");
        assert!(answer.status().is_redirection(), "{}", answer.status());
    }
}
