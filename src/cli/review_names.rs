//! How stewards name pairs and charts on the command line, and their own name.

use super::CliError;
use crate::flow::{Access, ChartKey, DerivedId, Home, RecordKey};
use crate::pipeline::Gateway;
use crate::store::{Issued, KnownPair};

/// Characters of a pair's id that are shown: 50 bits, so that two of a million pairs hardly meet.
const PAIR_NAME_CHARS: usize = 10;
/// Characters of a pair's id that must be given.
const PAIR_NAME_CHARS_MIN: usize = 4;

/// What a command was given.
pub(super) enum Named {
    /// One chart.
    Chart(ChartKey),
    /// Two homes, the smaller first.
    Two(Home, Home),
}

/// The short name of a pair.
pub(super) fn pair_name(id: DerivedId) -> String {
    id.to_string().chars().take(PAIR_NAME_CHARS).collect()
}

impl Named {
    /// Reads one or two names.
    ///
    /// # Errors
    /// When they name nothing, or more than one thing.
    pub(super) fn of(gateway: &Gateway, names: &[String]) -> Result<Self, CliError> {
        match names {
            [one] => match chart(gateway, one)? {
                Some(chart) => Ok(Self::Chart(chart)),
                None => Self::pair(gateway, one).map(|(a, b)| Self::Two(a, b)),
            },
            [a, b] => {
                let (a, b) = (known_chart(gateway, a)?, known_chart(gateway, b)?);
                if a == b {
                    return Err(CliError::Usage(format!("both names are {a}; name two charts")));
                }
                let (a, b) = if a <= b { (a, b) } else { (b, a) };
                Ok(Self::Two(Home::Chart(a), Home::Chart(b)))
            }
            _ => Err(CliError::Usage("name a pair, or two charts".to_owned())),
        }
    }

    /// The pair whose id begins so.
    ///
    /// # Errors
    /// When none or several do.
    pub(super) fn pair(gateway: &Gateway, name: &str) -> Result<(Home, Home), CliError> {
        let unknown = || {
            CliError::Failed(format!(
                "no pair has the id \"{name}\"; careweave review list shows the ids, and two \
                 charts can be named instead, as ENDPOINT/Patient/ID"
            ))
        };
        if name.len() < PAIR_NAME_CHARS_MIN || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(unknown());
        }
        let beginning = name.to_ascii_lowercase();
        let mut found = gateway.store().known_pairs(&Access::open(), &beginning, 2)?;
        if found.len() > 1 {
            let text = format!("several pairs begin with \"{name}\"; give more characters");
            return Err(CliError::Failed(text));
        }
        let KnownPair { a, b, .. } = found.pop().ok_or_else(unknown)?;
        Ok((a, b))
    }

    /// The two homes.
    ///
    /// # Errors
    /// When only one chart was named.
    pub(super) fn two(self) -> Result<(Home, Home), CliError> {
        match self {
            Self::Two(a, b) => Ok((a, b)),
            Self::Chart(chart) => {
                Err(CliError::Usage(format!("{chart} alone is no pair; name the other chart too")))
            }
        }
    }

    /// The two charts.
    ///
    /// # Errors
    /// When only one was named, or the pair is one of directory records.
    pub(super) fn charts(self) -> Result<(ChartKey, ChartKey), CliError> {
        let (a, b) = self.two()?;
        match (a.chart(), b.chart()) {
            (Some(a), Some(b)) => Ok((a.clone(), b.clone())),
            _ => Err(CliError::Failed(
                "directory records are linked by rule alone; stewards decide about charts"
                    .to_owned(),
            )),
        }
    }
}

fn known_chart(gateway: &Gateway, name: &str) -> Result<ChartKey, CliError> {
    chart(gateway, name)?.ok_or_else(|| no_chart(name))
}

fn no_chart(name: &str) -> CliError {
    CliError::Failed(format!(
        "no chart is known as \"{name}\"; name it ENDPOINT/Patient/ID, or by an id that careweave \
         person find shows"
    ))
}

/// The chart of a name; none if it is not the form of one.
fn chart(gateway: &Gateway, name: &str) -> Result<Option<ChartKey>, CliError> {
    let access = Access::open();
    if let Some((endpoint, rest)) = name.split_once('/')
        && endpoint != "Patient"
    {
        let patient = rest.strip_prefix("Patient/").ok_or_else(|| no_chart(name))?;
        let chart = ChartKey::new(endpoint, patient);
        // Typing errors must not become decisions about charts that never come.
        let known = gateway.store().link(&access, &Home::Chart(chart.clone()))?.is_some();
        return if known { Ok(Some(chart)) } else { Err(no_chart(name)) };
    }
    let Ok(id) = name.strip_prefix("Patient/").unwrap_or(name).parse::<DerivedId>() else {
        return Ok(None);
    };
    let issued = gateway.store().issued(&access, id)?;
    let of_patient = |key: &RecordKey| key.resource_type.name() == "Patient";
    Ok(match issued {
        Some(Issued::Record(record)) if of_patient(&record.key) => record.home.chart().cloned(),
        Some(Issued::Record(_) | Issued::Made { .. }) | None => None,
    })
}

/// Who decides: the name given, else the user of the operating system.
///
/// # Errors
/// When neither is a name.
pub(super) fn decider(given: Option<&str>) -> Result<String, CliError> {
    match given {
        Some(name) if name.trim().is_empty() => {
            Err(CliError::Usage("--by names nobody; give a name".to_owned()))
        }
        Some(name) => Ok(name.to_owned()),
        None => person_name().ok_or_else(|| {
            CliError::Usage("the system tells no user name; give one with --by".to_owned())
        }),
    }
}

/// The name of who runs this process.
fn person_name() -> Option<String> {
    let from_environment = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    from_environment.filter(|name| !name.trim().is_empty()).or_else(user_of_process)
}

/// The same without an environment, as in a container.
fn user_of_process() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let uid = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut names = accounts.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    names.next().or(Some(format!("uid {uid}")))
}
