//! `.policy` files: the few elements of XML that tell of actions and their defaults.

use super::facts::Action;

/// The actions of a file that need no password for some session; an error says what is wrong.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Vec<Action>, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    let text = without_comments(text)?;
    let mut actions = vec![];
    let mut rest = text.as_str();
    while let Some(at) = rest.find("<action") {
        let after = rest.get(at + "<action".len()..).unwrap_or_default();
        if !after.starts_with(|letter: char| letter.is_ascii_whitespace()) {
            rest = after;
            continue;
        }
        let (head, body) = after.split_once('>').ok_or("an element has no end")?;
        let id = attribute(head).ok_or("an action has no id")?;
        let (inner, after) = body.split_once("</action").ok_or("an action has no end")?;
        let allow = |name: &str| element(inner, name).unwrap_or_else(|| "no".to_owned());
        let action = Action {
            id,
            allow_any: allow("allow_any"),
            allow_inactive: allow("allow_inactive"),
            allow_active: allow("allow_active"),
            path: path.to_owned(),
        };
        if [&action.allow_any, &action.allow_inactive, &action.allow_active].contains(&&"yes".to_owned()) {
            actions.push(action);
        }
        rest = after;
    }
    Ok(actions)
}

fn without_comments(text: &str) -> Result<String, &'static str> {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        kept.push_str(before);
        let (_, after) = after.split_once("-->").ok_or("a comment has no end")?;
        rest = after;
    }
    kept.push_str(rest);
    Ok(kept)
}

/// The value of `id` in the head of an element.
fn attribute(head: &str) -> Option<String> {
    let (_, after) = head.split_once("id")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
    let (value, _) = value.get(1..)?.split_once(quote)?;
    Some(value.to_owned())
}

fn element(text: &str, name: &str) -> Option<String> {
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = after.split_once('<')?;
    Some(value.trim().to_owned())
}
