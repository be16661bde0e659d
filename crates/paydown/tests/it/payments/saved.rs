//! Saved methods: kept only where that was asked for, charged again with and without their owner, and never once they were removed.

use crate::builders::{CHALLENGED, VISA};
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::ids::{InvoiceId, PaymentId, PaymentMethodId};
use billing::payment::PaymentState::{
    self, Canceled, Created, Failed, Processing, RequiresAction, Submitting, Succeeded, Unknown,
};
use billing::payment::{Decline, Ending, Method};
use jiff::SignedDuration;
use paydown::actions::cancel_payment::cancel_payment;
use paydown::actions::remove_method::{Remover, remove_method};
use paydown::actions::set_default_method::set_default_method;
use paydown::actions::start_payment::{Agreement, Means, StartPayment, Started};
use paydown::actions::stop_payment::{CannotStop, stop_payment};
use paydown::actions::submit_attempt::Submitted;
use paydown::processors::STRIPE;
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::db::Tx;
use store::mails::MailKind;
use store::mandates::{self, Ended, EndedBy, Mandate, Rule};
use store::payment_methods::{self, SavedMethod};
use store::processor_accounts;

/// An account that pays.
pub const GOOD: &str = "000123456789";
/// The route of a charge.
const CHARGE: &str = "POST /v1/payment_intents";
/// A card that can be kept although no charge of it succeeds.
const KEPT_BUT_NEVER_CHARGED: &str = "4000000000000341";
/// A card whose bank wants to see the payer each time.
const ALWAYS_ASKS: &str = "4000002760003184";

impl TestApp {
    /// What Dana saved; the one she is offered first leads.
    pub async fn saved(&self) -> Vec<SavedMethod> {
        let (merchant, dana) = (self.merchant, self.dana().await);
        let read = self.app.store.read(async move |tx: &mut Tx| {
            let at = processor_accounts::find(tx, merchant, STRIPE).await?.expect("it is connected");
            payment_methods::list(tx, &at, dana).await
        });
        read.await.expect("saved methods can be read")
    }

    /// A form of Dana, who signed in, that keeps what she pays with.
    pub async fn ask_to_keep(&self, invoice: InvoiceId, amount_minor: i64) -> StartPayment {
        let mut form = self.ask(invoice, amount_minor);
        form.payer.contact_id = Some(self.dana().await);
        form.means.keep = true;
        form
    }

    /// Pays a part by card and keeps the card.
    pub async fn keep_card(&self, invoice: InvoiceId, number: &str) -> SavedMethod {
        let payment = self.pay_as(self.ask_to_keep(invoice, 10_000).await).await;
        self.card(payment, number).await;
        self.settle().await;
        assert_eq!(self.state(payment).await, Succeeded);
        self.saved().await.pop().expect("it is kept")
    }

    /// Pays a part from an account and keeps the account; the debit is on its way.
    pub async fn keep_account(&self, invoice: InvoiceId, number: &str) -> (PaymentId, SavedMethod) {
        let agreement = Agreement { wording: "Take it, and later ones.".to_owned(), user_agent: None };
        let ask = self.ask_to_keep(invoice, 10_000).await;
        let ask = StartPayment { method: Method::UsBankAccount, agreement: Some(agreement), ..ask };
        let payment = self.pay_as(ask).await;
        self.card_page(payment, json!({ "account": number })).await;
        self.settle().await;
        (payment, self.saved().await.pop().expect("it is kept"))
    }

    /// A form that charges what Dana saved while she waits.
    pub async fn ask_saved(&self, invoice: InvoiceId, minor: i64, saved: &SavedMethod) -> StartPayment {
        let mut form = self.ask(invoice, minor);
        form.payer.contact_id = Some(self.dana().await);
        form.means.saved = Some(saved.id);
        form.method = saved.method;
        form.agreement = saved.method.is_bank_debit().then(|| Agreement {
            wording: "Take it from the saved one, once.".to_owned(),
            user_agent: Some("Browser".to_owned()),
        });
        form
    }

