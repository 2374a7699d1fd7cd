//! Whole hosts: what the probe says about block stacks as kernels show them.

mod beside;
mod honest;
mod stacks;
mod tree;
