//! Our clock against the processor's: a difference is named, once, and is gone when it is right again.

use crate::on_both_engines;
use crate::test_app::TestApp;
use jiff::SignedDuration;
use paydown::actions::run_jobs;
use paydown::actions::watch_clock::CLOCK_DIFFERS;
use serde_json::json;
use store::anomalies::{self, Listed};
use store::db::Tx;

impl TestApp {
    /// The processor's answers are dated so many seconds after its clock; then its list is read.
    async fn read_with_skew(&self, skew_seconds: i64) {
        self.control("/clock", json!({ "skew_seconds": skew_seconds })).await;
        run_jobs::poll(&self.app).await.expect("the list is read");
    }

    /// What was ever said of the clocks, oldest first.
    async fn said_of_clocks(&self) -> Vec<Listed> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| anomalies::page(tx, merchant, None, (true, 100)).await;
        let found = self.app.store.read(read).await.expect("anomalies can be read");
        found.into_iter().filter(|listed| listed.anomaly.kind == CLOCK_DIFFERS).collect()
    }
}

on_both_engines!(a_clock_that_differs_is_named_until_it_is_right, async |app: &mut TestApp| {
    app.read_with_skew(20).await;
    assert_eq!(app.said_of_clocks().await, [], "a little is logged only");
    assert_eq!(app.app.processors.worst_clock(), Some(SignedDuration::from_secs(-20)));
    app.read_with_skew(-90).await;
    app.read_with_skew(-95).await;
    let [said] = &app.said_of_clocks().await[..] else { panic!("it is said once") };
    assert!(said.closing.is_none() && said.anomaly.detail.contains("ahead of"), "{said:?}");
    assert_eq!(app.app.processors.worst_clock(), Some(SignedDuration::from_secs(95)));
    app.read_with_skew(0).await;
    let [said] = &app.said_of_clocks().await[..] else { panic!("it stays on record") };
    let closing = said.closing.as_ref().expect("it is right again");
    assert_eq!((closing.actor.as_str(), closing.note.as_str()), ("program", "the clocks agree again"));
    app.read_with_skew(120).await;
    let said = app.said_of_clocks().await;
    let open: Vec<_> = said.iter().filter(|said| said.closing.is_none()).collect();
    let [again] = open[..] else { panic!("it is wrong again: {said:?}") };
    assert!(again.anomaly.detail.contains("behind"), "{again:?}");
    app.read_with_skew(0).await;
    assert!(app.said_of_clocks().await.iter().all(|said| said.closing.is_some()));
});

// Nothing that is paid hangs on it.
on_both_engines!(a_wrong_clock_stops_no_payment, async |app: &mut TestApp| {
    app.read_with_skew(3_600).await;
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    app.read_with_skew(0).await;
});
