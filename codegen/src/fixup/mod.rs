//! What stands between schemas and the message generator, which does not bear all of them.

mod alias;
mod deprecated;
mod extension;
mod owned;
mod reasons;
mod rename;
mod through;

pub(crate) use alias::add_aliases;
pub(crate) use deprecated::carry_over;
pub(crate) use extension::remove_unfit;
pub(crate) use owned::add_owned;
pub(crate) use reasons::has_module;
pub(crate) use rename::Renames;
pub(crate) use through::Through;
