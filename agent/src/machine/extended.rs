//! Extended attributes.

use probes::reading::Unread;
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::io::Errno;

use super::refused;

/// The kernel's own limit for a value (xattr(7)).
const MAX_VALUE: usize = 64 * 1024;

/// The value of the attribute `name` of what `located` (an `O_PATH` descriptor) stands for.
pub(super) fn value(located: &OwnedFd, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
    let place = format!("/proc/self/fd/{}", located.as_raw_fd());
    let mut value = vec![0; MAX_VALUE];
    match rustix::fs::getxattr(place, name, value.as_mut_slice()) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
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
        rustix::fs::setxattr(temp.path(), "user.affiant", b"value", XattrFlags::empty()).unwrap();
        let folder = rustix::fs::open(temp.path(), OFlags::PATH, Mode::empty()).unwrap();
        assert_eq!(value(&folder, "/x", "user.affiant"), Ok(Some(b"value".to_vec())));
        assert_eq!(value(&folder, "/x", "user.other"), Ok(None));
    }
}
