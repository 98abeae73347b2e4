//! Deprecation, which the message generator does not carry over by itself.

use crate::schema::text;
use buffa_codegen::CodeGenConfig;
use buffa_codegen::generated::descriptor::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

/// Has the messages, enums and fields of a file that are deprecated in the schema deprecated in Rust. With a message goes
/// what is declared within it, which has no other way to be reached.
pub(crate) fn carry_over(file: &FileDescriptorProto, config: &mut CodeGenConfig) {
    let prefix =
        if text(&file.package).is_empty() { ".".to_owned() } else { format!(".{}.", text(&file.package)) };
    of_scope(&prefix, &file.message_type, &file.enum_type, config);
}

fn of_scope(
    prefix: &str,
    messages: &[DescriptorProto],
    enums: &[EnumDescriptorProto],
    config: &mut CodeGenConfig,
) {
    let attribute = || "#[deprecated]".to_owned();
    for declared in enums {
        if declared.options.as_option().is_some_and(|options| options.deprecated == Some(true)) {
            config.enum_attributes.push((format!("{prefix}{}", text(&declared.name)), attribute()));
        }
    }
    for message in messages {
        let name = format!("{prefix}{}", text(&message.name));
        for field in &message.field {
            if field.options.as_option().is_some_and(|options| options.deprecated == Some(true)) {
                config.field_attributes.push((format!("{name}.{}", text(&field.name)), attribute()));
            }
        }
        if message.options.as_option().is_some_and(|options| options.deprecated == Some(true)) {
            config.message_attributes.push((name, attribute()));
        } else {
            of_scope(&format!("{name}."), &message.nested_type, &message.enum_type, config);
        }
    }
}
