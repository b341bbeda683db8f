"""What a user's Freqtrade takes from this package: strategies, the loss of hyperopt, and configurations.

`strategies`, `hyperopts` and `configs` are links to the repository's folders; a wheel holds their files.
"""
