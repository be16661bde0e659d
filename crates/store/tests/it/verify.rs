//! Is `verify` honest? Each invariant is broken by hand, past every guard, and has to be named. Where one change
//! breaks several, the others may be named too; books that are right must name none.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M, at, id, overpaid, partly_paid, voided};
use crate::tamper::{loosen, tamper};
use billing::ids::*;
use store::db::{Store, Tx};
use store::testing::TestDatabase;
use store::verify::{NOT_APPLICABLE, Options, ROWS_NAMED, VerifyReport, title, verify};
use store::{args, both_engines};

async fn look(store: &Store) -> VerifyReport {
    verify(store, &Options::default()).await.unwrap()
}

/// The books, changed by `sql`, must be found broken in this invariant, by a finding that says `phrase`.
async fn must_name(db: &TestDatabase, loose: &[&str], sql: &str, invariant: u8, phrase: &str) {
    let store = books::open(db).await;
    let before = look(&store).await;
    assert!(before.is_clean(), "{before:#?}");
    for table in loose {
        loosen(db, table).await;
    }
    assert!(look(&store).await.is_clean(), "loosening alone breaks nothing");
    tamper(db, sql).await;
    let report = look(&store).await;
    names(&report, invariant, phrase);
    store.close().await.unwrap();
}

fn names(report: &VerifyReport, invariant: u8, phrase: &str) {
    let finding = report.findings.iter().find(|one| one.invariant == invariant && one.what.contains(phrase));
    let finding = finding.unwrap_or_else(|| panic!("{invariant} ({phrase}) is not named in {report:#?}"));
    assert_eq!(Some(finding.title), title(invariant));
    assert!(!finding.rows.is_empty() && finding.row_count >= 1, "{finding:?}");
    assert!(report.broken().contains(&invariant));
}

macro_rules! breaks {
    ($($name:ident: $invariant:literal, $phrase:literal, $([$($loose:literal),*],)? $sql:literal;)*) => {$(
        both_engines!($name, async |db: TestDatabase| {
            must_name(&db, &[$($($loose),*)?], $sql, $invariant, $phrase).await;
        });
    )*};
}

both_engines!(right_books_are_found_right, async |db: TestDatabase| {
    let store = books::open(&db).await;
    let report = look(&store).await;
    assert!(report.is_clean() && report.unsealed.is_empty(), "{report:#?}");
    assert_eq!(report.postings, books::POSTINGS);
    store.close().await.unwrap();
});

both_engines!(empty_books_are_found_right, async |db: TestDatabase| {
    let store = db.open().await;
    let report = look(&store).await;
    assert_eq!((report.is_clean(), report.postings, report.broken()), (true, 0, vec![]));
    store.close().await.unwrap();
});

#[test]
fn every_invariant_has_a_title() {
    assert!((1..=27).all(|invariant| title(invariant).is_some()));
    assert_eq!((title(0), title(28)), (None, None));
    assert!(NOT_APPLICABLE.iter().all(|(invariant, why)| title(*invariant).is_some() && !why.is_empty()));
}

