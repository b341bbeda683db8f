"""Recording liquidations as exchanges send them, for good."""
