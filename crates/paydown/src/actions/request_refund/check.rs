//! Whether a refund may be, what it takes from where, how it is paid, and whether a second person has to approve it. It locks and
//! reads; it writes nothing.

use super::{Asking, CannotRefund, RefundOf};
use crate::actions::issue_credit_note::creditable;
use crate::actions::left_of_payment::{LeftOfPayment, is_disputed, left_of};
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart::{Channel, Processor as Clearing};
use billing::customer::spend;
use billing::ids::{CustomerId, GrantId, InvoiceId, PaymentId, RefundId};
use billing::payment::PaymentState;
use billing::refund::{RefundMeaning, RefundState};
use billing::take_back::{Source, Taken, TakenWithRest};
use gateway::NewRefund;
use ledger::{Currency, Money};
use store::db::Tx;
use store::invoices::Invoice;
use store::payments::{self, Payment};
use store::refunds::{
    self, Approval, Refund, RefundCall, RefundLearned, RefundOrigin, RefundPart, RefundPlace, RefundSource,
};
use store::{attempts, customers, grants, invoices, refund_limits};

/// A refund that may be.
pub(super) struct Checked {
    pub(super) refund: Refund,
    pub(super) taking: Taking,
}

/// What a refund takes, and of what.
pub(in crate::actions) enum Taking {
    /// Of a payment.
    OfPayment(Box<Payment>, TakenWithRest),
    /// Of a customer's credit.
    OfCredit(Vec<Spent>),
}

/// What is taken of one grant.
pub(in crate::actions) struct Spent {
    pub(in crate::actions) grant: GrantId,
    pub(in crate::actions) amount_minor: i64,
    payment_id: Option<PaymentId>,
    born_on: Option<InvoiceId>,
}

impl Taking {
    /// The parts as they are stored.
    pub(in crate::actions) fn parts(&self) -> Vec<RefundPart> {
        match self {
            Taking::OfPayment(payment, taken) => parts_of(payment.id, &taken.taken, taken.rest_minor),
            Taking::OfCredit(spent) => spent.iter().map(Spent::part).collect(),
        }
    }
}

impl Spent {
    fn part(&self) -> RefundPart {
        let place = RefundPlace::Grant { grant: self.grant, born_on: self.born_on };
        RefundPart { place, payment_id: self.payment_id, amount_minor: self.amount_minor }
    }
}

fn parts_of(payment: PaymentId, taken: &Taken, rest_minor: i64) -> Vec<RefundPart> {
    let surcharge = (RefundPlace::Surcharge, taken.surcharge_minor);
    let unapplied = (RefundPlace::Unapplied, taken.unapplied_minor);
    let grants = taken
        .grants
        .iter()
        .map(|part| (RefundPlace::Grant { grant: part.grant, born_on: part.born_on }, part.amount_minor));
    let allocated =
        taken.allocated.iter().map(|part| (RefundPlace::Allocated(part.invoice), part.amount_minor));
    let rest = [(RefundPlace::Owed, rest_minor)];
    let all = [surcharge, unapplied].into_iter().chain(grants).chain(allocated).chain(rest);
    all.filter(|(_, minor)| *minor > 0)
        .map(|(place, amount_minor)| RefundPart { place, payment_id: Some(payment), amount_minor })
        .collect()
}

/// Judges what is asked for, under the locks of customer, payment and invoices.
pub(super) async fn check(
    tx: &mut Tx,
    mint: &Mint,
    asking: &Asking,
    id: RefundId,
) -> Result<Result<Checked, CannotRefund>> {
    if asking.input.amount_minor.is_some_and(|minor| minor <= 0) {
        return Ok(Err(CannotRefund::NotPositive));
    }
    match asking.input.of {
        RefundOf::Payment(payment) => of_payment(tx, mint, asking, id, (payment, Source::UnspentFirst)).await,
        RefundOf::Allocation(payment, invoice) => {
            of_payment(tx, mint, asking, id, (payment, Source::Invoice(invoice))).await
        }
        RefundOf::Surcharge(payment) => of_payment(tx, mint, asking, id, (payment, Source::Surcharge)).await,
        RefundOf::Credit(customer, currency) => of_credit(tx, mint, asking, id, (customer, currency)).await,
    }
}

