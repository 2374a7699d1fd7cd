//! Whole hosts: what the probe says about block stacks as kernels show them.

mod honest;
mod stacks;
mod tree;
