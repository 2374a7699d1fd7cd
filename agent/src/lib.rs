//! The agent: probes a host, signs what it saw, delivers it.
