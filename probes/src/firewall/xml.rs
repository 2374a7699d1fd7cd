//! The little XML that firewalld writes: elements with attributes.

/// Elements that are looked at.
const MAX_ELEMENTS: usize = 20_000;

/// An element as it begins; ends and text are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    /// How many elements it stands in.
    pub(super) depth: usize,
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The elements of a document in order; what is wrong with it if it has no end where one must be.
pub(super) fn elements(text: &str) -> Result<Vec<Element>, &'static str> {
    let mut elements = Vec::new();
    let mut rest = text;
    let mut depth = 0_usize;
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").ok_or("a comment without its end")?.1;
            continue;
        }
        let end = end_of_tag(after).ok_or("a tag without its end")?;
        let (tag, left) = after.split_at(end);
        rest = left.strip_prefix('>').unwrap_or(left);
        match tag.chars().next() {
            Some('?' | '!') => {}
            Some('/') => depth = depth.checked_sub(1).ok_or("an end without a beginning")?,
            _ => {
                let closed = tag.ends_with('/');
                elements.push(element(tag.trim_end_matches('/'), depth).ok_or("a tag that is malformed")?);
                if elements.len() > MAX_ELEMENTS {
                    return Err("more than 20,000 elements");
                }
                depth += usize::from(!closed);
            }
        }
    }
    if depth == 0 {
        Ok(elements)
    } else {
        Err("an element without its end")
    }
}

/// Where the `>` is that is not within quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (None, '>') => return Some(index),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    None
}

fn element(tag: &str, depth: usize) -> Option<Element> {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    if name.is_empty() {
        return None;
    }
    while let Some((attribute, after)) = rest.trim_start().split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        let (value, left) = after.get(1..)?.split_once(quote)?;
        attributes.push((attribute.trim_end().to_owned(), unescaped(value)));
        rest = left;
    }
    let name = name.to_owned();
    rest.trim().is_empty().then_some(Element {
        depth,
        name,
        attributes,
    })
}

fn unescaped(value: &str) -> String {
    let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    value.replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_zone() {
        let text = "<?xml version=\"1.0\"?>\n<!-- <x> -->\n<zone target=\"DROP\">\n <short>P &amp; Q</short>\n <service name='ssh'/>\n <rule><accept/></rule>\n</zone>";
        let elements = elements(text).unwrap();
        let shown: Vec<_> = elements.iter().map(|one| (one.depth, one.name.as_str())).collect();
        assert_eq!(
            shown,
            [(0, "zone"), (1, "short"), (1, "service"), (1, "rule"), (2, "accept")]
        );
        assert_eq!(elements[0].attribute("target"), Some("DROP"));
        assert_eq!(elements[2].attribute("name"), Some("ssh"));
        assert!(super::elements("<a>").is_err());
        assert!(super::elements("</a>").is_err());
        assert!(super::elements("<a b=c/>").is_err());
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[a-c<>/=\"'! \\-]{0,200}") {
            let _ = elements(&text);
        }
    }
}
