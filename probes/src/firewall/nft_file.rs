//! Base chains in a file for nft(8): what it says of hooks and policies, not of rules.

use super::facts::{BaseChain, Policy};

/// Words that are looked at.
const MAX_WORDS: usize = 1_000_000;

/// The base chains, and the files that it includes as they are written there.
pub(super) fn parse(text: &str) -> (Vec<BaseChain>, Vec<String>) {
    let words = words(text);
    let (mut chains, mut includes) = (Vec::new(), Vec::new());
    let mut table = (String::new(), String::new());
    let mut open: Option<BaseChain> = None;
    let mut depth = 0_usize;
    let mut statement = true;
    let at = |index: usize| words.get(index).map(String::as_str).unwrap_or_default();
    for (index, word) in words.iter().enumerate() {
        match word.as_str() {
            "table" if depth == 0 => {
                let (first, second) = (at(index + 1), at(index + 2));
                // The family may be left out: `table name { … }`.
                table = if second == "{" || second == ";" {
                    ("ip".to_owned(), first.to_owned())
                } else {
                    (first.to_owned(), second.to_owned())
                };
            }
            "include" if statement => includes.push(at(index + 1).trim_matches('"').to_owned()),
            "chain" if depth == 1 && statement => {
                open = Some(BaseChain {
                    family: table.0.clone(),
                    table: table.1.clone(),
                    chain: at(index + 1).to_owned(),
                    kind: String::new(),
                    hook: String::new(),
                    priority: 0,
                    policy: Policy::Accept,
                    rules: 0,
                });
            }
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 1 {
                    chains.extend(open.take().filter(|chain| !chain.hook.is_empty()));
                }
            }
            "type" if depth == 2 && statement => {
                if let Some(chain) = open.as_mut().filter(|_| at(index + 2) == "hook") {
                    at(index + 1).clone_into(&mut chain.kind);
                    at(index + 3).clone_into(&mut chain.hook);
                    if let Some(place) = (index + 4..index + 9).find(|place| at(*place) == "priority") {
                        chain.priority = priority(at(place + 1), at(place + 2), at(place + 3));
                    }
                }
            }
            "policy" if depth == 2 && statement => {
                if let Some(chain) = open.as_mut().filter(|_| at(index + 1) == "drop") {
                    chain.policy = Policy::Drop;
                }
            }
            ";" | "\n" => {}
            // A rule begins.
            _ if statement && depth == 2 => {
                if let Some(chain) = open.as_mut() {
                    chain.rules += 1;
                }
            }
            _ => {}
        }
        statement = matches!(word.as_str(), ";" | "\n" | "{" | "}") && (word != "}" || depth < 2) && depth < 3;
    }
    (chains, includes)
}

/// `filter`, `-150`, `filter + 10`.
fn priority(word: &str, sign: &str, offset: &str) -> i64 {
    let named = match word {
        "raw" => -300,
        "mangle" => -150,
        "dstnat" => -100,
        "security" => 50,
        "srcnat" => 100,
        other => other.parse().unwrap_or_default(),
    };
    let offset: i64 = offset.parse().unwrap_or_default();
    match sign {
        "+" => named + offset.min(1 << 20),
        "-" => named - offset.min(1 << 20),
        _ => named,
    }
}

/// Words; braces, semicolons and line ends each by itself; comments and quoted texts taken out.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = text.chars().peekable();
    let end = |word: &mut String, words: &mut Vec<String>| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
    };
    while let Some(character) = characters.next() {
        if words.len() > MAX_WORDS {
            break;
        }
        match character {
            '#' => while characters.next_if(|next| *next != '\n').is_some() {},
            '\\' if characters.peek() == Some(&'\n') => {
                characters.next();
                end(&mut word, &mut words);
            }
            '"' => {
                end(&mut word, &mut words);
                word.push('"');
                for next in characters.by_ref() {
                    word.push(next);
                    if next == '"' {
                        break;
                    }
                }
                end(&mut word, &mut words);
            }
            '{' | '}' | ';' | '\n' => {
                end(&mut word, &mut words);
                words.push(character.to_string());
            }
            _ if character.is_whitespace() => end(&mut word, &mut words),
            _ => word.push(character),
        }
    }
    end(&mut word, &mut words);
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn debians_example() {
        let text = "#!/usr/sbin/nft -f\nflush ruleset\ninclude \"/etc/nftables.d/*.nft\"\ntable inet filter {\n\tset s {\n\t\ttype ipv4_addr; elements = { 1.2.3.4 }\n\t}\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t\t# c\n\t\ttcp dport { 22, 80 } accept\n\t\tudp dport 53 accept; iif lo accept\n\t}\n\tchain other {\n\t\taccept\n\t}\n\tchain output {\n\t\ttype filter hook output priority mangle + 5;\n\t}\n}\n";
        let (chains, includes) = parse(text);
        assert_eq!(includes, ["/etc/nftables.d/*.nft"]);
        let shown: Vec<_> = chains
            .iter()
            .map(|one| {
                (
                    one.family.as_str(),
                    one.hook.as_str(),
                    one.priority,
                    one.policy,
                    one.rules,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("inet", "input", 0, Policy::Drop, 3),
                ("inet", "output", -145, Policy::Accept, 0)
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[a-z{};\\n\"# ]{0,200}") {
            parse(&text);
        }
    }
}
