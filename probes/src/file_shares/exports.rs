//! exports(5), read as exportfs does: what it does not understand ends the file.
//!
//! Source: exports(5); nfs-utils 2.6, compared in `probes/tests/file_shares_authority.rs`.

use std::net::{IpAddr, Ipv4Addr};

use super::facts::{Client, ClientKind};

/// A longer folder or client ends the file.
const MAX_FOLDER: usize = 1_025;
const MAX_CLIENT: usize = 512;
/// More entries than anybody has end the file too.
pub(super) const MAX_ENTRIES: usize = 10_000;
const FLAVOURS: [&str; 7] = ["krb5", "krb5i", "krb5p", "unix", "sys", "null", "none"];

/// One client of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// As the bytes say, escapes undone.
    pub(super) folder: Vec<u8>,
    /// As written.
    pub(super) client: String,
    /// What it may.
    pub(super) options: Options,
}

/// What exportfs does not take, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// From 1.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) reason: &'static str,
}

#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flags {
    read_only: bool,
    root_squash: bool,
    all_squash: bool,
    insecure: bool,
}

/// The options of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    flags: Flags,
    asynchronous: bool,
    flavours: Vec<(&'static str, Flags)>,
    transport: Vec<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            flags: Flags {
                read_only: true,
                root_squash: true,
                all_squash: false,
                insecure: false,
            },
            asynchronous: false,
            flavours: vec![],
            transport: vec![],
        }
    }
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parsed {
    /// In the order of the file.
    pub(super) entries: Vec<Entry>,
    /// Clients that are left out.
    pub(super) left_out: Vec<Refused>,
    /// Where reading ends early.
    pub(super) stop: Option<Refused>,
}

/// What a file says, as far as exportfs reads it.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut words = Words { bytes, at: 0, line: 1 };
    let mut parsed = Parsed::default();
    let stop = read(&mut words, &mut parsed).err();
    let line = words.line;
    parsed.stop = stop.map(|reason| Refused { line, reason });
    parsed
}

fn read(words: &mut Words<'_>, parsed: &mut Parsed) -> Result<(), &'static str> {
    loop {
        words.skip(b" \t\n");
        let Some(folder) = words.word(MAX_FOLDER)? else {
            return Ok(());
        };
        let mut defaults = Options::default();
        words.skip(b" \t");
        let mut word = words.word(MAX_CLIENT)?;
        // A folder without a client is exported to everybody.
        loop {
            let text = word.map(|word| String::from_utf8_lossy(&word).into_owned());
            let mut text = text.unwrap_or_default();
            if let Some(options) = text.strip_prefix('-') {
                defaults.apply(options)?;
                words.skip(b" \t");
                let next = words.word(MAX_CLIENT)?;
                text = next.map_or_else(String::new, |word| String::from_utf8_lossy(&word).into_owned());
            }
            if parsed.entries.len() + parsed.left_out.len() >= MAX_ENTRIES {
                return Err("more than 10,000 clients");
            }
            let entry = entry(&folder, &text, &defaults)?;
            if kind(&entry.client).is_some() {
                parsed.entries.push(entry);
            } else {
                parsed.left_out.push(Refused {
                    line: words.line,
                    reason: "a network that is none",
                });
            }
            words.skip(b" \t");
            word = words.word(MAX_CLIENT)?;
            if word.is_none() {
                break;
            }
        }
    }
}

fn entry(folder: &[u8], text: &str, defaults: &Options) -> Result<Entry, &'static str> {
    let mut options = defaults.clone();
    let client = match text.split_once('(') {
        None => text,
        Some((client, rest)) => {
            let list = rest.strip_suffix(')').filter(|list| !list.contains(')'));
            options.apply(list.ok_or("a bad list of options")?)?;
            if client.is_empty() { "*" } else { client }
        }
    };
    Ok(Entry {
        folder: folder.to_vec(),
        client: client.to_owned(),
        options,
    })
}

