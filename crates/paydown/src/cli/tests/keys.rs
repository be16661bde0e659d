//! `paydown key`: a secret is printed once and kept nowhere.

use super::*;

#[tokio::test]
async fn a_key_is_printed_once_listed_and_taken_back() {
    let desk = Desk::ready().await;
    let made =
        desk.run("key create --name books --scope invoices:read,payments:write --rate 120 --json").await;
    assert_eq!(made.exit, Exit::Done, "{}", made.err);
    let made = made.json();
    let (secret, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(secret.starts_with("paydown_test_1_") && id.starts_with("key_"), "{made}");
    assert_eq!(made["scopes"], json!(["invoices:read", "payments:write"]));
    assert_eq!((&made["requests_per_minute"], &made["expires_at"]), (&json!(120), &json!(null)));
    let listed = desk.run("key list --json").await;
    assert!(!listed.out.contains(secret), "{}", listed.out);
    assert_eq!(listed.json()[0]["id"], id);
    assert!(desk.run("key list").await.out.contains("in force"));
    let changed = desk.run(&format!("key set {id} --rate 0 --json")).await;
    assert_eq!(changed.json()["requests_per_minute"], 0, "{}", changed.err);
    assert_eq!(desk.run("key list --json").await.json()[0]["requests_per_minute"], 0);
    assert_eq!(desk.run(&format!("key revoke {id} --json")).await.json()["revoked"], true);
    assert_eq!(desk.run(&format!("key revoke {id} --json")).await.json()["revoked"], false);
    assert!(desk.run("key list").await.out.contains("taken back"));
    let text = desk.run("key create --name all --expires-in-days 30").await.out;
    assert!(
        text.contains("only time the key is shown") && text.contains("60000 requests a minute"),
        "{text}"
    );
    for (line, exit) in [
        ("key create", Exit::Usage),
        ("key create --name x --scope money:all", Exit::Usage),
        ("key create --name 4242424242424242", Exit::Usage),
        ("key create --name x --expires-in-days 0", Exit::Usage),
        ("key set key_00000000000000000000000000 --rate 5", Exit::NotFound),
        ("key set key_00000000000000000000000000", Exit::Usage),
        ("key set key_00000000000000000000000000 --rate -1", Exit::Usage),
        ("key revoke key_1", Exit::Usage),
        ("key revoke key_00000000000000000000000000", Exit::NotFound),
    ] {
        assert_eq!(desk.run(line).await.exit, exit, "{line}");
    }
}
