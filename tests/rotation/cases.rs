//! What can happen to a log, case by case.

mod copies;
mod kept;
mod lifetime;
mod lines;
mod numbers;
mod rename;
mod restart;
mod start;
mod volume;
