//! FHIR resources in files: finds the files, tells what each one is, and hands out its resources
//! and Bundles one after the other, as bytes. What is no FHIR is named with a reason.
//! <https://hl7.org/fhir/R4/nd-json.html>
//!
//! [`walk`] lists the files below some paths; [`read`] gives the [`Piece`]s of one of them:
//! a file of FHIR JSON or XML, or a care record, is one piece; of NDJSON every line is one. NDJSON
//! is read line by line, so its size is not bounded; every other file is, by [`Bounds`]. Tables
//! (`read_table`) are read row by row.

mod lines;
mod odd;
mod package;
mod pieces;
mod table;
mod tell;
mod walk;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

pub use odd::{Odd, Why};
pub use package::{PackageBounds, PackageError, read_package};
pub use pieces::{Pieces, read, read_as};
pub use table::{TableForm, read_table};
pub use walk::{Found, Walked, walk};

/// How much is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Files found below the paths; default 1,000,000. Further ones are left out, and that is
    /// said.
    pub files_max: usize,
    /// Size of a file that is read whole (a resource, a Bundle, XML); default 256 MiB: ten times
    /// the largest Bundle of one patient that we have seen.
    pub document_bytes_max: u64,
    /// Size of a line of NDJSON; default 64 MiB, as for a page from an endpoint.
    pub line_bytes_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { files_max: 1_000_000, document_bytes_max: 256 << 20, line_bytes_max: 64 << 20 }
    }
}

/// Where something stands: a file, and the line if the file is NDJSON. Shown as `path:line`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The path, below the one that was given.
    pub path: Arc<Path>,
    /// The line, from 1; none when the whole file is meant.
    pub line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// How a piece is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// FHIR JSON.
    Json,
    /// FHIR XML; [`crate::fhir::xml::from_xml`] makes JSON of it.
    Xml,
    /// A care record in JSON, which is no FHIR.
    Care,
    /// Rows of a table that belong together: a JSON array of `{"line", "cells"}`.
    Rows,
}

/// What files are taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Each for what it seems to be.
    #[default]
    Auto,
    /// A resource or Bundle in JSON.
    Json,
    /// Resources or Bundles in JSON, one a line.
    Ndjson,
    /// A resource or Bundle in XML.
    Xml,
    /// Care records in JSON: one, or one a line.
    Care,
}

/// One resource or one Bundle. It is JSON, or looks like XML of FHIR; whether it is valid R4 was
/// not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands.
    pub place: Place,
    /// How it is written.
    pub form: Form,
    /// `resourceType`, or the name of the XML root; may be one that R4 does not have.
    pub resource_type: Box<str>,
    /// Its text, UTF-8 without byte order mark and without white space at its ends.
    pub bytes: Bytes,
}

impl Piece {
    /// Whether it is a Bundle, of any type.
    pub fn is_bundle(&self) -> bool {
        &*self.resource_type == "Bundle"
    }
}

/// A path that was given does not exist or cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
pub struct PathError {
    /// The path.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

#[cfg(test)]
mod tests;
