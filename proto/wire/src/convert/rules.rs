//! How a field travels, by its pair of types, and the macros that write the conversions of whole messages and enums.

use std::collections::{BTreeMap, BTreeSet};

use autoexec_model::id::{Digest, Epoch, JobId, RunnerId, TaskIx, UnixMillis};
use autoexec_model::millis::Millis;

use crate::field::FieldError;
use crate::pb;

/// A type of the wire that can be read as a type of the model.
pub(crate) trait Decode<M> {
    /// Reads it.
    ///
    /// # Errors
    /// When its content is not one that the model allows; the path is relative to this value.
    fn decode(self) -> Result<M, FieldError>;
}

/// A type of the model that travels as a type of the wire.
pub(crate) trait Encode<P> {
    /// Writes it.
    fn encode(self) -> P;
}

/// Conversions between a message and a struct whose fields have the same names. Fields after the semicolon are messages that
/// must be there. Both sides are taken apart whole, so a field that is added to one of them and forgotten here does not compile.
macro_rules! message {
    ($pb:ident <=> $model:path { $($field:ident),* $(,)? $(; $($required:ident),+ $(,)?)? }) => {
        impl TryFrom<$crate::pb::$pb> for $model {
            type Error = $crate::field::FieldError;

            fn try_from(message: $crate::pb::$pb) -> Result<Self, Self::Error> {
                let $crate::pb::$pb { $($field,)* $($($required,)+)? } = message;
                Ok(Self {
                    $($field: $crate::convert::field(stringify!($field), $field)?,)*
                    $($($required: $crate::convert::required(stringify!($required), $required)?,)+)?
                })
            }
        }

        impl From<$model> for $crate::pb::$pb {
            fn from(model: $model) -> Self {
                use $model as Model;
                let Model { $($field,)* $($($required,)+)? } = model;
                Self {
                    $($field: $crate::convert::Encode::encode($field),)*
                    $($($required: Some($crate::convert::Encode::encode($required)),)+)?
                }
            }
        }

        as_field!($pb, $model);
    };
}

/// Lets a message that has `TryFrom` and `From` be a field of another one.
macro_rules! as_field {
    ($pb:ident, $model:path) => {
        impl $crate::convert::Decode<$model> for $crate::pb::$pb {
            fn decode(self) -> Result<$model, $crate::field::FieldError> {
                self.try_into()
            }
        }

        impl $crate::convert::Encode<$crate::pb::$pb> for $model {
            fn encode(self) -> $crate::pb::$pb {
                self.into()
            }
        }
    };
}

/// Conversions between an enum of the wire, which has one more value for "not said", and one of the model.
macro_rules! choice {
    ($pb:ident <=> $model:path { $($variant:ident),+ $(,)? }) => {
        impl TryFrom<$crate::pb::$pb> for $model {
            type Error = $crate::field::FieldError;

            fn try_from(value: $crate::pb::$pb) -> Result<Self, Self::Error> {
                match value {
                    $crate::pb::$pb::Unspecified => Err($crate::field::FieldError::new("is missing")),
                    $($crate::pb::$pb::$variant => Ok(Self::$variant),)+
                }
            }
        }

        impl From<$model> for $crate::pb::$pb {
            fn from(value: $model) -> Self {
                use $model as Model;
                match value {
                    $(Model::$variant => Self::$variant,)+
                }
            }
        }

        impl $crate::convert::Decode<$model> for i32 {
            fn decode(self) -> Result<$model, $crate::field::FieldError> {
                $crate::convert::rules::known::<$crate::pb::$pb>(self)?.try_into()
            }
        }

        impl $crate::convert::Encode<i32> for $model {
            fn encode(self) -> i32 {
                $crate::pb::$pb::from(self).into()
            }
        }
    };
}

/// A message or enum value of the wire, from the number that travels.
pub(crate) fn known<E: TryFrom<i32>>(value: i32) -> Result<E, FieldError> {
    E::try_from(value).map_err(|_| FieldError::new(format!("has the value {value}, which is not known here")))
}

