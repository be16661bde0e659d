//! `paydown payment resolve`: what it takes, and that nothing is settled which is not there.

use super::*;

#[tokio::test]
async fn a_word_needs_what_it_rests_on() {
    let desk = Desk::ready().await;
    for line in [
        "payment resolve pay_1 --as failed",
        "payment resolve pay_1 --reason because",
        "payment resolve pay_1 --as paid --reason because",
        "payment resolve pay_1 --as succeeded --reason because",
        "payment resolve pay_1 --as succeeded --reason because --charge ch_1",
        "payment resolve pay_1 --as failed --reason because",
    ] {
        assert_eq!(desk.run(line).await.exit, Exit::Usage, "{line}");
    }
    let nobody = "payment resolve pay_00000000000000000000000000 --as failed --reason because";
    assert_eq!(desk.run(nobody).await.exit, Exit::NotFound);
}
