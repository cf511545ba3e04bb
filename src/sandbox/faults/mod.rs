//! Faults on demand: the admin API that makes the sandbox misbehave for tests.
