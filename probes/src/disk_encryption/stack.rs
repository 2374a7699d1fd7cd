//! The judgement over the block stack: is every way from here to a disk encrypted? Pure; it sees the devices as
//! [`super::survey`] found them.

use std::collections::{BTreeMap, BTreeSet};

/// Device-mapper devices can be stacked at will, but real stacks have some six layers (partition, RAID, dm-crypt,
/// thin pool, volume, loop). Deeper ones are not judged, which bounds the recursion.
pub(super) const MAX_DEPTH: usize = 64;

/// What a device does to data that passes through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passage {
    /// Encrypts it.
    Encrypts,
    /// Hands it down as it is.
    Clear,
    /// Encrypts it, apart from what it hands to these devices as it is, by kernel name.
    Partly(Vec<String>),
    /// Not known, for this reason.
    Opaque(String),
}

/// What lies below a device or a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Below {
    /// These devices, by kernel name; each holds part or all of the data.
    Devices(Vec<String>),
    /// Nothing: it is a disk.
    Disk,
    /// Memory.
    Memory,
    /// Another machine.
    Remote,
    /// Whatever it is, this encrypts everything before it gets there (ZFS, eCryptfs).
    Above(String),
    /// Not known, for this reason.
    Unknown(String),
}

/// A device as the judgement sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) passage: Passage,
    pub(super) below: Below,
}

/// The judgement over a device or a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Every way to a disk crosses encryption.
    Encrypted,
    /// A way to a disk crosses none; where it goes on from here, unless this is the disk.
    Clear(Option<String>),
    /// All of it is in memory.
    Memory,
    /// On another machine.
    Remote,
    /// Some way could not be followed, for this reason; none that was followed is clear.
    Unknown(String),
    /// As [`Self::Unknown`], because the devices go round in a circle or too deep: no encryption above makes up for it,
    /// since what is seen cannot be so.
    Impossible(String),
}

/// All devices by kernel name, and what has been judged so far.
pub(super) struct Stack<'n> {
    nodes: &'n BTreeMap<String, Node>,
    judged: BTreeMap<String, Option<State>>,
}

impl<'n> Stack<'n> {
    pub(super) fn new(nodes: &'n BTreeMap<String, Node>) -> Self {
        Self {
            nodes,
            judged: BTreeMap::new(),
        }
    }

    /// Judges what lies below a volume.
    pub(super) fn judge(&mut self, below: &Below) -> State {
        self.below(below, 0)
    }

    /// The devices from `below` to the disk along which nothing is encrypted, if there is such a way.
    pub(super) fn clear_path(&mut self, below: &Below) -> Vec<String> {
        let mut path = vec![];
        let mut state = self.judge(below);
        while let State::Clear(Some(next)) = state {
            if path.len() > MAX_DEPTH {
                break;
            }
            state = self.device(&next, 0);
            path.push(next);
        }
        path
    }

    fn below(&mut self, below: &Below, depth: usize) -> State {
        let devices = match below {
            Below::Devices(devices) => devices,
            Below::Disk => return State::Clear(None),
            Below::Memory => return State::Memory,
            Below::Remote => return State::Remote,
            Below::Above(_) => return State::Encrypted,
            Below::Unknown(reason) => return State::Unknown(reason.clone()),
        };
        let mut sum: Option<State> = None;
        for device in devices {
            let state = match self.device(device, depth) {
                State::Clear(_) => State::Clear(Some(device.clone())),
                other => other,
            };
            if sum.as_ref().is_none_or(|sum| weight(&state) > weight(sum)) {
                sum = Some(state);
            }
        }
        sum.unwrap_or_else(|| State::Unknown("no device below it is shown".to_owned()))
    }

    fn device(&mut self, name: &str, depth: usize) -> State {
        match self.judged.get(name) {
            Some(Some(state)) => return state.clone(),
            Some(None) => return State::Impossible(format!("the devices below {name} lead back to it")),
            None => {}
        }
        let Some(node) = self.nodes.get(name) else {
            return State::Unknown(format!("{name} was not read"));
        };
        if depth > MAX_DEPTH {
            // Not remembered: from elsewhere it may be within reach.
            return State::Impossible(format!("more than {MAX_DEPTH} devices lie on each other at {name}"));
        }
        self.judged.insert(name.to_owned(), None);
        let below = match (&node.passage, self.below(&node.below, depth + 1)) {
            (Passage::Partly(_), impossible @ State::Impossible(_)) => impossible,
            (Passage::Partly(devices), _) => self.below(&Below::Devices(devices.clone()), depth + 1),
            (_, below) => below,
        };
        let state = match (&node.passage, below) {
            (_, impossible @ State::Impossible(_)) => impossible,
            (Passage::Encrypts, State::Memory) => State::Memory,
            (Passage::Encrypts, _) => State::Encrypted,
            (Passage::Opaque(reason), State::Clear(_)) => State::Unknown(reason.clone()),
            (_, below) => below,
        };
        self.judged.insert(name.to_owned(), Some(state.clone()));
        state
    }

