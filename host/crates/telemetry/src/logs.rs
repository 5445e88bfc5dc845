//! Structured logs on standard error.
//!
//! Nothing secret or personal goes into a log line; the callers see to it, and `base::redact` helps them.

use std::panic::PanicHookInfo;
use std::sync::OnceLock;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::batch_writer;
use super::lines::{JsonLines, TextLines};
use faxgate_config::LogFormat;

/// Why logging could not begin.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter makes no sense.
    #[error("log.level (LOG_LEVEL) is {level:?}: {why}; give error, warn, info, debug or trace")]
    Level {
        /// As given.
        level: String,
        /// What the filter's reader says.
        why: String,
    },
    /// Somebody in this process logs already, or in another way.
    #[error("logging has begun already, or in another way")]
    Begun,
    /// There is no thread to be had for it.
    #[error("the thread that writes the log can't be made: {0}")]
    Thread(#[source] std::io::Error),
}

/// Puts another filter into force.
type Refilter = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;

static REFILTER: OnceLock<Refilter> = OnceLock::new();

/// Begins to log to standard error, for the whole process and once. From then on a panic is a log line too.
///
/// # Errors
/// When `level` is no filter or logging has begun already.
pub fn init(format: LogFormat, level: &str) -> Result<(), LogError> {
    let filter = filter(level)?;
    let stderr = batch_writer::stderr().map_err(LogError::Thread)?;
    let (subscriber, refilter) = subscriber(format, filter, stderr);
    subscriber.try_init().map_err(|_| LogError::Begun)?;
    // The first one to begin is the only one.
    drop(REFILTER.set(refilter));
    std::panic::set_hook(Box::new(report_panic));
    Ok(())
}

/// Writes out what was logged and still waits for company: for the end of the process.
pub fn flush() {
    batch_writer::flush();
}

/// Logs by other directives from now on.
///
/// # Errors
/// When `level` is no filter; the old one stays then.
pub fn set_level(level: &str) -> Result<(), LogError> {
    let filter = filter(level)?;
    match REFILTER.get() {
        Some(refilter) if refilter(filter) => Ok(()),
        _ => Err(LogError::Begun),
    }
}

/// Reads filter directives: a level, or levels by module such as `info,faxgate_service::dispatch=debug`.
///
/// # Errors
/// When they can't be understood.
pub fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let refused = |why: String| LogError::Level {
        level: level.to_owned(),
        why,
    };
    let filter = EnvFilter::try_new(level).map_err(|e| refused(e.to_string()))?;
    // A single word that is no level is read as the name of a module: certainly not what was meant.
    let is_level = level
        .trim()
        .parse::<tracing::level_filters::LevelFilter>()
        .is_ok();
    if !is_level && !level.contains('=') && !level.contains(',') {
        return Err(refused("not a level".to_owned()));
    }
    Ok(filter)
}

fn subscriber<W>(
    format: LogFormat,
    filter: EnvFilter,
    writer: W,
) -> (Box<dyn Subscriber + Send + Sync>, Refilter)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    match format {
        LogFormat::Text => {
            let builder = builder
                .with_ansi(false)
                .event_format(TextLines)
                .with_filter_reloading();
            let handle = builder.reload_handle();
            let refilter: Refilter = Box::new(move |filter| handle.reload(filter).is_ok());
            (Box::new(builder.finish()), refilter)
        }
        LogFormat::Json => {
            let builder = builder.event_format(JsonLines).with_filter_reloading();
            let handle = builder.reload_handle();
            let refilter: Refilter = Box::new(move |filter| handle.reload(filter).is_ok());
            (Box::new(builder.finish()), refilter)
        }
    }
}

/// Says where, not what: the text of a panic may quote what was being worked on.
fn report_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    tracing::error!(place, thread, "a task panicked; the service goes on");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::io::{self, Write};
    use std::sync::Arc;

    use http::HeaderValue;
    use parking_lot::Mutex;

    use super::*;
    use crate::scope::Scope;
    use crate::trace::Context;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn scope(trace: Option<Context>) -> Scope {
        Scope::new(HeaderValue::from_static("r1"), trace)
    }

    fn logged(format: LogFormat, level: &str) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let (subscriber, refilter) = subscriber(format, filter("error").unwrap(), move || writer.clone());
        // Begun quietly, then told otherwise: what a reload does.
        assert!(refilter(filter(level).unwrap()));
        tracing::subscriber::with_default(subscriber, || {
            scope(None).within(|| tracing::info!(pages = 3, "converted"));
            tracing::debug!("details");
        });
        let bytes = lines.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_is_one_object_a_line_with_the_span() {
        let text = logged(LogFormat::Json, "info");
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "converted");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["pages"], 3);
        assert_eq!(line["span"]["id"], "r1");
    }

    #[test]
    fn json_holds_whatever_is_logged() {
        let lines = Lines::default();
        let writer = lines.clone();
        let (subscriber, _) = subscriber(LogFormat::Json, filter("info").unwrap(), move || writer.clone());
        let odd = "a \"quote\", a \\, a line\nand \u{1}\u{7f} é";
        tracing::subscriber::with_default(subscriber, || {
            let nothing: Option<&str> = None;
            tracing::info!(odd, shown = %odd, debug = ?odd, nan = f64::NAN, half = 0.5, minus = -1, yes = true, nothing, "{odd}");
            let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            scope(Context::parse(trace)).within(|| tracing::warn!("inside"));
        });
        let text = String::from_utf8(lines.0.lock().clone()).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let [event, traced] = lines.as_slice() else {
            panic!("{text}");
        };
        for name in ["message", "odd", "shown"] {
            assert_eq!(event[name], odd, "{name}");
        }
        assert_eq!(event["debug"], format!("{odd:?}"));
        assert_eq!(event["nan"], serde_json::Value::Null);
        assert_eq!(
            (&event["half"], &event["minus"], &event["yes"]),
            (&0.5.into(), &(-1).into(), &true.into())
        );
        assert!(event.get("nothing").is_none() && event.get("span").is_none());
        assert_eq!(
            traced["span"],
            serde_json::json!({
                "id": "r1",
                "trace_id": "0af7651916cd43dd8448eb211c80319c",
                "span_id": "b7ad6b7169203331",
                "name": "request",
            })
        );
        assert_eq!(traced["level"], "WARN");
    }

    #[test]
    fn text_has_no_colours_and_heeds_the_level() {
        let text = logged(LogFormat::Text, "debug");
        assert!(
            text.contains(" INFO request{id=r1}: faxgate_telemetry::logs::tests: converted pages=3\n")
                && text.contains("DEBUG faxgate_telemetry::logs::tests: details\n"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn what_is_no_level_is_refused() {
        for bad in ["loud", "info,=", "faxgate=loud"] {
            assert!(matches!(filter(bad), Err(LogError::Level { .. })), "{bad}");
        }
        assert!(filter("info,faxgate_service::dispatch=debug").is_ok());
    }
}
