"""Tune on one window, test on the next, and compare with controls: real backtests of Freqtrade."""
