//! Refunds: staff ask, a second person judges, the bank pays; somebody refunds at the processor; banks send money back late.

use crate::world::{MERCHANT, World, nothing};
use billing::chart::Channel;
use billing::ids::RefundId;
use billing::refund::{RefundMeaning, RefundState};
use jiff::civil::date;
use ledger::Currency;
use paydown::actions::approve_refund::{JudgeRefund, approve_refund, refuse_refund};
use paydown::actions::mark_refund_paid::{MarkRefundPaid, mark_refund_paid};
use paydown::actions::once::{Once, Ran};
use paydown::actions::request_refund::{CannotRefund, RefundOf, RequestRefund, Requested, request_refund};
use paydown::actions::set_refund_limit::{SetRefundLimit, set_refund_limit};
use paydown::actions::submit_refund::{send_in_background, submit_refund};
use paydown::app::App;
use serde_json::Value;
use store::db::Tx;
use store::refunds::{self, Approval, Refund};

/// Who asks, and who approves; sometimes the same person tries both.
const STAFF: [&str; 2] = ["alice", "bob"];

type Asked = anyhow::Result<Ran<Requested, CannotRefund>>;

impl World {
    /// Every refund there is, oldest first.
    pub fn all_refunds(&mut self) -> Result<Vec<Refund>, String> {
        let read = async move |tx: &mut Tx| refunds::list(tx, MERCHANT, None, (false, 1_000)).await;
        let read = self.live(async |app: App| app.store.read(read).await);
        read.and_then(Result::ok).ok_or_else(|| "refunds cannot be read".to_owned())
    }

    /// A refund that somebody was told of.
    fn some_refund(&mut self) -> Option<RefundId> {
        let count = self.refunds.len();
        let recent = self.draw(count.min(4));
        self.refunds.get(count.checked_sub(1 + recent)?).copied()
    }

    fn staff(&mut self) -> String {
        STAFF[self.draw(STAFF.len())].to_owned()
    }

    /// What staff were told after they asked for a refund; answers which it is.
    fn told_of_refund(&mut self, asked: Asked) -> Result<Option<RefundId>, String> {
        match asked {
            Ok(Ran::New(requested)) => {
                self.refunds.push(requested.refund.id);
                Ok(Some(requested.refund.id))
            }
            Ok(Ran::Repeated(id)) => Ok(id.parse().ok()),
            Ok(Ran::Refused(_) | Ran::OtherRequest) => Ok(None),
            Err(error) => self.excuse("asking for a refund", &error).map(|()| None),
        }
    }

    fn some_refund_request(&mut self) -> Option<RequestRefund> {
        let of = match self.draw(10) {
            0 | 1 => {
                let currency = if self.often(20) { Currency::EUR } else { Currency::USD };
                let customer = self.draw(self.customers.len());
                RefundOf::Credit(self.customers[customer].0, currency)
            }
            2 | 3 => {
                let told = self.some_payment()?;
                RefundOf::Allocation(told.payment, told.invoice)
            }
            _ => RefundOf::Payment(self.some_payment()?.payment),
        };
        let amount_minor = match self.draw(10) {
            0..=3 => None,
            4 => Some(10_000_000),
            _ => Some(1 + i64::try_from(self.draw(40_000)).unwrap_or(0)),
        };
        let meaning = if self.often(70) { RefundMeaning::OwedAgain } else { RefundMeaning::PriceGivenBack };
        let (reason, actor) = ("Not as ordered".to_owned(), self.staff());
        Some(RequestRefund { merchant: MERCHANT, of, amount_minor, meaning, reason, actor })
    }
}

fn answer(requested: &Requested) -> anyhow::Result<(String, String)> {
    let id = requested.refund.id.to_string();
    Ok((id.clone(), id))
}

pub(super) fn ask(world: &mut World) -> Result<(), String> {
    let Some(input) = world.some_refund_request() else { return Ok(()) };
    let sends = world.draw(3);
    let asked = world.live(async move |app: App| {
        let asked = request_refund(&app, input, None).await;
        if let Ok(Ran::New(requested)) = &asked {
            match sends {
                0 => {}
                1 => send_in_background(&app, &requested.refund),
                // What goes wrong is made good by the job that was stored with it.
                _ => drop(submit_refund(&app, MERCHANT, requested.refund.id).await),
            }
        }
        asked
    });
    asked.map_or(Ok(None), |asked| world.told_of_refund(asked)).map(drop)
}

