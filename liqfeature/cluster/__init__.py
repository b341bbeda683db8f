"""Work on several processes or machines with Dask: pairs, windows of a walk-forward, epochs of hyperopt."""
