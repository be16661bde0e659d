//! The contracts of the nouns around the money: what is unique, what is guarded, who gets what when several ask.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

mod lists;
mod queues;

use crate::books::{self, M, at, contact, id, inbox_event, mail, overpaid, partly_paid};
use billing::ids::*;
use jiff::ToSpan as _;
use store::audit;
use store::both_engines;
use store::db::{Store, Tx};
use store::events::{self, Event};
use store::inbox::InboxState;
use store::links::{self, Link};
use store::mails;
use store::processor_accounts::{self, Mode, ProcessorAccount};
use store::rates::{self, Span};
use store::sessions::{self, Session};
use store::signins::{self, Signin, SigninId};
use store::testing::TestDatabase;

/// A merchant, its customer and contact, two invoices.
async fn open(db: &TestDatabase) -> Store {
    let store = db.open().await;
    store
        .write(async move |tx: &mut Tx| {
            books::merchant(tx, M).await?;
            books::merchant(tx, MerchantId(2)).await?;
            books::people(tx).await?;
            books::invoice(tx, 10, "INV-10", "open", 500, (500, 0, 0)).await?;
            books::invoice(tx, 11, "INV-11", "open", 500, (500, 0, 0)).await
        })
        .await
        .unwrap();
    store
}

fn link(minute: i64, token: u8) -> Link {
    Link {
        id: id!(LinkId, minute),
        invoice_id: partly_paid(),
        contact_id: Some(contact()),
        token_hash: [token; 32],
        created_at: at(minute),
        revoked_at: None,
    }
}

both_engines!(links_are_found_by_secret_and_revoked_once, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        assert!(links::insert(tx, M, &link(20, 1)).await?);
        assert!(links::insert(tx, M, &link(21, 2)).await?);
        assert!(!links::insert(tx, M, &link(22, 2)).await?, "the secret is there already");
        assert!(!links::insert(tx, M, &link(20, 3)).await?, "the id is there already");
        assert_eq!(links::find_by_token_hash(tx, M, &[1; 32]).await?, Some(link(20, 1)));
        assert_eq!(links::find_by_token_hash(tx, M, &[9; 32]).await?, None);
        assert_eq!(links::find_by_token_hash(tx, MerchantId(2), &[1; 32]).await?, None, "another merchant's");
        assert_eq!(links::list_by_invoice(tx, M, partly_paid()).await?, [link(20, 1), link(21, 2)]);
        assert_eq!(links::list_by_invoice(tx, M, overpaid()).await?, []);
        assert!(links::revoke(tx, M, id!(LinkId, 20), at(30)).await?);
        assert!(!links::revoke(tx, M, id!(LinkId, 20), at(31)).await?);
        assert!(!links::revoke(tx, M, id!(LinkId, 29), at(31)).await?);
        assert_eq!(links::revoke_all(tx, M, partly_paid(), at(32)).await?, 1, "the other one");
        let first = links::find(tx, M, id!(LinkId, 20)).await?.expect("it is there");
        assert_eq!(first.revoked_at, Some(at(30)), "the first time stays");
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

fn session(token: u8, contact_id: Option<ContactId>) -> Session {
    Session {
        token_hash: [token; 32],
        contact_id,
        email_key: contact_id.map(|_| "ada@globex.example".into()),
        created_at: at(0),
        seen_at: at(0),
        expires_at: at(100),
    }
}

both_engines!(sessions_live_until_they_expire, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        sessions::insert(tx, M, &session(1, None)).await?;
        assert_eq!(sessions::find_live(tx, M, &[1; 32], at(99)).await?, Some(session(1, None)));
        assert_eq!(sessions::find_live(tx, M, &[1; 32], at(100)).await?, None);
        assert_eq!(sessions::find_live(tx, MerchantId(2), &[1; 32], at(1)).await?, None);
        assert!(!sessions::touch(tx, M, &[1; 32], at(1)).await?, "a minute is not more than a minute");
        assert!(!session(1, None).is_touch_due(at(1)));
        let later = at(1) + 1.microsecond();
        assert!(session(1, None).is_touch_due(later));
        assert!(sessions::touch(tx, M, &[1; 32], later).await?);
        assert!(!sessions::touch(tx, M, &[1; 32], later).await?);
        let seen = sessions::find_live(tx, M, &[1; 32], at(2)).await?.expect("it lives");
        assert_eq!(seen.seen_at, later);
        sessions::insert(tx, M, &Session { expires_at: at(200), ..session(2, None) }).await?;
        assert_eq!(sessions::sweep(tx, at(100)).await?, 1);
        assert!(sessions::find_live(tx, M, &[2; 32], at(100)).await?.is_some());
        assert!(sessions::delete(tx, M, &[2; 32]).await?);
        assert!(!sessions::delete(tx, M, &[2; 32]).await?);
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(signing_in_takes_the_links_along, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        links::insert(tx, M, &link(20, 1)).await?;
        links::insert(tx, M, &Link { invoice_id: overpaid(), ..link(21, 2) }).await?;
        links::insert(tx, M, &link(22, 3)).await?;
        sessions::insert(tx, M, &session(1, None)).await?;
        sessions::add_grant(tx, M, &[1; 32], partly_paid(), id!(LinkId, 20), at(1)).await?;
        sessions::add_grant(tx, M, &[1; 32], overpaid(), id!(LinkId, 21), at(2)).await?;
        sessions::add_grant(tx, M, &[1; 32], partly_paid(), id!(LinkId, 22), at(3)).await?;
        assert!(sessions::touch_grant(tx, M, &[1; 32], overpaid(), at(4)).await?);
        assert!(!sessions::touch_grant(tx, M, &[1; 32], overpaid(), at(4)).await?);
        sessions::sign_in(tx, M, Some(&[1; 32]), &session(2, Some(contact()))).await?;
        assert_eq!(
            sessions::find_live(tx, M, &[1; 32], at(5)).await?,
            None,
            "the old token is worth nothing"
        );
        assert_eq!(sessions::list_grants(tx, M, &[1; 32]).await?, []);
        links::revoke(tx, M, id!(LinkId, 22), at(6)).await?;
        let grants = sessions::list_grants(tx, M, &[2; 32]).await?;
        let seen: Vec<_> =
            grants.iter().map(|one| (one.invoice_id, one.link_id, one.seen_at, one.revoked_at)).collect();
        assert_eq!(
            seen,
            [
                (overpaid(), id!(LinkId, 21), at(4), None),
                (partly_paid(), id!(LinkId, 22), at(3), Some(at(6))),
            ]
        );
        assert_eq!(grants[0].contact_id, Some(contact()));
        assert_eq!(sessions::find_grant(tx, M, &[2; 32], overpaid()).await?.as_ref(), grants.first());
        assert_eq!(sessions::find_grant(tx, M, &[2; 32], books::voided()).await?, None);
        sessions::sign_in(tx, M, None, &session(3, Some(contact()))).await?;
        assert_eq!(sessions::list_grants(tx, M, &[3; 32]).await?, []);
        assert!(sessions::sign_in(tx, M, Some(&[2; 32]), &session(4, None)).await.is_ok());
        Ok(())
    };
    store.write(steps).await.unwrap();
    let same = async move |tx: &mut Tx| sessions::sign_in(tx, M, Some(&[4; 32]), &session(4, None)).await;
    store.write(same).await.unwrap_err();
    store.close().await.unwrap();
});

