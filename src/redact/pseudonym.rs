//! Keyed pseudonyms: the same person gives the same name, and only with the key.

use sha2::{Digest, Sha256};

/// Block of SHA-256, in bytes.
const BLOCK_LEN: usize = 64;
/// Hexadecimal digits of a pseudonym: 48 bits; among 100,000 people two share a name with a
/// chance below 2e-5.
const HEX_LEN: usize = 12;
/// Those of an identity: 96 bits, for two records that shared one would be taken for one.
const IDENTITY_HEX_LEN: usize = 24;

/// The pseudonym of an e-mail address: `u_` and 12 hexadecimal digits.
///
/// Case and surrounding blanks do not count, for people type both.
pub fn pseudonym(key: &[u8], email: &str) -> String {
    named("u_", HEX_LEN, key, &[email.trim().to_lowercase().as_bytes()])
}

/// Whether a text has the form of [`pseudonym`].
pub(super) fn is_pseudonym(text: &str) -> bool {
    text.strip_prefix("u_").is_some_and(|digits| {
        digits.len() == HEX_LEN && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// The pseudonym of a client's address: `a_` and 12 hexadecimal digits.
pub fn address_pseudonym(key: &[u8], address: &str) -> String {
    named("a_", HEX_LEN, key, &[address.trim().to_lowercase().as_bytes()])
}

/// The pseudonym of any other value: `p_` and 12 hexadecimal digits.
///
/// Case and surrounding blanks do not count, as with the others.
pub fn value_pseudonym(key: &[u8], value: &str) -> String {
    named("p_", HEX_LEN, key, &[value.trim().to_lowercase().as_bytes()])
}

/// The identity of a record by the values that tell it from others: `d_` and 24 hexadecimal
/// digits, which say nothing about the values.
pub fn identity(key: &[u8], values: &[String]) -> String {
    // Each with its length, so that no two lists of values are the same bytes.
    let parts: Vec<Vec<u8>> = values
        .iter()
        .map(|value| [&(value.len() as u64).to_be_bytes(), value.as_bytes()].concat())
        .collect();
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    named("d_", IDENTITY_HEX_LEN, key, &parts)
}

fn named(prefix: &str, hex_len: usize, key: &[u8], texts: &[&[u8]]) -> String {
    let mut name = String::with_capacity(prefix.len() + hex_len);
    name.push_str(prefix);
    // The prefix is part of what is signed: an address never has the name of a user.
    let mut parts = vec![prefix.as_bytes()];
    parts.extend_from_slice(texts);
    let digest = hmac_sha256(key, &parts);
    for byte in digest.iter().take(hex_len / 2) {
        for nibble in [byte >> 4, byte & 15] {
            name.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    name
}

/// HMAC with SHA-256 over the concatenation of `parts`. Source: RFC 2104.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let hashed: [u8; 32];
    let key = if key.len() > BLOCK_LEN {
        hashed = Sha256::digest(key).into();
        &hashed[..]
    } else {
        key
    };
    let mut inner = [0x36_u8; BLOCK_LEN];
    let mut outer = [0x5c_u8; BLOCK_LEN];
    for ((inner, outer), byte) in inner.iter_mut().zip(&mut outer).zip(key) {
        *inner ^= byte;
        *outer ^= byte;
    }
    let mut hash = Sha256::new_with_prefix(inner);
    for part in parts {
        hash.update(part);
    }
    Sha256::new_with_prefix(outer).chain_update(hash.finalize()).finalize().into()
}
