//! Is `verify` honest about credit notes, write-offs, applied credit, receipts without a payer and demands? Books with one of each
//! are right; then each is broken by hand, past every guard, and has to be named.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M, act, at, customer, id, overpaid, post};
use crate::tamper::tamper;
use anyhow::Result;
use billing::chart::{self, Credited, Place};
use billing::credit_note::CreditSplit;
use billing::ids::*;
use billing::invoice::{Figures, Lifecycle};
use billing::payment::{Method, PaymentState};
use jiff::civil::date;
use ledger::{Currency, Money, PostingBuilder};
use store::allocations::{self, Allocation};
use store::audit::acts;
use store::both_engines;
use store::credit_applications::{self, CreditApplication};
use store::credit_notes::{self, CreditNote};
use store::db::{Store, Tx};
use store::grants::{self, NewGrant, Source};
use store::invoices::{self, Invoice};
use store::payments::{self, Payment};
use store::receipts::{self, Receipt};
use store::returned_payments::{self, Demand};
use store::testing::TestDatabase;
use store::unmatched_receipts::{self, UnmatchedReceipt};
use store::verify::{Options, VerifyReport, title, verify};
use store::write_offs::{self, WriteOff};

/// 100.00 USD, of which 30.00 were credited, 20.00 paid with credit, 15.00 given up and 5.00 of it came after all.
fn reduced() -> InvoiceId {
    id!(InvoiceId, 200)
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

async fn open(db: &TestDatabase) -> Store {
    let store = books::open(db).await;
    store.write(async move |tx: &mut Tx| fill(tx).await).await.unwrap();
    books::seal(&store).await;
    store
}

async fn fill(tx: &mut Tx) -> Result<()> {
    books::invoice(tx, 200, "INV-200", "open", 10_000, (4_000, 0, 2_000)).await?;
    credit_note(tx, 201, "CN-0001", reduced(), (3_000, 0)).await?;
    credit_note(tx, 202, "CN-0002", overpaid(), (0, 5_000)).await?;
    apply(tx).await?;
    write_off(tx, 204, 1_500).await?;
    write_off(tx, 205, -500).await?;
    unmatched(tx).await?;
    demand(tx).await
}

async fn credit_note(
    tx: &mut Tx,
    minute: i64,
    number: &str,
    invoice: InvoiceId,
    (to_invoice_minor, surplus_minor): (i64, i64),
) -> Result<()> {
    let (note, grant) = (id!(CreditNoteId, minute), id!(GrantId, minute));
    let split = CreditSplit {
        net_minor: to_invoice_minor + surplus_minor,
        taxes: Vec::new(),
        to_invoice_minor,
        surplus_minor,
    };
    let credited =
        Credited { customer: customer(), invoice, credit_note: note, grant, currency: Currency::USD };
    let posting = chart::credit_note_issued(&credited, &split)?;
    post(tx, 1000 + minute, "credit_note", &note.to_string(), &posting, None).await?;
    let row = CreditNote {
        id: note,
        number: number.to_owned(),
        customer_id: customer(),
        invoice_id: invoice,
        amount: usd(to_invoice_minor + surplus_minor),
        tax_minor: 0,
        to_invoice_minor,
        reason: "Two days less".to_owned(),
        posting_id: id!(PostingId, 1000 + minute),
        issued_on: date(2026, 1, 2),
        issued_at: at(minute),
    };
    credit_notes::insert(tx, M, &row, &[]).await?;
    act(tx, 1000 + minute, acts::CREDIT_NOTE_ISSUE, &note.to_string()).await?;
    if surplus_minor == 0 {
        return Ok(());
    }
    let born = NewGrant {
        id: grant,
        customer_id: customer(),
        source: Source::CreditNote,
        payment_id: None,
        invoice_id: Some(invoice),
        credit_note_id: Some(note),
        amount: usd(surplus_minor),
    };
    grants::insert(tx, M, &born, at(minute)).await
}

/// 20.00 of the second credit note's credit are used on the invoice.
async fn apply(tx: &mut Tx) -> Result<()> {
    let (application, grant, part) =
        (id!(CreditApplicationId, 203), id!(GrantId, 202), id!(AllocationId, 203));
    let row = CreditApplication {
        id: application,
        customer_id: customer(),
        invoice_id: reduced(),
        amount: usd(2_000),
        contact_id: Some(books::contact()),
        actor: books::contact().to_string(),
        at: at(203),
    };
    credit_applications::insert(tx, M, &row).await?;
    act(tx, 1203, acts::CREDIT_APPLY, &application.to_string()).await?;
    let posting = chart::credit_applied(customer(), grant, reduced(), usd(2_000))?;
    post(tx, 1203, "credit_applied", &part.to_string(), &posting, None).await?;
    grants::spend(tx, M, grant, 2_000).await?;
    let allocation = Allocation {
        id: part,
        payment_id: None,
        grant_id: Some(grant),
        application_id: Some(application),
        invoice_id: reduced(),
        amount_minor: 2_000,
        posting_id: id!(PostingId, 1203),
        at: at(203),
    };
    allocations::insert(tx, M, &allocation).await
}

async fn write_off(tx: &mut Tx, minute: i64, minor: i64) -> Result<()> {
    let row_id = id!(WriteOffId, minute);
    let posting = if minor > 0 {
        chart::written_off(customer(), reduced(), usd(minor))?
    } else {
        chart::write_off_recovered(customer(), reduced(), usd(-minor))?
    };
    let cause = if minor > 0 { "written_off" } else { "write_off_recovered" };
    post(tx, 1000 + minute, cause, &row_id.to_string(), &posting, None).await?;
    let row = WriteOff {
        id: row_id,
        invoice_id: reduced(),
        amount: usd(minor),
        reason: "Insolvent".to_owned(),
        payment_id: (minor < 0).then(|| id!(PaymentId, 20)),
        posting_id: id!(PostingId, 1000 + minute),
        at: at(minute),
    };
    write_offs::insert(tx, M, &row).await?;
    act(tx, 1000 + minute, acts::INVOICE_WRITE_OFF, &row_id.to_string()).await
}

/// 70.00 of which nobody knows whose they are, and 90.00 of which 40.00 have become credit.
async fn unmatched(tx: &mut Tx) -> Result<()> {
    for (minute, minor) in [(206, 7_000), (207, 9_000)] {
        let receipt = UnmatchedReceipt {
            id: id!(PaymentId, minute),
            method: Method::Wire,
            amount: usd(minor),
            left: usd(minor),
            payer: Some("GLOBEX".to_owned()),
            reference: Some("transfer 9".to_owned()),
            received_on: date(2026, 1, 2),
            customer_id: None,
            created_at: at(minute),
            reversed_at: None,
        };
        unmatched_receipts::insert(tx, M, &receipt).await?;
        let posting = chart::unmatched_received(receipt.id, usd(minor))?;
        post(tx, 1000 + minute, "receipt", &receipt.id.to_string(), &posting, None).await?;
        act(tx, 1000 + minute, acts::PAYMENT_RECORD, &receipt.id.to_string()).await?;
    }
    let (payment, grant) = (id!(PaymentId, 207), id!(GrantId, 208));
    let row = Payment {
        method: Method::Wire,
        state: PaymentState::Succeeded,
        captured: Some(usd(9_000)),
        captured_at: Some(at(207)),
        received_on: Some(date(2026, 1, 2)),
        ..Payment::submitting(M, payment, customer(), usd(9_000), at(208))
    };
    payments::insert_first(tx, &row, "its payer was found").await?;
    unmatched_receipts::set_customer(tx, M, payment, customer()).await?;
    unmatched_receipts::take(tx, M, payment, 4_000).await?;
    let parts = [(Place::Credit(grant), usd(4_000))];
    let posting = chart::receipt_matched(payment, customer(), usd(4_000), &parts)?;
    post(tx, 1208, "receipt_matched", &grant.to_string(), &posting, None).await?;
    let born = NewGrant {
        id: grant,
        customer_id: customer(),
        source: Source::Matched,
        payment_id: Some(payment),
        invoice_id: None,
        credit_note_id: None,
        amount: usd(4_000),
    };
    grants::insert(tx, M, &born, at(208)).await?;
    let receipt = Receipt {
        payment_id: payment,
        amount_minor: 9_000,
        surcharge_minor: 0,
        credit_minor: 4_000,
        unapplied_minor: 5_000,
        currency: Currency::USD,
        at: at(208),
        lines: Vec::new(),
    };
    receipts::insert(tx, M, &receipt).await
}

/// 30.00 that a bank took back are asked for again.
async fn demand(tx: &mut Tx) -> Result<()> {
    let invoice_id = id!(InvoiceId, 210);
    let owed = PostingBuilder::new(Currency::USD)
        .debit(chart::returned_receivable(customer()), usd(3_000))
        .credit(chart::bank(), usd(3_000))
        .build()?;
    post(tx, 1209, "taken_back", "by hand", &owed, None).await?;
    let invoice = Invoice {
        merchant: M,
        id: invoice_id,
        number: "INV-210".to_owned(),
        customer_id: customer(),
        lifecycle: Lifecycle::Draft,
        figures: Figures {
            currency: Currency::USD,
            total_minor: 3_000,
            open_minor: 0,
            pending_minor: 0,
            paid_minor: 0,
        },
        tax_minor: 0,
        issued_on: date(2026, 1, 2),
        due_on: date(2026, 1, 31),
        purchase_order: None,
        memo: None,
        content_hash: [1; 32],
        created_at: at(210),
        issued_at: None,
        ended_at: None,
    };
    anyhow::ensure!(invoices::insert(tx, &invoice, &[]).await?, "the number is new");
    anyhow::ensure!(invoices::issue(tx, M, invoice_id, at(210)).await?, "it is a draft");
    let posting = chart::returned_payment_demanded(customer(), invoice_id, usd(3_000))?;
    post(tx, 1210, "invoice_issued", &invoice_id.to_string(), &posting, None).await?;
    let row = Demand { invoice_id, customer_id: customer(), amount: usd(3_000), at: at(210) };
    returned_payments::insert(tx, M, &row).await?;
    act(tx, 1210, acts::RETURNED_PAYMENT_DEMAND, &invoice_id.to_string()).await
}

async fn look(store: &Store) -> VerifyReport {
    verify(store, &Options::default()).await.unwrap()
}

fn names(report: &VerifyReport, invariant: u8, phrase: &str) {
    let finding = report.findings.iter().find(|one| one.invariant == invariant && one.what.contains(phrase));
    let finding = finding.unwrap_or_else(|| panic!("{invariant} ({phrase}) is not named in {report:#?}"));
    assert_eq!(Some(finding.title), title(invariant));
    assert!(!finding.rows.is_empty() && finding.row_count >= 1, "{finding:?}");
}

async fn must_name(db: &TestDatabase, sql: &str, invariant: u8, phrase: &str) {
    let store = open(db).await;
    let before = look(&store).await;
    assert!(before.is_clean(), "{before:#?}");
    tamper(db, sql).await;
    names(&look(&store).await, invariant, phrase);
    store.close().await.unwrap();
}

macro_rules! breaks {
    ($($name:ident: $invariant:literal, $phrase:literal, $sql:literal;)*) => {$(
        both_engines!($name, async |db: TestDatabase| {
            must_name(&db, $sql, $invariant, $phrase).await;
        });
    )*};
}

breaks! {
    a_credit_note_of_more_than_was_posted: 6, "a credit note is not what",
        "UPDATE credit_notes SET amount = amount + 1 WHERE number = 'CN-0001'";
    a_credit_note_that_says_another_part_was_owed: 6, "the total of an invoice",
        "UPDATE credit_notes SET to_invoice = to_invoice - 1 WHERE number = 'CN-0001'";
    a_posting_without_its_credit_note: 6, "has no credit note",
        "DELETE FROM credit_notes WHERE number = 'CN-0001'";
    a_credit_note_of_another_invoice: 6, "or one of another invoice",
        "UPDATE credit_notes SET invoice_id = (SELECT id FROM invoices WHERE number = 'INV-10') WHERE number = 'CN-0001'";
    a_tax_that_no_credit_note_has: 6, "the tax of a credit note",
        "INSERT INTO credit_note_taxes SELECT merchant_id, id, 190000, 1 FROM credit_notes WHERE number = 'CN-0001'";
    more_tax_than_was_charged: 6, "more tax of a rate",
        "INSERT INTO credit_note_taxes SELECT merchant_id, id, 190000, 1 FROM credit_notes WHERE number = 'CN-0001'";
    more_credited_than_was_asked_for: 6, "more was credited and written off",
        "UPDATE credit_notes SET amount = 20000 WHERE number = 'CN-0001'";
    a_write_off_in_another_currency: 6, "in another currency than its invoice",
        "UPDATE write_offs SET currency = 'EUR'";
    a_write_off_of_more_than_was_posted: 6, "a write-off is not what",
        "UPDATE write_offs SET amount = amount + 1 WHERE amount > 0";
    a_recovery_that_is_gone: 6, "what is written off of an invoice",
        "DELETE FROM write_offs WHERE amount < 0";
    an_application_of_more_than_its_parts: 16, "an application of credit",
        "UPDATE credit_applications SET amount = amount + 1";
    credit_in_another_currency_than_the_invoice: 16, "credit of one customer",
        "UPDATE grants SET currency = 'EUR' WHERE source = 'credit_note'";
    credit_that_was_never_spent_there: 16, "below 0",
        "UPDATE allocations SET amount = -amount WHERE application_id IS NOT NULL";
    a_payment_that_has_less_than_nothing_there: 12, "less than 0 of a payment",
        "UPDATE allocations SET amount = -amount WHERE payment_id IS NOT NULL";
    a_grant_of_a_payment_that_lost_some: 12, "allocated, granted",
        "UPDATE grants SET remaining = remaining - 1 WHERE source = 'matched'";
    a_receipt_that_is_another_amount: 12, "a receipt whose payer is known",
        "UPDATE unmatched_receipts SET amount = amount + 1 WHERE customer_id IS NOT NULL";
    a_payment_of_a_receipt_of_nobody: 12, "a receipt whose payer is known",
        "UPDATE unmatched_receipts SET customer_id = NULL";
    money_without_a_place_that_is_less: 3, "has no place",
        "UPDATE unmatched_receipts SET remaining = remaining - 1";
    a_receipt_without_its_posting: 9, "no capture posting",
        "UPDATE postings SET cause_kind = 'another' WHERE cause_kind = 'receipt'";
    a_receipt_that_is_gone: 9, "a payment that does not exist",
        "DELETE FROM unmatched_receipts WHERE customer_id IS NULL";
    a_receipt_that_forgets_what_had_no_place: 20, "do not add up",
        "UPDATE receipts SET unapplied = 0";
    a_demand_of_another_amount: 6, "demands a returned payment",
        "UPDATE returned_payment_demands SET amount = amount + 1";
    a_demand_with_a_tax: 6, "demands a returned payment",
        "UPDATE invoices SET tax = 1 WHERE number = 'INV-210'";
    a_credit_note_of_nobody: 24, "was credited, written off",
        "DELETE FROM audit WHERE act = 'credit_note.issue'";
    an_application_of_nobody: 24, "was credited, written off",
        "DELETE FROM audit WHERE act = 'credit.apply'";
    a_write_off_of_nobody: 24, "was credited, written off",
        "DELETE FROM audit WHERE act = 'invoice.write_off'";
    a_demand_of_nobody: 24, "was credited, written off",
        "DELETE FROM audit WHERE act = 'returned_payment.demand'";
    a_receipt_of_nobody: 24, "a payment was recorded",
        "DELETE FROM audit WHERE act = 'payment.record'";
    a_credit_note_of_two_debits: 1, "debits that are not its credits",
        "UPDATE entries SET amount = amount + 1 WHERE account = 4050";
    an_application_of_no_grant: 16, "an entry on 2100",
        "UPDATE grants SET id = (SELECT id FROM contacts) WHERE source = 'credit_note'";
    a_history_that_a_matched_receipt_lacks: 17, "there is none",
        "DELETE FROM payment_states WHERE reason = 'its payer was found'";
    a_void_invoice_with_credit_on_it: 23, "an allocation",
        "UPDATE invoices SET lifecycle = 'void' WHERE number = 'INV-200'";
}

both_engines!(a_reference_of_these_to_another_merchant, async |db: TestDatabase| {
    let store = open(&db).await;
    store.write(async move |tx: &mut Tx| books::merchant(tx, MerchantId(2)).await).await.unwrap();
    for (table, phrase) in [
        ("credit_notes", "a credit note refers"),
        ("write_offs", "a write-off refers"),
        ("credit_applications", "an application of credit refers"),
        ("returned_payment_demands", "a demand of a returned payment refers"),
    ] {
        tamper(&db, &format!("UPDATE {table} SET merchant_id = 2")).await;
        names(&look(&store).await, 22, phrase);
        tamper(&db, &format!("UPDATE {table} SET merchant_id = 1")).await;
        assert!(look(&store).await.is_clean(), "{table}");
    }
    tamper(&db, "INSERT INTO credit_note_taxes SELECT merchant_id, posting_id, 1, 1 FROM credit_notes").await;
    names(&look(&store).await, 22, "a tax of a credit note refers");
    tamper(&db, "DELETE FROM credit_note_taxes").await;
    tamper(&db, "UPDATE unmatched_receipts SET merchant_id = 2").await;
    names(&look(&store).await, 22, "a receipt without a payer refers");
    store.close().await.unwrap();
});

both_engines!(a_card_number_in_a_reason, async |db: TestDatabase| {
    let store = open(&db).await;
    for (table, column) in [
        ("credit_notes", "reason"),
        ("write_offs", "reason"),
        ("unmatched_receipts", "payer"),
        ("unmatched_receipts", "reference"),
    ] {
        tamper(&db, &format!("UPDATE {table} SET {column} = 'card 4242 4242 4242 4242'")).await;
        names(&look(&store).await, 25, "holds a card number");
        tamper(&db, &format!("UPDATE {table} SET {column} = 'a text'")).await;
        assert!(look(&store).await.is_clean(), "{table}.{column}");
    }
    store.close().await.unwrap();
});

both_engines!(a_grant_is_refilled_with_what_was_spent_of_it_and_no_more, async |db: TestDatabase| {
    let store = open(&db).await;
    let grant = id!(GrantId, 202);
    let more = store.write(async move |tx: &mut Tx| grants::refill(tx, M, grant, 2_001).await).await;
    assert!(more.unwrap_err().to_string().contains("never spent"));
    store.write(async move |tx: &mut Tx| grants::refill(tx, M, grant, 2_000).await).await.unwrap();
    let found = store.read(async move |tx: &mut Tx| grants::find(tx, M, grant).await).await.unwrap().unwrap();
    assert_eq!((found.left, found.born.source), (usd(5_000), Source::CreditNote));
    let of = async move |tx: &mut Tx| grants::left_of_customer(tx, M, customer(), Currency::USD).await;
    let left = store.read(of).await.unwrap();
    let in_order: Vec<GrantId> = left.iter().map(|grant| grant.id).collect();
    assert_eq!(in_order, [books::grant(), grant, id!(GrantId, 208)], "the oldest first");
    store.close().await.unwrap();
});
