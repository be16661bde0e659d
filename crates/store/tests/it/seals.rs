//! Sealing: what is sealed and when, two sealers at once, and which tampering shows with and without an anchor.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M, at, id, seal};
use crate::tamper::{loosen, tamper};
use billing::chart::{self, Processor};
use billing::ids::*;
use ledger::{Currency, Money};
use sha2::{Digest as _, Sha256};
use store::db::{Sql, Store, Tx};
use store::seals::{self, Chain, Head, Sealed};
use store::testing::TestDatabase;
use store::verify::{Options, VerifyReport, verify};
use store::{args, both_engines};

async fn head(store: &Store, chain: Chain) -> Head {
    let head = store.read(async move |tx: &mut Tx| seals::head(tx, M, chain).await).await.unwrap();
    head.expect("the chain has begun")
}

async fn look(store: &Store, anchors: &[Head]) -> VerifyReport {
    verify(store, &Options { anchors: anchors.to_vec() }).await.unwrap()
}

fn names(report: &VerifyReport, phrase: &str) {
    let named = report.findings.iter().any(|finding| finding.invariant == 4 && finding.what.contains(phrase));
    assert!(named, "{phrase} is not named in {report:#?}");
}

/// A fee that is booked in this minute.
async fn fee(store: &Store, minute: i64) {
    store
        .write(async move |tx: &mut Tx| {
            let fee = Money::new(7, Currency::USD);
            let posting = chart::processing_fee_charged(id!(PaymentId, 20), Processor::Stripe, fee)?;
            books::post(tx, minute, "processing_fee", &format!("txn-{minute}"), &posting, None).await
        })
        .await
        .unwrap();
}

both_engines!(everything_new_is_sealed_once, async |db: TestDatabase| {
    let store = books::open(&db).await;
    assert_eq!(seal(&store).await, Sealed::default(), "nothing is left");
    assert_eq!(
        (head(&store, Chain::Postings).await.number, head(&store, Chain::Audit).await.number),
        (books::POSTINGS, books::AUDIT_ROWS)
    );
    fee(&store, 200).await;
    fee(&store, 201).await;
    assert_eq!(look(&store, &[]).await.unsealed[0].count, 2);
    assert_eq!(seal(&store).await, Sealed { postings: 2, audit: 0, events: 0 });
    assert_eq!(head(&store, Chain::Postings).await.number, books::POSTINGS + 2);
    const FEED: Sql = Sql("SELECT id, feed_number FROM events WHERE merchant_id = 1 ORDER BY id");
    let feed =
        async move |tx: &mut Tx| tx.fetch_all(FEED, args![], |row| Ok((row.bytes16(0)?, row.i64(1)?))).await;
    let feed = store.read(feed).await.unwrap();
    assert_eq!(feed, [(*id!(EventId, 80).as_bytes(), 1), (*id!(EventId, 81).as_bytes(), 2)]);
    assert!(look(&store, &[]).await.is_clean());
    store.close().await.unwrap();
});

both_engines!(a_batch_has_a_limit, async |db: TestDatabase| {
    let store = books::open(&db).await;
    for minute in 200..205 {
        fee(&store, minute).await;
    }
    let mut sealed = Vec::new();
    loop {
        let one = store.write(async move |tx: &mut Tx| seals::seal_batch(tx, M, 2).await).await.unwrap();
        sealed.push(one.postings);
        if !one.is_full(2) {
            break;
        }
    }
    assert_eq!(sealed, [2, 2, 1]);
    assert!(look(&store, &[]).await.is_clean());
    store.write(async move |tx: &mut Tx| seals::seal_batch(tx, M, 0).await).await.unwrap_err();
    store.close().await.unwrap();
});

both_engines!(a_hash_is_what_the_contract_says, async |db: TestDatabase| {
    let store = db.open().await;
    store
        .write(async move |tx: &mut Tx| {
            books::merchant(tx, M).await?;
            books::people(tx).await?;
            books::invoice(tx, 10, "INV-10", "open", 500, (500, 0, 0)).await
        })
        .await
        .unwrap();
    seal(&store).await;
    let (posting, invoice) = (id!(PostingId, 110), books::partly_paid());
    let int = |value: i64| value.to_be_bytes().to_vec();
    let bytes = |bytes: &[u8]| [int(i64::try_from(bytes.len()).unwrap()), bytes.to_vec()].concat();
    let some = |value: &[u8]| [vec![1], bytes(value)].concat();
    let text = |text: &str| bytes(text.as_bytes());
    let revenue = [int(1), int(4000), text("credit"), int(500), vec![0], some(invoice.as_bytes())].concat();
    let receivable = [
        int(2),
        int(1100),
        text("debit"),
        int(500),
        some(books::customer().as_bytes()),
        some(invoice.as_bytes()),
    ]
    .concat();
    let all = [
        b"paydown seal 1".to_vec(),
        vec![0; 32],
        text("postings"),
        int(1),
        int(1),
        bytes(posting.as_bytes()),
        text("invoice_issued"),
        text(&invoice.to_string()),
        text("USD"),
        vec![0],
        int(at(110).as_microsecond()),
        int(2),
        revenue,
        receivable,
    ]
    .concat();
    assert_eq!(head(&store, Chain::Postings).await.hash, <[u8; 32]>::from(Sha256::digest(&all)));
    store.close().await.unwrap();
});

