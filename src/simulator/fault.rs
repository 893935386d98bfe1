//! Faults that a simulated server can have.

use std::time::Duration;

use crate::fhir::ResourceType;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every so manieth request is answered 503 with `Retry-After: 0`.
    Unavailable {
        /// 1: always.
        every: u64,
    },
    /// Every answer is late.
    Slow {
        /// By how much.
        by: Duration,
    },
    /// The last page of a search links to the first.
    PagingLoop,
    /// Every page has a next one, each with a new URL.
    EndlessPaging,
    /// `next` links lead to another server.
    ForeignLinks,
    /// Searches are answered with a web page.
    WrongContent,
    /// Searches of one type always fail with 500.
    Broken(ResourceType),
    /// Searches of one type are forbidden.
    Forbidden(ResourceType),
    /// Searches are answered with a body of so many bytes.
    Huge {
        /// Its size.
        bytes: usize,
    },
    /// The CapabilityStatement is of another FHIR version.
    WrongVersion,
    /// Answers break off in the middle.
    Truncated,
}

/// The faults in force, with what they need to count.
#[derive(Debug)]
pub(super) struct Faults {
    list: Vec<Fault>,
    requests: u64,
}

impl Faults {
    pub(super) fn new(list: Vec<Fault>) -> Self {
        Self { list, requests: 0 }
    }

    /// Counts a request; whether it is to be answered 503.
    pub(super) fn unavailable(&mut self) -> bool {
        self.requests += 1;
        let hit = |fault: &Fault| match fault {
            Fault::Unavailable { every } => self.requests.is_multiple_of((*every).max(1)),
            _ => false,
        };
        self.list.iter().any(hit)
    }

    /// By how much answers are late.
    pub(super) fn delay(&self) -> Option<Duration> {
        self.list.iter().find_map(|fault| match fault {
            Fault::Slow { by } => Some(*by),
            _ => None,
        })
    }

    pub(super) fn has(&self, fault: &Fault) -> bool {
        self.list.contains(fault)
    }

    /// The size of a huge body, if that fault is on.
    pub(super) fn huge(&self) -> Option<usize> {
        self.list.iter().find_map(|fault| match fault {
            Fault::Huge { bytes } => Some(*bytes),
            _ => None,
        })
    }
}

/// What is wrong with the text of a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There is no such fault.
    #[error("there is no fault of this kind; known: {}", kinds().collect::<Vec<_>>().join(", "))]
    Unknown,
    /// What stands behind `=` is missing or does not fit.
    #[error("write it as {0}")]
    Value(&'static str),
}

/// The texts from which faults are read, each with what it does.
pub const FAULT_KINDS: [(&str, &str); 11] = [
    ("unavailable=N", "every Nth request (default 3) is answered 503, try again"),
    ("slow=MS", "every answer is late by so many milliseconds (default 500)"),
    ("paging-loop", "the last page of a search links to the first"),
    ("endless-paging", "every page has a next one"),
    ("foreign-links", "next links lead to another server"),
    ("wrong-content", "searches are answered with a web page"),
    ("wrong-version", "the CapabilityStatement is of another FHIR version"),
    ("broken=TYPE", "searches of a type fail with 500"),
    ("forbidden=TYPE", "searches of a type are answered 403"),
    ("huge=BYTES", "searches are answered with a body of this size (default 100000000)"),
    ("truncated", "every answer breaks off in the middle"),
];

fn kinds() -> impl Iterator<Item = &'static str> {
    FAULT_KINDS.into_iter().map(|(form, _)| form.split('=').next().unwrap_or(form))
}

impl std::str::FromStr for Fault {
    type Err = FaultError;

    /// Reads `KIND` or `KIND=VALUE`, as [`FAULT_KINDS`] has them.
    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (kind, value) = match text.split_once('=') {
            Some((kind, value)) => (kind, Some(value)),
            None => (text, None),
        };
        let known = kinds().position(|known| known == kind).ok_or(FaultError::Unknown)?;
        let wrong = || FaultError::Value(FAULT_KINDS[known].0);
        let number = |default: u64| match value {
            None => Ok(default),
            Some(value) => value.parse().ok().filter(|n| *n > 0).ok_or_else(wrong),
        };
        let kind_of = || value.and_then(ResourceType::parse).ok_or_else(wrong);
        let plain = |fault: Self| if value.is_some() { Err(wrong()) } else { Ok(fault) };
        match kind {
            "unavailable" => Ok(Self::Unavailable { every: number(3)? }),
            "slow" => Ok(Self::Slow { by: Duration::from_millis(number(500)?) }),
            "paging-loop" => plain(Self::PagingLoop),
            "endless-paging" => plain(Self::EndlessPaging),
            "foreign-links" => plain(Self::ForeignLinks),
            "wrong-content" => plain(Self::WrongContent),
            "wrong-version" => plain(Self::WrongVersion),
            "broken" => Ok(Self::Broken(kind_of()?)),
            "forbidden" => Ok(Self::Forbidden(kind_of()?)),
            "huge" => {
                let bytes = usize::try_from(number(100_000_000)?).map_err(|_| wrong())?;
                Ok(Self::Huge { bytes })
            }
            "truncated" => plain(Self::Truncated),
            _ => Err(FaultError::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_that_is_listed_can_be_asked_for() {
        for (form, _) in FAULT_KINDS {
            let (kind, value) = form.split_once('=').unwrap_or((form, ""));
            let text = match value {
                "TYPE" => format!("{kind}=Goal"),
                _ => kind.to_owned(),
            };
            assert!(text.parse::<Fault>().is_ok(), "{text}");
        }
        assert_eq!("unavailable=7".parse(), Ok(Fault::Unavailable { every: 7 }));
        assert_eq!("broken=Nothing".parse::<Fault>(), Err(FaultError::Value("broken=TYPE")));
        assert_eq!("slow=0".parse::<Fault>(), Err(FaultError::Value("slow=MS")));
        assert_eq!("truncated=2".parse::<Fault>(), Err(FaultError::Value("truncated")));
        let unknown = "gone".parse::<Fault>().map_err(|e| e.to_string());
        assert!(unknown.is_err_and(|text| text.contains("known: unavailable, slow, ")));
    }
}
