//! FHIR packages: the definitions in a `.tgz` or in a folder of unpacked packages, read offline.
//! <https://confluence.hl7.org/display/FHIR/NPM+Package+Specification>
//!
//! An archive is another's file: its names are never used as paths, links are refused, and what
//! it unpacks to is bounded. Nothing is written.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path};

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

/// How much of a package is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageBounds {
    /// Entries of an archive, or files of a folder; default 50,000: ten times R4's own package.
    pub entries_max: usize,
    /// Size of one definition; default 32 MiB.
    pub entry_bytes_max: u64,
    /// What all of it unpacks to; default 1 GiB.
    pub bytes_max: u64,
}

impl Default for PackageBounds {
    fn default() -> Self {
        Self { entries_max: 50_000, entry_bytes_max: 32 << 20, bytes_max: 1 << 30 }
    }
}

/// Why a package is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It cannot be read, or is no gzipped tar archive.
    #[error("cannot be read as a FHIR package")]
    Read(#[source] io::Error),
    /// It would unpack to too much.
    #[error("unpacks to more than {0} bytes; a FHIR package is smaller")]
    TooLarge(u64),
    /// One of its files is too large.
    #[error("holds a file of more than {0} bytes; a definition is smaller")]
    EntryTooLarge(u64),
    /// It has too many entries.
    #[error("holds more than {0} entries")]
    TooMany(usize),
    /// An entry's name leads out of the archive.
    #[error("holds an entry whose name leads elsewhere; such an archive is not taken")]
    UnsafeName,
    /// An entry is a link or a device.
    #[error("holds an entry that is neither file nor folder; such an archive is not taken")]
    Link,
    /// There is no definition in it.
    #[error("holds no FHIR definitions; name a package's .tgz or a folder of packages")]
    Empty,
}

impl From<io::Error> for PackageError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// The texts of all JSON files directly below `package/`: of an archive, of an unpacked package,
/// or of each package in a folder like `~/.fhir/packages`.
///
/// # Errors
/// When it cannot be read, is over a bound, or is made to do harm.
pub fn read_package(path: &Path, bounds: &PackageBounds) -> Result<Vec<String>, PackageError> {
    let texts = match path.is_dir() {
        true => {
            let mut taken = Taken { texts: Vec::new(), files: 0, bytes: 0, bounds };
            taken.folder(path, FOLDERS_DEEP)?;
            taken.texts
        }
        false => read_archive(File::open(path)?, bounds)?,
    };
    if texts.is_empty() {
        return Err(PackageError::Empty);
    }
    Ok(texts)
}

/// `packages/`, `name#version/`, `package/`.
const FOLDERS_DEEP: usize = 3;

struct Taken<'b> {
    texts: Vec<String>,
    files: usize,
    bytes: u64,
    bounds: &'b PackageBounds,
}

impl Taken<'_> {
    /// Links are not followed: they may lead anywhere.
    fn folder(&mut self, folder: &Path, deep: usize) -> Result<(), PackageError> {
        let is_package = folder.file_name().is_some_and(|name| name == "package");
        let mut found: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        found.sort_by_key(fs::DirEntry::path);
        for entry in found {
            let kind = entry.file_type()?;
            if kind.is_file() && is_package && is_definition(&entry.path()) {
                self.files += 1;
                if self.files > self.bounds.entries_max {
                    return Err(PackageError::TooMany(self.bounds.entries_max));
                }
                let text = read_text(File::open(entry.path())?, self.bounds)?;
                self.bytes += text.len() as u64;
                if self.bytes > self.bounds.bytes_max {
                    return Err(PackageError::TooLarge(self.bounds.bytes_max));
                }
                self.texts.push(text);
            } else if kind.is_dir() && !is_package && deep > 1 {
                self.folder(&entry.path(), deep - 1)?;
            }
        }
        Ok(())
    }
}

fn read_archive(file: impl Read, bounds: &PackageBounds) -> Result<Vec<String>, PackageError> {
    let unpacked = Bounded { inner: GzDecoder::new(file), left: bounds.bytes_max };
    let mut archive = Archive::new(unpacked);
    let mut texts = Vec::new();
    // Raw: an entry that only names the next one is not taken into memory.
    for (count, entry) in archive.entries()?.raw(true).enumerate() {
        if count >= bounds.entries_max {
            return Err(PackageError::TooMany(bounds.entries_max));
        }
        let entry = entry.map_err(|e| too_large(e, bounds))?;
        if let Some(text) = read_entry(entry, bounds)? {
            texts.push(text);
        }
    }
    Ok(texts)
}

fn read_entry(
    entry: Entry<'_, impl Read>,
    bounds: &PackageBounds,
) -> Result<Option<String>, PackageError> {
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => {}
        EntryType::Directory
        | EntryType::XHeader
        | EntryType::XGlobalHeader
        | EntryType::GNULongName => return Ok(None),
        _ => return Err(PackageError::Link),
    }
    let path = entry.path()?;
    if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(PackageError::UnsafeName);
    }
    if entry.size() > bounds.entry_bytes_max {
        return Err(PackageError::EntryTooLarge(bounds.entry_bytes_max));
    }
    let is_inside = path.parent().is_some_and(|above| above.ends_with("package"));
    if !is_inside || !is_definition(&path) {
        return Ok(None);
    }
    drop(path);
    read_text(entry, bounds).map(Some)
}

