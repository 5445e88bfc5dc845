//! Floor 4: a Phaxio that runs on loopback, for the demo and the tests.
