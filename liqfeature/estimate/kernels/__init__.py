"""Compiled loops over plain arrays: no pandas, no configuration, no input or output."""
