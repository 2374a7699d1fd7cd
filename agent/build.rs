//! Leaves the tables for unwinding out of the agent as it is packaged: a twelfth of the program, of which nothing is used where
//! a panic aborts. rustc's own `-C force-unwind-tables=no` cannot be asked for in a profile, and does not reach the standard
//! library.

fn main() {
    println!("cargo::rerun-if-changed=no-unwind-tables.ld");
    println!("cargo::rustc-check-cfg=cfg(no_unwind_tables)");
    // Cargo does not tell the profile; only `small` optimises for size.
    if std::env::var("OPT_LEVEL").is_ok_and(|level| level == "s") {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/no-unwind-tables.ld");
        println!("cargo::rustc-cfg=no_unwind_tables");
    }
}
