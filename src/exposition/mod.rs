//! Snapshot to `/metrics`, and the pages a person reads.
