//! The HTTP forward proxy of the sandbox, which serves the world's names only.
