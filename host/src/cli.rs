//! Floor 7: the command line.

mod plugin;
