//! The values of requests, each read strictly and described exactly: what the description allows is taken, what it does not
//! is refused with the field named. Amounts are integers in minor units; nothing is rounded, trimmed or guessed.

use billing::line::{MOST_MINOR, TaxRate};
use jiff::civil::Date;
use ledger::Currency;
use rust_decimal::Decimal;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// The most of any amount, minor units: 15 digits.
pub const MOST: i64 = MOST_MINOR;

fn text_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}

/// An amount above 0, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub i64);

/// An amount of either sign, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedAmount(pub i64);

/// An amount that may be 0, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AmountFromZero(pub i64);

/// A share of an amount: millionths of it, at most all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millionths(pub i64);

struct Within {
    least: i64,
    most: i64,
}

impl Visitor<'_> for Within {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.least, self.most)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
        if (self.least..=self.most).contains(&value) {
            Ok(value)
        } else {
            Err(E::invalid_value(de::Unexpected::Signed(value), &self))
        }
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => Err(E::invalid_value(de::Unexpected::Unsigned(value), &self)),
        }
    }
}

macro_rules! amounts {
    ($($name:ident: $least:expr, $most:expr, $doc:literal;)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                from.deserialize_i64(Within { least: $least, most: $most }).map($name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_i64(self.0)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::Integer))
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                    .minimum(Some($least))
                    .maximum(Some($most))
                    .description(Some($doc))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

amounts! {
    Amount: 1, MOST, "Minor units of the currency, above 0: 50000 is 500.00 USD.";
    SignedAmount: -MOST, MOST, "Minor units of the currency; below 0 for a deduction.";
    AmountFromZero: 0, MOST, "Minor units of the currency, 0 or above.";
    Millionths: 0, 1_000_000, "Millionths of an amount, at most all of it: 29000 is 2.9 %.";
}

/// A text of one line, not blank, of 1 to `MOST` characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<const MOST: usize>(pub String);

/// A text of several lines, of at most `MOST` characters; it may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines<const MOST: usize>(pub String);

const LINE: &str = "^[^\\u0000-\\u001F\\u007F-\\u009F]*[^\\s\\u0000-\\u001F\\u007F-\\u009F\\uFEFF][^\\u0000-\\u001F\\u007F-\\u009F]*$";
const LINES: &str = "^[^\\u0000-\\u0009\\u000B-\\u001F\\u007F-\\u009F]*$";

/// Reads a text, which may be borrowed or not.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from)
}

impl<'de, const MOST: usize> Deserialize<'de> for Line<MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = text(from)?;
        if text.chars().count() > MOST {
            return Err(de::Error::custom(format_args!("at most {MOST} characters are taken")));
        }
        if text.chars().any(char::is_control) {
            return Err(de::Error::custom("control characters and line breaks are not taken"));
        }
        if text.chars().all(|c| c.is_whitespace() || c == '\u{feff}') {
            return Err(de::Error::custom("it may not be blank"));
        }
        Ok(Line(text))
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Lines<MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = text(from)?;
        if text.chars().count() > MOST {
            return Err(de::Error::custom(format_args!("at most {MOST} characters are taken")));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(de::Error::custom("control characters other than line breaks are not taken"));
        }
        Ok(Lines(text))
    }
}

macro_rules! texts {
    ($($name:ident: $least:literal, $pattern:ident;)*) => {$(
        impl<const MOST: usize> Serialize for $name<MOST> {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<const MOST: usize> PartialSchema for $name<MOST> {
            fn schema() -> RefOr<Schema> {
                text_schema().min_length(Some($least)).max_length(Some(MOST)).pattern(Some($pattern)).into()
            }
        }

        impl<const MOST: usize> ToSchema for $name<MOST> {
            fn name() -> Cow<'static, str> {
                Cow::Owned(format!(concat!(stringify!($name), "{}"), MOST))
            }
        }
    )*};
}

texts! {
    Line: 1, LINE;
    Lines: 0, LINES;
}

/// A value that is written as text.
macro_rules! spelled {
    ($name:ident($inner:ty), $parse:expr, $spell:expr, $expected:expr, $schema:expr) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                let text = text(from)?;
                let parse: fn(&str) -> Option<$inner> = $parse;
                parse(&text).map($name).ok_or_else(|| de::Error::custom($expected))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let spell: fn(&$inner) -> String = $spell;
                to.serialize_str(&spell(&self.0))
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema: ObjectBuilder = $schema;
                schema.into()
            }
        }

        impl ToSchema for $name {}
    };
}

/// A civil date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

spelled!(
    Day(Date),
    |text| {
        let plain = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = plain.then(|| text.parse::<Date>().ok())??;
        (1970..=2999).contains(&date.year()).then_some(date)
    },
    Date::to_string,
    "a date such as 2026-11-30 is expected, from 1970 to 2999",
    text_schema()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
        .pattern(Some("^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"))
        .examples(["2026-11-30"])
);

/// A currency by its ISO 4217 code, in either case; answered in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

spelled!(
    CurrencyCode(Currency),
    |text| {
        let one_case =
            text.bytes().all(|b| b.is_ascii_lowercase()) || text.bytes().all(|b| b.is_ascii_uppercase());
        (one_case && text.len() == 3).then(|| Currency::try_new(&text.to_ascii_uppercase()).ok())?
    },
    |currency| currency.code().to_ascii_lowercase(),
    "a currency that is in use is expected by its ISO 4217 code, such as usd",
    text_schema().enum_values(Some(currencies())).examples(["usd"])
);

/// Every code that is taken, in both cases.
fn currencies() -> Vec<String> {
    let codes: Vec<&str> = Currency::all().map(|currency| currency.code()).collect();
    codes
        .iter()
        .map(|code| code.to_ascii_lowercase())
        .chain(codes.iter().map(|code| (*code).to_owned()))
        .collect()
}

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(pub String);

