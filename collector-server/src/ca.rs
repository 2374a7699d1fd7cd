//! The collector's own certificate authority: it names hosts to their collector, and the collector to its hosts.
//!
//! The CA's key is the one that enrolment tokens pin. It may sign no other CA (path length 0). Client certificates carry
//! the host's id as common name and nothing that the host asked for but its key.

use std::net::IpAddr;
use std::time::Duration;

use evidence::statement::HostId;
use evidence::{Digest, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::clock::{self, NoRandomness};
use crate::data_dir::{DataDir, DataDirError};

const KEY: &str = "keys/ca.key.pem";
const CERTIFICATE: &str = "ca.pem";
/// Ten years: hosts would have to be enrolled again after it.
const CA_DAYS: u64 = 3652;
/// A server certificate is made at every start.
const SERVER_DAYS: u64 = 397;
/// A host renews its certificate at two thirds of this; one that was away longer enrols again.
pub const CLIENT_DAYS: u64 = 30;
/// Certificates begin this long ago, for clocks that are behind.
const SKEW: i64 = 3600;
const DAY: u64 = 86_400;

/// The authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    key: Digest,
}

/// A server's certificate and its private key.
#[derive(Debug)]
pub struct ServerIdentity {
    /// The server's certificate, then the CA's: a host finds the pinned key in it.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

/// Why there is no authority, or no certificate.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] DataDirError),
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// What is stored as the CA is not one, or certificate and key do not belong together.
    #[error("{what} in the data directory is damaged: restore ca.pem and keys/ca.key.pem from a backup")]
    Damaged {
        /// Which of the two.
        what: &'static str,
    },
    /// Only one of certificate and key is there.
    #[error("ca.pem and keys/ca.key.pem belong together and one is missing: restore it from a backup")]
    Half,
    /// A name that cannot stand in a certificate.
    #[error("{name:?} cannot be the name of a server")]
    Name {
        /// From the configuration.
        name: String,
    },
    /// The request for a certificate is not one, or its signature is wrong.
    #[error("the certificate request is not valid PKCS #10 in PEM: {reason}")]
    Request {
        /// What rcgen says.
        reason: String,
    },
    /// Signing failed.
    #[error("a certificate could not be made")]
    Make(#[source] rcgen::Error),
}

impl Authority {
    /// Reads the authority, or makes it on the first start.
    pub fn load(data: &DataDir, now: Timestamp) -> Result<Self, AuthorityError> {
        match (data.read(CERTIFICATE)?, data.read(KEY)?) {
            (Some(certificate), Some(key)) => Self::read(&certificate, &key),
            // The key is written first: one without a certificate has signed nothing.
            (None, _) => Self::make(data, now),
            (Some(_), None) => Err(AuthorityError::Half),
        }
    }

    fn make(data: &DataDir, now: Timestamp) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate().map_err(AuthorityError::Make)?;
        let mut parameters = parameters(now, CA_DAYS)?;
        let id = Digest::of(&key.subject_public_key_info()).to_string();
        let id = id.get(..8).unwrap_or_default();
        parameters
            .distinguished_name
            .push(DnType::CommonName, format!("Affiant collector CA {id}"));
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = parameters.self_signed(&key).map_err(AuthorityError::Make)?.pem();
        data.write(KEY, key.serialize_pem().as_bytes())?;
        data.write(CERTIFICATE, certificate.as_bytes())?;
        Self::read(certificate.as_bytes(), key.serialize_pem().as_bytes())
    }

