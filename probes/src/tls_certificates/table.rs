//! Services whose configuration names certificates: where it lies and what the settings are called. Adding one is an
//! entry in [`SERVICES`].

use super::services::LINES;
use super::statements::{Form, Statement};

/// How a service's configuration is read.
pub(super) struct Service {
    /// Its name in the facts.
    pub(super) name: &'static str,
    /// Where its configuration lies on the distributions, as patterns.
    pub(super) files: &'static [&'static str],
    /// How it is written.
    pub(super) form: Form,
    /// Settings that include other files.
    pub(super) includes: &'static [&'static str],
    /// Folder of relative paths; empty for that of the file itself.
    pub(super) folder: &'static str,
    /// The setting that names another folder of relative paths.
    pub(super) base: Option<&'static str>,
    /// Settings that name certificates, lower case.
    pub(super) certificates: &'static [&'static str],
    /// Settings that name private keys, lower case.
    pub(super) keys: &'static [&'static str],
    /// A value can be a list.
    pub(super) lists: bool,
    /// A setting that turns TLS off, with its default.
    pub(super) switch: Option<(&'static str, &'static str)>,
    /// Ports on which TLS is spoken from the first byte on.
    pub(super) ports: fn(&[Statement]) -> Vec<u16>,
}

const PLAIN: Service = Service {
    name: "",
    files: &[],
    form: LINES,
    includes: &[],
    folder: "",
    base: None,
    certificates: &[],
    keys: &[],
    lists: false,
    switch: None,
    ports: |_| vec![],
};

pub(super) static SERVICES: &[Service] = &[
    Service {
        name: "apache",
        files: &[
            "/etc/apache2/apache2.conf",
            "/etc/apache2/sites-enabled/*.conf",
            "/etc/apache2/conf-enabled/*.conf",
        ],
        includes: &["include", "includeoptional"],
        folder: "/etc/apache2",
        certificates: &["sslcertificatefile"],
        keys: &["sslcertificatekeyfile"],
        ports: apache,
        ..PLAIN
    },
    Service {
        name: "apache",
        files: &["/etc/httpd/conf/httpd.conf", "/etc/httpd/conf.d/*.conf"],
        includes: &["include", "includeoptional"],
        folder: "/etc/httpd",
        certificates: &["sslcertificatefile"],
        keys: &["sslcertificatekeyfile"],
        ports: apache,
        ..PLAIN
    },
    Service {
        name: "dovecot",
        files: &["/etc/dovecot/dovecot.conf", "/etc/dovecot/conf.d/*.conf"],
        includes: &["!include", "!include_try"],
        folder: "/etc/dovecot",
        certificates: &["ssl_cert", "ssl_alt_cert", "ssl_server_cert_file"],
        keys: &["ssl_key", "ssl_alt_key", "ssl_server_key_file"],
        ..PLAIN
    },
    Service {
        name: "exim",
        files: &[
            "/etc/exim4/exim4.conf",
            "/etc/exim4/conf.d/main/*",
            "/etc/exim4/exim4.conf.localmacros",
            "/etc/exim/exim.conf",
        ],
        certificates: &["tls_certificate", "main_tls_certificate"],
        keys: &["tls_privatekey", "main_tls_privatekey"],
        ..PLAIN
    },
    Service {
        name: "haproxy",
        files: &["/etc/haproxy/haproxy.cfg", "/etc/haproxy/conf.d/*.cfg"],
        base: Some("crt-base"),
        ports: haproxy,
        ..PLAIN
    },
    Service {
        name: "lighttpd",
        files: &[
            "/etc/lighttpd/lighttpd.conf",
            "/etc/lighttpd/conf-enabled/*.conf",
            "/etc/lighttpd/conf.d/*.conf",
        ],
        certificates: &["ssl.pemfile"],
        keys: &["ssl.privkey"],
        ..PLAIN
    },
    Service {
        name: "mosquitto",
        files: &["/etc/mosquitto/mosquitto.conf", "/etc/mosquitto/conf.d/*.conf"],
        certificates: &["certfile"],
        keys: &["keyfile"],
        ports: mosquitto,
        ..PLAIN
    },
    Service {
        name: "mysql",
        files: &[
            "/etc/my.cnf",
            "/etc/my.cnf.d/*.cnf",
            "/etc/mysql/my.cnf",
            "/etc/mysql/conf.d/*.cnf",
            "/etc/mysql/mariadb.conf.d/*.cnf",
            "/etc/mysql/mysql.conf.d/*.cnf",
        ],
        certificates: &["ssl-cert", "ssl_cert"],
        keys: &["ssl-key", "ssl_key"],
        ..PLAIN
    },
    Service {
        name: "nginx",
        files: &["/etc/nginx/nginx.conf"],
        form: Form::Braces,
        includes: &["include"],
        folder: "/etc/nginx",
        certificates: &["ssl_certificate", "proxy_ssl_certificate"],
        keys: &["ssl_certificate_key", "proxy_ssl_certificate_key"],
        ports: nginx,
        ..PLAIN
    },
    Service {
        name: "openldap",
        files: &[
            "/etc/ldap/slapd.d/cn=config.ldif",
            "/etc/openldap/slapd.d/cn=config.ldif",
            "/etc/ldap/slapd.conf",
            "/etc/openldap/slapd.conf",
        ],
        certificates: &["olctlscertificatefile", "tlscertificatefile"],
        keys: &["olctlscertificatekeyfile", "tlscertificatekeyfile"],
        ..PLAIN
    },
    Service {
        name: "openvpn",
        files: &[
            "/etc/openvpn/*.conf",
            "/etc/openvpn/server/*.conf",
            "/etc/openvpn/client/*.conf",
        ],
        certificates: &["cert"],
        keys: &["key"],
        ..PLAIN
    },
    Service {
        name: "postfix",
        files: &["/etc/postfix/main.cf"],
        form: Form::Lines { continued: true },
        folder: "/etc/postfix",
        certificates: &[
            "smtpd_tls_cert_file",
            "smtpd_tls_eccert_file",
            "smtpd_tls_chain_files",
            "smtp_tls_cert_file",
            "smtp_tls_chain_files",
        ],
        keys: &["smtpd_tls_key_file", "smtpd_tls_eckey_file", "smtp_tls_key_file"],
        lists: true,
        ..PLAIN
    },
    Service {
        name: "postgresql",
        files: &[
            "/etc/postgresql/*/*/postgresql.conf",
            "/var/lib/pgsql/data/postgresql.conf",
            "/var/lib/pgsql/*/data/postgresql.conf",
        ],
        base: Some("data_directory"),
        certificates: &["ssl_cert_file"],
        keys: &["ssl_key_file"],
        switch: Some(("ssl", "off")),
        ..PLAIN
    },
    Service {
        name: "proftpd",
        files: &[
            "/etc/proftpd/proftpd.conf",
            "/etc/proftpd/tls.conf",
            "/etc/proftpd/conf.d/*.conf",
            "/etc/proftpd.conf",
        ],
        certificates: &["tlsrsacertificatefile", "tlseccertificatefile"],
        keys: &["tlsrsacertificatekeyfile", "tlseccertificatekeyfile"],
        ..PLAIN
    },
    Service {
        name: "redis",
        files: &["/etc/redis/redis.conf", "/etc/redis.conf", "/etc/valkey/valkey.conf"],
        certificates: &["tls-cert-file"],
        keys: &["tls-key-file"],
        ports: |statements| setting(statements, "tls-port"),
        ..PLAIN
    },
    Service {
        name: "rsyslog",
        files: &["/etc/rsyslog.conf", "/etc/rsyslog.d/*.conf"],
        certificates: &["$defaultnetstreamdrivercertfile"],
        keys: &["$defaultnetstreamdriverkeyfile"],
        ..PLAIN
    },
    Service {
        name: "stunnel",
        files: &["/etc/stunnel/*.conf", "/etc/stunnel/conf.d/*.conf"],
        certificates: &["cert"],
        keys: &["key"],
        ..PLAIN
    },
    Service {
        name: "unbound",
        files: &[
            "/etc/unbound/unbound.conf",
            "/etc/unbound/unbound.conf.d/*.conf",
            "/etc/unbound/conf.d/*.conf",
        ],
        certificates: &["tls-service-pem", "server-cert-file"],
        keys: &["tls-service-key", "server-key-file"],
        ..PLAIN
    },
    Service {
        name: "vsftpd",
        files: &["/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf"],
        certificates: &["rsa_cert_file"],
        keys: &["rsa_private_key_file"],
        switch: Some(("ssl_enable", "no")),
        ..PLAIN
    },
];

