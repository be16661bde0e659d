//! What happens to a payer's money while nobody looks at a page: the bank decides, the merchant's people give back, credit or
//! record. Payers do the same on pages in the stories that are about it; here it is done at once.

use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use billing::allocation::Surplus;
use billing::ids::{ContactId, InvoiceId, PaymentId, SetupId};
use billing::payment::Method;
use billing::refund::{RefundMeaning, RefundState};
use jiff::civil::date;
use ledger::{Currency, Money};
use paydown::actions::issue_credit_note::{IssueCreditNote, issue_credit_note};
use paydown::actions::once::Ran;
use paydown::actions::record_payment::{RecordPayment, record_payment};
use paydown::actions::request_refund::{RefundOf, RequestRefund, request_refund};
use paydown::actions::start_payment::{Agreement, Payer, StartPayment};
use paydown::actions::start_setup::{SetupStarted, StartSetup, start_setup};
use paydown::actions::submit_refund::submit_refund;
use serde_json::{Value, json};
use store::db::Tx;
use store::{contacts, setups};

/// Plays a story twice, with and without JavaScript.
macro_rules! with_and_without_javascript {
    ($with:ident, $without:ident, $story:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $with() {
            crate::acts::tell(crate::visitor::Script::On, $story).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $without() {
            crate::acts::tell(crate::visitor::Script::Off, $story).await;
        }
    };
}
pub(crate) use with_and_without_javascript;

/// Plays a story that is a function.
pub async fn tell(script: Script, story: impl AsyncFn(&Stage, &Visitor)) {
    play(script, async |stage: &Stage, visitor: &Visitor| story(stage, visitor).await).await;
}

const STAFF: &str = "cli:test";

impl Stage {
    /// The customer's one person.
    pub async fn dana(&self) -> ContactId {
        let (merchant, customer) = (self.app.merchant, self.app.customer);
        let read = async move |tx: &mut Tx| contacts::list(tx, merchant, customer).await;
        self.app.app.store.read(read).await.expect("contacts can be read")[0].id
    }

    /// Dana signs in.
    pub async fn signs_in(&self, visitor: &Visitor) {
        visitor.go("/p/northwind/sign-in").await;
        visitor.sign_in(self, "dana@acme.example").await;
        visitor.sees("All invoices").await;
    }

    /// Dana leaves a card, or a bank account in the United States, without paying.
    pub async fn saves(&self, method: Method, payer: Value) {
        let (merchant, setup) = (self.app.merchant, self.app.app.mint().id(SetupId::new));
        let wording = "You allow Northwind to take amounts from the account, each when you ask for it.";
        let agreement = Agreement { wording: wording.to_owned(), user_agent: Some("A browser".to_owned()) };
        let contact_id = Some(self.dana().await);
        let input = StartSetup {
            merchant,
            setup,
            method,
            payer: Payer { session_hash: [1; 32], contact_id, link_id: None, client: None },
            agreement: method.is_bank_debit().then_some(agreement),
            language: "en".to_owned(),
        };
        let started = start_setup(&self.app.app, input).await.expect("it is stored");
        assert!(matches!(started, SetupStarted::Page(_)), "{started:?}");
        let read = async move |tx: &mut Tx| setups::find(tx, merchant, setup).await;
        let stored = self.app.app.store.read(read).await.expect("it can be read").expect("it is there");
        let session = stored.session_id.expect("its page was made");
        self.app.control(&format!("/sessions/{session}/pay"), payer).await;
        self.app.settle().await;
    }

    /// Dana pays a part by a card; it is hers to look at.
    pub async fn dana_pays(&self, invoice: InvoiceId, amount_minor: i64, card: &str) -> PaymentId {
        let payment = self.start(invoice, amount_minor, Method::Card).await;
        self.app.card(payment, card).await;
        self.app.settle().await;
        payment
    }

    /// The same where the merchant passes on 2.9 % and 0.30.
    pub async fn dana_pays_with_fee(&self, invoice: InvoiceId, amount_minor: i64, card: &str) -> PaymentId {
        let ask = self.app.ask(invoice, amount_minor);
        let payer = Payer { contact_id: Some(self.dana().await), ..ask.payer };
        let surcharge_minor = amount_minor * 29 / 1_000 + 30;
        let payment = self.app.pay_as(StartPayment { surcharge_minor, payer, ..ask }).await;
        self.app.card(payment, card).await;
        self.app.settle().await;
        payment
    }

    /// Dana pays a part from a bank account in the United States.
    pub async fn dana_debits(&self, invoice: InvoiceId, amount_minor: i64, account: &str) -> PaymentId {
        let payment = self.start(invoice, amount_minor, Method::UsBankAccount).await;
        self.app.card_page(payment, json!({ "account": account })).await;
        self.app.settle().await;
        payment
    }

    async fn start(&self, invoice: InvoiceId, amount_minor: i64, method: Method) -> PaymentId {
        let ask = self.app.ask(invoice, amount_minor);
        let wording = "You allow Northwind to take it, once.".to_owned();
        let agreement = method.is_bank_debit().then_some(Agreement { wording, user_agent: None });
        let payer = Payer { contact_id: Some(self.dana().await), ..ask.payer };
        self.app.pay_as(StartPayment { method, agreement, payer, ..ask }).await
    }

    /// The merchant gives a part of a payment back. It is paid, or on its way.
    pub async fn refunds(&self, payment: PaymentId, amount_minor: i64, meaning: RefundMeaning) {
        let input = RequestRefund {
            merchant: self.app.merchant,
            of: RefundOf::Payment(payment),
            amount_minor: Some(amount_minor),
            meaning,
            reason: "Two seats less".to_owned(),
            actor: STAFF.to_owned(),
        };
        let asked = request_refund(&self.app.app, input, None).await.expect("it is judged");
        let Ran::New(made) = asked else { panic!("it may be refunded: {asked:?}") };
        let sent = submit_refund(&self.app.app, self.app.merchant, made.refund.id).await;
        let sent = sent.expect("the call is made");
        assert!(matches!(sent, RefundState::Pending | RefundState::Succeeded), "{sent:?}");
        self.app.settle().await;
    }

    /// The card's holder contests a payment at the bank; the processor's name of the dispute.
    pub async fn is_contested(&self, payment: PaymentId, with: Value) -> String {
        let charge = self.app.attempt(payment).await.charge_id.expect("it was captured");
        let told = self.app.control(&format!("/charges/{charge}/dispute"), with).await;
        self.app.settle().await;
        told["id"].as_str().expect("an id").to_owned()
    }

    /// The card's bank decides.
    pub async fn bank_decides(&self, dispute: &str, outcome: &str) {
        self.app.control(&format!("/disputes/{dispute}"), json!({ "outcome": outcome })).await;
        self.app.settle().await;
    }

    /// A transfer comes that pays an invoice with so much too much, which is kept as credit.
    pub async fn gets_credit(&self, invoice: InvoiceId, surplus_minor: i64) {
        let left = self.app.stored_invoice(invoice).await.figures.payable_now();
        let input = RecordPayment {
            merchant: self.app.merchant,
            customer: None,
            method: Method::Wire,
            reference: Some("RF18 1042".to_owned()),
            received_on: date(2026, 11, 16),
            currency: Currency::USD,
            amount_minor: Some(left.minor() + surplus_minor),
            allocations: vec![(invoice, left.minor())],
            surplus: Surplus::CustomerCredit,
            actor: STAFF.to_owned(),
        };
        let recorded = record_payment(&self.app.app, input, None).await.expect("it is judged");
        assert!(matches!(recorded, Ran::New(_)), "{recorded:?}");
        self.app.settle().await;
    }

    /// The merchant asks for less.
    pub async fn credits(&self, invoice: InvoiceId, amount_minor: i64) {
        let input = IssueCreditNote {
            merchant: self.app.merchant,
            invoice,
            amount: Some(Money::new(amount_minor, Currency::USD)),
            reason: "Two days less".to_owned(),
            actor: STAFF.to_owned(),
        };
        let issued = issue_credit_note(&self.app.app, input, None).await.expect("it is judged");
        assert!(matches!(issued, Ran::New(_)), "{issued:?}");
        self.app.settle().await;
    }
}
