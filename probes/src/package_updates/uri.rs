//! URIs of archives, and the names under which apt keeps what comes from there.

/// A URI of an archive, without the user name and password that may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArchiveUri {
    /// As it can be shown: ends in `/`.
    pub(super) shown: String,
    /// Host without its port; empty for local ones. apt_preferences(5) calls it the origin.
    pub(super) host: String,
    /// Host, port and path.
    place: String,
}

impl ArchiveUri {
    /// Takes a URI apart as apt does. `None`: apt refuses it, or it is none that can be followed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash)),
            None if rest.starts_with('/') => ("", rest),
            // cdrom:[Name]/: the names of its lists depend on the disc.
            None => return None,
        };
        let (user, host_port) = authority
            .rsplit_once('@')
            .map_or(("", authority), |(user, host)| (user, host));
        let unbracketed = host_port.replace(['[', ']'], "");
        let host = match host_port.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host.replace(['[', ']'], ""),
            _ => unbracketed.clone(),
        };
        let end = if path.ends_with('/') { "" } else { "/" };
        let hidden = if user.is_empty() { "" } else { "…@" };
        let slashes = if rest.starts_with("//") { "//" } else { "" };
        Some(Self {
            shown: format!("{scheme}:{slashes}{hidden}{host_port}{path}{end}"),
            host,
            place: format!("{unbracketed}{path}{end}"),
        })
    }

    /// The name of the file in which apt keeps `file` of a suite, for instance `InRelease` or
    /// `main/binary-amd64/Packages`.
    pub(super) fn file_name(&self, suite: &str, file: &str) -> String {
        let place = &self.place;
        let full = match suite {
            "/" => format!("{place}{file}"),
            flat if flat.ends_with('/') => format!("{place}{flat}{file}"),
            suite => format!("{place}dists/{suite}/{file}"),
        };
        let mut name = String::with_capacity(full.len());
        for byte in full.bytes() {
            if byte == b'/' {
                name.push('_');
            } else if byte <= b' ' || byte >= 0x7f || b"\\|{}[]<>\"^~_=!@#$%^&*".contains(&byte) {
                let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
                name.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            } else {
                name.push(char::from(byte));
            }
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_files() {
        for (uri, suite, file, name) in [
            (
                "http://deb.debian.org/debian",
                "bookworm",
                "main/binary-amd64/Packages",
                "deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages",
            ),
            (
                "https://u:p@h.example:8080/a_b/",
                "x/",
                "Packages",
                "h.example:8080_a%5fb_x_Packages",
            ),
            ("file:/srv/repo", "/", "Release", "_srv_repo_Release"),
            ("file:///srv/repo~1", "./", "InRelease", "_srv_repo%7e1_._InRelease"),
            ("http://h", "stable", "InRelease", "h_dists_stable_InRelease"),
            (
                "http://[::1]:80/d",
                "s/updates",
                "Release",
                "::1:80_d_dists_s_updates_Release",
            ),
        ] {
            assert_eq!(ArchiveUri::parse(uri).unwrap().file_name(suite, file), name, "{uri}");
        }
    }

    #[test]
    fn what_is_shown() {
        let parse = |text| ArchiveUri::parse(text).unwrap();
        assert_eq!(parse("https://user:secret@h:1/x").shown, "https://…@h:1/x/");
        assert_eq!(parse("https://user:se@cret@h:1/x").host, "h");
        assert_eq!(parse("http://[2001:db8::1]/d").host, "2001:db8::1");
        assert_eq!(parse("http://[2001:db8::1]:80/d").host, "2001:db8::1");
        assert_eq!(parse("file:/srv").shown, "file:/srv/");
        assert_eq!(parse("file:/srv").host, "");
        assert_eq!(ArchiveUri::parse("cdrom:[Debian 12]/"), None);
        assert_eq!(ArchiveUri::parse("no uri"), None);
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,40}", near in "[a-z]{1,4}:/{0,3}[a-z:@/\\[\\]]{0,20}") {
            for text in [text, near] {
                if let Some(uri) = ArchiveUri::parse(&text) {
                    prop_assert!(!uri.file_name("suite", "Release").contains('/'));
                }
            }
        }
    }
}