    /// The devices below, as far as they are known, each once, and the first encrypting ones on the ways down. Visits
    /// at most `left` devices and takes them off; `None` if that is not enough.
    pub(super) fn reach(&self, below: &Below, left: &mut usize) -> Option<Reach> {
        let mut reach = Reach::default();
        // Whether encryption has been crossed already: a device can be met in both ways.
        let mut seen: BTreeSet<(&str, bool)> = BTreeSet::new();
        let mut open: Vec<(&str, bool)> = names(below).map(|name| (name, false)).collect();
        while let Some((name, crossed)) = open.pop() {
            if !seen.insert((name, crossed)) {
                continue;
            }
            *left = left.checked_sub(1)?;
            let Some(node) = self.nodes.get(name) else { continue };
            let encrypts = matches!(node.passage, Passage::Encrypts | Passage::Partly(_));
            if encrypts && !crossed {
                reach.encrypting.insert(name.to_owned());
            }
            if node.below == Below::Disk {
                reach.disks.insert(name.to_owned());
            }
            open.extend(names(&node.below).map(|name| (name, crossed || encrypts)));
        }
        Some(reach)
    }
}

/// What [`Stack::reach`] found, by kernel name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) encrypting: BTreeSet<String>,
    pub(super) disks: BTreeSet<String>,
}

fn names(below: &Below) -> impl Iterator<Item = &str> {
    let devices: &[String] = if let Below::Devices(devices) = below {
        devices
    } else {
        &[]
    };
    devices.iter().map(String::as_str)
}