/// A double click: one key, one refund; and the same again under another key must find that less is left.
pub(super) fn ask_twice(world: &mut World) -> Result<(), String> {
    let Some(input) = world.some_refund_request() else { return Ok(()) };
    let once = |world: &World| Once {
        owner: "key_simulation".to_owned(),
        route: "POST /refunds",
        key: format!("refund-{}", world.diary.len()),
        request_hash: [7; 32],
        answer,
    };
    let (first, second) = (once(world), world.often(70).then(|| once(world)));
    let (one, two) = (input.clone(), input);
    let is_one = second.is_some();
    let both = world.live(async move |app: App| {
        let one = request_refund(&app, one, Some(first));
        futures::future::join(one, request_refund(&app, two, second)).await
    });
    let Some((one, two)) = both else { return Ok(()) };
    let (one, two) = (world.told_of_refund(one)?, world.told_of_refund(two)?);
    match (one, two) {
        (Some(one), Some(two)) if is_one && one != two => {
            Err(format!("one key made two refunds: {one} and {two}"))
        }
        _ => Ok(()),
    }
}

pub(super) fn judge(world: &mut World) -> Result<(), String> {
    let Some(refund) = world.some_refund() else { return Ok(()) };
    let input = JudgeRefund { merchant: MERCHANT, refund, actor: world.staff() };
    let approves = world.often(70);
    let judged = world.live(async move |app: App| match approves {
        true => approve_refund(&app, input, None).await,
        false => refuse_refund(&app, input, "Not after all".to_owned(), None).await,
    });
    match judged {
        Some(Err(error)) => world.excuse("judging a refund", &error),
        _ => Ok(()),
    }
}

pub(super) fn pay_from_bank(world: &mut World) -> Result<(), String> {
    let Some(refund) = world.some_refund() else { return Ok(()) };
    world.mark_paid(refund)
}

pub(super) fn set_limit(world: &mut World) -> Result<(), String> {
    let amount_minor = [None, Some(0), Some(10_000)][world.draw(3)];
    let actor = world.staff();
    let input = SetRefundLimit { merchant: MERCHANT, currency: Currency::USD, amount_minor, actor };
    match world.live(async move |app: App| set_refund_limit(&app, input).await) {
        Some(Err(error)) => world.excuse("setting the limit of refunds", &error),
        _ => Ok(()),
    }
}

/// Somebody refunds at the processor, past the program.
pub(super) fn refund_there(world: &mut World) -> Result<(), String> {
    let Some(charge) = world.some_charge(|_| true) else { return Ok(()) };
    let Some(id) = charge["id"].as_str() else { return Ok(()) };
    let amount = if world.often(50) { String::new() } else { format!("&amount={}", 1 + world.draw(30_000)) };
    // Refused where so much is not left.
    world.dashboard("/v1/refunds", Some(&format!("charge={id}{amount}")));
    world.collect_webhooks();
    Ok(())
}

pub(super) fn fail(world: &mut World) -> Result<(), String> {
    let listed = world.dashboard("/v1/refunds?limit=10", None);
    let listed = listed.as_ref().and_then(|listed| listed["data"].as_array()).cloned().unwrap_or_default();
    let Some(refund) = listed.get(world.draw(listed.len())) else { return Ok(()) };
    let id = refund["id"].as_str().unwrap_or_default();
    world.control(&format!("/refunds/{id}/fail"), &nothing());
    world.collect_webhooks();
    Ok(())
}

impl World {
    /// One of the newest charges that took money, as the processor has it.
    pub fn some_charge(&mut self, wanted: fn(&Value) -> bool) -> Option<Value> {
        let listed = self.dashboard("/v1/charges?limit=15", None)?;
        let taken = |charge: &&Value| charge["status"] == "succeeded" && wanted(charge);
        let charges: Vec<&Value> = listed["data"].as_array()?.iter().filter(taken).collect();
        charges.get(self.draw(charges.len())).map(|charge| (*charge).clone())
    }

    /// Staff say that a refund was paid from the bank. Refused where it is not paid so.
    pub fn mark_paid(&mut self, refund: RefundId) -> Result<(), String> {
        let (paid_on, actor) = (date(2026, 11, 16), self.staff());
        let input = MarkRefundPaid { merchant: MERCHANT, refund, paid_on, reference: None, actor };
        match self.live(async move |app: App| mark_refund_paid(&app, input, None).await) {
            Some(Err(error)) => self.excuse("marking a refund as paid", &error),
            _ => Ok(()),
        }
    }

    /// People do what refunds wait for: a second person approves, somebody pays from the bank.
    pub fn finish_refunds(&mut self) -> Result<(), String> {
        for refund in self.all_refunds()? {
            if refund.state != RefundState::Requested {
                continue;
            }
            if refund.approval == Approval::Waiting {
                let input = JudgeRefund { merchant: MERCHANT, refund: refund.id, actor: "carol".to_owned() };
                let judged = self.live(async move |app: App| approve_refund(&app, input, None).await);
                if !matches!(judged, Some(Ok(_))) {
                    return Err(format!("{} cannot be approved: {judged:?}", refund.id));
                }
            }
            if refund.channel == Channel::Bank {
                self.mark_paid(refund.id)?;
            }
        }
        Ok(())
    }
}
