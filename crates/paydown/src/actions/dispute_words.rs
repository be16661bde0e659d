//! Why payers contest, in words for the merchant's people. The payer never reads them.

/// What a processor's name of a reason means; a name that is not known is shown as it is.
pub(crate) fn reason_words(reason: &str) -> String {
    let known = match reason {
        "fraudulent" => "the cardholder says it was not them",
        "product_not_received" => "nothing was received, they say",
        "product_unacceptable" => "it was not as described, they say",
        "duplicate" => "it was charged twice, they say",
        "credit_not_processed" => "a refund was promised and did not come, they say",
        "subscription_canceled" => "it was cancelled, they say",
        "unrecognized" => "the cardholder does not recognise it",
        "general" | "" => "no reason is told",
        other => return other.replace('_', " "),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::reason_words;

    #[test]
    fn every_reason_reads() {
        assert_eq!(reason_words("fraudulent"), "the cardholder says it was not them");
        assert_eq!(reason_words("a_word_of_next_year"), "a word of next year");
    }
}
