//! S7: changing the amount, as a page of its own and inside the invoice page. It shows refusals; it never makes one.

use super::invoice::too_much_for_a_card;
use super::parts::near_date;
use super::{Chrome, Viewer};
use crate::config::AmountInputmode;
use crate::format::currency_name;
use crate::texts::{Arg, Rich};
use askama::Template;
use jiff::civil::Date;
use ledger::{Currency, Money};

/// `/invoices/{id}/amount`: the form alone, empty or with the reason a typed amount was refused.
#[derive(Template)]
#[template(path = "portal/amount.html")]
pub struct AmountPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The invoice's number: `INV-1042`.
    pub number: String,
    /// The form.
    pub form: AmountForm,
    /// True when somebody pressed pay and was refused: the page then says first that no money was taken.
    pub pressed: bool,
}

/// The form for an amount.
#[derive(Debug, Clone)]
pub struct AmountForm {
    /// The invoice's id, as in its address.
    pub invoice_id: String,
    /// Payable now.
    pub left: Money,
    /// The most that may be typed: all that is left, or what a card can carry at once.
    pub most: Money,
    /// What is already on its way in other payments; zero for most.
    pub pending: Money,
    /// The least that may be typed, where the merchant or the method sets one.
    pub minimum: Option<Money>,
    /// The amount that stands in the field at first: what was chosen before, else the most that may be typed.
    pub shown: Money,
    /// The invoice's due date.
    pub due: Date,
    /// Today, in the merchant's zone.
    pub today: Date,
    /// At most three amounts offered as links; only legal ones.
    pub suggestions: Vec<Suggestion>,
    /// Which keypad phones are asked for.
    pub inputmode: AmountInputmode,
    /// What was typed, kept as it was, and why it was refused.
    pub refused: Option<(String, Refusal)>,
}

/// An amount offered beside the field.
#[derive(Debug, Clone, Copy)]
pub enum Suggestion {
    /// Half of what is left.
    Half(Money),
    /// All that is left.
    All(Money),
    /// This contact's last payment in this currency.
    SameAsLast(Money),
}

/// Why an amount was refused, with the figures its words need.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// Nothing was typed.
    Empty,
    /// It cannot be read as a number.
    NotANumber,
    /// More digits after the decimal mark than the currency has.
    TooManyDecimals,
    /// Zero or below.
    NotPositive,
    /// Less than the effective minimum.
    UnderMinimum(Money),
    /// More than is left, and nothing is in progress.
    OverLeft,
    /// More than is left because a part is on its way.
    OverLeftInProgress,
    /// A crumb would stay.
    Crumb {
        /// What was typed.
        amount: Money,
        /// What would stay.
        leaves: Money,
        /// The most that may be paid short of all; `None` when only all is legal.
        at_most: Option<Money>,
    },
    /// Less than a card payment can be.
    UnderCardMinimum(Money),
    /// More than a card payment can be.
    OverCardMaximum(Money),
    /// A three-decimal amount that the processor cannot take: it must end in the step.
    NotOnStep {
        /// The next legal amount below.
        below: Money,
        /// The next legal amount above.
        above: Money,
    },
    /// Exactly three digits after one mark that may mean two things.
    Unclear {
        /// What it means with a grouping mark.
        grouped: String,
        /// What it means with a decimal mark, cut to the currency's digits.
        decimal: String,
    },
    /// Another currency's sign or code was typed.
    OtherCurrency,
    /// A percentage outside what is legal.
    PercentOutOfRange {
        /// The least whole percentage that is legal.
        least: u8,
    },
    /// The invoice changed since the page was drawn.
    Changed {
        /// What was paid meanwhile.
        paid: Money,
    },
    /// It was paid in full meanwhile.
    PaidMeanwhile,
    /// The merchant takes this invoice in full only.
    InFullOnly,
    /// A part may be paid, but so little is left that each part would leave too little.
    AllOnly,
    /// All that is left is less than a card can take.
    TooLittleLeft,
    /// More is left than a card can take, and no part that it can take is allowed.
    TooMuchForACard(Money),
    /// All of it is being paid right now.
    AllInFlight,
    /// Nothing is left, and not since a moment ago.
    NothingLeft,
    /// It was cancelled.
    Void {
        /// The day, in the merchant's zone.
        on: Date,
    },
}

impl AmountPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        let title = self.chrome.words("amount-title", &[("number", Arg::name(&self.number))]);
        match self.form.refused {
            Some(_) => self.chrome.words("error-title", &[("title", Arg::text(title))]),
            None => title,
        }
    }

    /// `Invoice INV-1042`, above the question, or the heading where there is nothing to ask.
    pub fn for_invoice(&self) -> Rich {
        self.chrome.say("invoice-heading", &[("number", Arg::name(&self.number))])
    }
}

impl AmountForm {
    /// The reason in words, the same in the field and in the summary.
    pub fn refusal(&self, chrome: &Chrome, number: &str) -> Option<Rich> {
        let (typed, refusal) = self.refused.as_ref()?;
        Some(self.reason(refusal, typed, chrome, number))
    }

