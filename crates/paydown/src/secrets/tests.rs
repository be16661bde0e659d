//! Sealed places, remade tokens, codes: what opens and what must not.

use super::*;
use std::collections::HashSet;

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes([byte; 32])
}

const PLACE: Place<'static> = Place { merchant: 1, column: "processor_accounts.secret_key", row: "stripe" };

#[test]
fn what_was_sealed_opens_at_its_place_only() {
    let sealed = key(1).seal(&PLACE, [9; 24], b"sk_test_123");
    assert_eq!(key(1).open(&PLACE, &sealed).unwrap().as_slice(), b"sk_test_123");
    assert!(!sealed.windows(8).any(|window| window == b"sk_test_"));
    for elsewhere in [
        Place { merchant: 2, ..PLACE },
        Place { column: "processor_accounts.webhook_secret", ..PLACE },
        Place { row: "stripe2", ..PLACE },
        // The boundary between column and row moved.
        Place { column: "processor_accounts.secret_keys", row: "tripe", ..PLACE },
    ] {
        assert!(key(1).open(&elsewhere, &sealed).is_err(), "{elsewhere:?}");
    }
}

#[test]
fn another_key_and_every_changed_bit_are_noticed() {
    let sealed = key(1).seal(&PLACE, [9; 24], b"whsec_1");
    let error = key(2).open(&PLACE, &sealed).unwrap_err();
    assert_eq!(error, CannotOpen::OtherKey("processor_accounts.secret_key of merchant 1".to_owned()));
    assert!(error.to_string().contains("secret key is not the one"), "{error}");
    let newer = [&[2], &sealed[1..]].concat();
    assert!(matches!(key(1).open(&PLACE, &newer).unwrap_err(), CannotOpen::Newer(_)));
    assert!(matches!(key(1).open(&PLACE, &sealed[..9]).unwrap_err(), CannotOpen::Cut(_)));
    for position in 0..sealed.len() {
        let mut tampered = sealed.clone();
        tampered[position] ^= 1;
        assert!(key(1).open(&PLACE, &tampered).is_err(), "byte {position}");
    }
    for len in 0..sealed.len() {
        assert!(key(1).open(&PLACE, &sealed[..len]).is_err(), "cut to {len}");
    }
}

#[test]
fn derived_values_differ_by_purpose_and_by_where_parts_end() {
    let values = [
        key(1).derive("a", &[b"bc", b"d"]),
        key(1).derive("a", &[b"b", b"cd"]),
        key(1).derive("ab", &[b"c", b"d"]),
        key(1).derive("a", &[b"bc", b"d", b""]),
        key(2).derive("a", &[b"bc", b"d"]),
    ];
    assert_eq!(values.iter().collect::<HashSet<_>>().len(), values.len());
    assert_eq!(values[0], key(1).derive("a", &[b"bc", b"d"]));
}

#[test]
fn tokens_name_their_merchant_and_nothing_else() {
    let token = key(1).link_token(33, &[7; 16]);
    assert_eq!(token, key(1).link_token(33, &[7; 16]), "a mail sent again carries the same link");
    assert!(token.starts_with("11.") && token.len() == 35, "{token}");
    assert_eq!(token_merchant(&token), Some(33));
    assert_eq!(token_merchant(&key(1).link_token(i64::MAX, &[7; 16])), Some(i64::MAX));
    let others = [
        key(1).link_token(33, &[8; 16]),
        key(2).link_token(33, &[7; 16]),
        key(1).sign_in_link_token(33, &[7; 16]),
    ];
    for other in others {
        assert_ne!(other, token);
        assert_ne!(token_hash(&other), token_hash(&token));
    }
    let secret = token.split_once('.').unwrap().1;
    assert_ne!(key(1).link_token(34, &[7; 16]).split_once('.').unwrap().1, secret);
}

#[test]
fn only_the_canonical_form_is_a_token() {
    let secret = "0123456789abcdefghijklmnopqrstuv";
    assert_eq!(token_merchant(&format!("1.{secret}")), Some(1));
    for wrong in [
        String::new(),
        "1".to_owned(),
        "1.".to_owned(),
        format!(".{secret}"),
        format!("0.{secret}"),
        format!("-1.{secret}"),
        format!("+1.{secret}"),
        format!("01.{secret}"),
        format!("A.{secret}"),
        format!("w.{secret}"),
        format!("zzzzzzzzzzzzzzzz.{secret}"),
        format!("1.{secret}0"),
        format!("1.{}", secret.to_uppercase()),
        format!("1.{}é", &secret[..30]),
    ] {
        assert_eq!(token_merchant(&wrong), None, "{wrong}");
    }
}

#[test]
fn codes_are_six_digits_and_spread_evenly() {
    let mut tens = [0_u32; 10];
    for number in 0..5_000_u128 {
        let code = key(1).sign_in_code(1, &number.to_be_bytes());
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        tens[usize::from(code.as_bytes()[0] - b'0')] += 1;
    }
    assert!(tens.iter().all(|count| (400..600).contains(count)), "{tens:?}");
    assert_ne!(key(1).sign_in_code(1, &[1; 16]), key(1).sign_in_code(2, &[1; 16]));
}

#[test]
fn the_hash_of_a_code_is_salted_and_keyed() {
    assert_eq!(key(1).code_hash(&[1; 16], "123456"), key(1).code_hash(&[1; 16], "123456"));
    assert_ne!(key(1).code_hash(&[1; 16], "123456"), key(1).code_hash(&[2; 16], "123456"));
    assert_ne!(key(1).code_hash(&[1; 16], "123456"), key(2).code_hash(&[1; 16], "123456"));
}

#[test]
fn debug_shows_nothing_of_the_key() {
    assert_eq!(format!("{:?}", key(7)), "SecretKey(…)");
}

#[test]
fn the_key_is_made_once_and_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let made = SecretKey::load_or_create(dir.path(), None, [1; 32]).unwrap();
    let read = SecretKey::load_or_create(dir.path(), None, [2; 32]).unwrap();
    assert_eq!(made.derive("x", &[]), read.derive("x", &[]));
    assert_eq!(made.derive("x", &[]), key(1).derive("x", &[]));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
    let elsewhere = dir.path().join("missing");
    assert!(SecretKey::load_or_create(&elsewhere, None, [1; 32]).is_err());
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    SecretKey::load_or_create(dir.path(), None, [1; 32]).unwrap();
    let path = dir.path().join(KEY_FILE);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = SecretKey::load_or_create(dir.path(), None, [1; 32]).unwrap_err().to_string();
    assert!(error.contains("mode 644") && error.contains("chmod 600"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_named_file_is_hex_or_base64_and_must_exist() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("named.key");
    let load = || SecretKey::load_or_create(dir.path(), Some(&path), [9; 32]);
    assert!(load().is_err(), "a named file is never made");
    for text in [
        HEXLOWER.encode(&[1; 32]),
        format!("{}\r\n", HEXLOWER.encode(&[1; 32]).to_uppercase()),
        BASE64.encode(&[1; 32]),
        BASE64URL_NOPAD.encode(&[1; 32]),
    ] {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(load().unwrap().derive("x", &[]), key(1).derive("x", &[]));
    }
    for text in [String::new(), "password1".to_owned(), "g".repeat(64), "0".repeat(63), "0".repeat(5_000)] {
        fs::write(&path, &text).unwrap();
        let error = format!("{:#}", load().unwrap_err());
        assert!(text.is_empty() || !error.contains(&text), "the error repeats the file: {error}");
    }
    assert!(!dir.path().join(KEY_FILE).exists());
}
