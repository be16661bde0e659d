//! Payouts: what goes to the bank and back, what it is made of, and that account 1200 is what the processor holds.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::{PROCESSOR_KEY, TestApp};
use billing::chart::{self, BANK, CLEARING, CURRENCY_EXCHANGE, PAYOUT_IN_TRANSIT, PROCESSING_FEE};
use billing::ids::{PayoutId, PostingId};
use billing::payment::PaymentState::{Returned, Succeeded};
use billing::payout::PayoutState::{self, Failed, InTransit, Paid};
use jiff::SignedDuration;
use ledger::{Currency, Money};
use paydown::actions::reconcile_payout::{LookedAtPayout, reconcile_payout};
use paydown::actions::run_jobs;
use serde_json::{Value, json};
use store::anomalies;
use store::db::Tx;
use store::payouts::items::{self, About, Item, PaidOut};
use store::payouts::{self, Payout};
use store::postings::{self, CauseKind, NewPosting};

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl TestApp {
    /// The practice processor pays out at each midnight.
    async fn pay_out_daily(&self) {
        self.control("/payouts", json!({ "schedule": "daily" })).await;
    }

    /// Lets so many days pass, one after another.
    async fn pass(&self, days: u32) {
        for _ in 0..days {
            self.settle_after(DAY).await;
        }
    }

    /// Every payout, the oldest first.
    async fn payouts(&self) -> Vec<Payout> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| payouts::list(tx, merchant, None, 100).await;
        self.app.store.read(read).await.expect("payouts can be read")
    }

    async fn items(&self, payout: PayoutId) -> Vec<Item> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| items::list(tx, merchant, payout).await;
        self.app.store.read(read).await.expect("items can be read")
    }

    async fn payout_history(&self, payout: PayoutId) -> Vec<PayoutState> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| payouts::history(tx, merchant, payout).await;
        let steps = self.app.store.read(read).await.expect("histories can be read");
        steps.into_iter().map(|step| step.state).collect()
    }

    async fn usd(&self, account: u16) -> i64 {
        self.balance(account, Currency::USD).await
    }

    /// Details of everything a person has to look at.
    async fn details(&self) -> Vec<(String, String)> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| anomalies::newest_open(tx, merchant, 50).await;
        let found = self.app.store.read(read).await.expect("anomalies can be read");
        found.into_iter().map(|anomaly| (anomaly.kind, anomaly.detail)).collect()
    }

    /// A fee of a line that was booked wrongly.
    async fn post_fee(&self, line: &str, fee_minor: i64) {
        let (merchant, mint, line) = (self.merchant, self.app.mint(), line.to_owned());
        let fee = Money::new(fee_minor, Currency::USD);
        let posting = chart::processing_fee_charged(self.payment_id(), chart::Processor::Stripe, fee);
        let posting = posting.expect("it balances");
        let posted = self.app.store.write(async move |tx: &mut Tx| {
            let (id, cause) = (mint.id(PostingId::new), CauseKind::ProcessingFee);
            let new =
                NewPosting { id, cause, cause_id: &line, reverses: None, posting: &posting, at: mint.now };
            postings::insert(tx, merchant, &new).await
        });
        assert!(posted.await.expect("it is written"));
    }

    /// A call to the processor past the program.
    async fn at_processor(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let url = format!("{}{path}", self.sandbox.base_url());
        let asked = self.http.post(url).bearer_auth(PROCESSOR_KEY).form(form);
        let answer = asked.send().await.expect("it answers");
        let status = answer.status();
        let told: Value = answer.json().await.expect("answers are JSON");
        assert!(status.is_success(), "{path}: {told}");
        told
    }
}

fn about(item: &Item) -> Option<About> {
    item.known.as_ref().map(|known| known.about)
}