    fn reason(&self, refusal: &Refusal, typed: &str, chrome: &Chrome, number: &str) -> Rich {
        let money = |money: Money| chrome.amount(money);
        let currency = self.left.currency();
        let whole = Money::new(500 * currency.minor_per_major(), currency);
        match refusal {
            Refusal::Empty => chrome.say("amount-empty", &[]),
            Refusal::NotANumber => chrome.say(
                if currency.exponent() == 0 { "amount-not-a-whole-number" } else { "amount-not-a-number" },
                &[("example", Arg::text(chrome.locale.plain(whole)))],
            ),
            Refusal::TooManyDecimals if currency.exponent() == 0 => {
                chrome.say("amount-no-decimals", &[("currency", currency_arg(currency))])
            }
            Refusal::TooManyDecimals => {
                chrome.say("amount-too-many-decimals", &[("digits", Arg::Number(currency.exponent().into()))])
            }
            Refusal::NotPositive => {
                chrome.say("amount-not-positive", &[("zero", money(Money::zero(currency)))])
            }
            Refusal::UnderMinimum(minimum) => {
                chrome.say("amount-under-minimum", &[("minimum", money(*minimum))])
            }
            Refusal::OverLeft => chrome.say("amount-over-left", &[("left", money(self.left))]),
            Refusal::OverLeftInProgress => chrome.say(
                "amount-over-in-progress",
                &[("left", money(self.left)), ("pending", money(self.pending))],
            ),
            Refusal::Crumb { amount, leaves, at_most: Some(at_most) } => chrome.say(
                "amount-crumb",
                &[
                    ("amount", money(*amount)),
                    ("leaves", money(*leaves)),
                    ("all", money(self.left)),
                    ("most", money(*at_most)),
                ],
            ),
            Refusal::Crumb { amount, leaves, at_most: None } => chrome.say(
                "amount-crumb-all",
                &[("amount", money(*amount)), ("leaves", money(*leaves)), ("all", money(self.left))],
            ),
            Refusal::UnderCardMinimum(minimum) => {
                chrome.say("amount-under-card", &[("minimum", money(*minimum))])
            }
            Refusal::OverCardMaximum(maximum) => {
                chrome.say("amount-over-card", &[("maximum", money(*maximum))])
            }
            Refusal::NotOnStep { below, above } => {
                chrome.say("amount-not-on-step", &[("below", money(*below)), ("above", money(*above))])
            }
            Refusal::Unclear { grouped, decimal } => chrome.say(
                "amount-unclear",
                &[
                    ("typed", Arg::name(typed)),
                    ("grouped", Arg::text(grouped)),
                    ("decimal", Arg::text(decimal)),
                ],
            ),
            Refusal::OtherCurrency => {
                chrome.say("amount-other-currency", &[("currency", currency_arg(currency))])
            }
            Refusal::PercentOutOfRange { least } => {
                chrome.say("amount-percent", &[("least", Arg::Number(i64::from(*least)))])
            }
            other => self.about_the_invoice(other, chrome, number),
        }
    }

    /// The reasons that lie in the invoice, not in what was typed.
    fn about_the_invoice(&self, refusal: &Refusal, chrome: &Chrome, number: &str) -> Rich {
        let left = ("left", chrome.amount(self.left));
        match refusal {
            Refusal::Changed { paid } => {
                chrome.say("amount-changed", &[("paid", chrome.amount(*paid)), left])
            }
            Refusal::PaidMeanwhile => chrome.say("amount-paid-meanwhile", &[("number", Arg::name(number))]),
            Refusal::InFullOnly => chrome.say_merchant("in-full-only"),
            Refusal::AllOnly => chrome.say("amount-only-all", &[left]),
            Refusal::TooLittleLeft => {
                chrome.say("notice-too-little", &[left, ("merchant", chrome.merchant_name())])
            }
            Refusal::TooMuchForACard(most) => too_much_for_a_card(chrome, *most),
            Refusal::AllInFlight => chrome.say("notice-all-in-flight", &[]),
            Refusal::Void { on } => {
                let on = Arg::text(near_date(chrome, *on, self.today));
                chrome.say("invoice-void", &[("merchant", chrome.merchant_name()), ("on", on)])
            }
            _ => chrome.say("amount-nothing-left", &[("number", Arg::name(number))]),
        }
    }

    /// The amounts a refusal itself offers, as (address part in minor units, words).
    pub fn ways_out(&self, chrome: &Chrome) -> Vec<(i64, String)> {
        let offer =
            |money: &Money| (money.minor(), chrome.words("pay-amount", &[("amount", chrome.amount(*money))]));
        match self.refused.as_ref().map(|(_, refusal)| refusal) {
            Some(Refusal::Crumb { at_most, .. }) => {
                std::iter::once(&self.left).chain(at_most.as_ref()).map(offer).collect()
            }
            Some(Refusal::NotOnStep { below, above }) => {
                [below, above].into_iter().filter(|money| money.is_positive()).map(offer).collect()
            }
            Some(Refusal::InFullOnly | Refusal::AllOnly) if self.left.is_positive() => {
                vec![offer(&self.left)]
            }
            _ => Vec::new(),
        }
    }

