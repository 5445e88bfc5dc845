//! The program as an operator meets it: command line, supervisor, telemetry, packaging, foreign clients.

mod command_line;
mod diagnosis;
mod faxbot_client;
mod lifecycle;
mod packaging;
mod printed_lines;
mod telemetry;
mod unread_log;
