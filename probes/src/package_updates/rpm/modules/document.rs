//! What `modules.yaml` tells of modules: documents one after the other, most of them a build of a stream.
//!
//! Source: `yaml_specs/modulemd_stream_v2.yaml` and `modulemd_defaults_v1.yaml` of libmodulemd. Most of a document is text for people,
//! so only what is needed is read as YAML; the rest is known by its indentation and left out.

use serde_json::Value;

use super::super::metadata::Offered;
use crate::formats::yaml_outline;

/// A build of a stream: a version in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Build {
    pub(super) name: String,
    pub(super) stream: String,
    pub(super) version: String,
    pub(super) context: String,
    /// Modules that it needs, with the streams that will do: all if none is named, and none that is named with a `-`.
    pub(super) requires: Vec<(String, Vec<String>)>,
    /// Its packages.
    pub(super) artifacts: Vec<Offered>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Document {
    Build(Build),
    /// The stream of a module that is on without being asked for.
    Default {
        module: String,
        stream: String,
    },
}

/// Reads a document; `None` if it is of a kind that does not matter here. Of a build's packages those are kept whose name is
/// `wanted`.
pub(super) fn document(text: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Option<Document>, &'static str> {
    let top = children(text);
    let Some(kind) = scalar_of(&top, "document") else {
        return if top.is_empty() {
            Ok(None)
        } else {
            Err("a document does not tell its kind")
        };
    };
    let data = || {
        let data = top
            .iter()
            .find(|child| child.key == "data")
            .filter(|data| data.rest.is_empty());
        data.map(|data| children(data.block)).ok_or("a document has no data")
    };
    let needed = |data: &[Child<'_>], key: &str| scalar_of(data, key).ok_or("a module has no name, stream or version");
    match kind.as_str() {
        "modulemd" => {
            if scalar_of(&top, "version").as_deref() != Some("2") {
                return Err("a module in a form that is not known");
            }
            let data = data()?;
            Ok(Some(Document::Build(Build {
                name: needed(&data, "name")?,
                stream: needed(&data, "stream")?,
                version: needed(&data, "version")?,
                context: scalar_of(&data, "context").unwrap_or_default(),
                requires: requires(&data)?,
                artifacts: artifacts(&data, wanted)?,
            })))
        }
        "modulemd-defaults" => {
            let data = data()?;
            let module = scalar_of(&data, "module").ok_or("a default names no module")?;
            // Some have profiles alone.
            let stream = scalar_of(&data, "stream").filter(|stream| !stream.is_empty());
            Ok(stream.map(|stream| Document::Default { module, stream }))
        }
        _ => Ok(None),
    }
}

/// A key of a mapping, what stands behind it, and the lines below that belong to it.
struct Child<'t> {
    key: &'t str,
    rest: &'t str,
    block: &'t str,
}

/// The keys of the mapping that a text is, by the indentation of its first line.
fn children(text: &str) -> Vec<Child<'_>> {
    let mut children: Vec<Child<'_>> = vec![];
    let mut indent = None;
    let mut at = 0;
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        let content = line.trim_end();
        let inner = content.trim_start_matches(' ');
        let own = content.len() - inner.len();
        if !inner.is_empty()
            && !inner.starts_with(['#', '-'])
            && own == *indent.get_or_insert(own)
            && let Some((key, rest)) = inner.split_once(':')
        {
            if let Some(last) = children.last_mut() {
                last.block = text.get(begin..at).unwrap_or_default();
            }
            children.push(Child {
                key,
                rest: rest.trim(),
                block: "",
            });
            begin = next;
        }
        at = next;
    }
    if let Some(last) = children.last_mut() {
        last.block = text.get(begin..).unwrap_or_default();
    }
    children
}

