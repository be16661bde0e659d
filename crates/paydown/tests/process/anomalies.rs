//! What a person has to look at is listed, shown, and closed with a word about what came of it; `doctor` and the figures
//! count what is open, and the record stays.

use crate::place::{MERCHANT, Place};
use crate::program::until;
use billing::ids::AnomalyId;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::testing::TestDatabase;

fn anomaly(number: u8) -> Anomaly {
    let at = Timestamp::from_second(1_795_000_000 + i64::from(number)).expect("a time");
    Anomaly {
        id: AnomalyId::new(at, [number; 10]),
        kind: "surplus".to_owned(),
        payment_id: None,
        detail: format!("more than was open, {number}"),
        at,
    }
}

/// Notes so many anomalies, a second apart; their ids.
async fn noted(place: &Place, count: u8) -> Vec<String> {
    let mut ids = Vec::new();
    for anomaly in (0..count).map(anomaly) {
        ids.push(anomaly.id.to_string());
        place.write(async move |tx: &mut Tx| anomalies::insert(tx, MERCHANT, &anomaly).await).await;
    }
    ids
}

fn ids_of(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id")).collect()
}

/// The figure of open anomalies, once it is this.
async fn figure_becomes(place: &Place, count: u8) {
    let line = format!("paydown_anomalies {count}");
    until(&line, async || {
        let all = place.http.get(&place.metrics_url).send().await.ok()?.text().await.ok()?;
        all.lines().any(|found| found == line).then_some(())
    })
    .await;
}

store::both_engines!(an_anomaly_is_closed_once_and_stays_on_record, &[], async |database: TestDatabase| {
    let place = Place::open(database).await;
    assert_eq!(place.command(&["anomaly", "list"]).await.done().json(), json!([]));
    let ids = noted(&place, 3).await;
    let doctor = place.command(&["doctor"]).await.done().json();
    assert_eq!(
        (&doctor["anomalies"], doctor["newest_anomalies"].as_array().map(Vec::len)),
        (&json!(3), Some(3))
    );
    assert_eq!(ids_of(&place.command(&["anomaly", "list"]).await.done().json()), ids);
    figure_becomes(&place, 3).await;

    let closed = place.command(&["anomaly", "close", &ids[1], "--note", "Paid back by cheque 17"]).await;
    assert_eq!(closed.done().json()["closed"]["by"], "cli:dana");
    assert_eq!(ids_of(&place.command(&["anomaly", "list"]).await.done().json()), [&*ids[0], &*ids[2]]);
    let page =
        place.command(&["anomaly", "list", "--all", "--after", &ids[0], "--limit", "1"]).await.done().json();
    assert_eq!(
        (ids_of(&page), &page[0]["closed"]["note"]),
        (vec![&*ids[1]], &json!("Paid back by cheque 17"))
    );
    assert_eq!(place.command(&["anomaly", "show", &ids[1]]).await.done().json(), page[0]);
    let doctor = place.command(&["doctor"]).await.done().json();
    assert_eq!(
        (&doctor["anomalies"], ids_of(&doctor["newest_anomalies"])),
        (&json!(2), vec![&*ids[2], &*ids[0]])
    );
    figure_becomes(&place, 2).await;

    let again = place.command(&["anomaly", "close", &ids[1], "--note", "No"]).await;
    assert!(again.err.contains("closed by cli:dana") && again.err.contains("cheque 17"), "{again:?}");
    assert_eq!(again.code, 4);
    place.finish(&[]).await;
});

store::both_engines!(a_note_says_something_and_no_card_number, &[], async |database: TestDatabase| {
    let place = Place::open(database).await;
    let ids = noted(&place, 1).await;
    let long = "x".repeat(2_001);
    for (note, says) in
        [("  ", "is empty"), ("card 4242 4242 4242 4242", "a card number"), (&long, "more than 2000")]
    {
        let refused = place.command(&["anomaly", "close", &ids[0], "--note", note]).await;
        assert_eq!(refused.code, 5, "{note}");
        assert!(refused.err.contains(says) && !refused.err.contains("4242"), "{refused:?}");
    }
    assert_eq!(place.command(&["anomaly", "show", &ids[0]]).await.done().json()["closed"], Value::Null);
    let stranger = anomaly(99).id.to_string();
    assert_eq!(place.command(&["anomaly", "show", &stranger]).await.code, 3);
    assert_eq!(place.command(&["anomaly", "close", &stranger, "--note", "x"]).await.code, 3);
    assert_eq!(place.command(&["anomaly", "show", "inv_1"]).await.code, 2);
    place.finish(&[]).await;
});
