//! Checks a pack offline, trusting neither the collector nor its makers.
