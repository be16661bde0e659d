//! The end of a run: nothing goes wrong any more, and everything must come to rest.

use crate::checks::is_clean;
use crate::summary::ACCOUNTS;
use crate::world::{MERCHANT, World, nothing};
use billing::chart;
use billing::ids::PaymentId;
use billing::payment::{Hold, PaymentState};
use billing::refund::RefundState;
use paydown::actions::run_jobs;
use paydown::app::App;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use store::db::Tx;
use store::payments::{self, Payment};
use store::{jobs, postings, verify};

const HOUR: Duration = Duration::from_secs(3_600);
/// Within so long every payment has ended that is not at a bank.
const LIVELY_HOURS: u32 = 48;
/// A bank answers within so many days; slow ones take nine banking days, and what they take back they take within a few more.
const BANK_DAYS: u32 = 21;
/// A payout takes so many at most, over a week-end; a refund that fails late takes three.
const PAYOUT_DAYS: u32 = 4;

impl World {
    /// Lets everything come to rest, and proves it.
    pub fn end(&mut self) -> Result<(), String> {
        self.diary.push(format!("nothing goes wrong from {} on", self.fate.now()));
        self.fate.relent();
        self.control("/fees", &json!({ "mode": "at_once" }));
        self.control("/fees/release", &nothing());
        self.control("/payouts", &json!({ "schedule": "manual" }));
        let mut waiting = Some(String::new());
        for _ in 0..LIVELY_HOURS {
            self.finish_disputes();
            self.quiet_down(HOUR)?;
            self.finish_refunds()?;
            self.run_everything_due()?;
            waiting = self.waiting(false)?;
            if waiting.is_none() {
                break;
            }
        }
        if let Some(waiting) = waiting {
            return Err(format!("{waiting} after {LIVELY_HOURS} quiet hours"));
        }
        for day in 0..BANK_DAYS {
            if day >= PAYOUT_DAYS && self.waiting(true)?.is_none() {
                break;
            }
            self.quiet_down(24 * HOUR)?;
        }
        if let Some(waiting) = self.waiting(true)? {
            return Err(format!("{waiting} long after its bank has answered"));
        }
        self.seal_and_verify()?;
        self.check_rows()?;
        self.check_rest()?;
        self.check_books()
    }

    /// A payment, refund or dispute that has not come to its end; those that are at a bank, or are held until its cut-off, only
    /// where asked for.
    fn waiting(&mut self, at_banks_too: bool) -> Result<Option<String>, String> {
        let now = self.fate.now();
        for payment in self.all_payments()? {
            let is_at_bank = payment.state == PaymentState::Processing
                || payment.state == PaymentState::Created
                    && payment.send_at.is_some_and(|at| at + HOUR > now);
            if payment.state.hold() == Hold::Held && (at_banks_too || !is_at_bank) {
                return Ok(Some(format!("{} is {:?}", payment.id, payment.state)));
            }
        }
        for refund in self.all_refunds()? {
            if refund.state.is_in_flight() && (at_banks_too || refund.state != RefundState::Pending) {
                return Ok(Some(format!("{} is {:?}", refund.id, refund.state)));
            }
        }
        let open = self.all_disputes()?.into_iter().find(|dispute| dispute.state.is_open());
        Ok(open.map(|dispute| format!("{} is {:?}", dispute.id, dispute.state)))
    }

    /// Nothing is under way any more: no refund, no contested money, no payout.
    fn check_rest(&mut self) -> Result<(), String> {
        for account in [chart::DISPUTE_HOLD, chart::PAYOUT_IN_TRANSIT, chart::REFUNDS_PAYABLE] {
            let read = async move |tx: &mut Tx| postings::balances(tx, MERCHANT, account).await;
            let balances = self.live(async |app: App| app.store.read(read).await).and_then(Result::ok);
            let balances = balances.ok_or("balances cannot be read")?;
            if balances.iter().any(|money| !money.is_zero()) {
                return Err(format!("account {account} holds {balances:?} at rest"));
            }
        }
        Ok(())
    }

    /// Time passes, what was lost is told by the list, and what is due is done.
    fn quiet_down(&mut self, span: Duration) -> Result<(), String> {
        self.clock.advance(span);
        self.collect_webhooks();
        while let Some(webhook) = self.webhooks.pop_front() {
            self.deliver(&webhook)?;
        }
        match self.live(async |app: App| run_jobs::poll(&app).await) {
            Some(Ok(())) => self.run_everything_due(),
            other => Err(format!("reading events when nothing goes wrong: {other:?}")),
        }
    }

    fn all_payments(&mut self) -> Result<Vec<Payment>, String> {
        let read = async move |tx: &mut Tx| payments::list(tx, MERCHANT, None::<PaymentId>, 1_000).await;
        let read = self.live(async |app: App| app.store.read(read).await);
        read.and_then(Result::ok).ok_or_else(|| "payments cannot be read".to_owned())
    }

    fn seal_and_verify(&mut self) -> Result<(), String> {
        let proven = self.live(async |app: App| {
            run_jobs::seal(&app, true).await?;
            let now = app.clock.now();
            let due = app.store.read(async move |tx: &mut Tx| jobs::next_due_at(tx).await).await?;
            anyhow::ensure!(due.is_none_or(|at| at > now), "a job has been due since {due:?}");
            verify::verify(&app.store, &verify::Options::default()).await
        });
        match proven {
            Some(Ok(report)) if is_clean(&report) && report.unsealed.is_empty() => Ok(()),
            other => Err(format!("at the end: {other:#?}")),
        }
    }

    /// Every payment's end and every balance, in one number.
    pub fn digest(&mut self) -> u64 {
        let mut hash = Sha256::new();
        for payment in self.all_payments().unwrap_or_default() {
            hash.update(format!("{payment:?}"));
        }
        for account in ACCOUNTS {
            let read = async move |tx: &mut Tx| postings::balances(tx, MERCHANT, account).await;
            hash.update(format!("{:?}", self.live(async |app: App| app.store.read(read).await.ok())));
        }
        let bytes = hash.finalize();
        u64::from_be_bytes(std::array::from_fn(|at| bytes[at]))
    }
}
