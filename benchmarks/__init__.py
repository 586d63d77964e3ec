"""Measurements. Ratios are taken in one run, because machines differ and are shared."""
