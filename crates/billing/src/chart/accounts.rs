//! The accounts of the chart: their numbers, their sides, and what each is kept per. What is posted on them is said by the
//! events; nothing here must know one.

use crate::ids::{CreditNoteId, CustomerId, DisputeId, GrantId, InvoiceId, PaymentId, PayoutId, RefundId};
use crate::line::TaxRate;
use ledger::{Account, Dimension, Side};

/// The merchant's bank account. Per account.
pub const BANK: u16 = 1000;
/// Accounts receivable: what an invoice is owed. Per customer and invoice.
pub const RECEIVABLE: u16 = 1100;
/// Returned-payment receivable: what a customer owes of a payment that was taken back. Per customer.
pub const RETURNED_RECEIVABLE: u16 = 1150;
/// Processor clearing: captured and not paid out yet. Per processor; may be negative.
pub const CLEARING: u16 = 1200;
/// Dispute hold: withdrawn while a dispute is open. Per dispute.
pub const DISPUTE_HOLD: u16 = 1220;
/// Currency exchange: the two sides of a payout that the processor converts. Per payout; stands on either side.
pub const CURRENCY_EXCHANGE: u16 = 1250;
/// Payout in transit. Per payout.
pub const PAYOUT_IN_TRANSIT: u16 = 1300;
/// Customer credit: money of a customer we still hold. Per customer and grant.
pub const CUSTOMER_CREDIT: u16 = 2100;
/// Unapplied receipts: money nobody has told us the place of. Per receipt.
pub const UNAPPLIED: u16 = 2150;
/// Tax payable. Per tax rate.
pub const TAX_PAYABLE: u16 = 2200;
/// Refunds payable: asked for and not ended. Per refund.
pub const REFUNDS_PAYABLE: u16 = 2300;
/// Revenue. Per invoice.
pub const REVENUE: u16 = 4000;
/// Credit notes, against revenue. Per credit note.
pub const CREDIT_NOTES: u16 = 4050;
/// Discounts, against revenue. Per invoice.
pub const DISCOUNTS: u16 = 4060;
/// Surcharge income. Per payment.
pub const SURCHARGE_INCOME: u16 = 4100;
/// Processing fees. Per payment.
pub const PROCESSING_FEE: u16 = 5100;
/// Dispute fees. Per payment.
pub const DISPUTE_FEE: u16 = 5110;
/// Return fees. Per payment.
pub const RETURN_FEE: u16 = 5120;
/// Bad debt: written off. Per invoice.
pub const BAD_DEBT: u16 = 5200;
/// Dispute loss: lost to a dispute and asked of nobody. Per dispute.
pub const DISPUTE_LOSS: u16 = 5210;

/// The processors that have a clearing account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Processor {
    /// Stripe, and the practice processor that answers like it.
    Stripe,
}

impl Processor {
    const fn dimension(self) -> Dimension {
        match self {
            Processor::Stripe => Dimension(*b"processor:stripe"),
        }
    }

    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Processor::Stripe => "stripe",
        }
    }
}

/// The merchant's one bank account that we know of.
pub fn bank() -> Account {
    account(BANK, Side::Debit, None, Some(Dimension(*b"bank:merchant...")))
}

/// What an invoice is owed.
pub fn receivable(customer: CustomerId, invoice: InvoiceId) -> Account {
    account(RECEIVABLE, Side::Debit, Some(customer.dimension()), Some(invoice.dimension()))
}

/// What a processor holds for us.
pub fn clearing(processor: Processor) -> Account {
    account(CLEARING, Side::Debit, None, Some(processor.dimension()))
}

/// One grant of customer credit.
pub fn customer_credit(customer: CustomerId, grant: GrantId) -> Account {
    account(CUSTOMER_CREDIT, Side::Credit, Some(customer.dimension()), Some(grant.dimension()))
}

/// Money of one payment without a place.
pub fn unapplied(payment: PaymentId) -> Account {
    account(UNAPPLIED, Side::Credit, None, Some(payment.dimension()))
}

/// Tax owed at one rate.
pub fn tax_payable(rate: TaxRate) -> Account {
    let mut bytes = *b"tax.rate........";
    bytes[8..].copy_from_slice(&rate.0.to_be_bytes());
    account(TAX_PAYABLE, Side::Credit, None, Some(Dimension(bytes)))
}

/// What an invoice earned.
pub fn revenue(invoice: InvoiceId) -> Account {
    account(REVENUE, Side::Credit, None, Some(invoice.dimension()))
}

/// Surcharge of one payment.
pub fn surcharge_income(payment: PaymentId) -> Account {
    account(SURCHARGE_INCOME, Side::Credit, None, Some(payment.dimension()))
}

/// What the processor kept of one payment.
pub fn processing_fee(payment: PaymentId) -> Account {
    account(PROCESSING_FEE, Side::Debit, None, Some(payment.dimension()))
}

/// What the processor keeps for no payment of ours, by the payout it is told with.
pub fn processing_fee_of_account(payout: PayoutId) -> Account {
    account(PROCESSING_FEE, Side::Debit, None, Some(payout.dimension()))
}

/// What a customer owes of payments that were taken back.
pub fn returned_receivable(customer: CustomerId) -> Account {
    account(RETURNED_RECEIVABLE, Side::Debit, Some(customer.dimension()), None)
}

/// What is withdrawn for an open dispute.
pub fn dispute_hold(dispute: DisputeId) -> Account {
    account(DISPUTE_HOLD, Side::Debit, None, Some(dispute.dimension()))
}

