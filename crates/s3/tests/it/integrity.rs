//! What arrives is what was sent, or an error.
