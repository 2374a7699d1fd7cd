//! `/etc/shells` (shells(5)).

use std::collections::BTreeSet;

/// Shells, sorted.
pub(super) fn parse(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let shells: BTreeSet<&str> = lines.filter(|line| line.starts_with('/')).collect();
    shells.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shells_of_a_file() {
        assert_eq!(
            parse("# shells\n/bin/sh\n /bin/bash # x\nnot\n/bin/sh\n"),
            ["/bin/bash", "/bin/sh"]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
