//! What is paid from the merchant's bank: recorded cheques, credit of a customer. And debits that a bank takes back meanwhile.

use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::allocation::Surplus;
use billing::chart;
use billing::ids::{InvoiceId, PaymentId};
use billing::payment::{Method, PaymentState};
use billing::refund::RefundMeaning::{OwedAgain, PriceGivenBack};
use billing::refund::RefundState::{Canceled, Failed, Pending, Requested, Submitting, Succeeded};
use jiff::SignedDuration;
use jiff::civil::date;
use ledger::Currency;
use paydown::actions::mark_refund_paid::{CannotMark, MarkRefundPaid, mark_refund_paid};
use paydown::actions::once::Ran;
use paydown::actions::record_payment::{RecordPayment, record_payment};
use paydown::actions::request_refund::{CannotRefund, RefundOf};
use paydown::actions::set_offered_methods::{SetOfferedMethods, set_offered_methods};
use paydown::actions::start_payment::{Agreement, StartPayment};
use serde_json::json;

impl TestApp {
    /// A cheque for several invoices; what they cannot take is credit.
    async fn cheque(&self, amount_minor: i64, parts: &[(InvoiceId, i64)]) -> PaymentId {
        let input = RecordPayment {
            merchant: self.merchant,
            customer: None,
            method: Method::Cheque,
            reference: Some("10077".to_owned()),
            received_on: date(2026, 11, 16),
            currency: Currency::USD,
            amount_minor: Some(amount_minor),
            allocations: parts.to_vec(),
            surplus: Surplus::CustomerCredit,
            actor: "cli:dana".to_owned(),
        };
        match record_payment(&self.app, input, None).await.expect("it is judged") {
            Ran::New(recorded) => recorded.payment.id,
            other => panic!("it was not recorded: {other:?}"),
        }
    }

    async fn mark_paid(
        &self,
        refund: billing::ids::RefundId,
    ) -> Ran<paydown::actions::request_refund::Requested, CannotMark> {
        let input = MarkRefundPaid {
            merchant: self.merchant,
            refund,
            paid_on: date(2026, 11, 16),
            reference: Some("transfer 7".to_owned()),
            actor: "cli:dana".to_owned(),
        };
        mark_refund_paid(&self.app, input, None).await.expect("it is judged")
    }

    /// A debit of an account that has arrived.
    async fn debited(&self, account: &str) -> (InvoiceId, PaymentId) {
        let methods = vec![Method::Card, Method::UsBankAccount];
        let offer = SetOfferedMethods { merchant: self.merchant, methods, actor: "test".to_owned() };
        set_offered_methods(&self.app, offer).await.expect("stored").expect("they can be offered");
        let invoice = self.invoice(100_000).await;
        let agreement = Agreement { wording: "Take it, once.".to_owned(), user_agent: None };
        let ask = self.ask(invoice, 40_000);
        let ask = StartPayment { method: Method::UsBankAccount, agreement: Some(agreement), ..ask };
        let payment = self.pay_as(ask).await;
        self.card_page(payment, json!({ "account": account })).await;
        for _ in 0..7 {
            self.settle_after(SignedDuration::from_hours(24)).await;
        }
        assert_eq!(self.state(payment).await, PaymentState::Succeeded);
        (invoice, payment)
    }
}

on_both_engines!(a_recorded_cheque_is_refunded_from_the_bank, async |app: &mut TestApp| {
    let [one, two] = [app.invoice(30_000).await, app.invoice(20_000).await];
    let cheque = app.cheque(50_000, &[(one, 30_000), (two, 20_000)]).await;
    let (id, state) = app.refund(RefundOf::Allocation(cheque, two), Some(5_000), OwedAgain).await;
    assert_eq!(state, Requested, "a person pays it");
    assert_eq!((app.figures(one).await, app.figures(two).await), ((0, 0, 30_000), (5_000, 0, 15_000)));
    let above = app.refund_input(RefundOf::Allocation(cheque, two), Some(15_001), OwedAgain);
    let above = app.ask_refund(above).await.err();
    assert_eq!(above, Some(CannotRefund::AboveLeft(ledger::Money::new(15_000, Currency::USD))));
    assert_eq!(app.balance(chart::BANK, Currency::USD).await, 50_000, "nothing has left it yet");
    assert!(matches!(app.mark_paid(id).await, Ran::New(_)));
    assert_eq!(app.refund_history(id).await, [Requested, Succeeded]);
    assert_eq!(app.balance(chart::BANK, Currency::USD).await, 45_000);
    let paid = app.stored_refund(id).await.paid;
    assert_eq!(paid, Some((date(2026, 11, 16), Some("transfer 7".to_owned()))));
    let again = app.mark_paid(id).await;
    assert!(matches!(again, Ran::Refused(CannotMark::NotRequested(Succeeded))), "{again:?}");
    app.limit_refunds(Some(100)).await;
    let (waits, _) = app.refund(RefundOf::Payment(cheque), Some(1_000), PriceGivenBack).await;
    assert!(matches!(app.mark_paid(waits).await, Ran::Refused(CannotMark::Unapproved)));
    app.approve(waits, "cli:lee").await;
    assert!(matches!(app.mark_paid(waits).await, Ran::New(_)));
    assert_eq!(app.refunds_made(), 0);
});

