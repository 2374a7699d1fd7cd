//! Board and enclosure, as the firmware tells of them.

use evidence::facts::Outcome;

use super::attribute;
use super::facts::Board;
use crate::probe::Known;
use crate::reading::Reading;

const FOLDER: &str = "/sys/class/dmi/id";

pub(super) fn read(reading: &Reading<'_>) -> Known<Board> {
    match reading.list(FOLDER) {
        Ok(Some(_)) => {}
        Ok(None) => return Known::not(Outcome::Absent, format!("{FOLDER} is not there")),
        Err(unread) => return Known::unread(&unread),
    }
    let entry = |name: &str| attribute(reading, &format!("{FOLDER}/{name}"));
    Known::Observed(Board {
        board_vendor: entry("board_vendor"),
        board_name: entry("board_name"),
        board_version: entry("board_version"),
        board_serial: entry("board_serial"),
        chassis_vendor: entry("chassis_vendor"),
        chassis_version: entry("chassis_version"),
        chassis_serial: entry("chassis_serial"),
        chassis_asset_tag: entry("chassis_asset_tag"),
        product_family: entry("product_family"),
        product_sku: entry("product_sku"),
        firmware_release: entry("bios_release"),
        controller_release: entry("ec_firmware_release"),
    })
}
