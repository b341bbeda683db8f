"""What was known of a pair at the close of each candle: frames in, one aligned `Market` out."""
