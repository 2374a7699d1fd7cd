//! Every probe there is, sorted by id. Adding one costs two lines: its module in `lib.rs` and its entry in [`each`].

use evidence::facts::FactsDocument;
use serde_json::Value;

use crate::probe::{self, Probe, Spec};
use crate::reading::Host;

/// Something that is done with the type of each probe.
trait Visitor {
    fn visit<P: Probe>(&mut self);
}

/// Shows `visitor` every probe, sorted by id.
fn each(visitor: &mut impl Visitor) {
    visitor.visit::<crate::accounts::AccountsProbe>();
    visitor.visit::<crate::audit::AuditProbe>();
    visitor.visit::<crate::automatic_updates::AutomaticUpdatesProbe>();
    visitor.visit::<crate::backup::BackupProbe>();
    visitor.visit::<crate::config_management::ConfigManagementProbe>();
    visitor.visit::<crate::containers::ContainersProbe>();
    visitor.visit::<crate::crypto_policy::CryptoPolicyProbe>();
    visitor.visit::<crate::database_access::DatabaseAccessProbe>();
    visitor.visit::<crate::directory_services::DirectoryServicesProbe>();
    visitor.visit::<crate::disk_encryption::DiskEncryptionProbe>();
    visitor.visit::<crate::file_integrity::FileIntegrityProbe>();
    visitor.visit::<crate::file_permissions::FilePermissionsProbe>();
    visitor.visit::<crate::file_shares::FileSharesProbe>();
    visitor.visit::<crate::firewall::FirewallProbe>();
    visitor.visit::<crate::hardware::HardwareProbe>();
    visitor.visit::<crate::host::HostProbe>();
    visitor.visit::<crate::intrusion_prevention::IntrusionPreventionProbe>();
    visitor.visit::<crate::kernel_and_release::KernelAndReleaseProbe>();
    visitor.visit::<crate::kernel_hardening::KernelHardeningProbe>();
    visitor.visit::<crate::last_logins::LastLoginsProbe>();
    visitor.visit::<crate::listening_sockets::ListeningSocketsProbe>();
    visitor.visit::<crate::logging::LoggingProbe>();
    visitor.visit::<crate::login_policy::LoginPolicyProbe>();
    visitor.visit::<crate::malware_protection::MalwareProtectionProbe>();
    visitor.visit::<crate::mandatory_access::MandatoryAccessProbe>();
    visitor.visit::<crate::network::NetworkProbe>();
    visitor.visit::<crate::other_software::OtherSoftwareProbe>();
    visitor.visit::<crate::package_updates::PackageUpdatesProbe>();
    visitor.visit::<crate::package_verification::PackageVerificationProbe>();
    visitor.visit::<crate::packages::PackagesProbe>();
    visitor.visit::<crate::pam::PamProbe>();
    visitor.visit::<crate::polkit::PolkitProbe>();
    visitor.visit::<crate::privileged_groups::PrivilegedGroupsProbe>();
    visitor.visit::<crate::remote_access::RemoteAccessProbe>();
    visitor.visit::<crate::removable_media::RemovableMediaProbe>();
    visitor.visit::<crate::scheduled_jobs::ScheduledJobsProbe>();
    visitor.visit::<crate::services::ServicesProbe>();
    visitor.visit::<crate::setuid_files::SetuidFilesProbe>();
    visitor.visit::<crate::ssh_keys::SshKeysProbe>();
    visitor.visit::<crate::sshd::SshdProbe>();
    visitor.visit::<crate::stale_processes::StaleProcessesProbe>();
    visitor.visit::<crate::sudo::SudoProbe>();
    visitor.visit::<crate::time_sync::TimeSyncProbe>();
    visitor.visit::<crate::tls_certificates::TlsCertificatesProbe>();
}

/// All probes, sorted by id.
pub fn all() -> Vec<Registered> {
    struct All(Vec<Registered>);
    impl Visitor for All {
        fn visit<P: Probe>(&mut self) {
            self.0.push(Registered::of::<P>());
        }
    }
    let mut all = All(Vec::new());
    each(&mut all);
    all.0
}

/// The JSON Schemas (2020-12) of the facts of each document that each probe writes, by document id. Apart from [`all`], so
/// that a program which does not ask for them does not hold what makes them: a third of an agent.
pub fn schemas() -> Vec<(&'static Spec, Vec<(String, Value)>)> {
    struct Schemas(Vec<(&'static Spec, Vec<(String, Value)>)>);
    impl Visitor for Schemas {
        fn visit<P: Probe>(&mut self) {
            self.0.push((&P::SPEC, probe::schemas::<P>()));
        }
    }
    let mut schemas = Schemas(Vec::new());
    each(&mut schemas);
    schemas.0
}

/// A probe whose types have been put away, so that all fit one list.
#[derive(Clone, Copy)]
pub struct Registered {
    /// What the probe declares about itself.
    pub spec: &'static Spec,
    collect: fn(&dyn Host) -> Vec<FactsDocument>,
    has_names: bool,
}

impl Registered {
    /// Puts the types of `P` away.
    pub fn of<P: Probe>() -> Self {
        Self {
            spec: &P::SPEC,
            collect: probe::documents::<P>,
            has_names: probe::has_names::<P>(),
        }
    }

    /// Runs the probe. There is always a document of the probe's id, and a second one with names if the probe has
    /// names; a probe that fails gives documents that say so.
    pub fn collect(&self, host: &dyn Host) -> Vec<FactsDocument> {
        (self.collect)(host)
    }

    /// The ids of the documents that the probe writes.
    pub fn documents(&self) -> Vec<String> {
        let names = self.has_names.then(|| format!("{}.names", self.spec.id));
        std::iter::once(self.spec.id.to_owned()).chain(names).collect()
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
