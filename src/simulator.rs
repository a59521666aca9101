//! An in-process AWS on loopback.
