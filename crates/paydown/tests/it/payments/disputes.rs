//! Card payments that their holders contest: asked about, withdrawn, given back, lost, absorbed, won after all; each with the
//! processor's own books beside ours.

mod answers;
mod late;

use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use billing::dispute::DisputeState::{self, Inquiry, Lost, NeedsResponse, UnderReview, Won};
use billing::dispute::LossMeaning;
use billing::ids::{DisputeId, InvoiceId, PaymentId};
use billing::payment::PaymentState::{ChargedBack, RequiresAction, Submitting, Succeeded};
use billing::refund::{RefundMeaning, RefundState};
use billing::surcharge::Surcharge;
use jiff::SignedDuration;
use ledger::Currency;
use paydown::actions::once::Ran;
use paydown::actions::request_refund::{CannotRefund, RefundOf, RequestRefund, Requested, request_refund};
use paydown::actions::set_when_lost::{SetWhenLost, set_when_lost};
use paydown::actions::submit_refund::submit_refund;
use paydown::mail::compose::{Composed, compose};
use serde_json::{Value, json};
use store::db::Tx;
use store::disputes::{self, Dispute};
use store::mails::{self, MailKind};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// What the practice processor keeps for a dispute that takes money.
const FEE: i64 = 1_500;

impl TestApp {
    /// The payer contests a part of a payment, or all of it that can be; the processor's name of the dispute.
    async fn contest(&self, payment: PaymentId, with: Value) -> String {
        let charge = self.attempt(payment).await.charge_id.expect("it was captured");
        let told = self.control(&format!("/charges/{charge}/dispute"), with).await;
        self.settle().await;
        told["id"].as_str().expect("an id").to_owned()
    }

    /// The bank decides.
    async fn decide(&self, name: &str, outcome: &str) {
        self.control(&format!("/disputes/{name}"), json!({ "outcome": outcome })).await;
        self.settle().await;
    }

    /// The disputes of a payment, the oldest first.
    async fn disputes(&self, payment: PaymentId) -> Vec<Dispute> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| disputes::list_by_payment(tx, merchant, payment).await;
        self.app.store.read(read).await.expect("disputes can be read")
    }

    /// The one dispute of a payment.
    async fn dispute(&self, payment: PaymentId) -> Dispute {
        let mut all = self.disputes(payment).await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// The states a dispute went through.
    async fn dispute_history(&self, id: DisputeId) -> Vec<DisputeState> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| disputes::history(tx, merchant, id).await;
        let steps = self.app.store.read(read).await.expect("histories can be read");
        steps.into_iter().map(|step| step.state).collect()
    }

    /// Asks for a part of a payment to be given back.
    async fn ask_back(&self, payment: PaymentId, amount_minor: i64) -> Ran<Requested, CannotRefund> {
        let input = RequestRefund {
            merchant: self.merchant,
            of: RefundOf::Payment(payment),
            amount_minor: Some(amount_minor),
            meaning: RefundMeaning::OwedAgain,
            reason: "asked by the payer".to_owned(),
            actor: "cli:test".to_owned(),
        };
        request_refund(&self.app, input, None).await.expect("it is judged")
    }

    /// Gives a part of a payment back.
    async fn give_back(&self, payment: PaymentId, amount_minor: i64) {
        let Ran::New(made) = self.ask_back(payment, amount_minor).await else {
            panic!("it may be refunded");
        };
        let sent = submit_refund(&self.app, self.merchant, made.refund.id).await.expect("the call is made");
        assert!(matches!(sent, RefundState::Pending | RefundState::Succeeded), "{sent:?}");
        self.settle().await;
    }

    async fn dollars_on(&self, account: u16) -> i64 {
        self.balance(account, Currency::USD).await
    }

    /// Chooses what a loss means, for the merchant or for one dispute.
    async fn when_lost(&self, dispute: Option<DisputeId>, meaning: LossMeaning) {
        let input = SetWhenLost {
            merchant: self.merchant,
            dispute,
            when_lost: Some(meaning),
            actor: "cli:test".to_owned(),
        };
        set_when_lost(&self.app, input).await.expect("stored").expect("it may be chosen");
    }

    /// A mail to the merchant as it would be sent now; `None` where its reason is gone.
    async fn letter_to_merchant(&self, invoice: InvoiceId, kind: MailKind) -> Option<String> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| mails::list_by_invoice(tx, merchant, invoice).await;
        let all = self.app.store.read(read).await.expect("mails can be read");
        let mail = all.into_iter().find(|mail| mail.about.kind == kind).expect("it was queued");
        match compose(&self.app, &mail).await.expect("it can be written") {
            Composed::Drop(_) => None,
            Composed::Send(outgoing) => {
                let raw = outgoing.message.formatted();
                let parsed = mail_parser::MessageParser::default().parse(&raw).expect("a mail");
                let subject = parsed.subject().unwrap_or_default().to_owned();
                Some(subject + " " + &parsed.body_text(0).expect("a text"))
            }
        }
    }

    /// What the merchant was written about disputes, in alphabetical order.
    async fn mails_to_merchant(&self, invoice: InvoiceId) -> Vec<MailKind> {
        let mails = self.mails(invoice).await.into_iter();
        let to_merchant = mails.filter(|(_, to)| to == "help@northwind.example");
        let mut kinds: Vec<MailKind> = to_merchant.map(|(kind, _)| kind).collect();
        kinds.sort_by_key(|kind| kind.as_str());
        kinds
    }
}

