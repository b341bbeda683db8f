"""Fitting the estimate's parameters offline, on recorded liquidations or the sandbox's."""
