//! The order, the share of the surcharge, and that nothing is lost: by hand and over random payments.

use super::*;
use proptest::prelude::*;

const A: InvoiceId = InvoiceId::from_bytes([1; 16]);
const B: InvoiceId = InvoiceId::from_bytes([2; 16]);
const GRANT: GrantId = GrantId::from_bytes([9; 16]);

fn allocated(invoice: InvoiceId, amount_minor: i64) -> Allocated {
    Allocated { invoice, amount_minor }
}

fn own(born_on: Option<InvoiceId>, amount_minor: i64) -> OwnGrant {
    OwnGrant { grant: GRANT, born_on, amount_minor }
}

/// 400.00 for A, 100.00 for B, 50.00 of credit, 5.50 of surcharge.
fn left() -> Left {
    Left {
        allocated: vec![allocated(A, 40_000), allocated(B, 10_000)],
        grants: vec![own(Some(A), 5_000)],
        unapplied_minor: 0,
        surcharge_minor: 550,
    }
}

#[test]
fn whoever_takes_all_takes_all() {
    let all = left().take(55_550, Source::AllocatedFirst).unwrap();
    assert_eq!(all.allocated, left().allocated);
    assert_eq!((all.grants, all.surcharge_minor), (left().grants, 550));
    let refused = left().take(55_551, Source::AllocatedFirst);
    assert_eq!(refused, Err(MoreThanLeft { most_minor: 55_550 }));
}

#[test]
fn a_part_has_its_share_of_the_surcharge_rounded_down() {
    let part = left().take(10_100, Source::AllocatedFirst).unwrap();
    assert_eq!(part.surcharge_minor, 100, "550 × 10,100 ÷ 55,550");
    assert_eq!(part.allocated, vec![allocated(A, 10_000)]);
    let part = left().take(10_099, Source::AllocatedFirst).unwrap();
    assert_eq!((part.surcharge_minor, part.allocated[0].amount_minor), (99, 10_000));
    assert_eq!(left().take(100, Source::AllocatedFirst).unwrap().surcharge_minor, 0);
}

#[test]
fn the_order_is_what_was_asked_for() {
    let left = Left { surcharge_minor: 0, unapplied_minor: 700, ..left() };
    let first = left.take(50_001, Source::AllocatedFirst).unwrap();
    assert_eq!(first.allocated, left.allocated);
    assert_eq!((first.grants, first.unapplied_minor), (vec![own(Some(A), 1)], 0));
    let unspent = left.take(5_701, Source::UnspentFirst).unwrap();
    assert_eq!((unspent.unapplied_minor, unspent.grants), (700, left.grants.clone()));
    assert_eq!(unspent.allocated, vec![allocated(A, 1)]);
    let of_b = left.take(10_000, Source::Invoice(B)).unwrap();
    assert_eq!(of_b.allocated, vec![allocated(B, 10_000)]);
    assert_eq!(left.take(10_001, Source::Invoice(B)), Err(MoreThanLeft { most_minor: 10_000 }));
}

#[test]
fn a_surcharge_that_should_not_have_been_is_given_back_alone() {
    let taken = left().take(550, Source::Surcharge).unwrap();
    assert_eq!(taken, Taken { surcharge_minor: 550, ..Taken::default() });
    assert_eq!(left().take(551, Source::Surcharge), Err(MoreThanLeft { most_minor: 550 }));
    assert_eq!(taken.refund_failed(), vec![Born { on: None, amount_minor: 550 }]);
}

/// Acceptance scenario 3 of the rules, and the same with 100.00 of it refunded or spent before.
#[test]
fn a_return_takes_what_is_left_and_the_rest_is_owed() {
    let whole = Left { allocated: vec![allocated(A, 40_000)], ..Left::default() };
    let returned = whole.take_up_to(40_000);
    assert_eq!((returned.taken.allocated, returned.rest_minor), (vec![allocated(A, 40_000)], 0));
    let after_refund = Left { allocated: vec![allocated(A, 30_000)], ..Left::default() };
    let returned = after_refund.take_up_to(40_000);
    assert_eq!((returned.taken.total_minor(), returned.rest_minor), (30_000, 10_000));
    let nothing = Left::default().take_up_to(40_000);
    assert_eq!((nothing.taken, nothing.rest_minor), (Taken::default(), 40_000));
}

