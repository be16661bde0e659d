//! What may be refunded, what it means for the invoice, and who has to agree.

use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use billing::payment::PaymentState;
use billing::refund::RefundMeaning::{OwedAgain, PriceGivenBack};
use billing::refund::RefundState::{Canceled, Failed, Pending, Requested, Submitting, Succeeded};
use billing::surcharge::Surcharge;
use jiff::SignedDuration;
use ledger::{Currency, Money};
use paydown::actions::approve_refund::{CannotJudge, JudgeRefund, refuse_refund};
use paydown::actions::once::{Once, Ran};
use paydown::actions::request_refund::{CannotRefund, RefundOf, request_refund};
use paydown::actions::start_payment::StartPayment;
use store::mails::MailKind;
use store::refunds::Approval;

/// Its refunds are pending for a day.
const PENDING: &str = "4000000000007726";
/// Its refunds succeed, and fail three days later.
const FAILS_LATE: &str = "4000000000005126";

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

on_both_engines!(a_payment_is_refunded_in_full_and_owed_again, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    app.settle().await;
    assert_eq!(state, Succeeded);
    assert_eq!(app.refund_history(id).await, [Requested, Submitting, Succeeded]);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
    assert_eq!(app.balance(chart::REFUNDS_PAYABLE, Currency::USD).await, 0);
    let refund = app.stored_refund(id).await;
    assert_eq!((refund.amount, refund.calls, app.refunds_made()), (usd(40_000), 1, 1));
    assert!(refund.learned.processor_refund_id.is_some() && refund.learned.line_id.is_some());
    let to = || "dana@acme.example".to_owned();
    let mails = app.mails(invoice).await;
    assert!(mails.contains(&(MailKind::Refunded, to())), "{mails:?}");
    let more = app.ask_refund(app.refund_input(RefundOf::Payment(payment), None, OwedAgain)).await;
    assert_eq!(more.err(), Some(CannotRefund::AboveLeft(usd(0))), "nothing is left");
    let again = app.pay_with_visa(invoice, 100_000).await;
    assert_eq!(app.state(again).await, PaymentState::Succeeded);
});

on_both_engines!(parts_are_refunded_until_nothing_is_left, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    app.refund(RefundOf::Payment(payment), Some(15_000), OwedAgain).await;
    assert_eq!(app.figures(invoice).await, (75_000, 0, 25_000));
    let above = app.ask_refund(app.refund_input(RefundOf::Payment(payment), Some(25_001), OwedAgain)).await;
    assert_eq!(above.err(), Some(CannotRefund::AboveLeft(usd(25_000))), "the figure that is left is named");
    for wrong in [0, -1] {
        let input = app.refund_input(RefundOf::Payment(payment), Some(wrong), OwedAgain);
        assert_eq!(app.ask_refund(input).await.err(), Some(CannotRefund::NotPositive));
    }
    app.refund(RefundOf::Payment(payment), Some(25_000), OwedAgain).await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.refunds_made(), 2);
});

on_both_engines!(a_price_that_is_given_back_is_not_owed_again, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    app.refund(RefundOf::Payment(payment), Some(10_000), PriceGivenBack).await;
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 30_000), "900.00 is asked for now");
    app.pay_with_visa(invoice, 60_000).await;
    assert_eq!(app.figures(invoice).await, (0, 0, 90_000));
    assert_eq!(app.balance(chart::CREDIT_NOTES, Currency::USD).await, 10_000);
});

