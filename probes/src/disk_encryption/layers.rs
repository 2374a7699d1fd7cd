//! What the encrypting layers really do: their LUKS headers and, with root, the kernel's tables.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::{Basis, Cipher, DeviceKind, Encryption, EncryptionLayer, LayerKind, LuksHeader};
use super::luks::{self, HeaderError, Medium};
use super::stack::{Below, Passage};
use super::survey::{Found, Survey};
use super::table::{self, Segment};
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Command, Reading, Unread};

const DMSETUP: Command<'_> = Command {
    program: "/usr/sbin/dmsetup",
    args: &["table"],
};
/// Between a mapping and the device with its header lie at most a device of dm-integrity and those of a running
/// re-encryption.
const MAX_CANDIDATES: usize = 16;

impl Survey<'_, '_> {
    /// Reads headers and tables, corrects by them what the devices were taken for by their UUIDs, and tells the layers
    /// by kernel name.
    pub(super) fn layers(&mut self) -> BTreeMap<String, EncryptionLayer> {
        let in_question = |found: &Found| found.layer.is_some() || found.kind == DeviceKind::Mapped;
        let names: Vec<String> = self
            .found
            .iter()
            .filter(|(_, found)| in_question(found))
            .map(|(name, _)| name.clone())
            .collect();
        if names.is_empty() {
            return BTreeMap::new();
        }
        let tables = tables(self.reading);
        let mut layers = BTreeMap::new();
        for kernel_name in names {
            let Some(found) = self.found.get(&kernel_name) else {
                continue;
            };
            let table = table_of(&tables, found);
            let mut found = found.clone();
            if found.layer.is_none() {
                // Not cryptsetup's: only the table can tell.
                let Known::Observed(segments) = &table else { continue };
                if !segments.iter().any(|segment| matches!(segment, Segment::Crypt(_))) {
                    found.node.passage = self.by_table(segments);
                    self.found.insert(kernel_name, found);
                    continue;
                }
                found.kind = DeviceKind::Encryption;
                found.layer = Some((LayerKind::Unnamed, String::new()));
            }
            let header = self.header(&found);
            found.node.passage = self.passage(&found, &header, &table);
            layers.insert(kernel_name.clone(), layer(&found, header, &table));
            self.found.insert(kernel_name, found);
        }
        layers
    }

    /// Looks for the header on the devices below, through mapped devices that are parts of this layer.
    fn header(&self, layer: &Found) -> Header {
        let Some((LayerKind::Luks1 | LayerKind::Luks2 | LayerKind::Luks2Opal, uuid)) = &layer.layer else {
            return Header::NotRead(not(Outcome::Unsupported, "this kind of layer has no LUKS header"));
        };
        let mut open = below(layer);
        let mut looked = 0;
        let mut header = Header::Missing(not(Outcome::Absent, "no device lies below it"));
        while let Some(kernel_name) = open.pop() {
            looked += 1;
            if looked > MAX_CANDIDATES {
                break;
            }
            let Some(found) = self.found.get(&kernel_name) else {
                continue;
            };
            header = self.header_on(&kernel_name, found, uuid);
            if matches!(header, Header::Found(..)) {
                return header;
            }
            let is_part = matches!(found.kind, DeviceKind::Integrity | DeviceKind::Mapped)
                || matches!(found.layer, Some((LayerKind::Unnamed, _)));
            if is_part {
                open.extend(below(found));
            }
        }
        header
    }

