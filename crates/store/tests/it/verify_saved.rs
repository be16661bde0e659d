//! Saved methods, setups, mandates and held debits: kept as they were put, and what is broken by hand is named by `verify`.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M, at, contact, customer, id};
use crate::tamper::tamper;
use billing::ids::*;
use billing::payment::Method;
use sha2::{Digest as _, Sha256};
use store::both_engines;
use store::cut_offs;
use store::db::{Store, Tx};
use store::mandates::{self, Account, Ended, EndedBy, GivenFor, Mandate, Rule};
use store::payment_methods::{self, SavedMethod};
use store::processor_accounts::{Mode, ProcessorAccount};
use store::setups::{self, Setup, SetupState};
use store::testing::TestDatabase;
use store::verifications::{self, Of, State, Verification};
use store::verify::{Options, verify};

fn account() -> ProcessorAccount {
    ProcessorAccount {
        merchant_id: M,
        processor: "stripe".to_owned(),
        mode: Mode::Practice,
        base_url: "http://127.0.0.1:9".to_owned(),
        account: "acct_1".to_owned(),
        secret_key: Vec::new(),
        webhook_secret: None,
        webhook_secret_before: None,
        polled_to: at(0),
        connected_at: at(0),
    }
}

fn saved(minute: i64, token: &str) -> SavedMethod {
    SavedMethod {
        id: id!(PaymentMethodId, minute),
        customer_id: customer(),
        contact_id: contact(),
        token: token.to_owned(),
        method: Method::UsBankAccount,
        name: "First Bank".to_owned(),
        last4: "6789".to_owned(),
        expires: None,
        mandate_id: Some(id!(MandateId, 201)),
        default_since: None,
        created_at: at(minute),
        removed_at: None,
    }
}

fn setup() -> Setup {
    Setup {
        merchant: M,
        id: id!(SetupId, 200),
        customer_id: customer(),
        contact_id: contact(),
        method: Method::UsBankAccount,
        state: SetupState::Submitting,
        processor_key: "paydown-setup".to_owned(),
        route: "POST /v1/checkout/sessions".to_owned(),
        body: "mode=setup".to_owned(),
        session_id: None,
        session_url: None,
        session_expires_at: None,
        processor_setup_id: None,
        decline: None,
        payment_method_id: None,
        created_at: at(200),
        changed_at: at(200),
    }
}

fn mandate() -> Mandate {
    let wording = "Later ones, when I ask.".to_owned();
    Mandate {
        id: id!(MandateId, 201),
        given_for: GivenFor::Setup(setup().id),
        customer_id: customer(),
        contact_id: Some(contact()),
        method: Method::UsBankAccount,
        rule: Rule::Standing,
        wording_hash: Sha256::digest(&wording).into(),
        wording,
        amount: None,
        payer_email: Some("ada@globex.example".to_owned()),
        client: Some("192.0.2.7".to_owned()),
        user_agent: None,
        language: "en".to_owned(),
        offered_at: at(201),
        accepted_at: None,
        account: Account::default(),
        ended: None,
    }
}

/// The books with a setup, its mandate and two saved methods.
async fn open(db: &TestDatabase) -> Store {
    let store = books::open(db).await;
    let written = store.write(async move |tx: &mut Tx| {
        anyhow::ensure!(setups::insert(tx, &setup()).await?, "it is new");
        mandates::insert(tx, M, &mandate()).await?;
        anyhow::ensure!(payment_methods::insert(tx, &account(), &saved(202, "pm_1")).await?, "it is new");
        anyhow::ensure!(payment_methods::insert(tx, &account(), &saved(203, "pm_2")).await?, "it is new");
        anyhow::ensure!(!payment_methods::insert(tx, &account(), &saved(204, "pm_1")).await?, "it is there");
        Ok(())
    });
    written.await.unwrap();
    store
}

both_engines!(saved_methods_are_kept_as_they_were_put, async |db: TestDatabase| {
    let store = open(&db).await;
    let told = store.write(async move |tx: &mut Tx| {
        let at_account = account();
        payment_methods::set_default(tx, &at_account, &saved(202, "pm_1"), at(205)).await?;
        payment_methods::set_default(tx, &at_account, &saved(203, "pm_2"), at(206)).await?;
        let list = payment_methods::list(tx, &at_account, contact()).await?;
        assert_eq!(list.iter().map(|one| one.token.as_str()).collect::<Vec<_>>(), ["pm_2", "pm_1"]);
        assert_eq!((list[0].default_since, list[1].default_since), (Some(at(206)), None));
        let elsewhere = ProcessorAccount { account: "acct_2".to_owned(), ..account() };
        assert_eq!(payment_methods::list(tx, &elsewhere, contact()).await?, []);
        assert!(payment_methods::lock_at(tx, &elsewhere, list[0].id).await?.is_none());
        assert!(payment_methods::remove(tx, M, list[0].id, at(207)).await?);
        assert!(!payment_methods::remove(tx, M, list[0].id, at(208)).await?, "once");
        assert_eq!(payment_methods::list(tx, &at_account, contact()).await?.len(), 1);
        assert_eq!(payment_methods::find(tx, M, list[0].id).await?.unwrap().removed_at, Some(at(207)));
        Ok(payment_methods::list_of_customer(tx, M, customer()).await?.len())
    });
    assert_eq!(told.await.unwrap(), 1);
    let kept = store.write(async move |tx: &mut Tx| {
        let known = Setup {
            state: SetupState::Succeeded,
            session_id: Some("cs_1".to_owned()),
            payment_method_id: Some(saved(202, "pm_1").id),
            changed_at: at(209),
            ..setup()
        };
        setups::learn(tx, &known).await?;
        assert_eq!(setups::find_by_session(tx, M, "cs_1").await?, Some(known));
        assert_eq!(setups::list_open(tx, M, contact()).await?, []);
        let how = Verification {
            state: State::Waiting,
            is_code: false,
            url: Some("https://x.test".to_owned()),
            arrives_at: Some(at(210)),
            ends_at: Some(at(220)),
            wrong_tries: 1,
            changed_at: at(205),
        };
        let of = Of::Setup(setup().id);
        verifications::put(tx, M, of, &how).await?;
        verifications::put(tx, M, of, &Verification { state: State::Done, ..how.clone() }).await?;
        assert_eq!(verifications::find(tx, M, of).await?, Some(Verification { state: State::Done, ..how }));
        assert_eq!(cut_offs::find(tx, M).await?, cut_offs::USUAL_MINUTE_OF_DAY);
        Ok(())
    });
    kept.await.unwrap();
    store.close().await.unwrap();
});