/// Types that are the same on both sides.
macro_rules! same {
    ($($type:ty),+) => {$(
        impl Decode<$type> for $type {
            fn decode(self) -> Result<$type, FieldError> {
                Ok(self)
            }
        }

        impl Encode<$type> for $type {
            fn encode(self) -> $type {
                self
            }
        }
    )+};
}

same!(bool, u32, u64, i32, String, Vec<u8>);

/// Newtypes of the model around a type of the wire.
macro_rules! newtype {
    ($($wire:ty => $model:ident),+) => {$(
        impl Decode<$model> for $wire {
            fn decode(self) -> Result<$model, FieldError> {
                Ok($model(self))
            }
        }

        impl Encode<$wire> for $model {
            fn encode(self) -> $wire {
                self.0
            }
        }
    )+};
}

newtype!(u64 => JobId, u32 => TaskIx, u32 => Epoch, u64 => UnixMillis, String => Digest, String => RunnerId);

impl Decode<Millis> for u64 {
    fn decode(self) -> Result<Millis, FieldError> {
        Ok(Millis::from_millis(self))
    }
}

impl Encode<u64> for Millis {
    fn encode(self) -> u64 {
        self.as_millis()
    }
}

impl Decode<u16> for u32 {
    fn decode(self) -> Result<u16, FieldError> {
        u16::try_from(self).map_err(|_| FieldError::new(format!("is {self}, and may be at most {}", u16::MAX)))
    }
}

impl Encode<u32> for u16 {
    fn encode(self) -> u32 {
        u32::from(self)
    }
}

impl<P: Decode<M>, M> Decode<Option<M>> for Option<P> {
    fn decode(self) -> Result<Option<M>, FieldError> {
        self.map(Decode::decode).transpose()
    }
}

impl<M: Encode<P>, P> Encode<Option<P>> for Option<M> {
    fn encode(self) -> Option<P> {
        self.map(Encode::encode)
    }
}

impl<P: Decode<M>, M> Decode<Vec<M>> for Vec<P> {
    fn decode(self) -> Result<Vec<M>, FieldError> {
        self.into_iter().enumerate().map(|(index, item)| item.decode().map_err(|error| error.at_index(index))).collect()
    }
}

impl<M: Encode<P>, P> Encode<Vec<P>> for Vec<M> {
    fn encode(self) -> Vec<P> {
        self.into_iter().map(Encode::encode).collect()
    }
}

impl<P: Decode<M>, M> Decode<BTreeMap<String, M>> for BTreeMap<String, P> {
    fn decode(self) -> Result<BTreeMap<String, M>, FieldError> {
        self.into_iter()
            .map(|(key, item)| match item.decode() {
                Ok(item) => Ok((key, item)),
                Err(error) => Err(error.inside(&format!("[{key}]"))),
            })
            .collect()
    }
}

impl<M: Encode<P>, P> Encode<BTreeMap<String, P>> for BTreeMap<String, M> {
    fn encode(self) -> BTreeMap<String, P> {
        self.into_iter().map(|(key, item)| (key, item.encode())).collect()
    }
}

impl Decode<BTreeSet<String>> for Vec<String> {
    fn decode(self) -> Result<BTreeSet<String>, FieldError> {
        Ok(self.into_iter().collect())
    }
}

impl Encode<Vec<String>> for BTreeSet<String> {
    fn encode(self) -> Vec<String> {
        self.into_iter().collect()
    }
}

impl Decode<(String, String)> for pb::NameValue {
    fn decode(self) -> Result<(String, String), FieldError> {
        Ok((self.name, self.value))
    }
}

impl Encode<pb::NameValue> for (String, String) {
    fn encode(self) -> pb::NameValue {
        let (name, value) = self;
        pb::NameValue { name, value }
    }
}