spelled!(
    Email(String),
    |text| {
        let exact = text.trim() == text && !text.contains('\u{feff}');
        (exact && billing::contact::comparable_email(text).is_some()).then(|| text.to_owned())
    },
    String::clone,
    "an e-mail address is expected",
    text_schema().max_length(Some(254)).pattern(Some(EMAIL)).examples(["dana@acme.example"])
);

/// What [`billing::contact::comparable_email`] takes, as a pattern.
const EMAIL: &str = concat!(
    "^[^\\s\\u0000-\\u001F\\u007F-\\u009F\\uFEFF<>,;:\"()\\[\\]\\\\@]+@",
    "[^\\s\\u0000-\\u001F\\u007F-\\u009F\\uFEFF<>,;:\"()\\[\\]\\\\@.-]",
    "([^\\s\\u0000-\\u001F\\u007F-\\u009F\\uFEFF<>,;:\"()\\[\\]\\\\@.]*",
    "[^\\s\\u0000-\\u001F\\u007F-\\u009F\\uFEFF<>,;:\"()\\[\\]\\\\@.-])?",
    "(\\.[^\\s\\u0000-\\u001F\\u007F-\\u009F\\uFEFF<>,;:\"()\\[\\]\\\\@.-]",
    "([^\\s\\u0000-\\u001F\\u007F-\\u009F\\uFEFF<>,;:\"()\\[\\]\\\\@.]*",
    "[^\\s\\u0000-\\u001F\\u007F-\\u009F\\uFEFF<>,;:\"()\\[\\]\\\\@.-])?)+$"
);

/// A decimal number: an integer, or text such as `"1.5"` with at most so many decimals. Never a float.
struct DecimalVisitor {
    expected: &'static str,
    places: usize,
}

impl Visitor<'_> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Decimal, E> {
        Ok(Decimal::from(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Decimal, E> {
        Ok(Decimal::from(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Decimal, E> {
        let (whole, decimals) = value.split_once('.').unwrap_or((value, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let short = whole.len() <= 8 && decimals.len() <= self.places;
        let plain = digits(whole) && digits(decimals) && (whole == "0" || !whole.starts_with('0'));
        let parsed = if short && plain { value.parse().ok() } else { None };
        parsed.ok_or_else(|| E::invalid_value(de::Unexpected::Str(value), &self))
    }
}

macro_rules! decimals {
    ($name:ident($inner:ty), $expected:literal, $places:literal, $check:expr, $spell:expr, $least:literal, $most:literal, $pattern:literal, $example:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                let decimal =
                    from.deserialize_any(DecimalVisitor { expected: $expected, places: $places })?;
                let check: fn(Decimal) -> Option<$inner> = $check;
                check(decimal).map($name).ok_or_else(|| de::Error::custom(concat!($expected, " is expected")))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let spell: fn(&$inner) -> String = $spell;
                to.serialize_str(&spell(&self.0))
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let number = ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::Integer))
                    .minimum(Some($least))
                    .maximum(Some($most));
                let text = text_schema().pattern(Some($pattern)).examples([$example]);
                Schema::AnyOf(
                    AnyOfBuilder::new().item(number).item(text).description(Some($expected)).build(),
                )
                .into()
            }
        }

        impl ToSchema for $name {}
    };
}

/// How many: 0 or more with at most six decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity(pub Decimal);

decimals!(
    Quantity(Decimal),
    "a whole number up to 99999999, or text such as \"1.5\" with at most six decimals",
    6,
    |decimal| (decimal >= Decimal::ZERO && decimal < Decimal::from(100_000_000)).then_some(decimal),
    |decimal| decimal.normalize().to_string(),
    0,
    99_999_999,
    "^(0|[1-9][0-9]{0,7})(\\.[0-9]{1,6})?$",
    "1.5"
);

/// Tax on top, in percent: 0 to 100 with at most four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(pub TaxRate);

decimals!(
    Percent(TaxRate),
    "a percentage from 0 to 100: a whole number, or text such as \"8.875\" with at most four decimals",
    4,
    TaxRate::from_percent,
    |rate| rate.percent().to_string(),
    0,
    100,
    "^(100(\\.0{1,4})?|(0|[1-9][0-9]?)(\\.[0-9]{1,4})?)$",
    "8.875"
);

/// An id in a request.
macro_rules! ids {
    ($($name:ident: $example:literal;)*) => {$(
        #[doc = concat!("A [`billing::ids::", stringify!($name), "`] in a request.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub billing::ids::$name);

        spelled!(
            $name(billing::ids::$name),
            |text| text.parse().ok(),
            billing::ids::$name::to_string,
            concat!("an id such as ", $example, " is expected"),
            text_schema()
                .pattern(Some(format!("^{}[0-9a-v]{{25}}[048cgkos]$", billing::ids::$name::PREFIX)))
                .examples([$example])
        );
    )*};
}

ids! {
    CustomerId: "cus_06a8q2m0000000000000000000";
    ContactId: "con_06a8q2m0000000000000000000";
    InvoiceId: "inv_06a8q2m0000000000000000000";
    PaymentId: "pay_06a8q2m0000000000000000000";
    PayoutId: "pyt_06a8q2m0000000000000000000";
    DisputeId: "dsp_06a8q2m0000000000000000000";
    RefundId: "rfd_06a8q2m0000000000000000000";
    PaymentMethodId: "pmt_06a8q2m0000000000000000000";
    MandateId: "man_06a8q2m0000000000000000000";
    EventId: "evt_06a8q2m0000000000000000000";
    GrantId: "grt_06a8q2m0000000000000000000";
    CreditNoteId: "crn_06a8q2m0000000000000000000";
}
