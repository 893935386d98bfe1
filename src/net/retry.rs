//! When and how long to wait before a request is tried again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;

/// Exponential back-off with jitter; the jitter comes from a seed, so that runs can be repeated.
#[derive(Debug)]
pub(super) struct Backoff {
    pub(super) min: Duration,
    pub(super) max: Duration,
    state: AtomicU64,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration, seed: u64) -> Self {
        Self { min, max, state: AtomicU64::new(seed) }
    }

    /// The wait before try `attempt` (0: the first retry): half of it fixed, half by chance, so
    /// that requests which failed together do not come back together.
    pub(super) fn wait(&self, attempt: u32) -> Duration {
        let full = self.min.saturating_mul(2u32.saturating_pow(attempt)).min(self.max);
        let half = full / 2;
        half + half.mul_f64(self.fraction())
    }

    /// A wait that the server asked for, within our bound.
    pub(super) fn asked(&self, retry_after: Duration) -> Duration {
        retry_after.min(self.max)
    }

    /// The next number from 0 to 1 (splitmix64, Steele et al. 2014).
    fn fraction(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut x = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        f64::from(u32::try_from(x >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }
}

/// Whether a status says "not now".
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Reads `Retry-After`: seconds or an HTTP date.
/// <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = http_date(value)?.duration_since(now);
    Some(wait.try_into().unwrap_or(Duration::ZERO))
}

/// Reads an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(value: &str) -> Option<Timestamp> {
    Some(rfc2822::parse(value).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "test")]
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound_and_repeat_with_the_seed() {
        let make = || Backoff::new(Duration::from_millis(100), Duration::from_secs(1), 7);
        let waits = |b: &Backoff| (0..40).map(|n| b.wait(n)).collect::<Vec<_>>();
        let (first, second) = (waits(&make()), waits(&make()));
        assert_eq!(first, second);
        assert!(first[0] >= Duration::from_millis(50) && first[0] <= Duration::from_millis(100));
        assert!(first[39] >= Duration::from_millis(500) && first[39] <= Duration::from_secs(1));
        assert_ne!(first[38], first[39]);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after(date, now), Some(Duration::from_secs(7)));
        let later: Timestamp = "1994-11-06T09:00:00Z".parse().unwrap();
        assert_eq!(retry_after(date, later), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
