//! `paydown refund`: limits, lists, and what is told where there is nothing.

use super::*;

#[tokio::test]
async fn a_limit_of_refunds_is_set_shown_and_taken_away() {
    let desk = Desk::ready().await;
    assert!(desk.run("refund limit show").await.out.contains("Nobody has to approve"));
    let set = desk.run("refund limit set 500.00 --currency USD --json").await;
    assert_eq!(
        (set.exit, set.json()),
        (Exit::Done, json!([{ "currency": "USD", "amount": 50_000 }])),
        "{}",
        set.err
    );
    let told = desk.run("refund limit show").await.out;
    assert!(told.contains("500.00") && told.contains("second person"), "{told}");
    assert_eq!(desk.run("refund limit set none --currency USD --json").await.json(), json!([]));
    assert_eq!(desk.run("refund list --json").await.json(), json!([]));
    assert_eq!(desk.run("refund list --waiting --json").await.json(), json!([]));
    let nobody = "00000000000000000000000000";
    for (line, exit) in [
        (format!("refund show rfd_{nobody}"), Exit::NotFound),
        (format!("refund approve rfd_{nobody}"), Exit::NotFound),
        (format!("refund refuse rfd_{nobody} --reason no"), Exit::NotFound),
        (format!("refund paid rfd_{nobody} --on 2026-11-16"), Exit::NotFound),
        (format!("refund create pay_{nobody} --reason no"), Exit::NotFound),
        ("refund create --reason no".to_owned(), Exit::Usage),
        (format!("refund create pay_{nobody}"), Exit::Usage),
        (format!("refund create pay_{nobody} --credit-of Acme --reason no"), Exit::Usage),
        ("refund create --credit-of Nobody --reason no".to_owned(), Exit::NotFound),
        ("refund show pay_1".to_owned(), Exit::Usage),
        ("refund limit set much".to_owned(), Exit::Usage),
        (format!("refund paid rfd_{nobody} --on yesterday"), Exit::Usage),
    ] {
        assert_eq!(desk.run(&line).await.exit, exit, "{line}");
    }
}
