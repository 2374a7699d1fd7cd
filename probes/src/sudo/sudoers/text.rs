//! A grant in sudoers' own words, for people.

use std::fmt::Write;

use super::syntax::{CommandMember, CommandName, CommandSpec, Member, MemberKind, Runas};

/// `users hosts = (runas) OPTION=… TAG: command`
pub(super) fn grant(
    users: &[Member],
    hosts: &[Member],
    spec: &CommandSpec,
    command: &CommandMember,
    negated: bool,
) -> String {
    let mut text = format!("{} {} =", list(users), list(hosts));
    if let Some(Runas { users, groups }) = spec.runas.as_deref() {
        let users = users.as_deref().map(list).unwrap_or_default();
        let groups = groups
            .as_deref()
            .map(|groups| format!(" : {}", list(groups)))
            .unwrap_or_default();
        add(&mut text, &format!("({})", format!("{users}{groups}").trim()));
    }
    for (option, value) in &spec.options {
        add(&mut text, &format!("{}={value}", option.to_ascii_uppercase()));
    }
    for (setting, value) in &spec.tags.set {
        let name = match (*setting, value) {
            ("nopasswd", true) => "NOPASSWD".to_owned(),
            ("nopasswd", false) => "PASSWD".to_owned(),
            ("noexec", true) => "NOEXEC".to_owned(),
            ("noexec", false) => "EXEC".to_owned(),
            ("setenv", true) if spec.tags.setenv_implied => continue,
            (setting, value) => format!("{}{}", if *value { "" } else { "NO" }, setting.to_ascii_uppercase()),
        };
        add(&mut text, &format!("{name}:"));
    }
    for (kind, digest) in &command.digests {
        add(&mut text, &format!("{kind}:{digest}"));
    }
    let name = match &command.kind {
        CommandName::All => "ALL".to_owned(),
        CommandName::Alias(name) => name.clone(),
        CommandName::Command { path, arguments: None } => path.clone(),
        CommandName::Command {
            path,
            arguments: Some(arguments),
        } => format!("{path} {arguments}"),
    };
    add(&mut text, &format!("{}{name}", if negated { "!" } else { "" }));
    text
}

fn add(text: &mut String, word: &str) {
    // Writing to a String cannot fail.
    let _ = write!(text, " {word}");
}

fn list(members: &[Member]) -> String {
    let member = |Member { negated, kind }: &Member| {
        let name = match kind {
            MemberKind::All => "ALL".to_owned(),
            MemberKind::Alias(name) | MemberKind::Word(name) | MemberKind::Network(name) => name.clone(),
            MemberKind::Group(name) => format!("%{name}"),
            MemberKind::Netgroup(name) => format!("+{name}"),
            MemberKind::Myself => String::new(),
        };
        format!("{}{name}", if *negated { "!" } else { "" })
    };
    members.iter().map(member).collect::<Vec<_>>().join(", ")
}
