//! Where baselines and acceptances are, and how they are read and written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Acceptance, Baseline};
use crate::durable::{WriteError, write_whole};

/// Largest file of a baseline that is read.
const MAX_BASELINE_BYTES: u64 = 256 << 20;
/// Most bytes of acceptances that are read.
const MAX_ACCEPTED_BYTES: u64 = 16 << 20;
/// Longest name of a baseline.
const MAX_NAME_LEN: usize = 64;
const ACCEPTED: &str = "accepted.jsonl";
/// Name of the file with the last decision, beside them.
pub const LAST_DECISION: &str = "last-decision.json";

/// A baseline cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The name cannot be that of a file.
    #[error(
        "`{}` is no name of a baseline: letters, digits, `.`, `_` and `-`, at most \
         {MAX_NAME_LEN}, not `.` in front",
        .0.escape_debug()
    )]
    Name(String),
    /// There is none of this name.
    #[error("there is no baseline `{name}` in {}", shown(directories))]
    Missing {
        /// What was asked for.
        name: String,
        /// Where was looked.
        directories: Vec<PathBuf>,
    },
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is larger than is read.
    #[error("`{}` has more than {most} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many are read.
        most: u64,
    },
    /// It is not what it should be.
    #[error("`{}` is no baseline", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Its numbers or words do not fit together.
    #[error("`{}` is no baseline: {what}", path.display())]
    Impossible {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It is of a version that this plimsoll does not read.
    #[error(
        "`{}` has the schema `{}`, this plimsoll reads `{}`",
        path.display(),
        schema.escape_debug(),
        Baseline::SCHEMA
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        schema: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A directory could not be made, or a line not be appended.
    #[error("cannot write `{}`", path.display())]
    Append {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

fn shown(directories: &[PathBuf]) -> String {
    let names: Vec<String> =
        directories.iter().map(|directory| format!("`{}`", directory.display())).collect();
    names.join(" or ")
}

/// A baseline as it was found.
#[derive(Clone, Debug)]
pub struct Shelved {
    /// What is in it.
    pub baseline: Baseline,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
}

/// The directories of baselines: the first is written to, all are read.
#[derive(Clone, Debug)]
pub struct Shelf {
    directories: Vec<PathBuf>,
}

impl Shelf {
    /// Beside the store where there is one, and `.plimsoll` in the directory of plimsoll.toml.
    pub fn of(store: &Path, state: &Path, directory: &Path) -> Self {
        let own = directory.join(".plimsoll");
        let directories = if store.is_dir() { vec![state.to_owned(), own] } else { vec![own] };
        Self { directories }
    }

    /// Names of all baselines, in order.
    ///
    /// # Errors
    /// When a directory cannot be listed.
    pub fn names(&self) -> Result<Vec<String>, BaselineError> {
        let mut names = Vec::new();
        for directory in &self.directories {
            let path = directory.join("baselines");
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(BaselineError::Read { path, source }),
            };
            let files = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
            let stems = files.filter_map(|file| Some(file.strip_suffix(".json")?.to_owned()));
            names.extend(stems.filter(|stem| is_name(stem)));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Reads a baseline and checks its version.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be used.
    pub fn read(&self, name: &str) -> Result<Shelved, BaselineError> {
        let path = self.find(name)?;
        let bytes = read_at_most(&path, MAX_BASELINE_BYTES)?;
        let invalid = |source| BaselineError::Invalid { path: path.clone(), source };
        let header: Header = serde_json::from_slice(&bytes).map_err(invalid)?;
        if header.schema != Baseline::SCHEMA {
            return Err(BaselineError::Version { path, schema: header.schema });
        }
        let baseline: Baseline = serde_json::from_slice(&bytes).map_err(invalid)?;
        if let Some(what) = baseline.impossible() {
            return Err(BaselineError::Impossible { path, what });
        }
        let sha256 = format!("{:x}", Sha256::digest(&bytes));
        Ok(Shelved { baseline, sha256 })
    }

    /// Checks a name before anything is measured for it.
    ///
    /// # Errors
    /// When it is none.
    pub fn check_name(&self, name: &str) -> Result<(), BaselineError> {
        self.path_of(name).map(|_| ())
    }

    /// Writes a baseline, in place of one of the same name.
    ///
    /// # Errors
    /// When its name is none, or it cannot be written; an older file stays as it was.
    pub fn save(&self, baseline: &Baseline) -> Result<PathBuf, BaselineError> {
        let path = self.path_of(&baseline.name)?;
        let text = serde_json::to_vec(baseline)
            .map_err(|source| BaselineError::Invalid { path: path.clone(), source })?;
        make_parent(&path)?;
        write_whole(&path, &text)?;
        Ok(path)
    }

    /// Removes a baseline.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be removed.
    pub fn remove(&self, name: &str) -> Result<PathBuf, BaselineError> {
        let path = self.find(name)?;
        fs::remove_file(&path)
            .map_err(|source| BaselineError::Append { path: path.clone(), source })?;
        Ok(path)
    }

    /// Every acceptance in the order they were made, and what is wrong with lines that are none.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn acceptances(&self) -> Result<(Vec<Acceptance>, Vec<String>), BaselineError> {
        let (mut known, mut wrong) = (Vec::new(), Vec::new());
        for directory in self.directories.iter().rev() {
            let path = directory.join(ACCEPTED);
            if matches!(fs::metadata(&path), Err(error) if error.kind() == io::ErrorKind::NotFound)
            {
                continue;
            }
            let bytes = read_at_most(&path, MAX_ACCEPTED_BYTES)?;
            let lines = bytes.split(|byte| *byte == b'\n').enumerate();
            for (index, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
                let place = || format!("`{}`, line {}", path.display(), index + 1);
                match serde_json::from_slice::<Acceptance>(line) {
                    Ok(acceptance) if acceptance.schema == Acceptance::SCHEMA => {
                        known.push(acceptance);
                    }
                    Ok(acceptance) => wrong.push(format!(
                        "{} has the schema `{}`, this plimsoll reads `{}`",
                        place(),
                        acceptance.schema,
                        Acceptance::SCHEMA
                    )),
                    Err(error) => wrong.push(format!("{} is no acceptance: {error}", place())),
                }
            }
        }
        Ok((known, wrong))
    }

    /// Appends an acceptance, on its own line even behind a torn one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn accept(&self, acceptance: &Acceptance) -> Result<PathBuf, BaselineError> {
        let path = self.directory().join(ACCEPTED);
        make_parent(&path)?;
        let failed = |source| BaselineError::Append { path: path.clone(), source };
        let line = serde_json::to_string(acceptance).map_err(|error| failed(error.into()))?;
        let append = || -> io::Result<()> {
            let is_torn = match fs::read(&path) {
                Ok(bytes) => bytes.last().is_some_and(|last| *last != b'\n'),
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(error),
            };
            let text = if is_torn { format!("\n{line}\n") } else { format!("{line}\n") };
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        append().map_err(failed)?;
        Ok(path)
    }

    /// The file with the last decision.
    pub fn last_decision(&self) -> PathBuf {
        self.directory().join(LAST_DECISION)
    }

    /// Keeps the last decision.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_decision(&self, json: &str) -> Result<(), BaselineError> {
        let path = self.last_decision();
        make_parent(&path)?;
        Ok(write_whole(&path, json.as_bytes())?)
    }

    fn directory(&self) -> &Path {
        self.directories.first().map_or(Path::new(".plimsoll"), PathBuf::as_path)
    }

    fn path_of(&self, name: &str) -> Result<PathBuf, BaselineError> {
        let file = is_name(name).then(|| format!("{name}.json"));
        let file = file.ok_or_else(|| BaselineError::Name(name.to_owned()))?;
        Ok(self.directory().join("baselines").join(file))
    }

    fn find(&self, name: &str) -> Result<PathBuf, BaselineError> {
        let own = self.path_of(name)?;
        let file = own.file_name().map_or(own.as_path(), Path::new);
        let places = self.directories.iter().map(|place| place.join("baselines").join(file));
        let found = places.into_iter().find(|path| path.is_file());
        found.ok_or_else(|| BaselineError::Missing {
            name: name.to_owned(),
            directories: self.directories.iter().map(|place| place.join("baselines")).collect(),
        })
    }
}

/// What every version has.
#[derive(serde::Deserialize)]
struct Header {
    schema: String,
}

fn is_name(name: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || "._-".contains(sign);
    (1..=MAX_NAME_LEN).contains(&name.len()) && name.chars().all(is_sign) && !name.starts_with('.')
}

fn make_parent(path: &Path) -> Result<(), BaselineError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::create_dir_all(parent)
        .map_err(|source| BaselineError::Append { path: parent.to_owned(), source })
}

fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>, BaselineError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| BaselineError::Read { path: path.to_owned(), source })?;
    if bytes.len() as u64 > most {
        return Err(BaselineError::TooLarge { path: path.to_owned(), most });
    }
    Ok(bytes)
}
