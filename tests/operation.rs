//! The program as an operator meets it: command line, supervisor, telemetry, packaging, foreign clients.

mod command_line;
mod faxbot_client;
mod lifecycle;
mod packaging;
mod telemetry;
