use super::*;
use crate::reading::captured::Captured;
use crate::reading::testing;

fn module(name: &str, stream: &str, version: u32, context: &str, requires: &str, packages: &[&str]) -> String {
    let packages: String = packages.iter().map(|package| format!("    - {package}\n")).collect();
    format!(
        "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {name}\n  stream: \"{stream}\"\n  version: {version}\n  \
         context: {context}\n  dependencies:\n  - requires: {{{requires}}}\n  artifacts:\n    rpms:\n{packages}...\n"
    )
}

const EL8: &str = "platform: [el8]";

/// `name` 1 to 3 in three streams, of which 2 is the default.
fn list() -> String {
    [
        module("m", "1", 10, "a", EL8, &["p-0:1-1.x86_64"]),
        module("m", "1", 11, "a", EL8, &["p-0:1-2.x86_64"]),
        module("m", "2", 10, "a", EL8, &["p-0:2-1.x86_64", "q-0:2-1.noarch"]),
        module("m", "3", 10, "a", "platform: [el9]", &["p-0:3-1.x86_64"]),
        "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: m\n  stream: \"2\"\n...\n".to_owned(),
    ]
    .concat()
}

struct Read {
    modules: Modules,
    doubts: Vec<String>,
}

fn read(list: &str, states: &[(&str, &str, &str)]) -> Read {
    let mut host = Captured::default()
        .file("/etc/os-release", "ID=x\nPLATFORM_ID=\"platform:el8\"\n")
        .file("/m.yaml", list);
    for (name, stream, state) in states {
        let text = format!("[{name}]\nname={name}\nstream={stream}\nprofiles=\nstate={state}\n");
        host = host.file(&format!("/etc/dnf/modules.d/{name}.module"), text);
    }
    of(&host)
}

fn of(host: &Captured) -> Read {
    let wanted = HashMap::from(["p", "q", "r", "s"].map(|name| (name, vec![0])));
    let mut doubts = Doubts::default();
    let modules = Modules::read(&testing(host), &["/m.yaml".to_owned()], &wanted, &mut doubts);
    let doubts = doubts.into_reasons();
    Read { modules, doubts }
}

impl Read {
    /// Which versions of `p` can be installed, of those that streams and none have.
    fn versions(&self) -> String {
        let versions = ["1-1", "1-2", "2-1", "3-1", "9-9"];
        let allowed = versions.into_iter().filter(|version| self.allows("p", version));
        allowed.collect::<Vec<_>>().join(" ")
    }

    fn allows(&self, name: &str, version: &str) -> bool {
        let architecture = if name == "p" { "x86_64" } else { "noarch" };
        self.modules.allows(&Offered {
            name: name.into(),
            architecture: architecture.into(),
            version: version.into(),
        })
    }
}

#[test]
fn streams() {
    // By default, on, on and not for this platform, off.
    let default = read(&list(), &[]);
    assert_eq!((default.versions().as_str(), default.doubts.len()), ("2-1", 0));
    assert!(default.modules.is_active(["m", "2", "a"]) && default.modules.told().is_empty());
    let one = read(&list(), &[("m", "1", "enabled")]);
    assert_eq!(one.versions(), "1-1 1-2");
    assert!(one.modules.is_active(["m", "1", "a"]) && !one.modules.is_active(["m", "2", "a"]));
    // Stream 1 has no `q`: that of no module counts, and that of stream 2 does not.
    assert!(one.allows("q", "9-9") && !one.allows("q", "2-1"));
    assert_eq!(read(&list(), &[("m", "3", "1")]).versions(), "9-9");
    let off = read(&list(), &[("m", "", "disabled")]);
    assert_eq!(off.versions(), "9-9");
    assert_eq!(off.modules.told()[0].state, ModuleState::Disabled);
    // Neither a default nor a state that is none.
    let none = list().replace("modulemd-defaults", "modulemd-translations");
    assert_eq!(read(&none, &[("m", "1", "")]).versions(), "9-9");
}

#[test]
fn needs_of_contexts() {
    let list = [
        module("perl", "5.26", 1, "a", EL8, &[]),
        module("perl", "5.30", 1, "a", EL8, &[]),
        module("m", "1", 1, "a", "platform: [el8], perl: [5.26]", &["p-0:1-1.x86_64"]),
        module("m", "1", 1, "b", "platform: [el8], perl: [5.30]", &["p-0:1-2.x86_64"]),
    ]
    .concat();
    let on = |perl: &str| read(&list, &[("m", "1", "enabled"), ("perl", perl, "enabled")]).versions();
    assert_eq!((on("5.26"), on("5.30")), ("1-1".into(), "1-2".into()));
    // With no stream of perl dnf chooses one; where only one will do that one.
    let open = read(&list, &[("m", "1", "enabled")]);
    let why = "perl: modules that are on need it, and which of its streams cannot be told here";
    assert_eq!(open.doubts, [why]);
    let one = list
        .replace("perl: [5.30]", "perl: [5.26]")
        .replace("context: b", "context: a");
    let one = read(&one.replace("p-0:1-2", "r-0:1-2"), &[("m", "1", "enabled")]);
    assert_eq!(one.versions(), "1-1");
    let off = read(&list, &[("m", "1", "enabled"), ("perl", "", "disabled")]);
    assert_eq!(off.versions(), "2-1 3-1 9-9");
}

#[test]
fn defaults() {
    let other = "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: m\n  stream: 1\n...\n";
    assert_eq!(read(&(list() + other), &[]).versions(), "9-9", "they do not agree");
    let host = Captured::default()
        .file("/etc/os-release", "PLATFORM_ID=platform:el8\n")
        .file("/m.yaml", list())
        .file("/etc/dnf/modules.defaults.d/m.yaml", other);
    assert_eq!(of(&host).versions(), "1-1 1-2");
}

#[test]
fn doubts() {
    let why = |host: &Captured| of(host).doubts.join(", ");
    let host = || {
        Captured::default()
            .file("/etc/os-release", "PLATFORM_ID=platform:el8\n")
            .file("/m.yaml", list())
    };
    assert_eq!(why(&host()), "");
    let unknown = host().file("/etc/os-release", "ID=x\n");
    assert_eq!(
        why(&unknown),
        "os-release tells no platform, so which modules count cannot be told here"
    );
    assert_eq!(
        why(&host().file("/m.yaml", "a: b\n")),
        "/m.yaml: a document does not tell its kind"
    );
    assert_eq!(why(&host().denied("/m.yaml")), "/m.yaml: permission denied");
    assert_eq!(
        why(&host().file(DNF5_STATES, "[modules.m]\nstate = \"Enabled\"\n")),
        format!("{DNF5_STATES}: there are modules of dnf5, which are not read here")
    );
    let twice = [
        module("m", "2", 1, "a", EL8, &["p-0:1-1.x86_64"]),
        module("m", "2", 1, "b", EL8, &["p-0:1-2.x86_64"]),
    ];
    let twice = host().file("/m.yaml", list() + &twice.concat());
    assert_eq!(why(&twice), "m:2:1: which of its contexts counts cannot be told here");
}