breaks! {
    an_unbalanced_posting: 1, "debits that are not its credits",
        "UPDATE entries SET amount = amount + 1 WHERE account = 5100";
    an_entry_of_nothing: 1, "an amount that is not above 0",
        "UPDATE entries SET amount = 0 WHERE posting_id = (SELECT id FROM postings WHERE cause_kind = 'processing_fee')";
    a_lonely_entry: 1, "fewer than two entries",
        "DELETE FROM entries WHERE account = 5100";
    a_posting_without_entries: 1, "no entries",
        "DELETE FROM entries WHERE posting_id = (SELECT id FROM postings WHERE cause_kind = 'processing_fee')";
    two_postings_of_one_cause: 1, "a cause has more than one", ["postings"],
        "INSERT INTO postings SELECT merchant_id, (SELECT id FROM contacts), cause_kind, cause_id, currency, reverses, at \
         FROM postings WHERE cause_kind = 'processing_fee'";
    an_amount_beyond_sums: 1, "more than 15 digits",
        "UPDATE entries SET amount = 9223372036854775807";
    an_allocation_beyond_sums: 12, "more than 15 digits",
        "UPDATE allocations SET amount = 9223372036854775807";
    a_grant_beyond_sums: 16, "more than 15 digits",
        "UPDATE grants SET remaining = 9223372036854775807, amount = 9223372036854775807";
    a_reservation_beyond_sums: 8, "more than 15 digits",
        "UPDATE reservations SET amount = 9223372036854775807";
    an_invoice_beyond_sums: 6, "more than 15 digits",
        "UPDATE invoices SET total = 9223372036854775807, open = 9223372036854775807, paid = 9223372036854775807";
    a_receipt_beyond_sums: 20, "more than 15 digits",
        "UPDATE receipts SET amount = 9223372036854775807, credit = 9223372036854775807";
    a_line_of_a_receipt_beyond_sums: 20, "more than 15 digits",
        "UPDATE receipt_lines SET applied = 9223372036854775807";
    a_ledger_that_is_not_zero: 2, "a currency",
        "UPDATE entries SET amount = amount - 1 WHERE account = 2150";
    a_grant_that_is_not_its_account: 3, "a grant",
        "UPDATE grants SET remaining = remaining - 1";
    paid_that_is_not_allocated: 3, "an invoice has paid",
        "UPDATE invoices SET paid = paid + 1 WHERE number = 'INV-10'";
    a_missing_seal: 4, "a gap",
        "DELETE FROM seals WHERE chain = 'postings' AND number = 2";
    a_changed_posting: 4, "has been changed",
        "UPDATE postings SET at = at + 1 WHERE cause_kind = 'processing_fee'";
    a_changed_audit_row: 4, "has been changed",
        "UPDATE audit SET actor = 'cli:mallory' WHERE act = 'invoice.void'";
    a_reversal_of_less: 5, "do not cancel out",
        "UPDATE entries SET amount = amount - 1 \
         WHERE posting_id = (SELECT id FROM postings WHERE cause_kind = 'invoice_voided')";
    a_reversal_of_another_account: 5, "do not cancel out",
        "UPDATE entries SET account = 2200 WHERE account = 4000 \
         AND posting_id = (SELECT id FROM postings WHERE cause_kind = 'invoice_voided')";
    a_reversal_of_nothing: 5, "points to no posting",
        "UPDATE postings SET reverses = (SELECT id FROM contacts) WHERE reverses IS NOT NULL";
    a_reversal_in_another_currency: 5, "in another currency",
        "UPDATE postings SET currency = 'EUR' WHERE reverses IS NOT NULL";
    two_reversals_of_one_posting: 5, "another reverses too", ["postings"],
        "UPDATE postings SET reverses = (SELECT reverses FROM postings WHERE reverses IS NOT NULL) \
         WHERE cause_kind = 'processing_fee'";
    open_that_is_not_the_receivable: 6, "its receivable",
        "UPDATE invoices SET open = open - 1, paid = paid + 1 WHERE number = 'INV-10'";
    a_void_invoice_that_was_not_reversed: 6, "its receivable",
        "DELETE FROM entries WHERE posting_id = (SELECT id FROM postings WHERE cause_kind = 'invoice_voided')";
    a_total_that_is_not_open_and_paid: 6, "the total",
        "UPDATE invoices SET total = total + 1 WHERE number = 'INV-10'";
    a_total_that_was_never_posted: 6, "its issue posted",
        "UPDATE invoices SET total = total + 1 WHERE number = 'INV-12'";
    a_draft_that_was_posted: 6, "its issue posted",
        "UPDATE invoices SET lifecycle = 'draft' WHERE number = 'INV-12'";
    pending_that_is_not_reserved: 6, "live reservations",
        "UPDATE invoices SET pending = pending + 1 WHERE number = 'INV-10'";
    a_receivable_of_no_invoice: 6, "an entry on 1100",
        "UPDATE entries SET subject = (SELECT id FROM contacts) WHERE account = 1100 AND side = 'credit'";
    pending_above_open: 7, "more than is open",
        "UPDATE invoices SET pending = open + 1 WHERE number = 'INV-10'";
    pending_below_zero: 7, "less than 0",
        "UPDATE invoices SET pending = -1 WHERE number = 'INV-11'";
    a_payment_in_flight_without_reservation: 8, "reserves",
        "UPDATE reservations SET state = 'released' WHERE state = 'live'";
    a_payment_in_flight_that_reserves_less: 8, "reserves",
        "UPDATE reservations SET amount = amount - 1 WHERE state = 'live'";
    an_ended_payment_that_reserves: 8, "reserves",
        "UPDATE reservations SET state = 'live' \
         WHERE payment_id = (SELECT id FROM payments WHERE state = 'failed')";
    a_success_without_capture: 9, "no capture posting",
        "UPDATE payments SET state = 'succeeded' WHERE state = 'requires_action'";
    a_charge_back_without_capture: 9, "no capture posting",
        "UPDATE payments SET state = 'charged_back' WHERE state = 'failed'";
    a_capture_of_a_failed_payment: 9, "its state says it was not captured",
        "UPDATE payments SET state = 'failed' WHERE amount = 6000";
    two_captures_of_one_payment: 9, "more than one capture",
        "INSERT INTO postings SELECT merchant_id, (SELECT id FROM contacts), 'capture_other_currency', cause_id, \
         currency, NULL, at FROM postings WHERE cause_kind = 'capture' ORDER BY id LIMIT 1";
    a_capture_of_no_payment: 9, "a payment that does not exist",
        "UPDATE postings SET cause_id = 'pay_zzzz' WHERE cause_kind = 'capture_other_currency'";
    a_ghost_without_anomaly: 9, "anomaly record",
        "DELETE FROM anomalies";
    a_ghost_with_another_anomaly: 9, "anomaly record",
        "UPDATE anomalies SET kind = 'unresolved' WHERE kind = 'ghost_capture'";
    a_charge_on_two_attempts: 10, "a charge", ["attempts"],
        "UPDATE attempts SET charge_id = 'ch_20' WHERE charge_id = 'ch_25'";
    an_intent_of_two_payments: 10, "a payment intent",
        "UPDATE attempts SET payment_intent_id = 'pi_20' WHERE payment_intent_id = 'pi_21'";
    a_key_on_two_attempts: 11, "a processor key", ["attempts"],
        "UPDATE attempts SET processor_key = 'key-20' WHERE processor_key = 'key-21'";
    two_charges_of_one_payment: 11, "more than one attempt", ["attempts"],
        "UPDATE attempts SET payment_id = (SELECT payment_id FROM attempts WHERE charge_id = 'ch_20') \
         WHERE charge_id = 'ch_25'";
    a_capture_that_went_nowhere: 12, "allocated, granted",
        "UPDATE payments SET captured = captured + 1 WHERE captured = 6000";
    a_capture_that_is_not_its_posting: 12, "its posting took in",
        "UPDATE payments SET captured = captured + 1 WHERE captured = 6000";
    a_capture_of_another_currency: 12, "its posting took in",
        "UPDATE payments SET captured_currency = 'USD' WHERE captured_currency = 'EUR'";
    an_allocation_that_was_not_posted: 12, "the allocations of a posting",
        "UPDATE allocations SET amount = amount - 1 WHERE amount = 6000";
    a_grant_that_was_not_posted: 12, "a grant",
        "UPDATE grants SET amount = amount + 1";
    an_allocation_of_credit_that_names_no_grant: 12, "names a grant that its posting did not spend",
        "UPDATE allocations SET grant_id = NULL";
    credit_spent_elsewhere_that_names_a_payment: 12, "a payment that did not bear it",
        "UPDATE allocations SET payment_id = (SELECT payment_id FROM grants WHERE grants.id = allocations.grant_id) \
         WHERE payment_id IS NULL";
    an_allocation_of_a_capture_that_names_a_grant: 12, "names a grant that its posting did not spend",
        "UPDATE allocations SET grant_id = (SELECT id FROM grants ORDER BY id LIMIT 1) WHERE amount = 6000";
    a_surcharge_below_zero: 12, "less than 0",
        "UPDATE entries SET side = 'debit' WHERE account = 4100";
    an_entry_for_no_refund: 14, "2300",
        "UPDATE entries SET account = 2300 WHERE account = 2150";
    credit_that_is_not_its_grants: 16, "the credit of a customer",
        "UPDATE grants SET remaining = remaining - 1";
    credit_of_no_grant: 16, "an entry on 2100",
        "UPDATE entries SET subject = (SELECT id FROM contacts) WHERE account = 2100 AND side = 'debit'";
    a_grant_of_more_than_it_was: 16, "more than it was",
        "UPDATE grants SET amount = 1";
    a_grant_below_zero: 16, "less than 0",
        "UPDATE grants SET remaining = -1";
    a_grant_that_did_not_go_back: 16, "something payable",
        "UPDATE invoices SET open = open + 1, total = total + 1 WHERE number = 'INV-11'";
    a_history_with_a_gap: 17, "a gap",
        "UPDATE payment_states SET number = 9 WHERE number = 2";
    a_step_that_is_there_twice: 17, "a number twice", ["payment_states"],
        "UPDATE payment_states SET number = 3 WHERE number = 2 AND payment_id = (SELECT id FROM payments WHERE state = 'returned')";
    a_history_without_end: 17, "does not end",
        "UPDATE payments SET state = 'canceled' WHERE state = 'failed'";
    a_returned_payment_without_a_return: 9, "no posting of a return",
        "UPDATE payments SET state = 'returned' WHERE captured = 6000";
    a_return_of_a_payment_that_was_not: 9, "its state says it was not returned",
        "UPDATE payments SET state = 'succeeded' WHERE state = 'returned'";
    two_returns_of_one_payment: 9, "more than one posting of a return", ["postings"],
        "INSERT INTO postings SELECT merchant_id, (SELECT id FROM contacts), cause_kind, cause_id, currency, reverses, at \
         FROM postings WHERE cause_kind = 'payment_returned'";
    a_return_of_no_payment: 9, "the posting of a return names a payment that does not exist",
        "UPDATE postings SET cause_id = 'pay_zzzz' WHERE cause_kind = 'payment_returned'";
    a_return_without_a_time: 9, "returned without a time",
        "UPDATE payments SET returned_at = NULL";
    a_return_that_nobody_owes: 12, "allocated, granted",
        "UPDATE entries SET account = 1220 WHERE account = 1150";
    a_return_that_took_less: 12, "allocated, granted",
        "UPDATE entries SET amount = amount - 1 WHERE account = 1200 AND side = 'credit' AND amount = 45000";
    a_debit_that_was_not_asked_for: 17, "begins as received",
        "UPDATE payment_states SET state = 'succeeded' WHERE number = 1 \
         AND payment_id = (SELECT id FROM payments WHERE state = 'returned')";
    a_mandate_in_other_words: 26, "whose hash was kept",
        "UPDATE mandates SET wording = wording || '!'";
    a_mandate_with_another_hash: 26, "whose hash was kept",
        "UPDATE mandates SET wording_hash = (SELECT hash FROM seals WHERE chain = 'audit' AND number = 1)";
    a_mandate_for_more: 26, "than the payment it was given for",
        "UPDATE mandates SET amount = amount + 1";
    a_mandate_for_another_method: 26, "than the payment it was given for",
        "UPDATE mandates SET method = 'sepa_debit'";
    a_mandate_that_ended_before_it_began: 26, "ended before",
        "UPDATE mandates SET ended_at = offered_at - 1, ended_why = 'x'";
    a_payment_without_history: 17, "there is none",
        "DELETE FROM payment_states";
    a_step_back_in_time: 17, "earlier",
        "UPDATE payment_states SET at = at - 10 WHERE number = 2";
    a_step_that_is_not_allowed: 17, "from canceled to processing",
        "UPDATE payment_states SET state = 'canceled' WHERE number = 2 \
         AND payment_id = (SELECT payment_id FROM payment_states WHERE state = 'processing' ORDER BY payment_id LIMIT 1)";
    a_history_that_begins_in_the_middle: 17, "begins with processing",
        "UPDATE payment_states SET state = 'processing' WHERE number = 1";
    a_card_payment_that_was_never_asked_for: 17, "begins as received",
        "UPDATE payment_states SET state = 'succeeded' WHERE number = 1";
    a_payment_that_one_person_settled: 24, "no second person had said the same",
        "UPDATE resolution_proposals SET actor = 'cli:ops'";
    a_payment_of_which_the_second_person_said_something_else: 24, "no second person had said the same",
        "UPDATE resolution_proposals SET state = 'canceled'";
    a_proposal_of_nobody: 24, "settled by hand, and no audit row",
        "UPDATE audit SET act = 'payment.resolve' WHERE act = 'payment.propose'";
    a_recorded_payment_of_nobody: 24, "a payment was recorded",
        "UPDATE payments SET method = 'cash' WHERE state = 'succeeded'";
    a_card_payment_that_says_it_was_cash: 9, "as if it had come another way",
        "UPDATE payments SET method = 'cash' WHERE state = 'succeeded'";
    an_inbox_event_twice: 19, "more than once", ["inbox"],
        "INSERT INTO inbox SELECT * FROM inbox";
    a_capture_without_receipt: 20, "no receipt",
        "DELETE FROM receipt_lines; DELETE FROM receipts WHERE amount = 6000";
    a_receipt_without_capture: 20, "without a capture",
        "UPDATE receipts SET payment_id = (SELECT id FROM payments WHERE state = 'failed') WHERE amount = 6000";
    a_receipt_of_less: 20, "does not say what was captured",
        "UPDATE receipts SET amount = amount - 1, credit = credit - 1 WHERE credit > 0";
    a_receipt_that_does_not_add_up: 20, "do not add up",
        "UPDATE receipt_lines SET applied = applied - 1";
    a_receipt_of_another_balance: 20, "open before to what is open after",
        "UPDATE receipt_lines SET open_before = open_before + 1";
    a_receipt_twice: 20, "no receipt", ["receipts"],
        "INSERT INTO receipts SELECT * FROM receipts";
    a_key_with_two_requests: 21, "more than one request", ["idempotency"],
        "INSERT INTO idempotency SELECT merchant_id, owner, route, key, token_hash, resource, idempotency.created_at, NULL \
         FROM idempotency JOIN sessions USING (merchant_id)";
    a_row_of_no_merchant: 22, "a merchant that does not exist",
        "UPDATE signins SET merchant_id = 77; UPDATE audit SET merchant_id = 77";
    a_void_invoice_that_is_reserved: 23, "a live reservation",
        "UPDATE invoices SET lifecycle = 'void' WHERE number = 'INV-10'";
    a_void_invoice_that_is_paid: 23, "an allocation",
        "UPDATE invoices SET lifecycle = 'void' WHERE number = 'INV-11'";
    a_draft_that_is_reserved: 23, "a live reservation",
        "UPDATE invoices SET lifecycle = 'draft' WHERE number = 'INV-10'";
    an_act_of_nobody: 24, "no actor",
        "UPDATE audit SET actor = '' WHERE act = 'invoice.void'";
    a_void_that_nobody_did: 24, "who voided it",
        "DELETE FROM audit WHERE act = 'invoice.void'";
    a_revocation_that_nobody_did: 24, "who did",
        "DELETE FROM audit WHERE act = 'link.revoke'";
    a_closing_that_nobody_did: 24, "who closed it",
        "DELETE FROM audit WHERE act = 'anomaly.close'";
    a_policy_that_nobody_set: 24, "by whom",
        "DELETE FROM audit WHERE act = 'policy.set'";
    methods_that_nobody_set: 24, "by whom",
        "DELETE FROM audit WHERE act = 'methods.set'";
    a_word_that_nobody_said: 24, "settled by hand",
        "DELETE FROM audit WHERE act = 'payment.resolve'";
    a_processor_that_nobody_connected: 24, "by whom",
        "DELETE FROM audit WHERE act = 'processor.connect'";
}

