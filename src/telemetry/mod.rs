//! Every happening an operator may want to know of, and what becomes of it: a log line, a metric.