#[test]
fn a_lost_dispute_takes_at_most_what_was_disputed() {
    let lost = left().take_up_to(10_100);
    assert_eq!((lost.taken.surcharge_minor, lost.rest_minor), (100, 0));
    let lost = left().take_up_to(60_000);
    assert_eq!((lost.taken.total_minor(), lost.rest_minor), (55_550, 4_450));
}

#[test]
fn what_comes_back_of_a_refund_is_credit_of_the_invoice_it_was_taken_from() {
    let taken = left().take(55_550, Source::AllocatedFirst).unwrap();
    let born = |on, amount_minor| Born { on: Some(on), amount_minor };
    assert_eq!(taken.refund_failed(), vec![born(A, 45_550), born(B, 10_000)]);
    let withdrawn = taken.refund_withdrawn();
    assert_eq!(withdrawn.born, vec![born(A, 45_000), born(B, 10_000)]);
    assert_eq!(withdrawn.surcharge_minor, 550);
    let only_surcharge = Taken { surcharge_minor: 3, ..Taken::default() };
    assert_eq!(only_surcharge.refund_failed(), vec![Born { on: None, amount_minor: 3 }]);
}

#[test]
fn a_dispute_won_again_fills_what_is_payable_first() {
    let lost = left().take_up_to(55_550).taken;
    let given = lost.won_after_lost(|invoice| if invoice == A { 42_000 } else { 0 });
    assert_eq!(given.surcharge_minor, 550);
    assert_eq!(given.allocated, vec![allocated(A, 42_000)]);
    let born = |on, amount_minor| Born { on: Some(on), amount_minor };
    assert_eq!(given.born, vec![born(B, 10_000), born(A, 3_000)]);
}

#[test]
fn an_absorbed_loss_leaves_nothing_to_refund_and_a_partial_one_its_rest() {
    let left = Left { allocated: vec![allocated(A, 40_000)], ..Left::default() };
    let charge = |refunded_minor, charged_back_minor| Charge {
        captured_minor: 40_000,
        refunded_minor,
        charged_back_minor,
    };
    assert_eq!(left.refundable_minor(&charge(0, 0)), 40_000);
    assert_eq!(left.refundable_minor(&charge(0, 15_000)), 25_000);
    assert_eq!(left.refundable_minor(&charge(0, 40_000)), 0);
    assert_eq!(left.refundable_minor(&charge(10_000, 40_000)), 0, "disputed in full after a refund");
    assert!(charge(0, 40_000).is_charged_back() && charge(10_000, 40_000).is_charged_back());
    assert!(charge(25_000, 15_000).is_charged_back() && !charge(24_999, 15_000).is_charged_back());
    assert!(!charge(40_000, 0).is_charged_back(), "refunded is not charged back");
}

fn any_left() -> impl Strategy<Value = Left> {
    let parts = proptest::collection::vec((1..4_u8, 0..5_000_i64), 0..4);
    let grants = proptest::collection::vec((0..4_u8, 0..2_000_i64), 0..3);
    (parts, grants, 0..2_000_i64, 0..500_i64).prop_map(|(parts, grants, unapplied_minor, surcharge_minor)| {
        let invoice = |byte: u8| InvoiceId::from_bytes([byte; 16]);
        Left {
            allocated: parts.into_iter().map(|(byte, minor)| allocated(invoice(byte), minor)).collect(),
            grants: grants
                .into_iter()
                .map(|(byte, minor)| own((byte > 0).then(|| invoice(byte)), minor))
                .collect(),
            unapplied_minor,
            surcharge_minor,
        }
    })
}

