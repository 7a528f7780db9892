//! The leasewatch program.
fn main() {}
