//! What the processor can do for the kernel's defence.

use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::Reading;

const CPUINFO: &str = "/proc/cpuinfo";
/// The first processor's part; a machine can have hundreds of them, all alike.
const HEAD: usize = 16 * 1024;
/// As the kernel names them: memory that is not executed, user memory that the kernel neither runs nor reads, tables that
/// programs do not see, jumps that land on marks alone, return addresses kept twice.
const FLAGS: [&str; 8] = ["bti", "ibt", "nx", "pan", "smap", "smep", "umip", "user_shstk"];

/// Those of the defences that the kernel found, sorted.
pub(super) fn defences(reading: &Reading<'_>) -> Known<Vec<String>> {
    let head = match Known::of(reading.bytes_at(CPUINFO, 0, HEAD), CPUINFO) {
        Known::Observed(head) => String::from_utf8_lossy(&head).into_owned(),
        Known::Not(why) => return Known::Not(why),
    };
    // `flags` of x86, `Features` of ARM.
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        matches!(name.trim(), "flags" | "Features").then_some(value)
    });
    let Some(line) = line else {
        return Known::absent(format!("{CPUINFO} names no features of the processor"));
    };
    let found = line.split_ascii_whitespace().filter(|flag| FLAGS.contains(flag));
    let mut found: Vec<String> = found.map(str::to_owned).collect();
    found.order();
    found.dedup();
    Known::Observed(found)
}
