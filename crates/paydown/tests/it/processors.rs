//! Live and test money never mix: where payments of one mode exist, keys of another are refused.

use crate::on_both_engines;
use crate::test_app::{PROCESSOR_KEY, TestApp};
use billing::ids::MerchantId;
use gateway::SecretText;
use paydown::actions::connect_processor::{ConnectProcessor, connect_processor};
use paydown::processors::STRIPE;
use store::db::Tx;
use store::processor_accounts::{self, Mode};

/// Tries to connect a merchant to the practice processor.
async fn connect_as(app: &TestApp, merchant: MerchantId) -> Result<Mode, String> {
    let input = ConnectProcessor {
        merchant,
        secret_key: SecretText::from(PROCESSOR_KEY),
        webhook_secret: None,
        address: Some(app.sandbox.base_url()),
        actor: "cli:test".to_owned(),
    };
    let connected = connect_processor(&app.app, input).await.expect("the processor can be asked");
    connected.map(|connected| connected.mode).map_err(|why| why.to_string())
}

async fn connect(app: &TestApp) -> Result<Mode, String> {
    connect_as(app, app.merchant).await
}

async fn stored_mode(app: &TestApp, mode: Option<Mode>) -> Mode {
    let merchant = app.merchant;
    let written = app.app.store.write(async move |tx: &mut Tx| {
        let mut account = processor_accounts::find(tx, merchant, STRIPE).await?.expect("it is connected");
        if let Some(mode) = mode {
            account.mode = mode;
            processor_accounts::upsert(tx, &account).await?;
        }
        Ok(account.mode)
    });
    written.await.expect("the account is there")
}

on_both_engines!(keys_of_another_mode_are_refused_once_there_are_payments, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    for there in [Mode::Live, Mode::Test] {
        stored_mode(app, Some(there)).await;
        let refused = connect(app).await.unwrap_err();
        assert!(refused.contains(&format!("has {} payments", there.as_str())), "{refused}");
        assert!(refused.contains("live and test never mix; create another merchant"), "{refused}");
        assert_eq!(stored_mode(app, None).await, there, "nothing was changed");
    }
    stored_mode(app, Some(Mode::Practice)).await;
    assert_eq!(connect(app).await, Ok(Mode::Practice));
});

on_both_engines!(an_account_belongs_to_one_merchant, async |app: &mut TestApp| {
    let another = app.another_merchant("globex").await;
    let refused = connect_as(app, another).await.unwrap_err();
    assert!(
        refused.contains("is that of \"northwind\": every merchant needs an account of its own"),
        "{refused}"
    );
    let read = async move |tx: &mut Tx| processor_accounts::find(tx, another, STRIPE).await;
    assert_eq!(app.app.store.read(read).await.expect("it can be read").map(|found| found.account), None);
    assert_eq!(connect(app).await, Ok(Mode::Practice), "who has it may replace its key");
});
