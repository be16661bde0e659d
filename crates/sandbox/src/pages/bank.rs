//! The bank account's part of the hosted page: fields, checks and the payer's agreement. Numbers are looked up and forgotten; a number of an
//! account that is not for practice is refused and goes nowhere.

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};

use super::{page, pay::MethodLink};
use crate::banks::{self, FoundAccount};
use crate::calendar;
use crate::currency;
use crate::form::Form;
use crate::mandates::Acceptance;
use crate::objects::{FieldProblem, Instrument, PageState, Session};

const MAX_NAME_CHARACTERS: usize = 100;
/// What a page says about the practice accounts: number, and what becomes of the debit.
const EXAMPLES: &[(&str, &str)] = &[
    ("000123456789", "succeeds on the fourth business day"),
    ("000222222227", "fails: not enough money"),
    ("000111111113", "fails: account closed"),
    ("000111111116", "fails: no such account"),
    ("000333333335", "fails: debit not authorised"),
    ("000555555559", "succeeds, and is taken back at once"),
    ("000000000009", "stays on its way"),
    ("91010002", "fails with R01 after 2 days; 91, two digits of the code, four of the day"),
    ("92100040", "succeeds, and is taken back with R10 after 40 days; 92, code, day"),
    ("93000003", "succeeds; a refund of it fails after 3 days"),
];

/// What a payer typed about a bank account.
#[derive(Default)]
pub(crate) struct Typed {
    pub(crate) is_sepa: bool,
    pub(crate) name: String,
    /// Nine digits; not of SEPA.
    pub(crate) routing: String,
    /// A test account's number, or its `pm_usBankAccount_…` id from a scripted payer; an IBAN for SEPA.
    pub(crate) account: String,
    pub(crate) account_type: String,
    pub(crate) holder_type: String,
    pub(crate) has_agreed: bool,
    pub(crate) acceptance: Acceptance,
}

impl Typed {
    /// Reads the page's form.
    pub(crate) fn read(fields: &mut Form, is_sepa: bool, headers: &HeaderMap, address: String) -> Self {
        let mut field = |name: &str| fields.take_raw(name).unwrap_or_default();
        let user_agent = headers.get("user-agent").and_then(|value| value.to_str().ok());
        Self {
            is_sepa,
            name: field("account-name"),
            routing: field("routing"),
            account: field(if is_sepa { "iban" } else { "account" }),
            account_type: field("account-type"),
            holder_type: field("holder-type"),
            has_agreed: field("agree") == "yes",
            acceptance: Acceptance {
                accepted_at: None,
                ip_address: Some(address),
                user_agent: Some(user_agent.unwrap_or("unknown").chars().take(300).collect()),
            },
        }
    }

    /// Checks the fields. What is kept never includes a number.
    pub(crate) fn check(self) -> (PageState, Option<(Instrument, Acceptance)>) {
        let mut problems = Vec::new();
        let mut problem = |field: &str, message: &str| {
            problems.push(FieldProblem { field: field.to_owned(), message: message.to_owned() });
        };
        let name: String = self.name.trim().chars().take(MAX_NAME_CHARACTERS).collect();
        if name.is_empty() {
            problem("account-name", "Enter the name on the account");
        }
        let found = if self.is_sepa {
            found_iban(&self.account).map_err(|message| problem("iban", message)).ok()
        } else {
            let routing = check_routing(&self.routing).map_err(|message| problem("routing", message));
            let account = found_account(&self.account).map_err(|message| problem("account", message));
            routing.and(account).ok()
        };
        if !self.has_agreed {
            problem("agree", "Tick the box to agree, or go back and pay another way");
        }
        let holder_type = if self.holder_type == "individual" { "individual" } else { "company" };
        let account_type = if self.account_type == "savings" { "savings" } else { "checking" };
        let state = PageState {
            method: Some(if self.is_sepa { "sepa_debit" } else { "us_bank_account" }.to_owned()),
            account_token: found.as_ref().map(|found| found.token.clone()),
            holder_type: Some(holder_type.to_owned()),
            account_type: Some(account_type.to_owned()),
            // Somebody may have typed an account number into the name.
            name: if name.bytes().filter(u8::is_ascii_digit).count() < 4 {
                name.clone()
            } else {
                String::new()
            },
            ..PageState::default()
        };
        let is_good = problems.is_empty();
        let state = PageState { problems, ..state };
        let instrument = found.filter(|_| is_good).map(|found| {
            let bank = found.summary(holder_type, account_type, Some(name));
            if self.is_sepa { Instrument::SepaDebit(bank) } else { Instrument::UsBankAccount(bank) }
        });
        (state, instrument.map(|instrument| (instrument, self.acceptance)))
    }
}

