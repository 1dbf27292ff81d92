//! The environment, read once: what was typed, then what is true.
