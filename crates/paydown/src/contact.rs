//! The merchant's help contact as pages and mails show it: an address to write to, a number to call, each a link and neither
//! broken over two lines. It must never make a link of anything it does not know for one of these two.

/// One way to reach the merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// As it is read: a number's spaces do not break.
    pub words: String,
    /// `mailto:` or `tel:`; `None` for other words.
    pub href: Option<String>,
}

/// The ways named in a help contact such as `billing@northwind.example, +1 503 555 0142`, in its order.
pub fn contacts(help: &str) -> Vec<Contact> {
    help.split(", ").map(str::trim).filter(|part| !part.is_empty()).map(contact).collect()
}

/// The same inside a sentence: `billing@northwind.example, +1 503 555 0142`, the number in one piece.
pub fn in_a_sentence(help: &str) -> String {
    contacts(help).into_iter().map(|contact| contact.words).collect::<Vec<_>>().join(", ")
}

fn contact(part: &str) -> Contact {
    if is_email(part) {
        return Contact { words: part.to_owned(), href: Some(format!("mailto:{part}")) };
    }
    if is_number(part) {
        let dialled: String = part.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        return Contact { words: part.replace(' ', "\u{a0}"), href: Some(format!("tel:{dialled}")) };
    }
    Contact { words: part.to_owned(), href: None }
}

/// Letters, digits and the marks that mean nothing in a `mailto:` address: no `?`, which would add headers to the mail.
fn is_email(part: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    part.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && host.contains('.') && local.chars().all(plain) && host.chars().all(plain)
    })
}

fn is_number(part: &str) -> bool {
    let digits = part.chars().filter(char::is_ascii_digit).count();
    let marks = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '-' | '.' | '/');
    digits >= 6 && part.strip_prefix('+').unwrap_or(part).chars().all(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(help: &str) -> Vec<Option<String>> {
        contacts(help).into_iter().map(|contact| contact.href).collect()
    }

    #[test]
    fn an_address_and_a_number_are_links() {
        let found = contacts("billing@northwind.example, +1 (503) 555-0142");
        assert_eq!(found[0].href.as_deref(), Some("mailto:billing@northwind.example"));
        assert_eq!(found[1].href.as_deref(), Some("tel:+15035550142"));
        assert_eq!(found[1].words, "+1\u{a0}(503)\u{a0}555-0142");
        assert_eq!(in_a_sentence("a@b.example, 555 0142"), "a@b.example, 555\u{a0}0142");
    }

    #[test]
    fn nothing_else_is() {
        for help in [
            "Ask Sam",
            "a@b.example?bcc=c@d.example",
            "javascript:alert(1)",
            "12 34",
            "a@b",
            "@b.example",
            "",
        ] {
            assert!(links(help).into_iter().all(|href| href.is_none()), "{help}");
        }
    }
}
