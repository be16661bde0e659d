//! The rows of the chart about money that moves late, each with what it debits and credits, and what undoes what.

use super::*;
use crate::credit_note::CreditSplit;
use crate::ids::{CreditNoteId, DisputeId, PayoutId, RefundId};
use crate::take_back::{Allocated, Left, OwnGrant, TakenWithRest};
use ledger::Currency;
use proptest::prelude::*;

const CUSTOMER: CustomerId = CustomerId::from_bytes([1; 16]);
const INVOICE: InvoiceId = InvoiceId::from_bytes([2; 16]);
const OTHER: InvoiceId = InvoiceId::from_bytes([3; 16]);
const PAYMENT: PaymentId = PaymentId::from_bytes([4; 16]);
const GRANT: GrantId = GrantId::from_bytes([5; 16]);
const REFUND: RefundId = RefundId::from_bytes([6; 16]);
const DISPUTE: DisputeId = DisputeId::from_bytes([7; 16]);
const PAYOUT: PayoutId = PayoutId::from_bytes([8; 16]);
const PAID: Paid = Paid { customer: CUSTOMER, payment: PAYMENT, currency: Currency::USD };
const STRIPE: Channel = Channel::Processor(Processor::Stripe);

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

/// Asserts that a posting moves exactly this: debits above 0, credits below.
fn moves(posting: Result<Posting, PostingError>, expected: &[(u16, i64)]) {
    let posting = posting.unwrap();
    let mut found: Vec<(u16, i64)> = Vec::new();
    for entry in posting.entries() {
        match found.iter_mut().find(|(number, _)| *number == entry.account.number) {
            Some((_, sum)) => *sum += entry.side.sign() * entry.amount_minor,
            None => found.push((entry.account.number, entry.side.sign() * entry.amount_minor)),
        }
    }
    found.sort_unstable();
    assert_eq!(found, expected);
}

/// 300.00 on two invoices, 50.00 of credit unspent, 20.00 unapplied, 8.00 of surcharge.
fn left() -> Left {
    Left {
        allocated: vec![
            Allocated { invoice: INVOICE, amount_minor: 20_000 },
            Allocated { invoice: OTHER, amount_minor: 10_000 },
        ],
        grants: vec![OwnGrant { grant: GRANT, born_on: Some(INVOICE), amount_minor: 5_000 }],
        unapplied_minor: 2_000,
        surcharge_minor: 800,
    }
}

#[test]
fn returns_and_what_is_owed_of_them() {
    let returned = left().take_up_to(40_000);
    let taken = [(1100, 30_000), (1150, 2_200), (1200, -40_000), (2100, 5_000), (2150, 2_000), (4100, 800)];
    moves(payment_returned(&PAID, STRIPE, &returned), &taken);
    let bounced = TakenWithRest { rest_minor: 0, ..left().take_up_to(37_800) };
    let taken = [(1000, -37_800), (1100, 30_000), (2100, 5_000), (2150, 2_000), (4100, 800)];
    moves(payment_returned(&PAID, Channel::Bank, &bounced), &taken);
    moves(returned_payment_demanded(CUSTOMER, OTHER, usd(2_200)), &[(1100, 2_200), (1150, -2_200)]);
}

#[test]
fn fees_of_every_kind_and_their_return() {
    for (fee, number) in [(Fee::Processing, 5100), (Fee::Dispute, 5110), (Fee::Return, 5120)] {
        moves(fee_charged(fee, PAYMENT, Processor::Stripe, usd(1_500)), &[(1200, -1_500), (number, 1_500)]);
        moves(fee_charged(fee, PAYMENT, Processor::Stripe, usd(-1_500)), &[(1200, 1_500), (number, -1_500)]);
    }
    let same = processing_fee_charged(PAYMENT, Processor::Stripe, usd(30));
    assert_eq!(fee_charged(Fee::Processing, PAYMENT, Processor::Stripe, usd(30)), same);
    assert!(fee_charged(Fee::Return, PAYMENT, Processor::Stripe, usd(0)).is_err(), "no fee is no posting");
    assert!(fee_charged(Fee::Return, PAYMENT, Processor::Stripe, usd(i64::MIN)).is_err());
}