// Of 411.90 that were charged, half goes back: half of the surcharge is in it, rounded down.
on_both_engines!(the_surcharge_goes_back_in_its_share, async |app: &mut TestApp| {
    let surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
    app.set_surcharge(Currency::USD, surcharge).await;
    let invoice = app.invoice(100_000).await;
    let form = StartPayment { surcharge_minor: 1_190, ..app.ask(invoice, 40_000) };
    let payment = app.pay_as(form).await;
    app.card(payment, crate::builders::VISA).await;
    app.settle().await;
    app.refund(RefundOf::Payment(payment), Some(20_595), OwedAgain).await;
    assert_eq!(app.figures(invoice).await, (80_000, 0, 20_000));
    assert_eq!(app.balance(chart::SURCHARGE_INCOME, Currency::USD).await, -595);
    app.refund(RefundOf::Surcharge(payment), Some(95), OwedAgain).await;
    assert_eq!(app.balance(chart::SURCHARGE_INCOME, Currency::USD).await, -500);
    let (id, _) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(app.stored_refund(id).await.amount, usd(20_500), "whoever takes all takes all of it");
    assert_eq!(app.balance(chart::SURCHARGE_INCOME, Currency::USD).await, 0);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(a_refund_may_take_its_time, async |app: &mut TestApp| {
    let (invoice, payment) = app.partly_paid(PENDING).await;
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Pending);
    assert_eq!(app.balance(chart::REFUNDS_PAYABLE, Currency::USD).await, -40_000);
    app.settle_after(SignedDuration::from_hours(30)).await;
    assert_eq!(app.refund_history(id).await, [Requested, Submitting, Pending, Succeeded]);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(a_refund_that_fails_late_goes_back_to_its_invoice, async |app: &mut TestApp| {
    let (invoice, payment) = app.partly_paid(FAILS_LATE).await;
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    app.settle().await;
    assert_eq!((state, app.figures(invoice).await), (Succeeded, (100_000, 0, 0)));
    app.settle_after(SignedDuration::from_hours(4 * 24)).await;
    assert_eq!(app.refund_history(id).await, [Requested, Submitting, Succeeded, Failed]);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000), "as if nothing had been refunded");
    assert_eq!(app.credit().await, 0);
    assert_eq!(app.anomalies(payment).await, ["refund_failed"]);
    let mails = app.mails(invoice).await;
    assert!(mails.iter().any(|(kind, _)| *kind == MailKind::RefundFailed), "{mails:?}");
    let input = app.refund_input(RefundOf::Payment(payment), Some(40_001), OwedAgain);
    assert_eq!(app.ask_refund(input).await.err(), Some(CannotRefund::AboveLeft(usd(40_000))));
});

on_both_engines!(a_price_whose_refund_fails_late_is_kept_as_credit, async |app: &mut TestApp| {
    let (invoice, payment) = app.partly_paid(FAILS_LATE).await;
    app.pay_with_visa(invoice, 60_000).await;
    app.refund(RefundOf::Payment(payment), None, PriceGivenBack).await;
    app.settle_after(SignedDuration::from_hours(4 * 24)).await;
    assert_eq!(app.figures(invoice).await, (0, 0, 60_000), "the credit note stands");
    assert_eq!(app.credit().await, 40_000, "and the money is the customer's");
});

on_both_engines!(the_same_request_is_done_once, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    let once = |hash: u8| Once {
        owner: "key_1".to_owned(),
        route: "POST /v1/refunds",
        key: "k-1".to_owned(),
        request_hash: [hash; 32],
        answer: |made: &paydown::actions::request_refund::Requested| {
            Ok((made.refund.id.to_string(), "{}".to_owned()))
        },
    };
    let input = || app.refund_input(RefundOf::Payment(payment), Some(10_000), OwedAgain);
    let asks = (0..20).map(|_| request_refund(&app.app, input(), Some(once(1))));
    let all = futures::future::join_all(asks).await;
    let new: Vec<_> = all
        .into_iter()
        .filter_map(|ran| match ran.expect("it is judged") {
            Ran::New(made) => Some(made.refund.id),
            Ran::Repeated(_) => None,
            other => panic!("neither new nor repeated: {other:?}"),
        })
        .collect();
    assert_eq!(new.len(), 1, "a double click makes one refund");
    let other = request_refund(&app.app, input(), Some(once(2))).await.expect("it is judged");
    assert!(matches!(other, Ran::OtherRequest), "{other:?}");
    let sends = (0..20).map(|_| app.send_refund(new[0]));
    futures::future::join_all(sends).await;
    app.settle_after(SignedDuration::from_secs(10)).await;
    assert_eq!((app.refunds_made(), app.figures(invoice).await), (1, (70_000, 0, 30_000)));
});

on_both_engines!(twenty_who_refund_all_at_once_refund_it_once, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    let input = || app.refund_input(RefundOf::Payment(payment), None, OwedAgain);
    let all = futures::future::join_all((0..20).map(|_| app.ask_refund(input()))).await;
    let (made, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 19));
    assert!(refused.into_iter().all(|why| why.err() == Some(CannotRefund::AboveLeft(usd(0)))));
    app.settle_after(SignedDuration::from_secs(31)).await;
    assert_eq!((app.refunds_made(), app.figures(invoice).await), (1, (100_000, 0, 0)));
});

on_both_engines!(above_the_limit_a_second_person_approves, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    app.limit_refunds(Some(10_000)).await;
    let (small, state) = app.refund(RefundOf::Payment(payment), Some(10_000), OwedAgain).await;
    assert_eq!(state, Succeeded, "the limit itself needs nobody");
    assert!(matches!(app.approve(small, "cli:lee").await, Ran::Refused(CannotJudge::NotWaiting(Succeeded))));
    let (large, state) = app.refund(RefundOf::Payment(payment), Some(10_001), OwedAgain).await;
    assert_eq!((state, app.stored_refund(large).await.approval), (Requested, Approval::Waiting));
    app.settle_after(SignedDuration::from_hours(1)).await;
    assert_eq!((app.refunds_made(), app.stored_refund(large).await.calls), (1, 0), "nothing is sent");
    assert!(matches!(app.approve(large, "cli:dana").await, Ran::Refused(CannotJudge::SamePerson)));
    assert!(matches!(app.approve(large, "cli:lee").await, Ran::New(_)));
    app.settle().await;
    assert_eq!(app.stored_refund(large).await.state, Succeeded);
    assert_eq!((app.refunds_made(), app.figures(invoice).await), (2, (80_001, 0, 19_999)));
    app.limit_refunds(None).await;
    let (_, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Succeeded, "without a limit nobody else is asked");
});

on_both_engines!(what_is_refused_goes_back_to_its_invoice, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    app.limit_refunds(Some(0)).await;
    let id = app.begin_refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    let judge = || JudgeRefund { merchant: app.merchant, refund: id, actor: "cli:lee".to_owned() };
    let without = refuse_refund(&app.app, judge(), " ".to_owned(), None).await.expect("it is judged");
    assert!(matches!(without, Ran::Refused(CannotJudge::Reason)), "{without:?}");
    let refused = refuse_refund(&app.app, judge(), "not ours".to_owned(), None).await.expect("it is judged");
    assert!(matches!(refused, Ran::New(_)), "{refused:?}");
    assert_eq!(app.refund_history(id).await, [Requested, Canceled]);
    assert_eq!((app.figures(invoice).await, app.credit().await), ((60_000, 0, 40_000), 0));
    let again = refuse_refund(&app.app, judge(), "not ours".to_owned(), None).await.expect("it is judged");
    assert!(matches!(again, Ran::Refused(CannotJudge::Sent(Canceled))), "{again:?}");
    assert_eq!(app.refunds_made(), 0);
});
