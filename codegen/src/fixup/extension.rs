//! Extensions whose numbers are legal in message sets alone, which the message generator does not know.

use buffa_codegen::generated::descriptor::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

/// Takes them out of the file: there is no constant for such an extension, and its bytes stay unknown fields.
pub(crate) fn remove_unfit(file: &mut FileDescriptorProto) {
    file.extension.retain(is_fit);
    file.message_type.iter_mut().for_each(remove_within);
}

fn remove_within(message: &mut DescriptorProto) {
    message.extension.retain(is_fit);
    message.nested_type.iter_mut().for_each(remove_within);
}

fn is_fit(extension: &FieldDescriptorProto) -> bool {
    extension.number.is_none_or(|number| number <= FIELD_NUMBER_MAX)
}

const FIELD_NUMBER_MAX: i32 = (1 << 29) - 1;
