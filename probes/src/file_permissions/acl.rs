//! POSIX ACLs: the value of `system.posix_acl_access` and `system.posix_acl_default` (acl(5);
//! `linux/posix_acl_xattr.h`).

use schemars::JsonSchema;
use serde::Serialize;

const VERSION: u32 = 2;
/// An entry that concerns nobody by number.
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// An entry of an ACL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AclEntry {
    /// Whom it concerns.
    pub kind: AclKind,
    /// Uid or gid of a user or group that is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// What it allows before the mask: `rwx`, with `-` for what is missing.
    pub permissions: String,
}

/// Whom an entry concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AclKind {
    /// The owner.
    Owner,
    /// A user.
    User,
    /// The file's group.
    OwningGroup,
    /// A group.
    Group,
    /// The most that users and groups may.
    Mask,
    /// Everybody else.
    Others,
}

/// Reads the value; `None` if it is not one that the kernel makes.
pub fn parse(value: &[u8]) -> Option<Vec<AclEntry>> {
    let (version, entries) = value.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*version) != VERSION || !entries.len().is_multiple_of(8) {
        return None;
    }
    entries.as_chunks::<8>().0.iter().copied().map(entry).collect()
}

fn entry(bytes: [u8; 8]) -> Option<AclEntry> {
    let [tag_low, tag_high, low, high, id @ ..] = bytes;
    let permissions = u16::from_le_bytes([low, high]);
    let kind = match u16::from_le_bytes([tag_low, tag_high]) {
        USER_OBJ => AclKind::Owner,
        USER => AclKind::User,
        GROUP_OBJ => AclKind::OwningGroup,
        GROUP => AclKind::Group,
        MASK => AclKind::Mask,
        OTHER => AclKind::Others,
        _ => return None,
    };
    let named = matches!(kind, AclKind::User | AclKind::Group);
    (permissions <= 7).then(|| AclEntry {
        kind,
        id: named.then(|| u32::from_le_bytes(id)),
        permissions: letters(permissions.into()),
    })
}

/// `rw-` for 6.
pub fn letters(bits: u32) -> String {
    let letter = |bit: u32, letter: char| if bits & bit == 0 { '-' } else { letter };
    [letter(4, 'r'), letter(2, 'w'), letter(1, 'x')].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_as_the_kernel_writes_it() {
        // user::rw- user:1000:r-- group::r-- mask::r-- other::---
        let value = [
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
            0x10, 0, 4, 0, 255, 255, 255, 255, 0x20, 0, 0, 0, 255, 255, 255, 255,
        ];
        let entries = parse(&value).unwrap();
        assert_eq!(entries.len(), 5);
        let expected = AclEntry {
            kind: AclKind::User,
            id: Some(1000),
            permissions: "r--".into(),
        };
        assert_eq!(entries[1], expected);
        for bad in [
            &value[..3],
            &value[..7],
            &[1, 0, 0, 0],
            &[2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(parse(bad), None);
        }
        assert_eq!(parse(&[2, 0, 0, 0]), Some(vec![]));
    }

    proptest! {
        #[test]
        fn any_bytes(mut value in proptest::collection::vec(any::<u8>(), 0..60)) {
            parse(&value);
            value.splice(0..0, [2, 0, 0, 0]);
            parse(&value);
        }
    }
}