/// Of several ways the worst is told: a clear way is certain whatever the others are, and what is in memory adds
/// nothing to what is on a disk.
const fn weight(state: &State) -> u8 {
    match state {
        State::Memory => 0,
        State::Encrypted => 1,
        State::Remote => 2,
        State::Unknown(_) => 3,
        State::Impossible(_) => 4,
        State::Clear(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn devices(names: &[&str]) -> Below {
        Below::Devices(names.iter().map(ToString::to_string).collect())
    }

    fn nodes(list: &[(&str, Passage, Below)]) -> BTreeMap<String, Node> {
        let node = |(name, passage, below): &(&str, Passage, Below)| {
            let (passage, below) = (passage.clone(), below.clone());
            ((*name).to_owned(), Node { passage, below })
        };
        list.iter().map(node).collect()
    }

    #[test]
    fn one_clear_leg_makes_all_clear() {
        use Passage::{Clear, Encrypts};
        let nodes = nodes(&[
            ("md0", Clear, devices(&["dm-0", "sdb1"])),
            ("dm-0", Encrypts, devices(&["sda1"])),
            ("sda1", Clear, devices(&["sda"])),
            ("sdb1", Clear, devices(&["sdb"])),
            ("sda", Clear, Below::Disk),
            ("sdb", Clear, Below::Disk),
        ]);
        let mut stack = Stack::new(&nodes);
        assert!(matches!(stack.judge(&devices(&["md0"])), State::Clear(_)));
        assert_eq!(stack.clear_path(&devices(&["md0"])), ["md0", "sdb1", "sdb"]);
        assert_eq!(stack.judge(&devices(&["dm-0"])), State::Encrypted);
        let reach = stack.reach(&devices(&["md0"]), &mut 100).unwrap();
        assert_eq!(Vec::from_iter(reach.disks), ["sda", "sdb"]);
        assert_eq!(Vec::from_iter(reach.encrypting), ["dm-0"]);
        assert_eq!(stack.reach(&devices(&["md0"]), &mut 3), None);
    }

    #[test]
    fn a_device_that_encrypts_in_part_is_as_good_as_the_rest() {
        let rest = |rest: &str| {
            let nodes = nodes(&[
                (
                    "dm-0",
                    Passage::Partly(vec![rest.to_owned()]),
                    devices(&["sda", "dm-1"]),
                ),
                ("dm-1", Passage::Encrypts, devices(&["sda"])),
                ("sda", Passage::Clear, Below::Disk),
            ]);
            Stack::new(&nodes).judge(&devices(&["dm-0"]))
        };
        assert_eq!(rest("dm-1"), State::Encrypted);
        assert_eq!(rest("sda"), State::Clear(Some("dm-0".to_owned())));
    }

    #[test]
    fn a_circle_is_never_encrypted() {
        use Passage::{Clear, Encrypts};
        let nodes = nodes(&[
            ("dm-0", Encrypts, devices(&["dm-1"])),
            ("dm-1", Clear, devices(&["dm-0"])),
            ("dm-2", Encrypts, devices(&["dm-2"])),
        ]);
        let mut stack = Stack::new(&nodes);
        assert!(matches!(stack.judge(&devices(&["dm-0"])), State::Impossible(_)));
        assert!(matches!(stack.judge(&devices(&["dm-2"])), State::Impossible(_)));
        assert!(stack.clear_path(&devices(&["dm-0"])).is_empty());
    }

    #[test]
    fn nothing_below_is_not_encrypted_and_not_known() {
        let nodes = nodes(&[("dm-0", Passage::Clear, devices(&[]))]);
        assert!(matches!(
            Stack::new(&nodes).judge(&devices(&["dm-0"])),
            State::Unknown(_)
        ));
        assert!(matches!(
            Stack::new(&nodes).judge(&devices(&["sdz"])),
            State::Unknown(_)
        ));
    }

    #[test]
    fn a_diamond_of_many_layers_takes_no_time() {
        let mut list = BTreeMap::new();
        for layer in 0..60 {
            for side in ["a", "b"] {
                let below = Below::Devices(["a", "b"].map(|side| format!("{side}{}", layer + 1)).to_vec());
                let passage = Passage::Clear;
                list.insert(format!("{side}{layer}"), Node { passage, below });
            }
        }
        for side in ["a60", "b60"] {
            let (passage, below) = (Passage::Encrypts, devices(&["sda"]));
            list.insert(side.to_owned(), Node { passage, below });
        }
        let (passage, below) = (Passage::Clear, Below::Disk);
        list.insert("sda".to_owned(), Node { passage, below });
        assert_eq!(Stack::new(&list).judge(&devices(&["a0"])), State::Encrypted);
    }

    /// The definition itself, by enumerating ways: slow, and plainly right.
    fn every_way_is_encrypted(nodes: &BTreeMap<String, Node>, name: &str, way: &mut Vec<String>) -> bool {
        let node = &nodes[name];
        way.push(name.to_owned());
        let all = match &node.below {
            Below::Devices(devices) => {
                !devices.is_empty() && devices.iter().all(|next| every_way_is_encrypted(nodes, next, way))
            }
            Below::Disk => way.iter().any(|name| nodes[name].passage == Passage::Encrypts),
            _ => false,
        };
        way.pop();
        all
    }

    proptest! {
        /// Devices 0 to 11, each only on devices with higher numbers, so that there are no circles.
        #[test]
        fn encrypted_means_that_every_way_to_a_disk_crosses_encryption(
            rows in proptest::collection::vec((any::<bool>(), proptest::collection::vec(1usize..6, 0..3)), 12)
        ) {
            let mut nodes = BTreeMap::new();
            for (index, (encrypts, steps)) in rows.iter().enumerate() {
                let below: Vec<_> = steps.iter().map(|step| index + step).filter(|to| *to < 12).collect();
                let below = if below.is_empty() {
                    Below::Disk
                } else {
                    Below::Devices(below.iter().map(|to| format!("d{to:02}")).collect())
                };
                let disk = below == Below::Disk;
                let passage = if *encrypts && !disk { Passage::Encrypts } else { Passage::Clear };
                nodes.insert(format!("d{index:02}"), Node { passage, below });
            }
            for name in nodes.keys() {
                let start = devices(&[name]);
                let state = Stack::new(&nodes).judge(&start);
                let expected = every_way_is_encrypted(&nodes, name, &mut vec![]);
                prop_assert_eq!(state == State::Encrypted, expected);
                let path = Stack::new(&nodes).clear_path(&start);
                prop_assert_eq!(path.is_empty(), expected);
                prop_assert!(path.iter().all(|name| nodes[name].passage == Passage::Clear));
                if let Some(last) = path.last() {
                    prop_assert!(nodes[last].below == Below::Disk);
                }
            }
        }
    }
}