async fn of_payment(
    tx: &mut Tx,
    mint: &Mint,
    asking: &Asking,
    id: RefundId,
    (payment, from): (PaymentId, Source),
) -> Result<Result<Checked, CannotRefund>> {
    let input = &asking.input;
    let merchant = input.merchant;
    let Some(found) = payments::find(tx, merchant, payment).await? else {
        return Ok(Err(CannotRefund::NoSuchPayment));
    };
    customers::lock(tx, merchant, found.customer_id).await?;
    let payment = payments::lock(tx, merchant, payment).await?.context("a payment is never deleted")?;
    let (PaymentState::Succeeded, Some(captured)) = (payment.state, payment.captured) else {
        return Ok(Err(CannotRefund::NotSucceeded(payment.state)));
    };
    if is_disputed(tx, &payment).await? {
        return Ok(Err(CannotRefund::Disputed));
    }
    let LeftOfPayment { left, charge } = left_of(tx, &payment).await?;
    let channel = channel_of(&payment);
    let mut most_minor = left.most_minor(from).min(left.refundable_minor(&charge));
    if channel != Channel::Bank {
        let sent = refunds::sent_through(tx, merchant, payment.id).await?;
        most_minor = most_minor.min(charge.captured_minor - sent - charge.charged_back_minor);
    }
    let money = |minor: i64| Money::new(minor.max(0), captured.currency());
    let minor = input.amount_minor.unwrap_or(most_minor);
    if minor > most_minor || minor <= 0 {
        return Ok(Err(CannotRefund::AboveLeft(money(most_minor))));
    }
    let taken = match left.take(minor, from) {
        Ok(taken) => taken,
        Err(above) => return Ok(Err(CannotRefund::AboveLeft(money(above.most_minor)))),
    };
    for part in &taken.allocated {
        let invoice = invoices::lock(tx, merchant, part.invoice).await?.context("an allocation's invoice")?;
        if input.meaning == RefundMeaning::PriceGivenBack
            && let Err(why) = may_give_back(tx, &invoice, part.amount_minor).await?
        {
            return Ok(Err(why));
        }
    }
    let source = match from {
        Source::Invoice(invoice) => (RefundSource::Payment, Some(invoice)),
        _ => (RefundSource::Payment, None),
    };
    let begun = Begun { id, source, customer: payment.customer_id, amount: money(minor) };
    let carrier = (channel, Some(&payment));
    let refund = match refund(tx, mint, asking, &begun, carrier).await? {
        Ok(refund) => refund,
        Err(why) => return Ok(Err(why)),
    };
    let taken = TakenWithRest { taken, rest_minor: 0 };
    Ok(Ok(Checked { refund, taking: Taking::OfPayment(Box::new(payment), taken) }))
}

async fn may_give_back(tx: &mut Tx, invoice: &Invoice, part_minor: i64) -> Result<Result<(), CannotRefund>> {
    let split = creditable(tx, invoice).await?.give_price_back(part_minor);
    let number = || invoice.number.clone();
    Ok(split.map(drop).map_err(|why| CannotRefund::CannotCredit { number: number(), why }))
}

async fn of_credit(
    tx: &mut Tx,
    mint: &Mint,
    asking: &Asking,
    id: RefundId,
    (customer, currency): (CustomerId, Currency),
) -> Result<Result<Checked, CannotRefund>> {
    let input = &asking.input;
    let merchant = input.merchant;
    if customers::find(tx, merchant, customer).await?.is_none() {
        return Ok(Err(CannotRefund::NoSuchCustomer));
    }
    customers::lock(tx, merchant, customer).await?;
    let there = grants::left_of_customer(tx, merchant, customer, currency).await?;
    let left_minor: i64 = there.iter().map(|grant| grant.left_minor).sum();
    let minor = input.amount_minor.unwrap_or(left_minor);
    if minor > left_minor || minor <= 0 {
        return Ok(Err(CannotRefund::AboveLeft(Money::new(left_minor, currency))));
    }
    let mut spent = Vec::new();
    for (grant, amount_minor) in spend(&there, minor) {
        let stored = grants::find(tx, merchant, grant).await?.context("a grant that was just listed")?;
        let (payment_id, born_on) = (stored.born.payment_id, stored.born.invoice_id);
        spent.push(Spent { grant, amount_minor, payment_id, born_on });
    }
    for payment in spent.iter().filter_map(|part| part.payment_id) {
        let payment = payments::find(tx, merchant, payment).await?.context("a grant's payment")?;
        if is_disputed(tx, &payment).await? {
            return Ok(Err(CannotRefund::Disputed));
        }
    }
    let amount = Money::new(minor, currency);
    let carrier = carrier(tx, asking, &spent, amount).await?;
    let channel = carrier.as_ref().map_or(Channel::Bank, channel_of);
    let begun = Begun { id, source: (RefundSource::Credit, None), customer, amount };
    let refund = match refund(tx, mint, asking, &begun, (channel, carrier.as_ref())).await? {
        Ok(refund) => refund,
        Err(why) => return Ok(Err(why)),
    };
    Ok(Ok(Checked { refund, taking: Taking::OfCredit(spent) }))
}

