//! Extended attributes.

use probes::reading::Unread;
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::io::Errno;

use super::refused;

/// Long enough for nearly all values; a larger buffer costs the kernel as much memory, each time.
const COMMON_VALUE: usize = 512;
/// The kernel's own limit for a value (xattr(7)).
const MAX_VALUE: usize = 64 * 1024;

/// The value of the attribute `name` of what `located` (an `O_PATH` descriptor) stands for.
pub(super) fn value(located: &OwnedFd, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
    let place = format!("/proc/self/fd/{}", located.as_raw_fd());
    let mut common = [0; COMMON_VALUE];
    let read = match rustix::fs::getxattr(&place, name, &mut common) {
        Ok(length) => Ok(common.get(..length).unwrap_or_default().to_vec()),
        Err(Errno::RANGE) => {
            let mut value = vec![0; MAX_VALUE];
            rustix::fs::getxattr(&place, name, value.as_mut_slice()).map(|length| {
                value.truncate(length);
                value
            })
        }
        Err(errno) => Err(errno),
    };
    match read {
        Ok(value) => Ok(Some(value)),
        // A filesystem without attributes of that kind has none.
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(errno) => refused(path, errno),
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{Mode, OFlags, XattrFlags};

    use super::*;

    #[test]
    fn a_value_is_read_and_none_is_none() {
        let temp = tempfile::tempdir().unwrap();
        let long = vec![7; 3_000];
        for (name, value) in [("user.affiant", b"value".as_slice()), ("user.long", &long)] {
            rustix::fs::setxattr(temp.path(), name, value, XattrFlags::empty()).unwrap();
        }
        let folder = rustix::fs::open(temp.path(), OFlags::PATH, Mode::empty()).unwrap();
        assert_eq!(value(&folder, "/x", "user.affiant"), Ok(Some(b"value".to_vec())));
        assert_eq!(value(&folder, "/x", "user.long"), Ok(Some(long)));
        assert_eq!(value(&folder, "/x", "user.other"), Ok(None));
    }
}
