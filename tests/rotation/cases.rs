//! What can happen to a log, case by case.

mod copies;
mod lifetime;
mod lines;
mod rename;
mod restart;
mod start;