/// The two sides of a converted payout.
pub fn currency_exchange(payout: PayoutId) -> Account {
    account(CURRENCY_EXCHANGE, Side::Debit, None, Some(payout.dimension()))
}

/// What is on its way to or from the bank.
pub fn payout_in_transit(payout: PayoutId) -> Account {
    account(PAYOUT_IN_TRANSIT, Side::Debit, None, Some(payout.dimension()))
}

/// What we owe of a refund.
pub fn refunds_payable(refund: RefundId) -> Account {
    account(REFUNDS_PAYABLE, Side::Credit, None, Some(refund.dimension()))
}

/// What a credit note takes off revenue.
pub fn credit_notes(credit_note: CreditNoteId) -> Account {
    account(CREDIT_NOTES, Side::Debit, None, Some(credit_note.dimension()))
}

/// What was taken off an invoice for paying it early, or for any other reason that is no credit note.
pub fn discounts(invoice: InvoiceId) -> Account {
    account(DISCOUNTS, Side::Debit, None, Some(invoice.dimension()))
}

/// What the processor took for a dispute of one payment.
pub fn dispute_fee(payment: PaymentId) -> Account {
    account(DISPUTE_FEE, Side::Debit, None, Some(payment.dimension()))
}

/// What the processor took for the return of one payment.
pub fn return_fee(payment: PaymentId) -> Account {
    account(RETURN_FEE, Side::Debit, None, Some(payment.dimension()))
}

/// What is written off of an invoice.
pub fn bad_debt(invoice: InvoiceId) -> Account {
    account(BAD_DEBT, Side::Debit, None, Some(invoice.dimension()))
}

/// What was lost to a dispute.
pub fn dispute_loss(dispute: DisputeId) -> Account {
    account(DISPUTE_LOSS, Side::Debit, None, Some(dispute.dimension()))
}

/// The side on which an account of this chart normally stands; `None` for a number that is not in it.
pub const fn normal_side(number: u16) -> Option<Side> {
    match number {
        BANK | RECEIVABLE | RETURNED_RECEIVABLE | CLEARING | DISPUTE_HOLD | CURRENCY_EXCHANGE
        | PAYOUT_IN_TRANSIT | CREDIT_NOTES | DISCOUNTS | PROCESSING_FEE | DISPUTE_FEE | RETURN_FEE
        | BAD_DEBT | DISPUTE_LOSS => Some(Side::Debit),
        CUSTOMER_CREDIT | UNAPPLIED | TAX_PAYABLE | REFUNDS_PAYABLE | REVENUE | SURCHARGE_INCOME => {
            Some(Side::Credit)
        }
        _ => None,
    }
}

const fn account(
    number: u16,
    normal: Side,
    customer: Option<Dimension>,
    subject: Option<Dimension>,
) -> Account {
    Account { number, normal, customer, subject }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The chart of the rules, written a second time by hand.
    #[test]
    fn every_account_is_in_the_chart_on_its_side_and_kept_per_what_it_says() {
        let (customer, invoice) = (CustomerId::from_bytes([1; 16]), InvoiceId::from_bytes([2; 16]));
        let (payment, grant) = (PaymentId::from_bytes([3; 16]), GrantId::from_bytes([4; 16]));
        let (refund, dispute) = (RefundId::from_bytes([5; 16]), DisputeId::from_bytes([6; 16]));
        let (payout, note) = (PayoutId::from_bytes([7; 16]), CreditNoteId::from_bytes([8; 16]));
        let of = |byte: u8| Some(Dimension([byte; 16]));
        let (debit, credit) = (Side::Debit, Side::Credit);
        let chart = [
            (1000, debit, None, bank().subject, bank()),
            (1100, debit, of(1), of(2), receivable(customer, invoice)),
            (1150, debit, of(1), None, returned_receivable(customer)),
            (1200, debit, None, clearing(Processor::Stripe).subject, clearing(Processor::Stripe)),
            (1220, debit, None, of(6), dispute_hold(dispute)),
            (1250, debit, None, of(7), currency_exchange(payout)),
            (1300, debit, None, of(7), payout_in_transit(payout)),
            (2100, credit, of(1), of(4), customer_credit(customer, grant)),
            (2150, credit, None, of(3), unapplied(payment)),
            (2200, credit, None, tax_payable(TaxRate(1)).subject, tax_payable(TaxRate(1))),
            (2300, credit, None, of(5), refunds_payable(refund)),
            (4000, credit, None, of(2), revenue(invoice)),
            (4050, debit, None, of(8), credit_notes(note)),
            (4060, debit, None, of(2), discounts(invoice)),
            (4100, credit, None, of(3), surcharge_income(payment)),
            (5100, debit, None, of(3), processing_fee(payment)),
            (5110, debit, None, of(3), dispute_fee(payment)),
            (5120, debit, None, of(3), return_fee(payment)),
            (5200, debit, None, of(2), bad_debt(invoice)),
            (5210, debit, None, of(6), dispute_loss(dispute)),
        ];
        for (number, side, customer, subject, account) in chart {
            assert_eq!(account, Account { number, normal: side, customer, subject });
            assert_eq!(normal_side(number), Some(side), "{number}");
        }
        let numbers: BTreeSet<u16> = (0..u16::MAX).filter(|number| normal_side(*number).is_some()).collect();
        assert_eq!(numbers, chart.iter().map(|row| row.0).collect());
        assert_ne!(tax_payable(TaxRate(1)).subject, tax_payable(TaxRate(2)).subject);
    }
}
