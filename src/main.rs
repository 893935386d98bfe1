//! The careweave program.

fn main() {}
