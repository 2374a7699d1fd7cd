//! Kernel modules: which are loaded, which could be, and which are kept out (modprobe.d(5), modprobe(8)).

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem;
use schemars::JsonSchema;
use serde::Serialize;

use crate::reading::{Kind, Reading, Unread};

/// By precedence.
const FOLDERS: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];
const MAX_FILES: usize = 1_000;
/// Programs that do nothing: the usual way to keep a module from being loaded by name too.
const NOTHING: [&str; 8] = [
    "true",
    "false",
    "/bin/true",
    "/bin/false",
    "/usr/bin/true",
    "/usr/bin/false",
    ":",
    "/dev/null",
];

/// A kernel module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ModuleState {
    /// Its name, with `_`.
    pub module: String,
    /// Whether it is in the kernel now: loaded, or built in. Left out where there is no kernel to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded: Option<bool>,
    /// Whether the kernel can have it: as a file, or built in. Left out where no kernel's list of modules is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// Whether it is built in, so that nothing can keep it out.
    pub builtin: bool,
    /// Whether `blacklist` keeps it from being loaded for a device or protocol (an alias); it can still be loaded by
    /// name, or because another module needs it.
    pub blacklisted: bool,
    /// Whether an `install` line that does nothing (and no `softdep` line, which takes precedence), or `module_blacklist`
    /// of the kernel's command line, keeps it out altogether, root's insmod(8) aside.
    pub disabled: bool,
}

impl ModuleState {
    /// Whether it is not there now and nothing loads it after the next boot by itself.
    pub fn is_kept_out(&self) -> bool {
        !self.builtin && (self.disabled || self.blacklisted || self.available == Some(false))
    }
}

/// What is known of modules, read once.
#[derive(Debug, Clone, Default)]
pub struct Modules {
    loaded: Option<BTreeSet<String>>,
    files: Option<Vec<u8>>,
    builtin: Vec<u8>,
    blacklisted: BTreeSet<String>,
    /// The command of the first `install` line.
    install: BTreeMap<String, String>,
    /// Modules that are loaded together with others (`softdep`): that line counts, and `install` does not.
    softdeps: BTreeSet<String>,
    kept_out: BTreeSet<String>,
}

impl Modules {
    /// Reads the kernel's list, `modules.dep`, the folders of modprobe.d and the kernel's command line.
    pub fn read(reading: &Reading<'_>) -> Result<Self, Unread> {
        let names = |text: String| {
            let names = text.lines().filter_map(|line| line.split(' ').next());
            names.map(normal).collect()
        };
        let mut modules = Self {
            loaded: reading.volatile("/proc/modules")?.map(names),
            ..Self::default()
        };
        if let Some(folder) = folder(reading)? {
            modules.files = reading.volatile_bytes(&format!("{folder}/modules.dep"))?;
            let builtin = reading.volatile_bytes(&format!("{folder}/modules.builtin"))?;
            modules.builtin = builtin.unwrap_or_default();
        }
        for path in files(reading)? {
            let text = reading.file(&path)?.unwrap_or_default();
            modules.take(&String::from_utf8_lossy(&text));
        }
        if let Some(line) = reading.volatile("/proc/cmdline")? {
            for word in line.split_ascii_whitespace() {
                let list = |name: &str| word.strip_prefix(name).into_iter().flat_map(|list| list.split(','));
                modules.kept_out.extend(list("module_blacklist=").map(normal));
                modules.blacklisted.extend(list("modprobe.blacklist=").map(normal));
            }
        }
        Ok(modules)
    }

    fn take(&mut self, text: &str) {
        let joined = text.replace("\\\n", " ");
        for line in joined.lines() {
            let mut words = line.split_ascii_whitespace();
            match (words.next(), words.next()) {
                (Some("blacklist"), Some(name)) => {
                    self.blacklisted.insert(normal(name));
                }
                (Some("softdep"), Some(name)) => {
                    self.softdeps.insert(normal(name));
                }
                (Some("install"), Some(name)) => {
                    let command: Vec<_> = words.collect();
                    if command.is_empty() {
                        continue;
                    }
                    // kmod keeps the first line that it finds for a name.
                    self.install.entry(normal(name)).or_insert_with(|| command.join(" "));
                }
                _ => {}
            }
        }
    }

