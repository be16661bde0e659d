//! `paydown payment reverse`: what it takes, and that nothing is reversed which is not there.

use super::*;

#[tokio::test]
async fn a_reversal_says_why_and_of_what() {
    let desk = Desk::ready().await;
    for line in [
        "payment reverse pay_1 --as bounced",
        "payment reverse pay_1 --reason because",
        "payment reverse pay_1 --as lost --reason because",
        "payment reverse nothing --as bounced --reason because",
    ] {
        assert_eq!(desk.run(line).await.exit, Exit::Usage, "{line}");
    }
    let nobody = "payment reverse pay_00000000000000000000000000 --as bounced --reason because";
    let ended = desk.run(nobody).await;
    assert_eq!(ended.exit, Exit::NotFound);
    assert!(ended.err.contains("paydown payment list"), "{}", ended.err);

    let record = "unmatched record 70.00 --method wire --received-on 2026-11-10 --json";
    let receipt = desk.run(record).await.json()["id"].as_str().unwrap().to_owned();
    let empty = format!("payment reverse {receipt} --as entered-wrongly --reason= --json");
    assert_eq!(desk.run(&empty).await.exit, Exit::Refused);
    let line = format!("payment reverse {receipt} --as entered-wrongly --reason twice --json");
    let ended = desk.run(&line).await;
    assert_eq!(ended.exit, Exit::Done, "{}", ended.err);
    let told = ended.json();
    assert_eq!((&told["kind"], &told["amount"]), (&json!("entered_wrongly"), &json!(7_000)));
    assert_eq!((&told["unapplied"], &told["owed"]), (&json!(7_000), &json!(0)));
    assert_eq!(desk.run("unmatched list --json").await.json(), json!([]));
    assert_eq!(desk.run(&line).await.exit, Exit::Conflict);
    assert_eq!(desk.run("verify").await.exit, Exit::Done);
}
