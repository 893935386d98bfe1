//! Finding files: those given, and all below the folders given, in the order of their names.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Bounds, Odd, PathError, Place, Why};

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The path, below the one that was given.
    pub path: Arc<Path>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// The files, in the order of the paths given and then of their names.
    pub files: Vec<Found>,
    /// What cannot be walked or is no file.
    pub odd: Vec<Odd>,
}

/// Lists the files at and below some paths. Links are followed; no file and no folder comes
/// twice. Names that begin with a dot are passed over, unless they were given.
///
/// # Errors
/// When a path that was given does not exist or cannot be looked at. What is wrong below is
/// named in [`Walked::odd`] instead.
pub fn walk(paths: &[PathBuf], bounds: &Bounds) -> Result<Walked, PathError> {
    let mut walk = Walk { bounds, walked: Walked::default(), seen: HashSet::new(), full: false };
    for path in paths {
        let error = |source| PathError { path: path.clone(), source };
        let real = fs::canonicalize(path).map_err(error)?;
        let metadata = fs::metadata(&real).map_err(error)?;
        walk.entry(path, real, &metadata);
    }
    Ok(walk.walked)
}

/// Folders nested deeper than this are more than a path may be long.
const DEPTH_MAX: usize = 512;

struct Walk<'a> {
    bounds: &'a Bounds,
    walked: Walked,
    /// Real paths of what was seen.
    seen: HashSet<PathBuf>,
    full: bool,
}

impl Walk<'_> {
    /// Takes a file, or all below a folder.
    fn entry(&mut self, path: &Path, real: PathBuf, metadata: &Metadata) {
        let mut folders = Vec::new();
        self.one(path.to_owned(), real, metadata, &mut folders);
        while let Some((path, real)) = folders.pop() {
            if self.full {
                return;
            }
            match sorted_names(&path) {
                Ok(names) => self.folder(&path, &real, names, &mut folders),
                Err(error) => self.unreadable(&path, &error),
            }
        }
    }

    fn folder(
        &mut self,
        path: &Path,
        real: &Path,
        names: Vec<PathBuf>,
        folders: &mut Vec<(PathBuf, PathBuf)>,
    ) {
        let mut below = Vec::new();
        for name in names {
            let inner = path.join(&name);
            let looked_at =
                fs::symlink_metadata(&inner).and_then(|metadata| match metadata.is_symlink() {
                    true => Ok((fs::canonicalize(&inner)?, fs::metadata(&inner)?)),
                    false => Ok((real.join(&name), metadata)),
                });
            match looked_at {
                Ok((real, metadata)) => self.one(inner, real, &metadata, &mut below),
                Err(error) => self.unreadable(&inner, &error),
            }
            if self.full {
                return;
            }
        }
        // The first name is walked first: folders are taken from the end.
        folders.extend(below.into_iter().rev());
    }

    /// Takes a file, or notes a folder for later.
    fn one(
        &mut self,
        path: PathBuf,
        real: PathBuf,
        metadata: &Metadata,
        folders: &mut Vec<(PathBuf, PathBuf)>,
    ) {
        let is_folder = metadata.is_dir();
        if !self.seen.insert(real.clone()) {
            if is_folder {
                self.odd(&path, Why::Again);
            }
        } else if is_folder && path.components().count() > DEPTH_MAX {
            self.odd(&path, Why::Unreadable("nested too deep".to_owned()));
        } else if is_folder {
            folders.push((path, real));
        } else if !metadata.is_file() {
            self.odd(&path, Why::Special);
        } else if self.walked.files.len() >= self.bounds.files_max {
            self.odd(&path, Why::TooMany { max: self.bounds.files_max });
            self.full = true;
        } else {
            self.walked.files.push(Found { path: path.into(), bytes: metadata.len() });
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.odd(path, Why::Unreadable(error.to_string()));
    }

    fn odd(&mut self, path: &Path, why: Why) {
        let place = Place { path: path.into(), line: None };
        self.walked.odd.push(Odd { place, why, bytes: None });
    }
}

/// The names in a folder that do not begin with a dot.
fn sorted_names(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name.into());
        }
    }
    names.sort();
    Ok(names)
}
