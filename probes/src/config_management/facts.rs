//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Agents that keep the host's configuration as it is meant to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigManagement {
    /// Those that this probe knows and found, sorted by name.
    pub agents: Vec<ConfigAgent>,
    /// Traces of Ansible, which needs no agent, sorted by place: empty if there are none. They tell that it was here, not what it
    /// did; whoever uses it another way (`remote_tmp` elsewhere, pipelining) leaves none.
    pub ansible: Vec<PushTrace>,
}

/// A trace of configuration that was pushed from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PushTrace {
    /// Where: the folder of runs of root (`/root/.ansible/tmp`) and of others (`/home/*/.ansible/tmp`), who are not named; files
    /// of facts (`/etc/ansible/facts.d`); `/etc/ansible` and `/var/log/ansible.log`, which are there if it was started on this
    /// host itself.
    pub place: String,
    /// The day of the last change there, seconds since 1970 at its beginning in UTC: of a folder of runs that of the last run.
    pub last_day: Known<i64>,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigAgent {
    /// `ansible-pull`, `cfengine`, `chef`, `puppet`, `rudder`, `salt`.
    pub name: String,
    /// The file or folder that shows that it is installed; left out if only a unit does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_at: Option<String>,
    /// Those of its units that there are; absent without systemd.
    pub units: Known<Vec<UnitState>>,
    /// The server that it asks, as its configuration says, several with commas between them; absent if it does not, malformed
    /// if the agent would refuse its configuration. Of Puppet `server_list` before `server`, without a value for variables.
    pub server: Known<String>,
    /// Day of its last run, as far as a file tells: seconds since 1970 at its beginning in UTC.
    pub last_run_day: Known<i64>,
    /// How many resources failed in the last run; absent if no file tells.
    pub failed: Known<u64>,
    /// Whether an administrator has switched its runs off while its service goes on (`puppet agent --disable`); absent for
    /// others than Puppet.
    pub switched_off: Known<bool>,
    /// Whether it only tells what it would change; absent if the configuration does not say.
    pub only_reports: Known<bool>,
}
