//! What of ours a line of the processor's books belongs to. What is not in the books is asked for at the processor and booked
//! by the action whose it is; only what that does not know either is nobody's.

use super::reconcile_payout;
use crate::actions::adopt_payment::{Adopted, adopt_payment};
use crate::actions::adopt_refund::read_refunds;
use crate::actions::reconcile_dispute::{Asked, reconcile_dispute};
use crate::actions::reconcile_payment::reconcile_payment;
use crate::app::App;
use crate::processors::STRIPE;
use anyhow::Result;
use billing::chart::Fee;
use billing::ids::{MerchantId, PaymentId};
use billing::payment::{Hold, PaymentState};
use billing::payout::PayoutState;
use billing::refund::RefundState;
use gateway::{BalanceLine, CallError, LineKind, Processor};
use ledger::Money;
use std::sync::Arc;
use store::attempts;
use store::db::Tx;
use store::disputes;
use store::payments::{self, Payment};
use store::payouts::items::{About, Known};
use store::refunds::{self, Refund};

/// How such a look-up is called in the history of what it brings.
const SOURCE: &str = "payout";

/// What became of a line.
pub(super) enum Identified {
    /// It belongs to this.
    Known(Match),
    /// It belongs to nothing in the books; why, for people.
    Nobodys(String),
}

/// What a line belongs to, and how that is in the books.
pub(super) struct Match {
    /// What.
    pub(super) known: Known,
    /// What was booked for it before any fee; none where nothing was.
    pub(super) booked: Option<Money>,
    /// What its fee is for.
    pub(super) fee: Option<Fee>,
}

/// One line on its way to its owner.
struct Case<'c> {
    app: &'c App,
    merchant: MerchantId,
    processor: &'c Arc<dyn Processor>,
    line: &'c BalanceLine,
}

pub(super) async fn identify(
    app: &App,
    merchant: MerchantId,
    processor: &Arc<dyn Processor>,
    line: &BalanceLine,
) -> Result<Identified> {
    let case = Case { app, merchant, processor, line };
    match (line.kind, &line.source_id) {
        (LineKind::Fee, _) => {
            let known = Known { about: About::Fee, subject: None, payment_id: None };
            Ok(Identified::Known(Match { known, booked: None, fee: None }))
        }
        (LineKind::Charge | LineKind::ChargeFailure, Some(charge)) => case.charge(charge).await,
        (LineKind::Dispute | LineKind::DisputeReversal, Some(dispute)) => case.taken_back(dispute).await,
        (LineKind::Refund | LineKind::RefundFailure, Some(refund)) => case.refund(refund).await,
        (LineKind::PayoutReversal, Some(payout)) => case.payout(payout).await,
        _ => Ok(nobodys("no kind of thing that is booked")),
    }
}

