//! Text into the words that are compared: lower case, without accents, stemmed, the little words left out; and which words
//! mean the same here. It knows the language and the field, never a page or a question.

use deunicode::deunicode;
use rust_stemmers::{Algorithm, Stemmer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Words that say nothing about what is asked: articles, pronouns, auxiliaries, and how people begin a question.
const LITTLE: &str = "a about actually after again all already also always am an and any anybody anyone anything anyway are as ask at \
     away back be because been before being best bit both but by can cannot cant come comes could couldnt day did didnt do does \
     doesnt doing done dont each either else ever every everything exactly explain few find for from get gets getting give given \
     go goes going gone got had happen happened happening happens has hasnt have havent having he hello help her here hers hi him \
     his how however i id if ill im in instead into is isnt it its itself ive just kind know least let lets like ll look \
     make makes many matter may maybe me mean means might mine more most much must my myself need needs never no nor not now of \
     off ok okay on once one only onto or other otherwise our ours out over own per perhaps please possible put quite rather \
     re really right s said same say says see seem seems shall she should shouldnt show since so some somebody somehow someone \
     something somewhere still such sure t take takes tell than thanks that thats the their theirs them then there theres these \
     they theyre thing things think this those though through thus to today together too toward try trying under until up upon us \
     use used using ve very via wanna want wants was wasnt way we well went were what whats when where whether which while who \
     whom whos whose why will wish with within without wont work works would wouldnt yes yet you youd youll your youre yours";

/// Words that mean the same in the field of paying invoices and of running a server. The first of a row is how the pages
/// say it.
const ALIKE: &[&str] = &[
    "invoice bill",
    "pay settle remit",
    "part partial portion fraction piece partially partly half instalment installment split",
    "amount sum figure value price",
    "left remain remainder rest outstanding balance owe owed unpaid leftover",
    "card visa mastercard debit credit amex plastic",
    "merchant business company vendor seller supplier biller firm",
    "customer client payer buyer",
    "mail email inbox message letter",
    "send deliver dispatch",
    "code digit pin passcode otp",
    "password credential login",
    "sign login log",
    "link url address",
    "receipt proof confirmation acknowledgement",
    "declined decline refused rejected denied reject failed",
    "bank issuer",
    "fee surcharge charge cost extra markup commission",
    "minimum smallest least lowest floor",
    "maximum most largest highest ceiling limit cap",
    "decimal comma separator cents",
    "refuse reject forbid disallow accept allow",
    "progress pending processing flight",
    "cancel abort stop abandon undo",
    "expire ended expired lapse lapsed old timeout dead",
    "colleague coworker teammate partner",
    "twice double duplicate",
    "safe secure security safety trust protect",
    "privacy private personal data",
    "practice test fake trial sandbox pretend",
    "demo example sample showcase",
    "install installation setup deploy build compile",
    "setting config configuration option configure parameter",
    "logo brand colour color look appearance theme style",
    "processor stripe gateway provider",
    "webhook callback notification hook",
    "import upload load migrate csv spreadsheet",
    "column field header",
    "backup copy snapshot",
    "restore recover recovery",
    "verify check prove audit consistency",
    "book ledger bookkeeping accounting",
    "metric prometheus monitoring monitor graph statistic",
    "proxy nginx caddy reverse balancer",
    "postgresql postgres database db sqlite",
    "key secret token",
    "api rest endpoint programmatic integration",
    "void cancel annul",
    "revoke withdraw invalidate",
    "browser device computer phone",
    "port listen",
    "delete remove erase",
    "change edit alter modify adjust replace",
    "due deadline",
    "late overdue",
    "list overview",
    "number reference",
    "refund reimburse",
    "dispute chargeback",
    "error problem fault trouble issue bug",
    "start begin launch",
    "add create new",
    "page site website portal",
    "percent percentage",
    "wait delay",
    "several multiple many",
    "person people human",
];

/// One word as it is compared.
pub fn stem(word: &str) -> String {
    static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));
    ENGLISH.stem(word).into_owned()
}

/// The words of a text that say something, stemmed, in order.
pub fn words(text: &str) -> Vec<String> {
    let plain = deunicode(text).to_lowercase().replace('\'', "");
    let found = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    found.filter(|word| !little().contains(word)).map(stem).collect()
}

/// Other words for a stemmed one, stemmed; none for most.
pub fn alike(stemmed: &str) -> impl Iterator<Item = &'static str> {
    static ALIKE_BY_STEM: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
        let mut by_stem: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in ALIKE {
            let row: BTreeSet<String> = row.split(' ').map(stem).collect();
            for word in &row {
                by_stem.entry(word.clone()).or_default().extend(row.iter().cloned());
            }
        }
        by_stem
    });
    ALIKE_BY_STEM.get(stemmed).into_iter().flatten().map(String::as_str)
}

fn little() -> &'static BTreeSet<&'static str> {
    static SET: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| LITTLE.split_whitespace().collect());
    &SET
}