/// A value as it is written, without quotes: `1.10` is no number, and `on` no truth.
fn scalar_of(children: &[Child<'_>], key: &str) -> Option<String> {
    let rest = children.iter().find(|child| child.key == key)?.rest;
    if rest.starts_with(['"', '\'']) {
        return word(&yaml_outline::parse(rest).ok()?);
    }
    Some(rest.to_owned())
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The value of a key, which may stand behind it or below.
fn value_of(children: &[Child<'_>], key: &str) -> Result<Value, &'static str> {
    let Some(child) = children.iter().find(|child| child.key == key) else {
        return Ok(Value::Null);
    };
    let text = if child.rest.is_empty() { child.block } else { child.rest };
    yaml_outline::parse(text).map_err(|_| "a part of a module cannot be understood")
}

fn requires(data: &[Child<'_>]) -> Result<Vec<(String, Vec<String>)>, &'static str> {
    let dependencies = value_of(data, "dependencies")?;
    let all = dependencies.as_array().into_iter().flatten();
    let modules = all.filter_map(|one| one.get("requires")?.as_object()).flatten();
    let module = |(name, streams): (&String, &Value)| {
        let streams = streams.as_array().into_iter().flatten();
        (name.clone(), streams.filter_map(word).collect())
    };
    Ok(modules.map(module).collect())
}

fn artifacts(data: &[Child<'_>], wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Offered>, &'static str> {
    let artifacts = value_of(data, "artifacts")?;
    let packages = artifacts.get("rpms").and_then(Value::as_array).into_iter().flatten();
    let mut found = vec![];
    for package in packages {
        let package = package
            .as_str()
            .and_then(nevra)
            .ok_or("a package of a module has no full name")?;
        if wanted(&package.name) {
            found.push(package);
        }
    }
    Ok(found)
}

/// `name-epoch:version-release.architecture`.
fn nevra(text: &str) -> Option<Offered> {
    let (rest, architecture) = text.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let version = version.strip_prefix("0:").unwrap_or(version);
    (!name.is_empty()).then(|| Offered {
        name: name.to_owned(),
        architecture: architecture.to_owned(),
        version: format!("{version}-{release}"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MODULE: &str = "document: modulemd\nversion: 2\ndata:\n  name: node\n  stream: \"10\"\n  version: 820190108\n  context: 9edb\n  \
        arch: x86_64\n  summary: a summary\n    over two lines: really\n  description: >-\n    name: other\n\n    and more\n  \
        license:\n    module:\n    - MIT\n  xmd: {}\n  dependencies:\n  - buildrequires:\n      platform: [el8]\n    requires:\n      \
        platform: [el8]\n      perl: [5.26, '5.30']\n      any: []\n  artifacts:\n    rpms:\n    - node-1:10.14-1.module+el8.x86_64\n    \
        - npm-0:6-1.noarch\n    - other-0:1-1.src\n";

    fn read(text: &str) -> Result<Option<Document>, &'static str> {
        document(text, &|name| name != "other")
    }

    #[test]
    fn a_build() {
        let Ok(Some(Document::Build(build))) = read(MODULE) else {
            panic!("{:?}", read(MODULE));
        };
        assert_eq!(
            (build.name.as_str(), build.stream.as_str(), build.version.as_str()),
            ("node", "10", "820190108")
        );
        let needs: Vec<(&str, Vec<&str>)> = build
            .requires
            .iter()
            .map(|(name, streams)| (name.as_str(), streams.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(
            needs,
            [
                ("any", vec![]),
                ("perl", vec!["5.26", "5.30"]),
                ("platform", vec!["el8"])
            ]
        );
        let packages: Vec<_> = build
            .artifacts
            .iter()
            .map(|package| format!("{} {} {}", package.name, package.version, package.architecture))
            .collect();
        assert_eq!(packages, ["node 1:10.14-1.module+el8 x86_64", "npm 6-1 noarch"]);
    }

    #[test]
    fn other_documents() {
        let default = "document: modulemd-defaults\nversion: 1\ndata:\n  module: node\n  stream: 1.10\n  profiles:\n    1.10: [common]\n";
        let expected = Document::Default {
            module: "node".into(),
            stream: "1.10".into(),
        };
        assert_eq!(read(default), Ok(Some(expected)));
        assert_eq!(read(&default.replace("  stream: 1.10\n", "")), Ok(None));
        assert_eq!(read("document: modulemd-translations\ndata: {}\n"), Ok(None));
        assert_eq!(read("\n"), Ok(None));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (from, to, why) in [
            ("document: modulemd\n", "", "a document does not tell its kind"),
            ("version: 2\n", "version: 1\n", "a module in a form that is not known"),
            ("data:\n", "data: {}\n", "a document has no data"),
            ("  stream: \"10\"\n", "", "a module has no name, stream or version"),
            (
                "[el8]\n    requires",
                "[el8\n    requires",
                "a part of a module cannot be understood",
            ),
            ("npm-0:6-1.noarch", "npm", "a package of a module has no full name"),
        ] {
            assert_eq!(read(&MODULE.replacen(from, to, 1)), Err(why), "{from}");
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "[a-z:\\-\" \n]{0,200}", cut in 0_usize..700) {
            let _ = read(&text);
            let _ = read(&format!("document: modulemd\nversion: 2\ndata:\n{text}"));
            let _ = read(MODULE.get(..cut).unwrap_or_default());
        }
    }
}