both_engines!(a_mandate_ends_once_and_is_never_reworded, async |db: TestDatabase| {
    let store = open(&db).await;
    let done = store.write(async move |tx: &mut Tx| {
        assert_eq!(mandates::find_by_id(tx, M, mandate().id).await?, Some(mandate()));
        assert_eq!(mandates::find_of_setup(tx, M, setup().id).await?, Some(mandate()));
        let known = Account {
            last4: Some("6789".to_owned()),
            holder: Some("business".to_owned()),
            processor_mandate_id: Some("mandate_1".to_owned()),
            processor_method_id: Some("pm_1".to_owned()),
            ..Account::default()
        };
        mandates::accept(tx, M, GivenFor::Setup(setup().id), &known, at(210)).await?;
        let accepted = Mandate { accepted_at: Some(at(210)), account: known, ..mandate() };
        assert_eq!(mandates::find_standing(tx, M, "pm_1").await?, Some(accepted.clone()));
        assert_eq!(mandates::find_by_processor_id(tx, M, "mandate_1").await?, Some(accepted.clone()));
        let ended = Ended { at: at(211), why: "taken back".to_owned(), by: EndedBy::Payer };
        assert!(mandates::end(tx, M, mandate().id, &ended).await?);
        assert!(!mandates::end(tx, M, mandate().id, &Ended { at: at(212), ..ended.clone() }).await?);
        let after = Mandate { ended: Some(ended), ..accepted };
        assert!(mandates::newest(tx, M, Some(customer()), None, 10).await?.contains(&after));
        Ok(())
    });
    done.await.unwrap();
    assert!(verify(&store, &Options::default()).await.unwrap().is_clean());
    store.close().await.unwrap();
});

both_engines!(what_is_broken_around_saved_methods_is_named, async |db: TestDatabase| {
    let store = open(&db).await;
    store.write(async move |tx: &mut Tx| books::merchant(tx, MerchantId(2)).await).await.unwrap();
    let before = verify(&store, &Options::default()).await.unwrap();
    assert!(before.is_clean(), "{before:#?}");
    for (sql, undo, invariant, phrase) in [
        (
            "UPDATE payment_methods SET merchant_id = 2",
            "UPDATE payment_methods SET merchant_id = 1",
            22,
            "a saved method refers",
        ),
        (
            "UPDATE mandates SET merchant_id = 2",
            "UPDATE mandates SET merchant_id = 1",
            22,
            "a mandate refers",
        ),
        ("UPDATE setups SET merchant_id = 2", "UPDATE setups SET merchant_id = 1", 22, "a setup refers"),
        (
            "UPDATE payments SET payment_method_id = (SELECT id FROM contacts WHERE merchant_id = 1)",
            "UPDATE payments SET payment_method_id = NULL",
            22,
            "a payment refers to a saved method",
        ),
        (
            "INSERT INTO debit_cut_offs VALUES (1, 960)",
            "DELETE FROM debit_cut_offs",
            24,
            "no audit row says by whom",
        ),
        (
            "INSERT INTO debit_cut_offs VALUES (7, 960)",
            "DELETE FROM debit_cut_offs",
            22,
            "a merchant that does not exist",
        ),
    ] {
        tamper(&db, sql).await;
        let report = verify(&store, &Options::default()).await.unwrap();
        let named = report.findings.iter().any(|one| one.invariant == invariant && one.what.contains(phrase));
        assert!(named, "{sql}: {phrase} is not named in {report:#?}");
        tamper(&db, undo).await;
        assert!(verify(&store, &Options::default()).await.unwrap().is_clean(), "{sql}");
    }
    tamper(
        &db,
        "UPDATE payments SET state = 'created' WHERE state = 'processing' OR state = 'requires_action'",
    )
    .await;
    let report = verify(&store, &Options::default()).await.unwrap();
    let named = |one: &store::verify::Finding| one.what.contains("held for later");
    assert!(report.findings.iter().any(named), "{report:#?}");
    store.close().await.unwrap();
});
