//! Distributed traces (W3C Trace Context): which larger undertaking a request belongs to.
//!
//! A request that comes with a valid `traceparent` goes on in that trace: its ids stand in our log lines, in
//! `traceresponse`, and in what we ask of the provider while we work on it. Where spans are exported ([`super::otlp`]),
//! requests without one begin a trace of their own; where they are not, nothing is made up and nothing is spent.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use super::otlp;

/// `version-traceid-parentid-flags`, in lower-case hex.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// What other tracers add; passed on as it came.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Our span, for whoever asked (Trace Context level 2).
pub const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// Longest `tracestate` that is passed on, in bytes: what every tracer must at least accept.
const LONGEST_STATE: usize = 512;
/// Most members of a `tracestate`.
const MOST_MEMBERS: usize = 32;

tokio::task_local! {
    static CURRENT: Span;
}

/// Where something stands in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The whole undertaking; not zero.
    pub trace_id: [u8; 16],
    /// This part of it; not zero.
    pub span_id: [u8; 8],
    /// Whether whoever began the trace keeps it.
    pub sampled: bool,
}

/// Something that takes time, begun and not yet ended.
#[derive(Debug, Clone)]
pub struct Span {
    /// Its place.
    pub context: Context,
    /// The span that it is part of.
    pub(super) parent: Option<[u8; 8]>,
    /// `tracestate` of the trace, checked.
    pub(super) state: Option<Arc<str>>,
    /// When it began.
    pub(super) started: SystemTime,
    given: bool,
}

/// On which side of a request we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// We answer.
    Server,
    /// We ask.
    Client,
}

impl Context {
    /// Reads a `traceparent`; none when it is not valid (Trace Context, section 3.2).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace_id) = (hex::<1>(parts.next()?)?, hex::<16>(parts.next()?)?);
        let (span_id, [flags]) = (hex::<8>(parts.next()?)?, hex::<1>(parts.next()?)?);
        match version {
            [0xff] => return None,
            // Later versions may append; this one may not.
            [0] if parts.next().is_some() => return None,
            _ => {}
        }
        let real = trace_id != [0; 16] && span_id != [0; 8];
        real.then_some(Self {
            trace_id,
            span_id,
            sampled: flags & 1 == 1,
        })
    }

    /// A new trace. None when the machine has no randomness to give.
    fn root() -> Option<Self> {
        let mut trace_id = [0; 16];
        getrandom::fill(&mut trace_id).ok()?;
        // All zeros would be no id at all.
        trace_id[0] |= 1;
        Some(Self {
            trace_id,
            span_id: span_id()?,
            sampled: true,
        })
    }

    /// A part of it.
    fn child(&self) -> Option<Self> {
        Some(Self {
            span_id: span_id()?,
            ..*self
        })
    }

    /// The trace's id as it is written.
    #[must_use]
    pub fn trace(&self) -> String {
        hex::encode(self.trace_id)
    }

    /// The span's id as it is written.
    #[must_use]
    pub fn span(&self) -> String {
        hex::encode(self.span_id)
    }
}

impl fmt::Display for Context {
    /// As a `traceparent` of version 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{}-{}-{:02x}",
            self.trace(),
            self.span(),
            u8::from(self.sampled)
        )
    }
}

impl Span {
    /// The span of a request with these header fields; none when there is no trace to belong to.
    #[must_use]
    pub fn incoming(headers: &HeaderMap) -> Option<Self> {
        let given = parent(headers);
        if given.is_none() && !otlp::is_on() {
            return None;
        }
        let context = match &given {
            Some(parent) => parent.child()?,
            None => Context::root()?,
        };
        Some(Self {
            context,
            parent: given.map(|parent| parent.span_id),
            state: given.and_then(|_| state(headers)),
            started: SystemTime::now(),
            given: given.is_some(),
        })
    }

    /// The span of something we ask of somebody else: part of what is being worked on, or a trace of its own.
    #[must_use]
    pub fn outgoing() -> Option<Self> {
        let around = CURRENT.try_with(Clone::clone).ok();
        if around.is_none() && !otlp::is_on() {
            return None;
        }
        let context = match &around {
            Some(around) => around.context.child()?,
            None => Context::root()?,
        };
        Some(Self {
            context,
            parent: around.as_ref().map(|around| around.context.span_id),
            state: around.and_then(|around| around.state),
            started: SystemTime::now(),
            given: false,
        })
    }

    /// Runs `work` as part of it: what is asked of others meanwhile belongs to it.
    pub fn around<F: Future>(self, work: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self, work)
    }

    /// Header fields for whoever is asked.
    #[must_use]
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let context = HeaderValue::from_str(&self.context.to_string());
        let state = self.state.as_deref().map(HeaderValue::from_str);
        [(TRACEPARENT, Some(context)), (TRACESTATE, state)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?.ok()?)))
            .collect()
    }

    /// `traceresponse`, for somebody who named the trace.
    #[must_use]
    pub fn response(&self) -> Option<HeaderValue> {
        let text = self.given.then(|| self.context.to_string())?;
        HeaderValue::from_str(&text).ok()
    }

    /// Ends it: it is exported, where spans are and the trace is kept.
    pub fn end(self, side: Side, name: &str, facts: Vec<(&'static str, otlp::Fact)>, failed: bool) {
        if self.context.sampled {
            otlp::export(self, side, name, facts, failed);
        }
    }
}

