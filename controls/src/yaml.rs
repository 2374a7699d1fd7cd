//! YAML, read strictly and within bounds.

use serde::de::DeserializeOwned;

/// Bytes of one file; the largest built-in rule has about 6,000.
pub const MAX_BYTES: usize = 64 * 1024;

/// Reads one document; the message has line and column.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!(
            "the file has {} bytes, at most {MAX_BYTES} are allowed",
            bytes.len()
        ));
    }
    let mut budget = serde_saphyr::Budget::default();
    // No file of ours needs anchors; without them a small file cannot become a large value.
    budget.max_aliases = 0;
    budget.max_anchors = 0;
    budget.max_merge_keys = 0;
    budget.max_depth = 32;
    budget.flow_nesting_limit = 32;
    budget.max_documents = 1;
    budget.max_nodes = 20_000;
    let mut options = serde_saphyr::Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    options.strict_booleans = true;
    serde_saphyr::from_slice_with_options(bytes, options).map_err(|error| error.to_string())
}
