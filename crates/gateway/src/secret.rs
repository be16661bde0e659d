//! Text that must not be printed nor linger in memory.

use std::fmt;
use zeroize::Zeroizing;

/// A secret. `Debug` shows none of it; the memory is wiped when it is dropped.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over.
    pub fn new(text: String) -> SecretText {
        SecretText(Zeroizing::new(text))
    }

    /// The text itself, for the place that must have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> SecretText {
        SecretText::new(text.to_owned())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_it() {
        let secret = SecretText::from("sk_test_4eC39HqLyjWDarjtT1zdp7dc");
        assert_eq!(format!("{secret:?}"), "SecretText(…)");
        assert_eq!(secret.expose().len(), 32);
    }
}