both_engines!(a_session_acts_for_contacts_of_its_address_only, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        let (same, other) = (id!(ContactId, 30), id!(ContactId, 31));
        books::customer_named(tx, 3, "Initech").await?;
        books::person_of(tx, id!(CustomerId, 3), same, "ada@globex.example").await?;
        books::person(tx, other, "bob@globex.example").await?;
        sessions::insert(tx, M, &session(1, Some(contact()))).await?;
        assert!(sessions::choose_contact(tx, M, &[1; 32], same).await?);
        assert!(!sessions::choose_contact(tx, M, &[1; 32], other).await?);
        let chosen = sessions::find_live(tx, M, &[1; 32], at(1)).await?.expect("it lives");
        assert_eq!(chosen.contact_id, Some(same));
        sessions::insert(tx, M, &session(2, None)).await?;
        assert!(!sessions::choose_contact(tx, M, &[2; 32], same).await?, "nobody has signed in");
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

fn signin(minute: i64, browser: u8, email: &str) -> Signin {
    Signin {
        id: SigninId::new(at(minute), books::random(minute)),
        email_key: email.into(),
        browser_hash: [browser; 32],
        code_hash: [2; 32],
        link_hash: [browser + 100; 32],
        tries_left: 2,
        created_at: at(minute),
        ended_at: None,
    }
}

both_engines!(a_new_sign_in_voids_the_older_ones, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        let (first, second) = (signin(1, 1, "ada"), signin(2, 2, "ada"));
        let others = signin(3, 1, "bob");
        for one in [&first, &second, &others] {
            signins::insert(tx, M, one).await?;
        }
        let voided = Signin { ended_at: Some(at(2)), ..first.clone() };
        assert_eq!(signins::find(tx, M, first.id).await?, Some(voided.clone()));
        assert_eq!(
            signins::latest_by_browser(tx, M, &[1; 32]).await?,
            Some(others.clone()),
            "the last of the two"
        );
        assert_eq!(signins::latest_by_browser(tx, M, &[2; 32]).await?, Some(second.clone()));
        assert_eq!(signins::latest_by_browser(tx, M, &[3; 32]).await?, None);
        assert_eq!(signins::latest_by_link(tx, M, &second.link_hash).await?, Some(second.clone()));
        assert_eq!(signins::latest_by_link(tx, MerchantId(2), &second.link_hash).await?, None);
        assert_eq!(signins::take_try(tx, M, first.id).await?, None, "it is void");
        assert_eq!(signins::take_try(tx, M, second.id).await?, Some(1));
        assert_eq!(signins::take_try(tx, M, second.id).await?, Some(0));
        assert_eq!(signins::take_try(tx, M, second.id).await?, None, "no more tries");
        assert!(signins::end(tx, M, second.id, at(4)).await?);
        assert!(!signins::end(tx, M, second.id, at(5)).await?);
        assert!(signins::end(tx, M, others.id, at(4)).await?);
        assert_eq!(signins::take_try(tx, M, others.id).await?, None, "it has ended");
        assert_eq!(signins::sweep(tx, at(3)).await?, 2);
        assert!(signins::find(tx, M, others.id).await?.is_some());
        assert!(first.id < second.id && SigninId::from_bytes(*first.id.as_bytes()) == first.id);
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(tries_and_ends_are_shared_among_racers, async |db: TestDatabase| {
    let store = open(&db).await;
    let one = Signin { tries_left: 5, ..signin(1, 1, "ada") };
    let (id, new) = (one.id, one.clone());
    store.write(async move |tx: &mut Tx| signins::insert(tx, M, &new).await).await.unwrap();
    let tries = (0..12).map(|_| store.write(async move |tx: &mut Tx| signins::take_try(tx, M, id).await));
    let mut left: Vec<i64> =
        futures::future::try_join_all(tries).await.unwrap().into_iter().flatten().collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4], "five tries, each taken once");
    let ends = (0..6).map(|_| store.write(async move |tx: &mut Tx| signins::end(tx, M, id, at(2)).await));
    let ends = futures::future::try_join_all(ends).await.unwrap();
    assert_eq!(ends.iter().filter(|ended| **ended).count(), 1);
    store.close().await.unwrap();
});