    fn header_on(&self, kernel_name: &str, found: &Found, uuid: &str) -> Header {
        let path = format!("/dev/{}", kernel_name.replace('!', "/"));
        let device = Device {
            reading: self.reading,
            path: &path,
        };
        match luks::read(&device) {
            Ok(Some(header)) if same_uuid(&header.uuid, uuid) => Header::Found(found.name.clone(), header),
            Ok(Some(_)) => Header::Missing(not(
                Outcome::Malformed,
                format!("{path}: the LUKS header has another UUID than the mapping"),
            )),
            Ok(None) => Header::Missing(not(
                Outcome::Absent,
                format!("{path}: no LUKS header; it may be detached"),
            )),
            Err(HeaderError::Unread(Unread::Failed { place, reason })) if reason == NOT_THERE => {
                Header::NotRead(not(Outcome::Absent, format!("{place} {reason}")))
            }
            Err(HeaderError::Unread(unread)) => Header::NotRead(Known::unread(&unread)),
            Err(HeaderError::Malformed(what)) => Header::NotRead(not(Outcome::Malformed, format!("{path}: {what}"))),
            Err(HeaderError::Unsupported(what)) => {
                Header::NotRead(not(Outcome::Unsupported, format!("{path}: {what}")))
            }
        }
    }

    /// What passes through a layer unencrypted, by everything that is known about it. Where header and table differ,
    /// the one that shows something clear is believed.
    fn passage(&self, layer: &Found, header: &Header, table: &Known<Vec<Segment>>) -> Passage {
        let being_changed = self.is_being_changed(layer);
        let is_opal = matches!(layer.layer, Some((LayerKind::Luks2Opal, _)));
        match header {
            Header::Found(_, header) if header.clear_segments > 0 => return Passage::Clear,
            Header::Found(_, header) if header.drive_segments > 0 => return Passage::Opaque(DRIVE_ONLY.to_owned()),
            Header::Found(..) => {}
            _ if is_opal => return Passage::Opaque(DRIVE_ONLY.to_owned()),
            _ if being_changed => {
                return Passage::Opaque("its encryption is being changed and its header was not read".to_owned());
            }
            Header::Missing(_) if matches!(table, Known::Not(_)) => {
                return Passage::Opaque(format!(
                    "{} is named LUKS, no LUKS header lies below it, and the kernel's table was not read",
                    layer.name
                ));
            }
            Header::Missing(_) | Header::NotRead(_) => {}
        }
        match table {
            Known::Observed(segments) => self.by_table(segments),
            Known::Not(_) => Passage::Encrypts,
        }
    }

    /// What the kernel's table says. A device whose encryption is being changed is encrypted segment by segment, and
    /// the rest goes to helper devices, which are judged themselves.
    fn by_table(&self, segments: &[Segment]) -> Passage {
        if segments.is_empty() {
            return Passage::Opaque("the mapping has no table".to_owned());
        }
        if !segments.iter().any(|segment| matches!(segment, Segment::Crypt(_))) {
            return Passage::Clear;
        }
        let mut rest = vec![];
        for segment in segments.iter().filter(|segment| segment.is_clear()) {
            match segment {
                Segment::Linear(major, minor) => match self.kernel_name(*major, *minor) {
                    Some(name) => rest.push(name),
                    None => return Passage::Opaque(format!("its table names {major}:{minor}, which is not below it")),
                },
                _ => return Passage::Clear,
            }
        }
        if rest.is_empty() {
            Passage::Encrypts
        } else {
            Passage::Partly(rest)
        }
    }

    /// Whether the layer lies on a helper device of a running re-encryption (`reencrypt_init_device_stack` in
    /// cryptsetup's sources).
    fn is_being_changed(&self, layer: &Found) -> bool {
        let Some(mapping) = &layer.mapping else { return false };
        let helpers = ["overlay", "hotzone-forward", "hotzone-backward"].map(|helper| format!("{mapping}-{helper}"));
        let names = below(layer)
            .into_iter()
            .filter_map(|name| self.found.get(&name)?.mapping.clone());
        names.into_iter().any(|name| helpers.contains(&name))
    }
}

/// What came of looking for a header.
enum Header {
    /// On this device, by its name in the facts.
    Found(String, LuksHeader),
    /// The devices were read, and the header is not there.
    Missing(Known<LuksHeader>),
    /// A device was not read, or its header not understood; or there is none to look for.
    NotRead(Known<LuksHeader>),
}

const DRIVE_ONLY: &str = "only the drive encrypts (OPAL), as far as is seen";

