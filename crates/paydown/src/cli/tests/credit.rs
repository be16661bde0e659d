//! `paydown credit`, `credit-note`, `write-off`, `unmatched`: what they do is said in one line, and what they refuse changes nothing.

use super::*;

#[tokio::test]
async fn credit_is_issued_listed_used_and_moved() {
    let desk = Desk::ready().await;
    let file = desk.file("invoices.csv", INVOICES);
    assert_eq!(desk.run(&format!("import invoices {file} --preset generic")).await.exit, Exit::Done);
    let recorded =
        desk.run("unmatched record 1,300.00 --method wire --received-on 2026-11-02 --payer ACME --json");
    let id = recorded.await.json()["id"].as_str().unwrap().to_owned();
    assert!(desk.run("unmatched list").await.out.contains("1300.00"));
    let matched =
        desk.run(&format!("unmatched match {id} --invoice INV-1=1250.00 --credit 30.00 --json")).await;
    assert_eq!((matched.exit, &matched.json()["left"]), (Exit::Done, &json!(2_000)), "{}", matched.err);
    let shown = desk.run("invoice show INV-1 --json").await.json();
    assert_eq!((&shown["paid"], &shown["open"]), (&json!(125_000), &json!(0)));

    let args = ["credit-note", "issue", "INV-1", "--amount", "100.00", "--reason", "Two days less", "--json"];
    let note = desk.run_args(args).await;
    assert_eq!((&note.json()["number"], &note.json()["to_credit"]), (&json!("CN-0001"), &json!(10_000)));
    assert!(desk.run("credit-note show CN-0001").await.out.contains("Two days less"));
    assert!(desk.run("credit-note list").await.out.contains("CN-0001"));
    let listed = desk.run("credit list Acme --json").await.json();
    assert_eq!(listed["left"], json!([{ "currency": "USD", "amount": 13_000 }]));

    // The payment was partly for something else: the credit of the note goes back to its invoice.
    let moved = desk.run(&format!("credit move INV-1 --payment {id} --amount 60.00 --json")).await;
    assert_eq!((moved.exit, &moved.json()["amount"]), (Exit::Done, &json!(6_000)), "{}", moved.err);
    assert_eq!(desk.run("invoice show INV-1 --json").await.json()["open"], 0);
    let listed = desk.run("credit list Acme").await.out;
    assert!(listed.contains("taken_off") && listed.contains("Left in all"), "{listed}");
    let done = desk.run("write-off INV-2 --amount 10.00 --reason Insolvent").await;
    assert!(done.out.contains("it is open"), "{}{}", done.out, done.err);
    assert_eq!(desk.run("verify").await.exit, Exit::Done);
    for (line, exit) in [
        ("credit apply INV-1", Exit::Refused),
        ("credit apply INV-2", Exit::Refused),
        ("credit apply INV-9", Exit::NotFound),
        ("credit apply INV-2 --amount ten", Exit::Usage),
        ("credit move INV-1", Exit::Usage),
        ("credit list Nobody", Exit::NotFound),
        ("credit-note issue INV-1 --amount 9999.00 --reason Less", Exit::Refused),
        ("credit-note issue INV-1 --amount 1.00 --reason 4242424242424242", Exit::Usage),
        ("credit-note show CN-0002", Exit::NotFound),
        ("write-off INV-1 --reason Insolvent", Exit::Refused),
        ("returned-payment demand Acme --due 2026-12-14", Exit::Refused),
        ("unmatched match pay_00000000000000000000000000 --credit 1.00", Exit::NotFound),
        ("unmatched record 1.00 --method card --received-on 2026-11-02", Exit::Usage),
    ] {
        assert_eq!(desk.run(line).await.exit, exit, "{line}");
    }
}
