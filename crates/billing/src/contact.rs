//! Addresses of people: one form for comparing, never for display.

/// The form in which two e-mail addresses are compared: trimmed, lower case. `None` when it cannot be an address.
pub fn comparable_email(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let (local, domain) = trimmed.rsplit_once('@')?;
    let plain = |part: &str| {
        part.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>,;:\"()[]\\".contains(c))
    };
    let labels_fine =
        domain.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    let fine = !local.is_empty() && !local.contains('@') && domain.contains('.') && labels_fine;
    (fine && plain(local) && plain(domain) && trimmed.len() <= 254).then(|| trimmed.to_lowercase())
}

/// How an address is shown to someone who does not own it: `d…@acme.test`.
pub fn masked_email(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => {
            let first: String = local.chars().take(1).collect();
            format!("{first}…@{domain}")
        }
        None => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_compare_without_case_and_blanks() {
        assert_eq!(comparable_email(" Dana@Acme.Test "), Some("dana@acme.test".to_owned()));
        for wrong in [
            "",
            "dana",
            "dana@",
            "@acme.test",
            "a@b",
            "a b@acme.test",
            "a@acme..test",
            "a\r\nBcc: x@acme.test",
            "a@@acme.test",
        ] {
            assert_eq!(comparable_email(wrong), None, "{wrong:?}");
        }
        assert_eq!(masked_email("dana@acme.test"), "d…@acme.test");
    }
}
