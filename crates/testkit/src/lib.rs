//! Real servers for the tests of chatkeep.
