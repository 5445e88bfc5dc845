//! Log lines as JSON: one object a line, the fields of the event beside its time, level, message and target, and the
//! fields of the span it happened in under `span`.
//!
//! The library's own JSON lines read the fields of the span, kept as text, back into values for each line. Every
//! request writes a line, and a short answer costs less than that: here the text is written as it is kept.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes an event as one line of JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonLines;

/// Writes the fields of an event as members of an object that has members already.
struct Members<'a, 'w> {
    writer: &'a mut Writer<'w>,
    result: fmt::Result,
}

/// Writes text into a JSON string (RFC 8259, 7).
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, "\",\"level\":\"{}\"", metadata.level())?;
        let mut members = Members {
            writer: &mut writer,
            result: Ok(()),
        };
        event.record(&mut members);
        members.result?;
        write!(writer, ",\"target\":\"{}\"", metadata.target())?;
        if let Some(span) = context.lookup_current() {
            writer.write_str(",\"span\":{")?;
            let extensions = span.extensions();
            let kept = extensions.get::<FormattedFields<JsonFields>>();
            let fields = kept
                .and_then(|kept| kept.fields.strip_prefix('{'))
                .and_then(|fields| fields.strip_suffix('}'))
                .filter(|fields| !fields.is_empty());
            if let Some(fields) = fields {
                write!(writer, "{fields},")?;
            }
            write!(writer, "\"name\":\"{}\"}}", span.name())?;
        }
        writer.write_str("}\n")
    }
}

impl Members<'_, '_> {
    /// `write` writes the value.
    fn member(&mut self, field: &Field, write: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.result.is_err() {
            return;
        }
        let name = field.name().trim_start_matches("r#");
        self.result = write!(self.writer, ",\"{name}\":").and_then(|()| write(self.writer));
    }
}

impl Visit for Members<'_, '_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field, |writer| {
            if value.is_finite() {
                write!(writer, "{value}")
            } else {
                writer.write_str("null")
            }
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.member(field, |writer| {
            writer.write_char('"')?;
            write!(Escaped(writer), "{value:?}")?;
            writer.write_char('"')
        });
    }
}

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Split behind each character that can't stand as it is; all of them are one byte long.
        for piece in text.split_inclusive(|c: char| c < ' ' || c == '"' || c == '\\') {
            let odd = |c: &char| *c < ' ' || *c == '"' || *c == '\\';
            let last = piece.chars().next_back().filter(odd);
            let plain = last.and_then(|last| piece.strip_suffix(last)).unwrap_or(piece);
            self.0.write_str(plain)?;
            match last {
                Some(c @ ('"' | '\\')) => write!(self.0, "\\{c}")?,
                Some(c) => write!(self.0, "\\u{:04x}", u32::from(c))?,
                None => {}
            }
        }
        Ok(())
    }
}
