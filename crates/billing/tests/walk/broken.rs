//! One rule broken at a time, to see that the walk notices, and at what.

use super::{KEPT, Rules, walk};

/// Walks with one rule broken: how many of 100 are caught, and at what.
fn caught(rules: Rules) -> (usize, Vec<String>) {
    let broken: Vec<String> = (0..100).filter_map(|seed| walk(seed, rules).err()).collect();
    (broken.len(), broken)
}

/// Asserts that at least so many of 100 walks are caught, each at one of these.
fn is_caught(rules: Rules, at_least: usize, at: &[&str]) {
    let (count, broken) = caught(rules);
    assert!(count >= at_least, "{count} of 100");
    for told in broken {
        assert!(at.iter().any(|at| told.contains(at)), "{told}");
    }
}

#[test]
fn a_missing_reservation_is_caught() {
    is_caught(Rules { reserves: false, ..KEPT }, 100, &["invariant 8:"]);
}

#[test]
fn a_capture_that_takes_what_others_reserved_is_caught() {
    is_caught(Rules { respects_other_holds: false, ..KEPT }, 50, &["invariant 7:", "R1"]);
}

#[test]
fn credit_that_does_not_go_back_to_its_invoice_is_caught() {
    is_caught(Rules { returns_grants: false, ..KEPT }, 80, &["invariant 16:"]);
}

#[test]
fn a_success_that_is_posted_again_is_caught() {
    is_caught(Rules { posts_once: false, ..KEPT }, 90, &["posted twice"]);
}

#[test]
fn credit_of_others_that_is_taken_back_is_caught() {
    let at = ["invariant 12:", "invariant 16:", "can be refunded"];
    is_caught(Rules { takes_own_grants_only: false, ..KEPT }, 80, &at);
}

#[test]
fn a_surcharge_that_has_no_share_in_refunds_is_caught() {
    is_caught(Rules { shares_surcharge: false, ..KEPT }, 50, &["cannot be refunded", "are left of"]);
}

#[test]
fn a_credit_note_write_off_or_discount_on_pending_money_is_caught() {
    is_caught(Rules { reduces_payable_only: false, ..KEPT }, 50, &["invariant 7:"]);
}

#[test]
fn a_lost_dispute_that_takes_more_than_was_disputed_is_caught() {
    is_caught(Rules { caps_losses: false, ..KEPT }, 15, &["invariant 12:", "invariant 14:"]);
}

#[test]
fn a_failed_payout_that_is_undone_by_half_is_caught() {
    is_caught(Rules { mirrors_failed_payouts: false, ..KEPT }, 15, &["invariant 14:"]);
}

#[test]
fn a_refund_that_comes_back_and_is_credited_only_is_caught() {
    is_caught(Rules { books_late_failures_whole: false, ..KEPT }, 50, &["invariant 13:", "invariant 14:"]);
}
