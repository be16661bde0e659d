//! Stripe's decline codes in the few kinds a payer is told apart.
//!
//! Source: <https://docs.stripe.com/declines/codes>. What would tell a thief that a card is known as lost or stolen, or
//! that a rule caught it, is never told: it is [`Decline::NoReason`], as is every code that is not named here.

use billing::payment::Decline;

/// The kind behind a decline code, or else behind the error's own code.
pub(super) fn reason(decline_code: Option<&str>, code: Option<&str>) -> Decline {
    let told = decline_code.map_or(Decline::NoReason, kind);
    if told == Decline::NoReason && decline_code.is_none_or(|word| word == "generic_decline") {
        return code.map_or(Decline::NoReason, kind);
    }
    told
}

fn kind(word: &str) -> Decline {
    match word {
        "insufficient_funds" => Decline::InsufficientFunds,
        "expired_card" | "invalid_expiry_month" | "invalid_expiry_year" => Decline::ExpiredCard,
        "incorrect_cvc" | "invalid_cvc" => Decline::WrongCode,
        "card_velocity_exceeded" | "withdrawal_count_limit_exceeded" | "amount_too_large" => {
            Decline::OverLimit
        }
        "authentication_required"
        | "authentication_not_handled"
        | "payment_intent_authentication_failure"
        | "mobile_device_authentication_required"
        | "online_or_offline_pin_required"
        | "offline_pin_required" => Decline::NotAuthenticated,
        "processing_error"
        | "issuer_not_available"
        | "reenter_transaction"
        | "try_again_later"
        | "approve_with_id" => Decline::ProcessorFault,
        _ => Decline::NoReason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_kind() {
        for (decline_code, code, expected) in [
            (Some("insufficient_funds"), Some("card_declined"), Decline::InsufficientFunds),
            (Some("expired_card"), Some("expired_card"), Decline::ExpiredCard),
            (None, Some("expired_card"), Decline::ExpiredCard),
            (Some("incorrect_cvc"), Some("incorrect_cvc"), Decline::WrongCode),
            (Some("invalid_cvc"), Some("incorrect_cvc"), Decline::WrongCode),
            (Some("card_velocity_exceeded"), Some("card_declined"), Decline::OverLimit),
            (Some("withdrawal_count_limit_exceeded"), Some("card_declined"), Decline::OverLimit),
            (Some("authentication_required"), Some("authentication_required"), Decline::NotAuthenticated),
            (None, Some("payment_intent_authentication_failure"), Decline::NotAuthenticated),
            (Some("processing_error"), Some("processing_error"), Decline::ProcessorFault),
            (Some("issuer_not_available"), Some("card_declined"), Decline::ProcessorFault),
            (Some("lost_card"), Some("card_declined"), Decline::NoReason),
            (Some("stolen_card"), Some("card_declined"), Decline::NoReason),
            (Some("fraudulent"), Some("card_declined"), Decline::NoReason),
            (Some("do_not_honor"), Some("card_declined"), Decline::NoReason),
            (Some("generic_decline"), Some("card_declined"), Decline::NoReason),
            (Some("a_code_of_next_year"), None, Decline::NoReason),
            (None, None, Decline::NoReason),
        ] {
            assert_eq!(reason(decline_code, code), expected, "{decline_code:?} {code:?}");
        }
    }

    #[test]
    fn a_stolen_card_is_not_explained_by_the_other_code() {
        assert_eq!(reason(Some("stolen_card"), Some("expired_card")), Decline::NoReason);
    }
}
