//! Services.

use crate::error::Error;
use crate::tree::Tree;
use crate::types::Library;

pub(crate) fn generate(_library: &Library<'_>, _tree: &mut Tree) -> Result<(), Error> {
    Ok(())
}
