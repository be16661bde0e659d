//! Money that goes back: asked for, sent, failed late, found at the processor. Each test ends with both books equal.

mod asked;
mod banks;
mod outcomes;

use crate::builders::VISA;
use crate::test_app::TestApp;
use billing::ids::{InvoiceId, PaymentId, RefundId};
use billing::refund::{RefundMeaning, RefundState};
use paydown::actions::approve_refund::{JudgeRefund, approve_refund};
use paydown::actions::once::Ran;
use paydown::actions::request_refund::{CannotRefund, RefundOf, RequestRefund, Requested, request_refund};
use paydown::actions::set_refund_limit::{SetRefundLimit, set_refund_limit};
use paydown::actions::submit_refund::submit_refund;
use store::db::Tx;
use store::grants;
use store::refunds::{self, Refund};

impl TestApp {
    fn refund_input(&self, of: RefundOf, amount: Option<i64>, meaning: RefundMeaning) -> RequestRefund {
        RequestRefund {
            merchant: self.merchant,
            of,
            amount_minor: amount,
            meaning,
            reason: "asked by the payer".to_owned(),
            actor: "cli:dana".to_owned(),
        }
    }

    /// Asks for a refund; nothing is sent.
    async fn ask_refund(&self, input: RequestRefund) -> Result<Requested, CannotRefund> {
        match request_refund(&self.app, input, None).await.expect("it is judged") {
            Ran::New(made) => Ok(made),
            Ran::Refused(why) => Err(why),
            other => panic!("nothing is repeated without a key: {other:?}"),
        }
    }

    /// Asks for a refund that must be accepted; nothing is sent.
    async fn begin_refund(&self, of: RefundOf, amount: Option<i64>, meaning: RefundMeaning) -> RefundId {
        let asked = self.ask_refund(self.refund_input(of, amount, meaning)).await;
        asked.expect("it may be refunded").refund.id
    }

    /// The same, sent; answers where it stands.
    async fn refund(
        &self,
        of: RefundOf,
        amount: Option<i64>,
        meaning: RefundMeaning,
    ) -> (RefundId, RefundState) {
        let id = self.begin_refund(of, amount, meaning).await;
        (id, self.send_refund(id).await)
    }

    async fn send_refund(&self, id: RefundId) -> RefundState {
        submit_refund(&self.app, self.merchant, id).await.expect("the call is made")
    }

    async fn stored_refund(&self, id: RefundId) -> Refund {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| refunds::find(tx, merchant, id).await;
        self.app.store.read(read).await.expect("it can be read").expect("there is one")
    }

    async fn refund_history(&self, id: RefundId) -> Vec<RefundState> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| refunds::history(tx, merchant, id).await;
        let steps = self.app.store.read(read).await.expect("it can be read");
        steps.into_iter().map(|step| step.state).collect()
    }

    async fn refunds_of(&self, payment: PaymentId) -> Vec<Refund> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| refunds::list_by_payment(tx, merchant, payment).await;
        self.app.store.read(read).await.expect("they can be read")
    }

    /// What the customer has as credit, in US dollars.
    async fn credit(&self) -> i64 {
        let (merchant, customer) = (self.merchant, self.customer);
        let read = async move |tx: &mut Tx| grants::left(tx, merchant, customer).await;
        let left = self.app.store.read(read).await.expect("credit can be read");
        left.iter().map(|money| money.minor()).sum()
    }

    /// An invoice of 1,000.00 of which this card has paid 400.00.
    async fn partly_paid(&self, card: &str) -> (InvoiceId, PaymentId) {
        let invoice = self.invoice(100_000).await;
        let payment = self.pay(invoice, 40_000).await;
        self.card(payment, card).await;
        self.settle().await;
        assert_eq!(self.figures(invoice).await, (60_000, 0, 40_000));
        (invoice, payment)
    }

    async fn limit_refunds(&self, amount_minor: Option<i64>) {
        let (merchant, currency, actor) = (self.merchant, ledger::Currency::USD, "cli:boss".to_owned());
        let input = SetRefundLimit { merchant, currency, amount_minor, actor };
        set_refund_limit(&self.app, input).await.expect("stored").expect("a limit");
    }

    async fn approve(
        &self,
        refund: RefundId,
        actor: &str,
    ) -> Ran<Requested, paydown::actions::approve_refund::CannotJudge> {
        let input = JudgeRefund { merchant: self.merchant, refund, actor: actor.to_owned() };
        approve_refund(&self.app, input, None).await.expect("it is judged")
    }

    /// How many refunds the processor has ever made.
    fn refunds_made(&self) -> i64 {
        self.sandbox.books().expect("the sandbox has books").refunds
    }

    async fn paid_by_visa(&self) -> (InvoiceId, PaymentId) {
        self.partly_paid(VISA).await
    }
}
