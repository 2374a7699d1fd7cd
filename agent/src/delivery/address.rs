//! Where the collector is.

use std::net::IpAddr;

use reqwest::Url;
use thiserror::Error;

/// The port for agents where the address names none.
const DEFAULT_PORT: u16 = 8442;

/// The collector's address: `https://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Url);

/// A text that is no collector's address.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{text:?} is not a collector's address: {reason}; it must look like https://collector.example.com:8442")]
pub struct AddressError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Address {
    /// Reads `https://host[:port]`; the port is 8442 if none is given.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let wrong = |reason: &str| AddressError {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let text_with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let mut url = Url::parse(&text_with_scheme).map_err(|error| wrong(&error.to_string()))?;
        if url.scheme() != "https" {
            return Err(wrong("only https is spoken"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a user name"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("there is more than host and port"));
        }
        // `Url` drops :443 as the default of https; who writes it means it.
        let explicit = text.trim_end_matches('/').ends_with(":443");
        if url.port().is_none() && !explicit {
            url.set_port(Some(DEFAULT_PORT)).map_err(|()| wrong("it has no host"))?;
        }
        Ok(Self(url))
    }

    /// The address of one of the collector's resources; `path` begins without a slash.
    pub fn resource(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// `host:port`.
    pub fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        format!("{host}:{}", self.0.port_or_known_default().unwrap_or(DEFAULT_PORT))
    }

    /// Whether it is this machine: then no proxy stands between.
    pub fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, canonical, loopback) in [
            ("https://c.example:8442", "https://c.example:8442", false),
            ("https://c.example/", "https://c.example:8442", false),
            ("c.example", "https://c.example:8442", false),
            ("c.example:9000", "https://c.example:9000", false),
            ("https://c.example:443", "https://c.example", false),
            ("https://127.0.0.1:1", "https://127.0.0.1:1", true),
            ("https://[::1]:1", "https://[::1]:1", true),
            ("https://localhost", "https://localhost:8442", true),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(
                (address.to_string().as_str(), address.is_loopback()),
                (canonical, loopback),
                "{text}"
            );
        }
        let address = Address::parse("c.example").unwrap();
        assert_eq!(address.resource("v1/enrol"), "https://c.example:8442/v1/enrol");
        for text in [
            "http://c.example",
            "https://u@c.example",
            "https://c.example/path",
            "https://",
            "ftp://x",
            "",
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(error.contains("must look like"), "{error}");
        }
    }
}
