//! What commands print: text or one JSON document on stdout, progress and errors on stderr.

use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::config::ConfigError;
use crate::pipeline::{ActivationError, GatewayError};
use crate::store::StoreError;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Wrong usage, or a setting that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The work failed.
    #[error("{0}")]
    Failed(String),
    /// The work was done and found problems, which have been printed.
    #[error("{0}")]
    Problems(String),
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The activated match model.
    #[error(transparent)]
    Activation(#[from] ActivationError),
    /// The gateway.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// Whoever read our output has seen enough (`| head`): no failure.
    #[error("nobody reads the output")]
    ReaderGone,
    /// Reading or writing failed.
    #[error("could not read or write: {0}")]
    Io(#[from] io::Error),
}

impl CliError {
    /// 2 for wrong usage, else 1.
    pub(super) fn exit_status(&self) -> u8 {
        match self {
            Self::ReaderGone => 0,
            Self::Usage(_) | Self::Config(_) => 2,
            Self::Failed(_)
            | Self::Problems(_)
            | Self::Store(_)
            | Self::Activation(_)
            | Self::Gateway(_)
            | Self::Io(_) => 1,
        }
    }
}

/// Where a command prints.
pub(super) struct Output {
    json: bool,
    bars: MultiProgress,
}

impl Output {
    pub(super) fn new(json: bool, quiet: bool) -> Self {
        let visible = !quiet && io::stderr().is_terminal();
        let target =
            if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { json, bars: MultiProgress::with_draw_target(target) }
    }

    /// Whether a JSON document is wanted.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the one JSON document.
    pub(super) fn json(&self, document: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(document)
            .map_err(|e| CliError::Failed(format!("could not write JSON: {e}")))?;
        self.line(&text)
    }

    /// Prints a line of text.
    pub(super) fn line(&self, text: &str) -> Result<(), CliError> {
        match writeln!(io::stdout().lock(), "{text}") {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(CliError::ReaderGone),
            done => Ok(done?),
        }
    }

    /// Prints a line of text, unless a JSON document is wanted.
    pub(super) fn text(&self, text: &str) -> Result<(), CliError> {
        if self.json { Ok(()) } else { self.line(text) }
    }

    /// Prints a line beside the output, on stderr.
    pub(super) fn note(&self, text: &str) {
        // Nothing is left to tell if stderr is gone.
        let _ = self.bars.suspend(|| writeln!(io::stderr(), "{text}"));
    }

    /// Prints an error, with its causes.
    pub(super) fn error(&self, error: &CliError) {
        if matches!(error, CliError::ReaderGone) {
            return;
        }
        let mut text = format!("careweave: {error}");
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            if !text.ends_with(&inner_text) {
                text = format!("{text}: {inner_text}");
            }
            cause = inner.source();
        }
        // Nothing is left to tell if stderr is gone too.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// A progress bar with a name, at the bottom of the terminal.
    pub(super) fn bar(&self, name: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(0));
        let template = "{prefix:12} {bar:30} {pos:>7}/{len:7} {msg}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("━╸ "));
        bar.set_prefix(name.to_owned());
        bar
    }
}