on_both_engines!(an_inquiry_that_closes_moves_nothing, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let name = app.contest(payment, json!({ "inquiry": true })).await;
    assert_eq!(app.dispute(payment).await.state, Inquiry);
    assert_eq!((app.dollars_on(chart::DISPUTE_HOLD).await, app.dollars_on(chart::DISPUTE_FEE).await), (0, 0));
    assert_eq!(app.anomalies(payment).await, ["dispute_opened"], "a person has to answer");
    app.decide(&name, "lost").await;
    let dispute = app.dispute(payment).await;
    assert_eq!(app.dispute_history(dispute.id).await, [Inquiry, Won], "no money was taken");
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Succeeded]);
    assert_eq!(app.mails_to_merchant(invoice).await, [MailKind::DisputeEnded, MailKind::DisputeOpened]);
});

on_both_engines!(the_merchant_reads_what_to_do_and_how_it_ended, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let name = app.contest(payment, json!({ "reason": "product_not_received" })).await;
    let letter =
        app.letter_to_merchant(invoice, MailKind::DisputeOpened).await.expect("there is one to answer");
    for words in
        ["is disputed", "nothing was received, they say", "before 25 November 2026", "Acme", "/help/disputes"]
    {
        assert!(letter.contains(words), "{words}: {letter}");
    }
    app.decide(&name, "lost").await;
    assert_eq!(app.letter_to_merchant(invoice, MailKind::DisputeOpened).await, None, "old news");
    let letter = app.letter_to_merchant(invoice, MailKind::DisputeEnded).await.expect("it ended");
    assert!(letter.contains("is lost") && letter.contains("it is owed again"), "{letter}");
});

on_both_engines!(what_is_contested_is_held_until_it_is_won, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let before = app.dollars_on(chart::CLEARING).await;
    let name = app.contest(payment, json!({ "reason": "product_not_received" })).await;
    let dispute = app.dispute(payment).await;
    assert_eq!((dispute.state, dispute.amount.minor()), (NeedsResponse, 40_000));
    assert_eq!(
        (dispute.reason.as_str(), dispute.network_code.as_deref()),
        ("product_not_received", Some("13.1"))
    );
    assert_eq!(dispute.due_at, Some(app.app.clock.now() + DAY * 9));
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 40_000);
    assert_eq!(app.dollars_on(chart::DISPUTE_FEE).await, FEE);
    assert_eq!(app.dollars_on(chart::CLEARING).await, before - 40_000 - FEE);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000), "nothing is decided yet");
    assert_eq!(app.state(payment).await, Succeeded);
    app.decide(&name, "won").await;
    assert_eq!(app.dispute_history(dispute.id).await, [NeedsResponse, Won]);
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 0);
    assert_eq!(app.dollars_on(chart::DISPUTE_FEE).await, FEE, "this processor keeps its fee");
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.mails_to_merchant(invoice).await, [MailKind::DisputeEnded, MailKind::DisputeOpened]);
});

