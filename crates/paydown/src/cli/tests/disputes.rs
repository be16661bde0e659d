//! `paydown dispute` where there is none yet: what is said of it, and what a loss is to mean. Whole disputes are walked with the
//! practice processor by the tests of the actions.

use super::*;

#[tokio::test]
async fn nothing_is_contested_and_what_a_loss_means_is_set() {
    let desk = Desk::ready().await;
    let listed = desk.run("dispute list").await;
    assert_eq!((listed.exit, listed.out.trim()), (Exit::Done, "There are no disputes."));
    assert_eq!(desk.run("dispute list --state won --json").await.json(), json!([]));
    let shown = desk.run("dispute set").await;
    assert_eq!(shown.out.trim(), "A lost dispute is: owed again (owed_again)");
    let set = desk.run("dispute set --when-lost absorbed --json").await;
    assert_eq!((set.exit, set.json()), (Exit::Done, json!({ "when_lost": "absorbed" })));
    assert_eq!(desk.run("dispute set --json").await.json(), json!({ "when_lost": "absorbed" }));
    assert_eq!(desk.run("verify").await.exit, Exit::Done, "who set it is in the audit trail");
}

#[tokio::test]
async fn what_is_unknown_or_wrong_is_named() {
    let desk = Desk::ready().await;
    let nobody = "dsp_00000000000000000000000000";
    for line in [
        format!("dispute show {nobody}"),
        format!("dispute accept {nobody}"),
        format!("dispute evidence {nobody} --text other=x"),
        format!("dispute set {nobody} --when-lost absorbed"),
    ] {
        let ended = desk.run(&line).await;
        assert_eq!(ended.exit, Exit::NotFound, "{line}: {}", ended.err);
        assert!(ended.err.contains("paydown dispute list"), "{}", ended.err);
    }
    for line in [
        "dispute show pay_1".to_owned(),
        "dispute list --state lots".to_owned(),
        "dispute set --when-lost never".to_owned(),
        format!("dispute evidence {nobody} --text rumour=x"),
        format!("dispute evidence {nobody} --file receipt.pdf"),
    ] {
        let ended = desk.run(&line).await;
        assert_eq!(ended.exit, Exit::Usage, "{line}: {}", ended.err);
    }
    let missing = desk.run(&format!("dispute evidence {nobody} --file receipt=nowhere.pdf")).await;
    assert_eq!(missing.exit, Exit::NotFound, "{}", missing.err);
    let file = desk.dir.path().join("receipt.pdf");
    fs::write(&file, b"MZ").unwrap();
    let program = desk.run(&format!("dispute evidence {nobody} --file receipt={}", file.display())).await;
    assert_eq!(program.exit, Exit::Refused, "{}", program.err);
    assert!(program.err.contains("neither PDF, JPEG nor PNG"), "{}", program.err);
}
