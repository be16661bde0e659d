//! Disputes in right books, and each way in which they can be wrong: broken by hand, past every guard, and named by `verify`.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M, at, id};
use crate::tamper::tamper;
use anyhow::Result;
use billing::chart::{self, Processor};
use billing::dispute::{DisputeState, LossMeaning};
use billing::ids::*;
use billing::payment::PaymentState;
use ledger::{Currency, Money, Posting};
use store::audit::{self, AuditRow, acts};
use store::both_engines;
use store::db::{Store, Tx};
use store::disputes::{self, Dispute, Of, Told};
use store::evidence::{self, Evidence, EvidenceFile, EvidenceState};
use store::payments;
use store::postings::{self, CauseKind, NewPosting};
use store::testing::TestDatabase;
use store::verify::{Options, VerifyReport, verify};

/// Open: a part of a payment of 60.00.
fn open() -> DisputeId {
    id!(DisputeId, 70)
}

/// Lost, and borne by the merchant: a part of a payment of 411.90.
fn lost() -> DisputeId {
    id!(DisputeId, 71)
}

/// Accepted: all of a payment of 350.00, which is charged back.
fn accepted() -> DisputeId {
    id!(DisputeId, 72)
}

fn dispute(id: DisputeId, payment: i64, amount_minor: i64, minute: i64) -> Dispute {
    Dispute {
        merchant: M,
        id,
        payment_id: id!(PaymentId, payment),
        processor: "stripe".to_owned(),
        processor_dispute_id: format!("du_{minute}"),
        state: DisputeState::NeedsResponse,
        amount: Money::new(amount_minor, Currency::USD),
        reason: "general".to_owned(),
        network_code: None,
        due_at: Some(at(9_000)),
        when_lost: None,
        lost_as: None,
        has_evidence: false,
        fee: None,
        accept_asked_at: None,
        opened_at: at(minute),
        created_at: at(minute),
        changed_at: at(minute),
    }
}

async fn post(tx: &mut Tx, minute: i64, cause: CauseKind, of: &Dispute, posting: &Posting) -> Result<()> {
    let (id, cause_id) = (id!(PostingId, 5_000 + minute), of.id.to_string());
    let new = NewPosting { id, cause, cause_id: &cause_id, reverses: None, posting, at: at(minute) };
    postings::insert_first(tx, M, &new).await
}

async fn opened(tx: &mut Tx, minute: i64, of: &Dispute) -> Result<()> {
    assert!(disputes::insert(tx, of, "test").await?);
    let posting = chart::dispute_opened(of.id, Processor::Stripe, of.amount)?;
    post(tx, minute, CauseKind::DisputeOpened, of, &posting).await
}

/// Gone, and borne by the merchant.
async fn absorbed(tx: &mut Tx, minute: i64, of: &Dispute, state: DisputeState) -> Result<()> {
    disputes::set_state(tx, of, state, "test", at(minute)).await?;
    disputes::set_lost_as(tx, M, of.id, Some(LossMeaning::Absorbed)).await?;
    let posting = chart::dispute_absorbed(of.id, of.amount)?;
    post(tx, minute, CauseKind::DisputeLost, of, &posting).await
}

async fn audited(tx: &mut Tx, minute: i64, act: &str, object: String) -> Result<()> {
    let row = AuditRow {
        id: id!(AuditId, 5_000 + minute),
        actor: "cli:ada".to_owned(),
        act: act.to_owned(),
        object,
        before: "null".to_owned(),
        after: "{}".to_owned(),
        at: at(minute),
    };
    audit::append(tx, M, &row).await
}

async fn said(tx: &mut Tx, of: DisputeId) -> Result<()> {
    let number = evidence::next_number(tx, M, of).await?;
    let new = Evidence {
        dispute_id: of,
        number,
        texts: "{\"other\":\"it was delivered\"}".to_owned(),
        to_bank: true,
        processor_key: "key-evidence".to_owned(),
        state: EvidenceState::Sending,
        refusal: None,
        created_at: at(76),
        ended_at: None,
    };
    evidence::insert(tx, M, &new).await?;
    let file = EvidenceFile {
        purpose: "receipt".to_owned(),
        kind: "pdf".to_owned(),
        name: "receipt.pdf".to_owned(),
        size: 5,
        content_hash: [1; 32],
        processor_key: "key-file".to_owned(),
        processor_file_id: None,
    };
    evidence::insert_file(tx, M, (of, number), &file, b"%PDF-").await
}

