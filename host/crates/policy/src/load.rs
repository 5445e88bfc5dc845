//! From a file to a plugin that serves: compilation, cache, settings, the set of plugins and the watch on its folder.

pub(crate) mod cache;
pub(crate) mod compile;
pub(crate) mod embedded;
pub(crate) mod folder_watch;
pub(crate) mod last_good;
pub(crate) mod plugin;
pub(crate) mod registry;
