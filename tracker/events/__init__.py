"""The event log: recorded in the transaction of a change, numbered after its commit, kept for ever."""