    /// Charges what Dana saved; answers where that got.
    pub async fn charge(&self, form: StartPayment) -> (PaymentId, PaymentState) {
        let payment = self.reserve(form).await;
        match self.submit(payment).await {
            Submitted::State(state) => (payment, state),
            page => panic!("there is no page to go to: {page:?}"),
        }
    }

    async fn remove_as_owner(&self, id: PaymentMethodId) {
        let remover = Remover::Owner(self.dana().await);
        let removed = remove_method(&self.app, self.merchant, id, remover).await.expect("it is removed");
        assert!(removed.is_some());
    }

    async fn standing(&self, saved: &SavedMethod) -> Mandate {
        let (merchant, id) = (self.merchant, saved.mandate_id.expect("an account has a mandate"));
        let read = async move |tx: &mut Tx| mandates::find_by_id(tx, merchant, id).await;
        self.app.store.read(read).await.expect("it can be read").expect("it is there")
    }
}

on_both_engines!(only_what_was_asked_to_be_kept_is_kept, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let mut form = app.ask_to_keep(invoice, 10_000).await;
    form.means.keep = false;
    let payment = app.pay_as(form).await;
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, Succeeded);
    assert_eq!(app.saved().await, [], "it was not asked for");
    // Nobody is signed in behind a link: nothing is kept for nobody.
    let mut form = app.ask(invoice, 10_000);
    form.means.keep = true;
    let payment = app.pay_as(form).await;
    assert!(!app.payment(payment).await.keeps_method);
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.saved().await, []);

    let saved = app.keep_card(invoice, VISA).await;
    assert_eq!((saved.method, saved.name.as_str(), saved.last4.as_str()), (Method::Card, "visa", "4242"));
    assert!(saved.expires.is_some() && saved.default_since.is_some() && saved.mandate_id.is_none());
    assert!(saved.token.starts_with("pm_"));
});

on_both_engines!(a_saved_card_is_charged_with_its_owner_and_without, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let saved = app.keep_card(invoice, VISA).await;
    let (payment, state) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    assert_eq!(state, Succeeded);
    assert_eq!(app.history(payment).await, [Submitting, Succeeded]);
    let paid = app.payment(payment).await;
    assert_eq!((paid.payment_method_id, paid.instrument_last4.as_deref()), (Some(saved.id), Some("4242")));
    assert!(app.receipt(payment).await.is_some());
    let mut away = app.ask_saved(invoice, 30_000, &saved).await;
    away.means.charged_by = Some("staff".to_owned());
    let (second, state) = app.charge(away).await;
    assert_eq!(state, Succeeded);
    assert_eq!(app.payment(second).await.session_hash, None, "nobody's browser asked");
    assert!(app.attempt(second).await.body.contains("off_session=true"));
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (40_000, 0, 60_000));
    assert_eq!(app.saved().await.len(), 1, "charging it saves nothing more");
});

on_both_engines!(nobody_else_charges_it, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let saved = app.keep_card(invoice, VISA).await;
    let mut by_link = app.ask_saved(invoice, 20_000, &saved).await;
    by_link.payer.contact_id = None;
    assert!(matches!(app.start_payment(by_link).await, Started::SavedGone));
    let mut unknown = app.ask_saved(invoice, 20_000, &saved).await;
    unknown.means.saved = Some(PaymentMethodId::from_bytes([3; 16]));
    assert!(matches!(app.start_payment(unknown).await, Started::SavedGone));
    assert_eq!(app.figures(invoice).await, (90_000, 0, 10_000));
});

on_both_engines!(a_decline_of_our_own_charge_is_its_end, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let saved = app.add_card(KEPT_BUT_NEVER_CHARGED).await;
    let (payment, state) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    assert_eq!(state, Failed);
    let failed = app.payment(payment).await;
    assert_eq!((failed.decline, failed.ending), (Some(Decline::NoReason), Some(Ending::Declined)));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0), "the hold is gone");
    app.settle().await;
});

