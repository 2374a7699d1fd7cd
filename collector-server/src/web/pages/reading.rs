//! Observed values as people read them.

use controls::verdict::Observed;
use serde_json::Value;

/// Longest short form, characters.
const SHORT: usize = 80;

/// A value in a few words.
pub(super) fn short(observed: &Observed) -> String {
    let text = match (&observed.value, &observed.missing) {
        (Some(value), _) => inline(value),
        (None, Some(missing)) => format!("not seen: {missing}"),
        (None, None) => "not seen".to_owned(),
    };
    if text.chars().count() <= SHORT {
        return text;
    }
    let cut: String = text.chars().take(SHORT - 1).collect();
    format!("{cut}…")
}

/// A value on one line: texts without quotes, lists with commas.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "(empty)".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(inline).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| format!("{key}: {}", inline(value));
            members.iter().map(member).collect::<Vec<_>>().join(" · ")
        }
    }
}

/// One observed value, in full.
pub(super) struct Shown {
    pub(super) label: String,
    /// One line each.
    pub(super) lines: Vec<String>,
    /// How many there are, if these are not all.
    pub(super) total: Option<u64>,
    pub(super) missing: Option<String>,
}

/// In full.
pub(super) fn full(observed: &Observed) -> Shown {
    let lines = match &observed.value {
        Some(Value::Array(items)) if !items.is_empty() => items.iter().map(inline).collect(),
        Some(value) => vec![inline(value)],
        None => Vec::new(),
    };
    Shown {
        label: observed.label.clone(),
        lines,
        total: observed.total,
        missing: observed.missing.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_read_like_text() {
        assert_eq!(inline(&json!(["a", 1, false])), "a, 1, no");
        assert_eq!(inline(&json!([])), "none");
        assert_eq!(inline(&json!({"name": "x", "set": true})), "name: x · set: yes");
        assert_eq!(inline(&json!("")), "(empty)");
    }
}
