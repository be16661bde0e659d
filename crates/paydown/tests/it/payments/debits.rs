//! Bank debits: money that arrives days later, does not arrive, or is taken back.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::amount::RefusalKind;
use billing::chart;
use billing::ids::{InvoiceId, PaymentId};
use billing::invoice::{Progress, progress};
use billing::payment::Method;
use billing::payment::PaymentState::{Failed, Processing, RequiresAction, Returned, Submitting, Succeeded};
use ledger::{Currency, Money};
use paydown::actions::run_jobs;
use paydown::actions::start_payment::{Agreement, StartPayment, Started};
use paydown::actions::watch_return_rates::debit_counts;
use serde_json::json;
use store::anomalies;
use store::db::Tx;
use store::mails::MailKind;
use store::mandates::{self, Mandate};

/// An account that pays.
const GOOD: &str = "000123456789";

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

impl TestApp {
    /// A form that asks to debit a bank account.
    fn ask_bank(&self, invoice: InvoiceId, amount_minor: i64) -> StartPayment {
        let agreement =
            Agreement { wording: "Take it, once.".to_owned(), user_agent: Some("Browser".to_owned()) };
        let ask = self.ask(invoice, amount_minor);
        StartPayment { method: Method::UsBankAccount, agreement: Some(agreement), ..ask }
    }

    /// A debit of an account that the payer has agreed to on the bank page.
    pub async fn debit(&self, invoice: InvoiceId, amount_minor: i64, account: &str) -> PaymentId {
        let payment = self.pay_as(self.ask_bank(invoice, amount_minor)).await;
        let page = self.card_page(payment, json!({ "account": account })).await;
        assert_eq!(page["field_errors"], json!([]), "the page takes what was typed");
        self.settle().await;
        payment
    }

    async fn mandate(&self, payment: PaymentId) -> Mandate {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| mandates::find(tx, merchant, payment).await;
        self.app.store.read(read).await.expect("it can be read").expect("there is one")
    }
}

// Acceptance scenario 1.
on_both_engines!(a_debit_is_paid_when_it_is_settled_and_not_before, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let payment = app.debit(invoice, 40_000, GOOD).await;
    assert_eq!(app.state(payment).await, Processing);
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "in progress, nothing paid yet");
    assert_eq!(app.balance(chart::RECEIVABLE, Currency::USD).await, 100_000, "it posts nothing");
    assert_eq!(app.receipt(payment).await, None);
    let begun = app.payment(payment).await;
    assert_eq!(begun.instrument_last4.as_deref(), Some("6789"));
    assert!(begun.expected_on.is_some());
    let to = || "dana@acme.example".to_owned();
    assert_eq!(app.mails(invoice).await, [(MailKind::Started, to())], "an acknowledgement, no receipt");
    let mandate = app.mandate(payment).await;
    assert_eq!((mandate.wording.as_str(), mandate.amount), ("Take it, once.", Some(usd(40_000))));
    assert_eq!(mandate.account.last4.as_deref(), Some("6789"));
    assert!(mandate.accepted_at.is_some() && mandate.account.processor_mandate_id.is_some(), "{mandate:?}");

    app.days(7).await;
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Processing, Succeeded]);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    let receipt = app.receipt(payment).await.expect("a receipt");
    assert_eq!((receipt.lines[0].open_before_minor, receipt.lines[0].open_after_minor), (100_000, 60_000));
    assert_eq!(app.mails(invoice).await, [(MailKind::Received, to()), (MailKind::Started, to())]);
    assert_eq!(app.anomalies(payment).await, [""; 0]);
});

// Acceptance scenario 2.
on_both_engines!(a_debit_that_the_bank_does_not_pay_is_owed_again, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let payment = app.debit(invoice, 40_000, "000222222227").await;
    assert_eq!(app.state(payment).await, Processing);
    app.days(7).await;
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Processing, Failed]);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.payment(payment).await.return_code.as_deref(), Some("R01"));
    let kinds: Vec<MailKind> = app.mails(invoice).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [MailKind::Failed, MailKind::Started]);
    assert_eq!(app.receipt(payment).await, None);
});