on_both_engines!(a_bank_that_asks_is_answered_by_the_payer, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let saved = app.keep_card(invoice, ALWAYS_ASKS).await;
    let (payment, state) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    assert_eq!(state, RequiresAction);
    assert_eq!(app.figures(invoice).await, (90_000, 20_000, 10_000), "held meanwhile");
    let url = app.attempt(payment).await.session_url.expect("the bank's page");
    app.answer_bank(&url, "approve").await;
    app.settle().await;
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Succeeded]);

    let (refused, _) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    let url = app.attempt(refused).await.session_url.expect("the bank's page");
    app.answer_bank(&url, "refuse").await;
    app.settle().await;
    assert_eq!(
        (app.state(refused).await, app.payment(refused).await.decline),
        (Failed, Some(Decline::NotAuthenticated))
    );

    // The payer leaves, and the bank does not wait for ever.
    let (left, _) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    app.settle_after(SignedDuration::from_mins(11)).await;
    assert_eq!(app.state(left).await, Canceled);
    let (turned_back, _) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    let state = cancel_payment(&app.app, app.merchant, turned_back, Ending::PayerCanceled).await;
    assert_eq!(state.expect("it is called off"), Canceled);
    assert_eq!(app.payment(turned_back).await.decline, Some(Decline::LeftTheCheck));

    // Nobody is there to be asked.
    let mut away = app.ask_saved(invoice, 20_000, &saved).await;
    away.means.charged_by = Some("staff".to_owned());
    let (payment, state) = app.charge(away).await;
    assert_eq!((state, app.payment(payment).await.decline), (Failed, Some(Decline::NotAuthenticated)));
    assert_eq!(app.figures(invoice).await, (70_000, 0, 30_000));
    app.settle().await;
});

on_both_engines!(a_card_that_has_expired_or_was_removed_is_not_charged, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let first = app.keep_card(invoice, VISA).await;
    let second = app.keep_card(invoice, CHALLENGED).await;
    let order: Vec<_> = app.saved().await.iter().map(|saved| saved.id).collect();
    assert_eq!(order, [first.id, second.id], "the first one kept is offered first");
    let dana = app.dana().await;
    assert!(set_default_method(&app.app, app.merchant, dana, second.id).await.expect("stored"));
    assert_eq!(app.saved().await[0].id, second.id);
    app.remove_as_owner(second.id).await;
    assert!(matches!(
        app.start_payment(app.ask_saved(invoice, 10_000, &second).await).await,
        Started::SavedGone
    ));
    assert_eq!(app.saved().await.len(), 1);
    app.settle().await;
    assert_eq!(app.saved().await.len(), 1, "it does not come back");
    // 101 years later, say: the practice processor's cards live long.
    app.advance(SignedDuration::from_hours(24 * 366 * 101));
    let expired = app.start_payment(app.ask_saved(invoice, 10_000, &first).await).await;
    assert!(matches!(expired, Started::SavedGone), "{expired:?}");
});

on_both_engines!(
    a_charge_that_is_not_answered_is_unknown_and_never_charged_twice,
    async |app: &mut TestApp| {
        let invoice = app.invoice(100_000).await;
        let saved = app.keep_card(invoice, VISA).await;
        for (kind, calls) in [(FaultKind::TimeoutAfter, 1), (FaultKind::TimeoutBefore, 2)] {
            app.sandbox.arm_fault(Fault { delay_ms: Some(20), ..Fault::once(CHARGE, kind) });
            let before = app.figures(invoice).await.2;
            let (payment, state) = app.charge(app.ask_saved(invoice, 10_000, &saved).await).await;
            assert_eq!(state, Unknown, "{kind:?}");
            assert_eq!(app.figures(invoice).await.1, 10_000, "held: neither paid nor failed");
            app.settle_after(SignedDuration::from_secs(6)).await;
            assert_eq!(app.state(payment).await, Succeeded, "{kind:?}");
            assert_eq!(app.attempt(payment).await.calls, calls, "{kind:?}: the list is asked first");
            assert_eq!(app.figures(invoice).await.2, before + 10_000);
        }
        // The payer has gone: what provably never charged is given up.
        app.sandbox.arm_fault(Fault { delay_ms: Some(20), ..Fault::once(CHARGE, FaultKind::TimeoutBefore) });
        let (payment, _) = app.charge(app.ask_saved(invoice, 10_000, &saved).await).await;
        app.settle_after(SignedDuration::from_mins(90)).await;
        app.settle_after(SignedDuration::from_hours(2)).await;
        assert_eq!((app.state(payment).await, app.attempt(payment).await.calls), (Canceled, 1));
    }
);

