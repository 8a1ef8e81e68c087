//! Programs that keep conversations with chatkeep.
