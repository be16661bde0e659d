//! Lives through the sample business, oldest day first, on the real parts.

use super::business::{CUSTOMERS, Fate, SampleCustomer, WORK, plan};
use super::clock::DemoClock;
use crate::actions::cancel_payment::cancel_payment;
use crate::actions::create_customer::{NewCustomer, create_customer};
use crate::actions::create_link::{create_link, send_invoice};
use crate::actions::issue_invoice::{Issued, NewInvoice, issue_invoice};
use crate::actions::reconcile_payment::reconcile_payment;
use crate::actions::run_jobs::seal;
use crate::actions::set_offered_methods::{SetOfferedMethods, set_offered_methods};
use crate::actions::start_payment::{Means, Payer, StartPayment, Started, start_payment};
use crate::actions::submit_attempt::{Submitted, latest, submit_attempt};
use crate::actions::void_invoice::{VoidInvoice, void_invoice};
use crate::app::App;
use crate::demo::{ACTOR, CONTACT};
use anyhow::{Context as _, Result, bail};
use billing::ids::{ContactId, CustomerId, InvoiceId, LinkId, MerchantId, PaymentId};
use billing::line::{Line, TaxRate};
use billing::payment::Method;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ledger::Currency;
use rust_decimal::Decimal;
use std::str::FromStr as _;
use store::contacts;
use store::db::Tx;
use store::payments::Ending;

const VISA: &str = "4242424242424242";
const DECLINED: &str = "4000000000009995";
/// The invoice that the demo's link opens, in hundredths of a dollar: 1,000.00 and 250.00.
const LAST: [(&str, &str, i64); 2] =
    [("Managed workplace, 25 seats, this month", "25", 4_000), ("Firewall replacement, labour", "2", 12_500)];

/// Everything the sample business is made with.
pub struct Seeder<'s> {
    /// The program.
    pub app: &'s App,
    /// Set back and forth while seeding.
    pub clock: &'s DemoClock,
    /// Who is paid.
    pub merchant: MerchantId,
    /// In whose days dates are counted.
    pub time_zone: TimeZone,
    /// Base address of the practice processor.
    pub processor: &'s str,
    /// Plays the payer there.
    pub http: reqwest::Client,
}

