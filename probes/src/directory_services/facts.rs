//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Where a host looks for accounts besides its files. A part is `absent` if its configuration is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DirectoryServices {
    /// Databases of `/etc/nsswitch.conf`, sorted.
    pub name_services: Known<Vec<NameService>>,
    /// SSSD.
    pub sssd: Known<Sssd>,
    /// Kerberos, by the defaults of `/etc/krb5.conf`.
    pub kerberos: Known<Kerberos>,
    /// `/etc/krb5.keytab` is there: the host has keys in a Kerberos realm, as a rule since it was joined to a domain.
    pub machine_keytab: Known<bool>,
    /// Defaults of programs that use OpenLDAP's library.
    pub ldap_client: Known<LdapClient>,
    /// nslcd, which answers for LDAP.
    pub nslcd: Known<Nslcd>,
    /// Samba and Winbind, by the `[global]` section of `smb.conf`.
    pub samba: Known<Samba>,
    /// Membership in a FreeIPA domain.
    pub ipa: Known<Ipa>,
    /// NIS.
    pub nis: Known<Nis>,
    /// The services that answer for directories and are installed.
    pub services: Known<Vec<UnitState>>,
}

/// A database and where it is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct NameService {
    /// For instance `passwd`.
    pub database: String,
    /// For instance `files` and `sss`, in order.
    pub sources: Vec<String>,
}

/// SSSD's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sssd {
    /// Files that it is from, in the order in which they were read.
    pub files: Vec<String>,
    /// Responders that are started by name: `services`.
    pub services: Vec<String>,
    /// Domains that have a section, sorted by name.
    pub domains: Vec<SssdDomain>,
    /// How many days a password that was kept is good for while the server does not answer; 0 for ever
    /// (`offline_credentials_expiration`); not there if it is no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline_credentials_days: Option<u32>,
}

/// A domain of SSSD. Values are those in force: a default where nothing is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that rules ask for"
)]
pub struct SssdDomain {
    /// Its name, in lower case.
    pub name: String,
    /// It is among `domains` of the section `[sssd]`, or `enabled`.
    pub enabled: bool,
    /// Where accounts come from, for instance `ldap`, `ad`, `ipa`; empty if that is not written.
    pub id_provider: String,
    /// Who checks passwords; as `id_provider` if it is not written.
    pub auth_provider: String,
    /// Who decides about access; `permit` (everybody) if it is not written.
    pub access_provider: String,
    /// Passwords are kept, hashed, for when the server does not answer.
    pub cache_credentials: bool,
    /// All accounts are fetched and listed.
    pub enumerate: bool,
    /// Kinds of the servers' URIs: `ldap`, `ldaps`, `ldapi`, `other`; sorted. Empty if they are looked up in DNS.
    pub ldap_uri_schemes: Vec<String>,
    /// Accounts are looked up over TLS (`ldap_id_use_start_tls`); passwords always are.
    pub ldap_start_tls: bool,
    /// What is demanded of the server's certificate: `never`, `allow`, `try`, `demand`, `hard`.
    pub ldap_tls_reqcert: String,
    /// Passwords go over the wire without TLS (`ldap_auth_disable_tls_never_use_in_production`).
    pub ldap_auth_without_tls: bool,
    /// A password with which SSSD itself logs in stands in the file (`ldap_default_authtok`).
    pub has_bind_password: bool,
}

/// Kerberos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that rules ask for"
)]
pub struct Kerberos {
    /// Realm of those who name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_realm: Option<String>,
    /// Realms that have a section, sorted.
    pub realms: Vec<String>,
    /// Kinds of encryption that are taken, in order, as written; empty where the library's own list holds.
    pub permitted_enctypes: Vec<String>,
    /// The same for tickets that are asked for (`default_tgs_enctypes`, `default_tkt_enctypes`).
    pub requested_enctypes: Vec<String>,
    /// Weak kinds are taken too (`allow_weak_crypto`); off by default.
    pub allow_weak_crypto: bool,
    /// Triple DES is taken too (`allow_des3`); off by default.
    pub allow_des3: bool,
    /// RC4 is taken too (`allow_rc4`); off by default.
    pub allow_rc4: bool,
    /// The realm of a host is looked up in DNS, which is not protected (`dns_lookup_realm`); off by default.
    pub dns_lookup_realm: bool,
}

/// Defaults of OpenLDAP's library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LdapClient {
    /// The file.
    pub path: String,
    /// Kinds of the servers' URIs: `ldap`, `ldaps`, `ldapi`, `other`; sorted.
    pub uri_schemes: Vec<String>,
    /// What is demanded of a server's certificate: `never`, `allow`, `try`, `demand`, `hard`; `demand` if it is not written.
    pub tls_reqcert: String,
}

/// nslcd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Nslcd {
    /// Kinds of the servers' URIs, sorted.
    pub uri_schemes: Vec<String>,
    /// `off`, `on` or `start_tls`; `off` if it is not written.
    pub ssl: String,
    /// What is demanded of a server's certificate; `demand` if it is not written.
    pub tls_reqcert: String,
    /// A password with which it logs in stands in the file.
    pub has_bind_password: bool,
}

/// Samba and Winbind; a value that is not there is not written, and the default of the installed version holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Samba {
    /// `security`: `user`, `domain`, `ads`, `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<String>,
    /// `realm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// `workgroup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workgroup: Option<String>,
    /// `client signing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_signing: Option<String>,
    /// `server signing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_signing: Option<String>,
    /// `client min protocol`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_min_protocol: Option<String>,
    /// `ntlm auth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntlm_auth: Option<String>,
    /// Other files are included, which are not read.
    pub includes: bool,
}

/// FreeIPA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ipa {
    /// `realm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// `domain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// NIS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Nis {
    /// Servers that are named.
    pub servers: u32,
    /// Whoever answers first on the network is taken for a server.
    pub broadcast: bool,
}
