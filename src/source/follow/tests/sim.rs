//! A file system in memory with durable and pending bytes and names; inodes are reused like on a
//! disk, and a deleted file lives as long as somebody has it open.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::FileId;
use crate::source::follow::{Files, Listed, Listing, Opened, Stat};

/// Something that happens while the follower is looking elsewhere.
pub(in crate::source::follow) type Act = Box<dyn FnOnce(&mut Disk) + Send>;

#[derive(Clone, Debug, Default)]
pub(in crate::source::follow) struct Inode {
    pub(in crate::source::follow) bytes: Vec<u8>,
    durable: Vec<u8>,
    born_ns: i64,
    changed_ns: i64,
    /// Open by the writing program.
    pub(in crate::source::follow) written_by: usize,
    /// Open by the follower.
    pub(in crate::source::follow) followed_by: usize,
}

#[derive(Default)]
pub(in crate::source::follow) struct Disk {
    pub(in crate::source::follow) inodes: BTreeMap<u64, Inode>,
    pub(in crate::source::follow) names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    ticks: i64,
    /// Whether birth times are told.
    pub(in crate::source::follow) tells_birth: bool,
    pub(in crate::source::follow) denied: Vec<String>,
    pub(in crate::source::follow) unreadable_dirs: Vec<String>,
    /// Calls of the follower so far, and what happens at which of them.
    pub(in crate::source::follow) calls: u64,
    pub(in crate::source::follow) bytes_read: u64,
    pub(in crate::source::follow) at_call: Vec<(u64, Act)>,
}

impl Disk {
    fn tick(&mut self) -> i64 {
        self.ticks += 1;
        self.ticks
    }

    fn called(&mut self) {
        self.calls += 1;
        while let Some(due) = self.at_call.iter().position(|(at, _)| *at <= self.calls) {
            let (_, act) = self.at_call.remove(due);
            act(self);
        }
    }

    /// Makes a file unless it is there; the smallest free inode is taken, as disks do.
    pub(in crate::source::follow) fn create(&mut self, name: &str) -> u64 {
        if let Some(ino) = self.names.get(name) {
            return *ino;
        }
        let ino = (10..u64::MAX).find(|ino| !self.inodes.contains_key(ino)).unwrap();
        // A disk does not reuse an inode before the loss of its old names is durable.
        self.durable_names.retain(|_, old| *old != ino);
        let now = self.tick();
        self.inodes.insert(ino, Inode { born_ns: now, changed_ns: now, ..Inode::default() });
        self.names.insert(name.to_owned(), ino);
        ino
    }

    pub(in crate::source::follow) fn append(&mut self, ino: u64, bytes: &[u8]) {
        let now = self.tick();
        let inode = self.inodes.get_mut(&ino).unwrap();
        inode.bytes.extend_from_slice(bytes);
        inode.changed_ns = now;
    }

    pub(in crate::source::follow) fn write(&mut self, name: &str, bytes: &[u8]) {
        let ino = self.create(name);
        self.append(ino, bytes);
    }

    pub(in crate::source::follow) fn truncate(&mut self, name: &str, len: usize) {
        let ino = self.names[name];
        self.truncate_inode(ino, len);
    }

    pub(in crate::source::follow) fn truncate_inode(&mut self, ino: u64, len: usize) {
        let now = self.tick();
        let inode = self.inodes.get_mut(&ino).unwrap();
        inode.bytes.truncate(len);
        inode.changed_ns = now;
    }

    pub(in crate::source::follow) fn rename(&mut self, from: &str, to: &str) {
        let ino = self.names.remove(from).unwrap();
        let old = self.names.insert(to.to_owned(), ino);
        self.free(old);
    }

    pub(in crate::source::follow) fn unlink(&mut self, name: &str) {
        let ino = self.names.remove(name);
        self.free(ino);
    }

    pub(in crate::source::follow) fn link(&mut self, from: &str, to: &str) {
        let ino = self.names[from];
        self.names.insert(to.to_owned(), ino);
    }

    pub(in crate::source::follow) fn content(&self, name: &str) -> &[u8] {
        &self.inodes[&self.names[name]].bytes
    }

