//! Accounts that are proved by two small deposits before they are debited, in every way that can go; and the proofs of what payers
//! agreed to.

use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::ids::{ContactId, MandateId, PaymentId};
use billing::payment::Ending;
use billing::payment::Method;
use billing::payment::PaymentState::{Canceled, Failed, Processing, RequiresAction, Submitting, Succeeded};
use jiff::SignedDuration;
use paydown::actions::cancel_payment::cancel_payment;
use paydown::actions::end_mandate::{CannotEnd, Revoker, end_mandate};
use paydown::actions::reconcile_payment::reconcile_payment;
use paydown::actions::start_payment::{Agreement, StartPayment};
use paydown::mandate_proof::Proof;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::db::Tx;
use store::mandates::{self, Account, GivenFor, Mandate, Rule};
use store::verifications::{Of, State};
use store::{contacts, merchants};

impl TestApp {
    /// A debit whose account has to be proved first.
    async fn debit_to_prove(&self, account: &str) -> PaymentId {
        self.offer_debits().await;
        self.control("/verification", json!({ "us_bank_account": "microdeposits" })).await;
        let invoice = self.invoice(100_000).await;
        let agreement = Agreement { wording: "Take it, once.".to_owned(), user_agent: None };
        let ask = self.ask(invoice, 40_000);
        let ask = StartPayment { method: Method::UsBankAccount, agreement: Some(agreement), ..ask };
        let payment = self.pay_as(ask).await;
        self.card_page(payment, json!({ "account": account })).await;
        self.settle().await;
        assert_eq!(self.state(payment).await, RequiresAction);
        payment
    }

    async fn proof_state(&self, payment: PaymentId) -> (State, i64) {
        let stands = self.verification(Of::Payment(payment)).await.expect("it has to be proved");
        (stands.state, stands.wrong_tries)
    }

    async fn proof_page(&self, payment: PaymentId) -> String {
        self.verification(Of::Payment(payment)).await.and_then(|stands| stands.url).expect("a page")
    }

    async fn look(&self, payment: PaymentId) {
        reconcile_payment(&self.app, self.merchant, payment, "test").await.expect("it is asked");
    }
}

on_both_engines!(an_account_is_proved_before_it_is_debited, async |app: &mut TestApp| {
    let payment = app.debit_to_prove("000123456789").await;
    assert_eq!(app.proof_state(payment).await, (State::Waiting, 0));
    // Half an hour is not the end of it, nor are three days.
    for hours in [1, 24, 48] {
        app.settle_after(SignedDuration::from_hours(hours)).await;
        assert_eq!(app.state(payment).await, RequiresAction, "after {hours} hours more");
    }
    let page = app.proof_page(payment).await;
    app.prove(&page, "1", "2").await;
    app.look(payment).await;
    assert_eq!(app.proof_state(payment).await, (State::Waiting, 1));
    app.prove(&page, "32", "45").await;
    app.settle().await;
    assert_eq!((app.state(payment).await, app.proof_state(payment).await.0), (Processing, State::Done));
    app.days(8).await;
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Processing, Succeeded]);
    assert_eq!(app.anomalies(payment).await, [""; 0]);
});

on_both_engines!(a_proof_that_is_wrong_too_often_ends_the_payment, async |app: &mut TestApp| {
    let payment = app.debit_to_prove("000123456789").await;
    app.settle_after(SignedDuration::from_hours(48)).await;
    let page = app.proof_page(payment).await;
    app.prove(&page, "10", "11").await;
    app.settle().await;
    assert_eq!(app.proof_state(payment).await.0, State::TooManyTries);
    assert!(matches!(app.state(payment).await, Failed | Canceled));
    assert_eq!(app.payment_is_free(payment).await, 0);
});

on_both_engines!(a_proof_that_does_not_come_ends_the_payment, async |app: &mut TestApp| {
    let payment = app.debit_to_prove("000123456789").await;
    app.days(11).await;
    assert_eq!(app.proof_state(payment).await.0, State::TimedOut);
    assert!(matches!(app.state(payment).await, Failed | Canceled));
    assert_eq!(app.payment_is_free(payment).await, 0);
});

on_both_engines!(deposits_that_do_not_arrive_end_the_payment, async |app: &mut TestApp| {
    let payment = app.debit_to_prove("000666666661").await;
    app.days(3).await;
    assert_eq!(app.proof_state(payment).await.0, State::NotDelivered);
    assert!(matches!(app.state(payment).await, Failed | Canceled));
    assert_eq!(app.payment_is_free(payment).await, 0);
});

on_both_engines!(a_payer_may_give_up_while_the_proof_is_waited_for, async |app: &mut TestApp| {
    let payment = app.debit_to_prove("000123456789").await;
    let state = cancel_payment(&app.app, app.merchant, payment, Ending::PayerCanceled).await;
    assert_eq!(state.expect("it is called off"), Canceled);
    app.settle().await;
    assert_eq!(app.payment_is_free(payment).await, 0);
});

impl TestApp {
    /// What a payment still holds.
    async fn payment_is_free(&self, payment: PaymentId) -> i64 {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| store::reservations::list(tx, merchant, payment).await;
        let holds = self.app.store.read(read).await.expect("holds can be read");
        holds.iter().filter(|hold| hold.live).map(|hold| hold.amount_minor).sum()
    }
}