#[test]
fn refunds_from_asking_to_their_end() {
    let taken = left().take(37_800, crate::take_back::Source::AllocatedFirst).unwrap();
    let all = [(1100, 30_000), (2100, 5_000), (2150, 2_000), (2300, -37_800), (4100, 800)];
    moves(refund_asked(&PAID, REFUND, &taken), &all);
    moves(refund_succeeded(REFUND, STRIPE, usd(900)), &[(1200, -900), (2300, 900)]);
    moves(refund_succeeded(REFUND, Channel::Bank, usd(900)), &[(1000, -900), (2300, 900)]);
    moves(refund_came_back(REFUND, STRIPE, usd(900)), &[(1200, 900), (2300, -900)]);
    let born = taken.refund_failed();
    let grants =
        [GrantId::from_bytes([50; 16]), GrantId::from_bytes([51; 16]), GrantId::from_bytes([52; 16])];
    moves(refund_failed(CUSTOMER, REFUND, usd(37_800), &born, &grants), &[(2100, -37_800), (2300, 37_800)]);
    let forgotten = refund_failed(CUSTOMER, REFUND, usd(37_800), &born, &grants[1..]);
    assert!(
        matches!(forgotten, Err(PostingError::Unbalanced { .. })),
        "a grant that is missing is no posting"
    );
    let withdrawn = refund_withdrawn(&PAID, REFUND, &taken.refund_withdrawn(), &grants);
    moves(withdrawn, &[(2100, -37_000), (2300, 37_800), (4100, -800)]);
    let of_credit =
        credit_refund_asked(CUSTOMER, REFUND, usd(700), &[(GRANT, usd(500)), (grants[0], usd(200))]);
    moves(of_credit, &[(2100, 700), (2300, -700)]);
    moves(unapplied_refund_asked(PAYMENT, REFUND, usd(700)), &[(2150, 700), (2300, -700)]);
}

#[test]
fn disputes_from_the_withdrawal_to_their_end() {
    moves(dispute_opened(DISPUTE, Processor::Stripe, usd(9_000)), &[(1200, -9_000), (1220, 9_000)]);
    moves(dispute_won(DISPUTE, Processor::Stripe, usd(9_000)), &[(1200, 9_000), (1220, -9_000)]);
    moves(dispute_absorbed(DISPUTE, usd(9_000)), &[(1220, -9_000), (5210, 9_000)]);
    let lost = left().take_up_to(40_000);
    let taken = [(1100, 30_000), (1220, -40_000), (2100, 5_000), (2150, 2_000), (4100, 800), (5210, 2_200)];
    moves(dispute_lost(&PAID, DISPUTE, &lost), &taken);
    let given = lost.taken.won_after_lost(|invoice| if invoice == INVOICE { 21_000 } else { 4_000 });
    let grants = [GrantId::from_bytes([50; 16]), GrantId::from_bytes([51; 16])];
    let back = dispute_won_after_lost(&PAID, DISPUTE, Processor::Stripe, lost.rest_minor, &given, &grants);
    let expected =
        [(1100, -25_000), (1200, 40_000), (2100, -10_000), (2150, -2_000), (4100, -800), (5210, -2_200)];
    moves(back, &expected);
}

#[test]
fn payouts_in_both_directions() {
    let moves = |posting: Result<Option<Posting>, PostingError>, expected: &[(u16, i64)]| {
        moves(posting.map(|posting| posting.unwrap()), expected);
    };
    for sign in [1, -1] {
        let amount = usd(sign * 700);
        let two = |lower: u16, higher: u16, minor: i64| [(lower, sign * minor), (higher, -sign * minor)];
        moves(payout_created(PAYOUT, Processor::Stripe, amount), &two(1200, 1300, -700));
        moves(payout_created_reversed(PAYOUT, Processor::Stripe, amount), &two(1200, 1300, 700));
        moves(payout_paid(PAYOUT, amount), &two(1000, 1300, 700));
        moves(payout_paid_reversed(PAYOUT, amount), &two(1000, 1300, -700));
        moves(payout_converted_out(PAYOUT, Processor::Stripe, amount), &two(1200, 1250, -700));
        moves(payout_converted_in(PAYOUT, amount), &two(1250, 1300, -700));
        moves(line_exchanged_out(PAYOUT, Processor::Stripe, amount), &two(1200, 1250, -700));
        moves(line_exchanged_in(PAYOUT, Processor::Stripe, amount), &two(1200, 1250, 700));
        moves(account_fee_charged(PAYOUT, Processor::Stripe, amount), &two(1200, 5100, -700));
    }
    assert_eq!(payout_created(PAYOUT, Processor::Stripe, usd(0)), Ok(None));
    assert_eq!(payout_paid(PAYOUT, usd(0)), Ok(None));
}