impl Case<'_> {
    /// Money of a payment came in, or did not after all.
    async fn charge(&self, charge: &str) -> Result<Identified> {
        let Some(id) = self.payment_of_charge(charge).await? else {
            return Ok(nobodys("its charge is of no payment of ours"));
        };
        let Some(payment) = self.booked_by_now(id, |payment| payment.captured.is_some()).await? else {
            return Ok(nobodys("its payment is not here"));
        };
        let leaves_again = self.line.kind == LineKind::ChargeFailure || payment.method.is_bank_debit();
        match payment.captured {
            // What never was in the books and left the processor's again: both lines together are nothing.
            None if payment.state.hold() == Hold::Released && leaves_again => {
                Ok(self.of_payment(&payment, About::Payment, (None, Fee::Processing)))
            }
            None => Ok(Identified::Nobodys(format!("{id} is {} and not booked yet", payment.state.as_str()))),
            Some(captured) => Ok(self.same(&payment, About::Payment, (captured, Fee::Processing))),
        }
    }

    /// A bank took money back: from a debit that is its return, from a card a dispute.
    async fn taken_back(&self, dispute: &str) -> Result<Identified> {
        let facts = match self.processor.read_dispute(dispute).await {
            Err(CallError::Refused { .. }) => return Ok(nobodys("the processor does not know its dispute")),
            facts => facts?,
        };
        if !facts.is_return {
            return self.disputed(dispute).await;
        }
        let payment = match (&facts.charge_id, &facts.payment_intent_id) {
            (Some(charge), _) => self.payment_of_charge(charge).await?,
            (None, Some(intent)) => self.payment_of_intent(intent).await?,
            (None, None) => None,
        };
        let Some(id) = payment else {
            return Ok(nobodys("its dispute is of no payment of ours"));
        };
        let payment = self.booked_by_now(id, |payment| payment.state == PaymentState::Returned).await?;
        let returned = payment.filter(|payment| payment.state == PaymentState::Returned);
        match returned.as_ref().and_then(|payment| Some((payment, payment.captured?))) {
            Some((payment, captured)) => {
                let gone = Money::new(-captured.minor(), captured.currency());
                Ok(self.same(payment, About::Return, (gone, Fee::Return)))
            }
            None => Ok(Identified::Nobodys(format!("the return of {id} is not booked yet"))),
        }
    }

    /// A bank withdrew what a card payment brought, or gave it back.
    async fn disputed(&self, name: &str) -> Result<Identified> {
        let Asked::Booked(id) = reconcile_dispute(self.app, self.merchant, name, SOURCE).await? else {
            return Ok(nobodys("its dispute is of no payment of ours"));
        };
        let merchant = self.merchant;
        let find = async move |tx: &mut Tx| disputes::find(tx, merchant, id).await;
        let Some(dispute) = self.app.store.read(find).await? else {
            return Ok(nobodys("its dispute is not booked"));
        };
        let minor = dispute.amount.minor();
        let minor = if self.line.kind == LineKind::Dispute { -minor } else { minor };
        let booked = Money::new(minor, dispute.amount.currency());
        if booked.currency() == self.line.amount.currency() && booked != self.line.amount {
            return Ok(Identified::Nobodys(format!("{booked} of it is booked with {id}")));
        }
        let known = Known {
            about: About::Dispute,
            subject: Some(id.to_string()),
            payment_id: Some(dispute.payment_id),
        };
        Ok(Identified::Known(Match { known, booked: Some(booked), fee: Some(Fee::Dispute) }))
    }

    /// Money of a payment went back to who paid it, or came back from there. One that nobody asked for here is adopted.
    async fn refund(&self, name: &str) -> Result<Identified> {
        let mut found = self.refund_by_name(name).await?;
        if found.is_none() {
            let facts = match self.processor.read_refund(name).await {
                Err(CallError::Refused { .. }) => {
                    return Ok(nobodys("the processor does not know its refund"));
                }
                facts => facts?,
            };
            let payment = match &facts.payment_intent_id {
                Some(intent) => self.payment_of_intent(intent).await?,
                None => None,
            };
            let Some(payment) = payment else { return Ok(nobodys("its refund is of no payment of ours")) };
            read_refunds(self.app, self.merchant, payment, SOURCE).await?;
            found = self.refund_by_name(name).await?;
            if found.is_none() && has_failed(facts.state) {
                // It failed before anybody here had heard of it: both lines together are nothing.
                let known = Known { about: About::Refund, subject: None, payment_id: Some(payment) };
                return Ok(Identified::Known(Match { known, booked: None, fee: Some(Fee::Processing) }));
            }
        }
        let Some(refund) = found else { return Ok(nobodys("its refund is not booked yet")) };
        if self.line.kind == LineKind::Refund && has_failed(refund.state) && self.went_after_all(name).await?
        {
            let state = refund.state.as_str();
            return Ok(Identified::Nobodys(format!(
                "{} is {state}, and the processor says it went",
                refund.id
            )));
        }
        let went = Money::new(-refund.amount.minor(), refund.amount.currency());
        let booked = if self.line.kind == LineKind::RefundFailure { refund.amount } else { went };
        if booked.currency() == self.line.amount.currency() && booked != self.line.amount {
            return Ok(Identified::Nobodys(format!("{} was {}", refund.id, refund.amount)));
        }
        let subject = Some(refund.id.to_string());
        let known = Known { about: About::Refund, subject, payment_id: refund.payment_id };
        Ok(Identified::Known(Match { known, booked: Some(booked), fee: Some(Fee::Processing) }))
    }

    /// True if the processor does not say of this refund that it failed: then the money is gone, whatever the books say.
    async fn went_after_all(&self, name: &str) -> Result<bool> {
        match self.processor.read_refund(name).await {
            Ok(facts) => Ok(!has_failed(facts.state)),
            Err(CallError::Refused { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    async fn refund_by_name(&self, name: &str) -> Result<Option<Refund>> {
        let (merchant, name) = (self.merchant, name.to_owned());
        let read = async move |tx: &mut Tx| match refunds::find_by_processor_id(tx, merchant, &name).await? {
            Some(id) => refunds::find(tx, merchant, id).await,
            None => Ok(None),
        };
        self.app.store.read(read).await
    }

    /// A payout came back: that is booked with the payout itself.
    async fn payout(&self, name: &str) -> Result<Identified> {
        let came_back = |state| matches!(state, PayoutState::Failed | PayoutState::Canceled);
        let mut found = super::find(self.app, self.merchant, name).await?;
        if !found.as_ref().is_some_and(|payout| came_back(payout.state)) {
            reconcile_payout(self.app, self.merchant, name, SOURCE).await?;
            found = super::find(self.app, self.merchant, name).await?;
        }
        match found.filter(|payout| came_back(payout.state)) {
            Some(payout) if payout.balance == self.line.amount => {
                let known =
                    Known { about: About::Payout, subject: Some(payout.id.to_string()), payment_id: None };
                Ok(Identified::Known(Match { known, booked: Some(payout.balance), fee: None }))
            }
            Some(payout) => Ok(Identified::Nobodys(format!("{} was {}", payout.id, payout.balance))),
            None => Ok(nobodys("its payout has not come back, as far as the processor says")),
        }
    }

    /// The payment of a charge, made again where the database has lost it.
    async fn payment_of_charge(&self, charge: &str) -> Result<Option<PaymentId>> {
        let (merchant, name) = (self.merchant, charge.to_owned());
        let read = async move |tx: &mut Tx| attempts::payment_of_charge(tx, merchant, STRIPE, &name).await;
        if let Some(found) = self.app.store.read(read).await? {
            return Ok(Some(found));
        }
        match self.processor.payment_of_charge(charge).await {
            Ok(Some(intent)) => self.payment_of_intent(&intent).await,
            Ok(None) | Err(CallError::Refused { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn payment_of_intent(&self, intent: &str) -> Result<Option<PaymentId>> {
        let (merchant, name) = (self.merchant, intent.to_owned());
        let read = async move |tx: &mut Tx| attempts::find_by_intent(tx, merchant, &name).await;
        if let Some(found) = self.app.store.read(read).await? {
            return Ok(Some(found.payment_id));
        }
        let facts = match self.processor.read_payment_intent(intent).await {
            Err(CallError::Refused { .. }) => return Ok(None),
            facts => facts?,
        };
        if let Some(attempt) = facts.attempt {
            let read = async move |tx: &mut Tx| attempts::find(tx, merchant, attempt).await;
            if let Some(found) = self.app.store.read(read).await? {
                return Ok(Some(found.payment_id));
            }
        }
        if facts.merchant != Some(merchant) {
            return Ok(None);
        }
        match adopt_payment(self.app, &**self.processor, facts).await? {
            Adopted::Made(payment) | Adopted::Known(payment) => Ok(Some(payment)),
            Adopted::Ended | Adopted::DoesNotFit | Adopted::NotOurs => Ok(None),
        }
    }

    /// The payment as it stands, asked for at the processor where it is not as far as the line says.
    async fn booked_by_now(&self, id: PaymentId, is_there: fn(&Payment) -> bool) -> Result<Option<Payment>> {
        let merchant = self.merchant;
        let find = async move |tx: &mut Tx| payments::find(tx, merchant, id).await;
        let found = self.app.store.read(find).await?;
        if found.as_ref().is_none_or(is_there) {
            return Ok(found);
        }
        let _turn = self.app.processors.turn(id).await;
        reconcile_payment(self.app, merchant, id, SOURCE).await?;
        self.app.store.read(find).await
    }

    /// It belongs to the payment if it is what was booked, or that in the currency the processor exchanged it to.
    fn same(&self, payment: &Payment, about: About, (booked, fee): (Money, Fee)) -> Identified {
        if booked.currency() == self.line.amount.currency() && booked != self.line.amount {
            return Identified::Nobodys(format!("{booked} of it is booked with {}", payment.id));
        }
        self.of_payment(payment, about, (Some(booked), fee))
    }

    fn of_payment(&self, payment: &Payment, about: About, (booked, fee): (Option<Money>, Fee)) -> Identified {
        let known = Known { about, subject: Some(payment.id.to_string()), payment_id: Some(payment.id) };
        Identified::Known(Match { known, booked, fee: Some(fee) })
    }
}

const fn has_failed(state: RefundState) -> bool {
    matches!(state, RefundState::Failed | RefundState::Canceled)
}

fn nobodys(why: &str) -> Identified {
    Identified::Nobodys(why.to_owned())
}
