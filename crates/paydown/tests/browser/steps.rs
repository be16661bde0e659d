//! Steps that several stories share: choosing a part, going to the card page, typing a card.

use crate::stage::Stage;
use crate::visitor::{Script, Visitor};
use thirtyfour::Key;

/// A card that pays.
pub const VISA: &str = "4242 4242 4242 4242";
/// A card without enough money behind it.
pub const EMPTY: &str = "4000 0000 0000 9995";
/// A card whose bank wants to see the payer.
pub const CHALLENGED: &str = "4000 0000 0000 3220";

impl Visitor {
    /// From the invoice page: the pencil, an amount, Confirm.
    pub async fn choose(&self, amount: &str) {
        self.press("Change amount").await;
        let look = async || Ok(self.focus().await.starts_with("Amount to pay now").then_some(()));
        self.until("be in the amount field", look).await;
        // With the script the field is in place of the figure, without it on a page of its own; the old figure is
        // selected in both, and without the script it is replaced by hand.
        if self.script() == Script::Off {
            self.hold(Key::Control, "a").await;
        }
        self.keys(amount).await;
        self.press("Confirm amount").await;
    }

    /// From the page "Check and pay": the address for the receipt, and on to the processor.
    pub async fn go_to_card_page(&self) {
        self.fill("E-mail for the receipt", "payer@acme.example").await;
        self.press("Continue to the card page").await;
        self.sees("Card number").await;
    }

    /// The same where there are several ways to pay.
    pub async fn go_to_card_page_by(&self, way: &str) {
        self.tick(way).await;
        self.fill("E-mail for the receipt", "payer@acme.example").await;
        self.press("Continue").await;
        self.sees("Card number").await;
    }

    /// On the processor's page: types a card and pays.
    pub async fn pay_by(&self, card: &str, amount: &str) {
        self.type_card(card).await;
        self.press(&format!("Pay {amount}")).await;
    }

    /// Types a card into the fields of the processor's page.
    pub async fn type_card(&self, card: &str) {
        self.fill("Card number", card).await;
        self.fill("Expiry", "12/34").await;
        self.fill("Security code", "123").await;
        self.fill("Name on card", "Dana Payer").await;
    }

    /// From the page "Check and pay", on which a bank account is chosen: the address for the receipt, and on to the bank page.
    pub async fn go_to_bank_page(&self) {
        self.fill("E-mail for the receipt", "payer@acme.example").await;
        self.press("Continue").await;
        self.sees("Account number").await;
    }

    /// On the bank page: types an account in the United States.
    pub async fn type_account(&self, account: &str) {
        self.fill("Name on account", "Acme Inc.").await;
        self.fill("Routing number", "110000000").await;
        self.fill("Account number", account).await;
    }

    /// On the bank page: ticks that the account may be used.
    pub async fn agree(&self) {
        self.tick("I am allowed to use this account, and I agree").await;
    }

    /// From the page "Check and pay": chooses the bank account, gives it and agrees.
    pub async fn debit(&self, account: &str, amount: &str) {
        self.tick("Bank account in the US").await;
        self.go_to_bank_page().await;
        self.type_account(account).await;
        self.agree().await;
        self.press(&format!("Agree and pay {amount}")).await;
    }

    /// On the bank's page: types the code that it shows, and says yes.
    pub async fn approves(&self) {
        self.sees("Is it you?").await;
        let shown = "return document.querySelector('.digits').textContent";
        let code = self.ask(shown, vec![]).await;
        self.fill("Code", code.as_str().expect("a code").trim()).await;
        self.press("Approve").await;
    }

    /// On the sign-in page: an address, and the code that comes by mail.
    pub async fn sign_in(&self, stage: &Stage, email: &str) {
        self.fill("Work e-mail", email).await;
        self.press("Send me a code").await;
        self.sees("Enter your code").await;
        let code = stage.code(self).await;
        self.fill("Code from the e-mail, 6 digits", &code).await;
        self.press("Continue").await;
    }

    /// Moves the focus back, and says where it is.
    pub async fn tab_back(&self) -> String {
        self.hold(Key::Shift, Key::Tab).await;
        self.focus().await
    }

    /// Moves the focus on, and says where it is.
    pub async fn tab(&self) -> String {
        self.keys(Key::Tab).await;
        self.focus().await
    }
}
