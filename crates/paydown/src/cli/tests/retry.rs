//! `paydown payment retry`: what it takes, and that only a debit is presented again.

use super::*;

#[tokio::test]
async fn only_a_debit_that_is_there_is_presented_again() {
    let desk = Desk::ready().await;
    for line in ["payment retry", "payment retry nothing"] {
        assert_eq!(desk.run(line).await.exit, Exit::Usage, "{line}");
    }
    let ended = desk.run("payment retry pay_00000000000000000000000000").await;
    assert_eq!(ended.exit, Exit::NotFound);
    assert!(ended.err.contains("paydown payment list"), "{}", ended.err);
}