both_engines!(an_amount_beyond_sums_hides_nothing_else, async |db: TestDatabase| {
    let store = books::open(&db).await;
    tamper(
        &db,
        "UPDATE entries SET amount = 9223372036854775807 \
         WHERE posting_id = (SELECT id FROM postings WHERE cause_kind = 'processing_fee'); \
         UPDATE entries SET amount = amount - 1 WHERE account = 2150; \
         UPDATE invoices SET pending = -1 WHERE number = 'INV-11'; \
         UPDATE grants SET remaining = remaining - 1; \
         UPDATE payments SET captured = captured + 1 WHERE captured = 6000",
    )
    .await;
    let report = look(&store).await;
    for (invariant, phrase) in [
        (1, "more than 15 digits"),
        (1, "debits that are not its credits"),
        (2, "a currency"),
        (3, "a grant"),
        (7, "less than 0"),
        (12, "allocated, granted"),
        (12, "its posting took in"),
    ] {
        names(&report, invariant, phrase);
    }
    store.close().await.unwrap();
});

both_engines!(a_reference_to_another_merchant, async |db: TestDatabase| {
    let store = books::open(&db).await;
    store.write(async move |tx: &mut Tx| books::merchant(tx, MerchantId(2)).await).await.unwrap();
    for (table, phrase) in [
        ("contacts", "a contact refers"),
        ("invoices", "an invoice refers"),
        ("invoice_lines", "a line of an invoice refers"),
        ("links", "a payment link refers"),
        ("payments", "a payment refers"),
        ("reservations", "a reservation refers"),
        ("payment_states", "a step of a payment's history refers"),
        ("attempts", "an attempt refers"),
        ("entries", "an entry refers"),
        ("grants", "a grant refers"),
        ("allocations", "an allocation refers"),
        ("receipts", "a receipt refers"),
        ("receipt_lines", "a line of a receipt refers"),
        ("anomalies", "an anomaly record refers"),
        ("anomaly_closings", "the closing of an anomaly refers"),
        ("events", "an event refers"),
        ("mails", "a mail refers"),
        ("mandates", "a mandate refers"),
        ("resolutions", "the word of a person on a payment refers"),
        ("resolution_proposals", "a proposal to settle a payment refers"),
        ("sessions", "a session refers"),
        ("session_invoices", "an invoice opened by a link refers"),
    ] {
        tamper(&db, &format!("UPDATE {table} SET merchant_id = 2")).await;
        names(&look(&store).await, 22, phrase);
        tamper(&db, &format!("UPDATE {table} SET merchant_id = 1")).await;
        assert!(look(&store).await.is_clean(), "{table}");
    }
    store.close().await.unwrap();
});

