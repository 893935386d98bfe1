//! The lines of a file one by one, each bounded.

use std::io::{self, BufRead};

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
        let mut text = Vec::new();
        let mut fits = true;
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                if text.is_empty() && fits {
                    return Ok(None);
                }
                break;
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(buffer.len(), |at| at + 1);
            fits &= text.len() + taken <= self.bytes_max.saturating_add(2);
            match fits {
                true => text.extend_from_slice(&buffer[..taken]),
                false => text = Vec::new(),
            }
            self.input.consume(taken);
            if end.is_some() {
                break;
            }
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, text: fits.then_some(text) }))
    }
}

/// Without the byte order mark that some editors put before UTF-8.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}
