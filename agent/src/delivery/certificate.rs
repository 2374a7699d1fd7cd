//! The agent's TLS key and certificate.

use evidence::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use thiserror::Error;
use x509_parser::pem::parse_x509_pem;

/// A new TLS key and the request for its certificate.
#[derive(Debug)]
pub struct TlsIdentity {
    key: KeyPair,
    request: String,
}

/// A key or certificate that could not be made or read.
#[derive(Debug, Error)]
pub enum TlsIdentityError {
    /// Key or request could not be made.
    #[error("cannot make a TLS key: {0}")]
    Make(#[source] rcgen::Error),
    /// Not a certificate.
    #[error("the client certificate is not readable")]
    Certificate,
}

impl TlsIdentity {
    /// A new P-256 key and its certificate signing request. The request names nobody: the collector decides who this is.
    pub fn generate() -> Result<Self, TlsIdentityError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(TlsIdentityError::Make)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let request = params
            .serialize_request(&key)
            .and_then(|request| request.pem())
            .map_err(TlsIdentityError::Make)?;
        Ok(Self { key, request })
    }

    /// PKCS #10, PEM.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The key, PEM, and behind it the certificate that the collector made for it.
    pub fn with_certificate(&self, certificate: &str) -> String {
        format!("{}{certificate}", self.key.serialize_pem())
    }
}

/// From when until when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

impl Validity {
    /// That of the first certificate in `pem`, which may begin with a key.
    pub fn of_pem(pem: &str) -> Result<Self, TlsIdentityError> {
        let begin = pem.find("-----BEGIN CERTIFICATE-----").unwrap_or(0);
        let certificate = pem.get(begin..).unwrap_or_default();
        let (_, block) = parse_x509_pem(certificate.as_bytes()).map_err(|_| TlsIdentityError::Certificate)?;
        let parsed = block.parse_x509().map_err(|_| TlsIdentityError::Certificate)?;
        let instant = |seconds| Timestamp::from_unix(seconds).map_err(|_| TlsIdentityError::Certificate);
        Ok(Self {
            not_before: instant(parsed.validity().not_before.timestamp())?,
            not_after: instant(parsed.validity().not_after.timestamp())?,
        })
    }

    /// When the next one should be fetched: after two thirds of its life.
    pub fn renew_at(&self) -> Timestamp {
        let life = self.not_after.since(self.not_before).max(0);
        self.not_before.plus(life / 3 * 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_for_the_key_and_the_validity_is_read_behind_it() {
        let identity = TlsIdentity::generate().unwrap();
        assert!(identity.request().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
        let mut params = CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 1, 31);
        let pem = identity.with_certificate(&params.self_signed(&identity.key).unwrap().pem());
        let validity = Validity::of_pem(&pem).unwrap();
        assert_eq!(validity.not_after.to_string(), "2026-01-31T00:00:00Z");
        assert_eq!(validity.renew_at().to_string(), "2026-01-21T00:00:00Z");
        assert!(Validity::of_pem("no").is_err());
    }
}
