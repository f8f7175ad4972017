//! Conversions between generated types and model types: one file per topic of the protocol.
//!
//! Model to wire cannot fail. Wire to model fails with a [`FieldError`] that names the field: a required message that is
//! missing, an enum value that is not known here, a number out of range, text that is not JSON.

#[macro_use]
mod rules;

mod admin;
mod fleet;
mod grant;
mod jobs;
mod json;
mod operation;
mod outcome;
mod plan;
mod session;
mod submit;
mod views;

pub(crate) use rules::{Decode, Encode};

use crate::field::FieldError;

/// A message that must be there.
pub(crate) fn required<P: Decode<M>, M>(field: &str, value: Option<P>) -> Result<M, FieldError> {
    value.ok_or_else(|| FieldError::missing(field))?.decode().map_err(|error| error.inside(field))
}

/// A field that is always there, because it is a number, a text, a list or optional.
pub(crate) fn field<P: Decode<M>, M>(field: &str, value: P) -> Result<M, FieldError> {
    value.decode().map_err(|error| error.inside(field))
}
