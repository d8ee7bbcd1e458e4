//! Keyed pseudonyms: the same person gives the same name, and only with the key.

use sha2::{Digest, Sha256};

/// Block of SHA-256, in bytes.
const BLOCK_LEN: usize = 64;
/// Hexadecimal digits of a pseudonym: 48 bits; among 100,000 people two share a name with a
/// chance below 2e-5.
const HEX_LEN: usize = 12;

/// The pseudonym of an e-mail address: `u_` and 12 hexadecimal digits.
///
/// Case and surrounding blanks do not count, for people type both.
pub fn pseudonym(key: &[u8], email: &str) -> String {
    named("u_", key, &email.trim().to_lowercase())
}

/// The pseudonym of a client's address: `a_` and 12 hexadecimal digits.
pub fn address_pseudonym(key: &[u8], address: &str) -> String {
    named("a_", key, &address.trim().to_lowercase())
}

fn named(prefix: &str, key: &[u8], text: &str) -> String {
    let mut name = String::with_capacity(prefix.len() + HEX_LEN);
    name.push_str(prefix);
    // The prefix is part of what is signed: an address never has the name of a user.
    let digest = hmac_sha256(key, &[prefix.as_bytes(), text.as_bytes()]);
    for byte in digest.iter().take(HEX_LEN / 2) {
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