impl Seeder<'_> {
    /// Makes the business; answers the link to the open invoice of 1,250.00 USD.
    pub async fn seed(&self) -> Result<LinkId> {
        self.clock.set_back(181, 0);
        let mut customers = Vec::new();
        for customer in &CUSTOMERS {
            customers.push(self.customer(customer).await?);
        }
        for (number, age, customer, fate) in plan() {
            self.live(number, age, (&CUSTOMERS[customer], customers[customer]), fate).await?;
        }
        self.offer_debits().await?;
        self.clock.set_back(22, 0);
        let acme = customers[0];
        let lines = LAST.iter().map(|work| line(work, 100, None)).collect::<Result<Vec<_>>>()?;
        let last = self.issue(1042, 22, (acme, Currency::USD), lines).await?;
        self.clock.set_back(0, 0);
        send_invoice(self.app, self.merchant, last).await?;
        let people = self.people(acme).await?;
        let dana = people.into_iter().find(|(_, email)| email == CONTACT).map(|(id, _)| id);
        let link = create_link(self.app, self.merchant, last, dana, ACTOR)
            .await?
            .context("the invoice was issued")?;
        seal(self.app, true).await?;
        self.pay_out_daily().await?;
        Ok(link)
    }

    /// From the next midnight on what is available goes to the bank, so that who tries the demo longer sees payouts.
    async fn pay_out_daily(&self) -> Result<()> {
        let request = self.http.post(format!("{}/control/payouts", self.processor));
        let request = request.header("content-type", "application/json").body(r#"{"schedule":"daily"}"#);
        request.send().await.context("the practice processor does not answer")?.error_for_status()?;
        Ok(())
    }

    /// From here on payers choose between a card and a bank account.
    async fn offer_debits(&self) -> Result<()> {
        let methods = vec![Method::Card, Method::UsBankAccount, Method::SepaDebit];
        let input = SetOfferedMethods { merchant: self.merchant, methods, actor: ACTOR.to_owned() };
        set_offered_methods(self.app, input).await??;
        Ok(())
    }

    async fn customer(&self, sample: &SampleCustomer) -> Result<CustomerId> {
        let contacts =
            sample.people.iter().map(|(name, email)| ((*name).to_owned(), (*email).to_owned())).collect();
        let new = NewCustomer {
            merchant: self.merchant,
            name: sample.name.to_owned(),
            address: sample.address.to_owned(),
            contacts,
        };
        create_customer(self.app, ACTOR, new).await
    }

    /// One invoice and what becomes of it.
    async fn live(
        &self,
        number: u32,
        age: i64,
        (sample, customer): (&SampleCustomer, CustomerId),
        fate: Fate,
    ) -> Result<()> {
        self.clock.set_back(age, 0);
        let tax = (sample.currency == Currency::EUR).then_some(TaxRate(190_000));
        let first = &WORK[number as usize % WORK.len()];
        let second = &WORK[(number as usize * 3 + 1) % WORK.len()];
        let percent = if fate == Fate::NothingDue { 0 } else { sample.price_percent };
        let lines = vec![line(first, percent, tax)?, line(second, percent, tax)?];
        let invoice = self.issue(number, age, (customer, sample.currency), lines).await?;
        let total = self.payable(invoice).await?;
        let (soon, later) = ((age - 9).max(1), (age - 20).max(1));
        match fate {
            Fate::Unpaid | Fate::NothingDue => {}
            Fate::Void => self.void(invoice).await?,
            Fate::Paid => self.pay((soon, customer, invoice), total, &[VISA]).await?,
            Fate::DeclinedThenPaid => self.pay((soon, customer, invoice), total, &[DECLINED, VISA]).await?,
            Fate::PaidInTwo => {
                self.pay((soon, customer, invoice), total / 2, &[VISA]).await?;
                self.pay((later, customer, invoice), total - total / 2, &[VISA]).await?;
            }
            Fate::Part => self.pay((soon, customer, invoice), total * 2 / 5, &[VISA]).await?,
            Fate::TurnedBack => self.turn_back((soon, customer, invoice), total).await?,
            Fate::PartAndPageOpen => {
                self.pay((soon, customer, invoice), total / 2, &[VISA]).await?;
                self.open_page((0, customer, invoice), total / 4).await?;
            }
            Fate::PageOpen => {
                self.open_page((0, customer, invoice), total).await?;
            }
        }
        Ok(())
    }

    async fn issue(
        &self,
        number: u32,
        age: i64,
        (customer_id, currency): (CustomerId, Currency),
        lines: Vec<Line>,
    ) -> Result<InvoiceId> {
        let issued_on = self.today();
        let new = NewInvoice {
            merchant: self.merchant,
            customer_id,
            number: format!("INV-{number}"),
            currency,
            issued_on,
            due_on: issued_on.checked_add(30.days())?,
            purchase_order: number.is_multiple_of(3).then(|| format!("PO {}", 7_000 + number)),
            memo: number.is_multiple_of(7).then(|| "Thank you for your business.".to_owned()),
            lines,
        };
        match issue_invoice(self.app, new).await? {
            Ok(Issued::New(invoice) | Issued::Unchanged(invoice)) => Ok(invoice),
            Err(why) => bail!("sample invoice {number}, {age} days old: {why}"),
        }
    }

    async fn void(&self, invoice: InvoiceId) -> Result<()> {
        let input = VoidInvoice { merchant: self.merchant, invoice, actor: ACTOR.to_owned() };
        void_invoice(self.app, input).await?.context("the invoice was issued")??;
        Ok(())
    }

    /// A payment by cards, tried in order; the last one pays.
    async fn pay(&self, at: (i64, CustomerId, InvoiceId), minor: i64, cards: &[&str]) -> Result<()> {
        let payment = self.open_page(at, minor).await?;
        let attempt = latest(self.app, self.merchant, payment).await?;
        let session = attempt.session_id.context("the page was made")?;
        for card in cards {
            let address = format!("{}/control/sessions/{session}/pay", self.processor);
            let body = serde_json::json!({ "card": card }).to_string();
            let request = self.http.post(address).header("content-type", "application/json").body(body);
            request.send().await.context("the practice processor does not answer")?;
        }
        reconcile_payment(self.app, self.merchant, payment, "return page").await?;
        Ok(())
    }

    async fn turn_back(&self, at: (i64, CustomerId, InvoiceId), minor: i64) -> Result<()> {
        let payment = self.open_page(at, minor).await?;
        cancel_payment(self.app, self.merchant, payment, Ending::PayerCanceled).await?;
        Ok(())
    }

    /// A payer confirms an amount and goes to the card page.
    async fn open_page(
        &self,
        (days_ago, customer, invoice): (i64, CustomerId, InvoiceId),
        minor: i64,
    ) -> Result<PaymentId> {
        self.clock.set_back(days_ago, 0);
        let people = self.people(customer).await?;
        let (contact, email) = people.get(1).cloned().context("a sample customer has two people")?;
        let mint = self.app.mint();
        let payment = mint.id(PaymentId::new);
        let payer =
            Payer { session_hash: mint.bytes(), contact_id: Some(contact), link_id: None, client: None };
        let input = StartPayment {
            merchant: self.merchant,
            invoice,
            payment,
            method: Method::Card,
            means: Means::default(),
            agreement: None,
            amount_minor: minor,
            surcharge_minor: 0,
            payer,
            receipt_email: Some(email),
            payer_reference: None,
            language: "en".to_owned(),
        };
        match start_payment(self.app, input).await? {
            Started::New(_) => {}
            other => bail!("a sample payment was not started: {other:?}"),
        }
        match submit_attempt(self.app, self.merchant, payment).await? {
            Submitted::CardPage(_) => {}
            Submitted::State(state) => bail!("a sample payment has no card page: {state:?}"),
        }
        Ok(payment)
    }

    async fn people(&self, customer: CustomerId) -> Result<Vec<(ContactId, String)>> {
        let merchant = self.merchant;
        let people = self
            .app
            .store
            .read(async move |tx: &mut Tx| contacts::list(tx, merchant, customer).await)
            .await?;
        Ok(people.into_iter().map(|contact| (contact.id, contact.email)).collect())
    }

    async fn payable(&self, invoice: InvoiceId) -> Result<i64> {
        let invoice = crate::actions::issue_invoice::find(self.app, self.merchant, invoice).await?;
        Ok(invoice.figures.payable_now().minor())
    }

    fn today(&self) -> Date {
        self.app.clock.now().to_zoned(self.time_zone.clone()).date()
    }
}

fn line(work: &(&str, &str, i64), percent: i64, tax_rate: Option<TaxRate>) -> Result<Line> {
    let (description, quantity, price) = work;
    Ok(Line {
        description: (*description).to_owned(),
        quantity: Decimal::from_str(quantity)?,
        unit_amount_minor: price * percent / 100,
        tax_rate,
    })
}
