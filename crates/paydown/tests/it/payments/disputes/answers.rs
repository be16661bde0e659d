//! What a merchant may say about a dispute: evidence, once and in time, and that it is let be. A processor that does not answer is
//! asked again under the same keys.

use super::DAY;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use billing::dispute::DisputeState::{Accepted, Inquiry, Lost, NeedsResponse, UnderReview, Won};
use billing::evidence::{FileKind, MOST_FILE_BYTES, WhyNotFile, WhyNotNow};
use billing::ids::{DisputeId, PaymentId};
use billing::payment::PaymentState::ChargedBack;
use jiff::SignedDuration;
use ledger::{Currency, Money};
use paydown::actions::accept_dispute::{AcceptDispute, CannotAccept, accept_dispute};
use paydown::actions::once::Ran;
use paydown::actions::submit_evidence::{CannotSubmit, NewFile, SubmitEvidence, Submitted, submit_evidence};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use store::db::Tx;
use store::evidence::{self, EvidenceState};

const PDF: &[u8] = b"%PDF-1.7\nsigned for by Dana\n%%EOF";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a screen";

impl TestApp {
    fn statement_of(&self, dispute: DisputeId, text: &str) -> SubmitEvidence {
        SubmitEvidence {
            merchant: self.merchant,
            dispute,
            texts: vec![("other".to_owned(), text.to_owned())],
            files: vec![file("receipt", "receipt.pdf", PDF), file("other", "screen.png", PNG)],
            to_bank: true,
            actor: "cli:test".to_owned(),
        }
    }

    async fn submit_evidence(&self, input: SubmitEvidence) -> Result<Submitted, CannotSubmit> {
        match submit_evidence(&self.app, input, None).await.expect("it is judged") {
            Ran::New(submitted) => Ok(submitted),
            Ran::Refused(why) => Err(why),
            other => panic!("no key was given: {other:?}"),
        }
    }

    async fn accept(&self, dispute: DisputeId) -> Result<Submitted, CannotAccept> {
        let input = AcceptDispute { merchant: self.merchant, dispute, actor: "cli:test".to_owned() };
        match accept_dispute(&self.app, input, None).await.expect("it is judged") {
            Ran::New(submitted) => Ok(submitted),
            Ran::Refused(why) => Err(why),
            other => panic!("no key was given: {other:?}"),
        }
    }

    /// A payment of 400.00 of an invoice of 1,000.00 that is contested.
    async fn contested(&self, with: Value) -> (PaymentId, DisputeId, String) {
        let invoice = self.invoice(100_000).await;
        let payment = self.pay_with_visa(invoice, 40_000).await;
        let name = self.contest(payment, with).await;
        (payment, self.dispute(payment).await.id, name)
    }

    /// How each submission stands, and whether a file's content is still kept.
    async fn evidence(&self, dispute: DisputeId) -> Vec<(EvidenceState, bool)> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| {
            let mut all = Vec::new();
            for said in evidence::list(tx, merchant, dispute).await? {
                let mut is_kept = false;
                for file in evidence::files(tx, merchant, (dispute, said.number)).await? {
                    let of = (dispute, said.number);
                    is_kept |= evidence::content(tx, merchant, of, &file.purpose).await?.is_some();
                }
                all.push((said.state, is_kept));
            }
            Ok(all)
        };
        self.app.store.read(read).await.expect("evidence can be read")
    }

    /// What the processor has.
    async fn at_the_processor(&self, name: &str) -> Value {
        let url = format!("{}/v1/disputes/{name}", self.sandbox.base_url());
        let answer = self.http.get(url).bearer_auth(crate::test_app::PROCESSOR_KEY).send().await;
        answer.expect("it answers").json().await.expect("answers are JSON")
    }
}

fn file(purpose: &str, name: &str, content: &[u8]) -> NewFile {
    NewFile { purpose: purpose.to_owned(), name: name.to_owned(), content: content.to_owned() }
}

