//! The generated types of package `autoexec.v1`. Only this crate uses them; they are public so that tests of the protocol can
//! send what a well-behaved client never would.
//!
//! `Debug` of the messages that may carry secrets is written here and shows names and sizes only.

#![expect(clippy::all, clippy::allow_attributes_without_reason, reason = "generated code is not written for our lints")]

use std::fmt;

tonic::include_proto!("autoexec.v1");

impl fmt::Debug for NameValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameValue").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for ParamFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParamFile")
            .field("param", &self.param)
            .field("name", &self.name)
            .field("size", &self.bytes.len())
            .finish()
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("instance", &self.instance)
            .field("job_name", &self.job_name)
            .field("phase", &self.phase)
            .field("secrets", &self.secrets)
            .field("files", &self.files)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
