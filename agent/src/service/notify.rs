//! Telling systemd (sd_notify(3)). Without `NOTIFY_SOCKET` nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

fn notify(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// The service has started.
pub(super) fn ready() {
    notify(&NotifyState::Ready);
}

/// The service ends.
pub(super) fn stopping() {
    notify(&NotifyState::Stopping);
}

/// The work loop goes round.
pub(super) fn alive() {
    notify(&NotifyState::Watchdog);
}

/// One line for `systemctl status`.
pub(super) fn status(text: &str) {
    notify(&NotifyState::Status(text));
}

/// How often to say [`alive`]: twice per time that systemd waits, if it waits.
pub(super) fn alive_every() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| (limit / 2).max(Duration::from_millis(100)))
}