impl Options {
    fn apply(&mut self, list: &str) -> Result<(), &'static str> {
        let mut active: Vec<&'static str> = vec![];
        let blanks: &[char] = &[' ', '\t'];
        let mut rest = list.trim_start_matches(blanks);
        while !rest.is_empty() {
            let (option, after) = rest.split_once(',').unwrap_or((rest, ""));
            rest = after.trim_start_matches(blanks);
            if let Some(names) = option.strip_prefix("sec=") {
                active = self.flavours(names)?;
                continue;
            }
            if let Some(names) = option.strip_prefix("xprtsec=") {
                for name in names.split(':') {
                    let mut known = ["none", "tls", "mtls"].into_iter();
                    let name = known.find(|known| *known == name).ok_or("an unknown transport")?;
                    if !self.transport.contains(&name) {
                        self.transport.push(name);
                    }
                }
                continue;
            }
            self.option(option, &active)?;
        }
        Ok(())
    }

    fn option(&mut self, option: &str, active: &[&str]) -> Result<(), &'static str> {
        let mut set = |change: fn(&mut Flags)| {
            change(&mut self.flags);
            for (_, flags) in self.flavours.iter_mut().filter(|(name, _)| active.contains(name)) {
                change(flags);
            }
        };
        match option {
            "ro" => set(|flags| flags.read_only = true),
            "rw" => set(|flags| flags.read_only = false),
            "secure" => set(|flags| flags.insecure = false),
            "insecure" => set(|flags| flags.insecure = true),
            "root_squash" => set(|flags| flags.root_squash = true),
            "no_root_squash" => set(|flags| flags.root_squash = false),
            "all_squash" => set(|flags| flags.all_squash = true),
            "no_all_squash" => set(|flags| flags.all_squash = false),
            "sync" => self.asynchronous = false,
            "async" => self.asynchronous = true,
            "nordirplus" | "security_label" | "sign_fh" | "nohide" | "hide" | "crossmnt" | "nocrossmnt" | "wdelay"
            | "no_wdelay" | "subtree_check" | "no_subtree_check" | "auth_nlm" | "no_auth_nlm" | "secure_locks"
            | "insecure_locks" | "acl" | "no_acl" | "pnfs" | "no_pnfs" | "mountpoint" | "mp" => {}
            _ => return valued(option),
        }
        Ok(())
    }

    fn flavours(&mut self, names: &str) -> Result<Vec<&'static str>, &'static str> {
        let mut active = vec![];
        for name in names.split(':') {
            let mut known = FLAVOURS.into_iter();
            let name = known.find(|known| *known == name).ok_or("an unknown flavour")?;
            // Two names for one number.
            let name = match name {
                "unix" => "sys",
                "null" => "none",
                name => name,
            };
            if !self.flavours.iter().any(|(there, _)| *there == name) {
                self.flavours.push((name, self.flags));
            }
            active.push(name);
        }
        Ok(active)
    }

    fn told(&self) -> Vec<(&'static str, Flags)> {
        if self.flavours.is_empty() {
            return vec![("sys", self.flags)];
        }
        self.flavours.clone()
    }
}

/// Options with a value, which the facts do not tell; one that is malformed ends the file.
fn valued(option: &str) -> Result<(), &'static str> {
    let (name, value) = option.split_once('=').ok_or("an unknown option")?;
    let number = |text: &str| {
        let digits = text.trim_start().trim_start_matches(['-', '+']);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    match name {
        "anonuid" | "anongid" if number(value) => Ok(()),
        "anonuid" | "anongid" => Err("a bad anonymous id"),
        "fsid" => {
            let hexadecimal = value.bytes().filter(u8::is_ascii_hexdigit).count();
            let prefixed = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X"));
            let is_hexadecimal = prefixed
                .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let octal = value.len() > 1 && value.starts_with('0');
            let plain = number(value) && !(octal && value.contains(['8', '9']));
            if value == "root" || hexadecimal == 32 || is_hexadecimal || plain {
                Ok(())
            } else {
                Err("a bad fsid")
            }
        }
        "mountpoint" | "mp" | "refer" | "replicas" | "squash_uids" | "squash_gids" => Ok(()),
        "reexport" if matches!(value, "none" | "auto-fsidnum" | "predefined-fsidnum") => Ok(()),
        _ => Err("an unknown option"),
    }
}