on_both_engines!(a_fee_that_is_given_back_is_booked_back, async |app: &mut TestApp| {
    app.control("/fees", json!({ "dispute_fee_returned": true })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let name = app.contest(payment, json!({})).await;
    assert_eq!(app.dollars_on(chart::DISPUTE_FEE).await, FEE);
    app.decide(&name, "won").await;
    assert_eq!(app.dollars_on(chart::DISPUTE_FEE).await, 0);
});

on_both_engines!(what_is_lost_is_owed_again, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let other = app.pay_with_visa(invoice, 60_000).await;
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000));
    let name = app.contest(payment, json!({})).await;
    app.decide(&name, "lost").await;
    let dispute = app.dispute(payment).await;
    assert_eq!((dispute.state, dispute.lost_as), (Lost, Some(LossMeaning::OwedAgain)));
    assert_eq!(app.figures(invoice).await, (40_000, 0, 60_000), "the other payment stays where it is");
    assert_eq!((app.state(payment).await, app.state(other).await), (ChargedBack, Succeeded));
    assert_eq!(
        (app.dollars_on(chart::DISPUTE_HOLD).await, app.dollars_on(chart::DISPUTE_LOSS).await),
        (0, 0)
    );
    let again = app.pay_with_visa(invoice, 40_000).await;
    assert_eq!(app.state(again).await, Succeeded);
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000));
    assert_eq!(app.mails_to_merchant(invoice).await, [MailKind::DisputeEnded, MailKind::DisputeOpened]);
});

on_both_engines!(what_the_merchant_bears_leaves_the_invoice_paid, async |app: &mut TestApp| {
    app.when_lost(None, LossMeaning::Absorbed).await;
    let invoice = app.invoice(40_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let name = app.contest(payment, json!({})).await;
    app.decide(&name, "lost").await;
    assert_eq!(app.dispute(payment).await.lost_as, Some(LossMeaning::Absorbed));
    assert_eq!(app.figures(invoice).await, (0, 0, 40_000));
    assert_eq!(app.dollars_on(chart::DISPUTE_LOSS).await, 40_000);
    assert_eq!(app.state(payment).await, ChargedBack, "nothing captured is left");
    app.decide(&name, "won").await;
    assert_eq!(app.dollars_on(chart::DISPUTE_LOSS).await, 0);
    assert_eq!(app.state(payment).await, Succeeded);
    assert_eq!(app.figures(invoice).await, (0, 0, 40_000));
});

on_both_engines!(one_dispute_may_mean_something_else, async |app: &mut TestApp| {
    app.when_lost(None, LossMeaning::Absorbed).await;
    let invoice = app.invoice(40_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let name = app.contest(payment, json!({})).await;
    let id = app.dispute(payment).await.id;
    app.when_lost(Some(id), LossMeaning::OwedAgain).await;
    app.decide(&name, "lost").await;
    assert_eq!(app.figures(invoice).await, (40_000, 0, 0));
    let too_late = SetWhenLost {
        merchant: app.merchant,
        dispute: Some(id),
        when_lost: Some(LossMeaning::Absorbed),
        actor: "cli:test".to_owned(),
    };
    let refused = set_when_lost(&app.app, too_late).await.expect("judged");
    assert!(refused.is_err(), "it has ended");
});

on_both_engines!(what_is_won_after_all_goes_back_to_its_invoice, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let name = app.contest(payment, json!({})).await;
    app.decide(&name, "lost").await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    app.decide(&name, "won").await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Succeeded, ChargedBack, Succeeded]);
    let dispute = app.dispute(payment).await;
    assert_eq!(app.dispute_history(dispute.id).await, [NeedsResponse, Lost, Won]);
    assert_eq!(app.mails_to_merchant(invoice).await.len(), 3, "each end is told");
});

on_both_engines!(what_does_not_fit_any_more_is_credit, async |app: &mut TestApp| {
    let invoice = app.invoice(40_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let name = app.contest(payment, json!({})).await;
    app.decide(&name, "lost").await;
    app.pay_with_visa(invoice, 30_000).await;
    app.decide(&name, "won").await;
    assert_eq!(app.figures(invoice).await, (0, 0, 40_000), "as far as it fits");
    assert_eq!(app.dollars_on(chart::CUSTOMER_CREDIT).await, -30_000, "and the rest is the customer's");
    assert_eq!(app.state(payment).await, Succeeded);
});

on_both_engines!(what_was_refunded_is_not_lost_again, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.give_back(payment, 15_000).await;
    assert_eq!(app.figures(invoice).await, (75_000, 0, 25_000));
    let name = app.contest(payment, json!({ "amount": 25_000 })).await;
    assert_eq!(app.dispute(payment).await.amount.minor(), 25_000, "what is left");
    let refused = app.ask_back(payment, 1_000).await;
    assert!(matches!(refused, Ran::Refused(CannotRefund::Disputed)), "{refused:?}");
    app.decide(&name, "lost").await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.state(payment).await, ChargedBack, "nothing captured is left");
    app.decide(&name, "won").await;
    assert_eq!(app.figures(invoice).await, (75_000, 0, 25_000));
    assert_eq!(app.state(payment).await, Succeeded);
});