    /// One module.
    pub fn state(&self, name: &str) -> ModuleState {
        let module = normal(name);
        let builtin = is_listed(&self.builtin, &module);
        let loaded = self.loaded.as_ref().map(|loaded| builtin || loaded.contains(&module));
        let available = self.files.as_ref().map(|files| builtin || is_listed(files, &module));
        let nothing = |command: &String| {
            let program = command.split_ascii_whitespace().next().unwrap_or_default();
            NOTHING.contains(&program) && !command.contains("--ignore-install")
        };
        ModuleState {
            loaded,
            available,
            builtin,
            blacklisted: self.blacklisted.contains(&module),
            disabled: self.kept_out.contains(&module)
                || (self.install.get(&module).is_some_and(nothing) && !self.softdeps.contains(&module)),
            module,
        }
    }

    /// The modules that are loaded now, sorted; `None` where there is no kernel to ask.
    pub fn loaded(&self) -> Option<&BTreeSet<String>> {
        self.loaded.as_ref()
    }
}

/// Whether a module is built into the kernel; `None` where there is no list of those.
pub fn is_builtin(reading: &Reading<'_>, name: &str) -> Result<Option<bool>, Unread> {
    let Some(folder) = folder(reading)? else {
        return Ok(None);
    };
    let builtin = reading.one_of_many(&format!("{folder}/modules.builtin"))?;
    Ok(builtin.map(|list| is_listed(&list, &normal(name))))
}

/// modprobe(8) makes no difference between `-` and `_`.
fn normal(name: &str) -> String {
    name.replace('-', "_")
}

/// Whether `…/NAME.ko` (or `.ko.xz` and the like) begins a line's file name.
fn is_listed(list: &[u8], module: &str) -> bool {
    let with_dashes = module.replace('_', "-");
    // File names mix both within one name (`dm-crypt`, `nf_tables`, `snd-soc-ac97_bus`): compare what is near.
    let names = [module, with_dashes.as_str()];
    names.iter().any(|name| {
        let needle = format!("/{name}.ko");
        memmem::find_iter(list, &needle).any(|at| {
            let line = list.get(..at).unwrap_or_default();
            let start = line.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            // Not among those on which another module depends.
            !list.get(start..at).unwrap_or_default().contains(&b':')
        })
    })
}

/// The folder of the kernel that runs; over a folder of files that of its last kernel by name.
fn folder(reading: &Reading<'_>) -> Result<Option<String>, Unread> {
    for base in ["/usr/lib/modules", "/lib/modules"] {
        if let Some(release) = reading.attribute("/proc/sys/kernel/osrelease")? {
            let folder = format!("{base}/{release}");
            if reading.stat(&folder)?.is_some() {
                return Ok(Some(folder));
            }
            continue;
        }
        let entries = reading.list(base)?.unwrap_or_default();
        let last = entries.into_iter().rfind(|entry| entry.kind == Kind::Folder);
        if let Some(last) = last {
            return Ok(Some(format!("{base}/{}", last.name)));
        }
    }
    Ok(None)
}

