//! What is sent again, and what is not.
