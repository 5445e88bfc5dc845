//! What the provider takes, and how long it tries.

use std::time::Duration;

/// Characters of the header line.
pub const MAX_HEADER_CHARS: usize = 50;

/// Bytes of a request.
pub const MAX_REQUEST_BYTES: u64 = 20 << 20;

/// Bytes of a callback: a document of [`MAX_REQUEST_BYTES`] in base64, and what stands beside it.
pub const MAX_CALLBACK_BYTES: u64 = 28 << 20;

/// Further calls after a failed one.
pub const MAX_RETRIES: u32 = 5;

/// Seconds between calls that a request may ask for.
pub const RETRY_DELAY_SECONDS: std::ops::RangeInclusive<u32> = 30..=300;

/// Rows of a list's page.
pub const MAX_PAGE_SIZE: usize = 1000;

/// Rows of a list's page when the request names none.
pub const DEFAULT_PAGE_SIZE: usize = 100;

/// How long the provider waits for the answer to a callback.
pub const CALLBACK_TIMEOUT: Duration = Duration::from_secs(60);

/// Seconds from one delivery of a callback to the next: 5, 10, 20, 30 minutes, then twelve times 6 hours.
pub const CALLBACK_RETRIES: [u64; 16] = [
    300, 600, 1200, 1800, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600,
    21_600, 21_600,
];

/// How long an access token is renewed before it expires.
pub const TOKEN_RENEWAL_MARGIN: Duration = Duration::from_secs(60);

/// Life of an access token whose answer does not say it.
pub const DEFAULT_TOKEN_LIFE: Duration = Duration::from_secs(3599);

/// The longest time until the last call of a fax has ended, apart from waiting in the provider's queue: `max_retries`
/// further calls of at most `call` each, `retry_delay` between them.
#[must_use]
pub fn calling_time(max_retries: u32, retry_delay: Duration, call: Duration) -> Duration {
    call.saturating_mul(max_retries.saturating_add(1))
        .saturating_add(retry_delay.saturating_mul(max_retries))
}