// Regenerated from the database alone, with the hash of what was agreed to.
on_both_engines!(a_thousand_proofs_are_made_again, async |app: &mut TestApp| {
    let (merchant, customer, dana) = (app.merchant, app.customer, app.dana().await);
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 10_000).await;
    let template = app.app.mint();
    let mut made: Vec<(MandateId, String)> = Vec::new();
    let mut all = Vec::new();
    for n in 0..1_000_u32 {
        let seed = app.app.mint().bytes::<8>();
        let setup = store::setups::Setup {
            merchant,
            id: template.id(billing::ids::SetupId::new),
            customer_id: customer,
            contact_id: dana,
            method: Method::UsBankAccount,
            state: store::setups::SetupState::Submitting,
            processor_key: format!("k-{n}"),
            route: String::new(),
            body: String::new(),
            session_id: None,
            session_url: None,
            session_expires_at: None,
            processor_setup_id: None,
            decline: None,
            payment_method_id: None,
            created_at: template.now,
            changed_at: template.now,
        };
        // Any text, in any writing, with what ends lines and strings elsewhere.
        let letters = ["a", "é", "ß", "中", "\u{200f}", "'", "\"", "\\", "\n", "\t", " ", "%", "0"];
        let wording: String = (0..40 + n % 400)
            .map(|at| letters[usize::from(seed[at as usize % 8]) * (at as usize + 1) % letters.len()])
            .collect();
        let mandate = Mandate {
            id: template.id(MandateId::new),
            given_for: GivenFor::Setup(setup.id),
            customer_id: customer,
            contact_id: Some(dana).filter(|_| n % 3 != 0),
            method: Method::UsBankAccount,
            rule: Rule::Standing,
            wording_hash: Sha256::digest(&wording).into(),
            wording: wording.clone(),
            amount: None,
            payer_email: Some("dana@acme.example".to_owned()),
            client: Some("192.0.2.7".to_owned()),
            user_agent: Some("Browser".to_owned()),
            language: "en".to_owned(),
            offered_at: template.now,
            accepted_at: None,
            account: Account { last4: Some(format!("{n:04}")), ..Account::default() },
            ended: None,
        };
        made.push((mandate.id, wording));
        all.push((setup, mandate));
    }
    let written = app.app.store.write(async move |tx: &mut Tx| {
        for (setup, mandate) in &all {
            store::setups::insert(tx, setup).await?;
            mandates::insert(tx, merchant, mandate).await?;
        }
        Ok(())
    });
    written.await.expect("they are written");
    for (id, wording) in &made {
        let proof = app.proof(*id).await;
        assert!(proof.is_intact, "{id}");
        assert_eq!(&proof.wording, wording);
        let hash: [u8; 32] = Sha256::digest(wording).into();
        assert_eq!(proof.wording_hash, data_encoding::HEXLOWER.encode(&hash));
        assert_eq!(proof, app.proof(*id).await, "the same each time");
    }
    app.card(payment, crate::builders::VISA).await;
    app.settle().await;
});

impl TestApp {
    async fn proof(&self, id: MandateId) -> Proof {
        let merchant = self.merchant;
        let read = self.app.store.read(async move |tx: &mut Tx| {
            let mandate = mandates::find_by_id(tx, merchant, id).await?.expect("it is there");
            let person = match mandate.contact_id {
                Some(id) => contacts::find(tx, merchant, id).await?,
                None => None,
            };
            let of = merchants::find(tx, merchant).await?.expect("it is there");
            Ok(Proof::of(&mandate, person.as_ref(), &of))
        });
        read.await.expect("proofs can be made")
    }
}

on_both_engines!(an_agreement_is_taken_back_by_who_gave_it, async |app: &mut TestApp| {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let (sent, saved) = app.keep_account(invoice, "000123456789").await;
    let (held, _) = app.charge(app.ask_saved(invoice, 20_000, &saved).await).await;
    let id = saved.mandate_id.expect("an account has a mandate");
    let stranger = Revoker::Giver(ContactId::from_bytes([9; 16]));
    let refused = end_mandate(&app.app, app.merchant, id, stranger).await.expect("it is looked at");
    assert_eq!(refused, Err(CannotEnd::NotFound));
    let giver = Revoker::Giver(app.dana().await);
    let ended = end_mandate(&app.app, app.merchant, id, giver.clone()).await.expect("it is looked at");
    let ended = ended.expect("it is ended");
    assert_eq!((ended.stopped, ended.pending), (vec![held], vec![sent]));
    assert_eq!((app.state(held).await, app.state(sent).await), (Canceled, Processing));
    let again = end_mandate(&app.app, app.merchant, id, giver).await.expect("it is looked at");
    assert!(again.is_ok(), "ending twice is ending");
    let letters = app.letters().await;
    let subjects: Vec<&str> = letters.iter().map(|letter| letter.subject.as_str()).collect();
    let copy = "Your agreement with Northwind for the account ending 6789";
    assert!(subjects.contains(&copy), "{subjects:?}");
    assert!(subjects.contains(&"Your agreement with Northwind for the account ending 6789 has ended"));
    let letter = letters.iter().find(|letter| letter.subject == copy).expect("a copy to keep");
    assert!(letter.text.contains("Take it from the saved one, once."), "{}", letter.text);
    let started = app.start_payment(app.ask_saved(invoice, 20_000, &saved).await).await;
    assert!(matches!(started, paydown::actions::start_payment::Started::SavedGone), "{started:?}");
    app.days(8).await;
});
