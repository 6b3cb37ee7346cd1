"""The record of a run: its plan, description, cost, lock and status."""
