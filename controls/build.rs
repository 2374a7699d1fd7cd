//! Lists the data files, so that a rule, a schema or a catalogue costs one file and no edit.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let mut code = String::new();
    for (name, folder, extension) in [
        ("RULES", "rules", "yaml"),
        ("SCHEMAS", "schemas", "json"),
        ("CATALOGUES", "catalogues", "csv"),
    ] {
        println!("cargo:rerun-if-changed={folder}");
        let folder = Path::new(&root).join(folder);
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
        files.sort();
        writeln!(code, "pub(crate) const {name}: &[(&str, &[u8])] = &[").map_err(io::Error::other)?;
        for path in files {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            println!("cargo:rerun-if-changed={}", path.display());
            let path = path.to_string_lossy();
            writeln!(code, "    ({stem:?}, include_bytes!({path:?})),").map_err(io::Error::other)?;
        }
        code.push_str("];\n");
    }
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("data.rs"), code)
}