/// The one valid `traceparent` of a request.
fn parent(headers: &HeaderMap) -> Option<Context> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    Context::parse(value.to_str().ok()?.trim())
}

/// The `tracestate` over all its lines, when it follows the rules (Trace Context, section 3.3).
fn state(headers: &HeaderMap) -> Option<Arc<str>> {
    let lines: Option<Vec<&str>> = headers
        .get_all(TRACESTATE)
        .iter()
        .map(|line| line.to_str().ok())
        .collect();
    let lines = lines?.join(",");
    let members: Vec<&str> = lines
        .split(',')
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .collect();
    let good = !members.is_empty() && members.len() <= MOST_MEMBERS && members.iter().copied().all(is_member);
    let text = members.join(",");
    (good && text.len() <= LONGEST_STATE).then(|| text.into())
}

fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else {
        return false;
    };
    let key_byte =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'*' | b'/' | b'@');
    let begins_well = key
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    begins_well
        && key.len() <= 256
        && key.bytes().all(key_byte)
        && (1..=256).contains(&value.len())
        && value.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'=')
}

fn span_id() -> Option<[u8; 8]> {
    let mut id = [0; 8];
    getrandom::fill(&mut id).ok()?;
    id[0] |= 1;
    Some(id)
}

/// Exactly `N` bytes in lower-case hex: upper case is not valid here.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let lower = text.bytes().all(|b| !b.is_ascii_uppercase());
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(name, value.parse().expect("value"));
        }
        map
    }

    #[test]
    fn a_parent_is_read_as_it_is_written() {
        let context = Context::parse(PARENT).expect("valid");
        assert!(context.sampled);
        assert_eq!(context.to_string(), PARENT);
        let later = PARENT.replacen("00", "cc", 1) + "-what-will-be-will-be";
        assert_eq!(Context::parse(&later), Some(context));
        let unsampled = Context::parse(&PARENT.replace("-01", "-00")).expect("valid");
        assert!(!unsampled.sampled);
        // Flags that nobody knows yet are not ours to set.
        assert_eq!(
            Context::parse(&PARENT.replace("-01", "-ff"))
                .expect("valid")
                .to_string(),
            PARENT
        );
    }

    #[test]
    fn what_breaks_the_rules_is_no_parent() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47zz-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Context::parse(bad), None, "{bad}");
        }
        assert!(parent(&headers(&[(TRACEPARENT, PARENT), (TRACEPARENT, PARENT)])).is_none());
    }

    #[test]
    fn a_request_goes_on_in_the_trace_it_names() {
        let given = headers(&[
            (TRACEPARENT, PARENT),
            (TRACESTATE, "congo=t61rcWkgMzE"),
            (TRACESTATE, " rojo=00f067aa0ba902b7 ,"),
        ]);
        let span = Span::incoming(&given).expect("a span");
        assert_eq!(span.context.trace(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(span.parent.map(hex::encode).as_deref(), Some("00f067aa0ba902b7"));
        assert_ne!(span.context.span(), "00f067aa0ba902b7");
        assert!(span.response().is_some());
        let told = HeaderMap::from_iter(span.headers());
        assert_eq!(told[TRACEPARENT], span.context.to_string());
        assert_eq!(told[TRACESTATE], "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
    }

    #[test]
    fn a_state_that_breaks_the_rules_is_dropped_and_the_parent_stays() {
        let many = (0..33).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        let long = format!("k={}", "v".repeat(257));
        for bad in ["", "k", "K=v", "=v", "k=", "k=a=b", "k=\u{7f}", &many, &long] {
            let lines = HeaderValue::from_bytes(bad.as_bytes()).map(|value| {
                let mut map = headers(&[(TRACEPARENT, PARENT)]);
                map.insert(TRACESTATE, value);
                map
            });
            // What can't even be a header value never arrives.
            let Ok(lines) = lines else { continue };
            let span = Span::incoming(&lines).expect("a span");
            assert_eq!(span.state, None, "{bad}");
        }
    }

    #[tokio::test]
    async fn what_is_asked_meanwhile_is_part_of_it() {
        let span = Span::incoming(&headers(&[(TRACEPARENT, PARENT)])).expect("a span");
        let context = span.context;
        let asked = span.around(async { Span::outgoing() }).await.expect("a span");
        assert_eq!(asked.context.trace_id, context.trace_id);
        assert_eq!(asked.parent, Some(context.span_id));
        assert!(Span::outgoing().is_none(), "nothing around it and nobody to tell");
    }
}