fn check_routing(typed: &str) -> Result<(), &'static str> {
    let digits: String = typed.chars().filter(|character| !character.is_whitespace()).collect();
    if digits.len() != 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("Routing number must be 9 digits");
    }
    if !banks::has_routing_checksum(&digits) {
        return Err("That routing number does not exist. Check the bottom left of a cheque");
    }
    if digits != banks::TEST_ROUTING {
        return Err("This is a practice page. Use routing number 110000000");
    }
    Ok(())
}

fn found_account(typed: &str) -> Result<FoundAccount, &'static str> {
    if let Some(found) = FoundAccount::us(typed) {
        return Ok(found);
    }
    let digits: String =
        typed.chars().filter(|character| !character.is_whitespace() && *character != '-').collect();
    if !(4..=17).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("Account number must be 4 to 17 digits");
    }
    Err("This is a practice page. Use account number 000123456789")
}

fn found_iban(typed: &str) -> Result<FoundAccount, &'static str> {
    if let Some(found) = FoundAccount::sepa(typed) {
        return Ok(found);
    }
    let iban = banks::fold_iban(typed);
    if !(15..=34).contains(&iban.len()) || !iban.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("An IBAN has 15 to 34 letters and digits, as in AT61 1904 3002 3457 3201");
    }
    if !banks::has_iban_check_digits(&iban) {
        return Err("Check digits do not match: look for a swapped or missing character");
    }
    Err("This is a practice page. Use AT61 1904 3002 3457 3201")
}

#[derive(Template)]
#[template(path = "bank.html")]
struct BankPage<'a> {
    session: &'a Session,
    amount: String,
    is_sepa: bool,
    methods: Vec<MethodLink>,
    problems: &'a [FieldProblem],
    number: &'static str,
    /// The day from which the account may be debited.
    from: String,
    is_kept: bool,
    button: String,
    examples: Vec<(String, String)>,
}

impl BankPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        self.problems.iter().find(|problem| problem.field == field).map(|problem| problem.message.as_str())
    }

    fn is_savings(&self) -> bool {
        self.session.page.account_type.as_deref() == Some("savings")
    }

    fn is_personal(&self) -> bool {
        self.session.page.holder_type.as_deref() == Some("individual")
    }
}

/// Draws the page of a bank account.
pub(super) fn draw(session: &Session, kind: &str, methods: Vec<MethodLink>, now: i64) -> Response<Body> {
    let is_sepa = kind == "sepa_debit";
    let amount = currency::display(&session.currency, session.amount_minor);
    let is_ours = session.page.method.as_deref() == Some(kind);
    let bank_page = BankPage {
        session,
        button: if session.is_setup() {
            "Agree and keep this account".to_owned()
        } else {
            format!("Agree and pay {amount}")
        },
        amount,
        is_sepa,
        methods,
        problems: if is_ours { &session.page.problems } else { &[] },
        number: session
            .page
            .account_token
            .as_deref()
            .filter(|_| is_ours)
            .and_then(banks::published_number)
            .unwrap_or_default(),
        from: calendar::long_date(now),
        is_kept: session.intent_data.setup_future_usage.is_some(),
        examples: examples(is_sepa),
    };
    page(StatusCode::OK, &bank_page, Some(&session.success_url))
}

fn examples(is_sepa: bool) -> Vec<(String, String)> {
    if !is_sepa {
        return EXAMPLES.iter().map(|(number, what)| ((*number).to_owned(), (*what).to_owned())).collect();
    }
    let magic = |is_after: bool, code: &str, days: u32, what: &str| {
        (banks::magic_number(is_after, code, days).unwrap_or_default(), what.to_owned())
    };
    let published = |number: &str, what: &str| (number.to_owned(), what.to_owned());
    vec![
        published("AT611904300234573201", "succeeds on the fourth business day"),
        published("AT321904300235473204", "succeeds after three minutes"),
        published("AT861904300235473202", "fails"),
        published("AT591904300235473203", "succeeds, and is taken back at once"),
        published("AT981904300002222227", "fails: not enough money"),
        magic(false, "AM04", 2, "fails with AM04 after 2 days"),
        magic(false, "AC04", 2, "fails with AC04 after 2 days"),
        magic(true, "MD06", 40, "succeeds, and is taken back with MD06 after 40 days"),
    ]
}

#[cfg(test)]
mod tests {
    use super::Typed;

    #[test]
    fn a_number_in_any_field_is_not_kept() {
        for is_sepa in [false, true] {
            let number = "40128881 DE44500105175407324931";
            let typed = Typed {
                is_sepa,
                name: number.into(),
                routing: number.into(),
                account: number.into(),
                has_agreed: true,
                ..Typed::default()
            };
            let (state, instrument) = typed.check();
            assert!(instrument.is_none());
            let kept = serde_json::to_string(&state).expect("is JSON");
            assert!(!kept.contains("40128881") && !kept.contains("5407324931"), "{kept}");
        }
    }
}