on_both_engines!(a_charge_of_which_the_answer_was_lost_in_a_crash_is_found, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let saved = app.keep_card(invoice, VISA).await;
    let payment = app.reserve(app.ask_saved(invoice, 10_000, &saved).await).await;
    app.restart().await;
    app.settle().await;
    assert_eq!(app.state(payment).await, Succeeded, "it is sent after the restart");
    let gone = app.reserve(app.ask_saved(invoice, 10_000, &saved).await).await;
    app.advance(SignedDuration::from_mins(20));
    app.restart().await;
    app.settle().await;
    assert_eq!(app.state(gone).await, Canceled, "the payer has gone, and nothing was sent");
});

on_both_engines!(two_tabs_charge_what_is_left_once, async |app: &mut TestApp| {
    let invoice = app.invoice(30_000).await;
    let saved = app.keep_card(invoice, VISA).await;
    let (first, state) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    assert_eq!((state, app.state(first).await), (Succeeded, Succeeded));
    let second = app.start_payment(app.ask_saved(invoice, 20_000, &saved).await).await;
    assert!(matches!(second, Started::Refused(_)), "{second:?}");
    app.settle().await;
});

on_both_engines!(a_saved_account_is_debited_after_the_cut_off, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let (_, saved) = app.keep_account(invoice, GOOD).await;
    assert_eq!((saved.method, saved.last4.as_str()), (Method::UsBankAccount, "6789"));
    let standing = app.standing(&saved).await;
    assert_eq!((standing.rule, standing.wording.as_str()), (Rule::Standing, "Take it, and later ones."));
    // 9:00 UTC is 4:00 in New York; the cut-off is twelve hours away.
    let (payment, state) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    assert_eq!(state, Created);
    assert_eq!(app.figures(invoice).await, (100_000, 30_000, 0), "held");
    app.settle_after(SignedDuration::from_hours(11)).await;
    assert_eq!((app.state(payment).await, app.attempt(payment).await.calls), (Created, 0));
    app.settle_after(SignedDuration::from_hours(1)).await;
    assert_eq!(app.history(payment).await, [Created, Submitting, Processing]);
    assert_eq!(app.attempt(payment).await.calls, 1);
    app.days(7).await;
    assert_eq!(app.state(payment).await, Succeeded);
    let stopped = stop_payment(&app.app, app.merchant, payment).await.expect("it is looked at");
    assert_eq!(stopped, Err(CannotStop::TooLate(Succeeded)));
});

on_both_engines!(a_held_debit_can_be_stopped_until_the_cut_off, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let (_, saved) = app.keep_account(invoice, GOOD).await;
    let (payment, _) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    app.advance(SignedDuration::from_secs(12 * 3_600 - 1));
    let merchant = app.merchant;
    assert_eq!(stop_payment(&app.app, merchant, payment).await.expect("stopped"), Ok(Canceled));
    assert_eq!(stop_payment(&app.app, merchant, payment).await.expect("stopped"), Ok(Canceled), "twice");
    assert_eq!(app.figures(invoice).await, (100_000, 10_000, 0));
    app.settle_after(SignedDuration::from_secs(1)).await;
    assert_eq!((app.history(payment).await, app.attempt(payment).await.calls), (vec![Created, Canceled], 0));
    // At the cut-off it is too late, though the job has not run yet.
    let (late, _) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    app.advance(SignedDuration::from_hours(24));
    let refused = stop_payment(&app.app, merchant, late).await.expect("it is looked at");
    assert_eq!(refused, Err(CannotStop::TooLate(Created)));
    app.settle().await;
    assert_eq!(app.state(late).await, Processing);
    app.days(8).await;
});

on_both_engines!(a_crash_between_cut_off_and_call_sends_it_once, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let (_, saved) = app.keep_account(invoice, GOOD).await;
    let (payment, _) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    app.sandbox.arm_fault(Fault { delay_ms: Some(20), ..Fault::once(CHARGE, FaultKind::TimeoutAfter) });
    app.settle_after(SignedDuration::from_hours(12)).await;
    app.restart().await;
    app.settle_after(SignedDuration::from_mins(10)).await;
    assert_eq!(app.state(payment).await, Processing);
    assert_eq!(app.attempt(payment).await.calls, 1, "the list had it");
    app.days(8).await;
    assert_eq!(app.figures(invoice).await, (70_000, 0, 30_000));
});

