//! Debits that came back are presented again: the same amount, at most twice, within 180 days, and only for want of money.

use crate::api::client::Client;
use crate::on_both_engines;
use crate::payments::saved::GOOD;
use crate::test_app::TestApp;
use billing::bank_return::CannotRetry;
use billing::ids::{InvoiceId, PaymentId, PaymentMethodId};
use billing::payment::PaymentState::{Created, Failed, Processing, Returned, Succeeded};
use jiff::SignedDuration;
use jiff::civil::date;
use ledger::{Currency, Money};
use paydown::actions::call_off_payment::{CalledOff, call_off_payment};
use paydown::actions::charge_saved::{ChargeSaved, Charged, charge_saved};
use paydown::actions::retry_debit::{Retried, RetryDebit, retry_debit};
use paydown::actions::start_payment::{NotAgain, Started};
use serde_json::json;
use store::audit;
use store::audit::acts;
use store::db::Tx;

/// An account whose bank has no money on day 2, each time.
const NO_MONEY: &str = "91010002";

impl TestApp {
    async fn present_again(&self, payment: PaymentId) -> Retried {
        let input =
            RetryDebit { merchant: self.merchant, payment, request: None, actor: "cli:dana".to_owned() };
        retry_debit(&self.app, input).await.expect("it is judged").expect("there is such a payment")
    }

    /// The new payment of a debit that may be presented again.
    async fn presented(&self, payment: PaymentId) -> PaymentId {
        match self.present_again(payment).await {
            Retried::Charged(Charged::New(payment)) => payment,
            other => panic!("it was not presented again: {other:?}"),
        }
    }

    /// Why a debit is not presented again.
    async fn not_again(&self, payment: PaymentId) -> NotAgain {
        match self.present_again(payment).await {
            Retried::Charged(Charged::NotAgain(why)) => *why,
            other => panic!("it was not refused: {other:?}"),
        }
    }

    /// Staff charge a saved account for an invoice.
    async fn charge_as_staff(&self, invoice: InvoiceId, saved: PaymentMethodId, minor: i64) -> Charged {
        let input = ChargeSaved {
            merchant: self.merchant,
            invoice,
            saved,
            amount_minor: minor,
            surcharge_minor: 0,
            retries: None,
            request: None,
            actor: "cli:dana".to_owned(),
        };
        charge_saved(&self.app, input).await.expect("it is judged")
    }
}

on_both_engines!(a_debit_without_cover_is_presented_twice_more, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let (first, saved) = app.keep_account(invoice, NO_MONEY).await;
    assert_eq!(app.not_again(first).await.why, CannotRetry::NotReturned, "it is on its way");
    app.days(4).await;
    assert_eq!((app.state(first).await, app.figures(invoice).await), (Failed, (100_000, 0, 0)));
    // Nobody was asked anew, so nothing but the same amount is taken.
    let other = app.charge_as_staff(invoice, saved.id, 9_999).await;
    let Charged::NotAgain(why) = other else { panic!("another amount was taken: {other:?}") };
    assert_eq!(why.why, CannotRetry::OtherAmount(Money::new(10_000, Currency::USD)));

    let second = app.presented(first).await;
    let again = app.payment(second).await;
    assert_eq!((again.retry_of, again.amount_minor, again.state), (Some(first), 10_000, Created));
    assert_eq!(again.payment_method_id, Some(saved.id));
    assert!(again.send_at.is_some(), "held until the cut-off, so that its payer can stop it");
    assert!(app.attempt(second).await.body.contains("RETRY"), "{}", app.attempt(second).await.body);
    let (merchant, object) = (app.merchant, second.to_string());
    let read = async move |tx: &mut Tx| audit::list_by_object(tx, merchant, &object, 10).await;
    let trail = app.app.store.read(read).await.expect("the trail can be read");
    assert_eq!((trail[0].act.as_str(), trail[0].actor.as_str()), (acts::PAYMENT_CHARGE, "cli:dana"));
    assert!(trail[0].after.contains(&first.to_string()), "{trail:?}");
    assert_eq!(app.not_again(first).await.why, CannotRetry::NotReturned, "one at a time");
    app.days(6).await;
    assert_eq!((app.state(second).await, app.figures(invoice).await), (Failed, (100_000, 0, 0)));

    // Its payer pays the same again: that is the second try, and the last.
    let (third, state) = app.charge(app.ask_saved(invoice, 10_000, &saved).await).await;
    assert_eq!((state, app.payment(third).await.retry_of), (Created, Some(first)));
    app.days(6).await;
    assert_eq!(app.state(third).await, Failed);
    let refused = app.not_again(third).await;
    assert_eq!(refused.why, CannotRetry::TooOften(3));
    assert_eq!((refused.first_on, refused.last_on), (date(2026, 11, 16), date(2027, 5, 15)));
    assert!(refused.to_string().contains("2026-11-16"), "{refused}");
    let by_payer = app.start_payment(app.ask_saved(invoice, 10_000, &saved).await).await;
    assert!(matches!(by_payer, Started::NotAgain(_)), "{by_payer:?}");
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0), "nothing is held for what is refused");
    // What its payer agrees to anew is another debit.
    let (other, _) = app.charge(app.ask_saved(invoice, 9_000, &saved).await).await;
    assert_eq!(app.payment(other).await.retry_of, None);
    app.days(6).await;
});

