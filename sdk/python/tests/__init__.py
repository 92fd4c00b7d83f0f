"""The package's own tests; a plugin's copy of the package does not have them."""