on_both_engines!(two_disputes_of_one_payment_are_two, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let one = app.contest(payment, json!({ "amount": 10_000 })).await;
    let other = app.contest(payment, json!({ "amount": 30_000 })).await;
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 40_000);
    app.decide(&one, "won").await;
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 30_000);
    app.decide(&other, "lost").await;
    assert_eq!(app.figures(invoice).await, (90_000, 0, 10_000));
    assert_eq!(app.state(payment).await, Succeeded, "a part is left");
    let third = app.contest(payment, json!({ "amount": 10_000 })).await;
    app.decide(&third, "lost").await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.state(payment).await, ChargedBack);
    app.decide(&other, "won").await;
    assert_eq!(app.figures(invoice).await, (70_000, 0, 30_000));
    assert_eq!(app.state(payment).await, Succeeded);
});

on_both_engines!(a_loss_takes_its_share_of_the_surcharge, async |app: &mut TestApp| {
    let surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
    app.set_surcharge(Currency::USD, surcharge).await;
    let invoice = app.invoice(100_000).await;
    let ask =
        paydown::actions::start_payment::StartPayment { surcharge_minor: 1_190, ..app.ask(invoice, 40_000) };
    let payment = app.pay_as(ask).await;
    app.card(payment, crate::builders::VISA).await;
    app.settle().await;
    // Half of what was charged: 205.95, of which 5.95 was surcharge.
    let half = app.contest(payment, json!({ "amount": 20_595 })).await;
    app.decide(&half, "lost").await;
    assert_eq!(app.figures(invoice).await, (80_000, 0, 20_000));
    assert_eq!(app.dollars_on(chart::SURCHARGE_INCOME).await, -595);
    let rest = app.contest(payment, json!({})).await;
    app.decide(&rest, "lost").await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0), "whoever takes all that is left takes all of it");
    assert_eq!(
        (app.dollars_on(chart::SURCHARGE_INCOME).await, app.dollars_on(chart::DISPUTE_LOSS).await),
        (0, 0)
    );
    app.decide(&half, "won").await;
    assert_eq!(app.figures(invoice).await, (80_000, 0, 20_000));
    assert_eq!(app.dollars_on(chart::SURCHARGE_INCOME).await, -595);
});

on_both_engines!(an_inquiry_may_become_a_dispute, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let name = app.contest(payment, json!({ "inquiry": true })).await;
    app.advance(DAY * 2);
    app.decide(&name, "escalated").await;
    let dispute = app.dispute(payment).await;
    assert_eq!(app.dispute_history(dispute.id).await, [Inquiry, NeedsResponse]);
    assert_eq!(dispute.due_at, Some(app.app.clock.now() + DAY * 9), "the time runs anew");
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 40_000);
    assert_eq!(app.anomalies(payment).await, ["dispute_opened", "dispute_opened"]);
    app.decide(&name, "lost").await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(a_person_is_reminded_before_the_time_is_over, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.contest(payment, json!({})).await;
    app.settle_after(DAY * 6).await;
    assert_eq!(app.anomalies(payment).await, ["dispute_opened"]);
    app.settle_after(DAY + SignedDuration::from_mins(1)).await;
    assert_eq!(app.anomalies(payment).await, ["dispute_evidence_due", "dispute_opened"]);
    app.settle_after(DAY).await;
    assert_eq!(app.anomalies(payment).await, ["dispute_evidence_due", "dispute_opened"], "once");
    // Nobody answered, and the bank decided; no webhook is needed to learn of it.
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    app.settle_after(DAY * 2).await;
    assert_eq!(app.dispute(payment).await.state, Lost);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.next_due_at().await, None, "nobody looks after what has ended");
});

on_both_engines!(a_card_that_contests_by_itself_does, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    for (card, state) in [("4000000000000259", NeedsResponse), ("4000000000001976", Inquiry)] {
        let payment = app.pay(invoice, 10_000).await;
        app.card(payment, card).await;
        app.settle().await;
        assert_eq!(app.dispute(payment).await.state, state);
        assert_ne!(app.dispute(payment).await.state, UnderReview);
    }
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 10_000);
});
