//! The data files, built in: `(file name without extension, bytes)`, sorted by name.

include!(concat!(env!("OUT_DIR"), "/data.rs"));