async fn fill(tx: &mut Tx) -> Result<()> {
    let still = dispute(open(), 23, 2_000, 70);
    opened(tx, 170, &still).await?;
    said(tx, still.id).await?;
    audited(tx, 176, acts::DISPUTE_EVIDENCE, still.id.to_string()).await?;
    let gone = dispute(lost(), 20, 1_000, 71);
    opened(tx, 171, &gone).await?;
    disputes::set_when_lost(tx, M, gone.id, Some(LossMeaning::Absorbed)).await?;
    audited(tx, 177, acts::DISPUTE_SET, gone.id.to_string()).await?;
    absorbed(tx, 173, &gone, DisputeState::Lost).await?;
    let let_be = dispute(accepted(), 25, 35_000, 72);
    opened(tx, 172, &let_be).await?;
    disputes::ask_accept(tx, M, let_be.id, at(78)).await?;
    audited(tx, 178, acts::DISPUTE_ACCEPT, let_be.id.to_string()).await?;
    absorbed(tx, 174, &let_be, DisputeState::Accepted).await?;
    let paid = payments::lock(tx, M, let_be.payment_id).await?.unwrap();
    payments::set_state(tx, &paid, PaymentState::ChargedBack, "test", at(174)).await?;
    disputes::put_when_lost(tx, M, LossMeaning::Absorbed).await?;
    audited(tx, 179, acts::DISPUTE_SETTINGS_SET, M.to_string()).await
}

async fn filled(db: &TestDatabase) -> Store {
    let store = books::open(db).await;
    store.write(async move |tx: &mut Tx| fill(tx).await).await.unwrap();
    books::seal(&store).await;
    store
}

async fn look(store: &Store) -> VerifyReport {
    verify(store, &Options::default()).await.unwrap()
}

fn names(report: &VerifyReport, invariant: u8, phrase: &str) {
    let found = report.findings.iter().any(|one| one.invariant == invariant && one.what.contains(phrase));
    assert!(found, "{invariant} ({phrase}) is not named in {report:#?}");
}

macro_rules! breaks {
    ($($name:ident: $invariant:literal, $phrase:literal, $sql:literal;)*) => {$(
        both_engines!($name, async |db: TestDatabase| {
            let store = filled(&db).await;
            let before = look(&store).await;
            assert!(before.is_clean(), "{before:#?}");
            tamper(&db, $sql).await;
            names(&look(&store).await, $invariant, $phrase);
            store.close().await.unwrap();
        });
    )*};
}

breaks! {
    a_dispute_that_holds_less: 14, "what account 1220 holds",
        "UPDATE disputes SET amount = amount - 1 WHERE state = 'needs_response'";
    a_dispute_that_was_decided_and_holds: 14, "what account 1220 holds",
        "UPDATE disputes SET state = 'won' WHERE state = 'needs_response'";
    a_hold_of_nothing: 14, "names no dispute",
        "UPDATE entries SET subject = (SELECT id FROM contacts) WHERE account = 1220";
    a_loss_of_nothing: 14, "names no dispute",
        "UPDATE entries SET subject = (SELECT id FROM contacts) WHERE account = 5210";
    a_loss_that_means_nothing: 12, "what a dispute cost",
        "UPDATE disputes SET lost_as = NULL WHERE state = 'lost'";
    a_loss_that_was_not_borne: 12, "what a dispute cost",
        "UPDATE entries SET amount = amount - 1 WHERE account = 5210";
    a_loss_of_what_was_won: 12, "what a dispute cost",
        "UPDATE disputes SET state = 'won' WHERE state = 'lost'";
    a_loss_that_took_nothing_from_the_payment: 12, "captured and not taken out again",
        "UPDATE disputes SET amount = amount - 500 WHERE state = 'lost'";
    a_dispute_beyond_sums: 12, "more than 15 digits",
        "UPDATE disputes SET amount = 9223372036854775807";
    a_charge_back_of_which_something_is_left: 9, "something captured is left",
        "UPDATE disputes SET amount = amount - 1 WHERE state = 'accepted'";
    a_payment_without_anything_left: 9, "nothing is left of one that is not",
        "UPDATE payments SET state = 'succeeded' WHERE state = 'charged_back'";
    a_dispute_of_a_bank_debit: 9, "not captured by card",
        "UPDATE payments SET method = 'us_bank_account' WHERE state = 'charged_back'";
    a_dispute_in_another_currency: 9, "another currency",
        "UPDATE disputes SET currency = 'EUR'";
    a_dispute_with_a_gap: 17, "history of a dispute has a gap",
        "UPDATE dispute_states SET number = 9 WHERE number = 2";
    a_dispute_without_end: 17, "history of a dispute does not end",
        "UPDATE disputes SET state = 'lost' WHERE state = 'accepted'";
    a_dispute_without_history: 17, "history of a dispute does not end",
        "DELETE FROM dispute_states";
    a_dispute_back_in_time: 17, "a step of a dispute is earlier",
        "UPDATE dispute_states SET at = at - 100000000000 WHERE number = 2";
    a_dispute_that_begins_accepted: 17, "begins with accepted",
        "UPDATE dispute_states SET state = 'accepted' WHERE number = 1";
    a_dispute_that_was_won_and_lost: 17, "from won to lost",
        "UPDATE dispute_states SET state = 'won' WHERE number = 1";
    evidence_of_nobody: 24, "who handed it in",
        "DELETE FROM audit WHERE act = 'dispute.evidence'";
    an_acceptance_of_nobody: 24, "a dispute was accepted",
        "DELETE FROM audit WHERE act = 'dispute.accept'";
    a_choice_of_nobody: 24, "what a dispute means was chosen",
        "DELETE FROM audit WHERE act = 'dispute.set'";
    a_setting_of_nobody: 24, "what a lost dispute means was set",
        "DELETE FROM audit WHERE act = 'dispute_settings.set'";
    evidence_with_a_card_number: 25, "what was said against it",
        "UPDATE evidence SET texts = '{\"other\":\"paid with 4242424242424242\"}'";
    a_file_with_a_card_number: 25, "what was said against it",
        "UPDATE evidence_files SET name = '4242 4242 4242 4242.pdf'";
}

