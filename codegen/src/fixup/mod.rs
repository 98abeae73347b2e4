//! What stands between schemas and the message generator, which does not bear all of them.

mod rename;
mod through;

pub(crate) use rename::Renames;
pub(crate) use through::Through;