/// The payment whose charge can carry the whole refund: the one that bore all of the credit. Credit of several payments, or of
/// none that came through a processor, is paid from the bank.
async fn carrier(tx: &mut Tx, asking: &Asking, spent: &[Spent], amount: Money) -> Result<Option<Payment>> {
    let merchant = asking.input.merchant;
    let Some(id) = spent.first().and_then(|part| part.payment_id) else { return Ok(None) };
    if asking.processor.is_none() || spent.iter().any(|part| part.payment_id != Some(id)) {
        return Ok(None);
    }
    let payment = payments::lock(tx, merchant, id).await?.context("a grant's payment is there")?;
    let charge = left_of(tx, &payment).await?.charge;
    let sent = refunds::sent_through(tx, merchant, id).await?;
    let room = charge.captured_minor - sent - charge.charged_back_minor;
    let is_own = payment.captured.is_some_and(|captured| captured.currency() == amount.currency());
    let carries = payment.state == PaymentState::Succeeded
        && channel_of(&payment) != Channel::Bank
        && is_own
        && room >= amount.minor();
    Ok(carries.then_some(payment))
}

/// Money goes back the way it came.
fn channel_of(payment: &Payment) -> Channel {
    if payment.method.is_received() { Channel::Bank } else { Channel::Processor(Clearing::Stripe) }
}

struct Begun {
    id: RefundId,
    source: (RefundSource, Option<InvoiceId>),
    customer: CustomerId,
    amount: Money,
}

/// The refund as it will be stored, with its call.
async fn refund(
    tx: &mut Tx,
    mint: &Mint,
    asking: &Asking,
    begun: &Begun,
    (channel, carrier): (Channel, Option<&Payment>),
) -> Result<Result<Refund, CannotRefund>> {
    let input = &asking.input;
    let call = match (channel, carrier) {
        (Channel::Processor(_), Some(payment)) => match call(tx, asking, begun, payment).await? {
            Ok(call) => Some(call),
            Err(why) => return Ok(Err(why)),
        },
        _ => None,
    };
    let limit = refund_limits::find(tx, input.merchant, begun.amount.currency()).await?;
    let needs_a_second = limit.is_some_and(|limit| begun.amount.minor() > limit.minor());
    let (source, invoice_id) = begun.source;
    Ok(Ok(Refund {
        merchant: input.merchant,
        id: begun.id,
        source,
        channel,
        origin: RefundOrigin::Asked,
        customer_id: begun.customer,
        payment_id: carrier.map(|payment| payment.id),
        invoice_id,
        amount: begun.amount,
        meaning: (source == RefundSource::Payment).then_some(input.meaning),
        state: RefundState::Requested,
        reason: input.reason.trim().to_owned(),
        requested_by: input.actor.clone(),
        approval: if needs_a_second { Approval::Waiting } else { Approval::NotNeeded },
        call,
        calls: 0,
        server_errors: 0,
        called_at: None,
        learned: RefundLearned::default(),
        paid: None,
        created_at: mint.now,
        changed_at: mint.now,
    }))
}

async fn call(
    tx: &mut Tx,
    asking: &Asking,
    begun: &Begun,
    payment: &Payment,
) -> Result<Result<RefundCall, CannotRefund>> {
    let Some(processor) = &asking.processor else { return Ok(Err(CannotRefund::NotConnected)) };
    let attempt = attempts::latest(tx, payment.merchant, payment.id).await?;
    let intent = attempt.and_then(|attempt| attempt.payment_intent_id);
    let Some(payment_intent_id) = intent else { return Ok(Err(CannotRefund::NameUnknown)) };
    let request = NewRefund {
        refund: begun.id,
        payment: payment.id,
        merchant: payment.merchant,
        payment_intent_id,
        amount: begun.amount,
        reason: None,
    };
    Ok(processor.refund(&request).map_err(CannotRefund::from).map(|call| RefundCall {
        processor_key: format!("paydown-refund-{}", begun.id),
        route: call.route,
        body: call.body,
    }))
}
