//! The kubelet's settings: flags override its file (KubeletConfiguration, `kubelet.config.k8s.io/v1beta1`). The defaults
//! differ: with a file those of the API, without one the older ones of the flags
//! (`pkg/kubelet/apis/config/v1beta1/defaults.go`, `cmd/kubelet/app/options/options.go`, *applyLegacyDefaults*).

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::Kubelet;
use crate::formats::yaml_outline;
use crate::order::Order as _;
use crate::reading::{Reading, Unread};
use crate::software::LazyUnits;
use crate::software::command::CommandLine;

/// Where kubeadm writes it, taken if no unit tells.
const FILE: &str = "/var/lib/kubelet/config.yaml";

pub(super) fn read(units: &LazyUnits<'_, '_>) -> Result<Kubelet, Unread> {
    let reading = units.reading;
    let flags = match units.get() {
        Ok(Some(all)) => CommandLine::of_unit(reading, all, "kubelet.service")?,
        Ok(None) => None,
        Err(unread) => return Err(unread.clone()),
    };
    let file = match &flags {
        Some(flags) => flags.value("config").filter(|file| !file.is_empty()).map(str::to_owned),
        None => reading.stat(FILE)?.map(|_| FILE.to_owned()),
    };
    let value = match &file {
        Some(file) => document(reading, file)?.ok_or_else(|| Unread::Failed {
            place: file.clone(),
            reason: "the kubelet is started with it, and it is not there".to_owned(),
        })?,
        None => Value::Null,
    };
    Ok(Settings {
        flags: flags.unwrap_or_default(),
        with_file: file.is_some(),
        value,
        by_flag: RefCell::default(),
    }
    .facts(file))
}

/// JSON is YAML, but not in the form that the outline reader knows.
fn document(reading: &Reading<'_>, file: &str) -> Result<Option<Value>, Unread> {
    let Some(text) = reading.text(file)? else {
        return Ok(None);
    };
    let read = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        yaml_outline::parse(&text).map_err(|error| error.to_string())
    };
    read.map(Some).map_err(|reason| Unread::Malformed {
        place: file.to_owned(),
        reason,
    })
}

struct Settings {
    flags: CommandLine,
    with_file: bool,
    value: Value,
    by_flag: RefCell<BTreeSet<String>>,
}

impl Settings {
    fn facts(&self, config_file: Option<String>) -> Kubelet {
        let legacy = !self.with_file;
        let authorization = if legacy { "AlwaysAllow" } else { "Webhook" };
        Kubelet {
            config_file,
            anonymous: self.boolean("anonymous-auth", "/authentication/anonymous/enabled", legacy),
            webhook_authentication: self.boolean(
                "authentication-token-webhook",
                "/authentication/webhook/enabled",
                !legacy,
            ),
            client_ca_file: self.text("client-ca-file", "/authentication/x509/clientCAFile", ""),
            authorization: self.text("authorization-mode", "/authorization/mode", authorization),
            read_only_port: self.number("read-only-port", "/readOnlyPort", if legacy { 10_255 } else { 0 }),
            port: self.number("port", "/port", 10_250),
            address: self.text("address", "/address", "0.0.0.0"),
            rotate_certificates: self.boolean("rotate-certificates", "/rotateCertificates", false),
            server_tls_bootstrap: self.boolean("rotate-server-certificates", "/serverTLSBootstrap", false),
            protect_kernel_defaults: self.boolean("protect-kernel-defaults", "/protectKernelDefaults", false),
            make_iptables_util_chains: self.boolean("make-iptables-util-chains", "/makeIPTablesUtilChains", true),
            streaming_idle_timeout: self.text(
                "streaming-connection-idle-timeout",
                "/streamingConnectionIdleTimeout",
                "4h0m0s",
            ),
            tls_min_version: self.text("tls-min-version", "/tlsMinVersion", ""),
            tls_cipher_suites: self.ciphers(),
            seccomp_default: self.boolean("seccomp-default", "/seccompDefault", false),
            static_pod_path: self.text("pod-manifest-path", "/staticPodPath", ""),
            by_flag: self.by_flag.take().into_iter().collect(),
        }
    }

    fn note<T>(&self, flag: &str, value: Option<T>) -> Option<T> {
        if value.is_some() {
            self.by_flag.borrow_mut().insert(flag.to_owned());
        }
        value
    }

    fn boolean(&self, flag: &str, pointer: &str, default: bool) -> bool {
        let file = || self.value.pointer(pointer).and_then(Value::as_bool);
        self.note(flag, self.flags.boolean(flag))
            .or_else(file)
            .unwrap_or(default)
    }

    fn text(&self, flag: &str, pointer: &str, default: &str) -> String {
        let file = || match self.value.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let flag = self.note(flag, self.flags.value(flag).map(str::to_owned));
        flag.or_else(file)
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| default.to_owned())
    }

    fn number(&self, flag: &str, pointer: &str, default: i64) -> i64 {
        let file = || self.value.pointer(pointer).and_then(Value::as_i64);
        let flag = self.note(flag, self.flags.value(flag).and_then(|port| port.parse().ok()));
        flag.or_else(file).unwrap_or(default)
    }

    fn ciphers(&self) -> Vec<String> {
        let flag = self.note("tls-cipher-suites", self.flags.value("tls-cipher-suites"));
        let file = self.value.get("tlsCipherSuites").and_then(Value::as_array);
        let mut suites: Vec<String> = match flag {
            Some(list) => list.split(',').map(|suite| suite.trim().to_owned()).collect(),
            None => file
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        };
        suites.order();
        suites
    }
}