on_both_engines!(removing_an_account_stops_what_is_held_and_ends_the_leave, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let (_, saved) = app.keep_account(invoice, GOOD).await;
    let (held, _) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    app.remove_as_owner(saved.id).await;
    assert_eq!(app.state(held).await, Canceled);
    let ended = app.standing(&saved).await.ended.expect("it has ended");
    assert_eq!(ended.by, EndedBy::Payer);
    assert!(matches!(
        app.start_payment(app.ask_saved(invoice, 20_000, &saved).await).await,
        Started::SavedGone
    ));
    app.days(8).await;
    assert_eq!(app.figures(invoice).await, (90_000, 0, 10_000), "what was on its way arrives");
});

on_both_engines!(a_held_debit_is_never_sent_once_the_leave_has_ended, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let (_, saved) = app.keep_account(invoice, GOOD).await;
    let (held, _) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    // Another debit's return ended it meanwhile.
    let (merchant, standing, at) =
        (app.merchant, saved.mandate_id.expect("an account has one"), app.app.clock.now());
    let ended = Ended { at, why: "the bank sent the debit back: R10".to_owned(), by: EndedBy::Bank };
    let end = async move |tx: &mut Tx| mandates::end(tx, merchant, standing, &ended).await;
    assert!(app.app.store.write(end).await.expect("it is ended"));
    app.settle_after(SignedDuration::from_hours(12)).await;
    assert_eq!(app.history(held).await, [Created, Canceled]);
    assert_eq!(app.attempt(held).await.calls, 0);
    assert_eq!(app.figures(invoice).await, (100_000, 10_000, 0), "nothing is held for it");
    app.settle_after(SignedDuration::from_mins(3)).await;
    let mails = app.mails(invoice).await;
    let told = mails.iter().filter(|(kind, to)| *kind == MailKind::Failed && to == "dana@acme.example");
    assert_eq!(told.count(), 1, "its payer hears that nothing was taken: {mails:?}");
    app.days(8).await;
});

on_both_engines!(a_bank_that_says_there_is_no_leave_ends_it, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    // Returned as not authorised on day 2, before it was paid.
    let (first, saved) = app.keep_account(invoice, "91100002").await;
    app.days(4).await;
    assert_eq!(
        (app.state(first).await, app.payment(first).await.return_code.as_deref()),
        (Failed, Some("R10"))
    );
    assert_eq!(app.standing(&saved).await.ended.expect("it has ended").by, EndedBy::Bank);
    let refused = app.start_payment(app.ask_saved(invoice, 20_000, &saved).await).await;
    assert!(matches!(refused, Started::SavedGone), "{refused:?}");
});

on_both_engines!(a_program_repeats_its_charge_without_charging_twice, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let saved = app.keep_card(invoice, VISA).await;
    let request = paydown::actions::start_payment::Request {
        owner: "key_1".to_owned(),
        route: "POST /v1/payments",
        key: "k".to_owned(),
        request_hash: [1; 32],
    };
    let ask = app.ask_saved(invoice, 20_000, &saved).await;
    let means = Means {
        saved: Some(saved.id),
        charged_by: Some("key_1".to_owned()),
        request: Some(request.clone()),
        retries: None,
        keep: false,
    };
    let (payment, _) = app.charge(StartPayment { means: means.clone(), ..ask.clone() }).await;
    let again = StartPayment { payment: app.payment_id(), means: means.clone(), ..ask.clone() };
    let Started::Repeated(before) = app.start_payment(again.clone()).await else { panic!("it is known") };
    assert_eq!(before.id, payment);
    let other = paydown::actions::start_payment::Request { request_hash: [2; 32], ..request };
    let other = StartPayment { means: Means { request: Some(other), ..means }, ..again };
    assert!(matches!(app.start_payment(other).await, Started::OtherRequest));
    app.settle().await;
});
