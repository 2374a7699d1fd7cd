//! Every probe there is, sorted by id. Adding one costs two lines: its module in the list below and its entry in
//! [`all`].

use evidence::facts::FactsDocument;
use serde_json::Value;

use crate::probe::{self, Probe, Spec};
use crate::reading::Host;

/// All probes, sorted by id.
pub fn all() -> Vec<Registered> {
    vec![
        Registered::of::<crate::accounts::AccountsProbe>(),
        Registered::of::<crate::audit::AuditProbe>(),
        Registered::of::<crate::automatic_updates::AutomaticUpdatesProbe>(),
        Registered::of::<crate::backup::BackupProbe>(),
        Registered::of::<crate::config_management::ConfigManagementProbe>(),
        Registered::of::<crate::containers::ContainersProbe>(),
        Registered::of::<crate::crypto_policy::CryptoPolicyProbe>(),
        Registered::of::<crate::directory_services::DirectoryServicesProbe>(),
        Registered::of::<crate::disk_encryption::DiskEncryptionProbe>(),
        Registered::of::<crate::file_integrity::FileIntegrityProbe>(),
        Registered::of::<crate::file_permissions::FilePermissionsProbe>(),
        Registered::of::<crate::firewall::FirewallProbe>(),
        Registered::of::<crate::hardware::HardwareProbe>(),
        Registered::of::<crate::host::HostProbe>(),
        Registered::of::<crate::kernel_and_release::KernelAndReleaseProbe>(),
        Registered::of::<crate::kernel_hardening::KernelHardeningProbe>(),
        Registered::of::<crate::last_logins::LastLoginsProbe>(),
        Registered::of::<crate::listening_sockets::ListeningSocketsProbe>(),
        Registered::of::<crate::logging::LoggingProbe>(),
        Registered::of::<crate::login_policy::LoginPolicyProbe>(),
        Registered::of::<crate::malware_protection::MalwareProtectionProbe>(),
        Registered::of::<crate::mandatory_access::MandatoryAccessProbe>(),
        Registered::of::<crate::network::NetworkProbe>(),
        Registered::of::<crate::package_updates::PackageUpdatesProbe>(),
        Registered::of::<crate::package_verification::PackageVerificationProbe>(),
        Registered::of::<crate::packages::PackagesProbe>(),
        Registered::of::<crate::pam::PamProbe>(),
        Registered::of::<crate::polkit::PolkitProbe>(),
        Registered::of::<crate::privileged_groups::PrivilegedGroupsProbe>(),
        Registered::of::<crate::remote_access::RemoteAccessProbe>(),
        Registered::of::<crate::removable_media::RemovableMediaProbe>(),
        Registered::of::<crate::scheduled_jobs::ScheduledJobsProbe>(),
        Registered::of::<crate::services::ServicesProbe>(),
        Registered::of::<crate::setuid_files::SetuidFilesProbe>(),
        Registered::of::<crate::ssh_keys::SshKeysProbe>(),
        Registered::of::<crate::sshd::SshdProbe>(),
        Registered::of::<crate::stale_processes::StaleProcessesProbe>(),
        Registered::of::<crate::sudo::SudoProbe>(),
        Registered::of::<crate::time_sync::TimeSyncProbe>(),
        Registered::of::<crate::tls_certificates::TlsCertificatesProbe>(),
    ]
}

/// A probe whose types have been put away, so that all fit one list.
#[derive(Clone, Copy)]
pub struct Registered {
    /// What the probe declares about itself.
    pub spec: &'static Spec,
    collect: fn(&dyn Host) -> Vec<FactsDocument>,
    schemas: fn() -> Vec<(String, Value)>,
}

impl Registered {
    /// Puts the types of `P` away.
    pub fn of<P: Probe>() -> Self {
        Self {
            spec: &P::SPEC,
            collect: probe::documents::<P>,
            schemas: probe::schemas::<P>,
        }
    }

    /// Runs the probe. There is always a document of the probe's id, and a second one with names if the probe has
    /// names; a probe that fails gives documents that say so.
    pub fn collect(&self, host: &dyn Host) -> Vec<FactsDocument> {
        (self.collect)(host)
    }

    /// The JSON Schema (2020-12) of the facts of each document that the probe writes, by document id.
    pub fn schemas(&self) -> Vec<(String, Value)> {
        (self.schemas)()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sorted_and_each_id_once() {
        let ids: Vec<_> = all().iter().map(|probe| probe.spec.id).collect();
        let sorted: Vec<_> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(ids, sorted);
    }
}