fn read_text(from: impl Read, bounds: &PackageBounds) -> Result<String, PackageError> {
    let mut text = String::new();
    let read = from.take(bounds.entry_bytes_max + 1).read_to_string(&mut text);
    let bytes = read.map_err(|e| too_large(e, bounds))? as u64;
    if bytes > bounds.entry_bytes_max {
        return Err(PackageError::EntryTooLarge(bounds.entry_bytes_max));
    }
    Ok(text)
}

fn is_definition(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.ends_with(".json") && !name.starts_with('.') && name != "package.json"
}

fn too_large(error: io::Error, bounds: &PackageBounds) -> PackageError {
    match error.kind() {
        io::ErrorKind::QuotaExceeded => PackageError::TooLarge(bounds.bytes_max),
        _ => PackageError::Read(error),
    }
}

/// A reader that fails behind so many bytes: an archive of a few bytes can unpack to any number.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.left = (self.left.checked_sub(read as u64))
            .ok_or_else(|| io::Error::from(io::ErrorKind::QuotaExceeded))?;
        Ok(read)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    const BOUNDS: PackageBounds =
        PackageBounds { entries_max: 20, entry_bytes_max: 1000, bytes_max: 100_000 };

    /// An archive of entries given as name, type and content; names are written unchecked.
    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, kind, content) in entries {
            let mut header = Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn read(packed: &[u8]) -> Result<Vec<String>, PackageError> {
        read_archive(packed, &BOUNDS)
    }

    #[test]
    fn definitions_are_taken_and_nothing_else() {
        let packed = archive(&[
            ("package/", EntryType::Directory, b""),
            ("package/package.json", EntryType::Regular, b"{}"),
            ("package/.index.json", EntryType::Regular, b"{}"),
            ("package/StructureDefinition-a.json", EntryType::Regular, b"{\"a\":1}"),
            ("package/example/Patient-b.json", EntryType::Regular, b"{\"b\":1}"),
            ("package/notes.txt", EntryType::Regular, b"text"),
        ]);
        assert_eq!(read(&packed).unwrap(), ["{\"a\":1}"]);
        let dir = tempfile::tempdir().unwrap();
        let package = dir.path().join("a#1.0.0/package");
        fs::create_dir_all(package.join("example")).unwrap();
        fs::write(package.join("a.json"), "{\"a\":1}").unwrap();
        fs::write(package.join("example/b.json"), "{\"b\":1}").unwrap();
        assert_eq!(read_package(dir.path(), &BOUNDS).unwrap(), ["{\"a\":1}"]);
        let file = dir.path().join("a.tgz");
        fs::write(&file, &packed).unwrap();
        assert_eq!(read_package(&file, &BOUNDS).unwrap(), ["{\"a\":1}"]);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../package/a.json", "/package/a.json", "package/../../package/a.json"] {
            let packed = archive(&[(name, EntryType::Regular, b"{}")]);
            assert!(matches!(read(&packed), Err(PackageError::UnsafeName)), "{name}");
        }
    }

    #[test]
    fn links_and_devices_are_refused() {
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
            let packed = archive(&[("package/a.json", kind, b"")]);
            assert!(matches!(read(&packed), Err(PackageError::Link)), "{kind:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_folder_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/package")).unwrap();
        fs::write(dir.path().join("secret.json"), "{}").unwrap();
        let link = dir.path().join("a/package/b.json");
        std::os::unix::fs::symlink(dir.path().join("secret.json"), link).unwrap();
        let read = read_package(&dir.path().join("a"), &BOUNDS);
        assert!(matches!(read, Err(PackageError::Empty)));
    }

    #[test]
    fn what_is_over_a_bound_is_refused() {
        let large = archive(&[("package/a.json", EntryType::Regular, &[b' '; 1001])]);
        assert!(matches!(read(&large), Err(PackageError::EntryTooLarge(1000))));
        let name = archive(&[("package/a.json", EntryType::GNULongName, &[b'a'; 200_000])]);
        assert!(matches!(read(&name), Err(PackageError::TooLarge(100_000))));
        let many = archive(&[("package/a.json", EntryType::Regular, b"{}".as_slice()); 21]);
        assert!(matches!(read(&many), Err(PackageError::TooMany(20))));
    }

    #[test]
    fn a_header_that_promises_more_than_there_is_is_refused() {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut header = Header::new_gnu();
        header.set_path("package/a.json").unwrap();
        header.set_size(u64::MAX / 2);
        header.set_cksum();
        builder.append(&header, b"{}".as_slice()).unwrap();
        let packed = builder.into_inner().unwrap().finish().unwrap();
        assert!(matches!(read(&packed), Err(PackageError::EntryTooLarge(_))));
    }

    #[test]
    fn gzip_that_goes_on_and_on_is_given_up() {
        // 32 MiB of nothing, in a few KB: an entry that is not even wanted.
        let zeros = vec![0; 32 << 20];
        let packed = archive(&[("other/zeros", EntryType::GNULongName, &zeros)]);
        assert!(packed.len() < 1 << 20);
        assert!(matches!(read(&packed), Err(PackageError::TooLarge(_))));
        let whole = archive(&[("package/a.json", EntryType::Regular, b"{}".as_slice()); 3]);
        assert!(read(&whole[..whole.len() / 2]).is_err());
        assert!(read(b"no gzip").is_err());
    }
}
