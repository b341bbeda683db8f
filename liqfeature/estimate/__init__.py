"""The model: where leveraged positions would be force-closed, walked candle by candle."""
