//! USBGuard: usbguard-daemon.conf(5), and how many rules it has. The rules hold serial numbers and stay on the host.

use super::facts::UsbGuard;
use crate::formats::systemd::UnitState;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

const CONF: &str = "/etc/usbguard/usbguard-daemon.conf";

pub(super) fn read(reading: &Reading<'_>, service: Option<UnitState>) -> Known<UsbGuard> {
    match find(reading, service) {
        Ok(Some(usbguard)) => Known::Observed(usbguard),
        Ok(None) => Known::absent(format!("{CONF} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn find(reading: &Reading<'_>, service: Option<UnitState>) -> Result<Option<UsbGuard>, Unread> {
    let Some(conf) = reading.text(CONF)? else {
        return Ok(None);
    };
    let get = |name: &str| {
        let settings = conf.lines().filter(|line| !line.trim_start().starts_with('#'));
        let mut found = settings
            .filter_map(|line| line.split_once('='))
            .filter(|(key, _)| key.trim() == name);
        let last = found.next_back().map(|(_, value)| value.trim().to_owned());
        last.unwrap_or_default()
    };
    let mut paths = vec![get("RuleFile")];
    let folder = get("RuleFolder");
    if !folder.is_empty() {
        let folder = folder.trim_end_matches('/');
        let entries = reading.list(folder)?.unwrap_or_default().into_iter();
        let files = entries.filter(|entry| entry.kind == Kind::File && entry.name.strip_suffix(".conf").is_some());
        paths.extend(files.take(500).map(|entry| format!("{folder}/{}", entry.name)));
    }
    let mut usbguard = UsbGuard {
        service,
        implicit_policy_target: get("ImplicitPolicyTarget"),
        present_device_policy: get("PresentDevicePolicy"),
        inserted_device_policy: get("InsertedDevicePolicy"),
        rules: 0,
        allow_rules: 0,
    };
    for path in paths.into_iter().filter(|path| path.starts_with('/')) {
        let rules = reading.private(&path, &path)?.unwrap_or_default();
        for line in String::from_utf8_lossy(&rules).lines() {
            let target = line.split_ascii_whitespace().next().unwrap_or_default();
            usbguard.rules += u64::from(matches!(target, "allow" | "block" | "reject" | "match" | "device"));
            usbguard.allow_rules += u64::from(target == "allow");
        }
    }
    Ok(Some(usbguard))
}
