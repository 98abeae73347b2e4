//! Which messages are worth compressing.

use crate::Level;

/// What a server, a channel or a call does with the messages it sends, once a compression has been agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompressionPolicy {
    /// Messages shorter than this travel as they are; `None` leaves all of them as they are.
    pub min_size: Option<usize>,
    /// How hard to work on the others.
    pub level: Level,
}

impl CompressionPolicy {
    /// A policy that compresses nothing unless a message asks for it.
    pub const DISABLED: Self = Self { min_size: None, level: Level::Default };

    /// A policy that compresses every message, the empty one too.
    pub const ALWAYS: Self = Self { min_size: Some(0), level: Level::Default };

    /// The same policy for messages of `min_size` bytes and more.
    #[must_use]
    pub const fn with_min_size(self, min_size: usize) -> Self {
        Self { min_size: Some(min_size), ..self }
    }

    /// The same policy at another level.
    #[must_use]
    pub const fn with_level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// Whether a message of `len` bytes is to be compressed.
    pub fn applies(&self, len: usize, wish: Compress) -> bool {
        match wish {
            Compress::ByPolicy => self.min_size.is_some_and(|min| len >= min),
            Compress::Always => true,
            Compress::Never => false,
        }
    }
}

impl Default for CompressionPolicy {
    /// Compresses messages of 1 KiB and more at the default level.
    fn default() -> Self {
        Self { min_size: Some(DEFAULT_MIN_SIZE), level: Level::Default }
    }
}

/// What one message asks for, against the policy of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compress {
    /// Let the policy decide.
    #[default]
    ByPolicy,
    /// Compress it, whatever its size, if the peer understands any compression of ours.
    Always,
    /// Leave it as it is, for content that is compressed already or holds a secret beside a peer's text.
    Never,
}

// Below this a message fits one network packet either way, so compressing it buys no round trip.
const DEFAULT_MIN_SIZE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_policy_starts_at_one_kibibyte() {
        check(CompressionPolicy::default(), &[(0, false), (1023, false), (1024, true), (1025, true)]);
    }

    #[test]
    fn disabled_policy_leaves_every_message() {
        check(CompressionPolicy::DISABLED, &[(0, false), (usize::MAX, false)]);
    }

    #[test]
    fn always_includes_the_empty_message() {
        check(CompressionPolicy::ALWAYS, &[(0, true), (1, true)]);
    }

    #[test]
    fn minimum_size_enables_a_disabled_policy() {
        check(CompressionPolicy::DISABLED.with_min_size(2), &[(1, false), (2, true)]);
    }

    fn check(policy: CompressionPolicy, sizes: &[(usize, bool)]) {
        for &(len, expected) in sizes {
            assert_eq!(policy.applies(len, Compress::ByPolicy), expected, "{len}");
            assert!(policy.applies(len, Compress::Always), "a message may ask for it");
            assert!(!policy.applies(len, Compress::Never), "a message may refuse it");
        }
    }
}
