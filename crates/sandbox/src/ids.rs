//! Identifiers in the shape of the processor's: a prefix and letters and digits.
//!
//! They follow from the configured seed and a stored counter, so a demo looks the same every time. They must never be taken
//! for secrets: this is a practice processor, and its addresses are guessable by whoever knows the seed.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` letters and digits that follow from `seed`, a `purpose` and a `number`.
pub(crate) fn code(seed: u64, purpose: &str, number: u64, length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut block: u64 = 0;
    while text.len() < length {
        let digest = Sha256::digest(format!("{seed}/{purpose}/{number}/{block}"));
        let wanted = length - text.len();
        text.extend(
            digest.iter().take(wanted).map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])),
        );
        block += 1;
    }
    text
}

/// Six decimal digits that follow from a text: the code a mock bank prints on its screen.
pub(crate) fn six_digits(seed: u64, purpose: &str) -> String {
    let digest = Sha256::digest(format!("{seed}/six/{purpose}"));
    digest.iter().take(6).map(|byte| char::from(b'0' + byte % 10)).collect()
}

#[cfg(test)]
mod tests {
    use super::{code, six_digits};

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_gives_others() {
        assert_eq!(code(1, "pi_", 7, 24), code(1, "pi_", 7, 24));
        assert_ne!(code(1, "pi_", 7, 24), code(2, "pi_", 7, 24));
        assert_ne!(code(1, "pi_", 7, 24), code(1, "pi_", 8, 24));
        assert_eq!(code(1, "cs", 1, 58).len(), 58);
        assert!(six_digits(1, "pi_1").bytes().all(|byte| byte.is_ascii_digit()));
    }
}
