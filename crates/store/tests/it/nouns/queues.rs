//! Queues: mails, the inbox, jobs. What is claimed is one claimer's, until its lease ends.

use super::*;
use anyhow::Result;
use jiff::Timestamp;
use std::sync::Arc;
use store::anomalies::{self, Anomaly, Closing};
use store::db::Engine;
use store::jobs::{self, Job};
use store::mails::{self, MailState};
use store::{idempotency, inbox};
use tokio::sync::Notify;

both_engines!(a_mail_is_queued_once_for_its_cause, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        links::insert(tx, M, &link(40, 1)).await?;
        assert!(mails::queue(tx, M, &mail(50, "ada@x")).await?);
        assert!(!mails::queue(tx, M, &mail(51, "ada@x")).await?);
        assert!(mails::queue(tx, M, &mail(52, "bob@x")).await?);
        assert_eq!(mails::next_due_at(tx).await?, Some(at(50)));
        let claimed = mails::claim_due(tx, at(60), at(70), 10).await?;
        assert_eq!(
            claimed.iter().map(|one| one.about.clone()).collect::<Vec<_>>(),
            [mail(50, "ada@x"), mail(52, "bob@x")]
        );
        assert!(claimed.iter().all(|one| (one.tries, one.next_at) == (1, at(70))), "{claimed:?}");
        assert_eq!(mails::claim_due(tx, at(69), at(80), 10).await?, [], "leased");
        assert!(mails::mark_sent(tx, M, claimed[0].about.id, at(61)).await?);
        assert!(!mails::mark_sent(tx, M, claimed[0].about.id, at(62)).await?);
        assert!(mails::mark_failed(tx, &claimed[1], at(90), "no route").await?);
        let failed = mails::find(tx, M, claimed[1].about.id).await?.expect("it is there");
        assert_eq!(
            (failed.state, failed.next_at, failed.last_error.as_deref()),
            (MailState::Queued, at(90), Some("no route"))
        );
        let again = mails::claim_due(tx, at(90), at(99), 10).await?;
        assert_eq!((again.len(), again[0].tries), (1, 2));
        assert!(!mails::mark_failed(tx, &claimed[1], at(91), "late").await?, "somebody else has it now");
        assert!(mails::drop(tx, M, again[0].about.id, "the invoice is void").await?);
        assert!(!mails::drop(tx, M, again[0].about.id, "again").await?);
        assert!(!mails::mark_failed(tx, &again[0], at(95), "late").await?, "it was dropped");
        let list = mails::list_by_invoice(tx, M, partly_paid()).await?;
        assert_eq!(
            list.iter().map(|one| one.state).collect::<Vec<_>>(),
            [MailState::Dropped, MailState::Sent]
        );
        assert_eq!((list[1].sent_at, list[1].last_error.as_deref()), (Some(at(61)), None));
        assert_eq!(mails::list_by_invoice(tx, M, overpaid()).await?, []);
        assert_eq!(mails::next_due_at(tx).await?, None);
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(an_event_is_stored_once_and_settled_once, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        for (event, minute) in [("evt_1", 1), ("evt_2", 2), ("evt_3", 3), ("evt_4", 4)] {
            assert!(inbox::store(tx, M, &inbox_event(event, at(minute))).await?);
            assert!(!inbox::store(tx, M, &inbox_event(event, at(9))).await?);
        }
        assert!(inbox::store(tx, MerchantId(2), &inbox_event("evt_1", at(5))).await?, "another merchant's");
        assert_eq!((inbox::count_waiting(tx).await?, inbox::next_due_at(tx).await?), (5, Some(at(1))));
        let claimed = inbox::claim_due(tx, M, at(4), at(20), 3).await?;
        let names: Vec<&str> = claimed.iter().map(|one| &*one.event.event_id).collect();
        assert_eq!(names, ["evt_1", "evt_2", "evt_3"], "the oldest first, no more than asked");
        assert_eq!(claimed[0].event, inbox_event("evt_1", at(1)));
        assert!(inbox::mark_applied(tx, &claimed[0]).await?);
        assert!(!inbox::mark_parked(tx, &claimed[0], "late").await?);
        assert!(inbox::mark_parked(tx, &claimed[1], "no such session").await?);
        assert!(inbox::mark_failed(tx, &claimed[2], at(30), "timeout").await?);
        let rest = inbox::claim_due(tx, M, at(29), at(40), 10).await?;
        assert_eq!(rest.iter().map(|one| &*one.event.event_id).collect::<Vec<_>>(), ["evt_4"]);
        assert_eq!(inbox::merchants_due(tx, at(29)).await?, [MerchantId(2)]);
        let theirs = inbox::claim_due(tx, MerchantId(2), at(29), at(40), 10).await?;
        assert_eq!(theirs.iter().map(|one| one.merchant_id).collect::<Vec<_>>(), [MerchantId(2)]);
        assert!(inbox::mark_ignored(tx, &rest[0]).await?);
        let again = inbox::claim_due(tx, M, at(30), at(40), 10).await?;
        assert_eq!((again.len(), again[0].tries, again[0].last_error.as_deref()), (1, 2, Some("timeout")));
        assert!(!inbox::mark_failed(tx, &claimed[2], at(50), "late").await?, "somebody else has it now");
        let mut states = Vec::new();
        for event in ["evt_1", "evt_2", "evt_3", "evt_4"] {
            let found = inbox::find(tx, M, "stripe", event).await?.expect("it is there");
            states.push((found.state, found.last_error));
        }
        assert_eq!(
            states,
            [
                (InboxState::Applied, None),
                (InboxState::Parked, Some("no such session".into())),
                (InboxState::Stored, Some("timeout".into())),
                (InboxState::Ignored, None),
            ]
        );
        assert_eq!(inbox::find(tx, M, "stripe", "evt_9").await?, None);
        assert_eq!(inbox::count_waiting(tx).await?, 2);
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

async fn ask(tx: &mut Tx, minute: i64, subject: &str, run_at: Timestamp) -> Result<()> {
    jobs::enqueue(tx, M, id!(JobId, minute), "reconcile", subject, run_at, at(0)).await
}

async fn due(tx: &mut Tx, now: Timestamp, leased_until: Timestamp) -> Result<Vec<Job>> {
    jobs::claim_due(tx, M, now, leased_until, 10).await
}

both_engines!(the_earliest_wish_for_a_job_wins, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        ask(tx, 1, "pay_1", at(10)).await?;
        ask(tx, 2, "pay_1", at(20)).await?;
        assert_eq!(jobs::find(tx, M, "reconcile", "pay_1").await?.map(|job| job.run_at), Some(at(10)));
        ask(tx, 3, "pay_1", at(5)).await?;
        ask(tx, 4, "pay_2", at(7)).await?;
        assert_eq!((jobs::count(tx).await?, jobs::next_due_at(tx).await?), (2, Some(at(5))));
        assert_eq!(due(tx, at(4), at(30)).await?, []);
        let claimed = due(tx, at(7), at(30)).await?;
        assert_eq!(claimed.iter().map(|job| &*job.subject).collect::<Vec<_>>(), ["pay_1", "pay_2"]);
        assert_eq!((claimed[0].id, claimed[0].tries, claimed[0].leased_until), (id!(JobId, 1), 1, at(30)));
        assert_eq!(due(tx, at(29), at(40)).await?, [], "leased");
        assert!(jobs::finish(tx, &claimed[0]).await?);
        assert_eq!(jobs::find(tx, M, "reconcile", "pay_1").await?, None);
        assert!(jobs::retry_at(tx, &claimed[1], at(50), Some("timeout")).await?);
        let waiting = jobs::find(tx, M, "reconcile", "pay_2").await?.expect("it is there");
        assert_eq!(
            (waiting.run_at, waiting.tries, waiting.last_error.as_deref()),
            (at(50), 1, Some("timeout"))
        );
        assert_eq!(due(tx, at(49), at(60)).await?, []);
        assert_eq!(due(tx, at(50), at(60)).await?[0].tries, 2);
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(a_job_that_is_wanted_while_it_runs_runs_again, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        for (minute, wish, runs_by) in [(1, at(6), at(6)), (2, at(500), at(30))] {
            ask(tx, minute, "pay_1", at(5)).await?;
            let running = due(tx, at(5), at(30)).await?.remove(0);
            ask(tx, minute, "pay_1", wish).await?;
            assert_eq!(due(tx, at(29), at(40)).await?, [], "it still runs");
            assert!(!jobs::finish(tx, &running).await?, "it was asked for meanwhile");
            let again = due(tx, runs_by, at(60)).await?.remove(0);
            assert_eq!(again.tries, 1, "a new run");
            assert!(jobs::finish(tx, &again).await?);
        }
        ask(tx, 3, "pay_1", at(5)).await?;
        let running = due(tx, at(5), at(30)).await?.remove(0);
        ask(tx, 4, "pay_1", at(7)).await?;
        assert!(jobs::retry_at(tx, &running, at(90), None).await?);
        assert_eq!(jobs::next_due_at(tx).await?, Some(at(7)), "the earlier of the two");
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(a_lease_that_ended_is_nobodys, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        ask(tx, 1, "pay_1", at(5)).await?;
        let lost = due(tx, at(5), at(30)).await?.remove(0);
        let mine = due(tx, at(30), at(60)).await?.remove(0);
        assert_eq!((mine.id, mine.tries), (lost.id, 2));
        assert!(!jobs::finish(tx, &lost).await?);
        assert!(!jobs::retry_at(tx, &lost, at(31), None).await?);
        assert_eq!(due(tx, at(59), at(70)).await?, [], "whoever lost it changes nothing");
        assert!(jobs::finish(tx, &mine).await?);
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(what_a_clock_that_ran_ahead_left_is_due_again, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        links::insert(tx, M, &link(40, 1)).await?;
        ask(tx, 1, "pay_leased", at(5)).await?;
        due(tx, at(5), at(5_000)).await?;
        ask(tx, 2, "pay_waits", at(6_000)).await?;
        ask(tx, 3, "pay_soon", at(90)).await?;
        inbox::store(tx, M, &inbox_event("evt_1", at(1))).await?;
        inbox::claim_due(tx, M, at(1), at(5_000), 1).await?;
        mails::queue(tx, M, &mail(50, "ada@x")).await?;
        mails::claim_due(tx, at(50), at(5_000), 1).await?;
        assert_eq!(jobs::merchants_due(tx, at(60)).await?, []);
        assert_eq!(jobs::release_beyond(tx, at(60), at(62), at(1_000)).await?, 2);
        assert_eq!(inbox::release_beyond(tx, at(60), at(1_000)).await?, 1);
        assert_eq!(mails::release_beyond(tx, at(60), at(1_000)).await?, 1);
        assert_eq!(jobs::merchants_due(tx, at(60)).await?, [M]);
        let jobs = due(tx, at(60), at(62)).await?;
        let mut subjects: Vec<&str> = jobs.iter().map(|job| &*job.subject).collect();
        subjects.sort_unstable();
        assert_eq!(subjects, ["pay_leased", "pay_waits"]);
        assert_eq!(inbox::claim_due(tx, M, at(60), at(62), 9).await?.len(), 1);
        assert_eq!(mails::claim_due(tx, at(60), at(62), 9).await?.len(), 1);
        assert_eq!(jobs::release_beyond(tx, at(60), at(62), at(1_000)).await?, 0, "leases that may be");
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(a_run_that_goes_well_forgets_the_tries_before_it, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        ask(tx, 1, "pay_1", at(1)).await?;
        for tries in 1..=3 {
            let job = due(tx, at(tries * 10), at(tries * 10 + 5)).await?.remove(0);
            assert_eq!(job.tries, tries);
            jobs::retry_at(tx, &job, at(tries * 10 + 10), Some("no route")).await?;
        }
        let job = due(tx, at(40), at(45)).await?.remove(0);
        jobs::retry_at(tx, &job, at(50), None).await?;
        assert_eq!(due(tx, at(50), at(55)).await?.remove(0).tries, 1);
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(old_bodies_are_emptied_and_old_keys_forgotten, async |db: TestDatabase| {
    let store = open(&db).await;
    let steps = async move |tx: &mut Tx| {
        for (event, minute) in [("evt_1", 1), ("evt_2", 2), ("evt_3", 3), ("evt_4", 40)] {
            inbox::store(tx, M, &inbox_event(event, at(minute))).await?;
            assert!(inbox::is_known(tx, M, "stripe", event).await?);
        }
        assert!(!inbox::is_known(tx, M, "stripe", "evt_9").await?);
        let claimed = inbox::claim_due(tx, M, at(50), at(60), 9).await?;
        for (position, event) in claimed.iter().enumerate() {
            match position {
                1 => inbox::mark_parked(tx, event, "no such session").await?,
                _ => inbox::mark_applied(tx, event).await?,
            };
        }
        let old = inbox::list_old_raw(tx, at(30), 10).await?;
        inbox::empty_raw(tx, &old).await?;
        let mut bodies = Vec::new();
        for event in ["evt_1", "evt_2", "evt_3", "evt_4"] {
            bodies.push(inbox::find(tx, M, "stripe", event).await?.expect("it stays").event.raw.is_empty());
        }
        assert_eq!(bodies, [true, false, true, false], "what is parked or young keeps its body");
        assert_eq!(inbox::list_old_raw(tx, at(30), 10).await?, []);
        let key = |key| idempotency::Key { owner: "portal", route: "start_payment", key };
        let done = idempotency::Done { request_hash: [1; 32], resource: "pay_1".to_owned() };
        idempotency::insert(tx, M, key("old"), &done, at(1)).await?;
        idempotency::insert(tx, M, key("new"), &done, at(31)).await?;
        let old = idempotency::list_old(tx, at(30), 10).await?;
        assert_eq!(old.len(), 1);
        idempotency::delete(tx, &old).await?;
        assert_eq!(idempotency::find(tx, M, key("old")).await?, None);
        assert_eq!(idempotency::find(tx, M, key("new")).await?, Some(done));
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});

both_engines!(claimers_at_once_share_what_is_due, async |db: TestDatabase| {
    let store = open(&db).await;
    let fill = async move |tx: &mut Tx| {
        links::insert(tx, M, &link(40, 1)).await?;
        for minute in 1..=20 {
            ask(tx, minute, &format!("pay_{minute}"), at(minute)).await?;
            inbox::store(tx, M, &inbox_event(&format!("evt_{minute}"), at(minute))).await?;
            mails::queue(tx, M, &mail(minute, &format!("{minute}@x"))).await?;
        }
        Ok(())
    };
    store.write(fill).await.unwrap();
    let claims = (0..8).map(|_| {
        store.write(async move |tx: &mut Tx| {
            let jobs = jobs::claim_due(tx, M, at(50), at(60), 4).await?.into_iter().map(|one| one.subject);
            let events =
                inbox::claim_due(tx, M, at(50), at(60), 4).await?.into_iter().map(|one| one.event.event_id);
            let mails =
                mails::claim_due(tx, at(50), at(60), 4).await?.into_iter().map(|one| one.about.recipient);
            Ok([jobs.collect::<Vec<_>>(), events.collect(), mails.collect()])
        })
    });
    let claims = futures::future::try_join_all(claims).await.unwrap();
    for kind in 0..3 {
        let mut all: Vec<&String> = claims.iter().flat_map(|one| &one[kind]).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(count, all.len(), "nothing is claimed twice: {claims:?}");
        assert!(count >= 16, "{claims:?}");
    }
    store.close().await.unwrap();
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claimer_does_not_wait_for_another() {
    let db = TestDatabase::postgres().await;
    let store = open(&db).await;
    assert_eq!(store.engine(), Engine::Postgres, "on SQLite one write follows the other");
    let fill = async move |tx: &mut Tx| {
        ask(tx, 1, "pay_1", at(1)).await?;
        ask(tx, 2, "pay_2", at(2)).await
    };
    store.write(fill).await.unwrap();
    let (tell, mut claimed) = tokio::sync::mpsc::unbounded_channel();
    let go = Arc::new(Notify::new());
    let (first, gone) = (store.clone(), Arc::clone(&go));
    let holding = tokio::spawn(async move {
        first
            .write(async move |tx: &mut Tx| {
                let mine = jobs::claim_due(tx, M, at(5), at(30), 1).await?;
                tell.send(mine)?;
                gone.notified().await; // the transaction stays open while the other one claims
                Ok(())
            })
            .await
    });
    let mine = claimed.recv().await.unwrap();
    let theirs =
        store.write(async move |tx: &mut Tx| jobs::claim_due(tx, M, at(5), at(30), 5).await).await.unwrap();
    go.notify_one();
    holding.await.unwrap().unwrap();
    assert_eq!((&*mine[0].subject, &*theirs[0].subject, mine.len(), theirs.len()), ("pay_1", "pay_2", 1, 1));
    store.close().await.unwrap();
}

both_engines!(the_same_anomaly_is_added_once_by_whoever_comes_first, async |db: TestDatabase| {
    let store = open(&db).await;
    let told = (0..8u8).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let anomaly = Anomaly {
                id: id!(AnomalyId, 60 + i64::from(number)),
                kind: "refund_not_booked".into(),
                payment_id: None,
                detail: "ch_1".into(),
                at: at(i64::from(number)),
            };
            store.write(async move |tx: &mut Tx| anomalies::insert_once(tx, M, &anomaly).await).await.unwrap()
        })
    });
    let added = futures::future::join_all(told).await;
    assert_eq!(added.into_iter().filter(|added| *added.as_ref().unwrap()).count(), 1);
    let there = store.read(async |tx: &mut Tx| anomalies::list(tx, M, 10).await).await.unwrap();
    assert_eq!(there.len(), 1);
    let (first, again) = (there[0].id, Anomaly { id: id!(AnomalyId, 70), ..there[0].clone() });
    let closing = Closing { actor: "cli:ada".into(), note: "booked by hand".into(), at: at(71) };
    let steps = async move |tx: &mut Tx| {
        assert!(anomalies::close(tx, M, first, &closing).await?);
        assert!(
            anomalies::insert_once(tx, M, &again).await?,
            "what was closed and is still so is said again"
        );
        Ok(())
    };
    store.write(steps).await.unwrap();
    store.close().await.unwrap();
});