/// Everything of a chain without a seal, and how many pages were looked at.
async fn stragglers(store: &Store, chain: Chain, page: i64) -> (Vec<[u8; 16]>, usize) {
    let (mut ids, mut after, mut pages) = (Vec::new(), [0; 16], 0);
    loop {
        let look = async move |tx: &mut Tx| seals::find_stragglers(tx, M, chain, &after, page).await;
        let found = store.report(look).await.unwrap();
        ids.extend(found.ids);
        pages += 1;
        match found.next {
            Some(next) => after = next,
            None => return (ids, pages),
        }
    }
}

both_engines!(a_late_commit_is_sealed_too, async |db: TestDatabase| {
    let store = books::open(&db).await;
    fee(&store, 300).await;
    assert_eq!(seal(&store).await.postings, 1);
    fee(&store, 295).await; // made before the other, committed after it
    names(&look(&store, &[]).await, "has no seal");
    assert_eq!(seal(&store).await.postings, 1);
    fee(&store, 250).await; // later than a sealer reaches
    assert_eq!(seal(&store).await.postings, 0);
    names(&look(&store, &[]).await, "has no seal");
    let (found, pages) = stragglers(&store, Chain::Postings, 5).await;
    let all = usize::try_from(books::POSTINGS + 3).unwrap();
    assert_eq!((found.len(), pages), (1, all.div_ceil(5)), "pages of five");
    assert_eq!(stragglers(&store, Chain::Audit, 100).await, (vec![], 1));
    let ids = found.clone();
    let seal_them = async move |tx: &mut Tx| seals::seal_stragglers(tx, M, Chain::Postings, &ids).await;
    assert_eq!(store.write(seal_them).await.unwrap(), 1);
    let again = async move |tx: &mut Tx| seals::seal_stragglers(tx, M, Chain::Postings, &found).await;
    assert_eq!(store.write(again).await.unwrap(), 0, "it has its seal");
    assert!(look(&store, &[]).await.is_clean());
    store.close().await.unwrap();
});

both_engines!(sealers_at_once_make_one_chain, async |db: TestDatabase| {
    let store = books::open(&db).await;
    for round in 0..5 {
        for minute in 0..10 {
            fee(&store, 200 + round * 10 + minute).await;
        }
        let passes = (0..6).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { seal(&store).await.postings })
        });
        let sealed: Vec<usize> =
            futures::future::join_all(passes).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(sealed.iter().sum::<usize>(), 10, "{sealed:?}");
    }
    assert_eq!(head(&store, Chain::Postings).await.number, books::POSTINGS + 50);
    assert!(look(&store, &[]).await.is_clean());
    store.close().await.unwrap();
});

both_engines!(sealers_at_once_begin_one_chain, async |db: TestDatabase| {
    let store = books::open(&db).await;
    tamper(&db, "DELETE FROM seals; UPDATE events SET feed_number = NULL").await;
    let passes = (0..6).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { seal(&store).await })
    });
    let sealed: Vec<Sealed> =
        futures::future::join_all(passes).await.into_iter().map(Result::unwrap).collect();
    let sum = |part: fn(&Sealed) -> usize| sealed.iter().map(part).sum::<usize>();
    assert_eq!(
        (sum(|one| one.postings), sum(|one| one.audit), sum(|one| one.events)),
        (usize::try_from(books::POSTINGS).unwrap(), usize::try_from(books::AUDIT_ROWS).unwrap(), 2),
        "{sealed:?}"
    );
    assert!(look(&store, &[]).await.is_clean());
    store.close().await.unwrap();
});

