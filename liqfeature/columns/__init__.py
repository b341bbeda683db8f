"""The map as columns beside the candles, and whether a row may be acted upon."""

from liqfeature.columns.column import SCHEMA, require_schema

__all__ = ["SCHEMA", "require_schema"]
