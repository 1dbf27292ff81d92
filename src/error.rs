//! Every error of every stage as the four fields a client sees: code, message, details, hint.
