"""Saying it: one module per format. Views get values and return text; they fetch nothing and decide nothing."""
