"""What the product's own `runtime` promises, without an engine: applications that start in a second or two."""
