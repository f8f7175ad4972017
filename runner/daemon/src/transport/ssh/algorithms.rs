//! Which algorithms we offer, and in which order. No SHA-1, no CBC, no DSA, no compression.

use std::borrow::Cow;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, cipher, compression, kex, mac};

/// curve25519 first: OpenSSH's default, a post-quantum exchange, costs a client 160-180 ms of CPU for each connection.
const KEX: &[kex::Name] = &[
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::MLKEM768X25519_SHA256,
    kex::DH_GEX_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_G14_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

const MACS: &[mac::Name] = &[mac::HMAC_SHA256_ETM, mac::HMAC_SHA512_ETM, mac::HMAC_SHA256, mac::HMAC_SHA512];

/// Output of commands is short or already compressed; compressing it would cost more CPU than the network saves.
const COMPRESSION: &[compression::Name] = &[compression::NONE];

const HOST_KEYS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// What we offer to a host of which we know keys of the types `known`: those types first, so that the host shows the key we can check.
pub(crate) fn preferred(known: &[Algorithm]) -> Preferred {
    let is_known = |offered: &Algorithm| known.iter().any(|k| same_type(k, offered));
    let mut host_keys = HOST_KEYS.to_vec();
    // The sort is stable: inside each half our own order stays.
    host_keys.sort_by_key(|algorithm| !is_known(algorithm));
    Preferred {
        kex: Cow::Borrowed(KEX),
        key: Cow::Owned(host_keys),
        host_key_certificates: Cow::Borrowed(&[]),
        cipher: Cow::Borrowed(CIPHERS),
        mac: Cow::Borrowed(MACS),
        compression: Cow::Borrowed(COMPRESSION),
    }
}

fn same_type(known: &Algorithm, offered: &Algorithm) -> bool {
    match (known, offered) {
        // One RSA key serves every RSA signature.
        (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
        (known, offered) => known == offered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_types_come_first_and_nothing_old_is_offered() {
        let offer = preferred(&[Algorithm::Rsa { hash: None }]);
        let names: Vec<&str> = offer.key.iter().map(Algorithm::as_str).collect();
        assert_eq!(names[..3], ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]);
        assert!(!names.contains(&"ssh-rsa"));
        assert_eq!(preferred(&[]).key[0], Algorithm::Ed25519);
        assert_eq!(preferred(&[]).kex[0].as_ref(), "curve25519-sha256");
        assert!(offer.mac.iter().all(|m| !m.as_ref().contains("sha1")));
    }
}
