//! A certificate's DER to facts (RFC 5280).

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use evidence::{Digest, Timestamp};
use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

use super::algorithms;
use super::facts::Certificate;
use super::name;

use crate::order::Order as _;

/// Longer than any certificate that a TLS handshake can carry in practice.
const MAX_BYTES: usize = 64 * 1024;
/// Names beyond are counted.
const MAX_NAMES: usize = 100;
/// A name or serial number of more characters is none that somebody means.
const MAX_TEXT: usize = 2_048;

/// Reads a certificate; bytes behind it (OpenSSL's trust settings) are skipped. The places are still empty.
pub(super) fn read(der: &[u8]) -> Result<Certificate, &'static str> {
    if der.len() > MAX_BYTES {
        return Err("a certificate of more than 64 KiB");
    }
    let (_, parsed) = X509Certificate::from_der(der).map_err(|_| "not an X.509 certificate in DER")?;
    let instant = |seconds| Timestamp::from_unix(seconds).map_err(|_| "its validity is outside the years 1970 to 9999");
    let validity = parsed.validity();
    let key = algorithms::key(parsed.public_key());
    let (signature_algorithm, signature_hash) = algorithms::signature(&parsed.signature_algorithm);
    let mut certificate = Certificate {
        sha256: Digest::of(parsed.as_raw()).to_string(),
        public_key_sha256: Digest::of(parsed.public_key().raw).to_string(),
        subject: name::text(parsed.subject()),
        issuer: name::text(parsed.issuer()),
        serial: serial(parsed.raw_serial()),
        version: match parsed.version() {
            X509Version::V1 => 1,
            X509Version::V2 => 2,
            X509Version::V3 => 3,
            _ => return Err("of a version that is none"),
        },
        not_before: instant(validity.not_before.timestamp())?,
        not_after: instant(validity.not_after.timestamp())?,
        key: key.kind,
        key_bits: key.bits,
        curve: key.curve,
        signature_algorithm,
        signature_hash,
        self_signed: self_signed(&parsed),
        ca: false,
        key_usage: vec![],
        extended_key_usage: vec![],
        names: vec![],
        name_count: 0,
        leaf: false,
        trust_anchor: false,
        files: vec![],
        services: vec![],
        ports: vec![],
    };
    for extension in parsed.iter_extensions() {
        take(&mut certificate, extension.parsed_extension())?;
    }
    let texts = [&certificate.subject, &certificate.issuer, &certificate.serial];
    if texts.iter().any(|text| text.len() > MAX_TEXT) {
        return Err("a name or serial number of more than 2,048 characters");
    }
    Ok(certificate)
}

/// What OpenSSL means by self-signed: no signature is verified.
fn self_signed(certificate: &X509Certificate<'_>) -> bool {
    let mut own = None;
    let mut issuer = None;
    for extension in certificate.iter_extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => own = Some(id.0),
            ParsedExtension::AuthorityKeyIdentifier(authority) => {
                issuer = authority.key_identifier.as_ref().map(|id| id.0);
            }
            _ => {}
        }
    }
    let same_key = match (own, issuer) {
        (Some(own), Some(issuer)) => own == issuer,
        _ => true,
    };
    certificate.subject().as_raw() == certificate.issuer().as_raw() && same_key
}

fn take(certificate: &mut Certificate, extension: &ParsedExtension<'_>) -> Result<(), &'static str> {
    match extension {
        ParsedExtension::ParseError { .. } => return Err("an extension that cannot be read"),
        ParsedExtension::BasicConstraints(constraints) => certificate.ca = constraints.ca,
        ParsedExtension::KeyUsage(usage) => {
            const BITS: [&str; 9] = [
                "digital_signature",
                "non_repudiation",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ];
            let set = BITS.iter().enumerate().filter(|(bit, _)| usage.flags >> bit & 1 == 1);
            certificate.key_usage = set.map(|(_, name)| (*name).to_owned()).collect();
        }
        ParsedExtension::ExtendedKeyUsage(usage) => {
            let known = [
                (usage.any, "any"),
                (usage.server_auth, "server_auth"),
                (usage.client_auth, "client_auth"),
                (usage.code_signing, "code_signing"),
                (usage.email_protection, "email_protection"),
                (usage.time_stamping, "time_stamping"),
                (usage.ocsp_signing, "ocsp_signing"),
            ];
            let known = known.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned());
            let mut usages: Vec<String> = known.chain(usage.other.iter().map(Oid::to_id_string)).collect();
            usages.order();
            usages.dedup();
            usages.truncate(MAX_NAMES);
            certificate.extended_key_usage = usages;
        }
        ParsedExtension::SubjectAlternativeName(alternative) => {
            let names = &alternative.general_names;
            certificate.name_count = u32::try_from(names.len()).unwrap_or(u32::MAX);
            let mut shown: Vec<String> = names.iter().filter_map(general_name).collect();
            shown.order();
            shown.dedup();
            shown.truncate(MAX_NAMES);
            certificate.names = shown;
        }
        _ => {}
    }
    Ok(())
}

/// DNS names and addresses; others may name people.
fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        // RFC 1035: no name is longer.
        GeneralName::DNSName(name) if name.len() <= 255 => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(four) => Some(Ipv4Addr::from(four).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|sixteen| Ipv6Addr::from(sixteen).to_string()),
        },
        _ => None,
    }
}

/// As `openssl x509 -serial` prints it; a negative number, which RFC 5280 forbids, with a sign.
fn serial(bytes: &[u8]) -> String {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut magnitude = bytes.to_vec();
    if negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (next, over) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (next, over);
        }
    }
    let first = magnitude.iter().position(|byte| *byte != 0);
    let significant = first.and_then(|first| magnitude.get(first..)).unwrap_or(&[0]);
    let mut text = String::from(if negative { "-" } else { "" });
    for byte in significant {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn serial_numbers() {
        assert_eq!(serial(&[0]), "00");
        assert_eq!(serial(&[]), "00");
        assert_eq!(serial(&[0, 0x80]), "80");
        assert_eq!(serial(&[0x0a, 0xbc]), "0ABC");
        assert_eq!(serial(&[0xff]), "-01");
        assert_eq!(serial(&[0x80, 0]), "-8000");
    }

    const PEM: &[u8] = include_bytes!("../../fixtures/tls-certificates/server.pem");

    proptest! {
        #[test]
        fn a_changed_certificate_is_read_without_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            length in any::<prop::sample::Index>(),
        ) {
            let mut der = crate::formats::pem::blocks(PEM).blocks[0].decode().unwrap();
            for (at, byte) in changes {
                let at = at.index(der.len());
                der[at] = byte;
            }
            let _ = read(&der);
            let _ = read(&der[..length.index(der.len())]);
        }
    }
}
