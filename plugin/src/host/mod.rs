//! What stands between the framework and the hosts. The framework speaks VST3 and CLAP; where hosts need more than it does, the
//! instances here answer in its place, and pass everything else on.
//!
//! ```text
//! link     what an instance and the host's side of it tell each other
//! buffers  channels that the framework would play wrongly
//! pending  values that a VST3 host has set and no block has brought yet
//! vst3     an instance for VST3 hosts
//! stream   a state that is written into memory
//! clap     an instance for CLAP hosts
//! worker   the thread of the framework, and what follows from its death
//! factory  what a library offers to either
//! ```

mod buffers;
pub(crate) mod clap;
pub(crate) mod factory;
mod link;
mod pending;
mod stream;
mod vst3;
pub(crate) mod worker;

pub(crate) use link::Link;