    pub(in crate::source::follow) fn free(&mut self, ino: Option<u64>) {
        let Some(ino) = ino else { return };
        let is_named = self.names.values().any(|named| *named == ino);
        let is_kept = self.durable_names.values().any(|named| *named == ino);
        let inode = &self.inodes[&ino];
        if !is_named && !is_kept && inode.written_by + inode.followed_by == 0 {
            self.inodes.remove(&ino);
        }
    }

    /// Makes one file's bytes durable.
    pub(in crate::source::follow) fn sync(&mut self, name: &str) {
        if let Some(ino) = self.names.get(name) {
            let inode = self.inodes.get_mut(ino).unwrap();
            inode.durable = inode.bytes.clone();
        }
    }

    /// Makes all names durable.
    pub(in crate::source::follow) fn sync_names(&mut self) {
        self.durable_names = self.names.clone();
        let all: Vec<u64> = self.inodes.keys().copied().collect();
        for ino in all {
            self.free(Some(ino));
        }
    }

    /// The machine stops: only durable names and bytes come back.
    pub(in crate::source::follow) fn lose_power(&mut self) {
        self.names = self.durable_names.clone();
        let now = self.tick();
        for inode in self.inodes.values_mut() {
            if inode.bytes != inode.durable {
                inode.bytes = inode.durable.clone();
                inode.changed_ns = now;
            }
            inode.written_by = 0;
            inode.followed_by = 0;
        }
        let all: Vec<u64> = self.inodes.keys().copied().collect();
        for ino in all {
            self.free(Some(ino));
        }
    }

    fn stat(&self, ino: u64) -> Stat {
        let inode = &self.inodes[&ino];
        let born_ns = self.tells_birth.then_some(inode.born_ns);
        Stat {
            file: FileId { dev: 1, ino, born_ns },
            size: inode.bytes.len() as u64,
            changed_ns: inode.changed_ns,
        }
    }
}

/// Follows every file of the disk whose name the filter takes.
#[derive(Clone)]
pub(in crate::source::follow) struct SimFiles {
    pub(in crate::source::follow) disk: Arc<Mutex<Disk>>,
    pub(in crate::source::follow) takes: fn(&str) -> bool,
}

impl SimFiles {
    pub(in crate::source::follow) fn new() -> Self {
        let disk = Disk { tells_birth: true, ..Disk::default() };
        Self { disk: Arc::new(Mutex::new(disk)), takes: |_| true }
    }

    pub(in crate::source::follow) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(in crate::source::follow) struct SimHandle {
    disk: Arc<Mutex<Disk>>,
    ino: u64,
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(inode) = disk.inodes.get_mut(&self.ino) else { return };
        inode.followed_by = inode.followed_by.saturating_sub(1);
        disk.free(Some(self.ino));
    }
}

impl Files for SimFiles {
    type Handle = SimHandle;

    fn list(&mut self) -> Listing {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<String> = disk.names.keys().cloned().collect();
        let mut listing = Listing::default();
        for dir in &disk.unreadable_dirs {
            listing.unreadable.push((PathBuf::from(dir), "permission denied".to_owned()));
        }
        for name in names {
            disk.called();
            let Some(ino) = disk.names.get(&name).copied() else { continue };
            let is_hidden = disk.unreadable_dirs.iter().any(|dir| name.starts_with(dir.as_str()));
            if (self.takes)(&name) && !is_hidden {
                listing.files.push(Listed { path: PathBuf::from(&name), stat: disk.stat(ino) });
            }
        }
        listing
    }

    fn open(&self, path: &Path) -> io::Result<SimHandle> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        disk.called();
        let name = path.to_str().unwrap();
        if disk.denied.iter().any(|denied| denied == name) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let ino = *disk.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        disk.inodes.get_mut(&ino).unwrap().followed_by += 1;
        Ok(SimHandle { disk: Arc::clone(&self.disk), ino })
    }
}

impl Opened for SimHandle {
    fn stat(&self) -> io::Result<Stat> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        disk.called();
        Ok(disk.stat(self.ino))
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        disk.called();
        let bytes = &disk.inodes[&self.ino].bytes;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        disk.bytes_read += len as u64;
        Ok(len)
    }
}
