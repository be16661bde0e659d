//! Typed, time-ordered ids: 16 bytes (UUID version 7) behind a printed prefix. Never sequential, never a secret.

use data_encoding::BASE32HEX_NOPAD;
use jiff::Timestamp;
use ledger::Dimension;
use std::fmt;
use std::str::FromStr;

/// The number of a merchant. It leads every key of every table, so it is small.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MerchantId(pub i64);

impl fmt::Display for MerchantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mer_{}", self.0)
    }
}

/// The text is no id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id that starts with {prefix}")]
pub struct WrongId {
    /// What was given.
    pub text: String,
    /// The prefix of the kind that was expected, for example `inv_`.
    pub prefix: &'static str,
}

fn time_ordered(now: Timestamp, random: [u8; 10]) -> [u8; 16] {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes()
}

fn print(prefix: &str, bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{prefix}{}", BASE32HEX_NOPAD.encode(bytes).to_ascii_lowercase())
}

fn parse(prefix: &'static str, text: &str) -> Result<[u8; 16], WrongId> {
    let wrong = || WrongId { text: text.chars().take(64).collect(), prefix };
    let rest = text.strip_prefix(prefix).filter(|rest| rest.len() == 26).ok_or_else(wrong)?;
    if rest.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(wrong());
    }
    let bytes = BASE32HEX_NOPAD.decode(rest.to_ascii_uppercase().as_bytes()).map_err(|_| wrong())?;
    bytes.try_into().map_err(|_| wrong())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What its printed form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id for this instant; `random` makes it unique.
            pub fn new(now: Timestamp, random: [u8; 10]) -> $name {
                $name(time_ordered(now, random))
            }

            /// The id in these bytes, as the store keeps it.
            pub const fn from_bytes(bytes: [u8; 16]) -> $name {
                $name(bytes)
            }

            /// The bytes the store keeps.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// As the dimension of a ledger account.
            pub const fn dimension(&self) -> Dimension {
                Dimension(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                print($prefix, &self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                print($prefix, &self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = WrongId;
            fn from_str(text: &str) -> Result<$name, WrongId> {
                parse($prefix, text).map($name)
            }
        }
    )*};
}

ids! {
    /// A company that is billed.
    CustomerId = "cus_";
    /// A person at a customer who may sign in and pay.
    ContactId = "con_";
    /// A demand for payment.
    InvoiceId = "inv_";
    /// Money asked for or received. Made when its form is drawn, so it is also the key that makes a repeat harmless.
    PaymentId = "pay_";
    /// One try of a payment at a processor.
    AttemptId = "att_";
    /// A part of a payment or of customer credit set against one invoice.
    AllocationId = "alc_";
    /// A grant of customer credit.
    GrantId = "grt_";
    /// A balanced set of entries.
    PostingId = "pst_";
    /// Customer credit that somebody set against an invoice, of one grant or of several.
    CreditApplicationId = "cap_";
    /// A document that lowers what an invoice asks.
    CreditNoteId = "crn_";
    /// What is given up of an invoice, or came after all.
    WriteOffId = "wof_";
    /// Money that we send back.
    RefundId = "rfd_";
    /// A card payment that its holder contests.
    DisputeId = "dsp_";
    /// What a processor transfers to the merchant's bank, or takes from it.
    PayoutId = "pyt_";
    /// A payment link.
    LinkId = "lnk_";
    /// Something that happened, for timelines and outgoing webhooks.
    EventId = "evt_";
    /// A mail in the outbox; it is also the stem of its Message-ID.
    MailId = "mai_";
    /// A job in the queue.
    JobId = "job_";
    /// A row of the audit trail.
    AuditId = "aud_";
    /// Something about money that a person has to look at.
    AnomalyId = "ano_";
    /// What a payer agreed to before an account is debited.
    MandateId = "man_";
    /// A card or bank account that a processor keeps for a person.
    PaymentMethodId = "pmt_";
    /// A page on which a person leaves a card or a bank account and pays nothing.
    SetupId = "stp_";
    /// A key of a program. Its secret is another text.
    ApiKeyId = "key_";
}

impl PaymentId {
    /// What a payer quotes on the telephone, for example `PAY-7F3K-2QWM-9C`: fifty random bits of the id, without
    /// the letters that are read as digits.
    pub fn reference(&self) -> String {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let tail = self.0[8..].iter().fold(0_u64, |tail, byte| (tail << 8) | u64::from(*byte));
        let letter =
            |position: u32| char::from(LETTERS[usize::try_from((tail >> (5 * position)) & 31).unwrap_or(0)]);
        let mut reference = String::from("PAY-");
        for position in (0..10).rev() {
            reference.push(letter(position));
            if position == 6 || position == 2 {
                reference.push('-');
            }
        }
        reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn ids_print_parse_and_sort_by_time() {
        let early = InvoiceId::new(at(1_700_000_000), [255; 10]);
        let late = InvoiceId::new(at(1_700_000_001), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse::<InvoiceId>(), Ok(early));
        assert!(early.to_string().starts_with("inv_"));
        assert_eq!(early.to_string().len(), 30);
    }

    #[test]
    fn only_the_canonical_form_is_an_id() {
        let id = PaymentId::new(at(1_700_000_000), [7; 10]).to_string();
        for wrong in [
            "",
            "pay_",
            &id.to_uppercase(),
            &id.replace("pay_", "inv_"),
            &format!("{id}0"),
            &format!("{}w", &id[..29]),
        ] {
            assert!(wrong.parse::<PaymentId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reference_is_short_and_follows_the_random_part() {
        let reference = PaymentId::new(at(1_700_000_000), [9; 10]).reference();
        assert_eq!(reference.len(), "PAY-7F3K-2QWM-9C".len());
        assert_ne!(reference, PaymentId::new(at(1_700_000_000), [8; 10]).reference());
    }
}