fn less(left: &Left, taken: &Taken) -> Left {
    let mut after = left.clone();
    for part in &taken.allocated {
        let mut minor = part.amount_minor;
        for there in after.allocated.iter_mut().filter(|there| there.invoice == part.invoice) {
            there.amount_minor -= take_some(there.amount_minor, &mut minor);
        }
        assert_eq!(minor, 0);
    }
    let mut granted = granted_minor(&taken.grants);
    let order: Vec<usize> = (0..after.grants.len()).collect();
    for at in order {
        after.grants[at].amount_minor -= take_some(after.grants[at].amount_minor, &mut granted);
    }
    after.unapplied_minor -= taken.unapplied_minor;
    after.surcharge_minor -= taken.surcharge_minor;
    after
}

proptest! {
    #[test]
    fn a_part_is_that_part_and_no_place_gives_more_than_it_has(left in any_left(), part in 0..40_000_i64, unspent in any::<bool>()) {
        let from = if unspent { Source::UnspentFirst } else { Source::AllocatedFirst };
        match left.take(part, from) {
            Ok(taken) => {
                prop_assert_eq!(taken.total_minor(), part);
                prop_assert!(taken.surcharge_minor <= left.surcharge_minor && taken.unapplied_minor <= left.unapplied_minor);
                prop_assert!(taken.allocated.iter().all(|part| part.amount_minor > 0));
                prop_assert_eq!(less(&left, &taken).total_minor(), left.total_minor() - part);
            }
            Err(refused) => prop_assert!(part > left.total_minor() && refused.most_minor == left.total_minor()),
        }
        let up_to = left.take_up_to(part);
        prop_assert_eq!(up_to.taken.total_minor() + up_to.rest_minor, part);
        prop_assert_eq!(up_to.rest_minor > 0, part > left.total_minor());
    }

    #[test]
    fn parts_in_any_sizes_and_then_all_of_it_leave_nothing(left in any_left(), parts in proptest::collection::vec(1..3_000_i64, 0..12)) {
        let mut now = left;
        for part in parts {
            if let Ok(taken) = now.take(part, Source::AllocatedFirst) {
                now = less(&now, &taken);
            }
        }
        let all = now.take(now.total_minor(), Source::UnspentFirst).unwrap();
        prop_assert_eq!(less(&now, &all).total_minor(), 0);
        prop_assert_eq!(all.surcharge_minor, now.surcharge_minor);
    }

    #[test]
    fn the_most_of_one_allocation_can_be_taken_and_no_more(left in any_left(), byte in 1..4_u8) {
        let from = Source::Invoice(InvoiceId::from_bytes([byte; 16]));
        let most = left.most_minor(from);
        let taken = left.take(most, from).unwrap();
        prop_assert_eq!(taken.total_minor(), most);
        prop_assert!(left.take(most + 1, from).is_err());
    }

    #[test]
    fn what_comes_back_is_all_that_was_taken(left in any_left(), part in 0..20_000_i64, payable in 0..4_000_i64) {
        let taken = left.take_up_to(part).taken;
        let failed: i64 = taken.refund_failed().iter().map(|born| born.amount_minor).sum();
        prop_assert_eq!(failed, taken.total_minor());
        prop_assert_eq!(taken.refund_withdrawn().total_minor(), taken.total_minor());
        let given = taken.won_after_lost(|_| payable);
        prop_assert_eq!(given.total_minor(), taken.total_minor());
        prop_assert!(given.allocated.iter().all(|part| 0 < part.amount_minor && part.amount_minor <= payable));
        for born in given.born.iter().filter(|born| born.on.is_some()) {
            let there: i64 = given.allocated.iter().filter(|part| Some(part.invoice) == born.on).map(|part| part.amount_minor).sum();
            prop_assert!(there == payable, "credit is born while its invoice has something payable");
        }
    }
}