    fn read(certificate: &[u8], key: &[u8]) -> Result<Self, AuthorityError> {
        let damaged = |what| AuthorityError::Damaged { what };
        let key = std::str::from_utf8(key)
            .ok()
            .and_then(|pem| KeyPair::from_pem(pem).ok());
        let key = key.ok_or_else(|| damaged("keys/ca.key.pem"))?;
        let pem = String::from_utf8(certificate.to_vec()).map_err(|_| damaged("ca.pem"))?;
        let certificate = CertificateDer::from_pem_slice(certificate).map_err(|_| damaged("ca.pem"))?;
        let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|_| damaged("ca.pem"))?;
        let spki = key.subject_public_key_info();
        if parsed.public_key().raw != spki {
            return Err(damaged("the pair of ca.pem and keys/ca.key.pem"));
        }
        Ok(Self {
            issuer: Issuer::from_ca_cert_pem(&pem, key).map_err(|_| damaged("ca.pem"))?,
            certificate,
            pem,
            key: Digest::of(&spki),
        })
    }

    /// The certificate, DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of its SubjectPublicKeyInfo: what tokens carry.
    pub fn key(&self) -> Digest {
        self.key
    }

    /// A server certificate for these names and addresses, with a fresh key.
    pub fn server(&self, names: &[String], now: Timestamp) -> Result<ServerIdentity, AuthorityError> {
        let key = KeyPair::generate().map_err(AuthorityError::Make)?;
        let mut parameters = parameters(now, SERVER_DAYS)?;
        parameters
            .distinguished_name
            .push(DnType::CommonName, "Affiant collector");
        for name in names {
            let wrong = |_| AuthorityError::Name { name: name.clone() };
            parameters.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into().map_err(wrong)?),
            });
        }
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(AuthorityError::Make)?;
        Ok(ServerIdentity {
            chain: vec![certificate.der().clone(), self.certificate.clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// A client certificate for a host, PEM. Of the request only the key counts; its signature proves that key.
    pub fn client(&self, host: &HostId, request: &str, now: Timestamp) -> Result<String, AuthorityError> {
        let request = parse_request(request)?;
        let mut parameters = parameters(now, CLIENT_DAYS)?;
        parameters.distinguished_name.push(DnType::CommonName, host.as_str());
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = parameters
            .signed_by(&request.public_key, &self.issuer)
            .map_err(AuthorityError::Make)?;
        Ok(certificate.pem())
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.key)
    }
}

/// Reads a PKCS #10 request and checks its signature.
pub fn parse_request(request: &str) -> Result<CertificateSigningRequestParams, AuthorityError> {
    CertificateSigningRequestParams::from_pem(request).map_err(|error| AuthorityError::Request {
        reason: error.to_string(),
    })
}

fn parameters(now: Timestamp, days: u64) -> Result<CertificateParams, AuthorityError> {
    let mut parameters = CertificateParams::default();
    let at = |instant: Timestamp| {
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(instant.unix()).unwrap_or_default())
    };
    parameters.not_before = at(now.plus(-SKEW));
    parameters.not_after = at(now) + Duration::from_secs(days * DAY);
    parameters.distinguished_name = DistinguishedName::new();
    parameters.use_authority_key_identifier_extension = true;
    let mut serial = clock::random::<16>()?;
    serial[0] &= 0x7f;
    parameters.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(parameters)
}

/// What a client certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The host's id.
    pub host: HostId,
    /// After this the certificate counts no longer.
    pub not_after: Timestamp,
}

/// Reads a client certificate that the TLS layer has verified. `None` if it is not one of ours.
pub fn client_identity(certificate: &CertificateDer<'_>) -> Option<ClientIdentity> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let mut names = parsed.subject().iter_common_name();
    let host = names.next()?.as_str().ok()?;
    if names.next().is_some() {
        return None;
    }
    Some(ClientIdentity {
        host: HostId::new(host).ok()?,
        not_after: Timestamp::from_unix(parsed.validity().not_after.timestamp()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_unix(1_764_000_000).unwrap()
    }

    fn authority() -> (tempfile::TempDir, DataDir) {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path());
        data.create().unwrap();
        (folder, data)
    }

    fn request() -> String {
        let mut parameters = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, "somebody-else");
        parameters
            .serialize_request(&KeyPair::generate().unwrap())
            .unwrap()
            .pem()
            .unwrap()
    }

    #[test]
    fn is_made_once_and_read_again() {
        let (_folder, data) = authority();
        let first = Authority::load(&data, now()).unwrap();
        let second = Authority::load(&data, now()).unwrap();
        assert_eq!(first.key(), second.key());
        assert_eq!(first.pem(), second.pem());
        std::fs::remove_file(data.file(KEY)).unwrap();
        assert!(matches!(Authority::load(&data, now()), Err(AuthorityError::Half)));
    }

    #[test]
    fn a_client_gets_its_own_name_and_nothing_that_it_asked_for() {
        let (_folder, data) = authority();
        let authority = Authority::load(&data, now()).unwrap();
        let host = HostId::new("web-1").unwrap();
        let pem = authority.client(&host, &request(), now()).unwrap();
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let identity = client_identity(&der).unwrap();
        assert_eq!(identity.host, host);
        assert_eq!(identity.not_after, now().plus(30 * 86_400));
        let (_, parsed) = X509Certificate::from_der(&der).unwrap();
        assert!(parsed.subject_alternative_name().unwrap().is_none());
        assert!(!parsed.is_ca());
    }

    #[test]
    fn an_altered_request_is_refused() {
        let (_folder, data) = authority();
        let authority = Authority::load(&data, now()).unwrap();
        let host = HostId::new("web-1").unwrap();
        let mut lines: Vec<_> = request().lines().map(str::to_owned).collect();
        let last = lines.len() - 3;
        lines[last] = lines[last].chars().rev().collect();
        assert!(matches!(
            authority.client(&host, &lines.join("\n"), now()),
            Err(AuthorityError::Request { .. })
        ));
        assert!(authority.client(&host, "", now()).is_err());
    }
}
