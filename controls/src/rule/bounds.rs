//! The form of ids and texts in a rule.

/// Characters of a text in a rule, such as the rationale.
const MAX_TEXT: usize = 2_000;

/// `[a-z0-9-]`, not at the ends, at most 64 characters.
pub(super) fn is_id(id: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    id.len() <= 64
        && id.bytes().all(|byte| inner(byte) || byte == b'-')
        && id.bytes().next().is_some_and(inner)
        && id.bytes().last().is_some_and(inner)
}

/// A CEL identifier, so that `param.name` can be written: `[a-z][a-z0-9_]*`, at most 64 characters.
pub(super) fn is_parameter_name(name: &str) -> bool {
    name.len() <= 64
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Some text, not too much, without control characters.
pub(super) fn is_text(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= MAX_TEXT
        && !text
            .chars()
            .any(|character| character.is_control() && character != '\n')
}