on_both_engines!(a_payout_is_its_items_and_settles_their_payments, async |app: &mut TestApp| {
    app.pay_out_daily().await;
    let invoice = app.invoice(100_000).await;
    let first = app.pay_with_visa(invoice, 40_000).await;
    let second = app.pay_with_visa(invoice, 25_000).await;
    let net = 40_000 - 1_190 + 25_000 - 755;
    app.pass(3).await;
    let [payout] = &app.payouts().await[..] else { panic!("one payout was made") };
    assert_eq!((payout.state, payout.amount), (InTransit, Money::new(net, Currency::USD)));
    assert!(payout.is_automatic && payout.reconciled_at.is_some(), "{payout:?}");
    assert_eq!((app.usd(CLEARING).await, app.usd(PAYOUT_IN_TRANSIT).await), (0, net));
    app.pass(2).await;
    let [payout] = &app.payouts().await[..] else { panic!("it stays one payout") };
    assert_eq!(app.payout_history(payout.id).await, [InTransit, Paid]);
    assert_eq!((app.usd(PAYOUT_IN_TRANSIT).await, app.usd(BANK).await), (0, net));
    let items = app.items(payout.id).await;
    let mut nets: Vec<_> = items.iter().map(|item| item.net().minor()).collect();
    nets.sort_unstable();
    assert_eq!(nets, [24_245, 38_810]);
    assert!(items.iter().all(|item| about(item) == Some(About::Payment)), "{items:?}");
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| items::of_payments(tx, merchant, (first, second)).await;
    let settled = app.app.store.read(read).await.expect("it can be read");
    let there = PaidOut { payout: payout.id, state: Paid };
    assert_eq!((settled.get(&first), settled.get(&second)), (Some(&there), Some(&there)));
    assert_eq!(app.details().await, []);
});

// Acceptance scenario 3, with its payout.
on_both_engines!(a_debit_taken_back_is_taken_from_the_next_payout, async |app: &mut TestApp| {
    app.pay_out_daily().await;
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let payment = app.debit(invoice, 40_000, "92100040").await;
    app.pass(7).await;
    app.pay_with_visa(invoice, 60_000).await;
    app.pass(45).await;
    assert_eq!(app.state(payment).await, Returned);
    assert_eq!(app.figures(invoice).await, (40_000, 0, 60_000));
    let all = app.payouts().await;
    let amounts: Vec<_> = all.iter().map(|payout| (payout.amount.minor(), payout.state)).collect();
    let below_zero = -40_000 - 1_500;
    assert_eq!(amounts, [(40_000 - 320, Paid), (60_000 - 1_770, Paid), (below_zero, Paid)]);
    let [item] = &app.items(all[2].id).await[..] else { panic!("the return is all of it") };
    assert_eq!((about(item), item.amount.minor(), item.fee_minor), (Some(About::Return), -40_000, 1_500));
    assert!(all.iter().all(|payout| payout.reconciled_at.is_some()), "{all:?}");
    assert_eq!(app.usd(chart::RETURN_FEE).await, 1_500);
    assert_eq!((app.usd(CLEARING).await, app.usd(PAYOUT_IN_TRANSIT).await), (0, 0));
    assert_eq!(app.usd(BANK).await, amounts.iter().map(|(amount, _)| amount).sum::<i64>());
});

on_both_engines!(a_payout_that_the_bank_refuses_is_an_item_of_the_next, async |app: &mut TestApp| {
    app.control("/payouts", json!({ "schedule": "daily", "next_fails_with": "account_closed" })).await;
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    app.pass(4).await;
    app.pass(3).await;
    let all = app.payouts().await;
    let [failed, later] = &all[..] else { panic!("it failed and was sent again: {all:?}") };
    assert_eq!((failed.state, failed.failure_code.as_deref()), (Failed, Some("account_closed")));
    assert_eq!(app.payout_history(failed.id).await, [InTransit, Failed]);
    assert_eq!((later.state, later.amount), (Paid, failed.amount));
    let [item] = &app.items(later.id).await[..] else { panic!("what came back is all of it") };
    let subject = item.known.as_ref().and_then(|known| known.subject.clone());
    assert_eq!((about(item), subject), (Some(About::Payout), Some(failed.id.to_string())));
    assert!(all.iter().all(|payout| payout.reconciled_at.is_some()), "{all:?}");
    assert_eq!((app.usd(CLEARING).await, app.usd(PAYOUT_IN_TRANSIT).await), (0, 0));
    assert_eq!(app.usd(BANK).await, 38_810);
});

