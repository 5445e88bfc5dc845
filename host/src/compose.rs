//! Floor 7: the composition root, the only file that knows every part.
//!
//! Parts are built in the order of their dependencies and handed down; none is fetched from a global. Sockets are
//! bound before anything is started, so that a taken port is told before a job is touched.