fn files(reading: &Reading<'_>) -> Result<Vec<String>, Unread> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for folder in FOLDERS {
        for entry in reading.list(folder)?.unwrap_or_default() {
            let path = format!("{folder}/{}", entry.name);
            if entry.name.strip_suffix(".conf").is_some() && entry.kind != Kind::Folder {
                if files.len() >= MAX_FILES {
                    let reason = format!("more than {MAX_FILES} files");
                    return Err(Unread::Failed { place: path, reason });
                }
                files.entry(entry.name).or_insert(path);
            }
        }
    }
    let mut kept = Vec::new();
    for path in files.into_values() {
        // A link to /dev/null masks, and a device is never read.
        if reading.stat_link(&path)?.is_some_and(|stat| stat.kind == Kind::Link)
            && reading.link(&path)?.as_deref() == Some("/dev/null")
        {
            continue;
        }
        kept.push(path);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    fn host() -> Captured {
        Captured::default()
            .file("/proc/sys/kernel/osrelease", "6.1.0-40-amd64\n")
            .file("/proc/modules", "usb_storage 81920 1 uas, Live 0x0\n")
            .file("/proc/cmdline", "quiet module_blacklist=rds modprobe.blacklist=tipc,sctp\n")
            .file(
                "/lib/modules/6.1.0-40-amd64/modules.dep",
                "kernel/drivers/usb/storage/uas.ko: kernel/drivers/usb/storage/usb-storage.ko\n\
                 kernel/drivers/usb/storage/usb-storage.ko:\nkernel/fs/cramfs/cramfs.ko.xz:\nkernel/a/x.ko: kernel/a/only-needed.ko\n",
            )
            .file("/lib/modules/6.1.0-40-amd64/modules.builtin", "kernel/fs/ext4/ext4.ko\n")
            .file("/etc/modprobe.d/a.conf", "# c\nblacklist usb-storage\ninstall cramfs \\\n /bin/false\ninstall dccp /sbin/modprobe --ignore-install dccp\n")
            .file("/usr/lib/modprobe.d/a.conf", "blacklist ext4\n")
            .file("/usr/lib/modprobe.d/b.conf", "blacklist ext4\n")
    }

    #[test]
    fn loaded_available_and_kept_out() {
        let modules = Modules::read(&testing(&host())).unwrap();
        let state = |name: &str| {
            let one = modules.state(name);
            (one.loaded, one.available, one.builtin, one.blacklisted, one.disabled)
        };
        assert_eq!(state("usb-storage"), (Some(true), Some(true), false, true, false));
        assert_eq!(state("uas"), (Some(false), Some(true), false, false, false));
        assert_eq!(state("cramfs"), (Some(false), Some(true), false, false, true));
        assert_eq!(state("dccp"), (Some(false), Some(false), false, false, false));
        assert_eq!(state("ext4"), (Some(true), Some(true), true, true, false));
        assert_eq!(state("rds"), (Some(false), Some(false), false, false, true));
        assert_eq!(state("tipc"), (Some(false), Some(false), false, true, false));
        assert_eq!(state("only_needed"), (Some(false), Some(false), false, false, false));
        assert!(!modules.state("ext4").is_kept_out());
        assert!(modules.state("cramfs").is_kept_out());
    }

    #[test]
    fn softdep_takes_precedence_of_install() {
        let text = "install cramfs\ninstall cramfs /bin/false\ninstall usb_storage true\nsoftdep usb-storage pre: x\n";
        let host = Captured::default().file("/etc/modprobe.d/a.conf", text);
        let modules = Modules::read(&testing(&host)).unwrap();
        assert!(modules.state("cramfs").disabled && !modules.state("usb-storage").disabled);
    }

    #[test]
    fn without_a_kernel_nothing_is_said_of_it() {
        let folder = Captured::default().file("/etc/modprobe.d/a.conf", "install usb_storage true\n");
        let state = Modules::read(&testing(&folder)).unwrap().state("usb-storage");
        assert_eq!((state.loaded, state.available, state.disabled), (None, None, true));
        let masked = host().link("/etc/modprobe.d/b.conf", "/dev/null");
        assert!(!Modules::read(&testing(&masked)).unwrap().state("ext4").blacklisted);
        let denied = host().denied("/etc/modprobe.d/a.conf");
        assert!(Modules::read(&testing(&denied)).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let host = host().file("/etc/modprobe.d/a.conf", &bytes).file("/lib/modules/6.1.0-40-amd64/modules.dep", &bytes);
            Modules::read(&testing(&host)).unwrap().state("usb-storage");
        }
    }
}