on_both_engines!(a_payout_may_come_back_after_it_was_paid, async |app: &mut TestApp| {
    app.pay_out_daily().await;
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    app.pass(5).await;
    let payout = app.payouts().await.remove(0);
    assert_eq!((payout.state, app.usd(BANK).await), (Paid, 38_810));
    let name = &payout.processor_payout_id;
    app.control(&format!("/payouts/{name}/fail"), json!({ "code": "no_account" })).await;
    app.settle().await;
    assert_eq!(app.payout_history(payout.id).await, [InTransit, Paid, Failed]);
    assert_eq!((app.usd(BANK).await, app.usd(PAYOUT_IN_TRANSIT).await), (0, 0));
    assert_eq!(app.usd(CLEARING).await, 38_810, "it is with the processor again");
});

/// Payouts are booked the same whatever becomes of the webhooks.
async fn are_booked_under(app: &TestApp, mode: &str) {
    app.control("/webhooks", json!({ "mode": mode })).await;
    app.pay_out_daily().await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    for _ in 0..6 {
        app.advance(DAY);
        run_jobs::poll(&app.app).await.expect("the lists are read");
        app.settle().await;
    }
    assert_eq!(app.state(payment).await, Succeeded);
    let [payout] = &app.payouts().await[..] else { panic!("one payout was made") };
    assert_eq!(*app.payout_history(payout.id).await.last().expect("a step"), Paid);
    assert!(payout.reconciled_at.is_some());
    assert_eq!((app.usd(CLEARING).await, app.usd(BANK).await), (0, 38_810));
}

on_both_engines!(payouts_are_found_when_their_webhooks_are_lost, async |app: &mut TestApp| {
    are_booked_under(app, "lose").await;
});

on_both_engines!(payouts_are_booked_once_when_their_webhooks_come_twice, async |app: &mut TestApp| {
    are_booked_under(app, "duplicate").await;
});

on_both_engines!(payouts_are_booked_when_their_webhooks_come_out_of_order, async |app: &mut TestApp| {
    are_booked_under(app, "reverse").await;
});

// Neither its events nor our jobs: the list of payouts alone.
on_both_engines!(the_list_of_payouts_is_read_too, async |app: &mut TestApp| {
    app.pay_out_daily().await;
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    app.advance(DAY * 5);
    app.control("/webhooks/drain", json!({})).await;
    let found = paydown::actions::poll_payouts::poll_payouts(&app.app, app.merchant).await;
    assert_eq!(found.expect("the list is read"), 1);
    app.settle().await;
    assert_eq!((app.payouts().await[0].state, app.usd(BANK).await), (Paid, 38_810));
    let again = paydown::actions::poll_payouts::poll_payouts(&app.app, app.merchant).await;
    assert_eq!(again.expect("nothing is read"), 0, "it was read a moment ago");
});

on_both_engines!(what_nobody_knows_keeps_a_payout_open, async |app: &mut TestApp| {
    app.pay_out_daily().await;
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    let form =
        [("amount", "5000"), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("confirm", "true")];
    app.at_processor("/v1/payment_intents", &form).await;
    app.not_ours(Currency::USD, 5_000 - 175);
    app.pass(5).await;
    let [payout] = &app.payouts().await[..] else { panic!("one payout was made") };
    assert_eq!((payout.state, payout.reconciled_at), (Paid, None), "the money is booked all the same");
    let items = app.items(payout.id).await;
    let (known, nobodys): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.known.is_some());
    let ([known], [nobodys]) = (&known[..], &nobodys[..]) else { panic!("one of each: {items:?}") };
    assert_eq!(about(known), Some(About::Payment));
    let told = app.details().await;
    assert_eq!(told.len(), 1, "it is said once: {told:?}");
    let (kind, detail) = &told[0];
    assert_eq!(kind, "payout_item_unknown");
    assert!(detail.contains(&nobodys.line_id) && detail.contains("48.25"), "{detail}");
    assert!(payout.unreconciled_because.as_ref().is_some_and(|why| why.contains(&nobodys.line_id)));
    assert_eq!(app.usd(BANK).await, 38_810 + 4_825);
});

