//! Chance against a model: whatever is done to the files, in whatever order and with restarts in
//! between, each line comes once and in order.

use crate::world::{Format, From, World};
use leasewatch::source::{LineSource, Notice, TailOptions};
use proptest::prelude::*;
use std::fs;

#[derive(Clone, Debug)]
enum Action {
    /// A whole line, or the end of one begun.
    Append(usize),
    /// The beginning of a line.
    AppendPart,
    Rename,
    /// The writer opens the path again.
    Reopen,
    /// logrotate creates the new file, empty.
    Create,
    CopyTruncate,
    /// Compresses a rotated sibling.
    Compress(u32, Format),
    /// Deletes what was read: a sibling.
    Delete(u32),
    /// Deletes the live file under the writer.
    Unlink,
    Poll(usize),
    Restart(From),
    Wait(u64),
}

fn action() -> impl Strategy<Value = Action> {
    let format = prop_oneof![Just(Format::Gzip), Just(Format::Zstd)];
    let from = prop_oneof![Just(From::Last), Just(From::Next)];
    prop_oneof![
        8 => (0..4usize).prop_map(Action::Append),
        2 => Just(Action::AppendPart),
        3 => Just(Action::Rename),
        4 => Just(Action::Reopen),
        1 => Just(Action::Create),
        3 => Just(Action::CopyTruncate),
        2 => (1..4u32, format).prop_map(|(number, format)| Action::Compress(number, format)),
        1 => (1..4u32).prop_map(Action::Delete),
        1 => Just(Action::Unlink),
        6 => (1..5usize).prop_map(Action::Poll),
        3 => from.prop_map(Action::Restart),
        1 => (1..9u64).prop_map(Action::Wait),
    ]
}

/// What should come out.
#[allow(clippy::struct_excessive_bools)] // independent facts
struct Model {
    world: World,
    expected: Vec<String>,
    /// What the writer's file ends with, after its last newline.
    begun: String,
    written: usize,
    /// The last line given lies in a file that is deleted.
    last_is_gone: bool,
    /// The writer writes to a file without a name.
    unlinked: bool,
    deleted: bool,
    /// What is deleted may not have been read.
    held: bool,
    copied: bool,
}

impl Model {
    fn run(&mut self, action: &Action) {
        match action {
            Action::Append(length) => {
                self.written += 1;
                let line = format!("line {}{}", self.written, "x".repeat(*length));
                self.world.append(format!("{line}\n"));
                self.expected.push(std::mem::take(&mut self.begun) + &line);
            }
            Action::AppendPart => {
                self.written += 1;
                let part = format!("part {} ", self.written);
                self.world.append(&part);
                self.begun += &part;
            }
            Action::Rename => self.world.rename(),
            Action::Reopen => self.reopen(),
            Action::Create => self.world.create(),
            Action::CopyTruncate => {
                if self.world.writes_to(&self.world.live()) {
                    self.begun.clear();
                }
                self.world.copy_truncate();
                self.copied = true;
            }
            Action::Compress(number, format) => {
                let path = self.world.path(&format!("audit.log.{number}"));
                if path.exists() && !self.world.writes_to(&path) {
                    self.world.compress(&path, *format);
                }
            }
            Action::Delete(number) => {
                let path = self.world.path(&format!("audit.log.{number}"));
                if path.exists() && !self.world.writes_to(&path) {
                    // It need not have been read, if it was seen and can be held; a copy is not looked for.
                    self.world.wait(1);
                    self.world.tail.keep_up(self.world.now);
                    if self.world.tail.status().path.is_none() || *number > 4 || self.copied {
                        self.world.drain();
                    }
                    fs::remove_file(path).unwrap();
                    self.held = true;
                    self.last_is_gone = true;
                    self.deleted = true;
                }
            }
            Action::Unlink => {
                // Only a file that is open can be read on without a name.
                let live = self.world.live();
                let has_bytes = fs::metadata(&live).is_ok_and(|live| live.len() > 0);
                if has_bytes && self.world.writes_to(&live) {
                    self.world.drain();
                    fs::remove_file(live).unwrap();
                    self.unlinked = true;
                    self.last_is_gone = true;
                    self.deleted = true;
                }
            }
            Action::Poll(lines) => {
                let before = self.world.lines.len();
                self.world.poll(*lines);
                self.last_is_gone &= self.world.lines.len() == before;
            }
            Action::Restart(from) => {
                if self.unlinked || self.held {
                    self.world.drain();
                    self.last_is_gone = true;
                }
                self.held = false;
                if self.last_is_gone {
                    self.world.restart(From::Next);
                } else {
                    self.world.restart(*from);
                }
                self.leave_unlinked();
            }
            Action::Wait(seconds) => {
                if self.unlinked {
                    self.world.drain();
                }
                self.world.wait(*seconds);
                self.leave_unlinked();
            }
        }
    }

    /// What is written to an unlinked file that nobody has open any more nobody can read.
    fn leave_unlinked(&mut self) {
        if self.unlinked {
            self.reopen();
        }
    }

    fn reopen(&mut self) {
        if !self.world.writes_to(&self.world.live()) {
            self.begun.clear();
        }
        if std::mem::take(&mut self.unlinked) {
            // After this, a restart finds it no more.
            self.world.drain();
            self.last_is_gone = true;
        }
        self.world.reopen();
    }
}

fn check(glob: bool, actions: &[Action]) {
    let mut model = Model {
        world: World::with(TailOptions::default(), glob),
        expected: Vec::new(),
        begun: String::new(),
        written: 0,
        last_is_gone: false,
        unlinked: false,
        deleted: false,
        held: false,
        copied: false,
    };
    // The first start comes before the first line: what a first start skips has its own tests.
    model.world.poll(1);
    for action in actions {
        model.run(action);
    }
    model.run(&Action::Reopen);
    model.run(&Action::Append(0));
    model.world.drain();
    assert_eq!(model.world.lines, model.expected);
    assert!(model.deleted || !model.world.notices.contains(&Notice::Gap));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600,
        // A failure is printed whole; nothing is left behind in the source tree.
        failure_persistence: None,
        ..ProptestConfig::default() })]

    #[test]
    fn each_line_comes_once_and_in_order(
        glob in any::<bool>(),
        actions in prop::collection::vec(action(), 1..40),
    ) {
        check(glob, &actions);
    }
}
