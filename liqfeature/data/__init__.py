"""Tables that are recorded or simulated: their columns, and (later) where they are kept."""