on_both_engines!(
    the_180th_day_is_the_last_and_what_was_called_off_does_not_count,
    async |app: &mut TestApp| {
        app.offer_debits().await;
        let invoice = app.invoice(100_000).await;
        let (first, _) = app.keep_account(invoice, NO_MONEY).await;
        app.days(4).await;
        app.advance(SignedDuration::from_hours(24 * 175));
        for _ in 0..3 {
            let tried = app.presented(first).await;
            let called_off = call_off_payment(&app.app, app.merchant, tried, "cli:dana".to_owned()).await;
            assert_eq!(called_off.expect("it is called off"), Some(CalledOff::Done));
        }
        app.advance(SignedDuration::from_hours(24));
        let refused = app.not_again(first).await;
        assert_eq!((refused.why, refused.last_on), (CannotRetry::TooLate, date(2027, 5, 15)));
        assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    }
);

on_both_engines!(a_reason_that_forbids_it_is_not_tried_again, async |app: &mut TestApp| {
    app.offer_debits().await;
    let client = Client::open(app).await;
    let present = async |key: &str, payment: PaymentId| {
        let path = format!("/v1/payments/{payment}/retry");
        client.send("POST", &path, &[("idempotency-key", key)], None).await
    };
    // Not allowed: the leave has ended with it, whoever asks.
    for (n, code) in ["05", "07", "10", "29"].into_iter().enumerate() {
        let invoice = app.invoice(100_000).await;
        let (first, saved) = app.keep_account(invoice, &format!("91{code}0002")).await;
        app.days(4).await;
        assert_eq!(app.state(first).await, Failed, "R{code}");
        present(&format!("a-{n}"), first).await.is(409, "payment_method_unusable");
        let charged = app.charge_as_staff(invoice, saved.id, 5_000).await;
        assert!(matches!(charged, Charged::Unusable), "R{code}: {charged:?}");
        assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    }
    // Taken back after it was paid: whoever did that has taken the leave back.
    let invoice = app.invoice(100_000).await;
    let (late, _) = app.keep_account(invoice, "92010003").await;
    app.days(7).await;
    assert_eq!(app.state(late).await, Succeeded);
    present("b-1", late).await.is(409, "not_retryable");
    app.days(7).await;
    assert_eq!(app.state(late).await, Returned);
    present("b-2", late).await.is(409, "payment_method_unusable");
    // Not a debit, or none whose account is saved.
    let card = app.pay_with_visa(invoice, 10_000).await;
    let words = present("c-1", card).await;
    assert!(words.is(409, "not_retryable").text.contains("card"), "{}", words.text);
    let once = app.debit(invoice, 10_000, NO_MONEY).await;
    app.days(4).await;
    present("c-2", once).await.is(409, "not_retryable");
    present("c-3", "pay_00000000000000000000000000".parse().expect("an id")).await.is(404, "not_found");
});

on_both_engines!(a_program_presents_it_once, async |app: &mut TestApp| {
    app.offer_debits().await;
    let client = Client::open(app).await;
    let invoice = app.invoice(100_000).await;
    let (first, _) = app.keep_account(invoice, NO_MONEY).await;
    app.days(4).await;
    let path = format!("/v1/payments/{first}/retry");
    client.send("POST", &path, &[], None).await.is(400, "missing_idempotency_key");
    let [one, two] = ["k", "k"].map(|key| {
        let (client, path) = (client.clone(), path.clone());
        tokio::spawn(async move { client.send("POST", &path, &[("idempotency-key", key)], None).await })
    });
    let [one, two] = [one.await.expect("answered"), two.await.expect("answered")];
    assert_eq!((one.status, two.status), (201, 201), "{} {}", one.text, two.text);
    assert_eq!(one.text_of("id"), two.text_of("id"));
    assert_eq!((&one.json["retry_of"], &one.json["amount"]), (&json!(first.to_string()), &json!(10_000)));
    client.send("POST", &path, &[("idempotency-key", "k-2")], None).await.is(409, "not_retryable");
    let shown = client.get(&format!("/v1/payments/{first}")).await.json;
    assert_eq!((&shown["return_code"], &shown["retry_of"]), (&json!("R01"), &json!(null)));
    app.days(6).await;
});

on_both_engines!(what_was_paid_leaves_room_for_another_debit, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let (first, saved) = app.keep_account(invoice, GOOD).await;
    let (second, state) = app.charge(app.ask_saved(invoice, 10_000, &saved).await).await;
    assert_eq!((state, app.payment(second).await.retry_of), (Created, None), "one is on its way");
    let charged = app.charge_as_staff(invoice, saved.id, 10_000).await;
    assert!(matches!(charged, Charged::New(_)), "{charged:?}");
    app.settle_after(SignedDuration::from_hours(12)).await;
    assert_eq!(app.state(second).await, Processing);
    app.days(8).await;
    assert_eq!(app.state(first).await, Succeeded);
    assert_eq!(app.figures(invoice).await, (70_000, 0, 30_000));
});