// Acceptance scenario 3, without the payout.
on_both_engines!(a_debit_that_the_bank_takes_back_reopens_the_invoice, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    // Returned with R10 on day 40 after it was paid.
    let payment = app.debit(invoice, 40_000, "92100040").await;
    app.days(7).await;
    assert_eq!(app.state(payment).await, Succeeded);
    app.pay_with_visa(invoice, 60_000).await;
    let stored = app.stored_invoice(invoice).await;
    assert_eq!(progress(stored.lifecycle, &stored.figures), Some(Progress::Paid));

    app.days(42).await;
    assert_eq!(app.state(payment).await, Returned);
    assert_eq!(app.figures(invoice).await, (40_000, 0, 60_000), "the card payment stays where it is");
    let returned = app.payment(payment).await;
    assert_eq!(returned.return_code.as_deref(), Some("debit_not_authorized"), "late ones bear no code");
    assert!(returned.returned_at.is_some());
    assert!(app.mandate(payment).await.ended.is_some(), "no further debit may rest on it");
    let kinds: Vec<MailKind> = app.mails(invoice).await.into_iter().map(|(kind, _)| kind).collect();
    assert!(kinds.contains(&MailKind::Returned), "{kinds:?}");
    let notice = app.mails(invoice).await.into_iter().find(|(kind, _)| *kind == MailKind::ReturnedNotice);
    assert_eq!(notice.expect("the merchant hears of it").1, "help@northwind.example");
    let again = app.pay_with_visa(invoice, 40_000).await;
    assert_eq!(app.state(again).await, Succeeded);
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000));
});

// Acceptance scenario 4, with a debit in flight.
on_both_engines!(what_a_debit_has_reserved_nobody_else_pays, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let debit = app.debit(invoice, 40_000, GOOD).await;
    let refused = app.start_payment(app.ask(invoice, 70_000)).await;
    let Started::Refused(refusal) = refused else { panic!("700.00 was not refused: {refused:?}") };
    assert_eq!(refusal.kind, RefusalKind::Above { payable: usd(60_000), pending: usd(40_000) });
    let card = app.pay(invoice, 60_000).await;
    app.card(card, VISA).await;
    app.settle().await;
    app.days(7).await;
    assert_eq!((app.state(debit).await, app.state(card).await), (Succeeded, Succeeded));
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000));
});

on_both_engines!(a_debit_needs_an_offer_and_its_currency, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let refused = app.start_payment(app.ask_bank(invoice, 40_000)).await;
    assert!(matches!(refused, Started::MethodNotOffered), "{refused:?}");
    app.offer_debits().await;
    let in_euros = app.invoice_in(Currency::EUR, 100_000).await;
    let refused = app.start_payment(app.ask_bank(in_euros, 40_000)).await;
    assert!(matches!(refused, Started::MethodNotOffered), "{refused:?}");
    assert_eq!(app.figures(in_euros).await, (100_000, 0, 0));
});

on_both_engines!(a_debit_in_europe_is_settled_too, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice_in(Currency::EUR, 100_000).await;
    let ask = StartPayment { method: Method::SepaDebit, ..app.ask_bank(invoice, 40_000) };
    let payment = app.pay_as(ask).await;
    app.card_page(payment, json!({ "iban": "AT611904300234573201" })).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, Processing);
    app.days(14).await;
    assert_eq!(app.state(payment).await, Succeeded);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

// Every webhook may be lost: the processor's list of events tells.
on_both_engines!(a_return_is_found_when_its_webhook_is_lost, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    let payment = app.debit(invoice, 40_000, "92010010").await;
    for _ in 0..30 {
        app.days(1).await;
        run_jobs::poll(&app.app).await.expect("the list is read");
    }
    app.settle().await;
    assert_eq!(app.state(payment).await, Returned);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

// What a bank's no means for the debits to come, and for the rates that the network watches.
on_both_engines!(what_follows_from_a_banks_no, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let empty = app.debit(invoice, 10_000, "91010001").await;
    let frozen = app.debit(invoice, 10_000, "91160001").await;
    let not_allowed = app.debit(invoice, 10_000, "91070001").await;
    for (payment, code) in [(empty, "R01"), (frozen, "R16"), (not_allowed, "R07")] {
        assert_eq!(app.state(payment).await, Processing, "{code}");
    }
    app.days(7).await;
    let mut ended = Vec::new();
    for payment in [empty, frozen, not_allowed] {
        assert_eq!(app.state(payment).await, Failed);
        ended.push(app.mandate(payment).await.ended.is_some());
    }
    assert_eq!(ended, [false, true, true], "who had not enough money may be asked again");
    assert_eq!(app.anomalies(frozen).await, ["bank_return"], "a person looks at a frozen account");
    assert_eq!(app.anomalies(empty).await, [""; 0]);

    let (merchant, now) = (app.merchant, app.app.clock.now());
    let counts = app.app.store.read(async move |tx: &mut Tx| debit_counts(tx, merchant, now).await).await;
    let counts = counts.expect("debits can be counted");
    let found = (counts.originated, counts.unauthorized, counts.administrative, counts.returned);
    assert_eq!(found, (3, 1, 0, 3));
    let read = async move |tx: &mut Tx| anomalies::newest_open(tx, merchant, 10).await;
    let open = app.app.store.read(read).await.expect("anomalies can be read");
    let rates: Vec<_> = open.iter().filter(|anomaly| anomaly.kind == "return_rate").collect();
    assert_eq!(rates.len(), 2, "unauthorised and overall, each once: {open:?}");
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});
