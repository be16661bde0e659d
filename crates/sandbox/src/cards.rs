//! The published test cards and what each of them does.
//!
//! Only these numbers are ever accepted. A number that is typed is looked up here and forgotten; what is kept is the card's name in this
//! table (its `pm_card_…` id), brand, last four digits and expiry. A number that is not in the table is never stored, logged or echoed.

use serde::{Deserialize, Serialize};

/// What the issuer of a test card does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Succeed,
    Decline(Decline),
    /// The bank wants to see the payer first; then it pays, or declines all the same.
    Challenge {
        then: Option<Decline>,
    },
}

/// A refusal in the processor's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) decline_code: &'static str,
    pub(crate) message: &'static str,
}

const fn decline(code: &'static str, decline_code: &'static str, message: &'static str) -> Decline {
    Decline { code, decline_code, message }
}

const GENERIC: Decline = decline("card_declined", "generic_decline", "Your card was declined.");
/// A charge without the payer present, on a card whose bank insists on seeing the payer.
pub(crate) const AUTHENTICATION_REQUIRED: Decline = decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
);

/// A published test card.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TestCard {
    /// Its id as a test payment method; what is stored in place of the number.
    pub(crate) token: &'static str,
    number: &'static str,
    pub(crate) brand: &'static str,
    pub(crate) funding: &'static str,
    pub(crate) behaviour: Behaviour,
}

const fn card(
    token: &'static str,
    number: &'static str,
    brand: &'static str,
    behaviour: Behaviour,
) -> TestCard {
    TestCard { token, number, brand, funding: "credit", behaviour }
}

const fn debit(
    token: &'static str,
    number: &'static str,
    brand: &'static str,
    behaviour: Behaviour,
) -> TestCard {
    TestCard { token, number, brand, funding: "debit", behaviour }
}

use Behaviour::{Challenge, Decline as Declines, Succeed};

/// Its refunds are pending for a day.
pub(crate) const PENDING_REFUND: &str = "pm_card_pendingRefund";
/// Its refunds succeed, and fail days later.
pub(crate) const REFUND_FAILS: &str = "pm_card_refundFail";
/// Its bank sees the payer when it is saved, and not again.
pub(crate) const ASKS_ONCE: &str = "pm_card_authenticationRequiredOnSetup";

