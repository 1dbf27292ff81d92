//! One request from end to end: the page to read first.
