"""The map as data for a picture: at one candle, through time, as clusters."""
