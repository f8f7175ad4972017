//! Free-form values travel as JSON text. Empty bytes are the empty object or `null`, so that a sender may leave the field out.

use serde_json::{Map, Value};

use super::{Decode, Encode};
use crate::field::FieldError;

impl Decode<Value> for Vec<u8> {
    fn decode(self) -> Result<Value, FieldError> {
        if self.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self).map_err(|error| FieldError::new(format!("is not JSON: {error}")))
    }
}

impl Encode<Vec<u8>> for Value {
    fn encode(self) -> Vec<u8> {
        if self.is_null() { Vec::new() } else { self.to_string().into_bytes() }
    }
}

impl Decode<Map<String, Value>> for Vec<u8> {
    fn decode(self) -> Result<Map<String, Value>, FieldError> {
        if self.is_empty() {
            return Ok(Map::new());
        }
        serde_json::from_slice(&self).map_err(|error| FieldError::new(format!("is not a JSON object: {error}")))
    }
}

impl Encode<Vec<u8>> for Map<String, Value> {
    fn encode(self) -> Vec<u8> {
        if self.is_empty() { Vec::new() } else { Value::Object(self).to_string().into_bytes() }
    }
}