both_engines!(a_card_number_in_a_text, async |db: TestDatabase| {
    let store = books::open(&db).await;
    for (table, column) in [
        ("merchants", "address"),
        ("customers", "name"),
        ("customers", "address"),
        ("contacts", "name"),
        ("contacts", "email"),
        ("invoices", "memo"),
        ("invoices", "purchase_order"),
        ("invoice_lines", "description"),
        ("payments", "payer_reference"),
        ("payments", "receipt_email"),
        ("attempts", "body"),
        ("mandates", "wording"),
        ("mandates", "account_name"),
        ("resolutions", "reason"),
        ("resolution_proposals", "reason"),
        ("mails", "recipient"),
        ("mails", "last_error"),
        ("events", "data"),
        ("anomalies", "detail"),
        ("anomaly_closings", "note"),
        ("inbox", "raw"),
        ("audit", "after"),
    ] {
        tamper(&db, &format!("ALTER TABLE {table} ADD COLUMN kept TEXT; UPDATE {table} SET kept = {column}"))
            .await;
        tamper(&db, &format!("UPDATE {table} SET {column} = 'card 4242 4242 4242 4242'")).await;
        let report = look(&store).await;
        names(&report, 25, "holds a card number");
        assert!(!format!("{report:?}").contains("4242"), "what was found is never printed");
        tamper(&db, &format!("UPDATE {table} SET {column} = kept; ALTER TABLE {table} DROP COLUMN kept"))
            .await;
        assert!(look(&store).await.is_clean(), "{table}.{column}");
    }
    store.close().await.unwrap();
});

