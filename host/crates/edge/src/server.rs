//! What listens: sockets, the accept loop, the state that all connections share, and the application behind them.

pub(crate) mod acceptor;
pub(crate) mod application;
pub(crate) mod listener;
pub(crate) mod state;
