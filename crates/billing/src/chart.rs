//! The chart of accounts, and the posting each business event makes. The only place where events meet accounts.
//!
//! Every function returns a balanced posting or says why none can be made; none of them decides an amount.

mod accounts;
mod disputes;
mod payouts;
mod receipts;
mod reductions;
mod refunds;
mod returns;

pub use accounts::*;
pub use disputes::*;
pub use payouts::*;
pub use receipts::*;
pub use reductions::*;
pub use refunds::*;
pub use returns::*;

use crate::allocation::CaptureSplit;
use crate::ids::{CustomerId, GrantId, InvoiceId, PaymentId};
use crate::line::TaxRate;
use ledger::{Account, Money, Posting, PostingBuilder, PostingError};

/// An invoice is issued: gross on 1100 against net revenue and tax. `None` for one that asks for nothing.
pub fn invoice_issued(
    customer: CustomerId,
    invoice: InvoiceId,
    net: Money,
    taxes: &[(TaxRate, Money)],
) -> Result<Option<Posting>, PostingError> {
    let mut gross = net;
    let mut posting = PostingBuilder::new(net.currency()).credit(revenue(invoice), net);
    for (rate, tax) in taxes {
        gross = gross.checked_add(*tax).map_err(|_| PostingError::NegativeEntry(tax.minor()))?;
        posting = posting.credit(tax_payable(*rate), *tax);
    }
    if gross.is_zero() {
        return Ok(None);
    }
    posting.debit(receivable(customer, invoice), gross).build().map(Some)
}

/// Whose payment it is and where its parts go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capture {
    /// Who pays.
    pub customer: CustomerId,
    /// What for.
    pub invoice: InvoiceId,
    /// Which payment.
    pub payment: PaymentId,
    /// Where the money is now.
    pub processor: Processor,
    /// The grant that holds the surplus; needed only where there is one.
    pub grant: GrantId,
}

/// A payment succeeded: 1200 against the invoice, the surcharge and the customer's credit.
pub fn payment_succeeded(
    capture: &Capture,
    captured: Money,
    split: CaptureSplit,
) -> Result<Posting, PostingError> {
    let money = |minor| Money::new(minor, captured.currency());
    PostingBuilder::new(captured.currency())
        .debit(clearing(capture.processor), captured)
        .credit(receivable(capture.customer, capture.invoice), money(split.to_invoice_minor))
        .credit(surcharge_income(capture.payment), money(split.surcharge_minor))
        .credit(customer_credit(capture.customer, capture.grant), money(split.surplus_minor))
        .build()
}

/// What a part of received money goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// This invoice.
    Invoice(InvoiceId),
    /// The customer's credit, as this grant.
    Credit(GrantId),
}

impl Place {
    fn account(self, customer: CustomerId) -> Account {
        match self {
            Place::Invoice(invoice) => receivable(customer, invoice),
            Place::Credit(grant) => customer_credit(customer, grant),
        }
    }
}

/// A cheque, a transfer or cash was received: 1000 against the invoices and the customer's credit.
pub fn money_received(
    customer: CustomerId,
    received: Money,
    parts: &[(Place, Money)],
) -> Result<Posting, PostingError> {
    let mut posting = PostingBuilder::new(received.currency()).debit(bank(), received);
    for (place, amount) in parts {
        posting = posting.credit(place.account(customer), *amount);
    }
    posting.build()
}

/// A capture in another currency than was asked for: kept apart until a person decides.
pub fn captured_in_other_currency(
    payment: PaymentId,
    processor: Processor,
    captured: Money,
) -> Result<Posting, PostingError> {
    PostingBuilder::new(captured.currency())
        .debit(clearing(processor), captured)
        .credit(unapplied(payment), captured)
        .build()
}

/// The processor reported what it kept of a payment. It may say so after the success.
pub fn processing_fee_charged(
    payment: PaymentId,
    processor: Processor,
    fee: Money,
) -> Result<Posting, PostingError> {
    PostingBuilder::new(fee.currency())
        .debit(processing_fee(payment), fee)
        .credit(clearing(processor), fee)
        .build()
}

/// Customer credit is set against an invoice.
pub fn credit_applied(
    customer: CustomerId,
    grant: GrantId,
    invoice: InvoiceId,
    amount: Money,
) -> Result<Posting, PostingError> {
    PostingBuilder::new(amount.currency())
        .debit(customer_credit(customer, grant), amount)
        .credit(receivable(customer, invoice), amount)
        .build()
}

#[cfg(test)]
mod late_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Currency;

    const CUSTOMER: CustomerId = CustomerId::from_bytes([1; 16]);
    const INVOICE: InvoiceId = InvoiceId::from_bytes([2; 16]);
    const PAYMENT: PaymentId = PaymentId::from_bytes([3; 16]);
    const GRANT: GrantId = GrantId::from_bytes([4; 16]);

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn an_invoice_is_owed_gross_and_earned_net() {
        let posting = invoice_issued(CUSTOMER, INVOICE, usd(10_000), &[(TaxRate(190_000), usd(1_900))])
            .unwrap()
            .unwrap();
        assert_eq!(posting.net_debit_minor(RECEIVABLE), 11_900);
        assert_eq!(posting.net_debit_minor(REVENUE), -10_000);
        assert_eq!(posting.net_debit_minor(TAX_PAYABLE), -1_900);
        assert_eq!(invoice_issued(CUSTOMER, INVOICE, usd(0), &[]).unwrap(), None);
    }

    #[test]
    fn a_capture_is_posted_whole() {
        let capture = Capture {
            customer: CUSTOMER,
            invoice: INVOICE,
            payment: PAYMENT,
            processor: Processor::Stripe,
            grant: GRANT,
        };
        let split = CaptureSplit { to_invoice_minor: 40_000, surcharge_minor: 1_190, surplus_minor: 0 };
        let posting = payment_succeeded(&capture, usd(41_190), split).unwrap();
        assert_eq!(posting.entries().len(), 3);
        assert_eq!(posting.net_debit_minor(CLEARING), 41_190);
        assert_eq!(posting.net_debit_minor(RECEIVABLE), -40_000);
        assert_eq!(posting.net_debit_minor(SURCHARGE_INCOME), -1_190);
        let wrong = payment_succeeded(&capture, usd(41_191), split);
        assert!(
            matches!(wrong, Err(PostingError::Unbalanced { .. })),
            "a split that loses a cent is no posting"
        );
    }

    #[test]
    fn what_was_received_is_posted_whole() {
        let parts = [(Place::Invoice(INVOICE), usd(40_000)), (Place::Credit(GRANT), usd(1_000))];
        let posting = money_received(CUSTOMER, usd(41_000), &parts).unwrap();
        assert_eq!(posting.net_debit_minor(BANK), 41_000);
        assert_eq!(posting.net_debit_minor(RECEIVABLE), -40_000);
        assert_eq!(posting.net_debit_minor(CUSTOMER_CREDIT), -1_000);
        let lost = money_received(CUSTOMER, usd(41_001), &parts);
        assert!(matches!(lost, Err(PostingError::Unbalanced { .. })), "a cent without a place is no posting");
    }
}