fn span(count: i64, minutes: Option<(i64, i64)>) -> Span {
    Span { count, first: minutes.map(|(first, _)| at(first)), last: minutes.map(|(_, last)| at(last)) }
}

both_engines!(rates_count_by_window, async |db: TestDatabase| {
    let store = open(&db).await;
    let counts =
        (0..10).map(|_| store.write(async move |tx: &mut Tx| rates::count(tx, M, "ip", "a", at(0)).await));
    let mut counts = futures::future::try_join_all(counts).await.unwrap();
    counts.sort_unstable();
    assert_eq!(counts, (1..=10).collect::<Vec<i64>>());
    let steps = async move |tx: &mut Tx| {
        assert_eq!(rates::span(tx, M, "ip", "a", at(0)).await?, span(10, Some((0, 0))));
        for (merchant, scope, key, window) in [
            (M, "ip", "b", at(0)),
            (M, "mail", "a", at(0)),
            (MerchantId(2), "ip", "a", at(0)),
            (M, "ip", "a", at(5)),
        ] {
            assert_eq!(rates::span(tx, merchant, scope, key, window).await?, span(0, None));
            assert_eq!(rates::count(tx, merchant, scope, key, window).await?, 1);
        }
        assert_eq!(rates::span(tx, M, "ip", "a", at(0)).await?, span(11, Some((0, 5))));
        assert_eq!(rates::span(tx, M, "ip", "a", at(1)).await?, span(1, Some((5, 5))));
        assert_eq!(rates::span(tx, M, "ip", "a", at(6)).await?, span(0, None));
        assert_eq!(rates::sweep(tx, at(5)).await?, 4);
        assert_eq!(rates::span(tx, M, "ip", "a", at(0)).await?, span(1, Some((5, 5))));
        rates::take_back(tx, M, "ip", "a", at(5)).await?;
        rates::take_back(tx, M, "ip", "a", at(5)).await?;
        assert_eq!(rates::span(tx, M, "ip", "a", at(0)).await?, span(0, None), "never below nothing");
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(events_are_listed_newest_first_and_numbered_once, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        let event = |minute: i64| Event {
            id: id!(EventId, minute),
            kind: "invoice.sent".into(),
            invoice_id: Some(partly_paid()),
            payment_id: None,
            data: r#"{"to":"ada"}"#.into(),
            at: at(minute),
            feed_number: None,
        };
        for minute in [1, 2, 3] {
            events::append(tx, M, &event(minute)).await?;
        }
        assert_eq!(events::list_by_invoice(tx, M, partly_paid(), 2).await?, [event(3), event(2)]);
        assert_eq!(events::list_by_invoice(tx, M, overpaid(), 2).await?, []);
        assert_eq!(events::list_unnumbered(tx, M, 2).await?, [event(1).id, event(2).id]);
        assert_eq!(events::last_feed_number(tx, M).await?, 0);
        assert!(events::set_feed_number(tx, M, event(2).id, 1).await?);
        assert!(!events::set_feed_number(tx, M, event(2).id, 2).await?, "it keeps its number");
        assert_eq!(events::list_unnumbered(tx, M, 9).await?, [event(1).id, event(3).id]);
        assert_eq!(events::last_feed_number(tx, M).await?, 1);
        Ok(())
    };
    store.write(steps).await.unwrap();
    let taken = async move |tx: &mut Tx| events::set_feed_number(tx, M, id!(EventId, 3), 1).await;
    store.write(taken).await.unwrap_err();
    store.close().await.unwrap();
});

both_engines!(the_audit_trail_is_read_by_object, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        books::act(tx, 1, "invoice.send", "inv_1").await?;
        books::act(tx, 2, "invoice.void", "inv_1").await?;
        books::act(tx, 3, "invoice.void", "inv_2").await?;
        let list = audit::list_by_object(tx, M, "inv_1", 9).await?;
        assert_eq!(
            list.iter().map(|row| (&*row.act, row.at)).collect::<Vec<_>>(),
            [("invoice.void", at(2)), ("invoice.send", at(1)),]
        );
        assert_eq!((&*list[0].actor, &*list[0].before, &*list[0].after), ("cli:ops", "null", "{}"));
        assert_eq!(audit::list_by_object(tx, M, "inv_1", 1).await?.len(), 1);
        assert!(audit::exists(tx, M, "inv_2", "invoice.void").await?);
        assert!(!audit::exists(tx, M, "inv_2", "invoice.send").await?);
        assert!(!audit::exists(tx, MerchantId(2), "inv_2", "invoice.void").await?);
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.write(async move |tx: &mut Tx| books::act(tx, 4, "", "inv_1").await).await.unwrap_err();
    store.close().await.unwrap();
});