fn layer(found: &Found, header: Header, table: &Known<Vec<Segment>>) -> EncryptionLayer {
    let basis = match (table, &header) {
        (Known::Observed(_), _) => Basis::Table,
        (Known::Not(_), Header::Found(..)) => Basis::Header,
        (Known::Not(_), _) => Basis::Name,
    };
    let (header_device, header) = match header {
        Header::Found(device, header) => (device, Known::Observed(header)),
        Header::Missing(why) | Header::NotRead(why) => (String::new(), why),
    };
    EncryptionLayer {
        name: found.name.clone(),
        kind: found.layer.as_ref().map_or(LayerKind::Unnamed, |(kind, _)| *kind),
        encryption: match found.node.passage {
            Passage::Encrypts => Encryption::Encrypted,
            Passage::Clear | Passage::Partly(_) => Encryption::NotEncrypted,
            Passage::Opaque(_) => Encryption::Unknown,
        },
        basis,
        header_device,
        header,
        mapping: match table {
            Known::Observed(segments) => Known::Observed(ciphers(segments)),
            Known::Not(why) => Known::Not(why.clone()),
        },
    }
}

fn ciphers(segments: &[Segment]) -> Vec<Cipher> {
    let mut ciphers: Vec<Cipher> = segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Crypt(cipher) => Some(cipher.clone()),
            _ => None,
        })
        .collect();
    ciphers.order();
    ciphers.dedup();
    ciphers
}

fn tables(reading: &Reading<'_>) -> Known<BTreeMap<String, Vec<Segment>>> {
    let output = match reading.run(&DMSETUP) {
        Ok(Some(output)) => output,
        Ok(None) => return not(Outcome::Absent, format!("{} is not installed", DMSETUP.program)),
        Err(unread) => return Known::unread(&unread),
    };
    if output.status != 0 {
        let said = String::from_utf8_lossy(&output.stderr);
        let outcome = if said.contains("ermission denied") || said.contains("not permitted") {
            Outcome::Denied
        } else {
            Outcome::Failed
        };
        let said: String = said.lines().next().unwrap_or_default().chars().take(200).collect();
        return not(outcome, format!("{DMSETUP}: exit status {}: {said}", output.status));
    }
    match std::str::from_utf8(&output.stdout).ok().and_then(table::parse) {
        Some(tables) => Known::Observed(tables),
        None => not(
            Outcome::Malformed,
            format!("{DMSETUP}: a line of the output is no table"),
        ),
    }
}

fn table_of(tables: &Known<BTreeMap<String, Vec<Segment>>>, found: &Found) -> Known<Vec<Segment>> {
    match tables {
        Known::Not(why) => Known::Not(why.clone()),
        Known::Observed(tables) => match found.mapping.as_ref().and_then(|name| tables.get(name)) {
            Some(segments) => Known::Observed(segments.clone()),
            None => not(Outcome::Absent, format!("{DMSETUP} does not list {}", found.name)),
        },
    }
}

fn not<T>(outcome: Outcome, detail: impl Into<String>) -> Known<T> {
    let detail = detail.into();
    Known::Not(NotKnown { outcome, detail })
}

fn below(found: &Found) -> Vec<String> {
    match &found.node.below {
        Below::Devices(names) => names.clone(),
        _ => vec![],
    }
}

fn same_uuid(header: &str, mapping: &str) -> bool {
    let digits: String = header.chars().filter(|c| *c != '-').collect();
    digits.eq_ignore_ascii_case(mapping)
}

const NOT_THERE: &str = "is not there";

struct Device<'r, 'h> {
    reading: &'r Reading<'h>,
    path: &'r str,
}

impl Medium for Device<'_, '_> {
    fn bytes_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Unread> {
        self.reading
            .bytes_at(self.path, offset, length)?
            .ok_or_else(|| Unread::Failed {
                place: self.path.to_owned(),
                reason: NOT_THERE.to_owned(),
            })
    }
}
