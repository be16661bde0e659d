//! The one catalogue of every word a payer reads, embedded in the binary. Sentences live in `texts/en/*.ftl`, never in
//! templates or code; amounts and names come in as arguments. It must never decide anything.

use askama::filters::{Html, HtmlSafe, escape};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

/// Each file of the catalogue: (name, contents).
const FILES: [(&str, &str); 5] = [
    ("formats", include_str!("../texts/en/formats.ftl")),
    ("portal", include_str!("../texts/en/portal.ftl")),
    ("errors", include_str!("../texts/en/errors.ftl")),
    ("mail", include_str!("../texts/en/mail.ftl")),
    ("help", include_str!("../texts/en/help.ftl")),
];

/// The catalogue in English, the only language so far.
pub struct Texts {
    bundle: FluentBundle<FluentResource>,
}

/// What is set into a sentence.
#[derive(Debug, Clone)]
pub enum Arg {
    /// Words of ours: an amount, a date. Escaped in pages.
    Text(String),
    /// A name or other words of a person: escaped, and in pages kept apart from the direction of the text around it.
    Name(String),
    /// A count, which may choose the plural.
    Number(i64),
}

impl Arg {
    /// Words of ours, such as a formatted amount.
    pub fn text(words: impl Into<String>) -> Arg {
        Arg::Text(words.into())
    }

    /// A name somebody typed.
    pub fn name(name: impl Into<String>) -> Arg {
        Arg::Name(name.into())
    }
}

/// A sentence that is HTML already: its marks are the catalogue's, its arguments were escaped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rich(String);

impl fmt::Display for Rich {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Rich {}

/// The catalogue.
pub fn texts() -> &'static Texts {
    static TEXTS: LazyLock<Texts> = LazyLock::new(Texts::embedded);
    &TEXTS
}

impl Texts {
    fn embedded() -> Texts {
        let english = "en".parse().expect("en is a language tag");
        let mut bundle = FluentBundle::new_concurrent(vec![english]);
        // Isolation marks would stand in titles, mails and copied amounts; pages isolate names with <bdi>.
        bundle.set_use_isolating(false);
        for (name, contents) in FILES {
            let resource = FluentResource::try_new(contents.to_owned())
                .unwrap_or_else(|(_, errors)| panic!("{name}.ftl cannot be read: {errors:?}"));
            bundle
                .add_resource(resource)
                .unwrap_or_else(|errors| panic!("{name}.ftl repeats a key: {errors:?}"));
        }
        Texts { bundle }
    }

    /// A text without arguments.
    pub fn get(&self, key: &str) -> String {
        self.fmt(key, &[])
    }

    /// A text with its arguments, as plain words: for titles, mail subjects, the text part of mails. A key that does not
    /// exist shows as itself, which a test makes impossible.
    pub fn fmt(&self, key: &str, args: &[(&str, Arg)]) -> String {
        self.find(key, args).unwrap_or_else(|| key.to_owned())
    }

    /// As [`Texts::fmt`], or `None` where the catalogue has no such key.
    pub fn find(&self, key: &str, args: &[(&str, Arg)]) -> Option<String> {
        self.format(key, args, |arg| match arg {
            Arg::Text(words) | Arg::Name(words) => words.clone(),
            Arg::Number(_) => String::new(),
        })
    }

    /// A text for a page: marks such as `<b>` are the catalogue's own, every argument is escaped, names are isolated.
    pub fn rich(&self, key: &str, args: &[(&str, Arg)]) -> Rich {
        let html = self.format(key, args, |arg| match arg {
            Arg::Text(words) => escaped(words),
            Arg::Name(words) => format!("<bdi>{}</bdi>", escaped(words)),
            Arg::Number(_) => String::new(),
        });
        Rich(html.unwrap_or_else(|| escaped(key)))
    }

    fn format(&self, key: &str, args: &[(&str, Arg)], words: impl Fn(&Arg) -> String) -> Option<String> {
        let pattern = self.bundle.get_message(key)?.value()?;
        let mut fluent = FluentArgs::with_capacity(args.len());
        for (name, arg) in args {
            match arg {
                Arg::Number(number) => fluent.set(*name, *number),
                other => fluent.set(*name, words(other)),
            }
        }
        let mut errors = Vec::new();
        let text: Cow<'_, str> = self.bundle.format_pattern(pattern, Some(&fluent), &mut errors);
        debug_assert!(errors.is_empty(), "{key}: {errors:?}");
        let mut text = text.into_owned();
        for (_, arg) in args {
            // "This is for Acme Inc." has its full stop already.
            if let Arg::Name(name) = arg
                && name.ends_with('.')
            {
                let shown = words(arg);
                text = text.replace(&format!("{shown}."), &shown);
            }
        }
        Some(text)
    }
}

/// Text made safe to stand in HTML.
fn escaped(text: &str) -> String {
    escape(text, Html).map_or_else(|never| match never {}, |safe| safe.to_string())
}

#[cfg(test)]
mod tests;
