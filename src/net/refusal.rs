//! What the HTTP library refuses by itself (a head that is no HTTP, or is too long) it answers
//! with a status and no body. Every error of ours says what to do, so such an answer is replaced
//! by an OperationOutcome on its way out. The library offers no hook for it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::fhir::{Issue, operation_outcome};

/// A connection whose empty refusals get a body.
pub(super) struct Refusing<S> {
    stream: S,
    /// The replacement, as far as it is not written yet.
    waiting: Vec<u8>,
}

impl<S: AsyncWrite + Unpin> Refusing<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, waiting: Vec::new() }
    }

    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.waiting))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.waiting.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

/// The answer to write instead, if these bytes are the library's own refusal: none of our
/// answers to a bad request has an empty body.
fn replacement(bytes: &[u8]) -> Option<Vec<u8>> {
    let status = bytes.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    let (reason, code, text) = match status {
        b"400" => (
            "Bad Request",
            "structure",
            "this is no HTTP request; check its first line, its headers and that the URL is \
             percent-encoded",
        ),
        b"414" => ("URI Too Long", "too-long", "the URL is too long; search by POST _search"),
        b"431" => (
            "Request Header Fields Too Large",
            "too-long",
            "the head of the request is too large; send fewer and shorter headers",
        ),
        _ => return None,
    };
    let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
    let is_empty = |line: &str| line.eq_ignore_ascii_case("content-length: 0");
    head.split("\r\n").find(|line| is_empty(line))?;
    let issue =
        Issue { severity: "error", code, diagnostics: text.to_owned(), expression: Vec::new() };
    let outcome = operation_outcome(&[issue]).to_string();
    let length = outcome.len();
    let kept = head.split("\r\n").skip(1).filter(|line| !is_empty(line));
    let kept: String = kept.map(|line| format!("{line}\r\n")).collect();
    let answer = format!(
        "HTTP/1.1 {} {reason}\r\n{kept}content-type: application/fhir+json; charset=utf-8\r\n\
         content-length: {length}\r\n\r\n{outcome}",
        std::str::from_utf8(status).ok()?,
    );
    Some(answer.into_bytes())
}

impl<S: AsyncRead + Unpin> AsyncRead for Refusing<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Refusing<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_waiting(context))?;
        match replacement(bytes) {
            Some(answer) => {
                self.waiting = answer;
                Poll::Ready(Ok(bytes.len()))
            }
            None => Pin::new(&mut self.stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_waiting(context))?;
        // A refusal is one part: it has no body that would be a second one.
        match parts {
            [only] => self.poll_write(context, only),
            _ => Pin::new(&mut self.stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_waiting(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_waiting(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