const TEST_CARDS: &[TestCard] = &[
    card("pm_card_visa", "4242424242424242", "visa", Succeed),
    card("pm_card_mastercard", "5555555555554444", "mastercard", Succeed),
    card("pm_card_amex", "378282246310005", "amex", Succeed),
    card("pm_card_discover", "6011111111111117", "discover", Succeed),
    card("pm_card_diners", "3056930009020004", "diners", Succeed),
    card("pm_card_jcb", "3566002020360505", "jcb", Succeed),
    debit("pm_card_visa_debit", "4000056655665556", "visa", Succeed),
    card("pm_card_visa_chargeDeclined", "4000000000000002", "visa", Declines(GENERIC)),
    card(
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "4000000000009995",
        "visa",
        Declines(decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")),
    ),
    card(
        "pm_card_visa_chargeDeclinedLostCard",
        "4000000000009987",
        "visa",
        Declines(decline("card_declined", "lost_card", "Your card was declined.")),
    ),
    card(
        "pm_card_visa_chargeDeclinedStolenCard",
        "4000000000009979",
        "visa",
        Declines(decline("card_declined", "stolen_card", "Your card was declined.")),
    ),
    card(
        "pm_card_chargeDeclinedExpiredCard",
        "4000000000000069",
        "visa",
        Declines(decline("expired_card", "expired_card", "Your card has expired.")),
    ),
    card(
        "pm_card_chargeDeclinedIncorrectCvc",
        "4000000000000127",
        "visa",
        Declines(decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")),
    ),
    card(
        "pm_card_chargeDeclinedProcessingError",
        "4000000000000119",
        "visa",
        Declines(decline(
            "processing_error",
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        )),
    ),
    card(
        "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        "visa",
        Declines(decline(
            "card_declined",
            "card_velocity_exceeded",
            "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
        )),
    ),
    card("pm_card_chargeCustomerFail", "4000000000000341", "visa", Declines(GENERIC)),
    card("pm_card_createDispute", "4000000000000259", "visa", Succeed),
    card("pm_card_createDisputeProductNotReceived", "4000000000002685", "visa", Succeed),
    card("pm_card_createDisputeInquiry", "4000000000001976", "visa", Succeed),
    card(PENDING_REFUND, "4000000000007726", "visa", Succeed),
    card(REFUND_FAILS, "4000000000005126", "visa", Succeed),
    card("pm_card_authenticationRequired", "4000002760003184", "visa", Challenge { then: None }),
    card(ASKS_ONCE, "4000002500003155", "visa", Challenge { then: None }),
    card("pm_card_threeDSecure2Required", "4000000000003220", "visa", Challenge { then: None }),
    card(
        "pm_card_threeDSecureRequiredChargeDeclined",
        "4000008400001629",
        "visa",
        Challenge { then: Some(GENERIC) },
    ),
];

impl TestCard {
    /// The card of a typed number; spaces and dashes are allowed.
    pub(crate) fn by_number(typed: &str) -> Option<&'static Self> {
        let digits: String =
            typed.chars().filter(|character| !character.is_whitespace() && *character != '-').collect();
        TEST_CARDS.iter().find(|card| card.number == digits)
    }

    /// The card of a `pm_card_…` id.
    pub(crate) fn by_token(token: &str) -> Option<&'static Self> {
        TEST_CARDS.iter().find(|card| card.token == token)
    }

    /// The reason for which its holder disputes every charge, and whether the bank only asks.
    pub(crate) fn dispute(&self) -> Option<(&'static str, bool)> {
        match self.token {
            "pm_card_createDispute" => Some(("fraudulent", false)),
            "pm_card_createDisputeProductNotReceived" => Some(("product_not_received", false)),
            "pm_card_createDisputeInquiry" => Some(("fraudulent", true)),
            _ => None,
        }
    }

    /// The published number in groups, to fill the field again after a decline. It comes from the table, never from storage.
    pub(crate) fn grouped_number(&self) -> String {
        let groups: &[usize] = if self.brand == "amex" { &[4, 6, 5] } else { &[4, 4, 4, 4] };
        let mut rest = self.number;
        let mut parts = Vec::new();
        for length in groups {
            let (part, after) = rest.split_at(*length);
            parts.push(part);
            rest = after;
        }
        parts.join(" ")
    }

    pub(crate) fn last4(&self) -> &'static str {
        &self.number[self.number.len() - 4..]
    }

    /// Digits of the security code: four on American Express, three elsewhere.
    pub(crate) fn security_code_length(&self) -> usize {
        if self.brand == "amex" { 4 } else { 3 }
    }
}

/// A card as it is kept: enough to show, not enough to charge elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CardSummary {
    /// Which test card it was.
    pub(crate) token: String,
    pub(crate) brand: String,
    pub(crate) funding: String,
    pub(crate) last4: String,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) name: Option<String>,
}

impl CardSummary {
    pub(crate) fn of(card: &TestCard, exp_month: i64, exp_year: i64, name: Option<String>) -> Self {
        Self {
            token: card.token.to_owned(),
            brand: card.brand.to_owned(),
            funding: card.funding.to_owned(),
            last4: card.last4().to_owned(),
            exp_month,
            exp_year,
            name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TEST_CARDS, TestCard};

    #[test]
    fn every_number_passes_the_check_digit_and_can_be_typed_in_groups() {
        for card in TEST_CARDS {
            let sum: u32 = card
                .number
                .bytes()
                .rev()
                .enumerate()
                .map(|(index, byte)| {
                    let digit = u32::from(byte - b'0') * if index % 2 == 1 { 2 } else { 1 };
                    digit / 10 + digit % 10
                })
                .sum();
            assert_eq!(sum % 10, 0, "{}", card.token);
            assert_eq!(TestCard::by_number(&card.grouped_number()), Some(card));
            assert_eq!(TestCard::by_token(card.token), Some(card));
        }
        assert_eq!(TestCard::by_number("4111111111111111"), None);
    }
}
