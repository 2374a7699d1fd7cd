//! The collector: log, index, web, API, packs.
