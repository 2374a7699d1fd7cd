//! Secure boot, by the firmware's variables.

use super::facts::SecureBoot;
use super::malformed;
use crate::probe::Known;
use crate::reading::Reading;

const FOLDER: &str = "/sys/firmware/efi/efivars";
/// `EFI_GLOBAL_VARIABLE`.
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// Shim's.
const SHIM: &str = "605dab50-e046-4300-abb6-3dd810dd8b23";

pub(super) fn secure_boot(reading: &Reading<'_>) -> Known<SecureBoot> {
    match reading.stat("/sys/firmware/efi") {
        Ok(Some(_)) => Known::Observed(SecureBoot {
            enabled: variable(reading, &format!("SecureBoot-{GLOBAL}")),
            setup_mode: variable(reading, &format!("SetupMode-{GLOBAL}")),
            shim_validation_disabled: variable(reading, &format!("MokSBStateRT-{SHIM}")),
        }),
        Ok(None) => Known::absent("/sys/firmware/efi is not there: the machine did not start by UEFI"),
        Err(unread) => Known::unread(&unread),
    }
}

/// Four bytes of attributes, then the value: one byte, 1 or 0.
fn variable(reading: &Reading<'_>, name: &str) -> Known<bool> {
    let path = format!("{FOLDER}/{name}");
    match reading.volatile_bytes(&path) {
        Ok(Some(bytes)) => match bytes.as_slice() {
            [_, _, _, _, 0] => Known::Observed(false),
            [_, _, _, _, 1] => Known::Observed(true),
            other => malformed(&path, &format!("{} bytes", other.len())),
        },
        Ok(None) => Known::absent(format!("{path} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}
