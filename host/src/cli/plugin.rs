//! `faxgate plugin`: policies from the first line to the drop-in folder.
#![allow(dead_code, reason = "the commands are joined to the command line elsewhere")]

mod build;
mod new;