/// What the facts tell of a client.
pub(super) fn client(entry: &Entry) -> Client {
    let (kind, prefix_length) = kind(&entry.client).unwrap_or((ClientKind::Host, None));
    let flavours = entry.options.told();
    Client {
        kind,
        prefix_length,
        read_write: flavours.iter().any(|(_, flags)| !flags.read_only),
        root_squash: flavours.iter().all(|(_, flags)| flags.root_squash),
        all_squash: flavours.iter().all(|(_, flags)| flags.all_squash),
        secure: !entry.options.flags.insecure && flavours.iter().all(|(_, flags)| !flags.insecure),
        sync: !entry.options.asynchronous,
        flavours: flavours.iter().map(|(name, _)| (*name).to_owned()).collect(),
        transport: entry.options.transport.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// Whom a word means, in the order in which nfs-utils asks; `None`: a network that is none.
fn kind(client: &str) -> Option<(ClientKind, Option<u8>)> {
    let kind = match client {
        "" | "*" => ClientKind::Everybody,
        _ if client.starts_with("gss/") => ClientKind::Gss,
        _ if client.starts_with('@') => ClientKind::Netgroup,
        _ if client.contains(['*', '?', '[']) => ClientKind::NamePattern,
        _ => match client.split_once('/') {
            Some((address, mask)) => return network(address, mask),
            None => ClientKind::Host,
        },
    };
    Some((kind, None))
}

fn network(address: &str, mask: &str) -> Option<(ClientKind, Option<u8>)> {
    let address: IpAddr = address.parse().ok()?;
    let length = if address.is_ipv4() && mask.contains('.') {
        let bits = u32::from(mask.parse::<Ipv4Addr>().ok()?);
        let is_prefix = bits.leading_ones() == bits.count_ones();
        is_prefix.then(|| u8::try_from(bits.count_ones()).unwrap_or(0))
    } else {
        let length: u8 = mask.parse().ok()?;
        Some(length).filter(|length| *length <= if address.is_ipv4() { 32 } else { 128 })?;
        Some(length)
    };
    Some(match length {
        Some(0) => (ClientKind::Everybody, None),
        length => (ClientKind::Network, length),
    })
}

/// The words of a file.
struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Words<'_> {
    /// One byte; a backslash before the end of a line makes a blank of both and of the blanks that follow.
    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        if byte == b'\\' && self.bytes.get(self.at) == Some(&b'\n') {
            self.at += 1;
            self.line += 1;
            while matches!(self.bytes.get(self.at), Some(b' ' | b'\t')) {
                self.at += 1;
            }
            return Some(b' ');
        }
        if byte == b'\n' {
            self.line += 1;
        }
        Some(byte)
    }

    fn back(&mut self, byte: u8) {
        self.at -= 1;
        if byte == b'\n' {
            self.line -= 1;
        }
    }

    /// Leaves out those of `blanks`, and a comment up to the end of its line.
    fn skip(&mut self, blanks: &[u8]) {
        loop {
            let before = (self.at, self.line);
            let Some(byte) = self.next() else { return };
            if byte == b'#' {
                while self.bytes.get(self.at).is_some_and(|byte| *byte != b'\n') {
                    self.at += 1;
                }
                continue;
            }
            if !blanks.contains(&byte) {
                (self.at, self.line) = before;
                return;
            }
        }
    }

    /// A word, up to white space that is not quoted; `None` at the end of a line.
    fn word(&mut self, limit: usize) -> Result<Option<Vec<u8>>, &'static str> {
        let mut word: Vec<u8> = vec![];
        let mut quoted = false;
        while let Some(byte) = self.next() {
            let white = matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
            if white && !quoted {
                if byte == b'\n' {
                    self.back(byte);
                }
                break;
            }
            if byte == b'"' {
                quoted = !quoted;
                continue;
            }
            word.push(byte);
            if let [.., b'\\', a @ b'0'..=b'7', b @ b'0'..=b'7', c @ b'0'..=b'7'] = word.as_slice() {
                let value = (a & 3) << 6 | (b & 7) << 3 | (c & 7);
                word.truncate(word.len() - 4);
                word.push(value);
            }
            if word.len() >= limit {
                return Err("a word that is too long");
            }
        }
        Ok((!word.is_empty()).then_some(word))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let parsed = parse(text.as_bytes());
        let entries = parsed.entries.iter();
        let mut told: Vec<String> = entries
            .map(|entry| {
                let seen = client(entry);
                let folder = String::from_utf8_lossy(&entry.folder).into_owned();
                let write = if seen.read_write { "rw" } else { "ro" };
                let squash = if seen.root_squash { "" } else { " root" };
                format!("{folder} {:?} {write}{squash} {}", seen.kind, seen.flavours.join(":"))
            })
            .collect();
        let refused = parsed.left_out.into_iter().chain(parsed.stop);
        told.extend(refused.map(|stop| format!("{}: {}", stop.line, stop.reason)));
        told
    }

    #[test]
    fn as_written() {
        for (text, expected) in [
            ("", &[][..]),
            ("# c\n\n", &[]),
            ("/a\n", &["/a Everybody ro sys"]),
            ("/a *(rw) # c\n", &["/a Everybody rw sys"]),
            ("/a (rw,no_root_squash)", &["/a Everybody rw root sys"]),
            (
                "/a 10.0.0.0/8(rw) \\\n   h(ro)\n",
                &["/a Network rw sys", "/a Host ro sys"],
            ),
            (
                "\"/a b\" 0.0.0.0/0\n/a\\040b @g\n",
                &["/a b Everybody ro sys", "/a b Netgroup ro sys"],
            ),
            (
                "/a -rw h1 -ro h2 *.x(sec=krb5p:krb5)\n",
                &["/a Host rw sys", "/a Host ro sys", "/a NamePattern ro krb5p:krb5"],
            ),
            ("/a h(sec=krb5,rw,sec=sys,ro)\n", &["/a Host rw krb5:sys"]),
            ("/a h(rw) h(bogus)\n/b *\n", &["/a Host rw sys", "1: an unknown option"]),
            ("/a h(rw\n/b *\n", &["1: a bad list of options"]),
            ("/a /b *(rw)\n", &["/a Everybody rw sys", "1: a network that is none"]),
            ("/a h(rw,,ro)\n", &["1: an unknown option"]),
            ("/a h(rw,squash_uids=1-5,anonuid=5)\n", &["/a Host rw sys"]),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn lengths_of_networks() {
        for (client, expected) in [
            ("10.0.0.0/8", (ClientKind::Network, Some(8))),
            ("10.0.0.0/255.255.0.0", (ClientKind::Network, Some(16))),
            ("10.0.0.0/255.0.255.0", (ClientKind::Network, None)),
            ("0.0.0.0/0.0.0.0", (ClientKind::Everybody, None)),
            ("::/0", (ClientKind::Everybody, None)),
            ("fe80::/10", (ClientKind::Network, Some(10))),
        ] {
            assert_eq!(kind(client), Some(expected), "{client}");
        }
        for client in ["/usr", "10.0.0.0/33", "::/129", "::/255.0.0.0", "10.0.0.0/"] {
            assert_eq!(kind(client), None, "{client}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>, near in "(/a| |\t|\n|\\\\|\"|\\(|\\)|,|-|#|rw|sec=|krb5|:|\\*|040){0,40}") {
            parse(&bytes);
            for entry in &parse(near.as_bytes()).entries {
                client(entry);
            }
        }
    }
}