on_both_engines!(evidence_that_wins, async |app: &mut TestApp| {
    let (payment, id, name) = app.contested(json!({})).await;
    app.submit_evidence(app.statement_of(id, "winning_evidence")).await.expect("it is taken");
    assert_eq!(app.evidence(id).await, [(EvidenceState::Sending, true)], "stored before it is sent");
    app.settle().await;
    assert_eq!(app.evidence(id).await, [(EvidenceState::Sent, false)], "and forgotten once it is there");
    let there = app.at_the_processor(&name).await;
    let is_file = |of: &str| there["evidence"][of].as_str().is_some_and(|id| id.starts_with("file_"));
    assert!(is_file("receipt") && is_file("uncategorized_file"), "{there}");
    assert_eq!(app.dispute_history(id).await, [NeedsResponse, Won]);
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 0);
    let again = app.submit_evidence(app.statement_of(id, "more")).await;
    assert_eq!(again.expect_err("it is over"), CannotSubmit::NotNow(WhyNotNow::Ended(Won)));
    assert_eq!(app.state(payment).await, billing::payment::PaymentState::Succeeded);
});

on_both_engines!(evidence_that_the_bank_looks_into_is_final, async |app: &mut TestApp| {
    let (_, id, name) = app.contested(json!({})).await;
    let ready = SubmitEvidence { to_bank: false, ..app.statement_of(id, "a first word") };
    app.submit_evidence(ready).await.expect("it is kept ready");
    app.settle().await;
    assert_eq!(app.at_the_processor(&name).await["evidence_details"]["submission_count"], 0);
    let all = SubmitEvidence { texts: Vec::new(), files: Vec::new(), ..app.statement_of(id, "") };
    app.submit_evidence(all.clone()).await.expect("what is ready goes to the bank");
    let twice = app.submit_evidence(app.statement_of(id, "one more thing")).await;
    assert_eq!(twice.expect_err("it is on its way"), CannotSubmit::NotNow(WhyNotNow::WithTheBank));
    app.settle().await;
    assert_eq!(app.dispute_history(id).await, [NeedsResponse, UnderReview]);
    assert_eq!(app.evidence(id).await, [(EvidenceState::Sent, false), (EvidenceState::Sent, false)]);
    let late = app.submit_evidence(all).await;
    assert_eq!(late.expect_err("the bank has it"), CannotSubmit::NotNow(WhyNotNow::WithTheBank));
    app.decide(&name, "lost").await;
    assert_eq!(app.dispute_history(id).await, [NeedsResponse, UnderReview, Lost]);
});

on_both_engines!(an_inquiry_that_is_answered_stays_one, async |app: &mut TestApp| {
    let (_, id, _) = app.contested(json!({ "inquiry": true })).await;
    app.submit_evidence(app.statement_of(id, "it was delivered")).await.expect("it is taken");
    app.settle().await;
    assert_eq!(app.dispute_history(id).await, [Inquiry]);
    let again = app.submit_evidence(app.statement_of(id, "again")).await;
    assert_eq!(again.expect_err("the bank has it"), CannotSubmit::NotNow(WhyNotNow::WithTheBank));
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 0);
});

on_both_engines!(an_inquiry_takes_what_the_bank_says_at_last, async |app: &mut TestApp| {
    let (payment, id, name) = app.contested(json!({ "inquiry": true, "amount": 10_000 })).await;
    app.control(&format!("/disputes/{name}"), json!({ "outcome": "escalated", "amount": 25_000 })).await;
    app.settle().await;
    assert_eq!(app.dispute_history(id).await, [Inquiry, NeedsResponse]);
    assert_eq!(app.dispute(payment).await.amount, Money::new(25_000, Currency::USD));
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 25_000);
    app.decide(&name, "lost").await;
    assert_eq!(app.dispute(payment).await.state, Lost);
    let told = app.anomalies(payment).await;
    assert!(!told.iter().any(|kind| kind == "dispute_amount_changed"), "{told:?}");
});

on_both_engines!(what_is_let_be_is_lost_when_the_processor_says_so, async |app: &mut TestApp| {
    let (payment, id, _) = app.contested(json!({})).await;
    app.accept(id).await.expect("it is accepted");
    assert_eq!(app.dispute(payment).await.state, NeedsResponse, "nothing is lost before it is said");
    let twice = app.accept(id).await.expect_err("once");
    assert_eq!(twice, CannotAccept::NotNow(WhyNotNow::Accepting));
    app.settle().await;
    assert_eq!(app.dispute_history(id).await, [NeedsResponse, Accepted]);
    assert_eq!(app.state(payment).await, ChargedBack);
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 0);
    let late = app.accept(id).await.expect_err("it is over");
    assert_eq!(late, CannotAccept::NotNow(WhyNotNow::Ended(Accepted)));
});