    /// True when something may still be typed; false when the invoice is done with or taken in full only.
    pub fn is_open(&self) -> bool {
        use Refusal::{AllInFlight, AllOnly, InFullOnly, NothingLeft, PaidMeanwhile, Void};
        use Refusal::{TooLittleLeft, TooMuchForACard};
        let closed = matches!(
            self.refused,
            Some((
                _,
                PaidMeanwhile
                    | InFullOnly
                    | AllOnly
                    | TooLittleLeft
                    | TooMuchForACard(_)
                    | AllInFlight
                    | NothingLeft
                    | Void { .. }
            ))
        );
        !closed && self.left.is_positive()
    }

    /// What stands in the field: what was typed, else the figure.
    pub fn field_value(&self, chrome: &Chrome) -> String {
        match &self.refused {
            Some((typed, _)) => typed.clone(),
            None => chrome.locale.plain(self.shown),
        }
    }

    /// `Amount to pay now, in US dollars`.
    pub fn label(&self, chrome: &Chrome) -> Rich {
        chrome.say("amount-label", &[("currency", currency_arg(self.left.currency()))])
    }

    /// `Between $25.00 and $1,250.00`, or `Any amount up to $1,250.00`.
    pub fn hint(&self, chrome: &Chrome) -> Rich {
        match self.minimum {
            Some(minimum) if minimum.minor() < self.left.minor() => chrome.say(
                "amount-between",
                &[("minimum", chrome.amount(minimum)), ("most", chrome.amount(self.most))],
            ),
            Some(_) => chrome.say("amount-only-all", &[("left", chrome.amount(self.left))]),
            None => chrome.say("amount-up-to", &[("most", chrome.amount(self.most))]),
        }
    }

    /// The sign beside the field.
    pub fn sign(&self, chrome: &Chrome) -> &'static str {
        chrome.locale.sign(self.left.currency()).0
    }

    /// True when the sign stands before the figure.
    pub fn sign_first(&self, chrome: &Chrome) -> bool {
        chrome.locale.sign(self.left.currency()).1
    }

    /// The keypad a phone is asked for: with a decimal mark, or digits alone for currencies without one; `None` asks for
    /// none.
    pub fn keypad(&self) -> Option<&'static str> {
        match self.inputmode {
            AmountInputmode::None => None,
            AmountInputmode::Decimal if self.left.currency().exponent() == 0 => Some("numeric"),
            AmountInputmode::Decimal => Some("decimal"),
        }
    }

    /// The chips, as (minor units, words).
    pub fn chips(&self, chrome: &Chrome) -> Vec<(i64, String)> {
        let chip = |suggestion: &Suggestion| {
            let (key, money) = match suggestion {
                Suggestion::Half(money) => ("chip-half", money),
                Suggestion::All(money) => ("chip-all", money),
                Suggestion::SameAsLast(money) => ("chip-same", money),
            };
            (money.minor(), chrome.words(key, &[("amount", chrome.amount(*money))]))
        };
        self.suggestions.iter().take(3).map(chip).collect()
    }

    /// What the script needs to say what is left while somebody types; the server decides all the same.
    pub fn live(&self, chrome: &Chrome) -> LiveLine {
        let (decimal, grouping) = chrome.locale.number_marks();
        let currency = self.left.currency();
        let due = near_date(chrome, self.due, self.today);
        LiveLine {
            left_minor: self.left.minor(),
            exponent: currency.exponent(),
            decimal,
            grouping,
            locale: chrome.locale.tag().to_owned(),
            sample: chrome.locale.money(Money::zero(currency)),
            zero: chrome.locale.plain(Money::zero(currency)),
            words: chrome.words("amount-live", &[("left", Arg::text("%")), ("due", Arg::text(due))]),
            full: chrome.words("amount-live-full", &[]),
        }
    }
}

/// Data for the script, one attribute each.
#[derive(Debug, Clone)]
pub struct LiveLine {
    /// Payable now, in minor units.
    pub left_minor: i64,
    /// Digits after the decimal mark.
    pub exponent: u32,
    /// The decimal mark.
    pub decimal: char,
    /// The grouping mark.
    pub grouping: char,
    /// The tag for `Intl`.
    pub locale: String,
    /// How zero looks with its sign: the script puts other digits there.
    pub sample: String,
    /// How zero looks without.
    pub zero: String,
    /// The sentence, with `%` where the amount goes.
    pub words: String,
    /// The sentence when nothing would be left.
    pub full: String,
}

fn currency_arg(currency: Currency) -> Arg {
    Arg::text(currency_name(currency, 2))
}