/// The port at the end of `443`, `*:443`, `[::]:443`, `10.0.0.1:443`.
fn port(text: &str) -> Option<u16> {
    let digits = text.rsplit_once(':').map_or(text, |(_, digits)| digits);
    digits.trim_end_matches('>').parse().ok().filter(|port| *port != 0)
}

fn setting(statements: &[Statement], name: &str) -> Vec<u16> {
    let named = statements.iter().filter(|one| one.name == name);
    named.filter_map(|one| port(one.words.first()?)).collect()
}

/// `listen 443 ssl;`
fn nginx(statements: &[Statement]) -> Vec<u16> {
    let tls = |one: &&Statement| one.name == "listen" && one.words.iter().any(|word| word == "ssl");
    let listens = statements.iter().filter(tls);
    listens.filter_map(|one| port(one.words.first()?)).collect()
}

/// `Listen 443 https`, and sections of virtual hosts with `SSLEngine on`.
fn apache(statements: &[Statement]) -> Vec<u16> {
    let mut ports = vec![];
    let mut section: Vec<u16> = vec![];
    for one in statements {
        let first = one.words.first().map(String::as_str);
        match one.name.as_str() {
            "listen" if one.words.get(1).is_some_and(|word| word == "https") => ports.extend(first.and_then(port)),
            "<virtualhost" => section = one.words.iter().filter_map(|word| port(word)).collect(),
            "</virtualhost>" => section.clear(),
            "sslengine" if first.is_some_and(|word| word.eq_ignore_ascii_case("on")) => ports.extend(&section),
            _ => {}
        }
    }
    ports
}

/// `bind *:443,10.0.0.1:8443 ssl crt …`
fn haproxy(statements: &[Statement]) -> Vec<u16> {
    let tls = |one: &&Statement| one.name == "bind" && one.words.iter().any(|word| word == "ssl");
    let addresses = statements
        .iter()
        .filter(tls)
        .filter_map(|one| one.words.first())
        .flat_map(|addresses| addresses.split(','));
    addresses.filter_map(port).collect()
}

/// `listener 8883` with a `certfile` behind it.
fn mosquitto(statements: &[Statement]) -> Vec<u16> {
    let (mut ports, mut listener) = (vec![], None);
    for one in statements {
        match one.name.as_str() {
            "listener" => listener = one.words.first().and_then(|word| port(word)),
            "certfile" => ports.extend(listener.take()),
            _ => {}
        }
    }
    ports
}
