//! The inspector application that the pods of the sandbox really serve.