/// What a tamperer does, which tables stand in the way, and what must be said of it.
const TAMPERINGS: &[(&[&str], &str, &str)] = &[
    (
        &[],
        "UPDATE entries SET amount = amount + 1 WHERE account IN (5100, 1200) AND amount = 1200",
        "changed",
    ),
    (&[], "UPDATE entries SET customer_id = NULL WHERE account = 1100", "changed"),
    (&[], "UPDATE entries SET line = line + 10 WHERE account = 5100", "changed"),
    (&[], "UPDATE postings SET cause_id = 'txn_2' WHERE cause_kind = 'processing_fee'", "changed"),
    (&[], "UPDATE audit SET after = 'null' WHERE act = 'policy.set'", "changed"),
    (
        &[],
        "DELETE FROM entries WHERE posting_id = (SELECT id FROM postings WHERE cause_kind = 'processing_fee'); \
         DELETE FROM postings WHERE cause_kind = 'processing_fee'",
        "gone",
    ),
    (&[], "DELETE FROM postings WHERE cause_kind = 'processing_fee'", "gone"),
    (&[], "DELETE FROM audit WHERE act = 'policy.set'", "gone"),
    (
        &["entries"],
        "UPDATE entries SET posting_id = CASE posting_id \
         WHEN (SELECT subject FROM seals WHERE chain = 'postings' AND number = 1) \
         THEN (SELECT subject FROM seals WHERE chain = 'postings' AND number = 2) \
         WHEN (SELECT subject FROM seals WHERE chain = 'postings' AND number = 2) \
         THEN (SELECT subject FROM seals WHERE chain = 'postings' AND number = 1) ELSE posting_id END",
        "changed",
    ),
    (
        &["seals"],
        "UPDATE seals SET number = 3 - number WHERE chain = 'postings' AND number IN (1, 2)",
        "continue",
    ),
    (&[], "DELETE FROM seals WHERE chain = 'postings' AND number = 1", "gap"),
    (&[], "DELETE FROM seals WHERE chain = 'audit' AND number = 2", "gap"),
    (
        &["seals"],
        "INSERT INTO seals SELECT merchant_id, chain, number + 1, subject, hash, previous_hash FROM seals \
        WHERE chain = 'postings' AND number = (SELECT MAX(number) FROM seals WHERE chain = 'postings')",
        "twice",
    ),
    (&[], "UPDATE seals SET previous_hash = hash WHERE number = 4", "continue"),
    (&[], "UPDATE seals SET hash = previous_hash WHERE chain = 'postings' AND number = 6", "changed"),
];

macro_rules! tamperings {
    ($($name:ident = $number:literal;)*) => {
        mod tampering {
            use super::*;
            $(both_engines!($name, async |db: TestDatabase| {
                let (loose, sql, phrase) = TAMPERINGS[$number];
                let store = books::open(&db).await;
                for table in loose {
                    loosen(&db, table).await;
                }
                assert!(look(&store, &[]).await.is_clean());
                tamper(&db, sql).await;
                names(&look(&store, &[]).await, phrase);
                store.close().await.unwrap();
            });)*
        }
    };
}

tamperings! {
    an_amount = 0;
    a_customer = 1;
    a_line = 2;
    a_cause = 3;
    an_audit_row = 4;
    a_posting_deleted = 5;
    a_posting_deleted_without_its_entries = 6;
    an_audit_row_deleted = 7;
    entries_swapped = 8;
    seals_swapped = 9;
    the_first_seal_deleted = 10;
    a_seal_deleted = 11;
    a_row_sealed_twice = 12;
    a_broken_link = 13;
    a_broken_hash = 14;
}

both_engines!(only_an_anchor_shows_a_cut_tail, async |db: TestDatabase| {
    let store = books::open(&db).await;
    let kept = [head(&store, Chain::Postings).await, head(&store, Chain::Audit).await];
    assert!(look(&store, &kept).await.is_clean());
    tamper(&db, "DELETE FROM seals WHERE number > 2").await;
    let report = look(&store, &[]).await;
    assert!(report.is_clean(), "{report:#?}");
    assert_eq!(
        report.unsealed.iter().map(|one| one.count).collect::<Vec<_>>(),
        [books::POSTINGS - 2, books::AUDIT_ROWS - 2]
    );
    let report = look(&store, &kept).await;
    names(&report, "whose head was kept");
    assert_eq!(report.findings[0].row_count, 2);
    store.close().await.unwrap();
});

both_engines!(only_an_anchor_shows_a_chain_written_anew, async |db: TestDatabase| {
    let store = books::open(&db).await;
    let kept = head(&store, Chain::Audit).await;
    tamper(&db, "UPDATE audit SET actor = 'cli:somebody'; DELETE FROM seals WHERE chain = 'audit'").await;
    assert_eq!(
        seal(&store).await,
        Sealed { postings: 0, audit: usize::try_from(books::AUDIT_ROWS).unwrap(), events: 0 }
    );
    assert!(look(&store, &[]).await.is_clean(), "it is a chain like any other");
    names(&look(&store, &[kept]).await, "whose head was kept");
    let elsewhere = Head { merchant_id: MerchantId(9), ..kept };
    names(&look(&store, &[elsewhere]).await, "whose head was kept");
    store.close().await.unwrap();
});

#[test]
fn a_head_reads_as_it_prints() {
    let head = Head { merchant_id: M, chain: Chain::Audit, number: 42, hash: [171; 32] };
    let text = head.to_string();
    assert_eq!(text, format!("mer_1/audit/42/{}", "ab".repeat(32)));
    assert_eq!(text.parse::<Head>().unwrap(), head);
    assert_eq!(format!(" {}\n", text.replace("abab", "ABab")).parse::<Head>().unwrap(), head);
    for wrong in
        ["", "mer_1/audit/42", "1/audit/42/ab", &text.replace("audit", "books"), &text[..text.len() - 2]]
    {
        assert!(wrong.parse::<Head>().is_err(), "{wrong}");
    }
}