on_both_engines!(what_the_processor_converts_is_carried_by_1250, async |app: &mut TestApp| {
    let manner = json!({ "schedule": "daily", "converts_to": ["eur", 925_000] });
    app.control("/payouts", manner).await;
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    app.pass(5).await;
    let [payout] = &app.payouts().await[..] else { panic!("one payout was made") };
    let (euros, dollars) = (38_810 * 925 / 1_000, 38_810);
    assert_eq!((payout.state, payout.amount), (Paid, Money::new(euros, Currency::EUR)));
    assert_eq!(payout.balance, Money::new(dollars, Currency::USD));
    assert!(payout.reconciled_at.is_some(), "{payout:?}");
    assert_eq!((app.usd(CURRENCY_EXCHANGE).await, app.usd(CLEARING).await), (dollars, 0));
    assert_eq!(app.balance(CURRENCY_EXCHANGE, Currency::EUR).await, -euros);
    assert_eq!(app.balance(BANK, Currency::EUR).await, euros);
    let name = &payout.processor_payout_id;
    app.control(&format!("/payouts/{name}/fail"), json!({})).await;
    app.settle().await;
    for account in [CURRENCY_EXCHANGE, BANK, PAYOUT_IN_TRANSIT] {
        assert_eq!((app.usd(account).await, app.balance(account, Currency::EUR).await), (0, 0), "{account}");
    }
});

