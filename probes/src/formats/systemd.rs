//! What systemd's files tell: its configuration syntax (systemd.syntax(7)), settings with drop-ins, and the state of
//! units.

pub mod settings;
pub mod syntax;
pub mod units;

pub use settings::Settings;
pub use units::{AtBoot, SYSTEMCTL, UnitState, Units};