on_both_engines!(credit_of_a_customer_is_refunded_the_oldest_first, async |app: &mut TestApp| {
    let invoice = app.invoice(30_000).await;
    let cheque = app.cheque(35_000, &[(invoice, 30_000)]).await;
    app.cheque(3_000, &[(invoice, 3_000)]).await;
    assert_eq!(app.credit().await, 8_000);
    let of = RefundOf::Credit(app.customer, Currency::USD);
    let above = app.ask_refund(app.refund_input(of, Some(8_001), OwedAgain)).await.err();
    assert_eq!(above, Some(CannotRefund::AboveLeft(ledger::Money::new(8_000, Currency::USD))));
    let (id, state) = app.refund(of, Some(6_000), OwedAgain).await;
    assert_eq!((state, app.credit().await), (Requested, 2_000));
    assert!(matches!(app.mark_paid(id).await, Ran::New(_)));
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, -2_000);
    // Of the cheque itself its own unspent credit goes first; that is gone.
    let (rest, _) = app.refund(RefundOf::Payment(cheque), Some(1_000), OwedAgain).await;
    // The invoice is owed 10.00 again, and credit that was born on it goes there by itself.
    assert_eq!((app.figures(invoice).await, app.credit().await), ((0, 0, 30_000), 1_000));
    assert!(matches!(app.mark_paid(rest).await, Ran::New(_)));
});

on_both_engines!(a_refund_of_credit_that_is_withdrawn_is_credit_again, async |app: &mut TestApp| {
    let invoice = app.invoice(30_000).await;
    app.cheque(35_000, &[(invoice, 30_000)]).await;
    let of = RefundOf::Credit(app.customer, Currency::USD);
    let (id, _) = app.refund(of, None, OwedAgain).await;
    assert_eq!(app.credit().await, 0);
    let judge = paydown::actions::approve_refund::JudgeRefund {
        merchant: app.merchant,
        refund: id,
        actor: "cli:dana".to_owned(),
    };
    let refused =
        paydown::actions::approve_refund::refuse_refund(&app.app, judge, "keep it".to_owned(), None).await;
    assert!(matches!(refused.expect("it is judged"), Ran::New(_)));
    assert_eq!((app.credit().await, app.stored_refund(id).await.state), (5_000, Canceled));
});

// Card money that was too much is credit, and goes back to the card.
on_both_engines!(credit_of_a_card_payment_goes_back_to_the_card, async |app: &mut TestApp| {
    let invoice = app.invoice(40_000).await;
    let card = app.pay(invoice, 40_000).await;
    let cheque = app.cheque(40_000, &[(invoice, 40_000)]).await;
    assert_eq!(app.credit().await, 40_000, "all of the invoice was on its way");
    let (gone, _) = app.refund(RefundOf::Payment(cheque), None, OwedAgain).await;
    assert!(matches!(app.mark_paid(gone).await, Ran::New(_)));
    app.card(card, crate::builders::VISA).await;
    app.settle().await;
    let (_, state) = app.refund(RefundOf::Payment(card), Some(10_000), OwedAgain).await;
    assert_eq!((state, app.figures(invoice).await), (Succeeded, (10_000, 0, 30_000)));
});

on_both_engines!(a_refund_to_a_bank_account_takes_days, async |app: &mut TestApp| {
    let (invoice, payment) = app.debited("000123456789").await;
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Pending);
    for _ in 0..8 {
        app.settle_after(SignedDuration::from_hours(24)).await;
    }
    assert_eq!(app.refund_history(id).await, [Requested, Submitting, Pending, Succeeded]);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(a_refund_that_the_bank_does_not_take_is_credit, async |app: &mut TestApp| {
    let (invoice, payment) = app.debited("93000003").await;
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Pending);
    for _ in 0..8 {
        app.settle_after(SignedDuration::from_hours(24)).await;
    }
    assert_eq!(app.stored_refund(id).await.state, Failed);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.anomalies(payment).await, ["refund_failed"]);
});

on_both_engines!(a_debit_that_is_taken_back_ends_the_refund_that_waits, async |app: &mut TestApp| {
    // Returned with R10 on day 20 after it was paid.
    let (invoice, payment) = app.debited("92100020").await;
    app.limit_refunds(Some(0)).await;
    let id = app.begin_refund(RefundOf::Payment(payment), Some(15_000), OwedAgain).await;
    for _ in 0..25 {
        app.settle_after(SignedDuration::from_hours(24)).await;
    }
    assert_eq!(app.state(payment).await, PaymentState::Returned);
    assert_eq!(app.refund_history(id).await, [Requested, Canceled]);
    assert_eq!((app.figures(invoice).await, app.credit().await), ((100_000, 0, 0), 0));
    assert_eq!(app.balance(chart::RETURNED_RECEIVABLE, Currency::USD).await, 0, "nothing was paid twice");
    assert_eq!(app.refunds_made(), 0);
    let input = app.refund_input(RefundOf::Payment(payment), None, OwedAgain);
    let refused = app.ask_refund(input).await.err();
    assert_eq!(refused, Some(CannotRefund::NotSucceeded(PaymentState::Returned)));
});

on_both_engines!(a_debit_that_is_taken_back_after_its_refund_is_owed, async |app: &mut TestApp| {
    let (invoice, payment) = app.debited("92100020").await;
    app.refund(RefundOf::Payment(payment), Some(15_000), OwedAgain).await;
    for _ in 0..25 {
        app.settle_after(SignedDuration::from_hours(24)).await;
    }
    assert_eq!(app.state(payment).await, PaymentState::Returned);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(
        app.balance(chart::RETURNED_RECEIVABLE, Currency::USD).await,
        15_000,
        "what the payer has twice"
    );
});