// As where a merchant invoices in euros and the processor keeps its balance in dollars.
on_both_engines!(what_was_charged_in_another_currency_is_exchanged_on_its_way, async |app: &mut TestApp| {
    app.pay_out_daily().await;
    app.control("/fees", json!({ "settles_in": ["usd", 1_080_000] })).await;
    let invoice = app.invoice_in(Currency::EUR, 100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    let (dollars, fee) = (43_200, 1_283);
    assert_eq!(app.balance(CLEARING, Currency::EUR).await, 40_000, "it was captured in euros");
    assert_eq!((app.usd(CLEARING).await, app.usd(PROCESSING_FEE).await), (-fee, fee));
    app.pass(5).await;
    let [payout] = &app.payouts().await[..] else { panic!("one payout was made") };
    assert_eq!((payout.state, payout.amount), (Paid, Money::new(dollars - fee, Currency::USD)));
    assert!(payout.reconciled_at.is_some(), "{payout:?}");
    assert_eq!((app.balance(CLEARING, Currency::EUR).await, app.usd(CLEARING).await), (0, 0));
    assert_eq!(app.balance(CURRENCY_EXCHANGE, Currency::EUR).await, 40_000);
    assert_eq!(app.usd(CURRENCY_EXCHANGE).await, -dollars);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(a_payout_that_a_person_asked_for_lists_nothing, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    app.pass(3).await;
    app.at_processor("/v1/payouts", &[("amount", "30000"), ("currency", "usd")]).await;
    app.pass(3).await;
    let [payout] = &app.payouts().await[..] else { panic!("one payout was made") };
    assert_eq!((payout.state, payout.is_automatic, payout.reconciled_at), (Paid, false, None));
    assert_eq!(app.items(payout.id).await, []);
    assert_eq!((app.usd(BANK).await, app.usd(CLEARING).await), (30_000, 8_810));
    assert_eq!(app.details().await, []);
});

/// A payment whose fee was not told when it was paid out, and the processor's names of its payout and its line.
async fn paid_out_without_a_fee(app: &TestApp) -> (String, String) {
    app.control("/fees", json!({ "mode": "later" })).await;
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    app.control("/fees/release", json!({})).await;
    app.pay_out_daily().await;
    app.advance(DAY * 3);
    app.control("/webhooks/drain", json!({})).await;
    let url = format!("{}/v1/balance_transactions?type=charge", app.sandbox.base_url());
    let answer = app.http.get(url).bearer_auth(PROCESSOR_KEY).send().await.expect("it answers");
    let lines: Value = answer.json().await.expect("answers are JSON");
    let url = format!("{}/v1/payouts", app.sandbox.base_url());
    let answer = app.http.get(url).bearer_auth(PROCESSOR_KEY).send().await.expect("it answers");
    let list: Value = answer.json().await.expect("answers are JSON");
    assert_eq!(app.usd(PROCESSING_FEE).await, 0);
    let id = |list: &Value| list["data"][0]["id"].as_str().expect("an id").to_owned();
    (id(&list), id(&lines))
}

on_both_engines!(a_fee_that_was_never_told_is_posted_by_its_payout, async |app: &mut TestApp| {
    let (name, _) = paid_out_without_a_fee(app).await;
    let looked = reconcile_payout(&app.app, app.merchant, &name, "test").await.expect("it is asked for");
    assert!(matches!(looked, LookedAtPayout::Again(_)), "{looked:?}");
    assert_eq!((app.usd(PROCESSING_FEE).await, app.usd(CLEARING).await), (1_190, 0));
    app.settle().await;
    assert_eq!(app.usd(PROCESSING_FEE).await, 1_190, "whoever asks later finds it posted");
});

on_both_engines!(a_fee_that_differs_is_made_exact_by_its_payout, async |app: &mut TestApp| {
    let (name, line) = paid_out_without_a_fee(app).await;
    app.post_fee(&line, 1_000).await;
    reconcile_payout(&app.app, app.merchant, &name, "test").await.expect("it is asked for");
    assert_eq!((app.usd(PROCESSING_FEE).await, app.usd(CLEARING).await), (1_190, 0));
    reconcile_payout(&app.app, app.merchant, &name, "test").await.expect("it is asked for");
    assert_eq!(app.usd(PROCESSING_FEE).await, 1_190);
});

on_both_engines!(a_dispute_is_an_item_when_it_is_withdrawn_and_when_it_is_won, async |app: &mut TestApp| {
    app.pay_out_daily().await;
    let invoice = app.invoice(200_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.pass(5).await;
    let charge = app.attempt(payment).await.charge_id.expect("it was paid");
    let dispute = app.control(&format!("/charges/{charge}/dispute"), json!({})).await;
    app.settle().await;
    app.pay_with_visa(invoice, 60_000).await;
    app.pass(5).await;
    let id = dispute["id"].as_str().expect("an id");
    app.control(&format!("/disputes/{id}"), json!({ "outcome": "won" })).await;
    app.settle().await;
    app.pass(5).await;
    let all = app.payouts().await;
    assert!(all.iter().all(|payout| payout.reconciled_at.is_some()), "{all:?} {:?}", app.details().await);
    let mut moved = Vec::new();
    for payout in &all {
        let items = app.items(payout.id).await;
        moved.extend(
            items.iter().filter(|item| about(item) == Some(About::Dispute)).map(|item| item.amount.minor()),
        );
    }
    assert_eq!(moved, [-40_000, 40_000]);
    assert_eq!(app.usd(chart::DISPUTE_FEE).await, 1_500);
    assert_eq!((app.usd(CLEARING).await, app.usd(PAYOUT_IN_TRANSIT).await), (0, 0));
});

on_both_engines!(a_refund_is_an_item_of_the_payout_it_lowers, async |app: &mut TestApp| {
    app.pay_out_daily().await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.pass(5).await;
    let charge = app.attempt(payment).await.charge_id.expect("it was paid");
    app.at_processor("/v1/refunds", &[("charge", &charge), ("amount", "10000")]).await;
    app.settle().await;
    app.pay_with_visa(invoice, 50_000).await;
    app.pass(5).await;
    let all = app.payouts().await;
    assert!(all.iter().all(|payout| payout.reconciled_at.is_some()), "{all:?}");
    let mut items = Vec::new();
    for payout in &all {
        items.extend(app.items(payout.id).await);
    }
    let refund = items.iter().find(|item| about(item) == Some(About::Refund)).expect("the refund is an item");
    assert_eq!(refund.amount.minor(), -10_000);
    assert_eq!((app.usd(CLEARING).await, app.usd(PAYOUT_IN_TRANSIT).await), (0, 0));
});
