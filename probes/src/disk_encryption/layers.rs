//! What the encrypting layers really do: their LUKS headers and, with root, the kernel's tables.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::{Cipher, DeviceKind, EncryptionLayer, LayerKind, LuksHeader};
use super::luks::{self, HeaderError, Medium};
use super::stack::{Below, Passage};
use super::survey::{Found, Survey};
use super::table::{self, Segment};
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
                    found.node.passage = Passage::Clear;
                    self.found.insert(kernel_name, found);
                    continue;
                }
                found.kind = DeviceKind::Encryption;
                found.layer = Some((LayerKind::Unnamed, String::new()));
            }
            let (layer, drive_only) = self.layer(&found, &table);
            found.node.passage = passage(&layer, drive_only, &table, self.is_being_changed(&found));
            self.found.insert(kernel_name.clone(), found);
            layers.insert(kernel_name, layer);
        }
        layers
    }

    fn layer(&self, found: &Found, table: &Known<Vec<Segment>>) -> (EncryptionLayer, bool) {
        let (kind, uuid) = found.layer.clone().unwrap_or((LayerKind::Unnamed, String::new()));
        let (header_device, header) = match kind {
            LayerKind::Luks1 | LayerKind::Luks2 | LayerKind::Luks2Opal => self.header(found, &uuid),
            _ => {
                let detail = "this kind of layer has no LUKS header".to_owned();
                (String::new(), not(Outcome::Unsupported, detail))
            }
        };
        let mapping = match table {
            Known::Observed(segments) => Known::Observed(ciphers(segments)),
            Known::Not(why) => Known::Not(why.clone()),
        };
        let drive_only = kind == LayerKind::Luks2Opal
            && header
                .value()
                .is_none_or(|header| header.drive_segments > 0 || header.ciphers.is_empty());
        let layer = EncryptionLayer {
            name: found.name.clone(),
            kind,
            header_device,
            header,
            mapping,
        };
        (layer, drive_only)
    }

    /// Looks for the header on the devices below, through mapped devices that are parts of this layer.
    fn header(&self, layer: &Found, uuid: &str) -> (String, Known<LuksHeader>) {
        let mut open = below(layer);
        let mut looked = 0;
        let mut why = not(Outcome::Absent, "no device lies below it".to_owned());
        while let Some(kernel_name) = open.pop() {
            looked += 1;
            if looked > MAX_CANDIDATES {
                break;
            }
            let Some(found) = self.found.get(&kernel_name) else {
                continue;
            };
            let path = format!("/dev/{}", kernel_name.replace('!', "/"));
            let device = Device {
                reading: self.reading,
                path: &path,
            };
            why = match luks::read(&device) {
                Ok(Some(header)) if same_uuid(&header.uuid, uuid) => {
                    return (found.name.clone(), Known::Observed(header));
                }
                Ok(Some(_)) => not(
                    Outcome::Malformed,
                    format!("{path}: the LUKS header has another UUID than the mapping"),
                ),
                Ok(None) => not(Outcome::Absent, format!("{path}: no LUKS header; it may be detached")),
                Err(HeaderError::Unread(Unread::Failed { place, reason })) if reason == NOT_THERE => {
                    not(Outcome::Absent, format!("{place} {reason}"))
                }
                Err(HeaderError::Unread(unread)) => Known::unread(&unread),
                Err(HeaderError::Malformed(what)) => not(Outcome::Malformed, format!("{path}: {what}")),
                Err(HeaderError::Unsupported(what)) => not(Outcome::Unsupported, format!("{path}: {what}")),
            };
            if matches!(found.kind, DeviceKind::Integrity | DeviceKind::Mapped) {
                open.extend(below(found));
            }
        }
        (String::new(), why)
    }

    /// Whether the layer lies on the helper devices of a running re-encryption (`NAME-hotzone-forward` and the like).
    fn is_being_changed(&self, layer: &Found) -> bool {
        let Some(mapping) = &layer.mapping else { return false };
        let prefix = format!("{mapping}-hotzone-");
        let names = below(layer)
            .into_iter()
            .filter_map(|name| self.found.get(&name)?.mapping.clone());
        names.into_iter().any(|name| name.starts_with(&prefix))
    }
}

/// What passes through a layer unencrypted, by everything that is known about it. Where header and table differ, the
/// one that shows something clear is believed.
fn passage(layer: &EncryptionLayer, drive_only: bool, table: &Known<Vec<Segment>>, being_changed: bool) -> Passage {
    let header = layer.header.value();
    if header.is_some_and(|header| header.clear_segments > 0) {
        return Passage::Clear;
    }
    if drive_only {
        return Passage::Opaque("only the drive encrypts (OPAL), which cannot be seen from here".to_owned());
    }
    if being_changed && header.is_none() {
        return Passage::Opaque("its encryption is being changed and its header was not read".to_owned());
    }
    match table {
        Known::Observed(segments) if segments.is_empty() => Passage::Opaque("the mapping has no table".to_owned()),
        Known::Observed(segments) if segments.iter().any(Segment::is_clear) && !being_changed => Passage::Clear,
        _ => Passage::Encrypts,
    }
}

fn ciphers(segments: &[Segment]) -> Vec<Cipher> {
    let mut ciphers: Vec<Cipher> = segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Crypt(cipher) => Some(cipher.clone()),
            Segment::Empty | Segment::Other(_) => None,
        })
        .collect();
    ciphers.sort();
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

fn not<T>(outcome: Outcome, detail: String) -> Known<T> {
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