both_engines!(a_processor_is_connected_and_polled_forward, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        let account = |merchant_id, key: u8| ProcessorAccount {
            merchant_id,
            processor: "stripe".into(),
            mode: Mode::Test,
            base_url: "https://processor.example".into(),
            account: "acct_1".into(),
            secret_key: vec![key; 40],
            webhook_secret: Some(vec![2, 3]),
            webhook_secret_before: None,
            polled_to: at(1),
            connected_at: at(0),
        };
        processor_accounts::upsert(tx, &account(M, 1)).await?;
        processor_accounts::upsert(tx, &account(MerchantId(2), 2)).await?;
        assert_eq!(processor_accounts::find(tx, M, "stripe").await?, Some(account(M, 1)));
        assert_eq!(processor_accounts::find(tx, M, "other").await?, None);
        assert!(processor_accounts::set_polled_to(tx, M, "stripe", at(90), at(90)).await?);
        assert!(!processor_accounts::set_polled_to(tx, M, "stripe", at(8), at(95)).await?, "never back");
        let back = processor_accounts::set_polled_to(tx, M, "stripe", at(9), at(10)).await?;
        assert!(back, "but from a time that has not come");
        processor_accounts::upsert(tx, &account(M, 7)).await?;
        let renewed = ProcessorAccount { polled_to: at(9), ..account(M, 7) };
        assert_eq!(processor_accounts::list(tx).await?, [renewed, account(MerchantId(2), 2)]);
        let rolled =
            ProcessorAccount { webhook_secret_before: Some(vec![9]), connected_at: at(5), ..account(M, 7) };
        processor_accounts::upsert(tx, &rolled).await?;
        assert_eq!(processor_accounts::end_secrets_before(tx, at(4)).await?, 0);
        assert_eq!(processor_accounts::end_secrets_before(tx, at(5)).await?, 1);
        let ended = processor_accounts::find(tx, M, "stripe").await?.expect("it is connected");
        assert_eq!(ended.webhook_secret_before, None);
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

#[test]
fn words_read_as_they_are_written() {
    for state in [InboxState::Stored, InboxState::Applied, InboxState::Parked, InboxState::Ignored] {
        assert_eq!(InboxState::parse(state.as_str()), Some(state));
    }
    for mode in [Mode::Practice, Mode::Test, Mode::Live] {
        assert_eq!(Mode::parse(mode.as_str()), Some(mode));
    }
    use mails::MailKind::{self, Code, Failed, Invoice, Received};
    for kind in [Invoice, Code, Received, Failed] {
        assert_eq!(MailKind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!((InboxState::parse("?"), Mode::parse("?"), MailKind::parse("?")), (None, None, None));
}
