//! The terminal that output goes to: its width, and whether it takes colours.

use crate::cli::ColorChoice;
use crate::report::Style;
use std::io::IsTerminal;

/// A width that says nothing.
const COLUMNS_LEAST: usize = 20;

/// How text for people is drawn: plain and uncut in a pipe.
pub(super) fn style(color: ColorChoice) -> Style {
    let is_terminal = std::io::stdout().is_terminal();
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let has_colour = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => is_terminal && !is_dumb && !is_set("NO_COLOR"),
    };
    Style { columns: if is_terminal { columns() } else { None }, has_colour }
}

/// As the terminal says, unless `COLUMNS` does.
fn columns() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let size = || rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col));
    told.or_else(size).filter(|columns| *columns >= COLUMNS_LEAST)
}
