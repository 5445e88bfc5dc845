//! The size of the futures of a connection and of a request: there are thousands of them at the same time.

use hyper::body::Incoming;

use super::*;

/// Bytes of the future that `_function` makes.
const fn of_connection<A, B, C, D, F: Future>(_function: &impl FnOnce(A, B, C, D) -> F) -> usize {
    size_of::<F>()
}

const fn of_request<F: Future>(
    _function: &impl FnOnce(&Arc<ServerState>, Connection, &Arc<IdleTracker>, http::Request<Incoming>) -> F,
) -> usize {
    size_of::<F>()
}

#[test]
fn connections_and_requests_take_little_room() {
    assert!(of_connection(&serve) < 4096, "{}", of_connection(&serve));
    let answer = of_request(&pipeline::answer::<Incoming>);
    assert!(answer < 1024, "{answer}");
}