both_engines!(many_rows_are_counted_and_some_named, async |db: TestDatabase| {
    let store = books::open(&db).await;
    store
        .write(async move |tx: &mut Tx| {
            for minute in 300..350 {
                books::person(tx, id!(ContactId, minute), &format!("{minute} 4242424242424242")).await?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let report = look(&store).await;
    assert_eq!(report.broken(), [25]);
    assert_eq!((report.findings[0].rows.len(), report.findings[0].row_count), (ROWS_NAMED, 50));
    assert!(report.findings[0].rows[0].starts_with("con_") && report.findings[0].rows[0].contains("mer_1"));
    tamper(&db, "DELETE FROM contacts WHERE email LIKE '%4242%'; UPDATE invoices SET paid = paid + 1, total = total + 1")
        .await;
    let report = look(&store).await;
    let paid = report.findings.iter().find(|finding| finding.invariant == 3).unwrap();
    assert_eq!((paid.rows.len(), paid.row_count), (6, 6));
    for invoice_id in [partly_paid(), overpaid(), voided()] {
        let name = format!("{invoice_id} of {M}, paid ");
        assert!(paid.rows.iter().any(|row| row.starts_with(&name)), "{name} in {:?}", paid.rows);
    }
    store.close().await.unwrap();
});

both_engines!(a_look_sees_one_moment, async |db: TestDatabase| {
    // Payments are captured while it looks: each transaction is whole, so no look may find one half of one.
    let store = books::open(&db).await;
    let writer = store.clone();
    let writing = tokio::spawn(async move {
        for minute in 400..430 {
            let number = format!("INV-{minute}");
            writer
                .write(async move |tx: &mut Tx| {
                    books::invoice(tx, minute, &number, "open", 500, (500, 0, 0)).await
                })
                .await
                .unwrap();
        }
    });
    while !writing.is_finished() {
        let report = look(&store).await;
        assert!(report.is_clean(), "{report:#?}");
    }
    writing.await.unwrap();
    assert_eq!(look(&store).await.postings, books::POSTINGS + 30);
    assert_eq!(look(&store).await.unsealed.len(), 1, "not sealed yet, which is no finding");
    const COUNT: store::db::Sql = store::db::Sql("SELECT count(*) FROM invoices WHERE issued_at >= $1");
    let late = at(400).as_microsecond();
    let count = async move |tx: &mut Tx| tx.fetch_one(COUNT, args![late], |row| row.i64(0)).await;
    assert_eq!(store.read(count).await.unwrap(), 30);
    store.close().await.unwrap();
});
