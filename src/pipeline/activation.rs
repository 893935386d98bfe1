//! The activated match model: kept in the data directory, it outranks the configured one.
//!
//! One file, replaced in one step, holds the model's own text and who took it into use. So the
//! choice survives a restart, also when the file that was activated is gone.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Model;

/// The file in the data directory.
const FILE: &str = "activated-model.json";
/// Earlier changes that are kept.
const PAST_MAX: usize = 100;

/// A model that a steward took into use, or gave up for the configured one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Box<str>,
    /// Why.
    pub note: Box<str>,
    /// The version that the model states; that of the configured one when it came back.
    pub version: Box<str>,
    /// Hash of the model.
    pub hash: Box<str>,
}

/// What is activated, with its history.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activated {
    /// The model's text; none: the configured model is in force.
    model: Option<Box<str>>,
    /// Every change, oldest first.
    pub history: Vec<Activation>,
}

/// Why the activated model cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The disk.
    #[error("could not {action} {path}")]
    Disk {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is not as it was written.
    #[error("{path} is damaged ({fault}); remove it, and the configured model is in force")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        fault: String,
    },
}

impl Activated {
    /// Reads what is activated in a data directory.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged: matching with another model than the one
    /// that was chosen would be silent.
    pub fn read(data_dir: &Path) -> Result<Self, ActivationError> {
        let path = data_dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|e| damaged(&path, &e)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(failed("read", &path, e)),
        }
    }

    /// The model in force, if one is activated.
    ///
    /// # Errors
    /// When this program cannot read it any more.
    pub fn model(&self, data_dir: &Path) -> Result<Option<Model>, ActivationError> {
        let read = |text: &str| Model::parse(text).map_err(|e| damaged(&data_dir.join(FILE), &e));
        self.model.as_deref().map(read).transpose()
    }

    /// Who activated the model in force.
    pub fn last(&self) -> Option<&Activation> {
        self.history.last().filter(|_| self.model.is_some())
    }

    /// Takes a model into use, by its text; `None` gives the activated one up. Durable when it
    /// returns; views are made anew by whoever opens the gateway next.
    ///
    /// # Errors
    /// When the disk does not take it: what was in force stays so.
    pub fn put(
        &mut self,
        data_dir: &Path,
        text: Option<&str>,
        change: Activation,
    ) -> Result<(), ActivationError> {
        let mut next = Self { model: text.map(Into::into), history: self.history.clone() };
        next.history.push(change);
        let surplus = next.history.len().saturating_sub(PAST_MAX);
        next.history.drain(..surplus);
        let path = data_dir.join(FILE);
        let written = serde_json::to_vec_pretty(&next).map_err(|e| damaged(&path, &e))?;
        let beside = data_dir.join(format!("{FILE}.new"));
        replace(&beside, &path, &written).map_err(|e| failed("write", &path, e))?;
        *self = next;
        Ok(())
    }
}

/// Writes beside, then renames: after a loss of power it is the one file or the other.
fn replace(beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    let folder: PathBuf = path.parent().map(Path::to_owned).unwrap_or_default();
    File::open(folder)?.sync_all()
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> ActivationError {
    ActivationError::Disk { action, path: path.display().to_string(), source }
}

fn damaged(path: &Path, fault: &dyn std::fmt::Display) -> ActivationError {
    ActivationError::Damaged { path: path.display().to_string(), fault: fault.to_string() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    fn change(n: usize) -> Activation {
        let (by, note) = ("anna".into(), "".into());
        let (version, hash) = (n.to_string().into(), "".into());
        Activation { at: Timestamp::UNIX_EPOCH, by, note, version, hash }
    }

    #[test]
    fn what_is_activated_is_read_back_and_its_history_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let text = Model::embedded().to_text();
        let mut activated = Activated::read(dir.path()).unwrap();
        assert!(activated.model(dir.path()).unwrap().is_none());
        for n in 0..PAST_MAX + 5 {
            activated.put(dir.path(), Some(&text), change(n)).unwrap();
        }
        let read = Activated::read(dir.path()).unwrap();
        let hash = Model::parse(&text).unwrap().hash();
        assert_eq!(read.model(dir.path()).unwrap().unwrap().hash(), hash);
        assert_eq!(read.history.len(), PAST_MAX);
        assert_eq!(read.last(), Some(&change(PAST_MAX + 4)));
        activated.put(dir.path(), None, change(999)).unwrap();
        let read = Activated::read(dir.path()).unwrap();
        assert!(read.model(dir.path()).unwrap().is_none() && read.last().is_none());
    }

    #[test]
    fn a_damaged_file_is_an_error_and_not_another_model() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "{\"model\": \"{}\", \"history\": []}").unwrap();
        let activated = Activated::read(dir.path()).unwrap();
        assert!(activated.model(dir.path()).unwrap_err().to_string().contains("damaged"));
        fs::write(dir.path().join(FILE), "{").unwrap();
        assert!(Activated::read(dir.path()).unwrap_err().to_string().contains("remove it"));
    }
}