both_engines!(disputes_of_another_merchant, async |db: TestDatabase| {
    let store = filled(&db).await;
    store.write(async move |tx: &mut Tx| books::merchant(tx, MerchantId(2)).await).await.unwrap();
    for (table, phrase) in [
        ("disputes", "a dispute refers"),
        ("dispute_states", "a step of a dispute"),
        ("evidence", "evidence refers to a dispute"),
        ("evidence_files", "a file of evidence refers to a dispute"),
    ] {
        tamper(&db, &format!("UPDATE {table} SET merchant_id = 2")).await;
        names(&look(&store).await, 22, phrase);
        tamper(&db, &format!("UPDATE {table} SET merchant_id = 1")).await;
        assert!(look(&store).await.is_clean(), "{table}");
    }
    store.close().await.unwrap();
});

both_engines!(disputes_are_found_again, async |db: TestDatabase| {
    let store = filled(&db).await;
    let read = store.write(async move |tx: &mut Tx| {
        let told = Told {
            reason: "fraudulent".to_owned(),
            network_code: Some("10.4".to_owned()),
            due_at: None,
            has_evidence: true,
            fee: Some(Money::new(1_500, Currency::EUR)),
        };
        disputes::learn(tx, M, open(), &told).await?;
        let found = disputes::find_by_name(tx, M, "stripe", "du_70").await?.unwrap();
        assert_eq!((found.id, found.due_at, found.fee), (open(), Some(at(9_000)), told.fee));
        assert!(disputes::any_open(tx, M, found.payment_id).await?);
        assert!(!disputes::any_open(tx, M, id!(PaymentId, 20)).await?, "it was decided");
        assert_eq!(disputes::charged_back_minor(tx, M, id!(PaymentId, 20)).await?, 1_000);
        assert_eq!(disputes::contested(tx, M, books::partly_paid()).await?, [found.payment_id]);
        let ids = |list: Vec<Dispute>| list.into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(disputes::newest(tx, M, Of::Merchant, None, 10).await?), [accepted(), lost(), open()]);
        assert_eq!(ids(disputes::newest(tx, M, Of::Merchant, Some(lost()), 10).await?), [open()]);
        let of_state = Of::State(DisputeState::Lost);
        assert_eq!(ids(disputes::newest(tx, M, of_state, None, 10).await?), [lost()]);
        let of_payment = Of::Payment(id!(PaymentId, 25));
        assert_eq!(ids(disputes::newest(tx, M, of_payment, None, 10).await?), [accepted()]);
        assert!(!disputes::insert(tx, &found, "again").await?, "a dispute is known by its name");
        let next = evidence::next_to_send(tx, M, open()).await?.unwrap();
        evidence::set_handed_over(tx, M, (open(), next.number), ("receipt", "file_1")).await?;
        assert_eq!(evidence::content(tx, M, (open(), next.number), "receipt").await?, None);
        assert!(evidence::end(tx, M, (open(), next.number), None, at(80)).await?);
        assert!(!evidence::end(tx, M, (open(), next.number), Some("late"), at(81)).await?);
        Ok(evidence::list(tx, M, open()).await?.remove(0).state)
    });
    assert_eq!(read.await.unwrap(), EvidenceState::Sent);
    store.close().await.unwrap();
});
