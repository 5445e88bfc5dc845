//! How a log line is written: as one JSON object, with the fields of the event beside its time, level, message and
//! target, and the request that it belongs to under `span`; or as text for people, with the same in another order.
//!
//! The library's own JSON lines read the fields of a span, kept as text, back into values for each line. Every request
//! writes a line, and a short answer costs less than that.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::scope::Scope;

/// Writes an event as one line of JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonLines;

/// Writes an event as one line of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextLines;

/// Writes the fields of an event as members of an object that has members already.
struct Members<'a, 'w> {
    writer: &'a mut Writer<'w>,
    result: fmt::Result,
}

/// Writes text into a JSON string (RFC 8259, 7).
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        for piece in ["\",\"level\":\"", metadata.level().as_str(), "\""] {
            writer.write_str(piece)?;
        }
        let mut members = Members {
            writer: &mut writer,
            result: Ok(()),
        };
        event.record(&mut members);
        members.result?;
        for piece in [",\"target\":\"", metadata.target(), "\""] {
            writer.write_str(piece)?;
        }
        Scope::write_current(&mut writer, |writer, names| {
            writer.write_str(",\"span\":{")?;
            for (name, value) in names {
                for piece in ["\"", name, "\":\""] {
                    writer.write_str(piece)?;
                }
                Escaped(writer).write_str(value)?;
                writer.write_str("\",")?;
            }
            writer.write_str("\"name\":\"request\"}")
        })?;
        writer.write_str("}\n")
    }
}

impl<S, N> FormatEvent<S, N> for TextLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        SystemTime.format_time(&mut writer)?;
        write!(writer, " {:>5} ", metadata.level().as_str())?;
        Scope::write_current(&mut writer, |writer, names| {
            writer.write_str("request{")?;
            for (position, (name, value)) in names.iter().enumerate() {
                let gap = if position == 0 { "" } else { " " };
                write!(writer, "{gap}{name}={value}")?;
            }
            writer.write_str("}: ")
        })?;
        write!(writer, "{}: ", metadata.target())?;
        context.format_fields(writer.by_ref(), event)?;
        writer.write_char('\n')
    }
}

impl Members<'_, '_> {
    /// `write` writes the value.
    fn member(&mut self, field: &Field, write: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.result.is_err() {
            return;
        }
        let name = field.name().trim_start_matches("r#");
        self.result = [",\"", name, "\":"]
            .iter()
            .try_for_each(|piece| self.writer.write_str(piece))
            .and_then(|()| write(self.writer));
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
        self.member(field, |writer| {
            writer.write_char('"')?;
            Escaped(writer).write_str(value)?;
            writer.write_char('"')
        });
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
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        let odd = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
        // All of them are one byte long, so that the text can be split on either side of one.
        while let Some(at) = text.as_bytes().iter().position(odd) {
            let (plain, rest) = text.split_at(at);
            self.0.write_str(plain)?;
            let (this, rest) = rest.split_at(1);
            match this {
                "\"" => self.0.write_str("\\\"")?,
                "\\" => self.0.write_str("\\\\")?,
                _ => write!(
                    self.0,
                    "\\u{:04x}",
                    this.as_bytes().first().copied().unwrap_or_default()
                )?,
            }
            text = rest;
        }
        self.0.write_str(text)
    }
}
