//! The lines of a file one by one, each bounded.

use std::io::{self, BufRead, Read as _};

/// Reads the lines that are not blank, without white space at their ends.
pub(super) struct Lines<R> {
    input: R,
    number: u64,
    bytes_max: usize,
}

/// A line.
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// Its text; `None` when it is longer than the bound.
    pub(super) text: Option<Vec<u8>>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, bytes_max: usize) -> Self {
        Self { input, number: 0, bytes_max }
    }

    /// The next line that is not blank.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        while let Some(mut line) = self.any()? {
            let Some(text) = &mut line.text else { return Ok(Some(line)) };
            let kept = without_mark(text).trim_ascii();
            if !kept.is_empty() {
                if kept.len() < text.len() {
                    *text = kept.to_vec();
                }
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// The next line, with its end. Of one that is too long no more than the bound is held.
    fn any(&mut self) -> io::Result<Option<Line>> {
        // Room for the two characters of a line's end.
        let room = self.bytes_max.saturating_add(2);
        let mut text = Vec::new();
        if (&mut self.input).take(room as u64).read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        let fits = text.ends_with(b"\n") || text.len() < room || self.at_end()?;
        if !fits {
            self.input.skip_until(b'\n')?;
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, text: fits.then_some(text) }))
    }

    fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.input.fill_buf()?.is_empty())
    }
}

/// Without the byte order mark that some editors put before UTF-8.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}
