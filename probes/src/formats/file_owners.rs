//! Files whose packages are looked up in the lists of a package manager, which are gone through once and not kept.

use std::collections::{BTreeMap, BTreeSet};

use super::sqlite::resolved;
use crate::order::IntoMap as _;
use crate::reading::{Reading, Unread};

/// Folders that are links on some hosts, below which packages list files all the same.
const LINKED: [&str; 15] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/usr/sbin",
    "/usr/lib64",
    "/usr/local",
    "/opt",
    "/srv",
    "/home",
    "/root",
    "/mnt",
    "/var/run",
    "/var/lock",
    "/var/mail",
];

/// The files, and the packages found so far.
pub struct Wanted<'p> {
    paths: BTreeSet<&'p str>,
    names: BTreeSet<&'p [u8]>,
    /// Links among folders with where they lead.
    links: Vec<(&'static str, String)>,
    /// By path: whether the package's own file is not what lies there, and the package.
    found: BTreeMap<String, (bool, String)>,
}

impl<'p> Wanted<'p> {
    /// Looks for these paths, in which no folder is a link.
    pub fn new(reading: &Reading<'_>, paths: BTreeSet<&'p str>) -> Result<Self, Unread> {
        let mut links = vec![];
        for folder in LINKED {
            let real = resolved(reading, folder)?;
            if real != folder {
                links.push((folder, real));
            }
        }
        let names = paths
            .iter()
            .filter_map(|path| Some(path.rsplit_once('/')?.1.as_bytes()));
        Ok(Self {
            names: names.collect(),
            paths,
            links,
            found: BTreeMap::new(),
        })
    }

    /// Whether a file of this name, without its folder, is looked for.
    pub fn has_name(&self, name: &[u8]) -> bool {
        self.names.contains(name)
    }

    /// A package brought `folder`/`name`; `lies_there`: the file is the package's own and not another's in its place. Of
    /// several packages those whose file lies there go first, then the first by name.
    pub fn take(&mut self, package: &str, folder: &[u8], name: &[u8], lies_there: bool) {
        let (Ok(folder), Ok(name)) = (std::str::from_utf8(folder), std::str::from_utf8(name)) else {
            return;
        };
        let folder = folder.trim_matches('/');
        let mut path = if folder.is_empty() {
            format!("/{name}")
        } else {
            format!("/{folder}/{name}")
        };
        let linked = self.links.iter().find_map(|(link, real)| {
            let rest = path.strip_prefix(link).filter(|rest| rest.starts_with('/'))?;
            Some(format!("{real}{rest}"))
        });
        path = linked.unwrap_or(path);
        if !self.paths.contains(path.as_str()) {
            return;
        }
        let found = (!lies_there, package.to_owned());
        let kept = self.found.entry(path).or_insert_with(|| found.clone());
        if found < *kept {
            *kept = found;
        }
    }

    /// Begins again.
    pub fn forget(&mut self) {
        self.found.clear();
    }

    /// The packages by path.
    pub fn owners(self) -> BTreeMap<String, String> {
        let found = self.found.into_iter();
        found.map(|(path, (_, package))| (path, package)).into_map()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    #[test]
    fn folders_that_are_links() {
        let host = Captured::default()
            .link("/bin", "usr/bin")
            .link("/sbin", "usr/sbin")
            .link("/usr/sbin", "bin")
            .link("/home", "var/home")
            .file("/usr/bin/su", "");
        let reading = testing(&host);
        let paths = ["/usr/bin/su", "/var/home/x", "/binary/su", "/su"];
        let mut wanted = Wanted::new(&reading, paths.into()).unwrap();
        assert!(wanted.has_name(b"su") && !wanted.has_name(b"bin"));
        wanted.take("b", b"/sbin/", b"su", true);
        wanted.take("a", b"usr/bin", b"su", false);
        wanted.take("c", b"/bin", b"su", true);
        wanted.take("home", b"/home/", b"x", true);
        wanted.take("near", b"/binary", b"su", true);
        wanted.take("root", b"/", b"su", true);
        wanted.take("odd", b"/\xff", b"su", true);
        let owners: Vec<_> = wanted.owners().into_iter().collect();
        let expected = [
            ("/binary/su", "near"),
            ("/su", "root"),
            ("/usr/bin/su", "b"),
            ("/var/home/x", "home"),
        ];
        assert_eq!(
            owners,
            expected.map(|(path, package)| (path.to_owned(), package.to_owned()))
        );
    }
}