#[test]
fn what_lowers_an_invoice_without_money() {
    let credited = Credited {
        customer: CUSTOMER,
        invoice: INVOICE,
        credit_note: CreditNoteId::from_bytes([9; 16]),
        grant: GRANT,
        currency: Currency::USD,
    };
    let split = CreditSplit {
        net_minor: 1_000,
        taxes: vec![(TaxRate(190_000), 190), (TaxRate(70_000), 10)],
        to_invoice_minor: 900,
        surplus_minor: 300,
    };
    let expected = [(1100, -900), (2100, -300), (2200, 200), (4050, 1_000)];
    moves(credit_note_issued(&credited, &split), &expected);
    moves(written_off(CUSTOMER, INVOICE, usd(900)), &[(1100, -900), (5200, 900)]);
    moves(write_off_recovered(CUSTOMER, INVOICE, usd(400)), &[(1100, 400), (5200, -400)]);
    moves(discount_taken(CUSTOMER, INVOICE, usd(20)), &[(1100, -20), (4060, 20)]);
}

#[test]
fn money_that_finds_its_place_later() {
    moves(unmatched_received(PAYMENT, usd(900)), &[(1000, 900), (2150, -900)]);
    moves(unmatched_reversed(PAYMENT, usd(900)), &[(1000, -900), (2150, 900)]);
    let parts = [(Place::Invoice(INVOICE), usd(800)), (Place::Credit(GRANT), usd(100))];
    moves(receipt_matched(PAYMENT, CUSTOMER, usd(900), &parts), &[(1100, -800), (2100, -100), (2150, 900)]);
    let moved = allocation_moved(CUSTOMER, INVOICE, OTHER, usd(300)).unwrap();
    assert_eq!(moved.net_debit_minor(RECEIVABLE), 0);
    assert_eq!(moved.entries()[0].account, receivable(CUSTOMER, INVOICE), "the old one is owed again");
    moves(allocation_taken_off(CUSTOMER, INVOICE, GRANT, usd(300)), &[(1100, 300), (2100, -300)]);
}

proptest! {
    /// Whatever is left and whatever is taken, its posting can be made and is of the amount that was asked.
    #[test]
    fn what_is_taken_is_posted_whole(
        a in 0..5_000_i64, b in 0..5_000_i64, grant in 0..900_i64, unapplied in 0..900_i64, surcharge in 0..300_i64, amount in 1..14_000_i64,
    ) {
        let left = Left {
            allocated: vec![Allocated { invoice: INVOICE, amount_minor: a }, Allocated { invoice: OTHER, amount_minor: b }],
            grants: vec![OwnGrant { grant: GRANT, born_on: Some(INVOICE), amount_minor: grant }],
            unapplied_minor: unapplied,
            surcharge_minor: surcharge,
        };
        let taken = left.take_up_to(amount);
        let returned = payment_returned(&PAID, STRIPE, &taken).unwrap();
        prop_assert_eq!(returned.net_debit_minor(CLEARING), -amount);
        let lost = dispute_lost(&PAID, DISPUTE, &taken).unwrap();
        prop_assert_eq!(lost.net_debit_minor(DISPUTE_HOLD), -amount);
        if let Ok(taken) = left.take(amount, crate::take_back::Source::UnspentFirst) {
            let asked = refund_asked(&PAID, REFUND, &taken).unwrap();
            prop_assert_eq!(asked.net_debit_minor(REFUNDS_PAYABLE), -amount);
        }
    }
}
