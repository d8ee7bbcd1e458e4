//! The steps between rows in memory and a commit on the disk, by name, so that tests can fail
//! each of them.

#[cfg(not(test))]
use std::io;

/// A step that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes of a segment go to its temporary file.
    SegmentWrite,
    /// The segment is synchronised.
    SegmentSync,
    /// The segment has its final name, its directory is synchronised.
    SegmentDirectory,
    /// A log entry or checkpoint goes to its temporary file.
    EntryWrite,
    /// The entry is synchronised.
    EntrySync,
    /// The entry gets its final name: the commit point.
    EntryLink,
    /// The directory of the log is synchronised.
    EntryDirectory,
    /// A checkpoint is about to be written.
    Checkpoint,
    /// A file that is no longer needed is about to be removed.
    Remove,
}

/// Passes, except in tests that make this step fail.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "the version for tests fails")]
pub(super) fn reach(_: Step) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use hook::{Fault, fail_at, reach};

#[cfg(test)]
mod hook {
    use std::cell::Cell;
    use std::io;

    use super::Step;

    /// How a step fails.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in crate::store) enum Fault {
        Abort,
        Eio,
        Full,
    }

    thread_local! {
        static NEXT: Cell<Option<(Step, Fault)>> = const { Cell::new(None) };
    }

    /// Makes the next reach of the step fail, once, in this thread.
    pub(in crate::store) fn fail_at(step: Step, fault: Fault) {
        NEXT.set(Some((step, fault)));
    }

    pub(in crate::store) fn reach(step: Step) -> io::Result<()> {
        match NEXT.get() {
            Some((at, fault)) if at == step => {
                NEXT.set(None);
                match fault {
                    Fault::Abort => std::process::abort(),
                    Fault::Eio => Err(io::Error::from_raw_os_error(5)),
                    Fault::Full => Err(io::Error::from_raw_os_error(28)),
                }
            }
            _ => Ok(()),
        }
    }
}