on_both_engines!(what_banks_cannot_read_is_refused_by_its_content, async |app: &mut TestApp| {
    let (_, id, _) = app.contested(json!({})).await;
    let with = |files: Vec<NewFile>| SubmitEvidence { files, ..app.statement_of(id, "see the file") };
    let mut large = vec![0; MOST_FILE_BYTES + 1];
    large[..PDF.len()].copy_from_slice(PDF);
    for (file, why) in [
        (file("receipt", "receipt.pdf", PNG), WhyNotFile::NotWhatItsNameSays { is: FileKind::Png }),
        (file("receipt", "receipt.pdf", b"MZ\x90\x00 a program"), WhyNotFile::Unreadable),
        (file("receipt", "receipt.docx", PDF), WhyNotFile::NotWhatItsNameSays { is: FileKind::Pdf }),
        (file("receipt", "receipt.pdf", b""), WhyNotFile::Empty),
        (file("receipt", "receipt.pdf", &large), WhyNotFile::TooLarge { bytes: MOST_FILE_BYTES + 1 }),
    ] {
        let refused = app.submit_evidence(with(vec![file])).await.expect_err("it is no such file");
        assert_eq!(refused, CannotSubmit::File { purpose: "receipt".to_owned(), why });
    }
    let twice = with(vec![file("receipt", "a.pdf", PDF), file("receipt", "b.pdf", PDF)]);
    let refused = app.submit_evidence(twice).await.expect_err("each purpose once");
    assert_eq!(refused, CannotSubmit::Purpose("receipt".to_owned()));
    let card = SubmitEvidence {
        texts: vec![("other".to_owned(), "paid with 4242 4242 4242 4242".to_owned())],
        ..app.statement_of(id, "")
    };
    let refused = app.submit_evidence(card).await.expect_err("card numbers are never kept");
    assert_eq!(refused, CannotSubmit::CardNumber("other".to_owned()));
    let nothing = SubmitEvidence { texts: Vec::new(), ..with(Vec::new()) };
    assert_eq!(app.submit_evidence(nothing).await.expect_err("nothing is said"), CannotSubmit::Nothing);
    assert_eq!(app.evidence(id).await, [], "nothing of it was stored");
    // The largest file that is taken goes through.
    large.truncate(MOST_FILE_BYTES);
    app.submit_evidence(with(vec![file("receipt", "receipt.pdf", &large)])).await.expect("it is taken");
    app.settle().await;
    assert_eq!(app.evidence(id).await, [(EvidenceState::Sent, false)]);
});

on_both_engines!(evidence_after_its_time_is_refused, async |app: &mut TestApp| {
    let (payment, id, _) = app.contested(json!({})).await;
    let due_at = app.dispute(payment).await.due_at.expect("a time");
    app.advance(DAY * 9);
    let late = app.submit_evidence(app.statement_of(id, "late")).await;
    assert_eq!(late.expect_err("the time is over"), CannotSubmit::NotNow(WhyNotNow::PastDue(due_at)));
    app.settle().await;
    app.settle_after(SignedDuration::from_hours(2)).await;
    assert_eq!(app.dispute(payment).await.state, Lost, "nobody answered in time");
});

on_both_engines!(an_answer_that_was_lost_is_said_once, async |app: &mut TestApp| {
    let (_, id, name) = app.contested(json!({})).await;
    for route in ["POST /v1/files", "POST /v1/disputes/{id}"] {
        app.sandbox.arm_fault(Fault { delay_ms: Some(20), ..Fault::once(route, FaultKind::TimeoutAfter) });
    }
    app.submit_evidence(app.statement_of(id, "it was delivered")).await.expect("it is taken");
    for _ in 0..4 {
        app.settle_after(SignedDuration::from_mins(10)).await;
    }
    assert_eq!(app.evidence(id).await, [(EvidenceState::Sent, false)]);
    assert_eq!(app.at_the_processor(&name).await["evidence_details"]["submission_count"], 1);
    assert_eq!(app.dispute_history(id).await, [NeedsResponse, UnderReview]);
});

on_both_engines!(evidence_that_comes_too_late_there_is_a_persons, async |app: &mut TestApp| {
    let (payment, id, name) = app.contested(json!({})).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    app.control(&format!("/disputes/{name}"), json!({ "outcome": "lost" })).await;
    app.submit_evidence(app.statement_of(id, "it was delivered")).await.expect("we do not know it yet");
    app.settle().await;
    assert_eq!(app.evidence(id).await, [(EvidenceState::Refused, false)]);
    assert_eq!(app.dispute_history(id).await, [NeedsResponse, Lost]);
    assert_eq!(app.anomalies(payment).await, ["dispute_opened", "evidence_refused"]);
});
