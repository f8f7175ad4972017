//! One service with two bounds on the size of its requests: large for the methods that carry files, small for all others.
//!
//! The generated services know one bound for all their methods, and it is checked before the message is read into memory;
//! so the method is looked at first, and each bound has a copy of the service in front of the same implementation.

use std::convert::Infallible;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::server::NamedService;

/// A service with two bounds.
#[derive(Debug, Clone)]
pub(super) struct TwoSizes<S> {
    /// For every other method.
    pub(super) small: S,
    /// For the methods in `large_methods`.
    pub(super) large: S,
    /// Paths of the methods that carry files.
    pub(super) large_methods: &'static [&'static str],
}

impl<S: NamedService> NamedService for TwoSizes<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for TwoSizes<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.small.poll_ready(context)?.is_pending() {
            return Poll::Pending;
        }
        self.large.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if self.large_methods.contains(&request.uri().path()) {
            self.large.call(request)
        } else {
            self.small.call(request)
        }
    }
}
