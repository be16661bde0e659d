//! The table of Stripe's facts and our states, written a second time by hand.

use billing::payment::{Hold, PaymentState};
use gateway::stripe::{IntentStatus, Page, payment_state};

const PAGES: [Page; 5] = [Page::None, Page::Open, Page::Complete, Page::Expired, Page::Unknown];

const INTENTS: [Option<IntentStatus>; 9] = [
    None,
    Some(IntentStatus::RequiresPaymentMethod),
    Some(IntentStatus::RequiresConfirmation),
    Some(IntentStatus::RequiresAction),
    Some(IntentStatus::Processing),
    Some(IntentStatus::RequiresCapture),
    Some(IntentStatus::Canceled),
    Some(IntentStatus::Succeeded),
    Some(IntentStatus::Unknown),
];

/// A row for each page, a column for each of `INTENTS`; A: requires_action, P: processing, S: succeeded, U: unknown,
/// E: ended (failed after a decline, else canceled), D: failed after a decline, else requires_action. A return makes a
/// success returned and changes nothing else.
const TABLE: [(Page, &str); 5] = [
    //                 -RCAPQXS?
    (Page::None, "UDAAPPESU"),
    (Page::Open, "AAAAPAASA"),
    (Page::Complete, "UEAAPPESU"),
    (Page::Expired, "EEAAPPESU"),
    (Page::Unknown, "UUAAPPUSU"),
];

#[test]
fn the_table_is_the_table() {
    for (page, row) in TABLE {
        for (intent, letter) in INTENTS.into_iter().zip(row.chars()) {
            for (declined, returned) in [(false, false), (true, false), (false, true), (true, true)] {
                let expected = match (letter, declined) {
                    ('S', _) if returned => PaymentState::Returned,
                    ('S', _) => PaymentState::Succeeded,
                    ('P', _) => PaymentState::Processing,
                    ('U', _) => PaymentState::Unknown,
                    ('A', _) | ('D', false) => PaymentState::RequiresAction,
                    ('E' | 'D', true) => PaymentState::Failed,
                    ('E', false) => PaymentState::Canceled,
                    other => panic!("{other:?} is no letter of the table"),
                };
                let state = payment_state(page, intent, declined, returned);
                assert_eq!(state, expected, "{page:?} {intent:?} {declined} {returned}");
            }
        }
    }
}

#[test]
fn money_that_moved_or_moves_is_never_overlooked() {
    for page in PAGES {
        for declined in [false, true] {
            let state = |intent| payment_state(page, Some(intent), declined, false);
            assert_eq!(state(IntentStatus::Succeeded), PaymentState::Succeeded);
            assert_eq!(state(IntentStatus::Processing), PaymentState::Processing);
        }
    }
}

#[test]
fn a_reservation_is_released_only_where_both_page_and_payment_have_ended() {
    for page in PAGES {
        for intent in INTENTS {
            for (declined, returned) in [(false, false), (true, false), (false, true), (true, true)] {
                if payment_state(page, intent, declined, returned).hold() != Hold::Released {
                    continue;
                }
                assert!(!matches!(page, Page::Open | Page::Unknown), "{page:?} {intent:?}");
                let ended = matches!(
                    intent,
                    None | Some(IntentStatus::Canceled | IntentStatus::RequiresPaymentMethod)
                );
                assert!(ended, "{page:?} {intent:?}");
                assert!(intent.is_some() || page == Page::Expired, "{page:?} {intent:?}");
            }
        }
    }
}
